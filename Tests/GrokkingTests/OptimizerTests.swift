// Optimizers, penalties, filters, schedules and batches: formulas against PyTorch, the fast step against its twin, and runs
// that go on from anywhere with the same bits.

import Grokking
import Kernels
import Testing

@Suite struct OptimizerTests {
  private static let adamw = TrainingSettings(epochs: 12, learningRate: 0.05, weightDecay: 0.7, warmupEpochs: 3)
  private static func settings(_ change: (inout TrainingSettings) -> Void) -> TrainingSettings {
    var settings = adamw
    change(&settings)
    return settings
  }

  /// Weights after 12 steps down ½Σ a·(w − b)² from `start` with weight decay 0.7, a learning rate of 0.05, warm-up over
  /// three steps, betas 0.9 and 0.98: printed by PyTorch 2.13.0 in float64 (`torch.optim`, Grokfast by its published
  /// formula with the average starting at the first gradient, L1 by autograd).
  private static let byPyTorch: [(TrainingSettings, [Double])] = [
    (adamw, [0.7628832306426613, -0.530889913092528, 0.6452268689150381, 0]),
    (settings { $0.optimizer = .adam }, [0.42065180960145193, -0.419306284040292, 1.0087320003253861, 0]),
    (
      settings { ($0.optimizer, $0.momentum) = (.sgd, 0.9) },
      [0.3671764692319279, -0.4028084054536636, -0.7246518040265111, 0]
    ),
    (settings { $0.optimizer = .sgd }, [0.46158945916139027, -0.3420101678443485, 0.7045670067320399, 0]),
    (settings { $0.l1 = 0.1 }, [0.7444488405237024, -0.4966055231453108, 0.6426501163417202, 0]),
    (
      settings { ($0.optimizer, $0.momentum, $0.l1) = (.sgd, 0.9, 0.1) },
      [0.23435293846385583, -0.35579043454484405, -0.7144882532496744, 0]
    ),
    (
      settings { $0.grokfastLambda = 2 }, [0.7736979640429964, -0.5882109116852274, 0.6287276112843895, 0]
    ),
    (
      settings { ($0.optimizer, $0.momentum, $0.grokfastAlpha, $0.grokfastLambda) = (.sgd, 0.9, 0.8, 5) },
      [1.0708577301185451, 0.8752386994983385, 2.9096575015563984, 0]
    ),
    (
      settings {
        ($0.optimizer, $0.l1, $0.grokfastAlpha, $0.grokfastLambda, $0.schedule) = (.adam, 0.1, 0.9, 3, .cosine)
      },
      [0.7301688298344529, -0.5319525467993189, 1.2010877283628008, 0]
    ),
    (settings { $0.schedule = .cosine }, [0.6737227487608416, -0.4577828523414658, 0.9446715258966045, 0]),
  ]

