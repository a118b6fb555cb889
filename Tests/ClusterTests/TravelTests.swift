// A run that begins on one machine and ends on another: two scratch folders, and nothing between them but messages.

import Cluster
import Foundation
import Grokking
import Kernels
import Sweeps
import Testing

@Suite struct TravelTests {
  /// Where a run is interrupted, and how it is trained.
  struct Journey: Sendable, CustomTestStringConvertible {
    enum Stop: Sendable {
      case epoch(Int)
      case endOfTraining, analysis
    }
    var stop: Stop
    var afterGrokking: Int?
    var snapshotLimit = SnapshotStore.limitBytes
    var testDescription: String { "\(stop), \(afterGrokking ?? 0), \(snapshotLimit)" }

    /// Crosses thresholds, so that there are intervals to replay.
    var experiment: Experiment {
      Experiment(
        task: LearningTask(modulus: 29, trainFraction: 0.7),
        model: ModelShape(dModel: 48, heads: 4, dMLP: 128, dVocabOut: 30),
        training: TrainingSettings(epochs: 700, weightDecay: 2), measure: MeasureSettings(evaluateEvery: 20),
        stop: StopSettings(afterGrokking: afterGrokking))
    }
  }

  static let few = 12 * 4 * SnapshotStore.numbersOfPart(Journey(stop: .analysis).experiment)

  /// Undisturbed, with everything kept: whatever the limit, the result is the same.
  private static let whole = Result { try undisturbed(Journey(stop: .analysis)) }
  private static let stopped = Result { try undisturbed(Journey(stop: .analysis, afterGrokking: 40)) }

  private static func undisturbed(_ journey: Journey) throws -> RunResult {
    let run = try run(journey, .inMemory())
    while !run.isFinished { try run.advance() }
    return try run.result()
  }

  static let journeys =
    [Journey.Stop.epoch(0), .epoch(1), .epoch(333), .epoch(340), .endOfTraining, .analysis].map { Journey(stop: $0) }
    + [
      Journey(stop: .epoch(150), afterGrokking: 40), Journey(stop: .endOfTraining, afterGrokking: 40),
      Journey(stop: .analysis, afterGrokking: 40), Journey(stop: .epoch(150), snapshotLimit: few),
      Journey(stop: .epoch(500), snapshotLimit: few), Journey(stop: .analysis, snapshotLimit: few),
    ]

  @Test(arguments: journeys)
  func `a run that was interrupted here goes on elsewhere with the same bits`(journey: Journey) throws {
    let fixture = try Fixture(points: 1)
    let experiment = journey.experiment
    let here = try Self.files(fixture, "here")
    let there = try Self.files(fixture, "there")
    let first = try Self.run(journey, here.run.snapshots)
    let checkpoint = try Self.interrupt(first, journey, here.run)
    try Self.carry(checkpoint, to: there.run, experiment)

    let kept = try #require(try there.run.readCheckpoint())
    let second = try Run(
      resuming: kept.run, of: experiment, kernels: KernelPath.choose(), snapshots: there.run.snapshots,
      snapshotLimit: journey.snapshotLimit)
    try second.checkKept()
    while !second.isFinished { try second.advance() }
    #expect(try second.result() == (journey.afterGrokking == nil ? Self.whole : Self.stopped).get())
  }

  @Test func `an offered checkpoint stays readable while its run goes on`() throws {
    let journey = Journey(stop: .epoch(300))
    let fixture = try Fixture(points: 1)
    let here = try Self.files(fixture, "here")
    let there = try Self.files(fixture, "there")
    let run = try Self.run(journey, here.run.snapshots)
    let checkpoint = try Self.interrupt(run, journey, here.run)
    #expect(checkpoint.contents.epoch == 300 && !checkpoint.contents.moments.isEmpty)
    while run.isTraining {
      try run.advance()
      if run.isResumable { try here.run.writeCheckpoint(run.checkpoint(), seconds: 9) }
    }
    try Self.carry(checkpoint, to: there.run, journey.experiment)
    let kept = try #require(try there.run.readCheckpoint())
    #expect(try Run.contents(of: kept.run, of: journey.experiment).epoch == 300 && kept.seconds == 1)
    let later = CheckpointRequest(missing: checkpoint.contents, offset: checkpoint.contents.byteCount - 1, count: 1)
    var lying = later
    lying.missing = CheckpointContents(
      epoch: 300, checkpointBytes: 1, partBytes: checkpoint.contents.partBytes + 4, weights: [0], moments: [])
    (lying.offset, lying.count) = (0, lying.missing.partBytes)
    #expect(try checkpoint.read(later).count == 1)
    #expect(throws: SealedFileError.self) { try checkpoint.read(lying) }
  }

