// The commands of `groksweep cluster` as a test gives them, and what has to be gone after the last one.

import Foundation
import TestSupport
import Testing

final class Cluster {
  private let scene: Scene
  private let servers: SSHServers
  private let folder: String

  /// What of `cluster status --json` the tests look at.
  struct Line: Decodable {
    let host: String
    let standing: String
    let is_connected: Bool
    let known: Int
    let training: Int
  }

  /// - Parameter hosts: of the file of hosts, as they stand there.
  init(_ scene: Scene, _ servers: SSHServers, hosts: [String]) throws {
    self.scene = scene
    self.servers = servers
    folder = scene.folder.path("s.cluster")
    try write(hosts: hosts)
  }

  func write(hosts: [String]) throws {
    try scene.folder.write(
      """
      defaults:
        slots: 1
        binary: \(Groksweep.path)
        folder: \(scene.folder.path("remote"))
        scratch: \(scene.folder.path("scratch"))
        ssh_options: ["-F", "\(servers.clientConfiguration)"]
      hosts:
      \(hosts.map { "  - \($0)" }.joined(separator: "\n"))
      """, to: "hosts.yaml")
  }

  func run(_ command: String, _ further: [String] = []) throws -> Ended {
    try Groksweep.run(["cluster", command] + further + ["--store", "s.sqlite"], in: scene.folder, within: 180)
  }

  func hosts() throws -> [Line] {
    let ended = try run("status", ["--json"])
    return try ended.output.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  func host(_ name: String) throws -> Line? { try hosts().first { $0.host == name } }

  /// The folder of this machine's sockets, as long as the cluster is up.
  var sockets: String? {
    guard let data = FileManager.default.contents(atPath: folder + "/state.json") else { return nil }
    return (try? JSONSerialization.jsonObject(with: data) as? [String: Any])?["sockets"] as? String
  }

  /// - Parameter sockets: what they were before the end.
  func expectNothingLeft(sockets: String?, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let path = scene.folder.url.path
    // ssh's master takes a moment to end, once it has been told.
    let isQuiet = waitUntil(30) {
      Processes.naming(path).allSatisfy(servers.processes.contains)
        && (sockets.map { Processes.naming($0).isEmpty } ?? true)
    }
    #expect(isQuiet, "processes are left: \(Processes.naming(path))\n\(scene.story)", sourceLocation: sourceLocation)
    let files = FileManager.default
    let remote = (try? files.contentsOfDirectory(atPath: scene.folder.path("remote"))) ?? []
    #expect(remote.isEmpty, "left there: \(remote)", sourceLocation: sourceLocation)
    let here = (try? files.contentsOfDirectory(atPath: folder)) ?? []
    #expect(here.allSatisfy { $0.hasSuffix(".log") }, "left here: \(here)", sourceLocation: sourceLocation)
    if let sockets {
      #expect(!files.fileExists(atPath: sockets), "\(sockets) is left", sourceLocation: sourceLocation)
    }
    guard files.fileExists(atPath: scene.folder.path("s.keys")) else { return }
    let keys = try Groksweep.run(["keys", "list", "--store", "s.sqlite", "--json"], in: scene.folder)
    for line in keys.output.split(separator: "\n") {
      #expect(line.contains("\"revoked\""), "a key is left: \(line)", sourceLocation: sourceLocation)
    }
  }
}
