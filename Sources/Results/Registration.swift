// Sweeps and their points enter the store: once, however often the same file is run.

import Foundation
import GRDB
import Grokking
import Sweeps

/// A sweep file, as far as the store is concerned.
package struct SweepRegistration: Sendable {
  package let name: String
  /// The file's meaning without comments and order of keys: what decides whether two files are the same sweep.
  package let canonical: String
  /// The file as written, for people.
  package let fileText: String
  /// Key paths of the axes, such as `training.weight_decay`.
  package let axes: [String]
  /// In the sweep's order.
  package let points: [Point]
  /// Sentences that say what distinguishes this sweep from another's `canonical`.
  package let differences: @Sendable (_ storedCanonical: String) -> [String]

  package init(
    name: String, canonical: String, fileText: String, axes: [String], points: [Point],
    differences: @escaping @Sendable (_ storedCanonical: String) -> [String]
  ) {
    self.name = name
    self.canonical = canonical
    self.fileText = fileText
    self.axes = axes
    self.points = points
    self.differences = differences
  }
}

/// How a sweep stands after it was registered.
package struct Registration: Sendable, Hashable {
  package let sweep: String
  /// False when the sweep was there and goes on.
  package let isNew: Bool
  package let total: Int
  package let pending: Int
  package let finished: Int
  package let failed: Int
  /// Of `finished`: those that another sweep had finished before this one came. 0 unless `isNew`.
  package let sharedFinished: Int
  /// nil unless the sweep was here with another file.
  package let change: SweepChange?
  /// What its earlier file said otherwise, in sentences.
  package let differences: [String]
  /// Points that left the sweep.
  package let withdrawn: [PointID]
}

/// A point is running when it is pending and an attempt of it is open.
package typealias PointState = KnownPoint.State

extension Store {
  /// Makes the sweep and its points known. The same sweep again changes nothing and goes on; one whose file was changed
  /// gets the points of the new file (`SweepChange`). Points that another sweep has finished are finished.
  ///
  /// Throws `StoreError.Kind.sweepChanged` when the sweep's runs are of another engine's semantics; then nothing was
  /// written.
  package func register(_ sweep: SweepRegistration, at now: Date) throws -> Registration {
    // Random ids come into the index of `point` in any order; with few pages in memory, a million of them would write
    // most pages many times over.
    let isLarge = sweep.points.count > 10_000
    if isLarge { try withoutTransaction { database in try database.execute(sql: "PRAGMA cache_size = -196608") } }
    defer {
      if isLarge {
        try? withoutTransaction { database in
          try database.execute(sql: "PRAGMA cache_size = -2000; PRAGMA shrink_memory")
        }
      }
    }
    return try write { database in
      let known = try Row.fetchOne(
        database, sql: "SELECT number, canonical, semantics_version FROM sweep WHERE name = ?",
        arguments: [sweep.name])
      guard let known else {
        try insert(sweep, at: now, in: database)
        return try registration(of: sweep.name, isNew: true, in: database)
      }
      let canonical: String = known[1]
      let differences = canonical == sweep.canonical ? [] : sweep.differences(canonical)
      try refuse(sweep, semanticsVersion: known[2], differences)
      guard canonical != sweep.canonical else {
        return try registration(of: sweep.name, isNew: false, in: database)
      }
      let (change, withdrawn) = try apply(sweep, to: known[0], at: now, in: database)
      return try registration(
        of: sweep.name, isNew: false, change: change, differences: differences, withdrawn: withdrawn, in: database)
    }
  }

  /// The state of each of `points`, in their order; nil for those that this store does not know.
  package func states(of points: [PointID]) throws -> [PointState?] {
    try read { database in
      let statement = try database.makeStatement(sql: "SELECT state FROM point WHERE id = ?")
      return try points.map { point in
        try String.fetchOne(statement, arguments: [point.hex]).flatMap(PointState.init(rawValue:))
      }
    }
  }

  /// No change of the file would help here, and its runs are worth keeping.
  private func refuse(_ sweep: SweepRegistration, semanticsVersion: Int, _ differences: [String]) throws {
    guard semanticsVersion != Engine.semanticsVersion else { return }
    let list = differences.map { "\n  \($0)" }.joined()
    throw StoreError(
      .sweepChanged, path,
      "the sweep \"\(sweep.name)\" was started with engine semantics \(semanticsVersion), and this groksweep computes "
        + "other numbers (semantics \(Engine.semanticsVersion))"
        + (list.isEmpty ? "" : "; it was changed as well:\(list)") + "\n"
        + "Its finished runs stay in the store. To compute them anew, give the sweep another name or choose another "
        + "--store.")
  }

