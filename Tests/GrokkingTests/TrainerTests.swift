// The fast float32 step: against its twin, against itself on other instruction sets, and at its edges.

import Grokking
import Kernels
import Testing

@Suite struct TrainerTests {
  /// Shapes that are multiples of nothing, every switch, and more than one block and tile.
  static let oddShapes: [Experiment] = [
    experiment(p: 3, dModel: 1, heads: 1, dMLP: 1, classes: 3, fraction: 0.5),
    experiment(p: 5, dModel: 6, heads: 2, dMLP: 7, classes: 6, fraction: 0.6, activation: .gelu),
    experiment(p: 29, dModel: 21, heads: 7, dMLP: 37, classes: 29, fraction: 0.4, biases: false),
    experiment(p: 30, dModel: 35, heads: 5, dMLP: 80, classes: 31, fraction: 0.7, activation: .gelu, biases: false),
    experiment(p: 49, dModel: 51, heads: 3, dMLP: 65, classes: 50, fraction: 0.3, activation: .gelu),
    experiment(p: 31, dModel: 48, heads: 4, dMLP: 128, classes: 32, fraction: 0.4),
    experiment(p: 43, dModel: 18, heads: 3, dMLP: 72, classes: 44, fraction: 0.5),
    experiment(p: 37, dModel: 15, heads: 5, dMLP: 60, classes: 37, fraction: 0.5, activation: .gelu, biases: false),
  ]

  static func experiment(
    p: Int, dModel: Int, heads: Int, dMLP: Int, classes: Int, fraction: Double, activation: Activation = .relu,
    biases: Bool = true
  ) -> Experiment {
    Experiment(
      task: LearningTask(operation: .x2xyy2, modulus: p, trainFraction: fraction),
      model: ModelShape(
        dModel: dModel, heads: heads, dMLP: dMLP, activation: activation, biases: biases, dVocabOut: classes),
      modelSeed: 3, dataSeed: 4)
  }

  @Test(arguments: TrainingFixture.names, KernelPath.available) func `gradients agree with the fixture to 2e-6`(
    _ name: String, _ path: KernelPath
  ) throws {
    let fixture = try TrainingFixture(name)
    let trainer = Trainer(fixture.experiment, start: fixture.start, kernels: path)
    let (result, gradients) = trainer.gradients()
    #expect(relativeDistance(result.loss, fixture.curve[0].train.loss) < 1e-6)
    expectClose(gradients, fixture.gradients, 2e-6)
  }

  @Test(arguments: oddShapes) func `gradients agree with the twin at any shape`(_ experiment: Experiment) throws {
    let start = Start(experiment)
    // A few steps away from the start, where biases are no longer zero.
    let trainer = Trainer(experiment, start: start, kernels: try .choose())
    for _ in 0..<5 { _ = trainer.step() }
    let twin = ReferenceModel(trainer.weights, activation: experiment.model.activation)
    let (expected, expectedGradients) = twin.gradients(pairs: start.split.trainPairs, labels: experiment.labels)
    let (result, gradients) = trainer.gradients()
    #expect(relativeDistance(result.loss, expected.loss) < 1e-6)
    #expect(result.accuracy == expected.accuracy)
    expectClose(gradients, expectedGradients, 2e-6)
    let test = twin.evaluate(pairs: start.split.testPairs, labels: experiment.labels)
    #expect(relativeDistance(trainer.evaluateTest().loss, test.loss) < 1e-6)
    #expect(trainer.evaluateTrain() == result)
  }

  @Test(arguments: TrainingFixture.names) func `the curve agrees with the fixture for 30 epochs`(
    _ name: String
  ) throws {
    let fixture = try TrainingFixture(name)
    let trainer = Trainer(fixture.experiment, start: fixture.start, kernels: try .choose())
    let points = Dictionary(uniqueKeysWithValues: fixture.curve.map { ($0.epoch, $0) })
    for epoch in 0...30 {
      let test = trainer.evaluateTest()
      let train = trainer.step()
      guard let point = points[epoch] else { continue }
      #expect(relativeDistance(train.loss, point.train.loss) < 1e-4, "train loss of epoch \(epoch)")
      #expect(relativeDistance(test.loss, point.test.loss) < 1e-4, "test loss of epoch \(epoch)")
    }
  }

  @Test(arguments: oddShapes, [1, 17, 1000]) func `neither instruction set nor block size changes a bit`(
    _ experiment: Experiment, _ blockSize: Int
  ) throws {
    let start = Start(experiment)
    let expected = trained(experiment, start, try .choose(), 128, epochs: 300)
    for path in KernelPath.available {
      #expect(trained(experiment, start, path, blockSize, epochs: 300) == expected, "\(path.rawValue)")
    }
  }

  @Test func `instruction sets give the same bits at the paper's size`() throws {
    let experiment = Experiment()
    let start = Start(experiment)
    let weights = KernelPath.available.map { trained(experiment, start, $0, 128, epochs: 20) }
    #expect(weights.allSatisfy { $0 == weights[0] })
  }

  @Test func `logits of all pairs agree with the twin`() throws {
    for experiment in TrainerTests.oddShapes {
      let weights = Parameters<Float>.start(of: experiment)
      let twin = ReferenceModel(weights, activation: experiment.model.activation)
      let (p, classes) = (experiment.task.modulus, experiment.model.dVocabOut)
      let logits = allLogits(weights: weights, activation: experiment.model.activation, kernels: try .choose())
      #expect(logits.count == p * p * classes)
      let expected = (0..<p * p).flatMap { twin.logits(a: $0 / p, b: $0 % p) }
      #expect(relativeDistance(logits.map(Double.init), expected) < 1e-6)
    }
  }

  @Test func `a loss of 1e-9 and its gradient keep their digits`() throws {
    // The trained fixture, its logits made three times as large: losses far below float32's resolution of 1.
    let model = try Fixture.model("grokked/end.safetensors")
    var weights = model.weights
    weights[.W_U] = weights[.W_U].map { $0 * 3 }
    let experiment = Experiment(
      task: LearningTask(modulus: 59, trainFraction: 0.5), model: weights.layout.model)
    let split = Split(trainMask: try #require(model.trainMask), modulus: 59)
    let twin = ReferenceModel(weights, activation: .relu)
    let (expected, expectedGradients) = twin.gradients(pairs: split.trainPairs, labels: experiment.labels)
    let trainer = Trainer(experiment, start: Start(weights: weights, split: split), kernels: try .choose())
    let (result, gradients) = trainer.gradients()
    #expect(expected.loss < 1e-9 && expected.loss > 0)
    #expect(relativeDistance(result.loss, expected.loss) < 1e-4)
    expectClose(gradients, expectedGradients, 1e-3)
  }

  private func trained(
    _ experiment: Experiment, _ start: Start, _ path: KernelPath, _ blockSize: Int, epochs: Int
  ) -> [UInt32] {
    let trainer = Trainer(experiment, start: start, kernels: path, blockSize: blockSize)
    for _ in 0..<epochs { _ = trainer.step() }
    return trainer.weights.storage.map(\.bitPattern)
  }
}

/// Every tensor, by ‖difference‖ / ‖expected‖.
func expectClose(_ gradients: Parameters<Float>, _ expected: Parameters<Double>, _ tolerance: Double) {
  for tensor in expected.layout.tensors {
    let distance = relativeDistance(gradients[tensor.name].map(Double.init), expected[tensor.name])
    #expect(distance < tolerance, "\(tensor.name): \(distance)")
  }
}
