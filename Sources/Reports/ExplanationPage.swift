// What `explain` prints: why a point stands where it stands, and its story so far, in sentences. Lays out text only.

import Foundation
import Grokking
import Results
import Sweeps

package struct ExplanationPage {
  private let story: PointStory
  private let now: [String]
  private let isCoordinated: Bool

  /// - Parameter isCoordinated: whether a running coordinator told it, which knows about the present.
  package init(_ explanation: PointExplanation, isCoordinated: Bool) {
    story = explanation.story
    now = explanation.now
    self.isCoordinated = isCoordinated
  }

  package var text: String {
    var parts = [([head] + memberships).joined(separator: "\n"), present.joined(separator: "\n")]
    if !story.attempts.isEmpty { parts.append((["Its story:"] + story.attempts.map(line)).joined(separator: "\n")) }
    if !story.verifications.isEmpty {
      parts.append((["Run again to compare:"] + story.verifications.map(line)).joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  private var head: String { "Point \(story.id.hex)" }

  private var memberships: [String] {
    story.sweeps.map { member in
      let setting = member.setting.isEmpty ? "" : " (\(member.setting))"
      let state = member.state == .active ? "" : ", which is \(member.state.rawValue)"
      return "  number \(Wording.grouped(member.position)) of sweep \(member.sweep)\(setting)\(state)"
    }
  }

  private var present: [String] {
    switch story.state {
    case .finished:
      guard let result = story.result else { return ["Finished."] + now }
      let when = result.grokkingEpoch.map { " at epoch \(Wording.grouped($0))" } ?? ""
      let digits = result.digest.prefix(12)
      var lines = [
        "Finished: \(result.outcome)\(when), after \(Wording.grouped(result.epochs)) epochs and "
          + "\(Wording.duration(seconds: result.seconds)), by worker \(result.worker) on \(result.host) at "
          + "\(result.stored); digest \(digits)…"
      ]
      if story.violations > 0 {
        lines.append("\(Wording.count(story.violations, "second result")) had other bits (view violations).")
      }
      return lines + now
    case .failed:
      return [
        "Set aside: \(story.failure ?? "no reason was recorded").",
        "It is not tried again until somebody says so: groksweep retry \(story.id.short).",
      ]
    case .pending:
      if !now.isEmpty { return now }
      if story.attempts.contains(where: { $0.kind == "open" }) {
        return ["It was granted and has no result yet; a running coordinator knows more (--connect)."]
      }
      let idle = story.sweeps.filter { $0.state != .active }
      if !story.sweeps.isEmpty, idle.count == story.sweeps.count {
        let list = idle.map { "\($0.sweep) is \($0.state.rawValue)" }.joined(separator: ", ")
        return ["It is not run: \(list). `groksweep resume` changes that."]
      }
      return [
        isCoordinated ? "It waits for its turn." : "It waits to be run; a running coordinator knows more (--connect)."
      ]
    }
  }

  private func line(_ attempt: PointStory.Attempt) -> String {
    var words = "  \(attempt.started)  worker \(attempt.worker) on \(attempt.host): "
    words += attempt.kind == "open" ? "not over yet" : attempt.kind.replacingOccurrences(of: "_", with: " ")
    if let epoch = attempt.epoch { words += ", at epoch \(Wording.grouped(epoch))" }
    if let reason = attempt.reason { words += ": \(reason)" }
    if let ended = attempt.ended { words += " (ended \(ended))" }
    if let refunded = attempt.refunded {
      words += "; does not count any more: \(refunded)"
    } else if attempt.isCharged {
      words += "; counts against the point"
    }
    return words
  }

  private func line(_ verification: PointStory.Verification) -> String {
    var words = "  asked for \(verification.requested)"
    if let user = verification.requestedBy { words += " by \(user)" }
    switch verification.state {
    case "requested": return words + ": not run yet"
    case "equal": words += ": the same bits"
    case "different": words += ": other bits"
    default: words += ": could not be run" + (verification.reason.map { ": \($0)" } ?? "")
    }
    if let host = verification.host { words += ", on \(host)" }
    if let done = verification.done { words += " (\(done))" }
    return words
  }
}
