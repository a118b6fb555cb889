// How things stand by the store alone: for `top` on the coordinator's machine. What only the coordinator has in mind (speeds,
// losses, when a worker was last heard to the second) is not there; epochs are as it noted them last.

import Foundation
import GRDB
import Grokking
import Sweeps

extension Store {
  /// A worker without a point that was not seen for so long is not told of.
  private static let idleSeconds = 600.0

  /// Without a coordinator there are no workers.
  package func standing(at now: Date, failures: Int = 10) throws -> CoordinatorStatus {
    let holder = try Store.lockHolder(path: path)
    return CoordinatorStatus(
      store: path, coordinator: holder, sweeps: try sweepProgress(), workers: holder == nil ? [] : try workers(at: now),
      barredHosts: [], failures: try recentFailures(failures), verifications: try verificationCounts(),
      violations: try violationCount(), awaited: 0, remaining: nil, isPaused: false)
  }

  private func workers(at now: Date) throws -> [WorkerStatus] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT worker.number, worker.host, worker.process_id, worker.key, worker.kernel_path, point.id,
            point.state = 'finished' AS again, attempt.epoch, point.max_epochs,
            (julianday(:now) - julianday(attempt.started)) * 86400.0 AS held,
            (julianday(:now) - julianday(worker.last_seen)) * 86400.0 AS silent
          FROM worker
          LEFT JOIN attempt ON attempt.worker = worker.number AND attempt.class IS NULL
          LEFT JOIN point ON point.number = attempt.point
          WHERE attempt.lease IS NOT NULL
            OR worker.left_at IS NULL AND julianday(worker.last_seen) > julianday(:now) - :idle / 86400.0
          ORDER BY worker.number
          """,
        arguments: ["now": Timestamp.text(now), "idle": Self.idleSeconds]
      ).map { row in
        let point = try (row["id"] as String?).map { try PointID(stored: $0, path: path) }
        let epoch: Int? = row["epoch"]
        return WorkerStatus(
          worker: row["number"], host: row["host"], processID: row["process_id"], key: row["key"],
          kernelPath: row["kernel_path"], point: point, isVerification: row["again"] ?? false, epoch: epoch,
          epochs: epoch == nil ? nil : row["max_epochs"], heldSeconds: (row["held"] as Double?).map { max(0, $0) },
          silentSeconds: max(0, row["silent"]))
      }
    }
  }
}
