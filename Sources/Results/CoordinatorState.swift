// What a coordinator starts from: every point, what was tried, and the numbers that must never be used twice.

import GRDB
import Grokking
import Sweeps

extension Store {
  /// The points of the sweeps `names`, in that order and the sweeps' own (nil: of every sweep, in order of registration);
  /// a point of two sweeps stands where it comes first. Throws `StoreError.Kind.unknown` for a sweep that is not here.
  package func schedulerStart(sweeps names: [String]? = nil) throws -> SchedulerStart {
    var start = try storedStart(names)
    start.paces = try hostPaces()
    return start
  }

  private func storedStart(_ names: [String]?) throws -> SchedulerStart {
    try read { database in
      let numbers =
        try names?.map { try number(ofSweep: $0, in: database) }
        // Points of another engine have other ids for other numbers: nobody here can run them.
        ?? Int64.fetchAll(
          database, sql: "SELECT number FROM sweep WHERE semantics_version = ? ORDER BY number",
          arguments: [Engine.semanticsVersion])
      let workers = try Row.fetchAll(
        database,
        sql: """
          SELECT boot, number, key, left_at FROM worker
          WHERE left_at IS NULL OR number IN (SELECT worker FROM attempt WHERE class IS NULL)
          ORDER BY number
          """)
      let sweeps = try numbers.map { try knownSweep($0, in: database) }
      return SchedulerStart(
        points: try knownPoints(of: numbers, in: database),
        workers: Dictionary(uniqueKeysWithValues: workers.map { ($0[0] as String, $0[1] as Int64) }),
        nextWorker: try Int64.fetchOne(database, sql: "SELECT coalesce(max(number), 0) + 1 FROM worker") ?? 1,
        nextLease: LeaseID(
          try Int64.fetchOne(database, sql: "SELECT coalesce(max(lease), 0) + 1 FROM attempt") ?? 1),
        sweeps: sweeps.isEmpty ? [KnownSweep(name: "")] : sweeps,
        verifications: try requestedVerifications(in: database),
        keys: Dictionary(uniqueKeysWithValues: workers.map { ($0[0] as String, $0[2] as String) }),
        present: workers.filter { ($0[3] as String?) == nil }.map { $0[0] as String })
    }
  }

  /// A worker process that was recorded at any time.
  package func knownWorker(boot: String) throws -> KnownWorker? {
    try read { database in
      let row = try Row.fetchOne(
        database.cachedStatement(sql: "SELECT number, key FROM worker WHERE boot = ?"), arguments: [boot])
      return row.map { KnownWorker(boot: boot, number: $0[0], key: $0[1]) }
    }
  }

  /// The points of one sweep, in its order, as a coordinator takes them over that runs already.
  package func knownPoints(ofSweep name: String) throws -> (sweep: KnownSweep, points: [KnownPoint]) {
    let start = try storedStart([name])
    return (start.sweeps[0], start.points)
  }

  /// As `knownPoints(ofSweep:)`, within a transaction.
  func known(sweep number: Int64, in database: Database) throws -> (sweep: KnownSweep, points: [KnownPoint]) {
    (try knownSweep(number, in: database), try knownPoints(of: [number], in: database))
  }

  private func knownSweep(_ number: Int64, in database: Database) throws -> KnownSweep {
    let row = try Row.fetchOne(
      database, sql: "SELECT name, state, priority FROM sweep WHERE number = ?", arguments: [number])!
    return KnownSweep(name: row[0], state: SweepState(rawValue: row[1])!, priority: row[2])
  }

  private func knownPoints(of sweeps: [Int64], in database: Database) throws -> [KnownPoint] {
    let charged = try chargedAttempts(in: database)
    let open = try openAttempts(in: database)
    // Only points of several sweeps need a look at what came before.
    var places: [Int64: Int] = [:]
    var points: [KnownPoint] = []
    let statement = try database.makeStatement(
      sql: """
        SELECT point.number, point.id, point.state, \(ExperimentColumns.list(of: "point"))
        FROM sweep_point JOIN point ON point.number = sweep_point.point
        WHERE sweep_point.sweep = ?
        ORDER BY sweep_point.position
        """)
    let shared = try sharedPoints(of: sweeps, in: database)
    for (place, sweep) in sweeps.enumerated() {
      let rows = try Row.fetchCursor(statement, arguments: [sweep])
      while let row = try rows.next() {
        let number: Int64 = row[0]
        if shared.contains(number) {
          if let known = places[number] {
            points[known].otherSweeps.append(place)
            continue
          }
          places[number] = points.count
        }
        points.append(
          KnownPoint(
            id: try PointID(stored: row[1], path: path),
            experiment: try ExperimentColumns.experiment(row, from: 3, path: path),
            state: KnownPoint.State(rawValue: row[2])!, chargedAttempts: charged[number] ?? 0,
            openAttempts: open[number] ?? [], sweep: place))
      }
    }
    return points
  }

  /// Points that more than one sweep has.
  private func sharedPoints(of sweeps: [Int64], in database: Database) throws -> Set<Int64> {
    guard sweeps.count > 1 else { return [] }
    return Set(
      try Int64.fetchAll(database, sql: "SELECT point FROM sweep_point GROUP BY point HAVING count(*) > 1"))
  }

  private func chargedAttempts(in database: Database) throws -> [Int64: Int] {
    let rows = try Row.fetchAll(database, sql: "SELECT point, count(*) FROM attempt WHERE charged = 1 GROUP BY point")
    return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] as Int64, $0[1] as Int) })
  }

  private func openAttempts(in database: Database) throws -> [Int64: [OpenAttempt]] {
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT attempt.point, attempt.lease, worker.boot
        FROM attempt JOIN worker ON worker.number = attempt.worker
        WHERE attempt.class IS NULL
        ORDER BY attempt.lease
        """)
    return Dictionary(grouping: rows, by: { $0[0] as Int64 })
      .mapValues { $0.map { OpenAttempt(lease: LeaseID($0[1]), boot: $0[2]) } }
  }
}

extension PointID {
  /// An id as it stands in the store, where a CHECK keeps its form.
  init(stored hex: String, path: String) throws {
    guard let id = PointID(hex: hex) else {
      throw StoreError(.refused, path, "the file is damaged: \"\(hex)\" is not the id of a point")
    }
    self = id
  }
}