  @Test func `what lies there already is not fetched, and a transfer that was cut off harms nothing`() throws {
    let journey = Journey(stop: .epoch(300))
    let fixture = try Fixture(points: 1)
    let here = try Self.files(fixture, "here")
    let there = try Self.files(fixture, "there")
    let checkpoint = try Self.interrupt(Self.run(journey, here.run.snapshots), journey, here.run)
    let contents = checkpoint.contents
    let experiment = journey.experiment
    #expect(here.run.missing(of: contents, experiment) == nil)
    #expect(there.run.missing(of: contents, experiment) == contents)

    // Cut off in the middle of the third file.
    let cut = 2 * contents.partBytes + 100
    try there.run.keep(
      checkpoint.read(CheckpointRequest(missing: contents, offset: 0, count: cut)), at: 0, of: contents)
    #expect(try FileManager.default.contentsOfDirectory(atPath: there.path).contains { $0.hasSuffix(".new") })
    let missing = try #require(there.run.missing(of: contents, experiment))
    #expect(missing.byteCount == contents.byteCount - 2 * contents.partBytes)
    #expect(!there.run.hasCheckpoint)
    // Bytes that do not follow are refused.
    #expect(throws: SealedFileError.self) { try there.run.keep([1, 2, 3], at: 50, of: missing) }
    try Self.carry(checkpoint, to: there.run, experiment)
    #expect(there.run.missing(of: contents, experiment) == nil)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: there.path).allSatisfy { !$0.hasSuffix(".new") })
  }

  @Test func `bytes that changed on the way never take a file's place`() throws {
    let journey = Journey(stop: .epoch(300))
    let fixture = try Fixture(points: 1)
    let here = try Self.files(fixture, "here")
    let there = try Self.files(fixture, "there")
    let checkpoint = try Self.interrupt(Self.run(journey, here.run.snapshots), journey, here.run)
    let contents = checkpoint.contents
    var bytes = try checkpoint.read(
      CheckpointRequest(missing: contents, offset: 0, count: contents.partBytes))
    bytes[1000] ^= 1
    let error = #expect(throws: SealedFileError.self) { try there.run.keep(bytes, at: 0, of: contents) }
    #expect(error?.message.contains("damaged") == true)
    #expect(error?.isForeignDamage == true, "so that the coordinator is told")
    #expect(try FileManager.default.contentsOfDirectory(atPath: there.path) == ["lock"])
  }

  @Test func `a worker hands its checkpoint over, and another machine's worker finishes the point`() throws {
    let fixture = try Fixture(points: 1, epochs: Fixture.longEpochs)
    let point = fixture.points[0]
    let shelf = try Self.files(fixture, "shelf")
    let coordinator = try CoordinatorByHand(at: fixture.endpoint)
    let first = try fixture.worker(scratch: fixture.folder + "/first", checkpointSeconds: 0.05)
    try coordinator.grant(point, checkpointSeconds: 0.05)
    try coordinator.next { if case .progress(_, let progress, _) = $0, progress.epoch > 100 { true } else { nil } }
    first.interrupt.request(SIGTERM)
    let whole = try Self.takeOver(from: coordinator, point, shelf.run)
    try coordinator.say(.receipt(lease: LeaseID(1), point: point.id))
    #expect(try first.end().code == 0)

    let second = try fixture.worker(scratch: fixture.folder + "/second")
    try coordinator.grant(point, LeaseID(2), checkpoint: whole)
    let kept = try #require(try shelf.run.readCheckpoint())
    let open = try OpenCheckpoint(
      shelf.run, epoch: whole.epoch, parts: Run.contents(of: kept.run, of: point.experiment).parts,
      experiment: point.experiment)
    var result: RunResult?
    while result == nil {
      result = try coordinator.next { message in
        switch message {
        case .fetch(let lease, let id, let request):
          guard let bytes = try? open.read(request) else { return nil }
          try? coordinator.say(
            .chunk(
              lease: lease, point: id,
              CheckpointChunk(epoch: request.missing.epoch, offset: request.offset, bytes: bytes)))
          return nil
        case .finished(_, _, let result, _): return result
        default: return nil
        }
      }
    }
    #expect(fixture.lines.contains("goes on from its checkpoint at epoch \(whole.epoch)"))
    #expect(try result?.digest == Fixture.longDigest.get())
    try coordinator.say(.receipt(lease: LeaseID(2), point: point.id))
    try coordinator.say(.leave)
    #expect(try second.end().code == 0)
  }

