// What the clock ends: leases, the patience with silent workers, pauses; and what a stopped clock must not end.

import Grokking

extension Scheduler {
  mutating func lookAgain(at moment: MonotonicInstant) {
    nextLook = nextLook.map { min($0, moment) } ?? moment
  }

  /// Ends what is over by now. Costs nothing before `nextLook`.
  mutating func look() {
    if let paused = grantingPausedUntil, now >= paused {
      grantingPausedUntil = nil
      log(.info, "trying to hand out points again")
    }
    guard let due = nextLook, now >= due else { return }
    for lease in leases.elements {
      if let attempt = attempts[lease], attempt.phase != .delivering, now >= attempt.deadline { expire(attempt) }
    }
    for number in workerNumbers.elements {
      // A worker without a lease says ready again and again; silence means that it is gone or will say hello.
      if let worker = workers[number], worker.lease == nil,
        now.seconds(since: worker.lastHeard) >= configuration.leaseSeconds
      {
        log(.info, "\(worker.name) has fallen silent")
        forget(number)
      }
    }
    nextLook = nil
    for lease in leases.elements {
      if let attempt = attempts[lease], attempt.phase != .delivering { lookAgain(at: attempt.deadline) }
    }
    for number in workerNumbers.elements {
      if let worker = workers[number], worker.lease == nil {
        lookAgain(at: worker.lastHeard.advanced(bySeconds: configuration.leaseSeconds))
      }
    }
    // Results at the store have no deadline of their own, but their coordinator must still notice a suspension.
    if nextLook == nil, !leases.isEmpty || !workerNumbers.isEmpty {
      lookAgain(at: now.advanced(bySeconds: configuration.leaseSeconds))
    }
  }

  private mutating func expire(_ attempt: Attempt) {
    let lease = attempt.lease
    switch attempt.phase {
    case .awaited:
      end(
        lease, as: .lost, reason: "its worker did not come back after the coordinator was restarted", charged: false)
    case .undelivered:
      end(
        lease, as: .lost, reason: "its result could not be stored, and was not sent again", charged: false)
    case .running:
      guard let number = attempt.worker, let worker = workers[number], worker.lease == lease else {
        end(lease, as: .lost, reason: "its worker is gone")
        return
      }
      let seconds = Int(configuration.leaseSeconds.rounded())
      if now.seconds(since: worker.lastHeard) < configuration.leaseSeconds / 2 {
        // The process lives and talks, its training does not move.
        end(lease, as: .stalled, reason: "no progress for \(seconds) s on \(worker.name)")
        send(.revoked(lease: lease), to: number)
      } else {
        end(lease, as: .lost, reason: "nothing heard of \(worker.name) for \(seconds) s")
        forget(number)
      }
    case .delivering: break
    }
  }

  /// A long gap between two events means that this process did not run (suspended, stopped, a hanging disk). Nobody
  /// could be heard meanwhile, so every lease and every patience starts anew.
  mutating func noticeSuspension(until time: MonotonicInstant) {
    let gap = time.seconds(since: now)
    guard gap > configuration.leaseSeconds / 2, !leases.isEmpty || !workerNumbers.isEmpty else { return }
    emit(.log(.warning, "the coordinator did not run for \(Int(gap)) s; all leases start anew"))
    for lease in leases.elements {
      let patience =
        attempts[lease]?.phase == .awaited ? configuration.graceSeconds : configuration.leaseSeconds
      attempts[lease]?.deadline = time.advanced(bySeconds: patience)
    }
    for number in workerNumbers.elements { workers[number]?.lastHeard = time }
    if case .leaving(let ending, _) = phase {
      phase = .leaving(ending, until: time.advanced(bySeconds: configuration.leaveSeconds))
    }
  }
}
