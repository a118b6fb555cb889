// The views that schema 2 changes or adds; the others stay as schema 1 made them (Views.swift).

extension Views {
  static let schema2 = """
    DROP VIEW runs;
    DROP VIEW curves;
    DROP VIEW key_frequencies;

    -- A finished point of a sweep; a run that two sweeps share appears once in each. A diverged run has no final model,
    -- hence no key frequencies: NULL, which is not none.
    CREATE VIEW runs AS
    SELECT sweep.name AS sweep, point.id AS point, setting.label AS setting, \(ExperimentColumns.listOfSchema1),
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

    -- Every measure at every evaluation, of the weights before that epoch's own step.
    CREATE VIEW curves AS
    SELECT point.id AS point, evaluation.epoch, evaluation.train_loss, evaluation.test_loss,
      evaluation.train_accuracy, evaluation.test_accuracy, evaluation.restricted_loss_train,
      evaluation.restricted_loss_test, evaluation.restricted_loss, evaluation.excluded_loss, evaluation.gini_w_e,
      evaluation.gini_w_l, evaluation.sum_squared_weights, evaluation.logit_fve, evaluation.cosine_loss_test,
      evaluation.sum_squared_w_e, evaluation.sum_squared_w_pos, evaluation.sum_squared_w_q, evaluation.sum_squared_w_k,
      evaluation.sum_squared_w_v, evaluation.sum_squared_w_o, evaluation.sum_squared_w_in, evaluation.sum_squared_b_in,
      evaluation.sum_squared_w_out, evaluation.sum_squared_b_out, evaluation.sum_squared_w_u
    FROM point JOIN evaluation ON evaluation.point = point.number;

    -- Key frequencies of final models.
    CREATE VIEW key_frequencies AS
    SELECT point.id AS point, key_frequency.frequency, key_frequency.norm, key_frequency.excluded_loss,
      key_frequency.cosine_coefficient, key_frequency.neurons, key_frequency.fve_u, key_frequency.fve_v
    FROM point JOIN key_frequency ON key_frequency.point = point.number;

    -- The same frequencies at every evaluation.
    CREATE VIEW frequency_curves AS
    SELECT point.id AS point, frequency_evaluation.epoch, frequency_evaluation.frequency,
      frequency_evaluation.excluded_loss, frequency_evaluation.cosine_coefficient
    FROM point JOIN frequency_evaluation ON frequency_evaluation.point = point.number;

    -- Every threshold of every run, crossed or not.
    CREATE VIEW crossings AS
    SELECT point.id AS point, crossing.measure, crossing.threshold, crossing.first_epoch, crossing.sustained_epoch
    FROM point JOIN crossing ON crossing.point = point.number;

    -- The phases that happened, in order.
    CREATE VIEW phases AS
    SELECT point.id AS point, phase.phase, phase.start_epoch, phase.end_epoch
    FROM point JOIN phase ON phase.point = point.number
    ORDER BY phase.point,
      CASE phase.phase WHEN 'memorization' THEN 1 WHEN 'circuit_formation' THEN 2 ELSE 3 END;

    -- Norms of all frequencies at every evaluation, K rows each.
    CREATE VIEW spectra AS
    SELECT point.id AS point, spectrum.epoch, norm.key + 1 AS frequency,
      spectrum.norms_w_e ->> norm.key AS norm_w_e, spectrum.norms_w_l ->> norm.key AS norm_w_l
    FROM point
    JOIN spectrum ON spectrum.point = point.number
    JOIN json_each(coalesce(spectrum.norms_w_e, spectrum.norms_w_l)) AS norm;

    -- Final models: neurons, attention heads, and losses of altered models.
    CREATE VIEW neurons AS
    SELECT point.id AS point, neuron.neuron, neuron.frequency, neuron.fve
    FROM point JOIN neuron ON neuron.point = point.number;

    CREATE VIEW heads AS
    SELECT point.id AS point, head.head, head.attention_to_a, head.attention_to_b, head.attention_to_equals,
      head.frequency, head.fve
    FROM point JOIN head ON head.point = point.number;

    CREATE VIEW ablations AS
    SELECT point.id AS point, ablation.name, ablation.frequency, ablation.loss,
      ablation.loss / original.loss AS ratio_to_original
    FROM point
    JOIN ablation ON ablation.point = point.number
    LEFT JOIN ablation AS original ON original.point = ablation.point AND original.name = 'original'
    ORDER BY ablation.point, ablation.position;

    """
}
