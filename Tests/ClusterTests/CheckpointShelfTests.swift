// Checkpoints beside the store: they come and go in pieces, and are whole or not there.

import Cluster
import Foundation
import Grokking
import Sweeps
import Testing

@Suite struct CheckpointShelfTests {
  private let fixture: Fixture
  private let point: PointID
  /// A worker's folder of the point, from which pieces come.
  private let source: PointFolder
  private var store: String { fixture.folder + "/store.sqlite" }
  private var root: String { fixture.folder + "/store.checkpoints" }

  init() throws {
    fixture = try Fixture(points: 2)
    point = fixture.points[0].id
    source = try ScratchFolder(root: fixture.scratch).open(point)
  }

  private static let numbers = 250

  /// What a run has at `epoch`: weights of evaluations up to `weights`, moments of some, a checkpoint.
  private func contents(epoch: Int, weights: Int, moments: [Int]) throws -> CheckpointContents {
    func part(_ seed: Int) -> [Float] { (0..<Self.numbers).map { Float(seed * 1000 + $0) } }
    for number in 0..<weights { try source.run.snapshots.write(.weights, number, part(number)) }
    for number in moments {
      try source.run.snapshots.write(.firstMoment, number, part(100 + number))
      try source.run.snapshots.write(.secondMoment, number, part(200 + number))
    }
    try source.run.writeCheckpoint((0..<3001).map { UInt8(truncatingIfNeeded: $0 * epoch) }, seconds: 1)
    return CheckpointContents(
      epoch: epoch, checkpointBytes: 32 + 8 + 3001, partBytes: 32 + 4 * Self.numbers, weights: Array(0..<weights),
      moments: moments)
  }

  /// The stream of `missing`, as the worker would read it.
  private func stream(_ missing: CheckpointContents) throws -> [UInt8] {
    func padded(_ number: Int) -> String { String(repeating: "0", count: 6 - "\(number)".count) + "\(number)" }
    return try missing.files.flatMap { file in
      let name =
        switch file {
        case .checkpoint: "checkpoint"
        case .weights(let number): "snapshot-" + padded(number)
        case .firstMoment(let number): "first-moment-" + padded(number)
        case .secondMoment(let number): "second-moment-" + padded(number)
        case .slowGradient(let number): "slow-gradient-" + padded(number)
        }
      return try [UInt8](Data(contentsOf: URL(fileURLWithPath: source.path + "/" + name)))
    }
  }

  /// Brings `missing` to the shelf, in pieces whose size fits no file, but for the last `short` bytes.
  private func bring(_ missing: CheckpointContents, to shelf: CheckpointShelf, short: Int = 0) throws {
    let bytes = try stream(missing)
    let end = bytes.count - short
    for offset in stride(from: 0, to: end, by: 777) {
      try shelf.keep(Array(bytes[offset..<min(offset + 777, end)]), of: missing, at: offset, for: point)
    }
  }

