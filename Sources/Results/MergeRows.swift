// The rows of a merge: from the attached database `source` into `main`, by way of temporary tables that say which row
// there is which row here. Runs within one transaction of the caller's.

import GRDB

struct MergeRows {
  let database: Database
  /// Now.
  let time: String

  static let openReason = "it was under way when its store was merged"

  /// Tables of measures that hang on `run`, parents before children.
  private static let measures = [
    "evaluation", "key_frequency", "frequency_evaluation", "spectrum", "digest", "crossing", "phase", "final_measure",
    "neuron", "head", "ablation", "run_weights",
  ]

  func copy(from source: String) throws -> MergeReport {
    // The first statement takes the lock for writing here, before anything is read there.
    try database.execute(sql: "UPDATE main.sweep SET state = state WHERE false")
    try database.execute(sql: Self.maps)
    try mapWorkers()
    let points = try mapPoints()
    let sweeps = try copySweeps()
    try copyAttempts()
    let runs = try copyRuns()
    let (equal, different) = try compareRuns()
    try copyStates()
    try database.execute(sql: Self.mapsRemoved)
    return MergeReport(
      source: source, sweeps: sweeps, points: points, runs: runs, equalRuns: equal, differentRuns: different)
  }

  private static let maps = """
    CREATE TEMP TABLE worker_here (there INTEGER PRIMARY KEY, here INTEGER NOT NULL);
    CREATE TEMP TABLE point_here (there INTEGER PRIMARY KEY, here INTEGER NOT NULL);
    CREATE TEMP TABLE sweep_here (there INTEGER PRIMARY KEY, here INTEGER NOT NULL);
    CREATE TEMP TABLE lease_here (there INTEGER PRIMARY KEY, here INTEGER NOT NULL);
    -- By the point's number here: tables are then written in the order of their keys.
    CREATE TEMP TABLE new_run (here INTEGER PRIMARY KEY, there INTEGER NOT NULL);
    CREATE TEMP TABLE shared_run (here INTEGER PRIMARY KEY, there INTEGER NOT NULL, is_equal INTEGER NOT NULL);

    """

  private static let mapsRemoved = """
    DROP TABLE temp.worker_here; DROP TABLE temp.point_here; DROP TABLE temp.sweep_here; DROP TABLE temp.lease_here;
    DROP TABLE temp.new_run; DROP TABLE temp.shared_run;
    """

  /// The columns of `table` but for `others`, so that later schemas need no change here.
  private func columns(of table: String, without others: [String]) throws -> [String] {
    try String.fetchAll(database, sql: "SELECT name FROM pragma_table_info(?, 'main')", arguments: [table])
      .filter { !others.contains($0) }
  }

  private func mapWorkers() throws {
    // They are not expected here: a coordinator would wait for those that have not left.
    let plain = try columns(of: "worker", without: ["number", "left_at"])
    let list = plain.joined(separator: ", ")
    try database.execute(
      sql: """
        INSERT INTO main.worker (number, left_at, \(list))
          SELECT (SELECT coalesce(max(number), 0) FROM main.worker) + row_number() OVER (ORDER BY number),
            coalesce(left_at, last_seen), \(list)
          FROM source.worker WHERE boot NOT IN (SELECT boot FROM main.worker) ORDER BY number;
        INSERT INTO worker_here SELECT there.number, here.number
          FROM source.worker AS there JOIN main.worker AS here ON here.boot = there.boot;
        """)
  }

  /// The number of points that were not here.
  private func mapPoints() throws -> Int {
    let list = try columns(of: "point", without: ["number", "state", "failure"]).joined(separator: ", ")
    try database.execute(
      sql: """
        INSERT INTO main.point (\(list)) SELECT \(list) FROM source.point AS there
        WHERE NOT EXISTS (SELECT 1 FROM main.point AS here WHERE here.id = there.id) ORDER BY there.number
        """)
    let added = database.changesCount
    try database.execute(
      sql: """
        INSERT INTO point_here SELECT there.number, here.number
        FROM source.point AS there JOIN main.point AS here ON here.id = there.id
        """)
    return added
  }

