import Foundation
import Launchers
import Sweeps
import Testing

@Suite struct HostsFileTests {
  private func read(_ text: String) throws -> HostsFile { try HostsFile(text: text, fileName: "lab.yaml") }

  private func complaints(_ text: String) -> String {
    do {
      _ = try read(text)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func `a host has what it says of itself, and else what all have in common`() throws {
    let file = try read(
      """
      defaults: {user: me, slots: 8, copy: true, ssh_options: ["-F", "lab.ssh"]}
      hosts:
        - ada
        - you@grace.example.org:16
        - {host: "fd00::7", name: box, port: 2222, binary: ~/bin/groksweep, copy: false, deadline: 8h}
      """)
    #expect(file.hosts.map(\.name) == ["ada", "grace.example.org", "box"])
    #expect(file.hosts.map(\.address) == ["ada", "grace.example.org", "fd00::7"])
    #expect(file.hosts.map(\.settings.user) == ["me", "you", "me"])
    #expect(file.hosts.map(\.settings.slots) == [8, 16, 8])
    #expect(file.hosts.map(\.settings.copy) == [true, true, false])
    #expect(file.hosts.map(\.settings.sshOptions) == Array(repeating: ["-F", "lab.ssh"], count: 3))
    #expect(file.hosts[2].settings.port == 2222 && file.hosts[2].settings.deadline == "8h")
  }

  @Test(arguments: [
    ("", "lab.yaml: is empty; list machines below hosts:"),
    ("defaults: {slots: 4}", "lab.yaml: names no hosts; list them below hosts:"),
    ("hosts: ada", "lab.yaml:1: hosts is no list of hosts; write a - HOST on each line below it"),
    ("hosts: []", "lab.yaml:1: hosts is no list of hosts; write a - HOST on each line below it"),
    ("host:\n  - ada", "lab.yaml:1: unknown key \"host\" at the top; did you mean hosts?"),
    ("hosts:\n  - ada:many", "lab.yaml:2: \"ada:many\": after the colon stand slots, a number from 1 to 1024"),
    (
      "hosts:\n  - a:b:c",
      "lab.yaml:2: \"a:b:c\" has several colons; write an IPv6 address in brackets, [ADDRESS]:SLOTS"
    ),
    ("hosts:\n  - -oProxyCommand=x", "lab.yaml:2: \"-oProxyCommand=x\" is no host; write [USER@]HOST[:SLOTS]"),
    ("hosts:\n  - ada\n  - me@ada", "lab.yaml:3: a second host is called ada, as the one on line 2"),
    ("hosts:\n  - {name: ada}", "lab.yaml:2: a host without a name; write {host: NAME, …}"),
    ("hosts:\n  - {host: ada, slots: 0}", "lab.yaml:2: slots has to be a whole number from 1 to 1024"),
    ("hosts:\n  - {host: ada, slots: '4'}", "lab.yaml:2: slots has to be a whole number from 1 to 1024"),
    ("hosts:\n  - {host: ada, prot: 22}", "lab.yaml:2: unknown key \"prot\" in a host; did you mean port?"),
    ("hosts:\n  - {host: ada, deadline: soon}", "lab.yaml:2: deadline has to be a time as in 8h, 90m, 3600s or 2d"),
    ("hosts:\n  - {host: ada, copy: yes}", "lab.yaml:2: copy has to be true or false"),
    ("hosts:\n  - {host: ada, folder: x}", "lab.yaml:2: folder has to be a folder there, from / or from ~/"),
    ("hosts:\n  - {host: ada, ssh_options: -v}", "lab.yaml:2: ssh_options has to be a list of words"),
    ("hosts:\n\t- ada", "lab.yaml:2: is not YAML:"),
  ]) func `what is wrong is told by file and line`(text: String, words: String) {
    #expect(complaints(text).hasPrefix(words), "\(complaints(text))")
  }

  @Test func `no host is called as the cluster's own files are`() throws {
    #expect(try read("hosts: [operator, coordinator, ada]").hosts.map(\.name) == ["_operator", "_coordinator", "ada"])
    #expect(complaints("hosts: [{host: ada, name: operator}]").contains("operator"))
  }

  @Test func `all that is wrong is told at once`() {
    let words = complaints("defaults: {port: 0}\nhosts:\n  - ':8'\n  - {host: ada, user: -x}\nmore: 1")
    #expect(words.split(separator: "\n").map { $0.prefix(11) } == (["1", "3", "4", "5"].map { "lab.yaml:\($0):" }))
  }

  @Test(
    arguments: [
      ("ada", "ada", "ada", nil, nil), ("ada:8", "ada", "ada", nil, 8), ("me@ada.lab:2", "ada.lab", "ada.lab", "me", 2),
      ("[fd00::7]:4", "fd00__7", "fd00::7", nil, 4), ("[fe80::1%eth0]", "fe80__1_eth0", "fe80::1%eth0", nil, nil),
    ] as [(String, String, String, String?, Int?)])
  func `a host in one word`(text: String, name: String, address: String, user: String?, slots: Int?) throws {
    let host = try ClusterHost(text: text)
    #expect(host.name == name && host.address == address)
    #expect(host.settings.user == user && host.settings.slots == slots)
  }

  @Test func `the example that is part of the project is right`() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "cluster/hosts.yaml")
    #expect(try !read(String(contentsOf: path, encoding: .utf8)).hosts.isEmpty)
  }
}
