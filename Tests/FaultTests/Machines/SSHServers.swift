// Hosts of a test that ssh reaches: an sshd on loopback for each, with configuration, keys and port of its own. They share
// this machine's name, user and disk.

import Foundation
import TestSupport
import Testing

final class SSHServers {
  /// For `ssh -F`: hosts by name, and two that nobody gets into: `nowhere`, where nothing listens, and `stranger`, whose
  /// key is not known there.
  let clientConfiguration: String
  private let scene: Scene
  /// By host; in the background, since Foundation takes a child that closes all files it inherited, as sshd does, for
  /// one that has ended, and would wait for it before it looks at any other.
  private var servers: [String: Int32] = [:]

  /// Also where shells of users do not look.
  private static let program: String? = {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let programs = "\(path):/usr/sbin".split(separator: ":").map { "\($0)/sshd" }
    return programs.first(where: FileManager.default.isExecutableFile)
  }()

  /// nil, with a line that says why, where this machine has no sshd or does not let this process start one.
  init?(_ hosts: [String], _ scene: Scene) throws {
    self.scene = scene
    clientConfiguration = scene.folder.path("ssh_config")
    guard let program = Self.program else {
      print("skipped, since there is no sshd here; make test-tools unpacks one in .build-test-tools/bin, for PATH")
      return nil
    }
    guard geteuid() == 0 else {
      print("skipped, since only root can start an sshd that lets root in")
      return nil
    }
    // Where sshd wants an empty folder; the distribution makes it when the service starts.
    try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
    for name in ["host_key", "user_key", "other_key"] {
      let made = try Running(
        "/usr/bin/env", ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scene.folder.path(name)], in: scene.folder
      ).end(within: 60)
      try #require(made.status == 0, "\(made)")
    }
    var words = ""
    func add(_ host: String, port: UInt16, key: String) {
      words += """
        Host \(host)
          HostName 127.0.0.1
          Port \(port)
          User root
          IdentityFile \(scene.folder.path(key))
          IdentitiesOnly yes
          UserKnownHostsFile \(scene.folder.path("known_hosts"))
          StrictHostKeyChecking accept-new

        """
    }
    for host in hosts {
      let port = try Self.freePort()
      add(host, port: port, key: "user_key")
      if host == hosts[0] { add("stranger", port: port, key: "other_key") }
      let configuration = try scene.folder.write(
        """
        Port \(port)
        ListenAddress 127.0.0.1
        HostKey \(scene.folder.path("host_key"))
        AuthorizedKeysFile \(scene.folder.path("user_key.pub"))
        PidFile \(scene.folder.path("sshd_\(host).pid"))
        StrictModes no
        UsePAM no
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        """, to: "sshd_\(host)")
      let started = try Running(
        program, ["-f", configuration, "-E", scene.folder.path("sshd_\(host).log")], in: scene.folder
      ).end(within: 60)
      try #require(started.status == 0, "\(started)")
      try scene.wait(for: "the sshd of \(host) listens", within: 30) {
        let text = try? String(contentsOfFile: scene.folder.path("sshd_\(host).pid"), encoding: .utf8)
        servers[host] = text.flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        return servers[host] != nil
      }
    }
    add("nowhere", port: try Self.freePort(), key: "user_key")
    try scene.folder.write(words, to: "ssh_config")
  }

  deinit { stop() }

  var processes: [Int32] { Array(servers.values) }

  /// Ends every connection that the host has, as if its network had gone.
  func cutConnections(of host: String) throws {
    let server = try #require(servers[host])
    for process in Processes.children(of: server) {
      for child in Processes.children(of: process) { kill(child, SIGKILL) }
      kill(process, SIGKILL)
    }
  }

  func stop() {
    for server in servers.values { kill(server, SIGTERM) }
    let path = scene.folder.path("sshd_")
    _ = waitUntil(30) { Processes.naming(path).isEmpty }
    servers = [:]
  }

  /// Free a moment ago.
  private static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
      }
    }
    try #require(code == 0, "no port of 127.0.0.1 is free")
    return UInt16(bigEndian: address.sin_port)
  }
}
