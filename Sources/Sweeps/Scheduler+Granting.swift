// Handing out: which worker gets what next, what fits before it has to be gone, and who is told to leave instead.

import Grokking

extension Scheduler {
  /// Points that are looked at for one that fits a worker.
  private static let pointsLookedAt = 64
  /// Of these in one band of costs, for a worker that has to be gone.
  private static let pointsLookedAtInBand = 8
  /// Before a worker's deadline in which it gets nothing more, and by which a point has to be done before it.
  private static let lastSeconds = 30.0
  /// Of these, a worker that no point fits has to have as many left, to be given one whose beginning will be kept.
  private static let checkpointsWorthStarting = 3.0

  private enum Choice {
    case point(Int)
    case verification(Int)
    case leave(String)
    case nothing
  }

  var mayGrant: Bool { phase == .serving && grantingPausedUntil.map { now >= $0 } ?? true }

  /// Hands points to waiting workers for as long as there are both.
  mutating func grantWaiting() {
    guard mayGrant, !waiting.isEmpty else { return }
    var passedOver: [Int64] = []
    while let number = waiting.first, points.nextPending() != nil || !verifications.queue.isEmpty {
      waiting.removeFirst()
      guard let worker = workers[number], worker.isWaiting, worker.lease == nil else { continue }
      // A worker that waits says so again and again. One that fell silent would cost the point a lease.
      if now.seconds(since: worker.lastHeard) > configuration.leaseSeconds / 2 {
        workers[number]?.isWaiting = false
        continue
      }
      switch choice(for: worker) {
      case .point(let position): grant(position, to: number)
      case .verification(let position):
        verifications.begin(position)
        grant(position, to: number, isVerification: true)
      case .leave(let reason):
        workers[number]?.isWaiting = false
        sendLeave(to: number)
        if !worker.isLeaving { log(.info, "\(worker.name) is told to leave: \(reason)") }
        workers[number]?.isLeaving = true
      case .nothing: passedOver.append(number)
      }
    }
    waiting.insert(contentsOf: passedOver, at: 0)
  }

  private mutating func choice(for worker: ConnectedWorker) -> Choice {
    let secondsLeft = worker.departure?.seconds(since: now)
    if let secondsLeft, secondsLeft < Self.lastSeconds {
      return .leave("it has to be gone in \(Int(max(0, secondsLeft))) s")
    }
    if isBeingTried(worker.host) { return .nothing }
    var first: Int?
    var failedHere: Int?
    var looked = 0
    var next = points.nextPending()
    // A worker that has to be gone gets the costliest point that it can finish: of a band that does not fit only the
    // first few are looked at, for one that has come far already, and then the cheaper bands.
    var lookedInBand = 0
    while let candidate = next, looked < Self.pointsLookedAt {
      let position = candidate.position
      lookedInBand += 1
      let isCheaper = secondsLeft != nil && lookedInBand >= Self.pointsLookedAtInBand
      next = points.nextPending(after: candidate, isCheaper: isCheaper)
      if next?.band != candidate.band || next?.tier != candidate.tier { lookedInBand = 0 }
      let charged = Int(points[position].chargedAttempts)
      if charged >= configuration.chargedAttemptsLimit {
        quarantine(position, reason: "\(charged) attempts failed before this coordinator started")
        continue
      }
      looked += 1
      // What failed here goes elsewhere first, or here after another point went well: so a bad machine shows before it
      // has used up the attempts of one point after the other.
      if hosts[worker.host].failures.contains(where: { $0.position == position }) {
        failedHere = failedHere ?? position
        continue
      }
      if fits(position, worker, secondsLeft, fromCheckpoint: true) { return .point(position) }
      first = first ?? position
    }
    if first == nil, let failedHere, fits(failedHere, worker, secondsLeft, fromCheckpoint: true) {
      return .point(failedHere)
    }
    if let position = first ?? failedHere, let secondsLeft {
      if let each = configuration.checkpointSeconds, secondsLeft >= Self.checkpointsWorthStarting * each {
        return .point(position)
      }
      return .leave("no point is done in the \(Int(secondsLeft)) s that it has left")
    }
    return verificationChoice(for: worker, secondsLeft)
  }

  private func fits(_ position: Int, _ worker: ConnectedWorker, _ secondsLeft: Double?, fromCheckpoint: Bool) -> Bool {
    guard let secondsLeft else { return true }
    let seconds = estimatedSeconds(position, on: worker.host, fromCheckpoint: fromCheckpoint)
    return seconds + Self.lastSeconds <= secondsLeft
  }

  /// Another machine says more about a result than the one that it came from.
  private func verificationChoice(for worker: ConnectedWorker, _ secondsLeft: Double?) -> Choice {
    let fitting = verifications.queue.prefix(Self.pointsLookedAt)
      .filter { fits($0, worker, secondsLeft, fromCheckpoint: false) }
    if let elsewhere = fitting.first(where: { points[$0].finishedBy.map { Int($0) != worker.host } ?? true }) {
      return .verification(elsewhere)
    }
    guard let position = fitting.first, !isSomebodyElseWaiting(outside: worker.host) else { return .nothing }
    return .verification(position)
  }

  private func isSomebodyElseWaiting(outside host: Int) -> Bool {
    waiting.contains { number in
      guard let other = workers[number], other.isWaiting, other.host != host else { return false }
      return now.seconds(since: other.lastHeard) <= configuration.leaseSeconds / 2
    }
  }

  mutating func grant(_ position: Int, to number: Int64, isVerification: Bool = false) {
    guard let worker = workers[number] else { return }
    let lease = LeaseID(nextLease)
    nextLease += 1
    let checkpoint = isVerification ? nil : shelf.kept[position]
    open(
      Attempt(
        lease: lease, position: position, boot: worker.identity.boot, key: worker.peer.key, host: worker.host,
        isVerification: isVerification, startEpoch: checkpoint?.epoch ?? 0, worker: number, phase: .running, since: now,
        deadline: now.advanced(bySeconds: stallSeconds(position, on: worker.host))))
    workers[number]?.lease = lease
    workers[number]?.isWaiting = false
    let point = points[position]
    emit(
      .grant(
        AttemptRecord(lease: lease, point: point.id, worker: number), to: worker.peer, point.experiment,
        checkpoint: checkpoint))
  }

  /// Says the grant of a running lease again.
  mutating func grantAgain(_ attempt: Attempt, to number: Int64) {
    let point = points[attempt.position]
    let checkpoint = attempt.isVerification ? nil : shelf.kept[attempt.position]
    send(.grant(lease: attempt.lease, point: point.id, point.experiment, checkpoint: checkpoint), to: number)
  }

  /// The shell could not write the attempt down, so it never was: nothing to end, nothing to charge.
  mutating func grantFailed(_ lease: LeaseID, _ reason: String) {
    guard let attempt = attempts.removeValue(forKey: lease) else { return }
    leases.remove(lease)
    if attempt.isVerification {
      verifications.putBack(attempt.position)
    } else if points[attempt.position].state == .leased(lease) {
      points.set(attempt.position, to: .pending)
    }
    pauseGranting("cannot record an attempt: \(reason)")
    release(attempt.boot)
    guard let number = attempt.worker, workers[number]?.lease == lease else { return }
    workers[number]?.lease = nil
    startWaiting(number)
  }

  mutating func pauseGranting(_ reason: String) {
    if grantingPausedUntil == nil { log(.error, "\(reason); handing out no points until the store works again") }
    grantingPausedUntil = now.advanced(bySeconds: configuration.storeRetrySeconds)
  }
}
