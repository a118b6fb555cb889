// One finished run as a page of text: outcome, a dozen lines of its curve, its key frequencies.

import Grokking

/// What `groksweep train` prints for people.
package enum RunPage {
  /// Evaluations shown of a longer curve: enough to see memorization, plateau and grokking.
  private static let shownEvaluations = 16

  package static func text(_ result: RunResult, of experiment: Experiment, seconds: Double) -> String {
    var lines = [curve(result.evaluations).text, ""]
    lines.append(sentence(result.outcome))
    if result.ending(of: experiment) == .afterGrokking {
      lines.append("stopped after grokking, at epoch \(Wording.grouped(result.epochs))")
    }
    if !result.phases.isEmpty { lines.append("phases: \(result.phases.map(phase).joined(separator: ", "))") }
    if !result.keyFrequencies.isEmpty {
      let frequencies = result.keyFrequencies.map { "\($0.frequency) (norm \(Wording.loss($0.norm)))" }
      lines.append("key frequencies: \(frequencies.joined(separator: ", "))")
    }
    let rate = Double(result.epochs) / max(seconds, 1e-9)
    lines.append(
      "\(Wording.grouped(result.epochs)) epochs in \(Wording.duration(seconds: seconds)) "
        + "(\(Wording.rate(rate)) epochs/s, \(result.kernelPath))")
    lines.append("digest \(result.digest)")
    return lines.joined(separator: "\n")
  }

  /// The outcome in words.
  package static func sentence(_ outcome: Outcome) -> String {
    func at(_ epoch: Int?) -> String { epoch.map { "at epoch \(Wording.grouped($0))" } ?? "never" }
    return switch outcome {
    case .grokked(let memorization, let grokking):
      "grokked \(at(grokking)), \(Wording.grouped(grokking - memorization)) epochs after it had memorized "
        + "\(at(memorization))"
    case .memorized(let memorization, let last):
      "memorized \(at(memorization)); had not grokked by epoch \(Wording.grouped(last)) (censored)"
    case .unfit(let last): "neither memorized nor grokked by epoch \(Wording.grouped(last)) (censored)"
    case .immediate(let memorization, let grokking):
      "generalized \(at(grokking)) without delay (memorized \(at(memorization)))"
    case .collapsed(let memorization, let grokking):
      "grokked \(at(grokking)) (memorized \(at(memorization))), and had lost it again by the end"
    case .diverged(let epoch, _, _): "diverged \(at(epoch)): a loss was no longer finite"
    }
  }

  /// `circuit formation 1,400 to 9,400`.
  private static func phase(_ phase: Phase) -> String {
    let name = phase.name.rawValue.replacing("_", with: " ")
    let start = Wording.grouped(phase.start)
    return phase.end.map { "\(name) \(start) to \(Wording.grouped($0))" } ?? "\(name) from \(start) on"
  }

  private static func curve(_ evaluations: [Evaluation]) -> TextTable {
    var table = TextTable([
      ("epoch", .right), ("train loss", .right), ("test loss", .right), ("train acc", .right), ("test acc", .right),
      ("restricted", .right), ("excluded", .right), ("gini W_E", .right), ("gini W_L", .right), ("Σ w²", .right),
    ])
    let stride = max(1, (evaluations.count + shownEvaluations - 2) / (shownEvaluations - 1))
    for (index, evaluation) in evaluations.enumerated()
    where index % stride == 0 || index == evaluations.count - 1 {
      table.append([
        Wording.grouped(evaluation.epoch), Wording.loss(evaluation.trainLoss), Wording.loss(evaluation.testLoss),
        Wording.share(evaluation.trainAccuracy), Wording.share(evaluation.testAccuracy),
        Wording.loss(evaluation.restrictedLoss), Wording.loss(evaluation.excludedLoss),
        Wording.fixed(evaluation.giniW_E, digits: 3), Wording.fixed(evaluation.giniW_L, digits: 3),
        Wording.fixed(evaluation.sumSquaredWeights, digits: 0),
      ])
    }
    return table
  }
}
