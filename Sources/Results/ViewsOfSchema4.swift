// The views that schema 4 changes or adds, for people; the others stay as earlier schemas made them.
//
// Those with an experiment's values gain the values that are younger than they. `grokking_times` and `predictors` stand in
// StatisticsOfSchema4.swift. Released: never edited.

extension Views {
  static let removedInSchema4 = """
    DROP VIEW runs;
    DROP VIEW grokking_times;
    DROP VIEW failures;

    """

  static let schema4 =
    """
    -- A finished point of a sweep; a run that two sweeps share appears once in each. A diverged run has no final model,
    -- hence no key frequencies: NULL, which is not none.
    CREATE VIEW runs AS
    SELECT sweep.name AS sweep, point.id AS point, setting.label AS setting,
      \(ExperimentColumns.listOfSchema4),
      run.outcome, run.memorization_epoch, run.grokking_epoch,
      run.grokking_epoch - run.memorization_epoch AS grokking_delay, run.censored_after,
      evaluation.train_loss, evaluation.test_loss, evaluation.train_accuracy, evaluation.test_accuracy,
      evaluation.restricted_loss, evaluation.excluded_loss, evaluation.gini_w_e, evaluation.gini_w_l,
      evaluation.sum_squared_weights,
      CASE WHEN run.outcome <> 'diverged'
        THEN (SELECT count(*) FROM key_frequency WHERE key_frequency.point = run.point) END AS key_frequency_count,
      run.epochs, run.seconds, run.worker, run.digest, run.kernel_path, run.measure_version,
      CASE
        WHEN run.outcome = 'diverged' THEN 'diverged'
        WHEN run.epochs < point.max_epochs THEN 'after_grokking'
        ELSE 'all_epochs'
      END AS ended_by,
      (SELECT end_epoch FROM phase WHERE phase.point = run.point AND phase = 'memorization') AS memorization_end,
      (SELECT start_epoch FROM phase WHERE phase.point = run.point AND phase = 'cleanup') AS cleanup_start,
      (SELECT end_epoch FROM phase WHERE phase.point = run.point AND phase = 'cleanup') AS cleanup_end,
      evaluation.restricted_loss_train, evaluation.restricted_loss_test, evaluation.logit_fve,
      evaluation.cosine_loss_test, final_measure.rank_residual, final_measure.neurons_over_85,
      CASE WHEN run.outcome <> 'diverged' THEN coalesce((
        SELECT group_concat(frequency, ',')
        FROM (SELECT frequency FROM key_frequency WHERE key_frequency.point = run.point ORDER BY frequency)), '')
      END AS key_frequencies,
      trim(final_measure.key_frequencies_w_e, '[]') AS key_frequencies_w_e,
      trim(final_measure.key_frequencies_neurons, '[]') AS key_frequencies_neurons
    FROM sweep
    JOIN sweep_point ON sweep_point.sweep = sweep.number
    JOIN run ON run.point = sweep_point.point
    JOIN point ON point.number = run.point
    JOIN setting ON setting.sweep = sweep.number AND setting.position = sweep_point.setting
    LEFT JOIN evaluation ON evaluation.point = run.point AND evaluation.epoch = run.last_evaluation
    LEFT JOIN final_measure ON final_measure.point = run.point
    ORDER BY sweep_point.sweep, sweep_point.position;

    -- Points that are set aside, once for each of their sweeps.
    CREATE VIEW failures AS
    SELECT sweep.name AS sweep, point.id AS point, setting.label AS setting,
      \(ExperimentColumns.listOfSchema4), point.failure AS reason,
      (SELECT count(*) FROM attempt WHERE attempt.point = point.number AND attempt.charged = 1) AS charged_attempts
    FROM point
    CROSS JOIN sweep_point ON sweep_point.point = point.number
    JOIN sweep ON sweep.number = sweep_point.sweep
    JOIN setting ON setting.sweep = sweep_point.sweep AND setting.position = sweep_point.setting
    WHERE point.state = 'failed'
    ORDER BY sweep_point.sweep, sweep_point.position;

    """ + grokkingTimesOfSchema4 + predictorsOfSchema4
}
