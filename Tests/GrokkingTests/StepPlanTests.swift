// The four ways to compute the same step: each against the twin, against itself, and at its edges; and who picks which.

import Grokking
import Kernels
import Testing

@Suite struct StepPlanTests {
  private static func plan(
    p: Int, dModel: Int = 128, heads: Int = 4, dMLP: Int = 512, fraction: Double, activation: Activation = .relu
  ) -> StepPlan {
    let experiment = TrainerTests.experiment(
      p: p, dModel: dModel, heads: heads, dMLP: dMLP, classes: p + 1, fraction: fraction, activation: activation)
    return experiment.stepPlan(pairs: experiment.trainPairCount)
  }

  @Test func `the cheapest plan follows from shape and pairs`() {
    let paper = Experiment()
    #expect(paper.stepPlan(pairs: paper.trainPairCount) == StepPlan(input: .tables, output: .merged))
    #expect(paper.stepPlan(pairs: 113 * 113) == StepPlan(input: .tables, output: .merged))
    // The paper's width with fewer and fewer tokens, then with many tokens and fewer and fewer pairs.
    #expect(Self.plan(p: 41, fraction: 0.3) == StepPlan(input: .tables, output: .merged))
    #expect(Self.plan(p: 17, fraction: 0.3) == StepPlan(input: .direct, output: .merged))
    #expect(Self.plan(p: 13, fraction: 0.3) == StepPlan(input: .direct, output: .merged))
    #expect(Self.plan(p: 401, fraction: 0.3) == StepPlan(input: .tables, output: .residual))
    #expect(Self.plan(p: 401, fraction: 0.02) == StepPlan(input: .tables, output: .residual))
    #expect(Self.plan(p: 401, fraction: 0.01) == StepPlan(input: .direct, output: .residual))
    #expect(Self.plan(p: 113, fraction: 0.01) == StepPlan(input: .direct, output: .residual))
    // Narrower models.
    #expect(Self.plan(p: 59, dModel: 64, dMLP: 256, fraction: 0.3) == StepPlan(input: .tables, output: .merged))
    #expect(Self.plan(p: 113, dModel: 64, dMLP: 256, fraction: 0.3) == StepPlan(input: .tables, output: .residual))
  }

  @Test(arguments: TrainingFixture.names, StepPlan.all) func `gradients agree with the fixture to 2e-6`(
    _ name: String, _ plan: StepPlan
  ) throws {
    let fixture = try TrainingFixture(name)
    for path in KernelPath.available {
      let trainer = Trainer(fixture.experiment, start: fixture.start, kernels: path, plan: plan)
      let (result, gradients) = trainer.gradients()
      #expect(relativeDistance(result.loss, fixture.curve[0].train.loss) < 1e-6)
      expectClose(gradients, fixture.gradients, 2e-6)
    }
  }

  @Test(arguments: TrainerTests.oddShapes, StepPlan.all) func `every plan agrees with the twin at any shape`(
    _ experiment: Experiment, _ plan: StepPlan
  ) throws {
    let start = Start(experiment)
    let trainer = Trainer(experiment, start: start, kernels: try .choose(), plan: plan)
    for _ in 0..<5 { _ = trainer.step() }
    let twin = ReferenceModel(trainer.weights, activation: experiment.model.activation)
    let (expected, expectedGradients) = twin.gradients(pairs: start.split.trainPairs, labels: experiment.labels)
    let (result, gradients) = trainer.gradients()
    #expect(relativeDistance(result.loss, expected.loss) < 1e-6)
    expectClose(gradients, expectedGradients, 2e-6)
    let test = twin.evaluate(pairs: start.split.testPairs, labels: experiment.labels)
    #expect(relativeDistance(trainer.evaluateTest().loss, test.loss) < 1e-6)
    #expect(trainer.evaluateTrain() == result)
  }

  @Test(arguments: TrainerTests.oddShapes, StepPlan.all)
  func `neither instruction set nor block size changes a bit of any plan`(
    _ experiment: Experiment, _ plan: StepPlan
  ) throws {
    let start = Start(experiment)
    func trained(_ path: KernelPath, _ blockSize: Int) -> [UInt32] {
      let trainer = Trainer(experiment, start: start, kernels: path, blockSize: blockSize, plan: plan)
      for _ in 0..<60 { _ = trainer.step() }
      return trainer.weights.storage.map(\.bitPattern)
    }
    let expected = trained(try .choose(), 128)
    for path in KernelPath.available {
      for blockSize in [1, 17, 1000] {
        #expect(trained(path, blockSize) == expected, "\(path.rawValue), blocks of \(blockSize)")
      }
    }
  }

