// The states in which censored runs ended, beside the store, so that longer runs go on from there.
//
//   x.sqlite → x.checkpoints/ended/<lineage>/contents  checkpoint-<epoch>  weights-0 …  first-moment-12 …
//
// A lineage is what runs have in common that differ only in when they end (Experiment.lineage), so whoever wants a longer
// run knows the folder without asking what ran before, and each lineage keeps its furthest state only. A folder is what
// the shelf keeps of a point (CheckpointShelf.swift), moved here when the point's result is in the store. Any of them may be
// removed at any time: a run that would have gone on from there begins at its start, with the same result.

import Foundation
import Grokking
import Results
import Sweeps

/// Where a censored run ended.
package struct RunEnd: Hashable, Sendable {
  /// What it has in common with longer ones: `Experiment.lineage`.
  package var lineage: PointID
  package var epoch: Int

  package init(lineage: PointID, epoch: Int) {
    self.lineage = lineage
    self.epoch = epoch
  }
}

package struct EndedRuns: Sendable {
  /// Of the folder that holds them all.
  package let root: String
  /// What has to stay free on the disk: ended runs are worth less than everything else that is written there.
  private static let freeBytes = 4 << 30

  package init(besides store: String) {
    root = (store.hasSuffix(".sqlite") ? String(store.dropLast(7)) : store) + ".checkpoints/ended"
  }

  /// Whether there may be any.
  package var exist: Bool { access(root, F_OK) == 0 }

  func folder(_ lineage: PointID) -> String { root + "/" + lineage.hex }

  /// From what the run of `experiment` can go on; nil when nothing is kept of its lineage, or nothing shorter, or when what
  /// is kept cannot be of it.
  package func contents(for experiment: Experiment) -> CheckpointContents? {
    guard let lineage = experiment.lineage, let contents = try? ShelfContents.read(folder(lineage)),
      contents.epoch < experiment.training.epochs, contents.problem(for: experiment) == nil
    else { return nil }
    return contents
  }

  /// How many there are, and the bytes that they take.
  package var size: (runs: Int, bytes: Int) {
    let kept = ScratchFolder.names(in: root).compactMap { PointID(hex: $0) }
      .compactMap { try? ShelfContents.read(folder($0)) }
    return (kept.count, kept.reduce(0) { $0 + $1.byteCount })
  }

  /// Moves a point's folder here, unless the lineage has a later state.
  func take(_ source: String, lineage: PointID) throws(SealedFileError) {
    guard let contents = try ShelfContents.read(source) else { return }
    let place = folder(lineage)
    if let earlier = try? ShelfContents.read(place), earlier.epoch >= contents.epoch { return }
    var disk = statvfs()
    if statvfs(source, &disk) == 0, Int(disk.f_bavail) * Int(disk.f_frsize) < Self.freeBytes {
      throw SealedFileError(
        path: root, message: "is not filled further: less than \(Self.freeBytes >> 30) GiB of the disk are free")
    }
    if mkdir(root, 0o700) != 0 && errno != EEXIST { throw .last(root, "cannot be made") }
    // Without its contents the old one is nothing, should this be cut short.
    unlink(ShelfContents.path(in: place))
    for name in ScratchFolder.names(in: place) { unlink(place + "/" + name) }
    rmdir(place)
    guard rename(source, place) == 0 else { throw .last(place, "cannot be made") }
  }
}

extension Store {
  /// Where the run of a finished point ended, if it was censored there and longer ones could go on; nil also for a point
  /// that is not here, as when a store was made anew beside the checkpoints of an earlier one.
  func end(of point: PointID) throws -> RunEnd? {
    guard try states(of: [point]) == [.finished], let result = try result(of: point) else { return nil }
    let experiment = try story(of: point).experiment
    guard result.isCensoredAtItsEnd, let lineage = experiment.lineage else { return nil }
    return RunEnd(lineage: lineage, epoch: result.epochs)
  }
}
