// Finished points that are run once more: requested by people, granted like any point, compared, and remembered.

import Foundation
import GRDB
import Grokking
import Sweeps

extension Store {
  /// Asks for one more run of each of `points`. One that is asked for already stays so, and is not among the returned.
  ///
  /// - Parameter user: who asks; nil when that is not known.
  /// - Throws: kind `unknown` for a point that is not here or has not finished; then nothing was written.
  package func requestVerifications(of points: [PointID], by user: String?, at now: Date) throws -> [PointID] {
    let time = Timestamp.text(now)
    return try write { database in
      let insert = try database.cachedStatement(
        sql: "INSERT INTO verification (point, requested, requested_by) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
      return try points.filter { point in
        let number = try number(of: point, in: database)
        let finished = try database.cachedStatement(sql: "SELECT semantics_version FROM run WHERE point = ?")
        guard let semantics = try Int.fetchOne(finished, arguments: [number]) else {
          throw StoreError(.unknown, path, "point \(point.short) has not finished, so there is nothing to compare with")
        }
        guard semantics == Engine.semanticsVersion else {
          throw StoreError(
            .unknown, path,
            "point \(point.short) was run with engine semantics \(semantics), and this groksweep computes other numbers "
              + "(semantics \(Engine.semanticsVersion)); leave its sweep out of what is run again")
        }
        try insert.execute(arguments: [number, time, user.flatMap { $0.isEmpty ? nil : $0 }])
        return database.changesCount > 0
      }
    }
  }

  /// Points that are to be run once more, in the order in which they were asked for.
  package func requestedVerifications() throws -> [PointID] {
    try read { database in try requestedVerifications(in: database) }
  }

  func requestedVerifications(in database: Database) throws -> [PointID] {
    try String.fetchAll(
      database,
      sql: """
        SELECT point.id FROM verification JOIN point ON point.number = verification.point
        JOIN run ON run.point = verification.point
        WHERE verification.done IS NULL AND run.semantics_version = ? ORDER BY verification.number
        """,
      arguments: [Engine.semanticsVersion]
    ).map { try PointID(stored: $0, path: path) }
  }

  /// The second run of a finished point came in under `lease`: its attempt ends as `verified` or `differed`, and with
  /// other bits a violation is recorded. With the same bits, its final weights are stored, or take the place of damaged ones. Whether the
  /// bits are the stored ones.
  func verify(
    _ result: RunResult, of point: PointID, lease: LeaseID, worker: Int64, at time: String, in database: Database
  ) throws -> Bool {
    let isEqual = try compare(result, of: point, worker: worker, at: time, in: database)
    let number = try number(of: point, in: database)
    let granted = try Int64.fetchOne(
      try database.cachedStatement(sql: "SELECT lease FROM attempt WHERE lease = ? AND point = ?"),
      arguments: [lease.number, number])
    try database.cachedStatement(
      sql: "UPDATE verification SET lease = ?, equal = ?, digest = ?, done = ? WHERE point = ? AND done IS NULL"
    ).execute(arguments: [granted, isEqual, result.digest, time, number])
    // Those of equal bits are those of the stored run, which may have been stored without, or been damaged since.
    if isEqual { try insertWeights(of: result, number, in: database) }
    if granted != nil {
      try endAttempt(lease, .verified(isEqual: isEqual), epoch: result.epochs, at: time, in: database)
    }
    return isEqual
  }

  /// A verification is given up. Without one that is open, nothing changes.
  func endVerification(of point: PointID, reason: String, at time: String, in database: Database) throws {
    try database.cachedStatement(
      sql: "UPDATE verification SET reason = ?, done = ? WHERE point = ? AND done IS NULL"
    ).execute(arguments: [reason, time, try number(of: point, in: database)])
  }
}
