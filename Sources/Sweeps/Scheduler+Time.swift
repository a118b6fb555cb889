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
      if let attempt = attempts[lease], attempt.phase != .delivering { judge(attempt) }
    }
    for number in workerNumbers.elements {
      // A worker without a lease says ready again and again; silence means that it is gone or will say hello.
      if let worker = workers[number], worker.lease == nil, now >= patienceEnd(of: worker) {
        log(.info, "\(worker.name) has fallen silent")
        forget(number)
      }
    }
    nextLook = nil
    for lease in leases.elements {
      guard let attempt = attempts[lease], attempt.phase != .delivering else { continue }
      // A stall that is over already is judged when its worker is heard, or ends with it.
      if now < attempt.deadline { lookAgain(at: attempt.deadline) }
    }
    for number in workerNumbers.elements {
      if let worker = workers[number], now < patienceEnd(of: worker) { lookAgain(at: patienceEnd(of: worker)) }
    }
    // Results at the store have no deadline of their own, but their coordinator must still notice a suspension.
    if nextLook == nil, !leases.isEmpty || !workerNumbers.isEmpty {
      lookAgain(at: now.advanced(bySeconds: configuration.leaseSeconds))
    }
  }

  private func patienceEnd(of worker: ConnectedWorker) -> MonotonicInstant {
    worker.silentSince.advanced(bySeconds: configuration.leaseSeconds)
  }

  /// Ends an attempt that is over by now.
  private mutating func judge(_ attempt: Attempt) {
    let lease = attempt.lease
    switch attempt.phase {
    case .awaited where now >= attempt.deadline:
      end(
        lease, as: .lost, reason: "its worker did not come back after the coordinator was restarted", charged: false)
    case .undelivered where now >= attempt.deadline:
      end(
        lease, as: .lost, reason: "its result could not be stored, and was not sent again", charged: false)
    case .running: judgeRunning(attempt)
    case .awaited, .undelivered, .delivering: break
    }
  }

  /// Two clocks: one for the silence of its worker, one for the standstill of its work.
  private mutating func judgeRunning(_ attempt: Attempt) {
    let lease = attempt.lease
    guard let number = attempt.worker, let worker = workers[number], worker.lease == lease else {
      end(lease, as: .lost, reason: "its worker is gone", charged: false)
      return
    }
    if now >= patienceEnd(of: worker) {
      let silence = Int(now.seconds(since: worker.lastHeard).rounded())
      let reason = "nothing heard of \(worker.name) for \(silence) s"
      if isAloneInSilence(worker) {
        end(lease, as: .lost, reason: "\(reason), while others there were heard")
      } else {
        endInSilence(lease, reason: "\(reason), nor of any other there")
      }
      forget(number)
    } else if now >= attempt.deadline,
      now.seconds(since: worker.lastHeard) < configuration.leaseSeconds / 2
    {
      // The process lives and talks, its training does not move.
      let seconds = Int(stallSeconds(attempt.position, on: attempt.host).rounded())
      send(.revoked(lease: lease), to: number)
      end(lease, as: .stalled, reason: "no progress for \(seconds) s on \(worker.name)")
    }
  }

  /// A long gap between two events means that this process did not run (suspended, stopped, a hanging disk). Nobody
  /// could be heard meanwhile, so every lease and every patience starts anew.
  mutating func noticeSuspension(until time: MonotonicInstant) {
    let gap = time.seconds(since: now)
    guard gap > configuration.leaseSeconds / 2, !leases.isEmpty || !workerNumbers.isEmpty else { return }
    emit(.log(.warning, "the coordinator did not run for \(Int(gap)) s; all leases start anew"))
    for lease in leases.elements {
      guard let attempt = attempts[lease] else { continue }
      let patience =
        switch attempt.phase {
        case .awaited: configuration.graceSeconds
        case .running: stallSeconds(attempt.position, on: attempt.host)
        case .delivering, .undelivered: configuration.leaseSeconds
        }
      attempts[lease]?.deadline = time.advanced(bySeconds: patience)
    }
    for number in workerNumbers.elements { workers[number]?.silentSince = time }
    if case .leaving(let ending, _) = phase {
      phase = .leaving(ending, until: time.advanced(bySeconds: configuration.leaveSeconds))
    }
  }
}
