// Training in float64 on the naive model: a whole run to compare curves with. Every optimizer, penalty and filter as
// its formula is written in `docs/reference/training.md`.

/// The naive twin of `Trainer`.
package struct ReferenceTraining: Sendable {
  package private(set) var model: ReferenceModel
  /// Epochs trained.
  package private(set) var epoch = 0
  private let settings: TrainingSettings
  private let labels: [Int32]
  private let split: Split
  private let order: BatchOrder
  private var optimizer: ReferenceOptimizer

  package init(_ experiment: Experiment, start: Start) {
    model = ReferenceModel(start.weights, activation: experiment.model.activation)
    settings = experiment.training
    labels = experiment.labels(on: start.split)
    split = start.split
    order = BatchOrder(experiment, count: split.trainPairs.count)
    optimizer = ReferenceOptimizer(
      settings, stepsPerEpoch: order.stepsPerEpoch, weights: model.weights.storage)
  }

  /// One epoch; train loss and accuracy are those of each pair before the step that it is trained on in.
  package mutating func step() -> LossAndAccuracy {
    let (pairs, batches) = (split.trainPairs, order.batches(ofEpoch: epoch))
    var (loss, accuracy) = (0.0, 0.0)
    for batch in 0..<order.stepsPerEpoch {
      let members = pairs.indices.filter { batches[$0] == batch }.map { pairs[$0] }
      let (result, gradients) = model.gradients(pairs: members, labels: labels)
      loss += result.loss * Double(members.count)
      accuracy += result.accuracy * Double(members.count)
      optimizer.step(gradients: gradients.storage)
      model.weights.storage = optimizer.weights
    }
    epoch += 1
    return LossAndAccuracy(loss: loss / Double(pairs.count), accuracy: accuracy / Double(pairs.count))
  }

  package func evaluateTest() -> LossAndAccuracy { model.evaluate(pairs: split.testPairs, labels: labels) }
}

/// The optimizers alone, for any numbers and their gradients.
package struct ReferenceOptimizer: Sendable {
  package private(set) var weights: [Double]
  private let settings: TrainingSettings
  private var schedule: StepSchedule
  /// Adam's first moment, or SGD's velocity.
  private var first: [Double]
  private var second: [Double]
  /// Grokfast's average; nil before the first step.
  private var slow: [Double]?

  package init(_ settings: TrainingSettings, stepsPerEpoch: Int = 1, weights: [Double]) {
    self.settings = settings
    self.weights = weights
    schedule = StepSchedule(settings, stepsPerEpoch: stepsPerEpoch)
    first = weights.map { _ in 0 }
    second = first
  }

  /// One step along the gradients of the loss.
  package mutating func step(gradients loss: [Double]) {
    schedule.advance()
    var gradients = zip(loss, weights).map { $0 + settings.l1 * ($1 > 0 ? 1 : $1 < 0 ? -1 : 0) }
    if settings.filtersGradients {
      let alpha = settings.grokfastAlpha
      let average = zip(slow ?? gradients, gradients).map { alpha * $0 + (1 - alpha) * $1 }
      gradients = zip(gradients, average).map { $0 + settings.grokfastLambda * $1 }
      slow = average
    }
    let rate = schedule.learningRate
    for i in weights.indices {
      switch settings.optimizer {
      case .adamw:
        weights[i] -= rate * settings.weightDecay * weights[i]
        adam(i, gradients[i], rate)
      case .adam: adam(i, gradients[i] + settings.weightDecay * weights[i], rate)
      case .sgd:
        first[i] = settings.momentum * first[i] + gradients[i] + settings.weightDecay * weights[i]
        weights[i] -= rate * first[i]
      }
    }
  }

  private mutating func adam(_ i: Int, _ gradient: Double, _ rate: Double) {
    first[i] = settings.beta1 * first[i] + (1 - settings.beta1) * gradient
    second[i] = settings.beta2 * second[i] + (1 - settings.beta2) * gradient * gradient
    let size = (second[i] / (1 - schedule.beta2Power)).squareRoot() + settings.epsilon
    weights[i] -= rate * first[i] / (1 - schedule.beta1Power) / size
  }
}
