// The fast training step: float32 on tables instead of examples (`FoldedModel`).
//
// One step folds the weights into tables, runs blocks of examples forward and backward through them, unfolds the
// gradients and moves the weights; an epoch is one step, or as many as there are batches. Same experiment, same bits: on
// every machine, for every block size, after every resume.

import Kernels

/// Trains one model, epoch by epoch. Not for use from two threads at once.
package final class Trainer {
  package let layout: ParameterLayout
  /// Epochs trained.
  package private(set) var epoch = 0

  private let activation: Activation
  private let kernels: Kernels
  private let train: ExampleBlocks
  private let test: ExampleBlocks
  /// Nil for full batches.
  private let batches: Batches?
  private let model: FoldedModel
  private let pass: BlockPass
  /// The same two, unless the test set is so much larger than the train set that another plan costs less.
  private let testModel: FoldedModel
  private let testPass: BlockPass
  private let tables: TableGradients
  private let weightBuffer: FloatBuffer
  private let gradientBuffer: FloatBuffer
  private let optimizer: OptimizerState
  /// Whether a state has a slow gradient.
  let filtersGradients: Bool

  /// - Precondition: the start's weights and split are of the experiment's shapes, and no set is empty.
  /// - Parameter plan: how the arithmetic is arranged; what costs least, for each set, when nil.
  package init(
    _ experiment: Experiment, start: Start, kernels path: KernelPath, blockSize: Int = 128, plan: StepPlan? = nil
  ) {
    let layout = ParameterLayout(experiment)
    precondition(start.weights.layout == layout, "start weights of another shape")
    precondition(start.split.modulus == layout.modulus, "a split of residues mod \(start.split.modulus)")
    self.layout = layout
    activation = experiment.model.activation
    kernels = Kernels(path)
    let labels = experiment.labels(on: start.split)
    train = ExampleBlocks(
      pairs: start.split.trainPairs, modulus: layout.modulus, labels: labels, blockSize: blockSize)
    test = ExampleBlocks(pairs: start.split.testPairs, modulus: layout.modulus, labels: labels, blockSize: blockSize)
    precondition(train.count > 0 && test.count > 0, "\(train.count) train and \(test.count) test pairs")
    let order = BatchOrder(experiment, count: train.count)
    batches =
      order.stepsPerEpoch == 1
      ? nil
      : Batches(
        order, pairs: start.split.trainPairs, modulus: layout.modulus, labels: labels, blockSize: blockSize)
    let trainPlan = plan ?? experiment.stepPlan(pairs: order.batchSize)
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
    filtersGradients = experiment.training.filtersGradients
    optimizer = OptimizerState(
      experiment.training, count: layout.count, stepsPerEpoch: order.stepsPerEpoch, kernels: kernels)
  }

  /// Whether attention at the present weights needs each example's largest score subtracted (`FoldedModel`).
  package var usesRawScores: Bool {
    model.fold(weightBuffer)
    return model.rawScores
  }

  /// The present weights.
  package var weights: Parameters<Float> { Parameters(layout, storage: weightBuffer.array) }

  /// One epoch: train loss and accuracy of each pair before the step that it is trained on in, then that step. Where a
  /// loss is not finite, no step of the epoch is taken.
  ///
  /// - Parameter observer: told the phases as they end; asked for once per phase and block, so nil costs nothing.
  package func step(observing observer: PhaseObserver? = nil) -> LossAndAccuracy {
    Kernels.flushingTinyToZero {
      let result = batches.map { stepThrough($0, observer) } ?? stepThroughAll(observer)
      if result.loss.isFinite { epoch += 1 }
      return result
    }
  }

  private func stepThroughAll(_ observer: PhaseObserver?) -> LossAndAccuracy {
    let total = backward(train, observer)
    guard total.mean.loss.isFinite else { return total.mean }
    move(observer)
    return total.mean
  }

  private func stepThrough(_ batches: Batches, _ observer: PhaseObserver?) -> LossAndAccuracy {
    let before = (weights: weightBuffer.array, optimizer: optimizer.state)
    var total = LossTotal()
    for examples in batches.ofEpoch(epoch) {
      total.add(backward(examples, observer))
      guard total.loss.isFinite else {
        weightBuffer.assign(before.weights)
        optimizer.restore(before.optimizer, epochs: epoch)
        expireTables()
        break
      }
      move(observer)
    }
    return total.mean
  }

  private func move(_ observer: PhaseObserver?) {
    optimizer.step(weights: weightBuffer, gradients: gradientBuffer)
    expireTables()
    observer?(.adamW)
  }

  /// Loss, accuracy and gradient of the mean loss on all train pairs at the present weights; no step.
  package func gradients() -> (LossAndAccuracy, Parameters<Float>) {
    let result = Kernels.flushingTinyToZero { backward(train, nil).mean }
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

  /// Losses of `examples`, and the gradient of their mean.
  private func backward(_ examples: ExampleBlocks, _ observer: PhaseObserver?) -> LossTotal {
    model.fold(weightBuffer)
    tables.begin(model)
    observer?(.tables)
    var total = LossTotal()
    let scale = 1 / Float(examples.count)
    for block in examples.blocks {
      let tokens = examples.tokens(block)
      pass.forward(tokens, model, observer)
      pass.crossEntropy(examples.labels(block), gradientScale: scale, into: &total)
      observer?(.loss)
      tables.add(block, tokens, pass, model, observer)
    }
    tables.finish(model, weights: weightBuffer, into: gradientBuffer)
    observer?(.parameterGradients)
    return total
  }
}

extension Trainer {
  /// All that a step depends on besides experiment and split.
  package struct State: Sendable {
    package var epoch: Int
    package var weights: [Float]
    package var optimizer: OptimizerNumbers

    package init(epoch: Int, weights: [Float], optimizer: OptimizerNumbers) {
      self.epoch = epoch
      self.weights = weights
      self.optimizer = optimizer
    }
  }

  package var state: State { State(epoch: epoch, weights: weightBuffer.array, optimizer: optimizer.state) }

  /// What the optimizer remembers.
  package var moments: OptimizerNumbers { optimizer.state }

  /// Goes on from `state` with the same bits as if it had never stopped.
  package func restore(_ state: State) {
    weightBuffer.assign(state.weights)
    optimizer.restore(state.optimizer, epochs: state.epoch)
    epoch = state.epoch
    expireTables()
  }
}
