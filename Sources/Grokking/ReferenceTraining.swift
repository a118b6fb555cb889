// AdamW in float64 on the naive model: a whole training run to compare curves with.

/// The naive twin of `Trainer`.
package struct ReferenceTraining: Sendable {
  package private(set) var model: ReferenceModel
  /// Steps taken.
  package private(set) var epoch = 0
  private let settings: TrainingSettings
  private let labels: [Int32]
  private let split: Split
  private var firstMoment: Parameters<Double>
  private var secondMoment: Parameters<Double>
  private var schedule: AdamWSchedule

  package init(_ experiment: Experiment, start: Start) {
    model = ReferenceModel(start.weights, activation: experiment.model.activation)
    settings = experiment.training
    labels = experiment.labels
    split = start.split
    firstMoment = Parameters(start.weights.layout)
    secondMoment = Parameters(start.weights.layout)
    schedule = AdamWSchedule(settings)
  }

  /// One epoch; train loss and accuracy are those before the update.
  package mutating func step() -> LossAndAccuracy {
    let (result, gradients) = model.gradients(pairs: split.trainPairs, labels: labels)
    schedule.advance(epoch: epoch)
    let (beta1, beta2) = (settings.beta1, settings.beta2)
    let rate = schedule.learningRate
    let correction1 = 1 - schedule.beta1Power
    let correction2 = (1 - schedule.beta2Power).squareRoot()
    for index in gradients.storage.indices {
      let g = gradients.storage[index]
      var w = model.weights.storage[index]
      w -= rate * settings.weightDecay * w
      let m = beta1 * firstMoment.storage[index] + (1 - beta1) * g
      let v = beta2 * secondMoment.storage[index] + (1 - beta2) * g * g
      let size = v.squareRoot() / correction2 + settings.epsilon
      w -= rate * (m / correction1) / size
      firstMoment.storage[index] = m
      secondMoment.storage[index] = v
      model.weights.storage[index] = w
    }
    epoch += 1
    return result
  }

  package func evaluateTest() -> LossAndAccuracy { model.evaluate(pairs: split.testPairs, labels: labels) }
}

/// The learning rate and the bias corrections of each step, without ever calling a power function.
struct AdamWSchedule: Hashable, Sendable, Codable {
  private let settings: TrainingSettings
  /// Of the step last advanced to.
  private(set) var learningRate = 0.0
  private(set) var beta1Power = 1.0
  private(set) var beta2Power = 1.0

  init(_ settings: TrainingSettings) { self.settings = settings }

  /// Step s, from 0: lr·min(s / warmup, 1), and beta to the power s + 1.
  mutating func advance(epoch: Int) {
    let ramp = settings.warmupEpochs == 0 ? 1 : min(Double(epoch) / Double(settings.warmupEpochs), 1)
    learningRate = settings.learningRate * ramp
    beta1Power *= settings.beta1
    beta2Power *= settings.beta2
  }
}
