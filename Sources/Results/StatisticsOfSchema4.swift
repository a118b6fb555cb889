// The statistics of schema 4: when settings grokked, and what foretells it. Both are views, so that nothing is written
// when a run ends, and stores of any age answer as new ones do. Why they are as they are:
// docs/decisions/0020-statistics.md.
//
// Released: never edited.

extension Views {
  /// Kaplan and Meier's estimate of the share that has not grokked (or memorized) yet, its median, and the interval of
  /// Brookmeyer and Crowley from pointwise 95 % intervals of ln(−ln S) with Greenwood's variance; then moments of
  /// log epochs. Settings without runs have rows of zeros and NULLs.
  static let grokkingTimesOfSchema4 = """
    -- When each setting grokked, its seeds folded. `grokked` counts the runs with an observed grokking epoch (outcome
    -- grokked, immediate, collapsed, or diverged after grokking), `censored` all others, so that
    -- runs = grokked + censored.
    CREATE VIEW grokking_times AS
    WITH
    followed AS (
      SELECT sweep_point.sweep, sweep_point.setting, run.point, run.outcome, run.grokking_epoch, run.memorization_epoch,
        run.censored_after, run.epochs
      -- CROSS JOIN: from the runs to the sweeps, not through points that have none.
      FROM run CROSS JOIN sweep_point ON sweep_point.point = run.point),
    awaited AS (
      SELECT sweep, setting, 'grokking' AS event, grokking_epoch AS seen, coalesce(grokking_epoch, censored_after) AS epoch
      FROM followed
      UNION ALL
      SELECT sweep, setting, 'memorization', memorization_epoch, coalesce(memorization_epoch, epochs) FROM followed),
    -- Who leaves at an epoch was there until then: `at_risk` counts those with this epoch or a later one.
    leaving AS (
      SELECT sweep, setting, event, epoch, count(seen) AS events,
        sum(count(*)) OVER (PARTITION BY sweep, setting, event ORDER BY epoch DESC) AS at_risk
      FROM awaited
      GROUP BY sweep, setting, event, epoch),
    -- ln S and Greenwood's sum, variance / S². S is 0 when the last run does it; then there is neither.
    survival AS MATERIALIZED (
      SELECT sweep, setting, event, epoch, events = at_risk AS is_zero,
        sum(\(ArithmeticSQL.lnOfRest("events", of: "at_risk"))) OVER earlier AS ln_survival,
        sum(1.0 * events / (at_risk * (at_risk - events))) OVER earlier AS greenwood
      FROM leaving
      WHERE events > 0
      WINDOW earlier AS (PARTITION BY sweep, setting, event ORDER BY epoch)),
    -- How far ln(−ln S) lies from that of one half, whose interval is compared in squares: no root is needed.
    compared AS MATERIALIZED (
      SELECT *, CASE WHEN event = 'grokking' THEN \(ArithmeticSQL.ln("(-ln_survival)")) + 0.36651292058166435 END AS distance
      FROM survival),
    medians AS (
      SELECT sweep, setting,
        -- A billionth for rounding: S is a product of fractions, taken as a sum of logarithms.
        min(epoch) FILTER (WHERE event = 'grokking' AND (is_zero OR ln_survival <= 1e-9 - \(ArithmeticSQL.ln2)))
          AS grokking,
        min(epoch) FILTER (WHERE event = 'grokking' AND (is_zero
          OR ln_survival * ln_survival * distance * abs(distance) >= -\(squaredQuantile) * greenwood)) AS low,
        min(epoch) FILTER (WHERE event = 'grokking' AND NOT is_zero
          AND ln_survival * ln_survival * distance * abs(distance) >= \(squaredQuantile) * greenwood) AS high,
        min(epoch) FILTER (WHERE event = 'memorization' AND (is_zero OR ln_survival <= 1e-9 - \(ArithmeticSQL.ln2)))
          AS memorization
      FROM compared
      GROUP BY sweep, setting),
    logged AS MATERIALIZED (
      SELECT followed.sweep, followed.setting, point.model_seed, point.data_seed,
        \(ArithmeticSQL.ln("followed.grokking_epoch")) AS log_epoch
      FROM followed CROSS JOIN point ON point.number = followed.point
      WHERE followed.grokking_epoch IS NOT NULL),
    deviating AS (
      SELECT sweep, setting, model_seed, data_seed, log_epoch,
        log_epoch - avg(log_epoch) OVER (PARTITION BY sweep, setting) AS of_all,
        log_epoch - avg(log_epoch) OVER (PARTITION BY sweep, setting, data_seed) AS of_data_seed,
        log_epoch - avg(log_epoch) OVER (PARTITION BY sweep, setting, model_seed) AS of_model_seed
      FROM logged),
    moments AS MATERIALIZED (
      SELECT sweep, setting, count(log_epoch) AS logs, avg(log_epoch) AS mean,
        sum(of_all * of_all) / (count(*) - 1) AS variance,
        -- Over pairs of runs with one data seed, which differ in their model seeds; and the reverse.
        sum(of_data_seed * of_data_seed) / (count(*) - count(DISTINCT data_seed)) AS variance_of_model_seed,
        sum(of_model_seed * of_model_seed) / (count(*) - count(DISTINCT model_seed)) AS variance_of_data_seed
      FROM deviating
      GROUP BY sweep, setting),
    counted AS (
      SELECT sweep, setting, count(*) AS runs, count(grokking_epoch) AS grokked,
        count(*) FILTER (WHERE outcome = 'immediate') AS immediate,
        count(*) FILTER (WHERE outcome = 'collapsed') AS collapsed,
        count(*) FILTER (WHERE outcome = 'diverged') AS diverged,
        min(grokking_epoch) AS min_grokking_epoch, max(grokking_epoch) AS max_grokking_epoch
      FROM followed
      GROUP BY sweep, setting),
    folded AS (
      SELECT counted.*, medians.grokking, medians.low, medians.high, medians.memorization, moments.variance,
        moments.variance_of_model_seed, moments.variance_of_data_seed,
        -- Of all runs or of none: a mean without those that grok late, or never, would be too low.
        CASE WHEN moments.logs = counted.runs THEN moments.mean END AS mean,
        CASE WHEN moments.logs = counted.runs
          THEN \(ArithmeticSQL.studentQuantile("(moments.logs - 1)"))
            * \(ArithmeticSQL.root("(moments.variance / moments.logs)")) END AS half_width
      FROM counted
      LEFT JOIN medians ON medians.sweep = counted.sweep AND medians.setting = counted.setting
      LEFT JOIN moments ON moments.sweep = counted.sweep AND moments.setting = counted.setting)
    SELECT sweep.name AS sweep, setting.label AS setting, setting.points, coalesce(folded.runs, 0) AS runs,
      coalesce(folded.grokked, 0) AS grokked, coalesce(folded.runs - folded.grokked, 0) AS censored,
      coalesce(folded.immediate, 0) AS immediate, coalesce(folded.collapsed, 0) AS collapsed,
      coalesce(folded.diverged, 0) AS diverged,
      folded.grokking AS median_grokking_epoch, folded.low AS median_low, folded.high AS median_high,
      \(ArithmeticSQL.exp("folded.mean")) AS geometric_mean_grokking_epoch,
      \(ArithmeticSQL.exp("(folded.mean - folded.half_width)")) AS geometric_mean_low,
      \(ArithmeticSQL.exp("(folded.mean + folded.half_width)")) AS geometric_mean_high,
      folded.min_grokking_epoch, folded.max_grokking_epoch,
      \(ArithmeticSQL.log10e) * \(ArithmeticSQL.root("folded.variance")) AS log10_sd,
      \(ArithmeticSQL.log10e) * \(ArithmeticSQL.root("folded.variance_of_model_seed")) AS log10_sd_of_model_seed,
      \(ArithmeticSQL.log10e) * \(ArithmeticSQL.root("folded.variance_of_data_seed")) AS log10_sd_of_data_seed,
      folded.memorization AS median_memorization_epoch,
      \(ExperimentColumns.listWithoutSeedsOfSchema4)
    FROM setting
    JOIN sweep ON sweep.number = setting.sweep
    JOIN point ON point.number = setting.example
    LEFT JOIN folded ON folded.sweep = setting.sweep AND folded.setting = setting.position
    ORDER BY setting.sweep, setting.position;

    """