  @Test(arguments: byPyTorch.indices) func `the twin's optimizers take PyTorch's steps`(_ index: Int) {
    let (settings, expected) = Self.byPyTorch[index]
    let (a, b) = ([0.5, 2, 1, 0.25], [1, -0.5, 0.25, 0])
    var optimizer = ReferenceOptimizer(settings, weights: [0.5, -0.25, 1.5, 0])
    for _ in 0..<12 {
      optimizer.step(gradients: optimizer.weights.indices.map { a[$0] * (optimizer.weights[$0] - b[$0]) })
    }
    for (weight, wanted) in zip(optimizer.weights, expected) { #expect(abs(weight - wanted) < 1e-14) }
  }

  /// One of each, and all at once.
  static let variants: [Experiment] = [
    varied { $0.optimizer = .adam },
    varied { ($0.optimizer, $0.learningRate, $0.momentum) = (.sgd, 0.1, 0.9) },
    varied { ($0.optimizer, $0.learningRate, $0.weightDecay) = (.sgd, 0.3, 0) },
    varied { $0.grokfastLambda = 2 },
    varied { $0.l1 = 1e-4 },
    varied { $0.schedule = .cosine },
    varied { $0.batchSize = 64 },
    varied { $0.batchSize = 1 },
    varied(labelNoise: 0.2, scale: 1.5) {
      ($0.batchSize, $0.optimizer, $0.l1, $0.schedule, $0.grokfastLambda) = (100, .adam, 1e-5, .cosine, 1)
    },
  ]

  static func varied(
    labelNoise: Double = 0, scale: Double = 1, _ change: (inout TrainingSettings) -> Void
  ) -> Experiment {
    var experiment = Experiment(
      task: LearningTask(modulus: 17, trainFraction: 0.6, labelNoise: labelNoise),
      model: ModelShape(dModel: 12, heads: 2, dMLP: 24, dVocabOut: 18, initializationScale: scale),
      training: TrainingSettings(epochs: 400), measure: MeasureSettings(evaluateEvery: 20), modelSeed: 5, dataSeed: 6)
    change(&experiment.training)
    return experiment
  }

  @Test(arguments: variants) func `the fast step follows its twin for a dozen epochs`(_ experiment: Experiment) throws {
    let start = Start(experiment)
    let trainer = Trainer(experiment, start: start, kernels: try .choose())
    var twin = ReferenceTraining(experiment, start: start)
    for epoch in 0..<12 {
      let (fast, slow) = (trainer.step(), twin.step())
      #expect(relativeDistance(fast.loss, slow.loss) < 1e-4, "epoch \(epoch)")
    }
    let (fast, slow) = (trainer.evaluateTest(), twin.evaluateTest())
    #expect(relativeDistance(fast.loss, slow.loss) < 1e-4)
    for tensor in start.weights.layout.tensors {
      let moved = trainer.weights[tensor.name].map(Double.init)
      #expect(relativeDistance(moved, twin.model.weights[tensor.name]) < 1e-2, "\(tensor.name)")
    }
  }

  @Test(arguments: variants) func `neither instruction set nor block size changes a bit`(
    _ experiment: Experiment
  ) throws {
    func trained(_ path: KernelPath, _ blockSize: Int) -> [UInt32] {
      let trainer = Trainer(experiment, start: Start(experiment), kernels: path, blockSize: blockSize)
      for _ in 0..<300 { _ = trainer.step() }
      let state = trainer.state
      return (state.weights + state.optimizer.firstMoment + state.optimizer.slowGradient).map(\.bitPattern)
    }
    let expected = trained(try .choose(), 128)
    for path in KernelPath.available { #expect(trained(path, 48) == expected, "\(path.rawValue)") }
  }

  @Test(arguments: variants) func `a run goes on from a checkpoint with the same bits`(_ experiment: Experiment) throws
  {
    func finish(_ run: Run) throws -> RunResult {
      while !run.isFinished { try run.advance() }
      return try run.result()
    }
    let expected = try finish(Run(experiment, kernels: .choose(), snapshots: .inMemory()))
    let snapshots = SnapshotStore.inMemory()
    var run = try Run(experiment, kernels: .choose(), snapshots: snapshots)
    for epoch in [1, 137, 250] {
      while run.progress.epoch < epoch { try run.advance() }
      run = try Run(resuming: run.checkpoint(), of: experiment, kernels: .choose(), snapshots: snapshots)
      try run.checkKept()
    }
    #expect(try finish(run) == expected)
  }

  @Test func `a batch of all pairs is the full batch, bit for bit`() throws {
    var experiment = Self.varied { $0.batchSize = 1000 }
    let batched = Trainer(experiment, start: Start(experiment), kernels: try .choose())
    experiment.training.batchSize = nil
    let full = Trainer(experiment, start: Start(experiment), kernels: try .choose())
    for _ in 0..<50 { #expect(batched.step() == full.step()) }
    #expect(batched.weights.storage == full.weights.storage)
  }

  @Test func `plain AdamW has no passes over its gradients and no third state`() throws {
    let experiment = Self.varied { _ in }
    let trainer = Trainer(experiment, start: Start(experiment), kernels: try .choose())
    #expect(trainer.state.optimizer.slowGradient.isEmpty)
    #expect(SnapshotStore.partsOfState(experiment) == [.firstMoment, .secondMoment])
  }

  @Test func `batches shuffle every pair once an epoch, otherwise each epoch`() {
    var experiment = Self.varied { $0.batchSize = 50 }
    let count = experiment.trainPairCount
    #expect(count == 173 && experiment.stepsPerEpoch == 4 && experiment.pairsPerStep == 50)
    func batches(_ epoch: Int) -> [Int] { BatchOrder(experiment, count: count).batches(ofEpoch: epoch) }
    let (first, second) = (batches(0), batches(1))
    #expect((0..<4).map { batch in first.count { $0 == batch } } == [50, 50, 50, 23])
    #expect(first == batches(0) && first != second)
    experiment.dataSeed = 7
    #expect(batches(0) != first)
  }

  @Test func `an epoch with a batch whose loss is not finite takes no step`() throws {
    let experiment = Self.varied {
      ($0.optimizer, $0.learningRate, $0.weightDecay, $0.warmupEpochs, $0.batchSize) = (.sgd, 1e12, 0, 0, 20)
    }
    let trainer = Trainer(experiment, start: Start(experiment), kernels: try .choose())
    let before = trainer.weights.storage
    #expect(!trainer.step().loss.isFinite)
    #expect(trainer.epoch == 0 && trainer.weights.storage == before)
    #expect(trainer.state.optimizer.firstMoment.allSatisfy { $0 == 0 })
    let run = try Run(experiment, kernels: .choose(), snapshots: .inMemory())
    while !run.isFinished { try run.advance() }
    #expect(try run.result().outcome == .diverged(at: 0, memorization: nil, grokking: nil))
  }

  @Test func `a run whose learning rate falls towards its end cannot be made longer`() throws {
    let experiment = Self.varied { $0.schedule = .cosine }
    let snapshots = SnapshotStore.inMemory()
    let run = try Run(experiment, kernels: .choose(), snapshots: snapshots)
    while run.isTraining { try run.advance() }
    let end = try run.checkpoint()
    #expect(throws: CheckpointError.self) {
      try Run(extending: end, to: 800, kernels: .choose(), snapshots: snapshots)
    }
    #expect(throws: Never.self) { try Run(extending: end, to: 400, kernels: .choose(), snapshots: snapshots) }
  }

  @Test func `labels are wrong for the asked share of train pairs and for no test pair`() {
    var experiment = Self.varied(labelNoise: 0.25) { _ in }
    let split = Split(experiment: experiment)
    let (trained, truth) = (experiment.labels(on: split), experiment.labels)
    let wrong = truth.indices.filter { trained[$0] != truth[$0] }
    #expect(wrong.count == 43)
    #expect(wrong.allSatisfy { split.trainMask[$0] })
    #expect(trained.allSatisfy { (0..<17).contains($0) })
    experiment.task.labelNoise = 0.5
    let more = experiment.labels(on: split)
    #expect(wrong.allSatisfy { more[$0] == trained[$0] })
  }

  /// A non-zero product whose noisy label is 0 has no place among logarithms.
  @Test func `products with noisy labels are measured`() throws {
    var experiment = Self.varied(labelNoise: 0.5) { $0.epochs = 40 }
    experiment.task.operation = .multiply
    let run = try Run(experiment, kernels: .choose(), snapshots: .inMemory())
    #expect(experiment.labels(on: run.split).enumerated().contains { $1 == 0 && $0 % 17 != 0 && $0 / 17 != 0 })
    while !run.isFinished { try run.advance() }
    #expect(try run.result().evaluations.allSatisfy { $0.excludedLoss != nil && $0.restrictedLoss != nil })
  }

  @Test func `an initialization scale multiplies every start weight`() {
    let (one, two) = (Self.varied { _ in }, Self.varied(scale: 2) { _ in })
    let (small, large) = (Start(one).weights.storage, Start(two).weights.storage)
    #expect(zip(small, large).allSatisfy { 2 * $0 == $1 })
  }
}
