// Checkpoints beside the store, from which any machine can go on with a point.
//
//   x.sqlite → x.checkpoints/<point id>/contents  checkpoint-<epoch>  weights-0 …  first-moment-12 …
//
// Snapshots and moments are the same bits in every checkpoint of a point, so they are kept once and gathered piece by
// piece. `contents` says what the current checkpoint consists of; it is replaced last, and at once. Until then the one
// before it stays whole: whatever is cut short leaves the old checkpoint, or none. Files are sealed as the worker sealed
// them, and checked when their last byte comes. Nothing waits for the disk: what is damaged is trained again.
//
// A point whose experiment goes on where an ended run is kept (EndedRuns.swift) borrows that run's files until it has a
// checkpoint of its own, which then gets those of them that it needs by hard links: an ended run is read, never changed.
//
// Names are made of numbers and of the kinds of files that there are; nothing that comes from the net is one.

import Foundation
import Grokking
import Logging
import Sweeps

/// Belongs to the coordinator's thread, and to the process that has the store's lock.
package final class CheckpointShelf {
  package let root: String
  /// Of every point that has a whole checkpoint here.
  private var kept: [PointID: CheckpointContents] = [:]
  /// Points that have anything here: most points end without, and should not cost a look at the disk.
  private var present: Set<PointID> = []
  /// Points whose checkpoint is that of an ended run, with its lineage.
  private var borrowed: [PointID: PointID] = [:]
  package let ended: EndedRuns

  package init(besides store: String) {
    root = (store.hasSuffix(".sqlite") ? String(store.dropLast(7)) : store) + ".checkpoints"
    ended = EndedRuns(besides: store)
  }

  /// What is here from an earlier coordinator. Removed is all else: points that ended, half transfers, damaged sets.
  ///
  /// - Parameters:
  ///   - keeping: which of these points can still use a checkpoint.
  ///   - endOf: of a point that ended, what longer runs share with it and its last epoch, if how it ended is to be kept:
  ///     its coordinator may have been killed between the result's commit and that.
  package func scan(
    keeping isOpen: ([PointID]) throws -> [Bool], endOf: (PointID) throws -> RunEnd?, _ logger: Logger
  ) rethrows -> [KeptCheckpoint] {
    let points = ScratchFolder.names(in: root).compactMap { PointID(hex: $0) }
    kept.removeAll()
    borrowed.removeAll()
    present = Set(points)
    var found: [KeptCheckpoint] = []
    for (point, isOpen) in zip(points, try isOpen(points)) {
      do {
        guard let contents = try ShelfContents.read(folder(point)) else {
          remove(point)
          continue
        }
        guard isOpen else {
          defer { remove(point) }
          guard let end = try endOf(point), end.epoch == contents.epoch else { continue }
          try requireFiles(of: contents, in: folder(point))
          removeOthers(than: contents, in: folder(point))
          try ended.take(folder(point), lineage: end.lineage)
          continue
        }
        try requireFiles(of: contents, in: folder(point))
        removeOthers(than: contents, in: folder(point))
        kept[point] = contents
        found.append(KeptCheckpoint(point: point, contents: contents))
      } catch {
        logger.warning("the kept checkpoint of point \(point.short) is of no use and was removed: \(error)")
        remove(point)
      }
    }
    return found
  }

  /// What of ended runs these points can go on from; of those that have a checkpoint of their own, nothing.
  package func lend(to points: [(id: PointID, experiment: Experiment)]) -> [KeptCheckpoint] {
    guard !points.isEmpty, ended.exist else { return [] }
    var found: [KeptCheckpoint] = []
    for point in points where kept[point.id] == nil {
      guard let lineage = point.experiment.lineage, let contents = ended.contents(for: point.experiment) else {
        continue
      }
      borrowed[point.id] = lineage
      kept[point.id] = contents
      found.append(KeptCheckpoint(point: point.id, contents: contents, isLent: true))
    }
    return found
  }

  /// The point has ended, and longer runs may go on from its checkpoint: it takes the place of an earlier one of the
  /// lineage. Those that borrowed that get its files first.
  ///
  /// - Parameter lost: called for each that could not get them, with the epoch: it has no checkpoint any more.
  package func keepEnd(
    of point: PointID, lineage: PointID, lost: (PointID, Int) -> Void
  ) throws(SealedFileError) {
    guard kept[point] != nil, borrowed[point] == nil else {
      if borrowed[point] == nil { remove(point) }
      return
    }
    defer { remove(point) }
    for other in borrowed.keys.sorted() where borrowed[other] == lineage {
      guard let contents = kept[other], (try? settle(contents, for: other)) == nil else { continue }
      remove(other)
      lost(other, contents.epoch)
    }
    try ended.take(folder(point), lineage: lineage)
  }

  /// Makes a borrowed checkpoint the point's own.
  private func settle(_ contents: CheckpointContents, for point: PointID) throws(SealedFileError) {
    try make(own(point))
    present.insert(point)
    linkBorrowed(contents, for: point)
    try requireFiles(of: contents, in: own(point))
    try ShelfContents.write(contents, to: own(point))
    borrowed[point] = nil
  }

  /// What `contents` needs of a borrowed checkpoint and does not have yet.
  private func linkBorrowed(_ contents: CheckpointContents, for point: PointID) {
    guard borrowed[point] != nil else { return }
    for file in contents.files {
      let source = path(of: file, epoch: contents.epoch, in: folder(point))
      let place = path(of: file, epoch: contents.epoch, in: own(point))
      // Some file systems have no links. What is missing after all is seen by whoever asks for the files.
      if access(place, F_OK) != 0, link(source, place) != 0 {
        try? FileManager.default.copyItem(atPath: source, toPath: place)
      }
    }
  }

  /// Bytes of the stream of `missing`, from `offset` on. They come in order, but may begin anew at any time.
  package func keep(_ bytes: [UInt8], of missing: CheckpointContents, at offset: Int, for point: PointID)
    throws(SealedFileError)
  {
    let folder = own(point)
    if offset == 0 {
      try make(folder)
      present.insert(point)
    }
    try SealedPieces.keep(bytes, at: offset, of: missing) { path(of: $0, epoch: missing.epoch, in: folder) }
  }

  /// All of `contents` has come: it is the point's checkpoint from now on.
  package func complete(_ contents: CheckpointContents, for point: PointID) throws(SealedFileError) {
    let folder = own(point)
    linkBorrowed(contents, for: point)
    try requireFiles(of: contents, in: folder)
    try ShelfContents.write(contents, to: folder)
    borrowed[point] = nil
    kept[point] = contents
    removeOthers(than: contents, in: folder)
  }

  /// Removes the point's checkpoint when files of it are missing or cut short. Its epoch; nil when nothing was removed.
  package func removeIfBroken(_ point: PointID) -> Int? {
    guard let contents = kept[point] else { return nil }
    do {
      try requireFiles(of: contents, in: folder(point))
      return nil
    } catch {
      remove(point)
      return contents.epoch
    }
  }

  /// Nothing of the point stays, half transfers included; an ended run that it borrowed does.
  package func remove(_ point: PointID) {
    if borrowed.removeValue(forKey: point) != nil { kept[point] = nil }
    guard present.remove(point) != nil else { return }
    kept[point] = nil
    let folder = own(point)
    // Without its contents, the rest is a leftover that the next start removes.
    unlink(ShelfContents.path(in: folder))
    for name in ScratchFolder.names(in: folder) { unlink(folder + "/" + name) }
    rmdir(folder)
    // Succeeds with the last one.
    rmdir(root)
  }

  /// Whether `wanted` is the point's current checkpoint, or some parts of it. Sizes are believed only when they are ours:
  /// they decide how many files a request touches.
  package func has(_ wanted: CheckpointContents, of point: PointID) -> Bool {
    guard let contents = kept[point], wanted.epoch == contents.epoch, wanted.partBytes == contents.partBytes,
      wanted.checkpointBytes == contents.checkpointBytes
    else { return false }
    let foreign = wanted.lacking(contents)
    return foreign.weights.isEmpty && foreign.moments.isEmpty
  }

  /// What `request` asks for; nil when this is not here, or no longer, or cannot be read.
  package func chunk(_ request: CheckpointRequest, of point: PointID) -> CheckpointChunk? {
    guard has(request.missing, of: point), request.count <= CheckpointContents.maximumChunkBytes else { return nil }
    let epoch = request.missing.epoch
    var bytes: [UInt8] = []
    bytes.reserveCapacity(request.count)
    for slice in request.slices {
      let path = path(of: slice.file, epoch: epoch, in: folder(point))
      guard let part = SealedPieces.read(slice.range, of: path) else { return nil }
      bytes.append(contentsOf: part)
    }
    return bytes.isEmpty ? nil : CheckpointChunk(epoch: epoch, offset: request.offset, bytes: bytes)
  }

  /// Where the point's checkpoint is read.
  private func folder(_ point: PointID) -> String { borrowed[point].map(ended.folder) ?? own(point) }

  /// Where it is written.
  private func own(_ point: PointID) -> String { root + "/" + point.hex }

  private func make(_ folder: String) throws(SealedFileError) {
    for path in [root, folder] where mkdir(path, 0o700) != 0 && errno != EEXIST { throw .last(path, "cannot be made") }
  }

  private func path(of file: CheckpointFile, epoch: Int, in folder: String) -> String {
    switch file {
    case .checkpoint: folder + "/checkpoint-\(epoch)"
    case .weights(let number): folder + "/weights-\(number)"
    case .firstMoment(let number): folder + "/first-moment-\(number)"
    case .secondMoment(let number): folder + "/second-moment-\(number)"
    case .slowGradient(let number): folder + "/slow-gradient-\(number)"
    }
  }

  /// Every file, with its size; that each is sound was seen when it came.
  private func requireFiles(of contents: CheckpointContents, in folder: String) throws(SealedFileError) {
    for file in contents.files {
      let path = path(of: file, epoch: contents.epoch, in: folder)
      var status = stat()
      guard stat(path, &status) == 0 else { throw .last(path, "cannot be read") }
      let expected = file == .checkpoint ? contents.checkpointBytes : contents.partBytes
      guard status.st_size == expected else {
        throw SealedFileError(path: path, message: "has \(status.st_size) bytes where \(expected) are right")
      }
    }
  }

  /// Earlier checkpoints, moments that are no longer needed, half transfers.
  private func removeOthers(than contents: CheckpointContents, in folder: String) {
    let needed = Set(
      contents.files.map { path(of: $0, epoch: contents.epoch, in: folder) } + [ShelfContents.path(in: folder)])
    for name in ScratchFolder.names(in: folder) where !needed.contains(folder + "/" + name) {
      unlink(folder + "/" + name)
    }
  }
}

