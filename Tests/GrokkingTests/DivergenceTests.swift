// Runs whose loss stops being finite after they had learned something, and how these go on from their checkpoints.

import Grokking
import Kernels
import Testing

@Suite struct DivergenceTests {
  /// Without biases all weights can change their signs together and nothing else does. Here they do so at every step,
  /// and grow by 5 %: from a part of trained weights on, thresholds are crossed one after another, and in the end the
  /// numbers overflow.
  private static let growing: Experiment = {
    var experiment = CrossingTests.experiment
    experiment.model.biases = false
    experiment.training = TrainingSettings(epochs: 5000, learningRate: 1e-6, weightDecay: 2.05e6, warmupEpochs: 0)
    experiment.measure.evaluateEvery = 7
    experiment.stop.afterGrokking = 4000
    return experiment
  }()

  private static let start = Result {
    var experiment = CrossingTests.experiment
    experiment.model.biases = false
    var start = Start(experiment)
    let trainer = Trainer(experiment, start: start, kernels: try .choose())
    for _ in 0..<1500 { _ = trainer.step() }
    start.weights = trainer.weights
    for place in start.weights.storage.indices { start.weights.storage[place] *= 0.1 }
    return start
  }

  private static let straight = Result {
    try finish(Run(growing, from: start.get(), kernels: .choose(), snapshots: .inMemory()))
  }

  private static func finish(_ run: Run) throws -> RunResult {
    while !run.isFinished { try run.advance() }
    return try run.result()
  }

  @Test func `a run that diverges late has the exact crossings that its evaluations saw`() throws {
    let result = try Self.straight.get()
    guard case .diverged(let epoch, _, _) = result.outcome else {
      Issue.record("\(result.outcome)")
      return
    }
    let dense = try CrossingTests.DenseCurve(Self.growing, from: Self.start.get(), to: epoch - 1)
    let epochs = result.evaluations.map(\.epoch)
    for crossing in result.crossings { #expect(crossing == dense.crossing(crossing, evaluatedAt: epochs)) }
    // Or this would test nothing: within intervals, and some of them for long enough.
    #expect(result.crossings.contains { $0.measure != .trainAccuracy && ($0.first ?? 0) % 7 != 0 })
    #expect(result.crossings.contains { $0.sustained != nil })
    #expect(result.finalModel == nil && result.keyFrequencies.isEmpty && result.phases.isEmpty)
  }

  /// Weights of all evaluations are kept, of some, and of none.
  @Test(arguments: [SnapshotStore.limitBytes, 2 << 20, 0])
  func `a diverged run is resumed in any stage, and shown again`(limit: Int) throws {
    let expected = try Self.straight.get()
    let whole = try Run(
      Self.growing, from: Self.start.get(), kernels: .choose(), snapshots: .inMemory(), snapshotLimit: limit)
    #expect(try Self.finish(whole) == expected)
    let total = whole.progress.work
    #expect(whole.progress.totalWork == total)
    for stop in [expected.epochs - 1, expected.epochs + 1, expected.epochs + 9, total - 40, total - 1] {
      let snapshots = SnapshotStore.inMemory()
      let first = try Run(
        Self.growing, from: Self.start.get(), kernels: .choose(), snapshots: snapshots, snapshotLimit: limit)
      var latest: [UInt8] = []
      for step in 0...stop {
        // As its owners do: now and then, and when training ends.
        if first.isResumable && (step % 90 == 0 || step == expected.epochs + 1) { latest = try first.checkpoint() }
        if step < stop { try first.advance() }
      }
      let second = try Run(
        resuming: latest, of: Self.growing, kernels: .choose(), snapshots: snapshots, snapshotLimit: limit)
      #expect(second.isTraining && second.progress.epochs > expected.epochs)
      #expect(stop <= expected.epochs || second.progress.epoch == expected.epochs)
      #expect(try Self.finish(second) == expected, "interrupted after \(stop) calls")
      let again = try Run(
        extending: latest, to: 5000, afterGrokking: 4000, kernels: .choose(), snapshots: snapshots,
        snapshotLimit: limit)
      #expect(try Self.finish(again) == expected)
    }
  }

  @Test func `a run that diverges where a digest is due has one link for that epoch, also when it is resumed`() throws {
    // Weights that change sign and grow by 1.073 % a step overflow in the loss at epoch 1,000.
    let experiment = Experiment(
      task: LearningTask(modulus: 5, trainFraction: 0.5),
      model: ModelShape(dModel: 4, heads: 1, dMLP: 5, dVocabOut: 6),
      training: TrainingSettings(epochs: 3000, learningRate: 1, weightDecay: 2.01073, warmupEpochs: 0),
      measure: MeasureSettings(evaluateEvery: 300))
    var first: RunResult?
    for kernels in KernelPath.available {
      let snapshots = SnapshotStore.inMemory()
      let run = try Run(experiment, kernels: kernels, snapshots: snapshots)
      while run.isTraining { try run.advance() }
      let end = try run.checkpoint()
      let result = try Self.finish(run)
      first = first ?? result
      #expect(result.outcome == .diverged(at: 1000, memorization: nil, grokking: nil))
      #expect(result.digests.map(\.epoch) == [1000] && result.digest == first?.digest)
      let again = try Run(resuming: end, of: experiment, kernels: kernels, snapshots: snapshots)
      #expect(again.isTraining && again.progress.epoch == 1000)
      #expect(try Self.finish(again) == result)
    }
  }
}
