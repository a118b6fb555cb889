// Workers and their attempts, as the coordinator's directives record them: each in a transaction of its own, or several
// in one (Batches.swift).

import Foundation
import GRDB
import Sweeps

extension Store {
  /// A worker process said hello: inserted by its number, or brought up to date.
  package func recordWorker(_ worker: WorkerRecord, at now: Date) throws {
    try write { database in try record(worker, at: Timestamp.text(now), in: database) }
  }

  func record(_ worker: WorkerRecord, at time: String, in database: Database) throws {
    let identity = worker.identity
    try database.cachedStatement(
      sql: """
        INSERT INTO worker
          (number, boot, host, process_id, cpu, cores, kernel_path, build, key, first_seen, last_seen)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (number) DO UPDATE SET
          boot = excluded.boot, host = excluded.host, process_id = excluded.process_id, cpu = excluded.cpu,
          cores = excluded.cores, kernel_path = excluded.kernel_path, build = excluded.build, key = excluded.key,
          last_seen = excluded.last_seen, left_at = NULL
        """
    ).execute(arguments: [
      worker.number, identity.boot, identity.host, identity.processID, identity.cpu, identity.cores,
      identity.kernelPath, identity.build, worker.key, time, time,
    ])
  }

  /// The worker said goodbye or was given up; `recordWorker` brings it back. An unknown number changes nothing.
  package func recordWorkerLeft(_ number: Int64, at now: Date) throws {
    try write { database in try recordLeft(number, at: Timestamp.text(now), in: database) }
  }

  func recordLeft(_ number: Int64, at time: String, in database: Database) throws {
    try database.cachedStatement(sql: "UPDATE worker SET last_seen = ?, left_at = ? WHERE number = ?")
      .execute(arguments: [time, time, number])
  }

  /// An attempt begins. Record it before the worker is told, so that no lease number is ever used twice.
  ///
  /// A point has one open attempt: another one of it, whose end could not be written when it ended, ends here as lost.
  /// Throws `StoreError.Kind.rejected` when the lease was used before.
  package func recordGrant(_ attempt: AttemptRecord, at now: Date) throws {
    try write { database in try record(attempt, at: Timestamp.text(now), in: database) }
  }

  func record(_ attempt: AttemptRecord, at time: String, in database: Database) throws {
    let find = try database.cachedStatement(
      sql: """
        SELECT point.number, attempt.lease FROM point
        LEFT JOIN attempt ON attempt.point = point.number AND attempt.class IS NULL
        WHERE point.id = ?
        """)
    guard let known = try Row.fetchOne(find, arguments: [attempt.point.hex]) else { throw unknown(attempt.point) }
    let (point, open): (Int64, Int64?) = (known[0], known[1])
    if let stale = open, stale != attempt.lease.number {
      let reason = "its end was not recorded before \(attempt.lease) was granted"
      try endAttempt(LeaseID(stale), .failed(.lost, reason: reason, charged: false), at: time, in: database)
    }
    try database.cachedStatement(sql: "INSERT INTO attempt (lease, point, worker, started) VALUES (?, ?, ?, ?)")
      .execute(arguments: [attempt.lease.number, point, attempt.worker, time])
  }

  /// How far the open attempts are, and that their workers are alive: for readers of the store, not for leases.
  package func recordProgress(_ epochs: [(lease: LeaseID, epoch: Int)], at now: Date) throws {
    guard !epochs.isEmpty else { return }
    let time = Timestamp.text(now)
    try write { database in
      let advance = try database.cachedStatement(
        sql: "UPDATE attempt SET epoch = ? WHERE lease = ? AND class IS NULL")
      let see = try database.cachedStatement(
        sql: "UPDATE worker SET last_seen = ? WHERE number = (SELECT worker FROM attempt WHERE lease = ?)")
      for (lease, epoch) in epochs {
        try advance.execute(arguments: [epoch, lease.number])
        try see.execute(arguments: [time, lease.number])
      }
    }
  }

  /// An attempt ends, once: an attempt that has ended, or was never granted here, is left alone.
  package func endAttempt(_ lease: LeaseID, _ end: AttemptEnd, at now: Date) throws {
    try write { database in try endAttempt(lease, end, at: Timestamp.text(now), in: database) }
  }

  func endAttempt(
    _ lease: LeaseID, _ end: AttemptEnd, epoch: Int? = nil, at time: String, in database: Database
  ) throws {
    try database.cachedStatement(
      sql: """
        UPDATE attempt SET class = ?, reason = ?, charged = ?, epoch = coalesce(?, epoch), ended = ?
        WHERE lease = ? AND class IS NULL
        """
    ).execute(arguments: [end.name, end.reason, end.isCharged, epoch ?? end.epoch, time, lease.number])
  }

  /// An attempt that was charged to its point counts no longer, for `reason`. One that does not count is left alone.
  package func refund(_ lease: LeaseID, reason: String) throws {
    try write { database in try refund(lease, reason: reason, in: database) }
  }

  func refund(_ lease: LeaseID, reason: String, in database: Database) throws {
    try database.cachedStatement(sql: "UPDATE attempt SET charged = 0, refunded = ? WHERE lease = ? AND charged = 1")
      .execute(arguments: [reason, lease.number])
  }
}