  private static let squaredQuantile = "3.8414588206941227"

  /// Spearman's correlation of what an evaluation early in a run measured with the epoch at which the run grokked.
  static let predictorsOfSchema4 = """
    -- What foretells grokking. A run enters at a landmark if it had not grokked at the first evaluation there, and if
    -- its place among the others is known: it grokked, or was followed without grokking to the last epoch at which
    -- another run of its sweep did. Those that never grokked share the last rank.
    CREATE VIEW predictors AS
    WITH
    landmark (position, name, epoch) AS (
      VALUES (1, 'memorization', NULL), (2, '100', 100), (3, '300', 300), (4, '1000', 1000), (5, '3000', 3000)),
    -- `hindsight`: measured with the key frequencies of the final model.
    measure (position, name, hindsight) AS (
      VALUES (1, 'memorization_epoch', 0), (2, 'train_loss', 0), (3, 'test_loss', 0), (4, 'train_accuracy', 0),
        (5, 'test_accuracy', 0), (6, 'sum_squared_weights', 0), (7, 'gini_w_e', 0), (8, 'gini_w_l', 0),
        (9, 'restricted_loss', 1), (10, 'excluded_loss', 1), (11, 'logit_fve', 1), (12, 'cosine_loss_test', 1)),
    last (sweep, epoch, runs) AS (
      SELECT sweep_point.sweep, max(run.grokking_epoch), count(*)
      FROM run CROSS JOIN sweep_point ON sweep_point.point = run.point
      GROUP BY sweep_point.sweep),
    followed AS (
      SELECT sweep_point.sweep, sweep_point.setting, run.point, run.memorization_epoch, run.grokking_epoch,
        coalesce(run.grokking_epoch, 1 + last.epoch) AS place
      FROM run
      CROSS JOIN sweep_point ON sweep_point.point = run.point
      JOIN last ON last.sweep = sweep_point.sweep
      WHERE run.grokking_epoch IS NOT NULL OR run.censored_after >= last.epoch),
    reached AS (
      SELECT followed.*, landmark.position AS landmark, (
        SELECT min(evaluation.epoch) FROM evaluation
        WHERE evaluation.point = followed.point
          AND evaluation.epoch >= coalesce(landmark.epoch, followed.memorization_epoch)) AS epoch
      FROM followed CROSS JOIN landmark),
    measured AS (
      SELECT reached.sweep, reached.setting, reached.landmark, reached.grokking_epoch, reached.place,
        measure.position AS measure,
        CASE measure.name
          WHEN 'memorization_epoch' THEN CASE WHEN reached.landmark = 1 THEN reached.memorization_epoch END
          WHEN 'train_loss' THEN evaluation.train_loss
          WHEN 'test_loss' THEN evaluation.test_loss
          WHEN 'train_accuracy' THEN evaluation.train_accuracy
          WHEN 'test_accuracy' THEN evaluation.test_accuracy
          WHEN 'sum_squared_weights' THEN evaluation.sum_squared_weights
          WHEN 'gini_w_e' THEN evaluation.gini_w_e
          WHEN 'gini_w_l' THEN evaluation.gini_w_l
          WHEN 'restricted_loss' THEN evaluation.restricted_loss
          WHEN 'excluded_loss' THEN evaluation.excluded_loss
          WHEN 'logit_fve' THEN evaluation.logit_fve
          ELSE evaluation.cosine_loss_test
        END AS value
      FROM reached
      CROSS JOIN evaluation ON evaluation.point = reached.point AND evaluation.epoch = reached.epoch
      CROSS JOIN measure
      WHERE reached.grokking_epoch IS NULL OR reached.grokking_epoch > reached.epoch),
    -- Average ranks, doubled: of n equal values from rank r on, each has 2r + n − 1.
    ranked AS (
      SELECT sweep, landmark, measure, setting, grokking_epoch,
        rank() OVER values_of_all + count(*) OVER values_of_all AS value_rank,
        rank() OVER places_of_all + count(*) OVER places_of_all AS place_rank,
        rank() OVER values_of_setting + count(*) OVER values_of_setting AS value_rank_in_setting,
        rank() OVER places_of_setting + count(*) OVER places_of_setting AS place_rank_in_setting
      FROM measured
      WHERE value IS NOT NULL
      WINDOW
        values_of_all AS (PARTITION BY sweep, landmark, measure ORDER BY value),
        places_of_all AS (PARTITION BY sweep, landmark, measure ORDER BY place),
        values_of_setting AS (PARTITION BY sweep, landmark, measure, setting ORDER BY value),
        places_of_setting AS (PARTITION BY sweep, landmark, measure, setting ORDER BY place)),
    -- Sums of whole numbers, which are exact. Doubled ranks of n have the mean n + 1.
    of_settings AS (
      SELECT sweep, landmark, measure, count(*) AS runs, count(grokking_epoch) AS grokked,
        sum(value_rank * value_rank) AS vv, sum(value_rank * place_rank) AS vp, sum(place_rank * place_rank) AS pp,
        sum(value_rank_in_setting * value_rank_in_setting) - count(*) * (count(*) + 1) * (count(*) + 1) AS vv_within,
        sum(value_rank_in_setting * place_rank_in_setting) - count(*) * (count(*) + 1) * (count(*) + 1) AS vp_within,
        sum(place_rank_in_setting * place_rank_in_setting) - count(*) * (count(*) + 1) * (count(*) + 1) AS pp_within
      FROM ranked
      GROUP BY sweep, landmark, measure, setting),
    of_sweeps AS MATERIALIZED (
      SELECT sweep, landmark, measure, sum(runs) AS runs, sum(grokked) AS grokked,
        sum(vv) - sum(runs) * (sum(runs) + 1) * (sum(runs) + 1) AS vv,
        sum(vp) - sum(runs) * (sum(runs) + 1) * (sum(runs) + 1) AS vp,
        sum(pp) - sum(runs) * (sum(runs) + 1) * (sum(runs) + 1) AS pp,
        sum(vv_within) AS vv_within, sum(vp_within) AS vp_within, sum(pp_within) AS pp_within
      FROM of_settings
      GROUP BY sweep, landmark, measure)
    SELECT sweep.name AS sweep, measure.name AS measure, landmark.name AS landmark, of_sweeps.runs, of_sweeps.grokked,
      of_sweeps.runs - of_sweeps.grokked AS censored, last.runs - of_sweeps.runs AS left_out,
      CASE WHEN of_sweeps.runs >= 3 AND vv > 0 AND pp > 0
        THEN vp / (\(ArithmeticSQL.root("vv")) * \(ArithmeticSQL.root("pp"))) END AS spearman,
      CASE WHEN of_sweeps.runs >= 3 AND vv_within > 0 AND pp_within > 0
        THEN vp_within / (\(ArithmeticSQL.root("vv_within")) * \(ArithmeticSQL.root("pp_within")))
      END AS spearman_within_settings,
      measure.hindsight
    FROM of_sweeps
    JOIN sweep ON sweep.number = of_sweeps.sweep
    JOIN last ON last.sweep = of_sweeps.sweep
    JOIN landmark ON landmark.position = of_sweeps.landmark
    JOIN measure ON measure.position = of_sweeps.measure
    ORDER BY of_sweeps.sweep, of_sweeps.measure, of_sweeps.landmark;

    """
}
