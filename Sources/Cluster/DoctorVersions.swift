// What the coordinator's answer says of its versions, held against this build's.

import Foundation
import Grokking
import Results
import Sweeps

enum DoctorVersions {
  private static let own = "protocol \(WireProtocol.version), engine semantics \(Engine.semanticsVersion)"
  private static let fix = "install the same build of groksweep on both sides (groksweep version)"

  /// nil for what says nothing of them.
  static func outcome(of message: CoordinatorMessage) -> DoctorCheck.Outcome? {
    switch message {
    case .refused(let reason): outcome(ofRefusal: reason)
    case .barred(let reason):
      .problem(
        "nobody of this machine is taken for a while: \(reason)", fix: "groksweep admit HOST --connect … takes it back")
    default: nil
    }
  }

  static func outcome(of reply: OperatorReply) -> DoctorCheck.Outcome? {
    switch reply {
    case .answer(let json):
      guard let status = try? JSONDecoder().decode(CoordinatorStatus.self, from: Data(json.utf8)) else { return nil }
      guard let semantics = status.engineSemantics else {
        return .warning("the coordinator does not say its engine semantics; its protocol is ours", fix: fix)
      }
      return compared(protocolVersion: WireProtocol.version, semantics: semantics)
    case .notAllowed(let reason): return outcome(ofRefusal: reason)
    case .done, .failed: return nil
    }
  }

  static func outcome(ofRefusal reason: String) -> DoctorCheck.Outcome {
    if let version = VersionWords.protocolVersion(in: reason) {
      return compared(protocolVersion: version, semantics: nil)
    }
    if let semantics = VersionWords.semantics(in: reason) {
      return compared(protocolVersion: WireProtocol.version, semantics: semantics)
    }
    return .problem("it does not take this machine: \(reason)", fix: "see what it says")
  }

  private static func compared(protocolVersion: Int, semantics: Int?) -> DoctorCheck.Outcome {
    if protocolVersion != WireProtocol.version {
      return .problem("the coordinator speaks protocol \(protocolVersion), this build \(own)", fix: fix)
    }
    if let semantics, semantics != Engine.semanticsVersion {
      return .problem(
        "the coordinator has engine semantics \(semantics), this build \(own): their numbers differ", fix: fix)
    }
    return .ok("both sides have \(own)")
  }
}
