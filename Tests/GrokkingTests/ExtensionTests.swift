// Longer runs from the end of shorter ones, runs resumed in any stage, and runs whose weights are not all kept: each the
// same, bit for bit, as a run that went straight through.

import Grokking
import Kernels
import Testing

@Suite struct ExtensionTests {
  private static func experiment(epochs: Int, afterGrokking: Int? = nil) -> Experiment {
    var experiment = CrossingTests.experiment
    experiment.training.epochs = epochs
    experiment.stop.afterGrokking = afterGrokking
    return experiment
  }

  private static func finish(_ run: Run) throws -> RunResult {
    while !run.isFinished { try run.advance() }
    return try run.result()
  }

  /// Trains to the end and gives the checkpoint that its owner would keep there, and the result.
  private static func train(
    _ experiment: Experiment, _ snapshots: SnapshotStore, snapshotLimit: Int = SnapshotStore.limitBytes
  ) throws -> (end: [UInt8], result: RunResult) {
    let run = try Run(experiment, kernels: .choose(), snapshots: snapshots, snapshotLimit: snapshotLimit)
    while run.isTraining { try run.advance() }
    let end = try run.checkpoint()
    return (end, try finish(run))
  }

  private static let flickering = Result {
    try CrossingTests.finish(CrossingTests.flickering(learningRate: 0.05, beta2: 0.999))
  }

  private static let straight = Result { try CrossingTests.finish(experiment(epochs: 1500)) }

  /// Ends at an evaluation, between two, where a digest is due, during memorization, one epoch before the last, at once.
  @Test(arguments: [600, 555, 1000, 30, 1499, 1])
  func `extending a run gives the run that goes straight through`(epochs: Int) throws {
    let snapshots = SnapshotStore.inMemory()
    let (end, _) = try Self.train(Self.experiment(epochs: epochs), snapshots)
    let longer = try Run(extending: end, to: 1500, kernels: .choose(), snapshots: snapshots)
    #expect(longer.progress.epoch == epochs && longer.experiment == Self.experiment(epochs: 1500))
    #expect(try Self.finish(longer) == Self.straight.get())
  }

  @Test func `a checkpoint of a shorter run is taken for a longer one only where that is wanted, and is of it`() throws
  {
    let snapshots = SnapshotStore.inMemory()
    let (end, _) = try Self.train(Self.experiment(epochs: 555), snapshots)
    func resumed(_ experiment: Experiment, orShorter: Bool = true) throws -> Run {
      try Run(
        resuming: end, of: experiment, orShorter: orShorter, kernels: .choose(), snapshots: snapshots)
    }
    let longer = try resumed(Self.experiment(epochs: 1500))
    #expect(longer.progress.epoch == 555)
    #expect(try Self.finish(longer) == Self.straight.get())
    #expect(try Run.contents(of: end, of: Self.experiment(epochs: 1500)).epoch == 555)
    #expect(throws: CheckpointError.self) { try resumed(Self.experiment(epochs: 1500), orShorter: false) }
    #expect(throws: CheckpointError.self) { try resumed(Self.experiment(epochs: 500)) }
    var other = Self.experiment(epochs: 1500)
    other.modelSeed += 1
    #expect(throws: CheckpointError.self) { try resumed(other) }
    #expect(throws: CheckpointError.self) { try Run.contents(of: end, of: other) }
  }

  /// Between the checkpoint and the crash states were removed in whose intervals nothing crossed, and with a limit also
  /// weights of which the analysis trains its own.
  @Test(arguments: [130, 655, 1010], [0, 1 << 20, SnapshotStore.limitBytes])
  func `a run is checked for what it needs, not for what it removed later`(epoch: Int, limit: Int) throws {
    let snapshots = SnapshotStore.inMemory()
    let experiment = Self.experiment(epochs: 1500)
    let crashed = try Run(experiment, kernels: .choose(), snapshots: snapshots, snapshotLimit: limit)
    while crashed.progress.epoch < epoch { try crashed.advance() }
    let checkpoint = try crashed.checkpoint()
    while crashed.isTraining { try crashed.advance() }
    func resumed() throws -> Run {
      try Run(
        resuming: checkpoint, of: experiment, kernels: .choose(), snapshots: snapshots, snapshotLimit: limit)
    }
    let run = try resumed()
    try run.checkKept()
    #expect(try Self.finish(run) == Self.straight.get())
    let fitting = SnapshotStore.evaluationsThatFit(in: limit, experiment)
    if fitting * experiment.measure.evaluateEvery < epoch {
      // Where the analysis begins to train again.
      let moments = try snapshots.read(.secondMoment, fitting)
      snapshots.remove(.secondMoment, fitting)
      let unable = try resumed()
      #expect(throws: SnapshotMissing.self) { try unable.checkKept() }
      try snapshots.write(.secondMoment, fitting, moments)
      try unable.checkKept()
    }
    snapshots.remove(.weights, 0)
    let missing = try resumed()
    #expect(throws: SnapshotMissing.self) { try missing.checkKept() }
    try snapshots.write(.weights, 0, [1, 2, 3])
    #expect(throws: RunError.self) { try missing.checkKept() }
  }