/// A folder's file `contents`, as JSON that is sealed like the others.
struct ShelfContents: Codable {
  let epoch: Int
  let checkpointBytes: Int
  let partBytes: Int
  let weights: [[Int]]
  let moments: [[Int]]
  let slowGradients: Bool?

  enum CodingKeys: String, CodingKey {
    case epoch
    case checkpointBytes = "checkpoint_bytes"
    case partBytes = "part_bytes"
    case weights, moments
    case slowGradients = "slow_gradients"
  }

  static func path(in folder: String) -> String { folder + "/contents" }

  static func write(_ contents: CheckpointContents, to folder: String) throws(SealedFileError) {
    func pairs(_ ranges: [Range<Int>]) -> [[Int]] { ranges.map { [$0.lowerBound, $0.upperBound] } }
    let value = ShelfContents(
      epoch: contents.epoch, checkpointBytes: contents.checkpointBytes, partBytes: contents.partBytes,
      weights: pairs(contents.weights), moments: pairs(contents.moments),
      slowGradients: contents.hasSlowGradients ? true : nil)
    let path = path(in: folder)
    guard let body = try? JSONEncoder().encode(value) else {
      throw SealedFileError(path: path, message: "cannot be written as JSON")
    }
    let bytes = [UInt8](body)
    try bytes.withUnsafeBytes { raw in
      Result { () throws(SealedFileError) in try SealedFile.write(raw, kind: .contents, to: path) }
    }.get()
  }

  /// nil when there are none.
  static func read(_ folder: String) throws(SealedFileError) -> CheckpointContents? {
    let path = path(in: folder)
    guard access(path, F_OK) == 0 else { return nil }
    let body = try SealedFile.read(path, kind: .contents)
    func ranges(_ pairs: [[Int]]) -> [Range<Int>]? {
      var next = 0
      return pairs.isEmpty
        || pairs.allSatisfy({ pair in
          defer { next = pair.last ?? 0 }
          return pair.count == 2 && pair[0] >= next && pair[1] > pair[0]
        }) ? pairs.map { $0[0]..<$0[1] } : nil
    }
    guard let value = try? JSONDecoder().decode(ShelfContents.self, from: Data(body)), value.epoch >= 0,
      value.checkpointBytes > 0, value.partBytes > 0, let weights = ranges(value.weights),
      let moments = ranges(value.moments)
    else { throw SealedFileError(path: path, message: "does not say what a checkpoint consists of") }
    return CheckpointContents(
      epoch: value.epoch, checkpointBytes: value.checkpointBytes, partBytes: value.partBytes, weights: weights,
      moments: moments, hasSlowGradients: value.slowGradients ?? false)
  }
}
