// Named reads, mostly of the views that people query too. Each is one snapshot.

import GRDB
import Grokking
import Sweeps

extension Store {
  /// In order of registration.
  package func sweepNames() throws -> [String] {
    try read { database in try String.fetchAll(database, sql: "SELECT name FROM sweep ORDER BY number") }
  }

  /// Every sweep, in order of registration.
  package func sweepProgress() throws -> [SweepProgress] {
    try read { database in
      try Row.fetchAll(database, sql: Self.progress + " ORDER BY number").map(SweepProgress.init(row:))
    }
  }

  /// Throws `StoreError.Kind.unknown` for a sweep that is not here, as do the other reads of one sweep.
  package func sweepProgress(of sweep: String) throws -> SweepProgress {
    try read { database in
      _ = try number(ofSweep: sweep, in: database)
      return SweepProgress(
        row: try Row.fetchOne(database, sql: Self.progress + " WHERE sweep = ?", arguments: [sweep])!)
    }
  }

  private static let progress = """
    SELECT sweep_progress.*,
      sweep_progress.finished + sweep_progress.failed < sweep_progress.total
        AND canonical LIKE '%"method":"boundary"%' AS refining
    FROM sweep_progress JOIN sweep ON sweep.name = sweep_progress.sweep
    """

  /// In the sweep's order of settings, those without a finished run included.
  package func grokkingTimes(of sweep: String) throws -> [GrokkingTime] {
    try read { database in
      _ = try number(ofSweep: sweep, in: database)
      return try Row.fetchAll(database, sql: "SELECT * FROM grokking_times WHERE sweep = ?", arguments: [sweep])
        .map(GrokkingTime.init(row:))
    }
  }

  /// The finished points of a sweep, in the sweep's order.
  package func runs(of sweep: String) throws -> [RunSummary] {
    try read { database in
      let number = try number(ofSweep: sweep, in: database)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT point.id, setting.label, run.outcome, run.memorization_epoch, run.grokking_epoch, run.censored_after,
            CASE WHEN run.outcome <> 'diverged'
              THEN (SELECT count(*) FROM key_frequency WHERE key_frequency.point = run.point) END, run.epochs, run.seconds,
            run.worker, run.digest, run.kernel_path, run.measure_version, \(ExperimentColumns.list(of: "point")),
            \(EvaluationColumns.names.map { "evaluation.\($0)" }.joined(separator: ", "))
          FROM sweep_point
          JOIN run ON run.point = sweep_point.point
          JOIN point ON point.number = run.point
          JOIN setting ON setting.sweep = sweep_point.sweep AND setting.position = sweep_point.setting
          LEFT JOIN evaluation ON evaluation.point = run.point AND evaluation.epoch = run.last_evaluation
          WHERE sweep_point.sweep = ?
          ORDER BY sweep_point.position
          """,
        arguments: [number])
      var runs: [RunSummary] = []
      while let row = try rows.next() { runs.append(try run(row, of: sweep)) }
      return runs
    }
  }

  /// Failed points with their reasons, of one sweep or (nil) of the store, in order.
  package func failures(of sweep: String? = nil) throws -> [FailedPoint] {
    try read { database in
      let sweepNumber = try sweep.map { try number(ofSweep: $0, in: database) }
      return try Row.fetchAll(
        database,
        sql: """
          SELECT id, failure FROM point
          WHERE state = 'failed' AND (:sweep IS NULL OR EXISTS (
            SELECT 1 FROM sweep_point WHERE sweep_point.point = point.number AND sweep_point.sweep = :sweep))
          ORDER BY number
          """,
        arguments: ["sweep": sweepNumber]
      ).map { FailedPoint(id: try PointID(stored: $0[0], path: path), reason: $0[1]) }
    }
  }

  /// In order of their discovery.
  package func violations() throws -> [Violation] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT point, stored_digest, other_digest, first_different_epoch, worker, recorded FROM violations
          """
      ).map { row in
        Violation(
          point: try PointID(stored: row[0], path: path), storedDigest: row[1], otherDigest: row[2],
          firstDifferentEpoch: row[3], worker: row[4], recorded: row[5])
      }
    }
  }

  package func violationCount() throws -> Int {
    try read { database in try Int.fetchOne(database, sql: "SELECT count(*) FROM violation") ?? 0 }
  }

  package func summary() throws -> StoreSummary {
    try read { database in
      func count(_ sql: String) throws -> Int { try Int.fetchOne(database, sql: sql) ?? 0 }
      let running = try count(
        """
        SELECT count(*) FROM attempt JOIN point ON point.number = attempt.point
        WHERE attempt.class IS NULL AND point.state = 'pending'
        """)
      let points = try count("SELECT count(*) FROM point")
      let finished = try count("SELECT count(*) FROM run")
      let failed = try count("SELECT count(*) FROM point WHERE state = 'failed'")
      return StoreSummary(
        schemaVersion: Self.schemaVersion, sweeps: try count("SELECT count(*) FROM sweep"), points: points,
        pending: points - running - finished - failed, running: running, finished: finished, failed: failed,
        attempts: try count("SELECT count(*) FROM attempt"), workers: try count("SELECT count(*) FROM worker"),
        violations: try count("SELECT count(*) FROM violation"))
    }
  }

  private func run(_ row: Row, of sweep: String) throws -> RunSummary {
    let experiment = 13
    let evaluation = experiment + ExperimentColumns.names.count
    return RunSummary(
      sweep: sweep, point: try PointID(stored: row[0], path: path), setting: row[1],
      experiment: try ExperimentColumns.experiment(row, from: experiment, path: path), outcome: row[2],
      memorizationEpoch: row[3], grokkingEpoch: row[4], censoredAfter: row[5],
      final: row.hasNull(atIndex: evaluation) ? nil : EvaluationColumns.evaluation(row, from: evaluation),
      keyFrequencyCount: row[6], epochs: row[7], seconds: row[8], worker: row[9], digest: row[10], kernelPath: row[11],
      measureVersion: row[12])
  }
}

extension SweepProgress {
  fileprivate init(row: Row) {
    self.init(
      sweep: row["sweep"], pending: row["pending"], running: row["running"], finished: row["finished"],
      failed: row["failed"], total: row["total"], etaSeconds: row["eta_seconds"],
      state: SweepState(rawValue: row["state"])!, priority: row["priority"], isRefining: row["refining"])
  }
}

extension GrokkingTime {
  fileprivate init(row: Row) {
    self.init(
      sweep: row["sweep"], setting: row["setting"], points: row["points"], runs: row["runs"], grokked: row["grokked"],
      censored: row["censored"], immediate: row["immediate"], collapsed: row["collapsed"], diverged: row["diverged"],
      medianGrokkingEpoch: row["median_grokking_epoch"], medianLow: row["median_low"], medianHigh: row["median_high"],
      minGrokkingEpoch: row["min_grokking_epoch"],
      maxGrokkingEpoch: row["max_grokking_epoch"], medianMemorizationEpoch: row["median_memorization_epoch"])
  }
}
