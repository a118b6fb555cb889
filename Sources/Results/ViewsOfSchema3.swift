// The views that schema 3 changes or adds; the others stay as schemas 1 and 2 made them.

extension Views {
  /// Before the tables that they read are built anew.
  static let removedInSchema3 = """
    DROP VIEW sweep_progress;
    DROP VIEW grokking_times;
    DROP VIEW workers;
    DROP VIEW attempts;

    """

  static let schema3 = """
    -- Points by state; pending + running + finished + failed = total.
    CREATE VIEW sweep_progress AS
    SELECT sweep, total - finished - failed - running AS pending, running, finished, failed, total,
      CASE
        WHEN finished + failed = total THEN 0.0
        WHEN running > 0 AND finished > 0
          THEN round((total - finished - failed) * finished_seconds / finished / running, 1)
      END AS eta_seconds,
      state, priority
    FROM (
      SELECT sweep.number, sweep.name AS sweep, sweep.total, sweep.finished, sweep.failed, sweep.finished_seconds,
        sweep.state, sweep.priority,
        (SELECT count(*)
          -- CROSS JOIN: from the few open attempts to the sweeps, never through a million points.
          FROM attempt
          CROSS JOIN point ON point.number = attempt.point
          CROSS JOIN sweep_point ON sweep_point.point = attempt.point AND sweep_point.sweep = sweep.number
          WHERE attempt.class IS NULL AND point.state = 'pending') AS running
      FROM sweep)
    ORDER BY number;

    -- When each setting grokked, its seeds folded. `grokked` counts the runs with an observed grokking epoch (outcome
    -- grokked, immediate, collapsed, or diverged after grokking), `censored` all others, so that
    -- runs = grokked + censored. A median is the first epoch by which at least half of the runs had done it; runs that
    -- never did count as later than all; NULL when less than half did.
    CREATE VIEW grokking_times AS
    WITH
    ranked AS (
      SELECT sweep_point.sweep, sweep_point.setting, run.outcome, run.grokking_epoch, run.memorization_epoch,
        count(*) OVER (PARTITION BY sweep_point.sweep, sweep_point.setting) AS runs,
        row_number() OVER (PARTITION BY sweep_point.sweep, sweep_point.setting
          ORDER BY run.grokking_epoch IS NULL, run.grokking_epoch) AS grokking_rank,
        row_number() OVER (PARTITION BY sweep_point.sweep, sweep_point.setting
          ORDER BY run.memorization_epoch IS NULL, run.memorization_epoch) AS memorization_rank
      -- CROSS JOIN: from the runs to the sweeps, not through points that have none.
      FROM run CROSS JOIN sweep_point ON sweep_point.point = run.point),
    folded AS (
      SELECT sweep, setting, count(*) AS runs, count(grokking_epoch) AS grokked,
        count(*) FILTER (WHERE outcome = 'immediate') AS immediate,
        count(*) FILTER (WHERE outcome = 'collapsed') AS collapsed,
        count(*) FILTER (WHERE outcome = 'diverged') AS diverged,
        max(grokking_epoch) FILTER (WHERE grokking_rank = (runs + 1) / 2) AS median_grokking_epoch,
        min(grokking_epoch) AS min_grokking_epoch, max(grokking_epoch) AS max_grokking_epoch,
        max(memorization_epoch) FILTER (WHERE memorization_rank = (runs + 1) / 2) AS median_memorization_epoch
      FROM ranked
      GROUP BY sweep, setting)
    SELECT sweep.name AS sweep, setting.label AS setting, setting.points, coalesce(folded.runs, 0) AS runs,
      coalesce(folded.grokked, 0) AS grokked, coalesce(folded.runs - folded.grokked, 0) AS censored,
      coalesce(folded.immediate, 0) AS immediate, coalesce(folded.collapsed, 0) AS collapsed,
      coalesce(folded.diverged, 0) AS diverged, folded.median_grokking_epoch, folded.min_grokking_epoch,
      folded.max_grokking_epoch, folded.median_memorization_epoch,
      \(ExperimentColumns.listWithoutSeedsOfSchema1)
    FROM setting
    JOIN sweep ON sweep.number = setting.sweep
    JOIN point ON point.number = setting.example
    LEFT JOIN folded ON folded.sweep = setting.sweep AND folded.setting = setting.position
    ORDER BY setting.sweep, setting.position;

    -- Worker processes, one slot each. `running`: holds a lease; `idle`: none; `left`: said goodbye or was given up.
    CREATE VIEW workers AS
    SELECT worker.number AS worker, worker.host, worker.process_id, worker.cpu, worker.cores, 1 AS slots,
      worker.kernel_path, worker.build,
      CASE
        WHEN EXISTS (SELECT 1 FROM attempt WHERE attempt.worker = worker.number AND attempt.class IS NULL)
          THEN 'running'
        WHEN worker.left_at IS NOT NULL THEN 'left'
        ELSE 'idle'
      END AS state,
      (SELECT count(*) FROM attempt WHERE attempt.worker = worker.number) AS attempts,
      (SELECT count(*) FROM attempt WHERE attempt.worker = worker.number AND attempt.class = 'finished') AS finished,
      worker.first_seen, worker.last_seen, worker.key
    FROM worker
    ORDER BY worker.number;

    -- Every lease that was granted. `delivered` is 1 where the stored result came from this lease, however late.
    CREATE VIEW attempts AS
    SELECT attempt.lease, point.id AS point, attempt.worker, worker.host, coalesce(attempt.class, 'open') AS class,
      attempt.reason, attempt.charged, attempt.epoch, attempt.started, attempt.ended,
      round((julianday(attempt.ended) - julianday(attempt.started)) * 86400.0, 3) AS seconds,
      EXISTS (SELECT 1 FROM run WHERE run.point = attempt.point AND run.lease = attempt.lease) AS delivered,
      attempt.refunded
    FROM attempt
    JOIN point ON point.number = attempt.point
    JOIN worker ON worker.number = attempt.worker
    ORDER BY attempt.lease;

    -- Finished points that were to be run once more.
    CREATE VIEW verifications AS
    SELECT point.id AS point,
      CASE
        WHEN verification.done IS NULL THEN 'requested'
        WHEN verification.equal = 1 THEN 'equal'
        WHEN verification.equal = 0 THEN 'different'
        ELSE 'failed'
      END AS state,
      verification.requested, verification.requested_by, verification.done, verification.reason, run.digest AS stored_digest,
      verification.digest AS other_digest, verification.lease, attempt.worker, worker.host
    FROM verification
    JOIN point ON point.number = verification.point
    JOIN run ON run.point = verification.point
    LEFT JOIN attempt ON attempt.lease = verification.lease
    LEFT JOIN worker ON worker.number = attempt.worker
    ORDER BY verification.number;

    -- Points that are set aside, once for each of their sweeps.
    CREATE VIEW failures AS
    SELECT sweep.name AS sweep, point.id AS point, setting.label AS setting, \(ExperimentColumns.listOfSchema1),
      point.failure AS reason,
      (SELECT count(*) FROM attempt WHERE attempt.point = point.number AND attempt.charged = 1) AS charged_attempts
    FROM point
    CROSS JOIN sweep_point ON sweep_point.point = point.number
    JOIN sweep ON sweep.number = sweep_point.sweep
    JOIN setting ON setting.sweep = sweep_point.sweep AND setting.position = sweep_point.setting
    WHERE point.state = 'failed'
    ORDER BY sweep_point.sweep, sweep_point.position;

    """
}