  /// The number of sweeps whose names are not here; those of the same name are of the same file.
  private func copySweeps() throws -> Int {
    let list = try columns(of: "sweep", without: ["number", "finished", "failed", "finished_seconds"])
      .joined(separator: ", ")
    try database.execute(
      sql: """
        INSERT INTO sweep_here
          SELECT number, (SELECT coalesce(max(number), 0) FROM main.sweep) + row_number() OVER (ORDER BY number)
          FROM source.sweep WHERE name NOT IN (SELECT name FROM main.sweep);
        INSERT INTO main.sweep (number, \(list))
          SELECT sweep_here.here, \(list) FROM sweep_here JOIN source.sweep ON number = sweep_here.there ORDER BY 1;
        """)
    let added = try Int.fetchOne(database, sql: "SELECT count(*) FROM sweep_here") ?? 0
    let ofSetting = try columns(of: "setting", without: ["sweep", "example"]).joined(separator: ", ")
    let ofPoint = try columns(of: "sweep_point", without: ["sweep", "point"]).joined(separator: ", ")
    try database.execute(
      sql: """
        INSERT INTO main.setting (sweep, example, \(ofSetting))
          SELECT sweep_here.here, point_here.here, \(ofSetting)
          FROM sweep_here
          CROSS JOIN source.setting ON sweep = sweep_here.there
          LEFT JOIN point_here ON point_here.there = example;
        INSERT INTO main.sweep_point (sweep, point, \(ofPoint))
          SELECT sweep_here.here, point_here.here, \(ofPoint)
          FROM sweep_here
          CROSS JOIN source.sweep_point ON sweep = sweep_here.there
          JOIN point_here ON point_here.there = point;
        """)
    try addMembers()
    return added
  }

  /// Points that a sweep of this name has there and not here: those that its file had once, and that stayed with what
  /// there was of them.
  private func addMembers() throws {
    try database.execute(
      sql: """
        CREATE TEMP TABLE new_member AS
          SELECT here.number AS sweep, point_here.here AS point, setting.label,
            row_number() OVER (PARTITION BY here.number ORDER BY sweep_point.position) AS place
          FROM source.sweep AS there
          JOIN main.sweep AS here ON here.name = there.name
          CROSS JOIN source.sweep_point ON sweep_point.sweep = there.number
          JOIN point_here ON point_here.there = sweep_point.point
          JOIN source.setting ON setting.sweep = there.number AND setting.position = sweep_point.setting
          WHERE NOT EXISTS (SELECT 1 FROM main.sweep_point AS member
            WHERE member.point = point_here.here AND member.sweep = here.number);
        INSERT INTO main.setting (sweep, position, label, points, example)
          SELECT sweep, (SELECT max(position) FROM main.setting WHERE setting.sweep = new_member.sweep)
              + row_number() OVER (PARTITION BY sweep ORDER BY min(place)), label, 0, min(point)
          FROM new_member
          WHERE NOT EXISTS (SELECT 1 FROM main.setting
            WHERE setting.sweep = new_member.sweep AND setting.label = new_member.label)
          GROUP BY sweep, label;
        INSERT INTO main.sweep_point (sweep, position, point, setting)
          SELECT sweep, (SELECT max(position) FROM main.sweep_point WHERE sweep_point.sweep = new_member.sweep) + place, point,
            (SELECT position FROM main.setting
              WHERE setting.sweep = new_member.sweep AND setting.label = new_member.label)
          FROM new_member;
        UPDATE main.setting SET points = points + (SELECT count(*) FROM new_member
            WHERE new_member.sweep = setting.sweep AND new_member.label = setting.label)
          WHERE sweep IN (SELECT sweep FROM new_member);
        UPDATE main.sweep SET total = total + (SELECT count(*) FROM new_member WHERE new_member.sweep = sweep.number)
          WHERE number IN (SELECT sweep FROM new_member);
        DROP TABLE temp.new_member;
        """)
  }

