// The run under way: its progress, its end, and how a worker leaves.

import Grokking

extension WorkerSession {
  mutating func report(_ progress: RunProgress, _ rate: Double) {
    guard heldLease != nil else { return }
    let isFirst = self.progress?.work == 0
    self.progress = progress
    epochsPerSecond = rate.isFinite ? max(0, rate) : 0
    guard case .welcomed(_, let progressSeconds, _) = standing else { return }
    if !isFirst, let lastProgress, now < lastProgress.advanced(bySeconds: progressSeconds) { return }
    sendProgress()
  }

  mutating func sendProgress() {
    guard isWelcome, let held = heldLease, let progress else { return }
    lastProgress = now
    emit(.send(.progress(lease: held.lease, progress, epochsPerSecond: epochsPerSecond)))
  }

  /// Right also while stopping: the run was faster than the wish to stop it, and its result is as good as any.
  mutating func runFinished(_ result: RunResult, seconds: Double) {
    var result = result
    if !keepsWeights { result.finalWeights = nil }
    if case .training(let held) = activity, isEndWanted(of: result) {
      let unsent = UnsentResult(lease: held.lease, point: held.point, result: result, seconds: seconds)
      activity = .handingEndOver(unsent, until: now.advanced(bySeconds: endSeconds))
      return
    }
    guard let held = endRun() else { return }
    bring(UnsentResult(lease: held.lease, point: held.point, result: result, seconds: seconds))
  }

  private mutating func bring(_ unsent: UnsentResult) {
    emit(.keepResult(unsent))
    post(.finished(unsent))
    proceed()
  }

  /// Whether the coordinator keeps the checkpoint from which this run could be made longer, and lacks it.
  private func isEndWanted(of result: RunResult) -> Bool {
    guard isWelcome, keepsCensored, leaving == nil, result.isCensoredAtItsEnd, let newest = offers.newest else {
      return false
    }
    return newest.epoch == result.epochs && offers.kept.map { newest.epoch > $0 } ?? true
  }

  /// A coordinator that has asked for nothing for so long takes nothing. It may have others to serve first, but must not
  /// take this worker for one that hangs.
  var endSeconds: Double {
    guard case .welcomed(let leaseSeconds, _, _) = standing else { return configuration.handOverSeconds }
    return leaseSeconds / 2
  }

  /// The end of `handingEndOver`, whatever became of the checkpoint.
  mutating func deliver() {
    guard case .handingEndOver(let unsent, _) = activity else { return }
    close(unsent.held)
    bring(unsent)
  }

  mutating func runFailed(_ kind: AttemptClass, _ reason: String) {
    let wasRevoked = heldLease == nil
    guard let held = endRun() else { return }
    log(.warning, "point \(held.point.short) failed: \(kind.rawValue): \(reason)")
    if !wasRevoked { post(.failed(held, kind, reason: reason)) }
    proceed()
  }

  mutating func runStopped(_ epoch: Int) {
    let wasRevoked = heldLease == nil
    if leaving != nil, case .stopping(let held, handBack: true, _) = activity, isOfferWorthwhile {
      // The run is over, but what it wrote is wanted elsewhere: the point follows it.
      let until = now.advanced(bySeconds: handOverSeconds)
      activity = .handingOver(held, epoch: epoch, until: until)
      leaving?.until = until.advanced(bySeconds: configuration.handBackSeconds)
      return
    }
    guard let held = endRun() else { return }
    if !wasRevoked { post(.handedBack(held, epoch: epoch)) }
    proceed()
  }

  /// Its work grows no more meanwhile: a lease that ends while it waits would be taken for a stalled one.
  private var handOverSeconds: Double {
    guard case .welcomed(let leaseSeconds, _, _) = standing else { return configuration.handOverSeconds }
    return min(configuration.handOverSeconds, leaseSeconds / 2)
  }

  /// What the training thread had; nil when it had nothing, which no shell should ever say.
  private mutating func endRun() -> HeldLease? {
    switch activity {
    case .idle, .fetching, .handingOver, .handingEndOver:
      log(.error, "the training thread ended a run that it was not given")
      return nil
    case .training(let held), .stopping(let held, _, _):
      close(held)
      return held
    }
  }

  /// Nothing more is done for this lease.
  mutating func close(_ held: HeldLease) {
    activity = .idle
    progress = nil
    lastProgress = nil
    offers = Offers()
    ended.append(held)
    if ended.count > 16 { ended.removeFirst() }
  }

  mutating func proceed() {
    let grant = nextGrant
    nextGrant = nil
    if leaving != nil {
      leaving?.until = now.advanced(bySeconds: configuration.handBackSeconds)
      if let grant { post(.handedBack(grant.held, epoch: 0)) }
    } else if let grant {
      start(grant)
    } else {
      flush()
      // A result that is on its way says by itself that this worker is ready.
      if let parcel = outbox.last, parcel.isResult, parcel.due > now {
        lastReady = now
        readyWithReceipt = parcel.held
      } else {
        ready()
      }
    }
  }

  mutating func interrupt(_ code: Int32, _ reason: String?) {
    interrupts += 1
    if interrupts > 1 {
      exit(code, "interrupted twice")
    } else if leaving == nil {
      leave(code: code, reason: reason)
    } else if let reason {
      log(.warning, reason)
    }
  }

  /// Hands back what is under way, brings what is finished, and goes.
  mutating func leave(code: Int32, reason: String?) {
    switch activity {
    case .idle:
      leaving = Leaving(
        code: code, reason: reason, until: now.advanced(bySeconds: configuration.handBackSeconds))
    case .fetching(let fetch):
      // Nothing was trained here, so there is nothing to hand over.
      emit(.dropFetched(fetch.grant.held.point))
      close(fetch.grant.held)
      post(.handedBack(fetch.grant.held, epoch: fetch.contents.epoch))
      leaving = Leaving(
        code: code, reason: reason, until: now.advanced(bySeconds: configuration.handBackSeconds))
    case .training(let held):
      stop(held, checkpoint: true, handBack: true)
      leaving = Leaving(code: code, reason: reason, until: now.advanced(bySeconds: configuration.stopSeconds))
    case .handingEndOver:
      leaving = Leaving(
        code: code, reason: reason, until: now.advanced(bySeconds: configuration.handBackSeconds))
      deliver()
    case .stopping, .handingOver:
      leaving = Leaving(code: code, reason: reason, until: now.advanced(bySeconds: configuration.stopSeconds))
    }
  }

  /// Exits when there is nothing left to wait for, or it was waited for long enough.
  mutating func leaveWhenDone() {
    guard let leaving, standing != .over else { return }
    if activity == .idle, window.isEmpty || !leaving.waitsForReceipts || now >= leaving.until {
      exit(leaving.code, leaving.reason)
    }
  }
}
