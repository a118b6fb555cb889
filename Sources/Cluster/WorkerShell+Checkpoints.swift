// Checkpoints between the scratch space and the session: what comes in is kept, what goes out is read.

import Foundation
import Grokking
import Sweeps

extension WorkerShell {
  /// What a checkpoint that the coordinator keeps needs beyond what lies here.
  func prepare(_ point: PointID, _ experiment: Experiment, _ contents: CheckpointContents) {
    do {
      letGo()
      let folder = try scratch.open(point)
      running = folder
      folder.run.removeHalfWritten()
      queue.append(.prepared(missing: folder.run.missing(of: contents, experiment)))
    } catch {
      queue += withoutScratch("\(error)")
    }
  }

  func keep(_ bytes: [UInt8], at offset: Int, of missing: CheckpointContents, for point: PointID) {
    guard let folder = running, folder.point == point else { return }
    do {
      try folder.run.keep(bytes, at: offset, of: missing)
    } catch {
      queue.append(error.isForeignDamage ? .checkpointUnusable(reason: "\(error)") : .fetchFailed(reason: "\(error)"))
    }
  }

  func dropFetched(_ point: PointID) {
    guard let folder = running, folder.point == point else { return }
    folder.run.removeHalfWritten()
    // Parts without a checkpoint are of no use to a run.
    if !folder.run.hasCheckpoint { folder.remove() }
    letGo()
  }

  /// The bytes that the coordinator asks for, of the checkpoint that it was offered.
  func answer(_ lease: LeaseID, _ point: PointID, _ request: CheckpointRequest) -> WorkerMessage {
    let epoch = request.missing.epoch
    do {
      guard running?.point == point,
        let checkpoint = [offered, newest].compactMap(\.self).first(where: { $0.contents.epoch == epoch })
      else { return .chunkGone(lease: lease, point: point, epoch: epoch) }
      let bytes = try checkpoint.read(request)
      return .chunk(lease: lease, point: point, CheckpointChunk(epoch: epoch, offset: request.offset, bytes: bytes))
    } catch {
      logger.debug("no part of the checkpoint of point \(point.short) at epoch \(epoch): \(error)")
      return .chunkGone(lease: lease, point: point, epoch: epoch)
    }
  }
}