  /// Attempts are the same when worker, point and start are; one that was open here may have ended there.
  private func copyAttempts() throws {
    let plain = try columns(of: "attempt", without: ["lease", "point", "worker", "class", "reason", "ended"])
      .map { "there.\($0)" }
    let names = plain.map { $0.dropFirst("there.".count) }.joined(separator: ", ")
    let superseded = "there.class = 'finished' AND EXISTS (SELECT 1 FROM main.run WHERE run.point = point_here.here)"
    try database.execute(
      sql: """
        INSERT INTO lease_here SELECT there.lease, here.lease
          FROM source.attempt AS there
          JOIN worker_here ON worker_here.there = there.worker
          JOIN point_here ON point_here.there = there.point
          JOIN main.attempt AS here
            ON here.point = point_here.here AND here.worker = worker_here.here AND here.started = there.started;
        UPDATE main.attempt AS here
          SET (class, reason, charged, refunded, epoch, ended) = (
            SELECT class, reason, charged, refunded, epoch, ended FROM source.attempt
            WHERE lease = lease_here.there)
          FROM lease_here
          WHERE lease_here.here = here.lease AND here.class IS NULL
            AND (SELECT class FROM source.attempt WHERE lease = lease_here.there) IS NOT NULL;
        INSERT INTO lease_here
          SELECT lease, (SELECT coalesce(max(lease), 0) FROM main.attempt) + row_number() OVER (ORDER BY lease)
          FROM source.attempt WHERE lease NOT IN (SELECT there FROM lease_here);
        INSERT INTO main.attempt (lease, point, worker, class, reason, ended, \(names))
          SELECT lease_here.here, point_here.here, worker_here.here,
            CASE WHEN there.class IS NULL THEN 'lost' WHEN \(superseded) THEN 'superseded' ELSE there.class END,
            CASE
              WHEN there.class IS NULL THEN '\(Self.openReason)'
              WHEN \(superseded) THEN 'another store, into which it was merged, had a result'
              ELSE there.reason
            END,
            coalesce(there.ended, '\(time)'), \(plain.joined(separator: ", "))
          FROM lease_here
          JOIN source.attempt AS there ON there.lease = lease_here.there
          JOIN point_here ON point_here.there = there.point
          JOIN worker_here ON worker_here.there = there.worker
          WHERE lease_here.here NOT IN (SELECT lease FROM main.attempt)
          ORDER BY lease_here.here;
        """)
  }

  /// Runs of points that have none here, with all that was measured of them.
  private func copyRuns() throws -> Int {
    try database.execute(
      sql: """
        INSERT INTO new_run SELECT point_here.here, point_here.there
          FROM source.run CROSS JOIN point_here ON point_here.there = run.point
          WHERE point_here.here NOT IN (SELECT point FROM main.run);
        INSERT INTO shared_run SELECT here.point, there.point, here.digest = there.digest
          FROM source.run AS there
          CROSS JOIN point_here ON point_here.there = there.point
          JOIN main.run AS here ON here.point = point_here.here;
        """)
    let plain = try columns(of: "run", without: ["point", "worker", "lease"]).joined(separator: ", ")
    // Triggers finish the points, and count them in all their sweeps.
    try database.execute(
      sql: """
        INSERT INTO main.run (point, worker, lease, \(plain))
        SELECT new_run.here, worker_here.here, lease_here.here, \(plain)
        FROM new_run
        CROSS JOIN source.run ON point = new_run.there
        JOIN worker_here ON worker_here.there = worker
        LEFT JOIN lease_here ON lease_here.there = lease
        """)
    let added = try Int.fetchOne(database, sql: "SELECT count(*) FROM new_run") ?? 0
    for table in Self.measures {
      let list = try columns(of: table, without: ["point"]).joined(separator: ", ")
      try database.execute(
        sql: """
          INSERT INTO main.\(table) (point, \(list))
          SELECT new_run.here, \(list) FROM new_run CROSS JOIN source.\(table) ON point = new_run.there
          """)
    }
    return added
  }

