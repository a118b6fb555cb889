// Machines of a test: network namespaces of the kernel, tied by cables that can be cut.

import Foundation
import TestSupport

/// One namespace for the coordinator and one for each worker, with addresses of their own on one bridge, and a cable from it
/// to each worker. They share the disk of this machine, so workers need scratch folders of their own.
final class Network {
  /// Where the coordinator listens: the bridge is in its machine, and every cable ends there.
  static let listening = "tcp://0.0.0.0:5555"

  private let scene: Scene
  private let name: String
  private let cables: Int

  /// nil, with a line that says why, where the kernel does not let this process have namespaces.
  init?(cables: Int, _ scene: Scene) throws {
    self.scene = scene
    self.cables = cables
    name = "groksweep-\(getpid())-\(UUID().uuidString.prefix(8))"
    var commands = (0...cables).map { ["netns", "add", machine($0)] }
    commands += [
      ["-n", machine(0), "link", "add", "lan", "type", "bridge"],
      ["-n", machine(0), "address", "add", "10.77.0.1/24", "dev", "lan"],
      ["-n", machine(0), "link", "set", "lan", "up"],
    ]
    for cable in 1...cables {
      commands += [
        [
          "link", "add", Self.end(cable), "netns", machine(0), "type", "veth", "peer", "name", "cable", "netns",
          machine(cable),
        ],
        ["-n", machine(0), "link", "set", Self.end(cable), "master", "lan"],
        ["-n", machine(cable), "address", "add", "10.77.0.\(1 + cable)/24", "dev", "cable"],
        ["-n", machine(0), "link", "set", Self.end(cable), "up"],
        ["-n", machine(cable), "link", "set", "cable", "up"],
      ]
    }
    for command in commands {
      if let problem = try ip(command) {
        print(
          "skipped, since this machine gives no network namespaces (ip \(command.joined(separator: " "))): \(problem)")
        return nil
      }
    }
  }

  deinit {
    for number in 0...cables { _ = try? ip(["netns", "delete", machine(number)]) }
  }

  /// What starts a program on machine `number`: 0 is the coordinator's, the others have the cable of their number.
  ///
  /// Each machine has a name of its own: what falls silent as a whole machine is judged otherwise than a single worker.
  func place(_ number: Int) -> [String] {
    [
      "ip", "netns", "exec", machine(number), "unshare", "--uts", "sh", "-c",
      "hostname \(machine(number)) && exec \"$@\"",
      "sh",
    ]
  }

  /// What the workers' machines call the coordinator.
  static let endpoint = "tcp://10.77.0.1:5555"

  func cut(_ cable: Int) throws { try set(cable, "down") }
  func mend(_ cable: Int) throws { try set(cable, "up") }

  private func set(_ cable: Int, _ state: String) throws {
    if let problem = try ip(["-n", machine(0), "link", "set", Self.end(cable), state]) {
      throw Trouble(description: "cable \(cable) cannot be set \(state): \(problem)")
    }
  }

  private func machine(_ number: Int) -> String { "\(name)-\(number)" }

  /// Of the cable, at the coordinator's machine.
  private static func end(_ cable: Int) -> String { "cable\(cable)" }

  /// What `ip` complained of; nil when it did not.
  private func ip(_ words: [String]) throws -> String? {
    let ended = try Running("/usr/bin/env", ["ip"] + words, in: scene.folder).end(within: 60)
    return ended.status == 0 ? nil : ended.errors
  }
}
