// `groksweep cluster` against real sshds on loopback.

import Foundation
import TestSupport
import Testing

extension MachineTests {
  @Suite struct SSHTests {
    /// Some seconds for each worker, so that what happens to them happens in the middle.
    private static let sweep = FaultSweep(points: 6, epochs: 60_000)

    @Test func `hosts are started, added, cut off, mended and ended, and the rows are those of one machine`() throws {
      let scene = try Scene(Self.sweep)
      guard let servers = try SSHServers(["ada", "grace", "mary"], scene) else { return }
      let cluster = try Cluster(
        scene, servers, hosts: ["ada:1", "{host: grace, copy: true}", "nowhere", "stranger"])

      let up = try cluster.run("up", ["--hosts", "hosts.yaml", "faults.yaml", "--keys"])
      #expect(up.status == 1, "\(up.errors)")
      for words in [
        "ada: its workers are at work", "grace: copied the program", "grace: its workers are at work",
        "nowhere: failed: unreachable: ", "stranger: failed: authentication refused: ",
        "ada: copied its join file", "2 of 4 hosts up",
      ] {
        #expect(up.errors.contains(words), "\(words)\n\(up.errors)")
      }
      try scene.wait(for: "both hosts work") { try cluster.hosts().filter { $0.known == 1 }.count == 2 }

      let added = try cluster.run("add", ["mary"])
      #expect(added.status == 0, "\(added.errors)")
      try scene.wait(for: "the third one works") { try cluster.hosts().last?.known == 1 }

      try servers.cutConnections(of: "ada")
      try scene.wait(for: "ada is not connected") { try cluster.host("ada")?.is_connected == false }
      let again = try cluster.run("up", ["--hosts", "hosts.yaml", "--keys"])
      for words in ["ada: connected again", "ada: its workers run already", "grace: its workers run already"] {
        #expect(again.errors.contains(words), "\(words)\n\(again.errors)")
      }
      try scene.wait(for: "ada works again") { try cluster.host("ada")?.standing == "working" }

      let sockets = cluster.sockets
      let down = try cluster.run("down")
      #expect(down.errors.contains("ada: its workers handed over and left"), "\(down.errors)")
      #expect(down.status == 0 && down.errors.contains("nowhere: had no workers"), "\(down.errors)")
      #expect(down.errors.contains("grace: removed the copied program"), "\(down.errors)")
      try cluster.expectNothingLeft(sockets: sockets)
      try cluster.write(hosts: ["ada", "mary:1"])
      let last = try cluster.run("up", ["--hosts", "hosts.yaml", "--keys"])
      #expect(last.status == 0, "\(last.errors)")
      try scene.waitForRuns(Self.sweep.points)
      let socketsOfLast = cluster.sockets
      #expect(try cluster.run("down").errors.contains("mary: its workers handed over and left"))
      try cluster.expectNothingLeft(sockets: socketsOfLast)
      servers.stop()
      try scene.check(classes: ["preempted"])
    }

    @Test(arguments: ["state.json", "coordinator.log", "ada.log"])
    func `down ends what an up that was killed has begun`(moment: String) throws {
      let scene = try Scene(Self.sweep)
      guard let servers = try SSHServers(["ada", "grace"], scene) else { return }
      let cluster = try Cluster(scene, servers, hosts: ["ada", "grace"])
      let up = try scene.start(
        "up", [Groksweep.path, "cluster", "up", "--hosts", "hosts.yaml", "faults.yaml", "--store", "s.sqlite"])
      try scene.wait(for: "\(moment) is there") {
        FileManager.default.fileExists(atPath: scene.folder.path("s.cluster/\(moment)"))
      }
      try scene.kill9(up)
      let sockets = cluster.sockets
      let down = try cluster.run("down")
      #expect(down.status == 0, "\(down.errors)\n\(scene.story)")
      try cluster.expectNothingLeft(sockets: sockets)
      #expect(try cluster.run("status").status == 65)
    }

    @Test func `an up right after one that was killed starts no second workers`() throws {
      let scene = try Scene(Self.sweep)
      guard let servers = try SSHServers(["ada", "grace"], scene) else { return }
      let cluster = try Cluster(scene, servers, hosts: ["{host: ada, copy: true}", "grace"])
      let first = try scene.start(
        "up", [Groksweep.path, "cluster", "up", "--hosts", "hosts.yaml", "faults.yaml", "--store", "s.sqlite"])
      try scene.wait(for: "workers are being started") {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: scene.folder.path("remote"))) ?? []
        return names.contains { $0.hasSuffix("/starting") }
      }
      try scene.kill9(first)
      let second = try cluster.run("up", ["--hosts", "hosts.yaml"])
      #expect(second.status == 0, "\(second.errors)")
      try scene.wait(for: "both hosts work") { try cluster.hosts().filter { $0.known == 1 }.count == 2 }
      let workers = Processes.naming(scene.folder.path("remote")).filter { process in
        let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        let text = String(decoding: words, as: UTF8.self)
        return text.contains("\0worker\0") && !text.contains("--exit-with-parent")
      }
      #expect(workers.count == 2, "\(workers)\n\(scene.story)")
      let sockets = cluster.sockets
      #expect(try cluster.run("down").status == 0)
      try cluster.expectNothingLeft(sockets: sockets)
    }

    @Test func `down and add without a cluster say so and leave nothing`() throws {
      let scene = try Scene(Self.sweep)
      for command in [["down"], ["add", "ada"]] {
        let ended = try Groksweep.run(["cluster"] + command + ["--store", "s.sqlite"], in: scene.folder)
        #expect(ended.status == 65 && ended.errors.contains("no cluster is up for this store"), "\(ended)")
        #expect(try scene.folder.names() == ["faults.yaml"])
      }
      // An `up` that was killed at once leaves a folder and its lock.
      try FileManager.default.createDirectory(
        atPath: scene.folder.path("s.cluster"), withIntermediateDirectories: false)
      try scene.folder.write("", to: "s.cluster/lock")
      #expect(try Groksweep.run(["cluster", "down", "--store", "s.sqlite"], in: scene.folder).status == 65)
      #expect(try scene.folder.names() == ["faults.yaml"])
    }

    @Test func `a bad file of hosts is told by its lines, and nothing is started`() throws {
      let scene = try Scene(Self.sweep)
      try scene.folder.write("defaults: {slot: 4}\nhosts:\n  - ada:0\n", to: "hosts.yaml")
      let ended = try Groksweep.run(
        ["cluster", "up", "--hosts", "hosts.yaml", "faults.yaml", "--store", "s.sqlite"], in: scene.folder)
      #expect(ended.status == 65)
      #expect(ended.errors.contains("hosts.yaml:1: unknown key \"slot\" in defaults; did you mean slots?"))
      #expect(ended.errors.contains("hosts.yaml:3: \"ada:0\": after the colon stand slots, a number from 1 to 1024"))
      #expect(try scene.folder.names() == ["faults.yaml", "hosts.yaml"])
    }
  }
}
