// Checkpoints that come from workers and go to others, as the scheduler directs. A shelf that takes nothing costs the
// points their head start, never the sweep.

import Sweeps

extension CoordinatorShell {
  func keep(_ bytes: [UInt8], of missing: CheckpointContents, at offset: Int, for point: PointID) {
    onShelf(point) { () throws(SealedFileError) in
      try shelf.keep(bytes, of: missing, at: offset, for: point)
      return nil
    }
  }

  func complete(_ contents: CheckpointContents, for point: PointID) {
    onShelf(point) { () throws(SealedFileError) in
      try shelf.complete(contents, for: point)
      return .checkpointKept(point, contents)
    }
  }

  /// What a worker asked for, or that it is not here.
  func chunk(_ lease: LeaseID, _ point: PointID, _ request: CheckpointRequest) -> CoordinatorMessage {
    guard let chunk = shelf.chunk(request, of: point) else {
      return .chunkGone(lease: lease, point: point, epoch: request.missing.epoch)
    }
    return .chunk(lease: lease, point: point, chunk)
  }

  private func onShelf(_ point: PointID, _ work: () throws(SealedFileError) -> SchedulerEvent?) {
    do {
      if let event = try work() { queue.append(event) }
      if shelfTrouble != nil { logger.info("checkpoints can be kept again") }
      shelfTrouble = nil
    } catch {
      // A full disk refuses every chunk of every worker: said once.
      if shelfTrouble == nil {
        logger.warning(
          "a checkpoint of point \(point.short) could not be kept, so another machine would begin it anew: \(error)")
      }
      shelfTrouble = error
      queue.append(.checkpointFailed(point, reason: "\(error)"))
    }
  }
}
