// When a measure crossed a threshold, and the phases of training: values of a finished run (`measures.md` section 4).

/// What is watched for crossings, with its thresholds.
package enum CrossingMeasure: String, Codable, Hashable, Sendable, CaseIterable {
  case trainAccuracy = "train_accuracy"
  case testAccuracy = "test_accuracy"
  case testLoss = "test_loss"

  package var thresholds: [Double] {
    switch self {
    case .trainAccuracy: [0.99]
    case .testAccuracy: [0.5, 0.9, 0.95, 0.99, 1]
    case .testLoss: [1, 0.1, 0.01]
    }
  }

  /// Accuracies cross upwards, losses downwards.
  package func holds(_ value: Double, _ threshold: Double) -> Bool {
    self == .testLoss ? value <= threshold : value >= threshold
  }
}

/// One threshold of one run; every run has one of each, crossed or not.
package struct Crossing: Codable, Hashable, Sendable {
  package var measure: CrossingMeasure
  package var threshold: Double
  /// The first epoch at which it held, exact within the interval between evaluations that showed it; of train accuracy,
  /// the first of all.
  package var first: Int?
  /// The first epoch from which on it held at every epoch until the next evaluation, and at the five after that.
  package var sustained: Int?

  package init(measure: CrossingMeasure, threshold: Double, first: Int? = nil, sustained: Int? = nil) {
    self.measure = measure
    self.threshold = threshold
    self.first = first
    self.sustained = sustained
  }
}

/// One of the three phases of Nanda et al. 2023, section 5.2, by this project's rule (`PhaseRule`); its borders are
/// epochs of evaluations.
package struct Phase: Codable, Hashable, Sendable {
  package enum Name: String, Codable, Hashable, Sendable, CaseIterable {
    case memorization
    case circuitFormation = "circuit_formation"
    case cleanup
  }

  package var name: Name
  package var start: Int
  /// Nil when the run ended within the phase.
  package var end: Int?

  package init(_ name: Name, start: Int, end: Int?) {
    self.name = name
    self.start = start
    self.end = end
  }
}
