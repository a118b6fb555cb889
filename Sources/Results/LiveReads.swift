// What somebody asks who looks on while a sweep runs: reads whose time does not grow with the store, but for the fold of a
// sweep's runs by setting, which has a limit.

import GRDB
import Grokking
import Sweeps

/// A point that was finished lately.
package struct RecentRun: Hashable, Sendable {
  package let point: PointID
  /// In the first of its sweeps.
  package let sweep: String
  package let setting: String
  package let modelSeed: UInt64
  package let dataSeed: UInt64
  /// `Outcome.name`.
  package let outcome: String
  package let grokkingEpoch: Int?
  package let censoredAfter: Int?
  package let seconds: Double
  package let host: String
  /// ISO-8601, UTC.
  package let stored: String
}

/// A point of a sweep, for a list of all of them.
package struct ListedPoint: Hashable, Sendable {
  package let point: PointID
  /// In the sweep, from 0.
  package let position: Int
  package let setting: String
  package let modelSeed: UInt64
  package let dataSeed: UInt64
  package let state: PointState
  /// `Outcome.name`; nil for a point without a run.
  package let outcome: String?
  package let memorizationEpoch: Int?
  package let grokkingEpoch: Int?
  package let censoredAfter: Int?
  package let seconds: Double?
}

/// A point that is set aside.
package struct SetAsidePoint: Hashable, Sendable {
  package let point: PointID
  /// In the first of its sweeps.
  package let sweep: String
  package let setting: String
  package let reason: String
}

/// A point's place, for people.
package struct PointName: Hashable, Sendable {
  package let sweep: String
  package let setting: String
  package let modelSeed: UInt64
  package let dataSeed: UInt64
}

/// Runs of a sweep that came since somebody looked, and where to look on from.
package struct NewRuns: Sendable {
  /// Those that are known already may be among them.
  package let runs: [SettledRun]
  /// All of the sweep, at the same moment: when these are not so many with those that were known, some came late.
  package let finished: Int
  /// What finishes from now on has this lease or a later one, unless it comes late.
  package let next: LeaseID
}

extension Store {
  /// Changes with every commit of another connection, and with nothing else: what was read at the same number is still so.
  package func dataVersion() throws -> Int {
    try read { database in try Int.fetchOne(database, sql: "PRAGMA data_version") ?? 0 }
  }

  private static let firstSweep = """
    JOIN sweep_point ON sweep_point.point = point.number AND sweep_point.sweep =
      (SELECT min(sweep) FROM sweep_point AS other WHERE other.point = point.number)
    JOIN sweep ON sweep.number = sweep_point.sweep
    JOIN setting ON setting.sweep = sweep_point.sweep AND setting.position = sweep_point.setting
    """

  /// The last ones first, of one sweep or (nil) of the store; of the last 20,000 leases, so that a look costs the same in
  /// every store.
  package func recentRuns(of sweep: String? = nil, _ count: Int) throws -> [RecentRun] {
    try read { database in
      let wanted = try sweep.map { try number(ofSweep: $0, in: database) }
      // Backwards over the leases, which grow with time, and no further than it takes.
      return try Row.fetchAll(
        database,
        sql: """
          SELECT point.id, sweep.name, setting.label, point.model_seed, point.data_seed, run.outcome, run.grokking_epoch,
            run.censored_after, run.seconds, worker.host, run.stored
          FROM (
            SELECT attempt.lease, attempt.point
            FROM attempt CROSS JOIN run ON run.point = attempt.point AND run.lease = attempt.lease
            WHERE attempt.class = 'finished' AND attempt.lease > (SELECT max(lease) FROM attempt) - 20000
              AND (:sweep IS NULL OR EXISTS (
                SELECT 1 FROM sweep_point WHERE sweep_point.point = attempt.point AND sweep_point.sweep = :sweep))
            ORDER BY attempt.lease DESC LIMIT :count
          ) AS latest
          CROSS JOIN run ON run.point = latest.point
          JOIN point ON point.number = run.point
          JOIN sweep_point ON sweep_point.point = point.number AND sweep_point.sweep = coalesce(:sweep,
            (SELECT min(sweep) FROM sweep_point AS other WHERE other.point = point.number))
          JOIN sweep ON sweep.number = sweep_point.sweep
          JOIN setting ON setting.sweep = sweep_point.sweep AND setting.position = sweep_point.setting
          JOIN worker ON worker.number = run.worker
          ORDER BY latest.lease DESC
          """,
        arguments: ["count": count, "sweep": wanted]
      ).map {
        RecentRun(
          point: try PointID(stored: $0[0], path: path), sweep: $0[1], setting: $0[2],
          modelSeed: UInt64(bitPattern: $0[3]), dataSeed: UInt64(bitPattern: $0[4]), outcome: $0[5],
          grokkingEpoch: $0[6], censoredAfter: $0[7], seconds: $0[8], host: $0[9], stored: $0[10])
      }
    }
  }