  @Test(arguments: StepPlan.all) func `scores that spread too far for a table take the largest of each example first`(
    _ plan: StepPlan
  ) throws {
    let experiment = TrainerTests.experiment(p: 11, dModel: 16, heads: 2, dMLP: 24, classes: 12, fraction: 0.5)
    var start = Start(experiment)
    for name in [TensorName.W_Q, .W_K] { start.weights[name] = start.weights[name].map { $0 * 24 } }
    let twin = ReferenceModel(start.weights, activation: .relu)
    let (expected, expectedGradients) = twin.gradients(pairs: start.split.trainPairs, labels: experiment.labels)
    for path in KernelPath.available {
      let trainer = Trainer(experiment, start: start, kernels: path, plan: plan)
      let (result, gradients) = trainer.gradients()
      #expect(trainer.usesRawScores)
      #expect(relativeDistance(result.loss, expected.loss) < 1e-5)
      // Scores of ±60 in float32 are good to 4e-6, and so are attention weights and what follows from them.
      expectClose(gradients, expectedGradients, 1e-4)
    }
  }

  /// Whichever plan: what is no number comes out as a loss that is none, at the latest one step later. An infinite
  /// weight can be hidden behind a neuron that it holds at zero, but not from that neuron's gradients.
  @Test(arguments: StepPlan.all, [Activation.relu, .gelu]) func `nothing infinite is left out or looks alive`(
    _ plan: StepPlan, _ activation: Activation
  ) throws {
    // Wide enough for zeros to be left out on every side.
    let experiment = TrainerTests.experiment(
      p: 53, dModel: 48, heads: 4, dMLP: 64, classes: 54, fraction: 0.3, activation: activation)
    let start = Start(experiment)
    for tensor in start.weights.layout.tensors {
      for bad in [Float.nan, .infinity] {
        var spoiled = start
        spoiled.weights.storage[tensor.offset + 1] = bad
        let trainer = Trainer(experiment, start: spoiled, kernels: try .choose(), plan: plan)
        _ = trainer.step()
        #expect(!trainer.step().loss.isFinite, "\(bad) in \(tensor.name)")
        #expect(trainer.epoch <= 1)
        #expect(!trainer.evaluateTest().loss.isFinite, "\(bad) in \(tensor.name)")
      }
    }
  }

  @Test func `a test set much larger than the train set is evaluated by a plan of its own`() throws {
    let experiment = TrainerTests.experiment(p: 53, dModel: 48, heads: 4, dMLP: 192, classes: 54, fraction: 0.02)
    let start = Start(experiment)
    let (train, test) = (start.split.trainPairs, start.split.testPairs)
    #expect(experiment.stepPlan(pairs: train.count).input == .direct)
    #expect(experiment.stepPlan(pairs: test.count).input == .tables)
    let trainer = Trainer(experiment, start: start, kernels: try .choose())
    for _ in 0..<12 {
      let twin = ReferenceModel(trainer.weights, activation: .relu)
      // Before and after the step that makes both models' tables old.
      let expected = twin.evaluate(pairs: test, labels: experiment.labels)
      #expect(relativeDistance(trainer.evaluateTest().loss, expected.loss) < 1e-6)
      _ = trainer.step()
    }
    // Evaluating leaves no trace.
    let alone = Trainer(experiment, start: start, kernels: try .choose())
    for _ in 0..<12 { _ = alone.step() }
    #expect(alone.weights.storage.map(\.bitPattern) == trainer.weights.storage.map(\.bitPattern))
    // Nor do tables of other weights.
    trainer.restore(Trainer(experiment, start: start, kernels: try .choose()).state)
    let expected = ReferenceModel(start.weights, activation: .relu).evaluate(pairs: test, labels: experiment.labels)
    #expect(relativeDistance(trainer.evaluateTest().loss, expected.loss) < 1e-6)
  }
}