  private func insert(_ sweep: SweepRegistration, at now: Date, in database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO sweep (name, canonical, file_text, axes, semantics_version, created, total)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        sweep.name, sweep.canonical, sweep.fileText, try axes(of: sweep), Engine.semanticsVersion, Timestamp.text(now),
        sweep.points.count,
      ])
    let number = database.lastInsertedRowID
    let points = try insertPoints(of: sweep, in: database)
    try insertMembers(points, settings: sweep.points.map(\.setting), of: number, in: database)
    try count(number, in: database)
  }

  func axes(of sweep: SweepRegistration) throws -> String {
    String(decoding: try JSONEncoder().encode(sweep.axes), as: UTF8.self)
  }

  /// The points of a sweep that has none, in its order, and their settings in the order in which the points name them
  /// first.
  func insertMembers(_ points: [Int64], settings labels: [String], of sweep: Int64, in database: Database) throws {
    var positions: [String: Int] = [:]
    var settings: [(label: String, points: Int, example: Int64)] = []
    let ofPoints = zip(labels, points).map { label, row in
      let position = positions[label] ?? settings.count
      if position == settings.count {
        positions[label] = position
        settings.append((label, 0, row))
      }
      settings[position].points += 1
      settings[position].example = min(settings[position].example, row)
      return position
    }
    let insertSetting = try database.makeStatement(
      sql: "INSERT INTO setting (sweep, position, label, points, example) VALUES (?, ?, ?, ?, ?)")
    for (position, setting) in settings.enumerated() {
      try insertSetting.execute(arguments: [sweep, position, setting.label, setting.points, setting.example])
    }
    let insertPoint = try database.makeStatement(
      sql: "INSERT INTO sweep_point (sweep, position, point, setting) VALUES (?, ?, ?, ?)")
    for position in points.indices {
      try insertPoint.execute(arguments: [sweep, position, points[position], ofPoints[position]])
    }
  }

  /// Counts a sweep's points by state.
  func count(_ sweep: Int64, in database: Database) throws {
    try database.execute(
      sql: """
        UPDATE sweep SET (total, finished, failed, finished_seconds) = (
          SELECT count(*), count(*) FILTER (WHERE point.state = 'finished'),
            count(*) FILTER (WHERE point.state = 'failed'), coalesce(sum(run.seconds), 0)
          FROM sweep_point
          JOIN point ON point.number = sweep_point.point
          LEFT JOIN run ON run.point = point.number
          WHERE sweep_point.sweep = sweep.number)
        WHERE number = ?
        """,
      arguments: [sweep])
  }

  /// The row number of each point, which may have been there already.
  func insertPoints(of sweep: SweepRegistration, in database: Database) throws -> [Int64] {
    let isEmpty = try Int.fetchOne(database, sql: "SELECT 1 FROM point LIMIT 1") == nil
    let find = try database.makeStatement(sql: "SELECT number FROM point WHERE id = ?")
    let marks = String(repeating: ", ?", count: ExperimentColumns.names.count)
    let insert = try database.makeStatement(
      sql: "INSERT INTO point (id, \(ExperimentColumns.names.joined(separator: ", "))) VALUES (?\(marks))")
    return try sweep.points.map { point in
      if !isEmpty, let number = try Int64.fetchOne(find, arguments: [point.id.hex]) { return number }
      let values = ExperimentColumns.values(of: point.experiment)
      try insert.execute(arguments: StatementArguments([point.id.hex] + values))
      return database.lastInsertedRowID
    }
  }

  private func registration(
    of name: String, isNew: Bool, change: SweepChange? = nil, differences: [String] = [], withdrawn: [PointID] = [],
    in database: Database
  ) throws -> Registration {
    let row = try Row.fetchOne(
      database, sql: "SELECT total, finished, failed FROM sweep WHERE name = ?", arguments: [name])!
    let (total, finished, failed): (Int, Int, Int) = (row[0], row[1], row[2])
    return Registration(
      sweep: name, isNew: isNew, total: total, pending: total - finished - failed, finished: finished, failed: failed,
      sharedFinished: isNew ? finished : 0, change: change, differences: differences, withdrawn: withdrawn)
  }
}
