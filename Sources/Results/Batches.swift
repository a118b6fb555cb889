// Many writes in one transaction: the coordinator's. One commit, hence one wait for the disk, for all that came in the
// meantime.
//
// A write that breaks a rule of the schema is refused alone; the others stand. What the disk refuses, it refuses all.

import Foundation
import GRDB
import Grokking
import Sweeps

/// One thing to write down.
package enum StoreWrite: Sendable {
  /// A worker process said hello: inserted by its number, or brought up to date.
  case worker(WorkerRecord)
  /// The worker said goodbye or was given up.
  case workerLeft(Int64)
  /// An attempt begins.
  case grant(AttemptRecord)
  /// An attempt ends, once.
  case end(LeaseID, AttemptEnd)
  /// An attempt that was charged counts no longer.
  case refund(LeaseID, reason: String)
  /// A point's result. Answered by `stored`.
  case result(RunResult, of: PointID, lease: LeaseID, seconds: Double, worker: Int64)
  /// A second result of a finished point. Answered by `compared`.
  case comparison(RunResult, with: PointID, worker: Int64)
  /// The point is given up until it is retried.
  case failure(PointID, reason: String)
  /// A finished point was run once more. Answered by `compared`.
  case verification(RunResult, of: PointID, lease: LeaseID, worker: Int64)
  /// A finished point could not be run once more.
  case verificationFailure(PointID, reason: String)
}

extension StoreWrite {
  /// The point that it brings to its end; a refused one is looked at in vain.
  fileprivate var endOfPoint: PointID? {
    switch self {
    case .result(_, let point, _, _, _), .failure(let point, _): point
    default: nil
    }
  }
}

/// What became of one write.
package enum WriteOutcome: Sendable {
  case written
  case stored(StoreOutcome)
  case compared(equalDigest: Bool)
  /// The store is well, and will never take this: kind `rejected` or `unknown`.
  case refused(StoreError)
}

extension Store {
  /// All of `writes` in their order, durably, in one transaction. What single ones do is said where they have names of
  /// their own, such as `recordGrant`.
  ///
  /// - Returns: one outcome for each write.
  /// - Throws: `StoreError`, mostly of kind `unavailable`; then none of them is written.
  package func commit(_ writes: [StoreWrite], at now: Date) throws -> [WriteOutcome] {
    try commit(writes, growing: .none, at: now).outcomes
  }

  /// As `commit(_:at:)`; `boundaries` that the results concern grow in the same transaction.
  package func commit(
    _ writes: [StoreWrite], growing boundaries: BoundarySweeps, at now: Date
  ) throws -> (outcomes: [WriteOutcome], grown: [GrownSweep]) {
    guard !writes.isEmpty else { return ([], []) }
    let time = Timestamp.text(now)
    let ends = boundaries.sweeps.isEmpty ? [] : writes.compactMap(\.endOfPoint)
    do {
      return try write { database in
        let outcomes = try writes.map { try perform($0, at: time, in: database) }
        return (outcomes, try grow(boundaries, after: ends, in: database))
      }
    } catch let error as StoreError where error.kind == .rejected || error.kind == .unknown {
      // Rare enough to begin anew, each write with a savepoint of its own, which would cost every other batch a copy
      // of each page that a write touches.
      return try write { database in
        let outcomes = try writes.map { try performAlone($0, at: time, in: database) }
        return (outcomes, try grow(boundaries, after: ends, in: database))
      }
    }
  }

  /// Nothing of a refused write stays.
  private func performAlone(_ write: StoreWrite, at time: String, in database: Database) throws -> WriteOutcome {
    try database.cachedStatement(sql: "SAVEPOINT one_write").execute()
    do {
      let outcome = try perform(write, at: time, in: database)
      try database.cachedStatement(sql: "RELEASE one_write").execute()
      return outcome
    } catch {
      let error = StoreError(error, path: path)
      guard error.kind == .rejected || error.kind == .unknown else { throw error }
      try database.cachedStatement(sql: "ROLLBACK TO one_write").execute()
      try database.cachedStatement(sql: "RELEASE one_write").execute()
      return .refused(error)
    }
  }

  private func perform(_ write: StoreWrite, at time: String, in database: Database) throws -> WriteOutcome {
    switch write {
    case .worker(let worker): try record(worker, at: time, in: database)
    case .workerLeft(let number): try recordLeft(number, at: time, in: database)
    case .grant(let attempt): try record(attempt, at: time, in: database)
    case .end(let lease, let end): try endAttempt(lease, end, at: time, in: database)
    case .refund(let lease, let reason): try refund(lease, reason: reason, in: database)
    case .failure(let point, let reason): try recordFailure(point, reason: reason, in: database)
    case .verificationFailure(let point, let reason):
      try endVerification(of: point, reason: reason, at: time, in: database)
    case .result(let result, let point, let lease, let seconds, let worker):
      return .stored(
        try store(result, of: point, lease: lease, seconds: seconds, worker: worker, at: time, in: database))
    case .comparison(let result, let point, let worker):
      return .compared(equalDigest: try compare(result, of: point, worker: worker, at: time, in: database))
    case .verification(let result, let point, let lease, let worker):
      return .compared(
        equalDigest: try verify(result, of: point, lease: lease, worker: worker, at: time, in: database))
    }
    return .written
  }
}
