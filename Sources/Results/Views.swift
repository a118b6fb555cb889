// The views for people, as promised in docs/reference/store.md: plain SQL of SQLite 3.40, nothing to load.

enum Views {
  /// Views of schema 1.
  static let schema1 = """
    -- A finished point of a sweep; a run that two sweeps share appears once in each.
    CREATE VIEW runs AS
    SELECT sweep.name AS sweep, point.id AS point, setting.label AS setting, \(ExperimentColumns.listOfSchema1),
      run.outcome, run.memorization_epoch, run.grokking_epoch,
      run.grokking_epoch - run.memorization_epoch AS grokking_delay, run.censored_after,
      evaluation.train_loss, evaluation.test_loss, evaluation.train_accuracy, evaluation.test_accuracy,
      evaluation.restricted_loss, evaluation.excluded_loss, evaluation.gini_w_e, evaluation.gini_w_l,
      evaluation.sum_squared_weights,
      (SELECT count(*) FROM key_frequency WHERE key_frequency.point = run.point) AS key_frequency_count,
      run.epochs, run.seconds, run.worker, run.digest, run.kernel_path, run.measure_version
    FROM sweep
    JOIN sweep_point ON sweep_point.sweep = sweep.number
    JOIN run ON run.point = sweep_point.point
    JOIN point ON point.number = run.point
    JOIN setting ON setting.sweep = sweep.number AND setting.position = sweep_point.setting
    LEFT JOIN evaluation ON evaluation.point = run.point AND evaluation.epoch = run.last_evaluation
    ORDER BY sweep_point.sweep, sweep_point.position;

    -- Every measure at every evaluation, of the weights before that epoch's own step.
    CREATE VIEW curves AS
    SELECT point.id AS point, evaluation.epoch, evaluation.train_loss, evaluation.test_loss,
      evaluation.train_accuracy, evaluation.test_accuracy, evaluation.restricted_loss_train,
      evaluation.restricted_loss_test, evaluation.restricted_loss, evaluation.excluded_loss, evaluation.gini_w_e,
      evaluation.gini_w_l, evaluation.sum_squared_weights
    FROM point JOIN evaluation ON evaluation.point = point.number;

    -- Key frequencies of final models.
    CREATE VIEW key_frequencies AS
    SELECT point.id AS point, key_frequency.frequency, key_frequency.norm, key_frequency.excluded_loss
    FROM point JOIN key_frequency ON key_frequency.point = point.number;

    -- Points by state; pending + running + finished + failed = total.
    CREATE VIEW sweep_progress AS
    SELECT sweep, total - finished - failed - running AS pending, running, finished, failed, total,
      CASE
        WHEN finished + failed = total THEN 0.0
        WHEN running > 0 AND finished > 0
          THEN round((total - finished - failed) * finished_seconds / finished / running, 1)
      END AS eta_seconds
    FROM (
      SELECT sweep.number, sweep.name AS sweep, sweep.total, sweep.finished, sweep.failed, sweep.finished_seconds,
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
    -- By the index over settings alone: a million points are counted in a tenth of a second.
    counted AS (
      SELECT sweep, setting, count(*) AS points, min(point) AS any_point FROM sweep_point GROUP BY sweep, setting),
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
    SELECT sweep.name AS sweep, setting.label AS setting, counted.points, coalesce(folded.runs, 0) AS runs,
      coalesce(folded.grokked, 0) AS grokked, coalesce(folded.runs - folded.grokked, 0) AS censored,
      coalesce(folded.immediate, 0) AS immediate, coalesce(folded.collapsed, 0) AS collapsed,
      coalesce(folded.diverged, 0) AS diverged, folded.median_grokking_epoch, folded.min_grokking_epoch,
      folded.max_grokking_epoch, folded.median_memorization_epoch,
      \(ExperimentColumns.listWithoutSeedsOfSchema1)
    FROM counted
    JOIN sweep ON sweep.number = counted.sweep
    JOIN setting ON setting.sweep = counted.sweep AND setting.position = counted.setting
    JOIN point ON point.number = counted.any_point
    LEFT JOIN folded ON folded.sweep = counted.sweep AND folded.setting = counted.setting
    ORDER BY counted.sweep, counted.setting;

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
      worker.first_seen, worker.last_seen
    FROM worker
    ORDER BY worker.number;

    -- Every lease that was granted. `delivered` is 1 where the stored result came from this lease, however late.
    CREATE VIEW attempts AS
    SELECT attempt.lease, point.id AS point, attempt.worker, worker.host, coalesce(attempt.class, 'open') AS class,
      attempt.reason, attempt.charged, attempt.epoch, attempt.started, attempt.ended,
      round((julianday(attempt.ended) - julianday(attempt.started)) * 86400.0, 3) AS seconds,
      EXISTS (SELECT 1 FROM run WHERE run.point = attempt.point AND run.lease = attempt.lease) AS delivered
    FROM attempt
    JOIN point ON point.number = attempt.point
    JOIN worker ON worker.number = attempt.worker
    ORDER BY attempt.lease;

    -- Second results of finished points that had other bits: determinism was broken on one of the two machines.
    -- `first_different_epoch` is where their chained digests part.
    CREATE VIEW violations AS
    SELECT point.id AS point, run.digest AS stored_digest, violation.digest AS other_digest,
      violation.first_different_epoch, violation.worker, worker.host, violation.recorded
    FROM violation
    JOIN run ON run.point = violation.point
    JOIN point ON point.number = violation.point
    JOIN worker ON worker.number = violation.worker
    ORDER BY violation.number;

    """
}
