// Leases: opened, renewed by progress, ended, charged to the point or not.

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
  /// Of its worker; nil when it was begun before this coordinator started and nobody came back for it yet.
  var key: String?
  /// Likewise; a place among the scheduler's hosts.
  var host: Int?
  /// The point is finished, and run again to compare.
  let isVerification: Bool
  /// Of the checkpoint that the grant named.
  var startEpoch = 0
  /// nil while awaited.
  var worker: Int64?
  var phase: Phase
  let since: MonotonicInstant
  /// Running: a worker that talks has stalled by then. Awaited and undelivered: over by then.
  var deadline: MonotonicInstant
  /// The greatest work reported; nil before any.
  var work: Int?
  /// The furthest place in a kept checkpoint that it asked for; nil before any.
  var fetched: Int?
  /// The latest epoch of a checkpoint that it offered; nil before any.
  var offered: Int?
  /// Wall time that its result came with.
  var seconds: Double?
  var progress: RunProgress?
  var epochsPerSecond = 0.0
}

extension Scheduler {
  /// Holds a point for the worker that had it before this coordinator started.
  mutating func holdBack(_ position: Int, for attempt: OpenAttempt, isVerification: Bool) {
    guard configuration.graceSeconds > 0 else {
      emit(
        .endAttempt(
          attempt.lease, .failed(.lost, reason: "the coordinator and its workers ended", charged: false)))
      return
    }
    if isVerification { verifications.begin(position) }
    open(
      Attempt(
        lease: attempt.lease, position: position, boot: attempt.boot, isVerification: isVerification, worker: nil,
        phase: .awaited, since: now, deadline: now.advanced(bySeconds: configuration.graceSeconds)))
  }

  mutating func open(_ attempt: Attempt) {
    attempts[attempt.lease] = attempt
    leases.insert(attempt.lease)
    if !attempt.isVerification { points.set(attempt.position, to: .leased(attempt.lease)) }
    lookAgain(at: min(attempt.deadline, now.advanced(bySeconds: configuration.leaseSeconds)))
  }

  /// The open attempt that this worker runs under this lease; nil when the lease is not (or no longer) its own.
  func held(_ lease: LeaseID, by number: Int64) -> Attempt? {
    guard let attempt = attempts[lease], attempt.worker == number, workers[number]?.lease == lease else { return nil }
    return attempt
  }

  /// Progress whose work has grown renews the lease; progress that only repeats itself does not.
  mutating func renew(_ lease: LeaseID, by number: Int64, _ progress: RunProgress, epochsPerSecond: Double) {
    if case .leaving = phase { sendLeave(to: number) }
    if let attempt = attempts[lease], attempt.worker == number, [.delivering, .undelivered].contains(attempt.phase) {
      return  // Overtaken by its own result.
    }
    guard let attempt = held(lease, by: number) else {
      send(.revoked(lease: lease), to: number)
      return
    }
    if attempt.phase == .awaited { attempts[lease]?.phase = .running }
    attempts[lease]?.progress = progress
    attempts[lease]?.epochsPerSecond = epochsPerSecond
    guard attempt.work.map({ progress.work > $0 }) ?? true else { return }
    attempts[lease]?.work = progress.work
    restartStall(lease)
  }

  /// The work has grown, or is about to begin.
  mutating func restartStall(_ lease: LeaseID) {
    guard let attempt = attempts[lease] else { return }
    let deadline = now.advanced(bySeconds: stallSeconds(attempt.position, on: attempt.host))
    attempts[lease]?.deadline = deadline
  }

  /// Failed or handed back. Answered with a receipt whether or not the lease still stood.
  ///
  /// - Parameter epoch: how far it came, where the worker says so.
  mutating func givenUp(
    _ lease: LeaseID, _ id: PointID, by number: Int64, as kind: AttemptClass, reason: String, epoch: Int? = nil
  ) {
    guard let worker = workers[number] else { return }
    if let attempt = attempts[lease], attempt.boot == worker.identity.boot, points[attempt.position].id == id,
      attempt.phase != .delivering
    {
      end(lease, as: kind, reason: reason, epoch: epoch)
    }
    emit(.send(to: worker.peer, .receipt(lease: lease, point: id)))
  }

  /// Ends a lease without a result: charged by its class, the point back to the front or quarantined.
  ///
  /// - Parameter epoch: how far it came; nil: as far as its worker reported.
  mutating func end(
    _ lease: LeaseID, as kind: AttemptClass, reason: String, charged mayCharge: Bool = true, epoch: Int? = nil
  ) {
    guard let attempt = attempts[lease] else { return }
    let reached = epoch ?? attempt.progress?.epoch
    if attempt.isVerification {
      endVerification(attempt, as: kind, reason: reason, counts: mayCharge && kind != .preempted, epoch: reached)
      return
    }
    let charged = mayCharge && kind != .preempted
    close(lease, .failed(kind, reason: reason, charged: charged, epoch: reached))
    let id = points[attempt.position].id
    if charged {
      let count = points.charge(attempt.position)
      let limit = configuration.chargedAttemptsLimit
      log(
        .warning,
        "point \(id.short), \(lease): \(kind.rawValue): \(reason) (attempt \(count) of \(limit) that count)")
    } else {
      log(kind == .preempted ? .info : .warning, "point \(id.short), \(lease): \(kind.rawValue): \(reason)")
    }
    // Before the point is judged: the attempts of a host that is to blame do not count.
    let hostIsToBlame = charged && blameHost(of: attempt, kind, reason: reason)
    switch points[attempt.position].state {
    case .storing(let storing, let worker, .some(lease)):
      points.set(attempt.position, to: .storing(lease: storing, worker: worker, holder: nil))
    case .leased(lease):
      points.set(attempt.position, to: .pending)
      let count = Int(points[attempt.position].chargedAttempts)
      if kind == .badPoint {
        quarantine(attempt.position, reason: "bad_point: \(reason)")
      } else if charged, count >= configuration.chargedAttemptsLimit {
        quarantine(attempt.position, reason: "\(count) attempts failed; the last: \(kind.rawValue): \(reason)")
      }
    case .pending, .leased, .storing, .finished, .failed: break
    }
    if hostIsToBlame, let host = attempt.host { sendHome(host: host) }
  }

  /// A lease that ended in the silence of a whole host: not charged, but not for ever either.
  mutating func endInSilence(_ lease: LeaseID, reason: String) {
    guard let attempt = attempts[lease] else { return }
    end(lease, as: .lost, reason: reason, charged: false)
    guard !attempt.isVerification else { return }
    let count = (silentLosses[attempt.position] ?? 0) + 1
    silentLosses[attempt.position] = count
    guard count >= configuration.silentLossLimit, points[attempt.position].state == .pending else { return }
    quarantine(attempt.position, reason: "\(count) times the whole host fell silent that trained it")
  }

  /// Forgets an open attempt and frees its worker; the point's state is the caller's to change.
  mutating func close(_ lease: LeaseID, _ end: AttemptEnd?) {
    guard let attempt = attempts.removeValue(forKey: lease) else { return }
    leases.remove(lease)
    if let number = attempt.worker, workers[number]?.lease == lease { workers[number]?.lease = nil }
    if let end { emit(.endAttempt(lease, end)) }
    release(attempt.boot)
  }

  mutating func quarantine(_ position: Int, reason: String) {
    points.set(position, to: .failed)
    silentLosses[position] = nil
    emit(.recordFailure(points[position].id, reason: reason))
    log(.error, "point \(points[position].id.short) is quarantined: \(reason)")
    dropCheckpoint(position)
  }
}
