// What the checkpoints of this machine say of points that are not finished, to somebody who only looks on: takes no lock and
// changes nothing. Checkpoints get their names when they are whole, and one that is not, for whatever reason, is none.

import Foundation
import Grokking
import Sweeps

package struct CheckpointGlance: Sendable {
  /// Of workers that share the store's machine.
  private let scratch: String
  /// Of the coordinator, to which workers of other machines hand theirs.
  private let shelf: String

  /// - Parameter path: the store's, beside which both are.
  package init(store path: String) {
    let stem = path.hasSuffix(".sqlite") ? String(path.dropLast(".sqlite".utf8.count)) : path
    scratch = "\(stem).scratch"
    shelf = "\(stem).checkpoints"
  }

  /// The file that was written last, and when, in nanoseconds.
  private func latest(_ point: PointID) -> (path: String, at: Int)? {
    let kept = "\(shelf)/\(point.hex)"
    let names = ScratchFolder.names(in: kept).filter { name in
      name.hasPrefix("checkpoint-")
        && name.dropFirst("checkpoint-".count).utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
    return (["\(scratch)/\(point.hex)/checkpoint"] + names.map { "\(kept)/\($0)" }).compactMap { path in
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      return (path, status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec)
    }.max { $0.at < $1.at }
  }

  /// Changes when the point's checkpoint does; nil without one.
  package func stamp(_ point: PointID) -> Int? { latest(point)?.at }

  /// Nil without a checkpoint, or one that cannot be read.
  package func curve(_ point: PointID) -> UnfinishedCurve? {
    // Eight bytes before the run's own say how long it took.
    guard let path = latest(point)?.path, let body = try? SealedFile.read(path, kind: .checkpoint), body.count > 8
    else { return nil }
    return try? UnfinishedCurve(checkpoint: Array(body[8...]))
  }
}
