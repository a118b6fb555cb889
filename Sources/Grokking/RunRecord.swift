// What a run remembers of its training: all of it but the weights.

/// The part of a run's state that is written down in a checkpoint beside weights and moments.
struct RunRecord {
  /// One evaluation as far as training knows it.
  struct Taken: Codable, Hashable {
    var epoch: Int
    var train: LossAndAccuracy
    var test: LossAndAccuracy
  }

  /// Epochs trained.
  var epoch = 0
  /// Where training ends: the experiment's epochs, or earlier.
  var lastEpoch: Int
  var taken: [Taken] = []
  /// First epoch with train accuracy at the threshold.
  var memorization: Int?
  /// The epoch at which a loss was not finite.
  var divergence: Int?
  var latestTrain: LossAndAccuracy?
  var digests = WeightDigest()
  var work = 0

  init(epochs: Int) { lastEpoch = epochs }

  /// Test accuracies in order of epoch.
  var testAccuracies: [(epoch: Int, testAccuracy: Double)] { taken.map { ($0.epoch, $0.test.accuracy) } }

  /// Sets the end once grokking has held for five evaluations: `after` epochs behind the crossing, but not before now.
  mutating func endEarly(after: Int?, evaluatedNow accuracy: Double) {
    guard let after else { return }
    let evaluations = testAccuracies + [(epoch, accuracy)]
    guard let sustained = OutcomeRule.sustainedGrokking(evaluations) else { return }
    lastEpoch = min(lastEpoch, max(sustained.crossing + after, sustained.shown))
  }

  /// Calls of `advance` until the run is finished, as far as is known.
  func remainingWork(evaluateEvery: Int) -> Int {
    let evaluations = (lastEpoch + evaluateEvery - 1) / evaluateEvery + 1
    return lastEpoch - epoch + 1 + evaluations
  }
}