  /// How many of the runs that both have are of the same bits, and how many are not, which are recorded.
  private func compareRuns() throws -> (equal: Int, different: Int) {
    try database.execute(
      sql: """
        INSERT INTO main.violation (point, worker, digest, first_different_epoch, recorded)
          SELECT shared_run.here, worker_here.here, there.digest, (
              SELECT min(link.epoch) FROM source.digest AS link
              LEFT JOIN main.digest AS ours ON ours.point = shared_run.here AND ours.epoch = link.epoch
              WHERE link.point = shared_run.there AND ours.digest IS NOT link.digest), '\(time)'
          FROM shared_run
          JOIN source.run AS there ON there.point = shared_run.there
          JOIN worker_here ON worker_here.there = there.worker
          WHERE NOT shared_run.is_equal
          ON CONFLICT DO NOTHING;
        INSERT INTO main.violation (point, worker, digest, first_different_epoch, recorded)
          SELECT point_here.here, worker_here.here, there.digest, there.first_different_epoch, there.recorded
          FROM source.violation AS there
          JOIN point_here ON point_here.there = there.point
          JOIN worker_here ON worker_here.there = there.worker
          JOIN main.run ON run.point = point_here.here
          -- One of the two runs that differed there may be the one that is kept here.
          WHERE there.digest <> run.digest
          ORDER BY there.number
          ON CONFLICT DO NOTHING;
        INSERT INTO main.verification (point, requested, requested_by, lease, equal, digest, reason, done)
          SELECT point_here.here, there.requested, there.requested_by, lease_here.here, there.digest = run.digest,
            there.digest, there.reason, there.done
          FROM source.verification AS there
          JOIN point_here ON point_here.there = there.point
          JOIN main.run ON run.point = point_here.here
          LEFT JOIN lease_here ON lease_here.there = there.lease
          WHERE NOT EXISTS (SELECT 1 FROM main.verification AS here
            WHERE here.point = point_here.here AND here.requested = there.requested)
          ORDER BY there.number
          ON CONFLICT DO NOTHING;
        """)
    // Where both ran it with the same bits, one may have kept the weights.
    try database.execute(
      sql: """
        INSERT INTO main.run_weights (point, safetensors)
        SELECT shared_run.here, safetensors FROM shared_run CROSS JOIN source.run_weights ON point = shared_run.there
        WHERE shared_run.is_equal ON CONFLICT DO NOTHING
        """)
    let counts = try Row.fetchOne(
      database, sql: "SELECT count(*) FILTER (WHERE is_equal), count(*) FILTER (WHERE NOT is_equal) FROM shared_run")!
    return (counts[0], counts[1])
  }

  /// Points that failed there and are pending here have failed; and every sweep is counted anew.
  private func copyStates() throws {
    try database.execute(
      sql: """
        UPDATE main.point SET state = 'failed', failure = there.failure
          FROM source.point AS there JOIN point_here ON point_here.there = there.number
          WHERE main.point.number = point_here.here AND main.point.state = 'pending' AND there.state = 'failed';
        UPDATE main.sweep SET (finished, failed, finished_seconds) = (
          SELECT count(*) FILTER (WHERE point.state = 'finished'), count(*) FILTER (WHERE point.state = 'failed'),
            coalesce(sum(run.seconds), 0)
          FROM main.sweep_point
          JOIN main.point ON point.number = sweep_point.point
          LEFT JOIN main.run ON run.point = point.number
          WHERE sweep_point.sweep = sweep.number);
        """)
  }
}
