// The scratch space: one owner a folder, files that are whole or not used, leftovers that are bounded.

import Cluster
import Foundation
import Grokking
import Kernels
import Sweeps
import Testing

@Suite struct ScratchTests {
  @Test func `two owners never have the same folder of a point`() throws {
    let fixture = try Fixture(points: 1)
    let scratch = try ScratchFolder(root: fixture.scratch)
    let point = fixture.points[0].id
    var first: PointFolder? = try scratch.open(point)
    let second = try scratch.open(point, patienceSeconds: 0)
    #expect(first?.path == fixture.scratch + "/\(point)")
    #expect(second.path == fixture.scratch + "/\(point).1")
    first = nil
    let third = try scratch.open(point)
    #expect(third.path == fixture.scratch + "/\(point)")
    third.remove()
    #expect(!FileManager.default.fileExists(atPath: third.path))
  }

  @Test func `a scratch folder where anyone may write is refused, since what lies there is handed in as results`()
    throws
  {
    let fixture = try Fixture(points: 1)
    try FileManager.default.createDirectory(atPath: fixture.scratch, withIntermediateDirectories: true)
    #expect(chmod(fixture.scratch, 0o777) == 0)
    let error = #expect(throws: SealedFileError.self) { try ScratchFolder(root: fixture.scratch) }
    #expect(error?.description.contains("anyone may write there; chmod it to 700") == true)
    #expect(chmod(fixture.scratch, 0o770) == 0)
    _ = try ScratchFolder(root: fixture.scratch)
  }

  @Test func `a folder whose holder is leaving is waited for`() throws {
    let fixture = try Fixture(points: 1)
    let scratch = try ScratchFolder(root: fixture.scratch)
    let point = fixture.points[0].id
    let path = try scratch.open(point).path
    let descriptor = open(path + "/lock", O_RDWR | O_CLOEXEC)
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    let holder = Thread {
      usleep(100_000)
      close(descriptor)
    }
    holder.start()
    #expect(try scratch.open(point, patienceSeconds: 30).path == path)
  }

