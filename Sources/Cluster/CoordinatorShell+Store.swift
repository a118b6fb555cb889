// The writes of a round, and what becomes of those that fail.
//
// A result or a grant that cannot be written is answered with its event, and asked for anew. The small records around
// them (a worker joined, an attempt ended) are owed instead: they are written with the next round, before its own.

import Foundation
import Grokking
import Results
import Sweeps

extension CoordinatorShell {
  /// How long records that are owed wait when there is nothing else to write.
  private static let owedSeconds = 5.0

  /// One transaction, for what is owed and then `writes`.
  ///
  /// - Returns: whether each of `writes` is in the store, by its place.
  func commit(_ writes: [StoreWrite]) -> [Bool] {
    // A store that is locked or full is not asked for old records' sake all the time: each attempt may wait for seconds.
    guard !writes.isEmpty || (!owed.isEmpty && MonotonicInstant.now >= owedAgain) else { return [] }
    let all = owed + writes
    let outcomes: [WriteOutcome]
    let began = MonotonicInstant.now
    do {
      let (written, grown) = try store.commit(all, growing: boundaries, at: Date())
      outcomes = written
      // Before the scheduler hears what was stored: else it might find that everything is done.
      for sweep in grown {
        tell(sweep)
        queue.append(.addSweep(sweep.sweep, sweep.points))
      }
    } catch {
      putOff(all, "\(error)")
      return writes.map { _ in false }
    }
    counts.commits.add(seconds: MonotonicInstant.now.seconds(since: began))
    if !owed.isEmpty { logger.info("\(owed.count) late records are in the store") }
    owed.removeAll()
    let written = zip(all, outcomes).map { write, outcome in
      switch outcome {
      case .written: if case .end(let lease, let end) = write { counts.ended(lease, end.name, epoch: end.epoch) }
      case .compared(let isEqual): if !isEqual { reportViolation(write) }
      case .stored(let outcome):
        if case .alreadyThere(equalDigest: false) = outcome { reportViolation(write) }
        if case .result(let result, let point, let lease, _, _) = write {
          queue.append(.stored(point))
          if case .stored = outcome { counts.stored() }
          counts.ended(lease, "finished", epoch: result.epochs)
        }
      case .refused(let error):
        refused(write, error)
        return false
      }
      return true
    }
    return Array(written.suffix(writes.count))
  }

  /// Tries at once what is owed.
  func writeOwed() {
    guard !owed.isEmpty || !round.isEmpty else { return }
    owedAgain = .now
    advance()
    settle()
  }

  /// The store takes nothing for now.
  private func putOff(_ writes: [StoreWrite], _ reason: String) {
    owed.removeAll()
    for write in writes {
      switch write {
      case .result(_, let point, _, _, _): queue.append(.storeFailed(point, reason: reason))
      case .grant(let attempt): queue.append(.grantFailed(attempt.lease, reason: reason))
      case .comparison(_, let point, _):
        logger.error("a second result of point \(point.short) could not be compared with the first: \(reason)")
      case .worker, .workerLeft, .end, .refund, .failure, .verification, .verificationFailure: owed.append(write)
      }
    }
    guard !owed.isEmpty else { return }
    owedAgain = MonotonicInstant.now.advanced(bySeconds: Self.owedSeconds)
    logger.error("\(owed.count) records are late: \(reason)")
  }

  /// The store will never take this one.
  private func refused(_ write: StoreWrite, _ error: StoreError) {
    switch write {
    case .result(_, let point, _, _, _):
      queue.append(
        error.kind == .rejected
          ? .resultRefused(point, reason: "\(error)") : .storeFailed(point, reason: "\(error)"))
    case .grant(let attempt): queue.append(.grantFailed(attempt.lease, reason: "\(error)"))
    default: logger.error("a record was refused: \(error)")
    }
  }

  /// How far the running points are: for people who read the store, so its failure is theirs alone.
  func recordProgress() {
    let epochs = scheduler.overview(at: .now).running.compactMap { running in
      running.progress.map { (lease: running.lease, epoch: $0.epoch) }
    }
    do { try store.recordProgress(epochs, at: Date()) } catch { logger.debug("\(error)") }
  }

  private func reportViolation(_ write: StoreWrite) {
    let point: PointID
    switch write {
    case .result(_, let id, _, _, _), .comparison(_, let id, _), .verification(_, let id, _, _): point = id
    default: return
    }
    logger.error(
      """
      point \(point.short) gave another digest than the stored one: a machine or a build is not deterministic; \
      both digests are among the store's violations
      """)
  }
}