  @Test func `after the end of training everything that was kept must be there for a longer run`() throws {
    let snapshots = SnapshotStore.inMemory()
    let every = Self.experiment(epochs: 130).measure.evaluateEvery
    let (end, _) = try Self.train(Self.experiment(epochs: 130), snapshots)
    let longer = try Run(extending: end, to: 1500, kernels: .choose(), snapshots: snapshots)
    try longer.checkKept()
    snapshots.remove(.secondMoment, 129 / every)
    #expect(throws: SnapshotMissing.self) { try longer.checkKept() }
  }

  @Test(arguments: [0, 130, 30]) func `a run that stopped after grokking is extended`(after: Int) throws {
    let snapshots = SnapshotStore.inMemory()
    let (end, stopped) = try Self.train(Self.experiment(epochs: 1500, afterGrokking: after), snapshots)
    #expect(stopped.epochs < 1500)
    let longer = try Run(extending: end, to: 1500, kernels: .choose(), snapshots: snapshots)
    #expect(try Self.finish(longer) == Self.straight.get())
  }

  @Test func `a run is extended again and again, and may be told to stop after grokking`() throws {
    let snapshots = SnapshotStore.inMemory()
    var (end, _) = try Self.train(Self.experiment(epochs: 150), snapshots)
    for epochs in [151, 700, 701, 702, 990] {
      let run = try Run(extending: end, to: epochs, kernels: .choose(), snapshots: snapshots)
      while run.isTraining { try run.advance() }
      end = try run.checkpoint()
      #expect(try Self.finish(run) == CrossingTests.finish(Self.experiment(epochs: epochs)))
    }
    let stopping = try Run(extending: end, to: 5000, afterGrokking: 700, kernels: .choose(), snapshots: snapshots)
    let expected = try CrossingTests.finish(Self.experiment(epochs: 5000, afterGrokking: 700))
    #expect(expected.epochs > 990 && expected.epochs < 5000)
    #expect(try Self.finish(stopping) == expected)
  }

  /// The ends lie between a threshold's crossings, where it has just been crossed, lost or regained.
  @Test(arguments: [51, 57, 69, 95, 104, 106, 180], [0, 2 << 20, SnapshotStore.limitBytes])
  func `a run whose accuracy flickers is extended`(epochs: Int, limit: Int) throws {
    let whole = CrossingTests.flickering(learningRate: 0.05, beta2: 0.999)
    var short = whole
    short.training.epochs = epochs
    let snapshots = SnapshotStore.inMemory()
    let (end, result) = try Self.train(short, snapshots, snapshotLimit: limit)
    #expect(result == (try CrossingTests.finish(short)))
    let longer = try Run(extending: end, to: 400, kernels: .choose(), snapshots: snapshots, snapshotLimit: limit)
    #expect(try Self.finish(longer) == Self.flickering.get())
  }

  @Test(arguments: [(0.02, 0.999), (0.05, 0.98), (0.05, 0.999)])
  func `what a lost run removed is not missed by one that resumes from an older checkpoint`(
    learningRate: Double, beta2: Double
  ) throws {
    let experiment = CrossingTests.flickering(learningRate: learningRate, beta2: beta2)
    let expected = try CrossingTests.finish(experiment)
    for limit in [0, 2 << 20, SnapshotStore.limitBytes] {
      let snapshots = SnapshotStore.inMemory()
      let lost = try Run(experiment, kernels: .choose(), snapshots: snapshots, snapshotLimit: limit)
      var checkpoints: [[UInt8]] = []
      while lost.isTraining {
        if lost.progress.epoch % 90 == 5 { checkpoints.append(try lost.checkpoint()) }
        try lost.advance()
      }
      #expect(checkpoints.count == 5)
      for bytes in checkpoints {
        let resumed = try Run(
          resuming: bytes, of: experiment, kernels: .choose(), snapshots: snapshots, snapshotLimit: limit)
        #expect(try Self.finish(resumed) == expected)
      }
    }
  }

