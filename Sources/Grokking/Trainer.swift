// The fast training step: full-batch AdamW in float32 on tables instead of examples (`FoldedModel`).
//
// One epoch folds the weights into tables, runs blocks of examples forward and backward through them, unfolds the
// gradients and steps. Same experiment, same bits: on every machine, for every block size, after every resume.

import Kernels

/// Trains one model, epoch by epoch. Not for use from two threads at once.
package final class Trainer {
  package let layout: ParameterLayout
  /// Steps taken.
  package private(set) var epoch = 0

  private let settings: TrainingSettings
  private let activation: Activation
  private let kernels: Kernels
  private let train: ExampleBlocks
  private let test: ExampleBlocks
  private let model: FoldedModel
  private let pass: BlockPass
  /// The same two, unless the test set is so much larger than the train set that another plan costs less.
  private let testModel: FoldedModel
  private let testPass: BlockPass
  private let tables: TableGradients
  private let weightBuffer: FloatBuffer
  private let gradientBuffer: FloatBuffer
  private let firstMoment: FloatBuffer
  private let secondMoment: FloatBuffer
  private var schedule: AdamWSchedule

  /// - Precondition: the start's weights and split are of the experiment's shapes, and no set is empty.
  /// - Parameter plan: how the arithmetic is arranged; what costs least, for each set, when nil.
  package init(
    _ experiment: Experiment, start: Start, kernels path: KernelPath, blockSize: Int = 128, plan: StepPlan? = nil
  ) {
    let layout = ParameterLayout(experiment)
    precondition(start.weights.layout == layout, "start weights of another shape")
    precondition(start.split.modulus == layout.modulus, "a split of residues mod \(start.split.modulus)")
    self.layout = layout
    settings = experiment.training
    activation = experiment.model.activation
    kernels = Kernels(path)
    let labels = experiment.labels
    train = ExampleBlocks(
      pairs: start.split.trainPairs, modulus: layout.modulus, labels: labels, blockSize: blockSize)
    test = ExampleBlocks(pairs: start.split.testPairs, modulus: layout.modulus, labels: labels, blockSize: blockSize)
    precondition(train.count > 0 && test.count > 0, "\(train.count) train and \(test.count) test pairs")
    let trainPlan = plan ?? experiment.stepPlan(pairs: train.count)
    let testPlan = plan ?? experiment.stepPlan(pairs: max(train.count, test.count))
    model = FoldedModel(layout, plan: trainPlan, kernels: kernels)
    pass = BlockPass(model.shape, activation: activation, capacity: blockSize, kernels: kernels)
    testModel = testPlan == trainPlan ? model : FoldedModel(layout, plan: testPlan, kernels: kernels)
    testPass =
      testPlan == trainPlan
      ? pass : BlockPass(testModel.shape, activation: activation, capacity: blockSize, kernels: kernels)
    tables = TableGradients(model.shape, layout, activation: activation, capacity: blockSize, kernels: kernels)
    weightBuffer = FloatBuffer(start.weights.storage)
    gradientBuffer = FloatBuffer(layout.count)
    firstMoment = FloatBuffer(layout.count)
    secondMoment = FloatBuffer(layout.count)
    schedule = AdamWSchedule(settings)
  }

  /// Whether attention at the present weights needs each example's largest score subtracted (`FoldedModel`).
  package var usesRawScores: Bool {
    model.fold(weightBuffer)
    return model.rawScores
  }

  /// The present weights.
  package var weights: Parameters<Float> { Parameters(layout, storage: weightBuffer.array) }

  /// One epoch: train loss and accuracy of the weights before the step, then the step. Where the loss is not finite, no
  /// step is taken.
  ///
  /// - Parameter observer: told the phases as they end; asked for once per phase and block, so nil costs nothing.
  package func step(observing observer: PhaseObserver? = nil) -> LossAndAccuracy {
    Kernels.flushingTinyToZero {
      let result = backward(observer)
      guard result.loss.isFinite else { return result }
      schedule.advance(epoch: epoch)
      kernels.adamW(
        AdamWStep(
          learningRate: schedule.learningRate, weightDecay: settings.weightDecay, beta1: settings.beta1,
          beta2: settings.beta2, beta1Power: schedule.beta1Power, beta2Power: schedule.beta2Power,
          epsilon: settings.epsilon),
        count: layout.count, gradients: gradientBuffer, weights: weightBuffer, firstMoment: firstMoment,
        secondMoment: secondMoment)
      expireTables()
      epoch += 1
      observer?(.adamW)
      return result
    }
  }

  /// Loss, accuracy and gradient of the mean train loss at the present weights; no step.
  package func gradients() -> (LossAndAccuracy, Parameters<Float>) {
    let result = Kernels.flushingTinyToZero { backward(nil) }
    return (result, Parameters(layout, storage: gradientBuffer.array))
  }

  /// Mean loss and accuracy on the train pairs at the present weights.
  package func evaluateTrain() -> LossAndAccuracy { evaluate(train, model, pass) }

  /// Mean loss and accuracy on the test pairs at the present weights.
  package func evaluateTest() -> LossAndAccuracy { evaluate(test, testModel, testPass) }

  private func evaluate(_ examples: ExampleBlocks, _ model: FoldedModel, _ pass: BlockPass) -> LossAndAccuracy {
    Kernels.flushingTinyToZero {
      model.fold(weightBuffer)
      var total = LossTotal()
      for block in examples.blocks {
        pass.forward(examples.tokens(block), model)
        pass.crossEntropy(examples.labels(block), gradientScale: nil, into: &total)
      }
      return total.mean
    }
  }

  private func expireTables() {
    model.expire()
    testModel.expire()
  }

  private func backward(_ observer: PhaseObserver?) -> LossAndAccuracy {
    model.fold(weightBuffer)
    tables.begin(model)
    observer?(.tables)
    var total = LossTotal()
    let scale = 1 / Float(train.count)
    for block in train.blocks {
      let tokens = train.tokens(block)
      pass.forward(tokens, model, observer)
      pass.crossEntropy(train.labels(block), gradientScale: scale, into: &total)
      observer?(.loss)
      tables.add(block, tokens, pass, model, observer)
    }
    tables.finish(model, weights: weightBuffer, into: gradientBuffer)
    observer?(.parameterGradients)
    return total.mean
  }
}

extension Trainer {
  /// All that a step depends on besides experiment and split.
  package struct State: Sendable {
    package var epoch: Int
    package var weights: [Float]
    package var firstMoment: [Float]
    package var secondMoment: [Float]

    package init(epoch: Int, weights: [Float], firstMoment: [Float], secondMoment: [Float]) {
      self.epoch = epoch
      self.weights = weights
      self.firstMoment = firstMoment
      self.secondMoment = secondMoment
    }
  }

  package var state: State {
    State(
      epoch: epoch, weights: weightBuffer.array, firstMoment: firstMoment.array, secondMoment: secondMoment.array)
  }

  /// The optimizer's first and second moments.
  package var moments: (first: [Float], second: [Float]) { (firstMoment.array, secondMoment.array) }

  /// Goes on from `state` with the same bits as if it had never stopped.
  package func restore(_ state: State) {
    weightBuffer.assign(state.weights)
    firstMoment.assign(state.firstMoment)
    secondMoment.assign(state.secondMoment)
    // The same multiplications in the same order as the steps that led here.
    schedule = AdamWSchedule(settings)
    for epoch in 0..<state.epoch { schedule.advance(epoch: epoch) }
    epoch = state.epoch
    expireTables()
  }
}
