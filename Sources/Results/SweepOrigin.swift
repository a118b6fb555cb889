// Where the runs of a sweep come from: machines, versions, second looks, and what was spent besides.

import GRDB
import Sweeps

/// What one kind of machine has contributed to a sweep.
package struct MachineShare: Hashable, Sendable {
  package let host: String
  package let cpu: String
  package let cores: Int
  package let kernelPath: String
  /// Worker processes that delivered.
  package let workers: Int
  package let runs: Int
  /// Trained for delivered runs.
  package let seconds: Double
  /// Of one core, over runs that were trained in one go; nil when there are none.
  package let epochsPerSecond: Double?
}

/// What runs were computed with.
package struct RunVersion: Hashable, Sendable {
  package let build: String
  package let semanticsVersion: Int
  package let measureVersion: Int
  package let kernelPath: String
  package let runs: Int
}

/// Attempts of one class, and how long they held their points.
package struct AttemptShare: Hashable, Sendable {
  /// As in the view `attempts`.
  package let kind: String
  package let attempts: Int
  package let seconds: Double
}

package struct SweepOrigin: Sendable {
  /// ISO-8601, UTC.
  package let registered: String
  /// Of the first and the last result; nil without results.
  package let firstStored: String?
  package let lastStored: String?
  /// The sweep file as it was given.
  package let fileText: String
  /// By host, in the order in which they first came.
  package let machines: [MachineShare]
  package let versions: [RunVersion]
  package let attempts: [AttemptShare]
  /// Finished runs that were computed again, and had the same digest.
  package let verifiedEqual: Int
  package let verifiedDifferent: Int
  package let violations: Int
}

/// A row of the view `boundaries`: between which values the outcome changes.
package struct CriticalInterval: Hashable, Sendable {
  /// The other axes' values; empty when there are none.
  package let setting: String
  /// `task.train_fraction`.
  package let axis: String
  package let low: Double
  package let high: Double
  /// Whether it is at `high` that runs grok.
  package let groksAtHigh: Bool
  package let resolution: Double
  package let runs: Int
}

extension Store {
  package func origin(of sweep: String) throws -> SweepOrigin {
    try read { database in
      let number = try number(ofSweep: sweep, in: database)
      func rows(_ sql: String) throws -> [Row] { try Row.fetchAll(database, sql: sql, arguments: [number]) }
      let machines = try rows(
        """
        SELECT worker.host, worker.cpu, max(worker.cores), run.kernel_path, count(DISTINCT worker.number), count(*),
          sum(run.seconds),
          -- A run that went on from a checkpoint does not say how long its beginning took.
          sum(run.epochs) FILTER (WHERE run.seconds > 0 AND NOT EXISTS (
            SELECT 1 FROM attempt WHERE attempt.point = run.point AND attempt.lease < run.lease)),
          sum(run.seconds) FILTER (WHERE run.seconds > 0 AND NOT EXISTS (
            SELECT 1 FROM attempt WHERE attempt.point = run.point AND attempt.lease < run.lease))
        FROM sweep_point CROSS JOIN run ON run.point = sweep_point.point JOIN worker ON worker.number = run.worker
        WHERE sweep_point.sweep = ?
        GROUP BY worker.host, worker.cpu, run.kernel_path ORDER BY min(worker.number)
        """
      ).map { row in
        let (epochs, seconds): (Double?, Double?) = (row[7], row[8])
        return MachineShare(
          host: row[0], cpu: row[1], cores: row[2], kernelPath: row[3], workers: row[4], runs: row[5], seconds: row[6],
          epochsPerSecond: epochs.flatMap { epochs in seconds.map { epochs / $0 } })
      }
      let versions = try rows(
        """
        SELECT worker.build, run.semantics_version, run.measure_version, run.kernel_path, count(*)
        FROM sweep_point CROSS JOIN run ON run.point = sweep_point.point JOIN worker ON worker.number = run.worker
        WHERE sweep_point.sweep = ? GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        """
      ).map {
        RunVersion(build: $0[0], semanticsVersion: $0[1], measureVersion: $0[2], kernelPath: $0[3], runs: $0[4])
      }
      let attempts = try rows(
        """
        SELECT coalesce(attempt.class, 'open'), count(*),
          coalesce(sum((julianday(attempt.ended) - julianday(attempt.started)) * 86400.0), 0)
        FROM sweep_point CROSS JOIN attempt ON attempt.point = sweep_point.point
        WHERE sweep_point.sweep = ? GROUP BY 1 ORDER BY 1
        """
      ).map { AttemptShare(kind: $0[0], attempts: $0[1], seconds: $0[2]) }
      func count(_ sql: String) throws -> Int { try rows(sql).first?[0] ?? 0 }
      let about = try rows("SELECT created, file_text FROM sweep WHERE number = ?")[0]
      let ends = try rows(
        """
        SELECT min(run.stored), max(run.stored) FROM sweep_point CROSS JOIN run ON run.point = sweep_point.point
        WHERE sweep_point.sweep = ?
        """)[0]
      func verified(_ equal: Int) -> String {
        """
        SELECT count(DISTINCT verification.point) FROM verification JOIN sweep_point ON sweep_point.point = verification.point
        WHERE sweep_point.sweep = ? AND equal = \(equal)
        """
      }
      return SweepOrigin(
        registered: about[0], firstStored: ends[0], lastStored: ends[1], fileText: about[1], machines: machines,
        versions: versions, attempts: attempts, verifiedEqual: try count(verified(1)),
        verifiedDifferent: try count(verified(0)),
        violations: try count(
          """
          SELECT count(*) FROM violation JOIN sweep_point ON sweep_point.point = violation.point
          WHERE sweep_point.sweep = ?
          """))
    }
  }

  /// None for a sweep that does not search.
  package func criticalIntervals(of sweep: String) throws -> [CriticalInterval] {
    try read { database in
      _ = try number(ofSweep: sweep, in: database)
      return try Row.fetchAll(
        database,
        sql: "SELECT setting, axis, low, high, grokked, resolution, runs FROM boundaries WHERE sweep = ?",
        arguments: [sweep]
      ).map {
        CriticalInterval(
          setting: $0[0], axis: $0[1], low: $0[2], high: $0[3], groksAtHigh: $0[4] == "high", resolution: $0[5],
          runs: $0[6])
      }
    }
  }
}