  @Test func `what cannot be extended is refused in words`() throws {
    let snapshots = SnapshotStore.inMemory()
    let (end, result) = try Self.train(Self.experiment(epochs: 1400), snapshots)
    #expect(result.outcome.grokkingEpoch != nil)
    var diverging = Self.experiment(epochs: 100)
    diverging.training.learningRate = 1e18
    let (diverged, _) = try Self.train(diverging, .inMemory())
    let cases: [(bytes: [UInt8], epochs: Int, afterGrokking: Int?, words: String)] = [
      (end, 1400, 5, "already"), (end, 1300, nil, "trained for 1400 epochs already"), (end, 0, nil, "epochs 0"),
      (end, 2000, 1, "would have ended at epoch"), (diverged, 2000, nil, "diverged at epoch"),
      (Array(end.dropLast()), 2000, nil, "damaged"), ([1, 2, 3], 2000, nil, "no checkpoint"),
    ]
    for row in cases {
      let error = #expect(throws: CheckpointError.self) {
        try Run(
          extending: row.bytes, to: row.epochs, afterGrokking: row.afterGrokking, kernels: .choose(),
          snapshots: snapshots)
      }
      #expect(try #require(error).description.contains(row.words), "\(row.words): \(error!)")
    }
    // Asked for the end that it has, a run gives its result once more.
    let again = try Run(extending: end, to: 1400, kernels: .choose(), snapshots: snapshots)
    #expect(try Self.finish(again) == result)
  }

  /// In the first epochs, before and after grokking, at the end, within the replay, and within the analysis.
  @Test(arguments: [false, true])
  func `a run resumed in any stage from its latest checkpoint has the same result`(regenerating: Bool) throws {
    let limit = regenerating ? 1 << 20 : SnapshotStore.limitBytes
    let expected = try Self.straight.get()
    let whole = try Run(
      Self.experiment(epochs: 1500), kernels: .choose(), snapshots: .inMemory(), snapshotLimit: limit)
    #expect(try Self.finish(whole) == expected)
    let total = whole.progress.totalWork
    for stop in [1, 101, 333, 1499, 1501, 1600, total - 20, total - 1] where stop < total {
      let snapshots = SnapshotStore.inMemory()
      let first = try Run(
        Self.experiment(epochs: 1500), kernels: .choose(), snapshots: snapshots, snapshotLimit: limit)
      var latest: [UInt8] = []
      for step in 0..<stop {
        // As its owners do: now and then, and when training ends.
        if first.isResumable && (step % 90 == 0 || step == 1501) { latest = try first.checkpoint() }
        try first.advance()
      }
      let second = try Run(
        resuming: latest, of: Self.experiment(epochs: 1500), kernels: .choose(), snapshots: snapshots,
        snapshotLimit: limit)
      #expect(second.progress.epoch <= min(stop, 1500))
      #expect(try Self.finish(second) == expected, "interrupted after \(stop) calls")
    }
  }

  @Test func `weights that would take too much room are trained again, with the same result`() throws {
    let shelf = CountingShelf(noting: .weights)
    var experiment = Self.experiment(epochs: 1500)
    experiment.measure.evaluateEvery = 10
    let bounded = try CrossingTests.finish(experiment, snapshots: shelf.store, snapshotLimit: 0)
    // The start, the end, and the starts of intervals that may be replayed.
    #expect(shelf.most <= 19)
    #expect(bounded == (try CrossingTests.finish(experiment)))
    experiment.training.learningRate = 1e18
    let diverged = try CrossingTests.finish(experiment, snapshotLimit: 0)
    #expect(diverged == (try CrossingTests.finish(experiment)))
  }

  @Test func `a run whose weights were not all kept is extended`() throws {
    let snapshots = SnapshotStore.inMemory()
    let (end, _) = try Self.train(Self.experiment(epochs: 655), snapshots, snapshotLimit: 0)
    // The limit would allow it now, but what was not kept has to be trained again.
    let longer = try Run(extending: end, to: 1500, kernels: .choose(), snapshots: snapshots)
    #expect(try Self.finish(longer) == Self.straight.get())
  }

  @Test func `a run whose weights were all kept is extended beyond the limit`() throws {
    let snapshots = SnapshotStore.inMemory()
    let (end, _) = try Self.train(Self.experiment(epochs: 655), snapshots)
    let longer = try Run(extending: end, to: 1500, kernels: .choose(), snapshots: snapshots, snapshotLimit: 0)
    #expect(try Self.finish(longer) == Self.straight.get())
  }

  @Test func `the weights of a finished run are those of its end, whatever was replayed`() throws {
    let trainer = Trainer(Self.experiment(epochs: 1500), start: Start(CrossingTests.experiment), kernels: try .choose())
    for _ in 0..<1500 { _ = trainer.step() }
    for limit in [0, SnapshotStore.limitBytes] {
      let run = try Run(
        Self.experiment(epochs: 1500), kernels: .choose(), snapshots: .inMemory(), snapshotLimit: limit)
      _ = try Self.finish(run)
      #expect(run.weights.storage == trainer.weights.storage)
      #expect(!run.isResumable)
    }
  }
}
