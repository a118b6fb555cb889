// The coordinator's writes, each on disk when its function returns, and what becomes of those that fail.
//
// A result or a grant that cannot be written is answered with its event. The small records around them (a worker
// joined, an attempt ended) are owed instead: they are written before the next grant, in their order.

import Foundation
import Grokking
import Results
import Sweeps

/// A write that failed for now.
struct OwedWrite {
  let write: (Store) throws -> Void
}

extension CoordinatorShell {
  func record(_ worker: WorkerRecord) {
    if worker.identity.host == WorkerIdentity.hostName {
      boots[worker.identity.processID] = worker.identity.boot
    }
    owe { try $0.recordWorker(worker, at: Date()) }
  }

  func recordLeft(_ number: Int64) { owe { try $0.recordWorkerLeft(number, at: Date()) } }

  /// Whether the attempt stands in the store; if not, the scheduler is told.
  func record(_ attempt: AttemptRecord) -> Bool {
    do {
      try payOwed()
      try store.recordGrant(attempt, at: Date())
      return true
    } catch {
      queue.append(.grantFailed(attempt.lease, reason: "\(error)"))
      return false
    }
  }

  func record(_ end: AttemptEnd, of lease: LeaseID) { owe { try $0.endAttempt(lease, end, at: Date()) } }

  func recordFailure(of point: PointID, reason: String) {
    owe { try $0.recordFailure(point, reason: reason, at: Date()) }
  }

  func commit(_ result: RunResult, of point: PointID, lease: LeaseID, seconds: Double, worker: Int64) {
    do {
      try payOwed()
      let outcome = try store.store(result, of: point, lease: lease, seconds: seconds, worker: worker, at: Date())
      if case .alreadyThere(equalDigest: false) = outcome { reportViolation(point) }
      queue.append(.stored(point))
    } catch let error as StoreError where error.kind == .rejected {
      queue.append(.resultRefused(point, reason: "\(error)"))
    } catch {
      queue.append(.storeFailed(point, reason: "\(error)"))
    }
  }

  func compare(_ result: RunResult, of point: PointID, worker: Int64) {
    do {
      if try !store.compare(result, of: point, worker: worker, at: Date()) { reportViolation(point) }
    } catch {
      logger.error("a second result of point \(point.short) could not be compared with the first: \(error)")
    }
  }

  /// How far the running points are: for people who read the store, so its failure is theirs alone.
  func recordProgress() {
    let epochs = scheduler.overview(at: .now).running.compactMap { running in
      running.progress.map { (lease: running.lease, epoch: $0.epoch) }
    }
    do { try store.recordProgress(epochs, at: Date()) } catch { logger.debug("\(error)") }
  }

  private func reportViolation(_ point: PointID) {
    logger.error(
      """
      point \(point.short) gave another digest than the stored one: a machine or a build is not deterministic; \
      both digests are among the store's violations
      """)
  }

  private func owe(_ write: @escaping (Store) throws -> Void) {
    owed.append(OwedWrite(write: write))
    do { try payOwed() } catch { logger.error("a record is late: \(error)") }
  }

  /// Writes what is owed, in order. A record that the store will never take is dropped with a line.
  private func payOwed() throws {
    while let first = owed.first {
      do {
        try first.write(store)
      } catch let error as StoreError where error.kind == .rejected || error.kind == .unknown {
        logger.error("a record was refused: \(error)")
      }
      owed.removeFirst()
    }
  }
}