  private func fetch(_ wanted: CheckpointContents, from shelf: CheckpointShelf) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < wanted.byteCount {
      let request = CheckpointRequest(missing: wanted, offset: bytes.count, count: 1313)
      guard let chunk = shelf.chunk(request, of: point) else { return nil }
      #expect(chunk.offset == bytes.count && chunk.epoch == wanted.epoch)
      bytes += chunk.bytes
    }
    return bytes
  }

  private func scan(_ shelf: CheckpointShelf, isOpen: Bool = true) -> [KeptCheckpoint] {
    shelf.scan(keeping: { $0.map { _ in isOpen } }, endOf: { _ in nil }, fixture.logger)
  }

  private var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: root + "/" + point.hex)) ?? []).sorted()
  }

  @Test func `a checkpoint that came in pieces is given out bit for bit, also after a restart`() throws {
    let contents = try contents(epoch: 30, weights: 4, moments: [2])
    let shelf = CheckpointShelf(besides: store)
    try bring(contents, to: shelf)
    #expect(fetch(contents, from: shelf) == nil)
    try shelf.complete(contents, for: point)
    #expect(try fetch(contents, from: shelf) == stream(contents))
    let next = CheckpointShelf(besides: store)
    #expect(scan(next) == [KeptCheckpoint(point: point, contents: contents)])
    #expect(try fetch(contents, from: next) == stream(contents))
    // Somebody who has the first weights needs only the others.
    let less = contents.lacking(
      CheckpointContents(epoch: 10, checkpointBytes: 9, partBytes: contents.partBytes, weights: [0, 1], moments: [2]))
    #expect(less.files == [.weights(2), .weights(3), .checkpoint])
    #expect(try fetch(less, from: next) == stream(less))
  }

  @Test func `a checkpoint is replaced when the next one is whole, and not before`() throws {
    let first = try contents(epoch: 30, weights: 3, moments: [0, 2])
    let shelf = CheckpointShelf(besides: store)
    try bring(first, to: shelf)
    try shelf.complete(first, for: point)
    let bytesOfFirst = try stream(first)
    let second = try contents(epoch: 50, weights: 5, moments: [2, 4])
    let missing = second.lacking(first)
    try bring(missing, to: shelf, short: 1)
    #expect(throws: SealedFileError.self) { try shelf.complete(second, for: point) }
    #expect(fetch(first, from: shelf) == bytesOfFirst)
    // A coordinator that dies here keeps the first and forgets the half.
    let next = CheckpointShelf(besides: store)
    #expect(scan(next) == [KeptCheckpoint(point: point, contents: first)])
    #expect(!files.contains { $0.hasSuffix(".new") || $0 == "weights-4" })
    try bring(missing, to: next)
    try next.complete(second, for: point)
    #expect(try fetch(second, from: next) == stream(second))
    #expect(fetch(first, from: next) == nil)
    // Moments that the second does not need are gone, and so is the first checkpoint.
    #expect(
      files == [
        "checkpoint-50", "contents", "first-moment-2", "first-moment-4", "second-moment-2", "second-moment-4",
        "weights-0", "weights-1", "weights-2", "weights-3", "weights-4",
      ])
  }

  @Test func `a piece that was damaged on its way is found out, and what was there stays`() throws {
    let first = try contents(epoch: 30, weights: 2, moments: [])
    let shelf = CheckpointShelf(besides: store)
    try bring(first, to: shelf)
    try shelf.complete(first, for: point)
    let bytesOfFirst = try stream(first)
    let second = try contents(epoch: 40, weights: 2, moments: [])
    let missing = second.lacking(first)
    var bytes = try stream(missing)
    bytes[1000] ^= 4
    let error = #expect(throws: SealedFileError.self) { try shelf.keep(bytes, of: missing, at: 0, for: point) }
    #expect(error?.message.contains("damaged") == true)
    #expect(throws: SealedFileError.self) { try shelf.complete(second, for: point) }
    #expect(fetch(first, from: shelf) == bytesOfFirst)
  }

  @Test func `nothing of a point that ended stays`() throws {
    let contents = try contents(epoch: 30, weights: 2, moments: [1])
    let shelf = CheckpointShelf(besides: store)
    try bring(contents, to: shelf)
    try shelf.complete(contents, for: point)
    // Half of a next one, too.
    try bring(try self.contents(epoch: 60, weights: 3, moments: [1]), to: shelf, short: 1000)
    shelf.remove(point)
    #expect(!FileManager.default.fileExists(atPath: root))
    #expect(fetch(contents, from: shelf) == nil)
    // And one that ended while no coordinator was there goes at the next start.
    try bring(contents, to: shelf)
    try shelf.complete(contents, for: point)
    #expect(scan(CheckpointShelf(besides: store), isOpen: false).isEmpty)
    #expect(!FileManager.default.fileExists(atPath: root))
  }

  @Test func `a set that was damaged on the disk is removed with a line`() throws {
    let contents = try contents(epoch: 30, weights: 3, moments: [])
    for name in ["weights-1", "contents", "checkpoint-30"] {
      let shelf = CheckpointShelf(besides: store)
      try bring(contents, to: shelf)
      try shelf.complete(contents, for: point)
      #expect(truncate(root + "/\(point)/" + name, 50) == 0)
      #expect(scan(CheckpointShelf(besides: store)).isEmpty, "\(name)")
      #expect(files.isEmpty)
    }
    #expect(fixture.lines.all.count { $0.contains("is of no use and was removed") } == 3)
  }

  @Test func `a request for what is not here is refused, however it is put`() throws {
    let contents = try contents(epoch: 30, weights: 2, moments: [])
    let shelf = CheckpointShelf(besides: store)
    try bring(contents, to: shelf)
    try shelf.complete(contents, for: point)
    func ask(_ wanted: CheckpointContents, offset: Int = 0, of other: PointID? = nil) -> CheckpointChunk? {
      shelf.chunk(CheckpointRequest(missing: wanted, offset: offset, count: 4096), of: other ?? point)
    }
    func like(epoch: Int = 30, checkpoint: Int = 3041, part: Int = 1032, weights: [Int] = [0, 1]) -> CheckpointContents
    {
      CheckpointContents(epoch: epoch, checkpointBytes: checkpoint, partBytes: part, weights: weights, moments: [])
    }
    #expect(ask(like()) != nil)
    #expect(ask(like(epoch: 29)) == nil)
    #expect(ask(like(checkpoint: 3042)) == nil)
    #expect(ask(like(part: 1)) == nil)
    #expect(ask(like(weights: [0, 1, 2]), offset: 2 * 1032) == nil)
    #expect(ask(like(), offset: contents.byteCount) == nil)
    #expect(ask(like(), of: fixture.points[1].id) == nil)
  }

  @Test func `a shelf that cannot be written says so, and takes pieces again when it can`() throws {
    let contents = try contents(epoch: 30, weights: 2, moments: [])
    let shelf = CheckpointShelf(besides: store)
    // A file where the folder should be: root may write anywhere else.
    try Data().write(to: URL(fileURLWithPath: root))
    #expect(throws: SealedFileError.self) { try bring(contents, to: shelf) }
    unlink(root)
    try bring(contents, to: shelf)
    try shelf.complete(contents, for: point)
    #expect(try fetch(contents, from: shelf) == stream(contents))
  }
}