  @Test func `a worker with a deadline leaves in time with code 0`() throws {
    let fixture = try Fixture(points: 1, epochs: 50_000_000)
    let coordinator = try CoordinatorByHand(at: fixture.endpoint)
    let worker = try fixture.worker(lifetimeSeconds: 2)
    try coordinator.grant(fixture.points[0])
    let lease = try coordinator.next { if case .handedBack(let lease, _, _) = $0 { lease } else { nil } }
    try coordinator.say(.receipt(lease: lease, point: fixture.points[0].id))
    #expect(try worker.end().code == 0)
    #expect(fixture.lines.contains("the deadline of this worker is near"))
  }

  @Test(arguments: KernelPath.available)
  func `the self-test gives its digest on every kernel path of this machine`(path: KernelPath) throws {
    #expect(try SelfTest.run(path) == SelfTest.digest)
  }

  // The two machines.

  private static func files(_ fixture: Fixture, _ name: String) throws -> PointFolder {
    try ScratchFolder(root: fixture.folder + "/" + name).open(fixture.points[0].id)
  }

  private static func run(_ journey: Journey, _ snapshots: SnapshotStore) throws -> Run {
    try Run(
      journey.experiment, kernels: KernelPath.choose(), snapshots: snapshots, snapshotLimit: journey.snapshotLimit)
  }

  /// Trains up to the journey's stop, with a checkpoint there and, as workers do, one at the end of training.
  private static func interrupt(_ run: Run, _ journey: Journey, _ files: RunFiles) throws -> OpenCheckpoint {
    func save() throws -> OpenCheckpoint {
      try files.writeCheckpoint(run.checkpoint(), seconds: 1)
      return try OpenCheckpoint(
        files, epoch: run.progress.epoch, parts: run.keptParts, experiment: journey.experiment)
    }
    if case .epoch(let epoch) = journey.stop {
      while run.progress.epoch < epoch { try run.advance() }
      return try save()
    }
    while run.isTraining { try run.advance() }
    let checkpoint = try save()
    if case .analysis = journey.stop {
      while run.progress.stage != .analysis { try run.advance() }
      for _ in 0..<5 { try run.advance() }
    }
    return checkpoint
  }

  /// Pulls whatever is offered until the point is handed back; what was kept last.
  private static func takeOver(
    from coordinator: CoordinatorByHand, _ point: Point, _ shelf: RunFiles
  ) throws -> CheckpointContents {
    let lease = LeaseID(1)
    var (pull, offered, kept): (CheckpointPull?, CheckpointContents?, CheckpointContents?)
    func goOn() throws {
      if var asking = pull, !asking.isComplete {
        try coordinator.say(.pull(lease: lease, point: point.id, asking.ask(at: .now)))
        pull = asking
      } else if let whole = offered {
        kept = whole
        try coordinator.say(.checkpointKept(lease: lease, point: point.id, epoch: whole.epoch))
      }
    }
    while true {
      let message: WorkerMessage = try coordinator.next { message in
        switch message {
        case .offer, .chunk, .chunkGone, .handedBack: message
        default: nil
        }
      }
      switch message {
      case .offer(_, _, let contents) where contents != offered || pull == nil:
        offered = contents
        pull = shelf.missing(of: contents, point.experiment).map { CheckpointPull($0) }
        try goOn()
      case .chunk(_, _, let chunk):
        guard let missing = pull?.missing else { continue }
        switch pull?.take(chunk) {
        case .next(let offset)?, .last(let offset)?:
          try shelf.keep(chunk.bytes, at: offset, of: missing)
          try goOn()
        default: continue
        }
      case .chunkGone: (pull, offered) = (nil, nil)
      case .handedBack: return try #require(kept)
      default: continue
      }
    }
  }

  /// What `there` lacks, in chunks that end anywhere.
  private static func carry(_ checkpoint: OpenCheckpoint, to there: RunFiles, _ experiment: Experiment) throws {
    guard let missing = there.missing(of: checkpoint.contents, experiment) else { return }
    var pull = CheckpointPull(missing)
    while !pull.isComplete {
      var request = pull.ask(at: .now)
      request.count = pull.nextCount
      let bytes = try checkpoint.read(request)
      let chunk = CheckpointChunk(epoch: missing.epoch, offset: request.offset, bytes: bytes)
      switch pull.take(chunk) {
      case .next(let offset), .last(let offset): try there.keep(chunk.bytes, at: offset, of: missing)
      case .ignored, .refused: throw CoordinatorByHand.Overdue()
      }
    }
  }
}
