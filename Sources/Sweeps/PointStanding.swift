// Why a point does not run, or how it does: the scheduler's part of `explain`.

import Grokking

/// A reason for which a pending point is not running, the weightiest first where there are several.
package enum PointObstacle: Hashable, Sendable {
  /// The file of its last sweep was changed and has it no longer.
  case withdrawn
  case sweepsCancelled
  case sweepsPaused
  /// The coordinator was told to drain or to shut down.
  case leaving
  /// The store failed; seconds until it is tried again.
  case storeTrouble(seconds: Double)
  case noWorkers
  /// Every worker that is left comes from elsewhere.
  case hostsBarred([String])
  /// Workers are there, and all of them have something to do.
  case workersBusy(Int)
  /// These many points go before it.
  case pointsBefore(Int)

  /// In words.
  package var text: String {
    switch self {
    case .withdrawn: "no sweep has it any more, since a sweep's file was changed"
    case .sweepsCancelled: "all its sweeps are cancelled"
    case .sweepsPaused: "its sweeps are paused"
    case .leaving: "the coordinator hands out nothing more: it is about to end"
    case .storeTrouble(let seconds):
      "the store does not take results; nothing is handed out for \(Int(seconds.rounded(.up))) s"
    case .noWorkers: "no worker is connected"
    case .hostsBarred(let hosts): "sent home after failure upon failure: \(hosts.joined(separator: ", "))"
    case .workersBusy(let count): count == 1 ? "the only worker is busy" : "all \(count) workers are busy"
    case .pointsBefore(let count): count == 1 ? "one point goes before it" : "\(count) points go before it"
    }
  }
}

package struct PointStanding: Hashable, Sendable {
  package enum State: String, Hashable, Sendable {
    case pending
    case running
    /// Its worker had it before this coordinator started, and is not back yet.
    case awaited
    /// Its result is at the store, or could not be stored yet.
    case delivering
    case finished
    case failed
  }

  package var point: PointID
  package var state: State
  /// Names of its sweeps, in order of registration.
  package var sweeps: [String]
  /// Ended attempts that count against it, and how many of them quarantine it.
  package var chargedAttempts: Int
  package var chargedAttemptsLimit: Int
  /// Times its worker's whole host fell silent, since this coordinator started.
  package var silentLosses: Int
  /// Empty unless pending.
  package var obstacles: [PointObstacle]
  /// Of the attempt under way, a verification's too.
  package var lease: LeaseID?
  package var worker: Int64?
  package var host: String?
  package var progress: RunProgress?
  /// Seconds until an awaited worker is given up.
  package var graceSeconds: Double?
  /// Of the checkpoint beside the store.
  package var keptEpoch: Int?
  /// Finished, and to be run again or running again.
  package var isBeingVerified: Bool
}

extension Scheduler {
  /// nil when no sweep here has this point. Takes time in proportion to the open leases.
  package func explain(_ id: PointID, at time: MonotonicInstant) -> PointStanding? {
    guard let position = points.position(of: id) else { return nil }
    let entry = points[position]
    let lease = leases.elements.first { attempts[$0]?.position == position }
    let attempt = lease.flatMap { attempts[$0] }
    return PointStanding(
      point: id, state: state(of: entry, attempt),
      sweeps: points.sweeps.groups[Int(entry.group)].map { points.sweeps.sweeps[$0].name },
      chargedAttempts: Int(entry.chargedAttempts), chargedAttemptsLimit: configuration.chargedAttemptsLimit,
      silentLosses: silentLosses[position] ?? 0,
      obstacles: entry.state == .pending ? obstacles(position, at: time) : [], lease: lease, worker: attempt?.worker,
      host: attempt?.host.map { hosts[$0].name }, progress: attempt?.progress,
      graceSeconds: attempt.flatMap { $0.phase == .awaited ? max(0, $0.deadline.seconds(since: time)) : nil },
      keptEpoch: shelf.kept[position]?.epoch, isBeingVerified: verifications.contains(position))
  }

  private func state(of entry: PointEntry, _ attempt: Attempt?) -> PointStanding.State {
    switch entry.state {
    case .pending: .pending
    case .storing: .delivering
    case .finished: .finished
    case .failed: .failed
    case .leased:
      switch attempt?.phase {
      case .awaited: .awaited
      case .delivering, .undelivered: .delivering
      case .running, nil: .running
      }
    }
  }

  private func obstacles(_ position: Int, at time: MonotonicInstant) -> [PointObstacle] {
    var found: [PointObstacle] = []
    switch points.state(ofSweepsOf: position) {
    case .active: break
    case .paused: found.append(.sweepsPaused)
    case .cancelled:
      let isWithdrawn = points.sweeps.groups[Int(points[position].group)].isEmpty
      found.append(isWithdrawn ? .withdrawn : .sweepsCancelled)
    }
    if phase != .serving { found.append(.leaving) }
    if let until = grantingPausedUntil, time < until {
      found.append(.storeTrouble(seconds: until.seconds(since: time)))
    }
    if workers.isEmpty {
      found.append(.noWorkers)
    } else if !workerNumbers.elements.contains(where: { workers[$0]?.isWaiting == true }) {
      found.append(.workersBusy(workers.count))
    }
    let barred = barredHosts(at: time).map(\.host)
    if !barred.isEmpty { found.append(.hostsBarred(barred)) }
    if let before = points.pendingCount(before: position), before > 0 { found.append(.pointsBefore(before)) }
    return found
  }
}
