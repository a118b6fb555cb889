// What a run remembers of its training: all of it but the weights and moments.

/// The part of a run's state that is written down in a checkpoint beside weights and moments.
struct RunRecord: Codable {
  /// One evaluation as far as training knows it.
  struct Taken: Codable, Hashable {
    var epoch: Int
    var train: LossAndAccuracy
    var test: LossAndAccuracy
    /// The first of the epochs, without a gap up to this one, whose train accuracy was at the threshold.
    var memorizedSince: Int?
  }

  /// Epochs trained.
  var epoch = 0
  /// Where training ends: the experiment's epochs, or earlier.
  var lastEpoch: Int
  private(set) var taken: [Taken] = []
  /// First epoch with train accuracy at the threshold.
  private(set) var memorization: Int?
  /// As `Taken.memorizedSince`, up to the latest epoch.
  private(set) var memorizedSince: Int?
  /// The epoch at which a loss was not finite.
  var divergence: Int?
  private(set) var latestTrain: LossAndAccuracy?
  var digests = WeightDigest()
  var work = 0
  /// Whether the analysis trains once more instead of keeping all weights: once so, so for ever.
  var regenerates = false
  /// Evaluations whose moments are kept, because an interval that may be replayed starts there; ascending.
  var keptStates: [Int] = []
  /// What `taken` says of each threshold.
  private(set) var watches = ThresholdWatch.all

  init(epochs: Int) { lastEpoch = epochs }

  /// Notes the train loss and accuracy at the present epoch. Noting the same again changes nothing.
  mutating func note(train: LossAndAccuracy) {
    latestTrain = train
    guard train.accuracy >= OutcomeRule.accuracy else {
      memorizedSince = nil
      return
    }
    memorization = memorization ?? epoch
    memorizedSince = memorizedSince ?? epoch
  }

  /// Adds the evaluation at the present epoch, whose train loss has been noted.
  mutating func take(train: LossAndAccuracy, test: LossAndAccuracy) {
    taken.append(Taken(epoch: epoch, train: train, test: test, memorizedSince: memorizedSince))
    for place in watches.indices { watches[place].look(train: train, test: test) }
  }

  /// Sets the end once grokking has held for five evaluations: `after` epochs behind the evaluation that saw it first,
  /// but not before the one that showed it.
  ///
  /// - Parameter test: of the present epoch, which is not among `taken` yet; nil when none is being evaluated.
  mutating func endEarly(after: Int?, evaluatedNow test: LossAndAccuracy? = nil) {
    guard let after, var watch = watches.first(where: \.isGrokking) else { return }
    if let test { watch.look(train: test, test: test) }
    guard let sustained = watch.sustained else { return }
    let (crossing, shown) = (epoch(of: sustained), epoch(of: sustained + OutcomeRule.sustainedEvaluations))
    lastEpoch = min(lastEpoch, max(crossing + after, shown))
  }

  /// Of an evaluation that was taken, or of the one that is being taken.
  private func epoch(of number: Int) -> Int { number < taken.count ? taken[number].epoch : epoch }

  /// Every crossing has been proven: no state need be kept for those to come.
  var isSettled: Bool { watches.allSatisfy { $0.isSettled || !$0.needsReplay } }

  /// Evaluations at which an interval starts that is or may have to be replayed; ascending.
  var intervalStarts: [Int] { starts(of: \.intervalEnds) }

  /// Those of them that no later evaluation makes needless.
  var certainStarts: [Int] { starts(of: \.certainEnds) }

  private func starts(of intervalEnds: (ThresholdWatch) -> [Int]) -> [Int] {
    let ends = watches.filter(\.needsReplay).flatMap(intervalEnds)
    var starts: [Int] = []
    for end in ends.sorted() where end > 0 && end - 1 != starts.last {
      if taken[end].epoch - taken[end - 1].epoch > 1 { starts.append(end - 1) }
    }
    return starts
  }

  /// As it was on arrival at the last epoch, before that was evaluated: a longer run goes on from there. Whatever else
  /// the end added is noted again with the same values when the epoch is.
  func beforeLastEvaluation() -> RunRecord {
    var record = self
    if record.taken.last?.epoch == epoch {
      record.taken.removeLast()
      record.watchAgain()
    }
    record.digests.dropUnlessDue(at: epoch)
    record.work -= 1
    return record
  }

  private mutating func watchAgain() {
    watches = ThresholdWatch.all
    for evaluation in taken {
      for place in watches.indices { watches[place].look(train: evaluation.train, test: evaluation.test) }
    }
  }

  /// - Parameter crossings: located.
  func outcome(_ crossings: [Crossing], evaluateEvery: Int) -> Outcome {
    let grokking = crossings.first { $0.measure == .testAccuracy && $0.threshold == OutcomeRule.accuracy }
    return OutcomeRule.outcome(
      memorization: memorization, grokking: grokking?.first, finalTestAccuracy: taken.last?.test.accuracy,
      lastEpoch: lastEpoch, evaluateEvery: evaluateEvery, divergence: divergence)
  }

  /// Calls of `advance` until training is over and every evaluation analysed, as far as is known.
  func remainingWork(evaluateEvery: Int) -> Int {
    let evaluations = (lastEpoch + evaluateEvery - 1) / evaluateEvery + 1
    return lastEpoch - epoch + 1 + evaluations + (regenerates ? lastEpoch : 0)
  }
}
