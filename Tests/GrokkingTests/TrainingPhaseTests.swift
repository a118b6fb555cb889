// What an observer of the training step is told.

import Grokking
import Kernels
import Testing

@Suite struct TrainingPhaseTests {
  @Test func `phases come in the order of the step and cover it from start to end`() throws {
    let experiment = TrainerTests.experiment(p: 30, dModel: 12, heads: 2, dMLP: 20, classes: 31, fraction: 0.5)
    let blockSize = 128
    let blocks = (experiment.trainPairCount + blockSize - 1) / blockSize
    #expect(blocks == 4)
    let trainer = Trainer(experiment, start: Start(experiment), kernels: try .choose(), blockSize: blockSize)
    // Products end a stretch before the loss and another after it.
    let ofBlock: [TrainingPhase] = [.gather, .products, .loss, .products, .scatter]
    let expected =
      [.tables] + Array(repeatElement(ofBlock, count: blocks).joined()) + [.parameterGradients, .adamW]
    for _ in 0..<2 {
      var told: [TrainingPhase] = []
      _ = trainer.step { told.append($0) }
      #expect(told == expected)
    }
    #expect(Set(expected) == Set(TrainingPhase.allCases))
  }

  @Test(arguments: [Activation.relu, .gelu]) func `observing a step changes no bit`(_ activation: Activation) throws {
    let experiment = TrainerTests.experiment(
      p: 23, dModel: 12, heads: 3, dMLP: 20, classes: 24, fraction: 0.4, activation: activation)
    let start = Start(experiment)
    let observed = Trainer(experiment, start: start, kernels: try .choose())
    let alone = Trainer(experiment, start: start, kernels: try .choose())
    var told = 0
    for _ in 0..<50 {
      #expect(observed.step { _ in told += 1 } == alone.step())
    }
    #expect(told > 0)
    #expect(observed.weights.storage.map(\.bitPattern) == alone.weights.storage.map(\.bitPattern))
  }

  @Test func `a step that is not taken ends without the optimizer's phase`() throws {
    let experiment = TrainerTests.experiment(p: 5, dModel: 6, heads: 2, dMLP: 7, classes: 6, fraction: 0.6)
    var start = Start(experiment)
    start.weights[.W_U] = start.weights[.W_U].map { _ in .nan }
    let trainer = Trainer(experiment, start: start, kernels: try .choose())
    var told: [TrainingPhase] = []
    _ = trainer.step { told.append($0) }
    #expect(told.last == .parameterGradients)
    #expect(trainer.epoch == 0)
  }
}