  @Test func `a folder that nobody can lock is an error with words, and no other one is tried`() throws {
    let fixture = try Fixture(points: 1)
    let scratch = try ScratchFolder(root: fixture.scratch)
    let path = fixture.scratch + "/\(fixture.points[0].id)"
    try FileManager.default.createDirectory(atPath: path + "/lock", withIntermediateDirectories: true)
    let error = #expect(throws: SealedFileError.self) { try scratch.open(fixture.points[0].id) }
    #expect(error?.description == "\(path)/lock: cannot be made: Is a directory")
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.scratch).count == 1)
  }

  @Test func `a worker whose scratch space takes nothing hands its point back uncharged and leaves with code 1`() throws
  {
    let fixture = try Fixture(points: 1)
    // A folder lies where the first snapshot should: it cannot be written, whoever tries, root included.
    let snapshot = fixture.scratch + "/\(fixture.points[0].id)/snapshot-000000"
    try FileManager.default.createDirectory(atPath: snapshot + "/x", withIntermediateDirectories: true)
    let worker = try fixture.worker()
    var left = false
    let end = try fixture.coordinate { overview, interrupt in
      if fixture.lines.contains("cannot be written"), overview.workers == 0, !left {
        left = true
        interrupt.request(SIGTERM)
      }
    }
    #expect(end.ending == .shutDown(stillHeld: 0))
    #expect(try worker.end().code == 1)
    let attempts = try fixture.store.schedulerStart(sweeps: ["tiny"]).points
    #expect(attempts.map(\.chargedAttempts) == [0])
    #expect(attempts.map(\.state) == [.pending])
  }

  @Test func `snapshots and checkpoints come back bit for bit`() throws {
    let fixture = try Fixture(points: 1)
    let folder = try ScratchFolder(root: fixture.scratch).open(fixture.points[0].id)
    let weights: [Float] = [0, -0.0, .leastNonzeroMagnitude, 1 / 3, .greatestFiniteMagnitude]
    let snapshots = folder.run.snapshots
    for (shift, part) in SnapshotStore.Part.allCases.enumerated() {
      try snapshots.write(part, shift, weights)
      try snapshots.write(part, 1_234_567, [])
    }
    for (shift, part) in SnapshotStore.Part.allCases.enumerated() {
      #expect(try snapshots.read(part, shift).map(\.bitPattern) == weights.map(\.bitPattern))
      #expect(try snapshots.read(part, 1_234_567).isEmpty)
      #expect(throws: SnapshotMissing.self) { try snapshots.read(part, 7) }
      snapshots.remove(part, shift)
      snapshots.remove(part, shift)
      #expect(throws: SnapshotMissing.self) { try snapshots.read(part, shift) }
    }
    #expect(try folder.run.readCheckpoint() == nil)
    try folder.run.writeCheckpoint([1, 2, 3], seconds: 0.1)
    let kept = try #require(try folder.run.readCheckpoint())
    #expect(kept.run == [1, 2, 3] && kept.seconds == 0.1)
    folder.run.remove()
    #expect(try folder.run.readCheckpoint() == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["lock"])
  }

  /// What can happen to a file: each gives an error, never other numbers.
  enum Damage: String, CaseIterable {
    case empty, cutInHeader, cutInBody, flippedBit, longer, otherKind, lyingLength
  }

  static func damage(_ path: String, _ damage: Damage, with otherKind: String) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    switch damage {
    case .empty: bytes = Data()
    case .cutInHeader: bytes = bytes.prefix(20)
    case .cutInBody: bytes = bytes.dropLast(bytes.count / 3)
    case .flippedBit: bytes[bytes.count / 2] ^= 4
    case .longer: bytes.append(0)
    case .otherKind: bytes = try Data(contentsOf: URL(fileURLWithPath: otherKind))
    case .lyingLength: for place in 16..<24 { bytes[place] = 0xff }
    }
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  @Test(arguments: Damage.allCases)
  func `a damaged file is never read as if it were whole`(damage: Damage) throws {
    let fixture = try Fixture(points: 1)
    let folder = try ScratchFolder(root: fixture.scratch).open(fixture.points[0].id)
    try folder.run.writeCheckpoint(Array(0..<100), seconds: 1)
    try folder.run.snapshots.write(.weights, 0, Array(repeating: 1, count: 25))
    try Self.damage(folder.path + "/checkpoint", damage, with: folder.path + "/snapshot-000000")
    let error = #expect(throws: SealedFileError.self) { try folder.run.readCheckpoint() }
    #expect(error?.path == folder.path + "/checkpoint")
  }

  @Test func `a truncated checkpoint starts the point over and costs nothing else`() throws {
    let fixture = try Fixture(points: 1, epochs: Fixture.longEpochs)
    try fixture.interruptOnce(by: SIGTERM)
    try Self.damage(fixture.scratch + "/\(fixture.points[0].id)/checkpoint", .cutInBody, with: "")
    try fixture.finish()
    #expect(fixture.lines.contains("its checkpoint cannot be used"))
  }

  @Test func `a damaged moment is found in the replay, and a run on disk is the run in memory`() throws {
    // Crosses thresholds, so that there is something to replay.
    let experiment = Experiment(
      task: LearningTask(modulus: 29, trainFraction: 0.7),
      model: ModelShape(dModel: 48, heads: 4, dMLP: 128, dVocabOut: 30),
      training: TrainingSettings(epochs: 700, weightDecay: 2))
    let fixture = try Fixture(points: 1)
    let files = try ScratchFolder(root: fixture.scratch).open(Point(experiment: experiment, setting: "").id).run
    func train(_ damaging: Bool) throws -> Run {
      let run = try Run(experiment, kernels: KernelPath.choose(), snapshots: files.snapshots)
      while run.isTraining { try run.advance() }
      if damaging {
        for name in try FileManager.default.contentsOfDirectory(atPath: files.path) where name.hasPrefix("first-") {
          try Self.damage(files.path + "/" + name, .flippedBit, with: "")
        }
      }
      while !run.isFinished { try run.advance() }
      return run
    }
    #expect(throws: SealedFileError.self) { try train(true) }
    let whole = try train(false).result()
    #expect(whole.crossings.contains { $0.first != nil && $0.measure == .testLoss })
    let memory = try Run(experiment, kernels: KernelPath.choose(), snapshots: .inMemory())
    while !memory.isFinished { try memory.advance() }
    #expect(try memory.result() == whole)
  }

  @Test func `a folder in which a run is kept has one owner and holds nothing else`() throws {
    let fixture = try Fixture(points: 1)
    let path = fixture.folder + "/kept"
    var kept: KeptFolder? = try KeptFolder(creating: path)
    try kept?.run.snapshots.write(.weights, 3, [1])
    #expect(
      try #require(#expect(throws: SealedFileError.self) { try KeptFolder(creating: path) }).message.contains("use"))
    kept = nil
    #expect(throws: SealedFileError.self) { try KeptFolder(opening: path) }
    // Without a checkpoint, what a run wrote is of no use.
    kept = try KeptFolder(creating: path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["lock"])
    try kept?.run.writeCheckpoint([1], seconds: 2, durable: true)
    kept = nil
    #expect(try KeptFolder(opening: path).run.readCheckpoint()?.run == [1])
    try Data().write(to: URL(fileURLWithPath: path + "/notes.txt"))
    let error = try #require(#expect(throws: SealedFileError.self) { try KeptFolder(creating: path) })
    #expect(error.description == path + ": holds other files (notes.txt); name a new folder to keep a run in")
    #expect(try KeptFolder(opening: path).run.hasCheckpoint)
  }

  @Test func `a damaged snapshot is found before anything is trained, and the point starts over`() throws {
    let fixture = try Fixture(points: 1, epochs: Fixture.longEpochs)
    try fixture.interruptOnce(by: SIGTERM)
    try Self.damage(fixture.scratch + "/\(fixture.points[0].id)/snapshot-000000", .flippedBit, with: "")
    try fixture.finish()
    #expect(fixture.lines.contains("its checkpoint cannot be used") && !fixture.lines.contains("goes on from"))
  }

  @Test func `leftovers are bounded, results are never among those removed`() throws {
    let fixture = try Fixture(points: 6)
    let scratch = try ScratchFolder(root: fixture.scratch)
    let result = try Fixture.result(of: fixture.points[0])
    for (age, point) in fixture.points.enumerated() {
      let folder = try scratch.open(point.id)
      try folder.run.writeCheckpoint([1], seconds: 0)
      if age == 5 {
        try folder.keep(UnsentResult(lease: LeaseID(1), point: point.id, result: result, seconds: 1))
      }
      let time = Date(timeIntervalSince1970: 1_000_000 - Double(age))
      try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: folder.path)
    }
    let held = try scratch.open(fixture.points[4].id)
    scratch.removeStale(keeping: 2)
    let kept = [0, 1, 4, 5].map { fixture.points[$0].id.hex }.sorted()
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.scratch).sorted() == kept)
    held.remove()
    scratch.removeLeftovers()
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.scratch) == [fixture.points[5].id.hex])
    let claimed = scratch.claimUnsentResults(fixture.logger)
    #expect(claimed.map(\.1.result) == [result])
    // Whoever has the result has its folder.
    #expect(scratch.claimUnsentResults(fixture.logger).isEmpty)
    withExtendedLifetime(claimed) {}
  }

  @Test func `a scratch folder that cannot be used is named`() throws {
    let fixture = try Fixture(points: 1)
    let file = fixture.folder + "/file"
    try Data().write(to: URL(fileURLWithPath: file))
    let error = try #require(#expect(throws: SealedFileError.self) { try ScratchFolder(root: file + "/scratch") })
    #expect(error.description.hasPrefix(file + "/scratch: is no scratch folder"))
  }
}
