// What must be the same on both sides for a worker to be let in, and how the very program gets there.

import Foundation

package struct ProgramVersion: Hashable, Sendable, Codable {
  package let build: String
  package let protocolVersion: Int
  package let engineSemantics: Int

  package init(build: String, protocolVersion: Int, engineSemantics: Int) {
    self.build = build
    self.protocolVersion = protocolVersion
    self.engineSemantics = engineSemantics
  }

  /// As `groksweep version --json` prints them.
  private enum CodingKeys: String, CodingKey {
    case build
    case protocolVersion = "protocol_version"
    case engineSemantics = "engine_semantics"
  }

  /// What two versions that must work together differ in; nil: nothing that matters.
  package func difference(from other: ProgramVersion) -> String? {
    var words: [String] = []
    if protocolVersion != other.protocolVersion {
      words.append("protocol \(protocolVersion) instead of \(other.protocolVersion)")
    }
    if engineSemantics != other.engineSemantics {
      words.append("engine semantics \(engineSemantics) instead of \(other.engineSemantics)")
    }
    return words.isEmpty ? nil : "groksweep \(build) has " + words.joined(separator: " and ")
  }
}

/// A file that is copied to hosts.
package struct CopiedFile: Hashable, Sendable {
  package let path: String
  /// Hexadecimal.
  package let sha256: String
  package let bytes: Int

  package init(path: String) throws {
    let ended = try LocalCommand.run(["sha256sum"], input: .file(path), timeoutSeconds: 60)
    let sum = ended.output.prefix { $0 != " " }
    guard ended.isDone, sum.count == 64 else { throw LauncherError("\(path): sha256sum cannot read it") }
    self.path = path
    sha256 = String(sum)
    bytes = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
  }
}
