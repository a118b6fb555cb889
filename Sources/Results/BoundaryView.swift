// Where the outcome changes, of sweeps that search for it (method boundary), in one line of SQL. Part of schema 4.

extension Views {
  static let boundaries = """
    -- Of every searched axis: neighbouring values between which the outcome changes, the other axes fixed as `setting` says.
    -- A value counts as grokked when at least half of its finished runs have an observed grokking epoch, once all its
    -- points are finished or failed; values without a finished run are passed over. While a sweep is being refined,
    -- low and high are the values known by then; in the end they are one step of the resolution apart, unless points
    -- between them failed. `grokked` says on which side: at high or at low. `runs` are those of both values.
    CREATE VIEW boundaries AS
    WITH
      axis AS (
        SELECT sweep.number AS sweep, sweep.name, searched.key AS path,
          ' ' || substr(searched.key, instr(searched.key, '.') + 1) || '=' AS word,
          json_extract(searched.value, '$.resolution') AS resolution
        FROM sweep, json_each(sweep.canonical, '$.axes') AS searched
        WHERE sweep.canonical LIKE '%"method":"boundary"%' AND searched.type = 'object'
          AND json_extract(searched.value, '$.boundary') IS NOT NULL),
      -- A setting is written `weight_decay=1 train_fraction=0.3`: the value of the axis, and what is around it.
      part AS (
        SELECT axis.*, setting.position, ' ' || setting.label || ' ' AS label,
          instr(' ' || setting.label || ' ', axis.word) AS at
        FROM axis JOIN setting ON setting.sweep = axis.sweep),
      cut AS (
        SELECT sweep, name, path, resolution, position, substr(label, 1, at) AS head,
          substr(label, at + length(word)) AS tail
        FROM part WHERE at > 0),
      value AS (
        SELECT sweep, name, path, resolution, position,
          CAST(substr(tail, 1, instr(tail, ' ') - 1) AS REAL) AS value,
          trim(head || substr(tail, instr(tail, ' ') + 1)) AS setting
        FROM cut),
      known AS (
        SELECT value.name, value.path, value.setting, value.value, value.resolution, count(run.point) AS runs,
          2 * count(run.grokking_epoch) >= count(run.point) AS grokked
        FROM value
        JOIN sweep_point ON sweep_point.sweep = value.sweep AND sweep_point.setting = value.position
        JOIN point ON point.number = sweep_point.point
        LEFT JOIN run ON run.point = point.number
        GROUP BY value.sweep, value.path, value.position
        HAVING count(*) FILTER (WHERE point.state = 'pending') = 0 AND count(run.point) > 0),
      pair AS (
        SELECT name, path, setting, resolution, value AS low, lead(value) OVER neighbour AS high, grokked,
          lead(grokked) OVER neighbour AS next, runs + lead(runs) OVER neighbour AS runs
        FROM known
        WINDOW neighbour AS (PARTITION BY name, path, setting ORDER BY value))
    SELECT name AS sweep, setting, path AS axis, low, high, CASE WHEN next THEN 'high' ELSE 'low' END AS grokked,
      resolution, runs
    FROM pair
    WHERE next <> grokked
    ORDER BY sweep, axis, setting, low;

    """
}