  /// - Parameter lease: runs of this lease and later ones; nil: all, in the sweep's order.
  package func newRuns(of sweep: String, from lease: LeaseID?) throws -> NewRuns {
    try read { database in
      let number = try number(ofSweep: sweep, in: database)
      let about = try Row.fetchOne(
        database,
        sql: """
          SELECT finished, coalesce(
            (SELECT min(lease) FROM attempt WHERE class IS NULL AND lease >= ?), (SELECT max(lease) + 1 FROM attempt), 1)
          FROM sweep WHERE number = ?
          """,
        // What was not open then, and is older, is not open now.
        arguments: [lease?.number ?? 0, number])!
      let places =
        lease == nil
        ? "sweep_point CROSS JOIN run ON run.point = sweep_point.point"
        : """
        attempt CROSS JOIN run ON run.point = attempt.point AND run.lease = attempt.lease
          CROSS JOIN sweep_point ON sweep_point.point = run.point
        """
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT point.id, sweep_point.setting, point.model_seed, point.data_seed, run.outcome, run.memorization_epoch,
            run.grokking_epoch, run.censored_after, run.epochs, run.seconds, run.worker
          FROM \(places) CROSS JOIN point ON point.number = run.point
          WHERE sweep_point.sweep = :sweep \(lease == nil ? "ORDER BY sweep_point.position" : "AND attempt.lease >= :lease")
          """,
        arguments: lease.map { ["sweep": number, "lease": $0.number] } ?? ["sweep": number])
      var runs: [SettledRun] = []
      while let row = try rows.next() {
        runs.append(
          SettledRun(
            point: try PointID(stored: row[0], path: path), setting: row[1], modelSeed: row[2], dataSeed: row[3],
            outcome: row[4], memorizationEpoch: row[5], grokkingEpoch: row[6], censoredAfter: row[7], epochs: row[8],
            seconds: row[9], worker: row[10]))
      }
      return NewRuns(runs: runs, finished: about[0], next: LeaseID(about[1]))
    }
  }

  /// The points of a sweep from `start` on, in its order.
  package func listedPoints(of sweep: String, from start: Int, _ count: Int) throws -> [ListedPoint] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT point.id, sweep_point.position, setting.label, point.model_seed, point.data_seed, point.state,
            run.outcome, run.memorization_epoch, run.grokking_epoch, run.censored_after, run.seconds
          FROM sweep_point
          JOIN point ON point.number = sweep_point.point
          JOIN setting ON setting.sweep = sweep_point.sweep AND setting.position = sweep_point.setting
          LEFT JOIN run ON run.point = point.number
          WHERE sweep_point.sweep = ? AND sweep_point.position >= ?
          ORDER BY sweep_point.position LIMIT ?
          """,
        arguments: [try number(ofSweep: sweep, in: database), start, count]
      ).map {
        ListedPoint(
          point: try PointID(stored: $0[0], path: path), position: $0[1], setting: $0[2],
          modelSeed: UInt64(bitPattern: $0[3]), dataSeed: UInt64(bitPattern: $0[4]),
          state: PointState(rawValue: $0[5])!, outcome: $0[6], memorizationEpoch: $0[7], grokkingEpoch: $0[8],
          censoredAfter: $0[9], seconds: $0[10])
      }
    }
  }

  /// The first points that are set aside, of one sweep or (nil) of the store, and how many there are.
  package func setAside(of sweep: String? = nil, _ count: Int) throws -> (points: [SetAsidePoint], all: Int) {
    try read { database in
      let wanted = try sweep.map { try number(ofSweep: $0, in: database) }
      let all =
        try wanted.map {
          try Int.fetchOne(database, sql: "SELECT failed FROM sweep WHERE number = ?", arguments: [$0])
        } ?? Int.fetchOne(database, sql: "SELECT count(*) FROM point WHERE state = 'failed'")
      let points = try Row.fetchAll(
        database,
        sql: """
          SELECT point.id, sweep.name, setting.label, point.failure
          FROM point
          \(Self.firstSweep)
          WHERE point.state = 'failed' AND (:sweep IS NULL OR EXISTS (
            SELECT 1 FROM sweep_point AS mine WHERE mine.point = point.number AND mine.sweep = :sweep))
          ORDER BY point.number LIMIT :count
          """,
        arguments: ["sweep": wanted, "count": count]
      ).map {
        SetAsidePoint(
          point: try PointID(stored: $0[0], path: path), sweep: $0[1], setting: $0[2], reason: $0[3])
      }
      return (points, all ?? 0)
    }
  }

  /// The first sweep of a point, its setting there, and its seeds; nil for a point of no sweep.
  package func name(of point: PointID) throws -> PointName? {
    try read { database in
      try Row.fetchOne(
        database,
        sql: """
          SELECT sweep.name, setting.label, point.model_seed, point.data_seed FROM point
          \(Self.firstSweep)
          WHERE point.id = ?
          """,
        arguments: [point.hex]
      ).map {
        PointName(
          sweep: $0[0], setting: $0[1], modelSeed: UInt64(bitPattern: $0[2]), dataSeed: UInt64(bitPattern: $0[3]))
      }
    }
  }
}
