// Checkpoints that come from workers and go to others, as the scheduler directs. A shelf that takes nothing costs the
// points their head start, never the sweep.

import Grokking
import Sweeps

extension CoordinatorShell {
  func keep(_ bytes: [UInt8], of missing: CheckpointContents, at offset: Int, for point: PointID) {
    if offset == 0 { cutShort.remove(point) }
    do {
      try shelf.keep(bytes, of: missing, at: offset, for: point)
    } catch {
      cutShort.insert(point)
      queue.append(.checkpointFailed(point, reason: "\(error)"))
    }
  }

  func complete(_ contents: CheckpointContents, for point: PointID) {
    // The scheduler, which hears of a failed piece only after this round, has been told already.
    guard cutShort.remove(point) == nil else { return }
    do {
      try shelf.complete(contents, for: point)
      queue.append(.checkpointKept(point, contents))
    } catch {
      queue.append(.checkpointFailed(point, reason: "\(error)"))
      // What comes builds on what is kept: as long as that lacks something, none could be completed.
      if let epoch = shelf.removeIfBroken(point) {
        queue.append(.checkpointLost(point, epoch: epoch, reason: "files of it are missing; it was removed"))
      }
    }
  }

  /// Where longer runs than those whose ends are kept go on.
  func lend(to points: [KnownPoint]) -> [KeptCheckpoint] {
    shelf.lend(to: points.filter { $0.state == .pending }.map { ($0.id, $0.experiment) })
  }

  /// Without it, longer runs begin at their start.
  func keepEnd(of point: PointID, _ lineage: PointID) {
    do {
      try shelf.keepEnd(of: point, lineage: lineage) { other, epoch in
        queue.append(.checkpointLost(other, epoch: epoch, reason: "files of it are missing; it was removed"))
      }
    } catch {
      warnThinly("how point \(point.short) ended is not kept: \(error)")
    }
  }

  /// What a worker asked for, or that it is not here.
  func chunk(_ lease: LeaseID, _ point: PointID, _ request: CheckpointRequest) -> CoordinatorMessage {
    if let chunk = shelf.chunk(request, of: point) { return .chunk(lease: lease, point: point, chunk) }
    if shelf.has(request.missing, of: point) {
      shelf.remove(point)
      queue.append(
        .checkpointLost(point, epoch: request.missing.epoch, reason: "it can no longer be read, and was removed"))
    }
    return .chunkGone(lease: lease, point: point, epoch: request.missing.epoch)
  }
}

extension CoordinatorShell {
  /// `result` as it can be stored: weights that are not those of its point are left out. The result is none the worse.
  func checked(_ result: RunResult, of point: PointID) -> RunResult {
    guard let problem = result.problemOfWeights(of: point) else { return result }
    warnThinly("the final weights that came with the result of point \(point.short) are not kept: \(problem)")
    var result = result
    result.finalWeights = nil
    return result
  }
}
