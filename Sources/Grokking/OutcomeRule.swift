// How a run's curve becomes one of six outcomes (`measures.md` section 4).

/// The rule and its two thresholds.
package enum OutcomeRule {
  /// Train and test accuracy from which a set counts as learned.
  package static let accuracy = 0.99
  /// Evaluations for which a threshold must hold after the first, to count as sustained.
  package static let sustainedEvaluations = 5

  /// - Parameters:
  ///   - memorization: first epoch with train accuracy at the threshold.
  ///   - grokking: first epoch with test accuracy at the threshold.
  ///   - finalTestAccuracy: at the last evaluation; nil when there was none.
  ///   - lastEpoch: how many epochs were trained.
  ///   - divergence: the epoch at which a loss was not finite.
  package static func outcome(
    memorization: Int?, grokking: Int?, finalTestAccuracy: Double?, lastEpoch: Int, evaluateEvery: Int,
    divergence: Int?
  ) -> Outcome {
    if let divergence { return .diverged(at: divergence, memorization: memorization, grokking: grokking) }
    guard let grokking else {
      guard let memorization else { return .unfit(censoredAfter: lastEpoch) }
      return .memorized(memorization: memorization, censoredAfter: lastEpoch)
    }
    if let finalTestAccuracy, finalTestAccuracy < accuracy {
      return .collapsed(memorization: memorization, grokking: grokking)
    }
    guard let memorization, grokking - memorization > evaluateEvery else {
      return .immediate(memorization: memorization, grokking: grokking)
    }
    return .grokked(memorization: memorization, grokking: grokking)
  }
}
