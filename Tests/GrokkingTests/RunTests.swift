// Whole runs at small sizes: evaluations, outcome, digests, checkpoints, and everything that can end one early.

import Foundation
import Grokking
import Kernels
import Testing

@Suite struct RunTests {
  private static let small = Experiment(
    task: LearningTask(modulus: 13, trainFraction: 0.6),
    model: ModelShape(dModel: 16, heads: 2, dMLP: 32, dVocabOut: 14),
    training: TrainingSettings(epochs: 1250, weightDecay: 0.5), measure: MeasureSettings(evaluateEvery: 100))

  /// Memorizes by epoch 216 and groks by 700.
  private static let grokking = Experiment(
    task: LearningTask(modulus: 29, trainFraction: 0.7),
    model: ModelShape(dModel: 48, heads: 4, dMLP: 128, dVocabOut: 30),
    training: TrainingSettings(epochs: 10_000, weightDecay: 2))

  private static func run(_ experiment: Experiment, kernels: KernelPath? = nil) throws -> Run {
    try Run(experiment, kernels: kernels ?? .choose(), snapshots: .inMemory())
  }

  private static func finish(_ run: Run) throws -> RunResult {
    while !run.isFinished { try run.advance() }
    return try run.result()
  }

  @Test func `evaluations are at 0, at every interval and at the end, each of the weights before the step`() throws {
    var experiment = Self.small
    experiment.training.epochs = 250
    let result = try Self.finish(try Self.run(experiment))
    #expect(result.evaluations.map(\.epoch) == [0, 100, 200, 250])
    #expect(result.epochs == 250)
    #expect(result.digests.map(\.epoch) == [250])

    let trainer = Trainer(experiment, start: Start(experiment), kernels: try .choose())
    for epoch in 0...250 {
      if let evaluation = result.evaluations.first(where: { $0.epoch == epoch }) {
        #expect(
          LossAndAccuracy(loss: evaluation.trainLoss, accuracy: evaluation.trainAccuracy) == trainer.evaluateTrain())
        #expect(LossAndAccuracy(loss: evaluation.testLoss, accuracy: evaluation.testAccuracy) == trainer.evaluateTest())
        #expect(evaluation.sumSquaredWeights == sumSquaredWeights(trainer.weights))
      }
      _ = trainer.step()
    }
  }

  @Test func `the same seed gives the same result on every instruction set`() throws {
    let results = try KernelPath.available.map { try Self.finish(try Self.run(Self.small, kernels: $0)) }
    let again = try Self.finish(try Self.run(Self.small))
    #expect(results[0] == again)
    for var result in results {
      result.kernelPath = again.kernelPath
      #expect(result == again)
    }
    #expect(again.digests.map(\.epoch) == [1000, 1250])
    #expect(again.digest.count == 64)
    var other = Self.small
    other.modelSeed = 1
    #expect(try Self.finish(try Self.run(other)).digest != again.digest)
  }

  @Test(arguments: [1, 100, 777, 1249]) func `a run resumed from a checkpoint ends with the same result`(
    _ stop: Int
  ) throws {
    let expected = try Self.finish(try Self.run(Self.small))
    let snapshots = SnapshotStore.inMemory()
    let first = try Run(Self.small, kernels: .choose(), snapshots: snapshots)
    for _ in 0..<stop { try first.advance() }
    let bytes = try first.checkpoint()
    // The first goes on and is lost; what it wrote after the checkpoint is written again.
    for _ in 0..<(1250 - stop) { try first.advance() }
    let second = try Run(resuming: bytes, of: Self.small, kernels: KernelPath.available.last!, snapshots: snapshots)
    #expect(second.progress.epoch == stop)
    #expect(second.split == first.split)
    var result = try Self.finish(second)
    result.kernelPath = expected.kernelPath
    #expect(result == expected)
  }

  @Test func `a checkpoint that does not fit is refused in words`() throws {
    let run = try Self.run(Self.small)
    for _ in 0..<120 { try run.advance() }
    let bytes = try run.checkpoint()
    var other = Self.small
    other.dataSeed = 9
    var damaged = bytes
    damaged[bytes.count / 2] ^= 1
    let cases: [(bytes: [UInt8], experiment: Experiment, words: String)] = [
      (bytes, other, "another experiment"), (damaged, Self.small, "checksum"),
      (Array(bytes.dropLast(100)), Self.small, "damaged or truncated"),
      (Array(bytes.prefix(30)), Self.small, "truncated"),
      (Array("groksweep checkpoint 1\n".utf8) + bytes.dropFirst(23), Self.small, "another version"),
      ([], Self.small, "no checkpoint"), (Array("something else".utf8), Self.small, "no checkpoint"),
    ]
    for row in cases {
      let error = #expect(throws: CheckpointError.self) {
        try Run(resuming: row.bytes, of: row.experiment, kernels: .choose(), snapshots: .inMemory())
      }
      #expect(try #require(error).description.contains(row.words))
    }
  }

  @Test func `a run that grokks says when, and its measures tell why`() throws {
    var experiment = Self.grokking
    experiment.training.epochs = 1500
    let result = try Self.finish(try Self.run(experiment))
    guard case .grokked(let memorization, let grokking) = result.outcome else {
      Issue.record("\(result.outcome)")
      return
    }
    #expect(memorization + 100 < grokking)
    let final = try #require(result.final)
    let (restricted, excluded) = (try #require(final.restrictedLoss), try #require(final.excludedLoss))
    #expect(final.testAccuracy >= 0.99)
    #expect(excluded > 100 * final.trainLoss && restricted < 0.1)
    #expect(!result.keyFrequencies.isEmpty)
    #expect(result.keyFrequencies.allSatisfy { $0.excludedLoss != nil && (1...11).contains($0.frequency) })
    #expect(final.giniW_L > result.evaluations[0].giniW_L)
  }

  @Test func `an operation without waves has spectra but no restricted loss`() throws {
    var experiment = Self.small
    experiment.task.operation = .random
    experiment.training.epochs = 150
    let result = try Self.finish(try Self.run(experiment))
    #expect(result.evaluations.allSatisfy { $0.restrictedLoss == nil && $0.excludedLoss == nil && $0.giniW_E > 0 })
    #expect(!result.keyFrequencies.isEmpty && result.keyFrequencies.allSatisfy { $0.excludedLoss == nil })
    for evaluation in result.evaluations {
      #expect(evaluation.logitVarianceExplained == nil && evaluation.cosineLossTest == nil)
      #expect(evaluation.keyFrequencies.isEmpty && evaluation.normsW_E.count == 6 && evaluation.normsW_L.count == 6)
    }
    let model = try #require(result.finalModel)
    #expect(model.neurons.count == 32 && model.heads.count == 2)
    #expect(model.rankResidual == nil && model.ablations.isEmpty)
  }

  @Test func `a run's result says of its final model what an analysis of its weights says`() throws {
    for biases in [true, false] {
      var experiment = Self.small
      experiment.training.epochs = 150
      experiment.model.biases = biases
      let run = try Self.run(experiment)
      let result = try Self.finish(run)
      let file = ModelFile(weights: run.weights, trainMask: run.split.trainMask)
      let report = try AnalysisReport(model: file, operation: .add)
      #expect(result.finalModel == report.final)
      #expect(result.keyFrequencies.map(\.neurons) == report.frequencies.map(\.neurons))
      #expect(result.keyFrequencies.map(\.varianceExplainedU) == report.frequencies.map(\.varianceExplainedU))
      // Evaluations see float32 logits, the report float64.
      let last = try #require(result.final)
      for (run, found) in zip(last.keyFrequencies, report.frequencies) {
        #expect(run.frequency == found.frequency)
        #expect(abs(run.excludedLoss - (try #require(found.excludedLoss))) < 1e-5 * run.excludedLoss)
      }
      #expect(result.keyFrequencies.map(\.excludedLoss) == last.keyFrequencies.map { $0.excludedLoss })
      #expect(abs((try #require(last.cosineLossTest)) / (try #require(report.test?.cosineLoss)) - 1) < 1e-5)
      #expect(last.sumSquaredByTensor.count == TensorName.allCases.count)
      #expect(last.sumSquaredByTensor.count { $0 == nil } == (biases ? 0 : 2))
      let total = last.sumSquaredByTensor.reduce(0) { $0 + ($1 ?? 0) }
      #expect(abs(total - last.sumSquaredWeights) < 1e-12 * total)
      #expect(last.normsW_L == report.spectra.normsW_L.map(Float.init))
    }
  }

  @Test func `the smallest, even and unusual shapes are measured to the end with finite numbers`() throws {
    let shapes:
      [(operation: Grokking.Operation, p: Int, activation: Activation, biases: Bool, extra: Int, waves: Bool)] =
        [
          (.add, 3, .relu, true, 1, true), (.subtract, 8, .gelu, true, 0, true), (.multiply, 5, .relu, false, 0, true),
          (.multiply, 9, .relu, true, 1, false), (.multiply, 3, .gelu, false, 1, false),
          (.x2xyy2, 4, .relu, true, 0, false),
        ]
    for shape in shapes {
      // The interval between evaluations is longer than the run.
      let experiment = Experiment(
        task: LearningTask(operation: shape.operation, modulus: shape.p, trainFraction: 0.7),
        model: ModelShape(
          dModel: 6, heads: 2, dMLP: 7, activation: shape.activation, biases: shape.biases,
          dVocabOut: shape.p + shape.extra),
        training: TrainingSettings(epochs: 30), measure: MeasureSettings(evaluateEvery: 1000))
      let result = try Self.finish(try Self.run(experiment))
      #expect(result.evaluations.map(\.epoch) == [0, 30])
      #expect(throws: Never.self) { try JSONEncoder().encode(result) }
      let model = try #require(result.finalModel)
      #expect(model.ablations.isEmpty != shape.waves && (model.rankResidual != nil) == shape.waves)
      #expect(result.keyFrequencies.allSatisfy { ($0.varianceExplainedU != nil) == shape.waves })
      for evaluation in result.evaluations {
        #expect((evaluation.restrictedLoss != nil) == shape.waves, "\(shape)")
        #expect(evaluation.keyFrequencies.count == (shape.waves ? result.keyFrequencies.count : 0))
      }
    }
  }

  /// Groks by epoch 1,900; see `docs/reference/measures.md` on products.
  @Test func `a product modulo a prime groks, and its restricted loss along exponents falls`() throws {
    let experiment = Experiment(
      task: LearningTask(operation: .multiply, modulus: 31, trainFraction: 0.6),
      model: ModelShape(dModel: 48, heads: 4, dMLP: 128, dVocabOut: 32),
      training: TrainingSettings(epochs: 3000, weightDecay: 2), measure: MeasureSettings(evaluateEvery: 250))
    let result = try Self.finish(try Self.run(experiment))
    #expect(result.outcome.name == "grokked")
    let losses = result.evaluations.map { $0.restrictedLoss }
    let (first, last) = (try #require(losses[0]), try #require(losses[losses.count - 1]))
    #expect(first > 3 && last < 0.1)
    #expect(result.keyFrequencies.count < 14)
    #expect(try #require(result.final?.excludedLoss) > 1)
    // Its neurons are waves of the exponents.
    #expect(try #require(result.finalModel).neuronsOver85 > 64)
  }

  @Test func `divergence is an outcome, and all numbers stay finite`() throws {
    var experiment = Self.small
    experiment.training.learningRate = 1e18
    experiment.measure.evaluateEvery = 3
    let run = try Self.run(experiment)
    let result = try Self.finish(run)
    guard case .diverged(let epoch, _, _) = result.outcome else {
      Issue.record("\(result.outcome)")
      return
    }
    #expect(epoch > 0 && epoch < 20)
    #expect(result.epochs == epoch && run.progress.epoch == epoch)
    #expect(result.evaluations.last.map { $0.epoch <= epoch } == true)
    #expect(result.keyFrequencies.isEmpty)
    for evaluation in result.evaluations {
      let sizes = [evaluation.trainLoss, evaluation.testLoss, evaluation.sumSquaredWeights]
      #expect((sizes + [evaluation.giniW_E, evaluation.giniW_L]).allSatisfy { $0.isFinite })
    }
    let digests = try KernelPath.available.map { try Self.finish(try Self.run(experiment, kernels: $0)).digest }
    #expect(digests.allSatisfy { $0 == result.digest && $0.count == 64 })
  }

  @Test func `a snapshot that cannot be written leaves the run where it was`() throws {
    final class Disk { var isFull = false }
    struct DiskFull: Error {}
    let (disk, memory) = (Disk(), SnapshotStore.inMemory())
    let store = SnapshotStore(
      write: { part, index, numbers in
        if disk.isFull { throw DiskFull() }
        try memory.write(part, index, numbers)
      },
      read: memory.read, remove: memory.remove)
    let run = try Run(Self.small, kernels: .choose(), snapshots: store)
    for _ in 0..<200 { try run.advance() }
    let before = (weights: run.weights.storage, checkpoint: try run.checkpoint().count)
    disk.isFull = true
    #expect(throws: DiskFull.self) { try run.advance() }
    #expect(run.progress.epoch == 200 && run.progress.work == 200)
    #expect(run.weights.storage == before.weights)
    #expect(try run.checkpoint().count == before.checkpoint)
    disk.isFull = false
    #expect(try Self.finish(run) == Self.finish(try Self.run(Self.small)))
  }

  @Test func `a run stops the asked number of epochs after sustained grokking`() throws {
    var experiment = Self.grokking
    experiment.stop.afterGrokking = 1030
    let result = try Self.finish(try Self.run(experiment))
    let seen = try #require(result.evaluations.firstIndex { $0.testAccuracy >= 0.99 })
    #expect(result.evaluations[seen...seen + 5].allSatisfy { $0.testAccuracy >= 0.99 })
    let crossing = (crossing: result.evaluations[seen].epoch, shown: result.evaluations[seen + 5].epoch)
    #expect(result.epochs == crossing.crossing + 1030)
    #expect(result.final?.epoch == result.epochs)
    #expect(result.ending(of: experiment) == .afterGrokking)
    experiment.stop.afterGrokking = 0
    let early = try Self.finish(try Self.run(experiment))
    #expect(early.epochs == crossing.shown)
    #expect(
      early.evaluations
        == result.evaluations.filter { $0.epoch <= crossing.shown }.enumerated().map { index, it in
          var copy = it
          // Their key frequencies are of another final model.
          copy.restrictedLoss = early.evaluations[index].restrictedLoss
          copy.restrictedLossTrain = early.evaluations[index].restrictedLossTrain
          copy.restrictedLossTest = early.evaluations[index].restrictedLossTest
          copy.excludedLoss = early.evaluations[index].excludedLoss
          copy.logitVarianceExplained = early.evaluations[index].logitVarianceExplained
          copy.cosineLossTest = early.evaluations[index].cosineLossTest
          copy.keyFrequencies = early.evaluations[index].keyFrequencies
          return copy
        })
  }

  @Test func `progress grows with every step to its total`() throws {
    var experiment = Self.small
    experiment.training.epochs = 230
    let run = try Self.run(experiment)
    var (last, replayed) = (-1, 0)
    #expect(run.progress.totalWork == 230 + 1 + 4 && run.progress.trainLoss == nil)
    while !run.isFinished {
      #expect(run.progress.work == last + 1)
      #expect(run.progress.stage != .training || run.progress.totalWork == 235)
      if run.progress.stage == .replay { replayed += 1 }
      last = run.progress.work
      try run.advance()
    }
    // The final model is analysed in parts, so that no call takes long where there is much of it.
    let total = 235 + replayed + ModelAnalysis.steps(modulus: 13)
    #expect(total > 237 + replayed && run.progress.work == total && run.progress.totalWork == total)
    #expect(run.progress.stage == .analysis && run.progress.epoch == 230)
    #expect(throws: CheckpointError.self) { try run.checkpoint() }
  }

  @Test func `numbers far beyond every limit are problems and never overflow`() {
    let far = [Int.max, Int.min]
    for value in far {
      var experiment = Self.small
      experiment.task.modulus = value
      #expect(experiment.problems().first?.key == "task.modulus")
      let places: [(WritableKeyPath<Experiment, Int>, String)] = [
        (\.model.dModel, "model.d_model"), (\.model.heads, "model.heads"), (\.model.dMLP, "model.d_mlp"),
        (\.model.dVocabOut, "model.d_vocab_out"), (\.training.epochs, "training.epochs"),
        (\.measure.evaluateEvery, "measure.evaluate_every"),
      ]
      for (place, key) in places {
        var experiment = Self.small
        experiment[keyPath: place] = value
        #expect(experiment.problems().contains { $0.key == key }, "\(key) \(value)")
      }
      experiment = Self.small
      experiment.stop.afterGrokking = value
      #expect(experiment.problems().map(\.key) == ["stop.after_grokking"])
    }
    // Each width is possible by itself, but not the memory of all together.
    let wide = Experiment(
      task: LearningTask(modulus: 1024), model: ModelShape(dModel: 4096, heads: 4096, dMLP: 65_536, dVocabOut: 1024))
    #expect(wide.problems().map(\.key) == ["model.heads"])
    #expect(wide.problems().first?.message.contains("GiB") == true)
    #expect(Experiment(task: LearningTask(modulus: 1024), model: ModelShape(dVocabOut: 1025)).problems().isEmpty)
  }

  @Test func `what cannot be trained is refused in words`() throws {
    var experiment = Self.small
    experiment.model.heads = 3
    #expect(throws: RunError.self) { try Self.run(experiment) }
    let start = Start(Self.small)
    var broken = start
    broken.weights.storage[5] = .nan
    let full = Start(weights: start.weights, split: Split(trainMask: Array(repeating: true, count: 169), modulus: 13))
    let alien = Start(Experiment())
    for (bad, words) in [(broken, "not finite"), (full, "at least one"), (alien, "another modulus or shape")] {
      let error = #expect(throws: RunError.self) {
        try Run(Self.small, from: bad, kernels: .choose(), snapshots: .inMemory())
      }
      #expect(try #require(error).description.contains(words))
    }
    #expect(throws: RunError.self) { try Self.run(Self.small).result() }
  }
}
