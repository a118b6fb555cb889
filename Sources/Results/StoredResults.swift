// Results enter the store: each point's first one for good, every later one to be compared with it.

import Foundation
import GRDB
import Grokking
import Sweeps

/// What became of a delivered result.
package enum StoreOutcome: Sendable, Hashable {
  case stored
  /// The point had a result. Unequal digests are recorded as a violation.
  case alreadyThere(equalDigest: Bool)
}

extension Store {
  /// The commit of a point: its run, every measure of it, digests and the end of its attempt, all or nothing.
  ///
  /// `lease` may have ended or stem from an earlier coordinator's life; one that this store never granted for this point
  /// (a leftover of a store since deleted) is not noted, and the result is stored all the same. A failed point becomes
  /// finished. `seconds` is wall time of training and analysis.
  ///
  /// Throws `StoreError.Kind.rejected` for a result that breaks the rules of the schema, `.unknown` for a point that is
  /// not here, `.unavailable` when it should be tried again.
  package func store(
    _ result: RunResult, of point: PointID, lease: LeaseID, seconds: Double, worker: Int64, at now: Date
  ) throws -> StoreOutcome {
    try write { database in
      try store(
        result, of: point, lease: lease, seconds: seconds, worker: worker, at: Timestamp.text(now), in: database)
    }
  }

  func store(
    _ result: RunResult, of point: PointID, lease: LeaseID, seconds: Double, worker: Int64, at time: String,
    in database: Database
  ) throws -> StoreOutcome {
    // One question for all that has to be known, because a statement costs more than what it finds.
    let find = try database.cachedStatement(
      sql: """
        SELECT point.number, run.digest, attempt.lease FROM point
        LEFT JOIN run ON run.point = point.number
        LEFT JOIN attempt ON attempt.lease = ? AND attempt.point = point.number
        WHERE point.id = ?
        """)
    guard let known = try Row.fetchOne(find, arguments: [lease.number, point.hex]) else { throw unknown(point) }
    let (number, stored, granted): (Int64, String?, Int64?) = (known[0], known[1], known[2])
    if let stored {
      let isEqual = try compare(result, with: number, digest: stored, worker: worker, at: time, in: database)
      try endAttempt(lease, .superseded(by: nil), at: time, in: database)
      return .alreadyThere(equalDigest: isEqual)
    }
    try insertRun(result, number, lease: granted, seconds: seconds, worker: worker, at: time, in: database)
    try ResultRows.insert(result, of: number, in: database)
    try insertWeights(of: result, number, in: database)
    if granted != nil { try endAttempt(lease, .finished, epoch: result.epochs, at: time, in: database) }
    // Once a second is enough: a worker whose points take no time would have its row written with each of them.
    try database.cachedStatement(
      sql: "UPDATE worker SET last_seen = ? WHERE number = ? AND substr(last_seen, 1, 19) <> ?"
    ).execute(arguments: [time, worker, String(time.prefix(19))])
    return .stored
  }

  /// Whether a second result of a finished point has the digest of the stored one; if not, one violation is recorded.
  /// Throws `StoreError.Kind.unknown` when the point is not here or has no result.
  package func compare(_ result: RunResult, of point: PointID, worker: Int64, at now: Date) throws -> Bool {
    try write { database in
      try compare(result, of: point, worker: worker, at: Timestamp.text(now), in: database)
    }
  }

  func compare(
    _ result: RunResult, of point: PointID, worker: Int64, at time: String, in database: Database
  ) throws -> Bool {
    let number = try number(of: point, in: database)
    let find = try database.cachedStatement(sql: "SELECT digest FROM run WHERE point = ?")
    guard let stored = try String.fetchOne(find, arguments: [number]) else {
      throw StoreError(.unknown, path, "the point \(point.short) has no result to compare with")
    }
    return try compare(result, with: number, digest: stored, worker: worker, at: time, in: database)
  }

  /// The point is given up until `retry`. A finished point stays finished.
  package func recordFailure(_ point: PointID, reason: String, at now: Date) throws {
    try write { database in try recordFailure(point, reason: reason, in: database) }
  }

  func recordFailure(_ point: PointID, reason: String, in database: Database) throws {
    try database.cachedStatement(
      sql: "UPDATE point SET state = 'failed', failure = ? WHERE number = ? AND state <> 'finished'"
    ).execute(arguments: [reason, try number(of: point, in: database)])
  }

  /// Failed points become pending, and their charged attempts no longer count. Which: those among `points` (nil: all) that
  /// belong to `sweep` (nil: any). Returns the points that were failed, in the order of registration.
  package func retry(points: [PointID]? = nil, sweep: String? = nil) throws -> [PointID] {
    try write { database in
      let sweepNumber = try sweep.map { try number(ofSweep: $0, in: database) }
      let wanted = try points.map { points in Set(try points.map { try number(of: $0, in: database) }) }
      let failed = try Row.fetchAll(
        database,
        sql: """
          SELECT number, id FROM point
          WHERE state = 'failed' AND (:sweep IS NULL OR EXISTS (
            SELECT 1 FROM sweep_point WHERE sweep_point.point = point.number AND sweep_point.sweep = :sweep))
          ORDER BY number
          """,
        arguments: ["sweep": sweepNumber])
      var changed: [PointID] = []
      for row in failed {
        let number: Int64 = row[0]
        if let wanted, !wanted.contains(number) { continue }
        try database.cachedStatement(sql: "UPDATE point SET state = 'pending', failure = NULL WHERE number = ?")
          .execute(arguments: [number])
        try database.cachedStatement(
          sql: "UPDATE attempt SET charged = 0, refunded = 'the point is tried again' WHERE point = ? AND charged = 1"
        ).execute(arguments: [number])
        changed.append(try PointID(stored: row[1], path: path))
      }
      return changed
    }
  }

  /// - Parameter stored: the digest of the point's run.
  private func compare(
    _ result: RunResult, with point: Int64, digest stored: String, worker: Int64, at time: String,
    in database: Database
  ) throws -> Bool {
    guard stored != result.digest else { return true }
    let chain = try String.fetchAll(
      database, sql: "SELECT epoch || ' ' || digest FROM digest WHERE point = ? ORDER BY epoch", arguments: [point])
    // Links are chained, so the first one that differs is where the weights first did, to the resolution of the links.
    let different = zip(result.digests, chain).first { "\($0.epoch) \($0.digest)" != $1 }
    try database.execute(
      sql: """
        INSERT INTO violation (point, worker, digest, first_different_epoch, recorded) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """,
      arguments: [point, worker, result.digest, different?.0.epoch, time])
    return false
  }

  private func insertRun(
    _ result: RunResult, _ point: Int64, lease: Int64?, seconds: Double, worker: Int64, at time: String,
    in database: Database
  ) throws {
    var divergedAt: Int?
    if case .diverged(let epoch, _, _) = result.outcome { divergedAt = epoch }
    let outcome = result.outcome
    try database.cachedStatement(
      sql: """
        INSERT INTO run (point, outcome, memorization_epoch, grokking_epoch, censored_after, diverged_at, epochs,
          last_evaluation, seconds, worker, lease, digest, kernel_path, semantics_version, measure_version, stored)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      point, outcome.name, outcome.memorizationEpoch, outcome.grokkingEpoch, outcome.censoredAfter, divergedAt,
      result.epochs, result.final?.epoch, seconds, worker, lease, result.digest, result.kernelPath,
      result.semanticsVersion, result.measureVersion, time,
    ])
  }
}
