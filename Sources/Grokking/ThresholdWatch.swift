// What evaluations alone tell of a crossing: between which two of them it lies. `Replay` then finds the epoch.

/// One threshold, evaluation by evaluation; evaluations go by their numbers 0, 1, 2 …
package struct ThresholdWatch: Codable, Hashable {
  package let measure: CrossingMeasure
  package let threshold: Double
  /// The first evaluation at which it held.
  package private(set) var first: Int?
  /// The evaluation from which on it has held at every one, the latest included; nil when it did not hold there.
  package private(set) var since: Int?
  /// The first evaluation at which it held as it did at the next five.
  package private(set) var sustained: Int?
  private var seen = 0

  /// Every threshold of every measure, in the order of `RunResult.crossings`.
  package static let all = CrossingMeasure.allCases.flatMap { measure in
    measure.thresholds.map { ThresholdWatch(measure: measure, threshold: $0) }
  }

  private init(measure: CrossingMeasure, threshold: Double) {
    self.measure = measure
    self.threshold = threshold
  }

  /// Of the next evaluation.
  package mutating func look(train: LossAndAccuracy, test: LossAndAccuracy) {
    let number = seen
    seen += 1
    guard holds(train: train, test: test) else {
      since = nil
      return
    }
    first = first ?? number
    let began = since ?? number
    since = began
    if sustained == nil && number - began == OutcomeRule.sustainedEvaluations { sustained = began }
  }

  func holds(train: LossAndAccuracy, test: LossAndAccuracy) -> Bool {
    switch measure {
    case .trainAccuracy: measure.holds(train.accuracy, threshold)
    case .testAccuracy: measure.holds(test.accuracy, threshold)
    case .testLoss: measure.holds(test.loss, threshold)
    }
  }

  /// No later evaluation can change what is to be located.
  var isSettled: Bool { sustained != nil }

  /// Evaluations that end an interval in which this threshold is or may have to be located.
  var intervalEnds: [Int] { [first, sustained ?? since].compactMap { $0 } }

  /// Those of them that no later evaluation takes back.
  var certainEnds: [Int] { [first, sustained].compactMap { $0 } }

  /// Train accuracy is known at every epoch; only what the test set shows has to be replayed.
  var needsReplay: Bool { measure != .trainAccuracy }

  /// Whether this is the threshold that `grokking_epoch` and `stop.after_grokking` go by.
  var isGrokking: Bool { measure == .testAccuracy && threshold == OutcomeRule.accuracy }
}
