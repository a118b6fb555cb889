// The words by which a coordinator sends a worker of another version away. They are read back too: a worker's key may ask
// nothing, so whoever wants to know the coordinator's versions says hello with one that never was.

import Grokking

package enum VersionWords {
  /// Of a worker that speaks another protocol.
  package static func otherProtocol(_ version: Int) -> String {
    "the worker speaks protocol \(version), the coordinator protocol \(WireProtocol.version); "
      + "use the same build of groksweep on both sides"
  }

  /// Of a worker whose engine computes otherwise.
  package static func otherSemantics(_ version: Int) -> String {
    "the worker's engine has semantics version \(version), the coordinator's \(Engine.semanticsVersion), "
      + "so their numbers differ; use the same build of groksweep on both sides"
  }

  /// The coordinator's version of the protocol, if `reason` says it.
  package static func protocolVersion(in reason: String) -> Int? {
    reason.firstMatch(of: /the coordinator protocol (\d+)/).flatMap { Int($0.1) }
  }

  /// The coordinator's engine semantics, if `reason` says them.
  package static func semantics(in reason: String) -> Int? {
    reason.firstMatch(of: /semantics version -?\d+, the coordinator's (\d+)/).flatMap { Int($0.1) }
  }
}
