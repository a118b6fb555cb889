// The learning rate and the bias corrections of each step, without ever calling a power function, and the batches of
// each epoch. Both follow from the experiment and the step's number alone, so a run can go on from anywhere.

import Kernels

/// Learning rate and powers of the betas, step after step.
struct StepSchedule: Hashable, Sendable {
  private let settings: TrainingSettings
  private let stepsPerEpoch: Int
  /// Of the step last advanced to.
  private(set) var learningRate = 0.0
  private(set) var beta1Power = 1.0
  private(set) var beta2Power = 1.0
  /// Advanced to so far.
  private(set) var steps = 0

  init(_ settings: TrainingSettings, stepsPerEpoch: Int) {
    self.settings = settings
    self.stepsPerEpoch = stepsPerEpoch
  }

  /// To the next step. Step s, from 0, is at x = s / stepsPerEpoch epochs: lr·min(x / warmup, 1), behind warm-up of a
  /// cosine schedule lr·½(1 + cos(π·(x − warmup)/(epochs − warmup))); betas to the power s + 1.
  mutating func advance() {
    let (warmup, epochs) = (settings.warmupEpochs, settings.epochs)
    learningRate = settings.learningRate
    let epoch = Double(steps) / Double(stepsPerEpoch)
    if epoch < Double(warmup) {
      learningRate *= epoch / Double(warmup)
    } else if settings.schedule == .cosine && epochs > warmup {
      let cosine = DeterministicMath.cosine(
        turn: steps - warmup * stepsPerEpoch, of: 2 * (epochs - warmup) * stepsPerEpoch)
      learningRate *= 0.5 * (1 + cosine)
    }
    beta1Power *= settings.beta1
    beta2Power *= settings.beta2
    steps += 1
  }
}

/// Which train pairs the steps of an epoch are trained on.
package struct BatchOrder: Hashable, Sendable {
  private let dataSeed: UInt64
  /// Of the train set.
  let count: Int
  let batchSize: Int

  /// - Parameter count: train pairs.
  package init(_ experiment: Experiment, count: Int) {
    dataSeed = experiment.dataSeed
    self.count = count
    batchSize = min(experiment.training.batchSize ?? count, count)
  }

  var stepsPerEpoch: Int { (count + batchSize - 1) / batchSize }

  /// The batch of each train pair, the pairs in ascending order: the data seed's stream `batches/epoch` shuffles them, and
  /// every `batchSize` of them in turn are a batch. The last one has what is left.
  package func batches(ofEpoch epoch: Int) -> [Int] {
    var stream = RandomStream(seed: dataSeed, stream: "batches/\(epoch)")
    var pairs = Array(0..<count)
    var batches = [Int](repeating: 0, count: count)
    for drawn in 0..<count {
      pairs.swapAt(drawn, drawn + stream.uniform(below: count - drawn))
      batches[pairs[drawn]] = drawn / batchSize
    }
    return batches
  }
}
