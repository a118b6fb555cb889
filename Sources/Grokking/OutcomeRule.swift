// How a run's curve becomes one of six outcomes (`measures.md` section 4).

/// The rule and its two thresholds.
package enum OutcomeRule {
  /// Train and test accuracy from which a set counts as learned.
  package static let accuracy = 0.99
  /// Evaluations for which test accuracy must hold after the first, to count as sustained.
  package static let sustainedEvaluations = 5

  /// The first evaluation with test accuracy at the threshold.
  package static func grokkingEpoch(_ evaluations: [(epoch: Int, testAccuracy: Double)]) -> Int? {
    evaluations.first { $0.testAccuracy >= accuracy }?.epoch
  }

  /// The first crossing that held for the next five evaluations too, and the evaluation that showed it.
  package static func sustainedGrokking(
    _ evaluations: [(epoch: Int, testAccuracy: Double)]
  ) -> (crossing: Int, shown: Int)? {
    var first = 0
    for (index, evaluation) in evaluations.enumerated() {
      if evaluation.testAccuracy < accuracy { first = index + 1 }
      if index - first == sustainedEvaluations { return (evaluations[first].epoch, evaluation.epoch) }
    }
    return nil
  }

  /// - Parameters:
  ///   - memorization: first epoch with train accuracy at the threshold.
  ///   - evaluations: in order of epoch, the last at `lastEpoch` unless the run diverged.
  ///   - lastEpoch: how many epochs were trained.
  ///   - divergence: the epoch at which a loss was not finite.
  package static func outcome(
    memorization: Int?, evaluations: [(epoch: Int, testAccuracy: Double)], lastEpoch: Int, evaluateEvery: Int,
    divergence: Int?
  ) -> Outcome {
    let grokking = grokkingEpoch(evaluations)
    if let divergence { return .diverged(at: divergence, memorization: memorization, grokking: grokking) }
    guard let grokking else {
      guard let memorization else { return .unfit(censoredAfter: lastEpoch) }
      return .memorized(memorization: memorization, censoredAfter: lastEpoch)
    }
    if let last = evaluations.last, last.testAccuracy < accuracy {
      return .collapsed(memorization: memorization, grokking: grokking)
    }
    guard let memorization, grokking - memorization > evaluateEvery else {
      return .immediate(memorization: memorization, grokking: grokking)
    }
    return .grokked(memorization: memorization, grokking: grokking)
  }
}
