// Leases: granted, renewed by progress, ended by the clock, charged to the point or not.

import Grokking

/// An attempt that has begun and not ended.
struct Attempt: Hashable, Sendable {
  enum Phase: Hashable, Sendable {
    case running
    /// Open in the store when this coordinator started; nobody came back for it yet.
    case awaited
    /// Its result is at the store.
    case delivering
    /// The store could not take its result; the worker keeps it and sends it again.
    case undelivered
  }

  let lease: LeaseID
  let position: Int
  let boot: String
  /// nil while awaited.
  var worker: Int64?
  var phase: Phase
  let since: MonotonicInstant
  var deadline: MonotonicInstant
  /// The greatest work reported; −1 before any.
  var work = -1
  var progress: RunProgress?
  var epochsPerSecond = 0.0
}

extension Scheduler {
  var mayGrant: Bool { phase == .serving && grantingPausedUntil.map { now >= $0 } ?? true }

  /// Hands pending points to waiting workers for as long as there are both.
  mutating func grantWaiting() {
    while mayGrant, !waiting.isEmpty, let position = nextToGrant() {
      let number = waiting.removeFirst()
      guard let worker = workers[number], worker.isWaiting, worker.lease == nil else { continue }
      // A worker that waits says so again and again. One that fell silent would cost the point a lease.
      if now.seconds(since: worker.lastHeard) > configuration.leaseSeconds / 2 {
        workers[number]?.isWaiting = false
        continue
      }
      grant(position, to: number)
    }
  }

  /// The next pending point; points that may not be tried again are quarantined on the way.
  private mutating func nextToGrant() -> Int? {
    while let position = points.nextPending() {
      let charged = points[position].chargedAttempts
      if charged < configuration.chargedAttemptsLimit { return position }
      quarantine(position, reason: "\(charged) attempts failed before this coordinator started")
    }
    return nil
  }

  mutating func grant(_ position: Int, to number: Int64) {
    guard let worker = workers[number] else { return }
    let lease = LeaseID(nextLease)
    nextLease += 1
    open(
      Attempt(
        lease: lease, position: position, boot: worker.identity.boot, worker: number, phase: .running, since: now,
        deadline: now.advanced(bySeconds: configuration.leaseSeconds)))
    workers[number]?.lease = lease
    workers[number]?.isWaiting = false
    let point = points[position]
    emit(.grant(AttemptRecord(lease: lease, point: point.id, worker: number), to: worker.peer, point.experiment))
  }

  /// Holds a point for the worker that had it before this coordinator started.
  mutating func holdBack(_ position: Int, for attempt: OpenAttempt) {
    guard configuration.graceSeconds > 0 else {
      emit(
        .endAttempt(
          attempt.lease, .failed(.lost, reason: "the coordinator and its workers ended", charged: false)))
      return
    }
    open(
      Attempt(
        lease: attempt.lease, position: position, boot: attempt.boot, worker: nil, phase: .awaited, since: now,
        deadline: now.advanced(bySeconds: configuration.graceSeconds)))
  }

  private mutating func open(_ attempt: Attempt) {
    attempts[attempt.lease] = attempt
    leases.insert(attempt.lease)
    points.set(attempt.position, to: .leased(attempt.lease))
    lookAgain(at: attempt.deadline)
  }

  /// Progress whose work has grown renews the lease; progress that only repeats itself does not.
  mutating func renew(_ lease: LeaseID, by number: Int64, _ progress: RunProgress, epochsPerSecond: Double) {
    if case .leaving = phase { sendLeave(to: number) }
    if let attempt = attempts[lease], attempt.worker == number, [.delivering, .undelivered].contains(attempt.phase) {
      return  // Overtaken by its own result.
    }
    guard let attempt = attempts[lease], attempt.worker == number, workers[number]?.lease == lease else {
      send(.revoked(lease: lease), to: number)
      return
    }
    if attempt.phase == .awaited { attempts[lease]?.phase = .running }
    attempts[lease]?.progress = progress
    attempts[lease]?.epochsPerSecond = epochsPerSecond
    guard progress.work > attempt.work else { return }
    attempts[lease]?.work = progress.work
    attempts[lease]?.deadline = now.advanced(bySeconds: configuration.leaseSeconds)
  }

  /// Failed or handed back. Answered with a receipt whether or not the lease still stood.
  mutating func givenUp(_ lease: LeaseID, _ id: PointID, by number: Int64, as kind: AttemptClass, reason: String) {
    guard let worker = workers[number] else { return }
    if let attempt = attempts[lease], attempt.boot == worker.identity.boot, points[attempt.position].id == id,
      attempt.phase != .delivering
    {
      end(lease, as: kind, reason: reason)
    }
    send(.receipt(lease: lease, point: id), to: number)
  }

  /// Ends a lease without a result: charged by its class, the point back to the front or quarantined.
  mutating func end(_ lease: LeaseID, as kind: AttemptClass, reason: String, charged mayCharge: Bool = true) {
    let charged = mayCharge && kind != .preempted
    guard let attempt = close(lease, .failed(kind, reason: reason, charged: charged)) else { return }
    let entry = points[attempt.position]
    let count = charged ? points.charge(attempt.position) : entry.chargedAttempts
    log(
      kind == .preempted ? .info : .warning,
      "point \(entry.id.short), \(lease): \(kind.rawValue): \(reason)\(charged ? " (attempt \(count) of \(configuration.chargedAttemptsLimit) that count)" : "")"
    )
    switch entry.state {
    case .storing(let storing, let worker, .some(lease)):
      points.set(attempt.position, to: .storing(lease: storing, worker: worker, holder: nil))
    case .leased(lease):
      points.set(attempt.position, to: .pending)
      if kind == .badPoint {
        quarantine(attempt.position, reason: "bad_point: \(reason)")
      } else if charged, count >= configuration.chargedAttemptsLimit {
        quarantine(attempt.position, reason: "\(count) attempts failed; the last: \(kind.rawValue): \(reason)")
      }
    case .pending, .leased, .storing, .finished, .failed: break
    }
  }

  /// Forgets an open attempt and frees its worker; the point's state is the caller's to change.
  @discardableResult
  mutating func close(_ lease: LeaseID, _ end: AttemptEnd) -> Attempt? {
    guard let attempt = attempts.removeValue(forKey: lease) else { return nil }
    leases.remove(lease)
    if let number = attempt.worker, workers[number]?.lease == lease { workers[number]?.lease = nil }
    emit(.endAttempt(lease, end))
    return attempt
  }

  private mutating func quarantine(_ position: Int, reason: String) {
    points.set(position, to: .failed)
    emit(.recordFailure(points[position].id, reason: reason))
    log(.error, "point \(points[position].id.short) is quarantined: \(reason)")
  }

  /// The shell could not write the attempt down, so it never was: nothing to end, nothing to charge.
  mutating func grantFailed(_ lease: LeaseID, _ reason: String) {
    guard let attempt = attempts.removeValue(forKey: lease) else { return }
    leases.remove(lease)
    if points[attempt.position].state == .leased(lease) { points.set(attempt.position, to: .pending) }
    pauseGranting("cannot record an attempt: \(reason)")
    guard let number = attempt.worker, workers[number]?.lease == lease else { return }
    workers[number]?.lease = nil
    startWaiting(number)
  }

  mutating func pauseGranting(_ reason: String) {
    if grantingPausedUntil == nil { log(.error, "\(reason); handing out no points until the store works again") }
    grantingPausedUntil = now.advanced(bySeconds: configuration.storeRetrySeconds)
  }
}
