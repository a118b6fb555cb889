// What a worker does with the coordinator's messages.

import Grokking

extension WorkerSession {
  mutating func hello() {
    standing = .greeting(lastHello: now)
    emit(
      .send(
        .hello(
          Hello(
            configuration.identity, holding: heldLease, predecessor: configuration.predecessor,
            secondsLeft: goneBy.map { max(0, $0.seconds(since: now)) }, selfTest: configuration.selfTest))))
  }

  mutating func ready() {
    guard isWelcome else { return }
    lastReady = now
    emit(.send(.ready))
  }

  mutating func receive(_ message: CoordinatorMessage) {
    switch message {
    case .welcome(
      let worker, let leaseSeconds, let progressSeconds, let checkpointSeconds, let keepsCensored, let keepsWeights):
      self.keepsCensored = keepsCensored
      self.keepsWeights = keepsWeights
      welcome(
        worker,
        .welcomed(
          leaseSeconds: leaseSeconds, progressSeconds: progressSeconds, checkpointSeconds: checkpointSeconds))
    case .refused(let reason): turnedAway(Self.notAllowed, "the coordinator refused this worker: \(reason)")
    case .barred(let reason):
      turnedAway(Self.notNow, "the coordinator takes nobody from this machine for now: \(reason)")
    case .sayHello:
      // Everything that was under way to a restarted coordinator comes back as one of these; one hello answers all.
      if isWelcome { hello() }
    case .grant(let lease, let point, let experiment, let checkpoint):
      granted(
        Grant(held: HeldLease(lease: lease, point: point), experiment: experiment, checkpoint: checkpoint))
    case .wait:
      lastReady = now
      readyWithReceipt = nil
    case .receipt(let lease, let point): receipt(lease, point)
    case .revoked(let lease): revoked(lease)
    case .unwanted(let lease, let point): unwanted(HeldLease(lease: lease, point: point))
    case .pull(let lease, let point, let request): pulled(HeldLease(lease: lease, point: point), request)
    case .checkpointKept(let lease, let point, let epoch):
      checkpointKept(HeldLease(lease: lease, point: point), epoch)
    case .chunk(let lease, let point, let chunk): fetched(HeldLease(lease: lease, point: point), chunk)
    case .chunkGone(let lease, let point, let epoch): chunkGone(HeldLease(lease: lease, point: point), epoch)
    case .leave: if leaving == nil { leave(code: 0, reason: nil) }
    }
  }

  private mutating func welcome(_ worker: Int64, _ welcomed: Standing) {
    let isNew = !isWelcome
    standing = welcomed
    guard isNew else { return }
    log(.info, "welcome as worker \(worker)")
    // A new conversation has no echoes of the last one's grants, and another store may use their numbers again.
    ended.removeAll { held in !outbox.contains { $0.held == held } }
    for index in outbox.indices {
      outbox[index].isSetAside = false
      outbox[index].due = now
    }
    // Nor does it know of offers, and perhaps not even of what was kept.
    offers.forget()
    if activity == .idle, leaving == nil { ready() } else { sendProgress() }
  }

  /// The command line's code for what is not allowed: whoever looks after this worker does not start it again.
  static var notAllowed: Int32 { 77 }
  /// And for what is not allowed now: whoever looks after this worker starts it again after a while.
  package static var notNow: Int32 { 75 }

  private mutating func turnedAway(_ code: Int32, _ words: String) {
    if isWelcome {
      // Either an echo, or a coordinator of another build took over: ask again.
      hello()
      return
    }
    // The checkpoint, and results on disk, stay in the scratch folder for a build that is welcome.
    deliver()
    switch activity {
    case .idle, .stopping, .handingEndOver: break
    case .fetching(let fetch):
      emit(.dropFetched(fetch.grant.held.point))
      close(fetch.grant.held)
    case .training(let held): stop(held, checkpoint: true, handBack: false)
    case .handingOver(let held, _, _): close(held)
    }
    nextGrant = nil
    leaving = Leaving(
      code: code, reason: words, until: now.advanced(bySeconds: configuration.stopSeconds), waitsForReceipts: false)
  }

  private mutating func granted(_ grant: Grant) {
    let held = grant.held
    if ended.contains(held) { return }
    if let index = outbox.firstIndex(where: { $0.isResult && $0.point == held.point }) {
      // Trained already, and on its way: bring it instead of training it again.
      outbox[index].isSetAside = false
      outbox[index].due = now
      return
    }
    if leaving != nil {
      if heldLease != held { post(.handedBack(held, epoch: 0)) }
      return
    }
    switch activity {
    case .idle: start(grant)
    case .fetching(let fetch) where held == fetch.grant.held:
      guard let checkpoint = grant.checkpoint, checkpoint.epoch > fetch.contents.epoch else { return }
      // What is being fetched was replaced meanwhile.
      emit(.dropFetched(held.point))
      self.fetch(checkpoint, for: grant)
    case .fetching(let fetch):
      guard held.lease > fetch.grant.held.lease else { return }
      if held.point == fetch.grant.held.point, grant.checkpoint == fetch.grant.checkpoint {
        renewFetch(grant)
      } else {
        emit(.dropFetched(fetch.grant.held.point))
        close(fetch.grant.held)
        start(grant)
      }
    case .training(let current):
      guard held.lease > current.lease else { return }
      if held.point == current.point {
        // The old lease ended while nobody could hear us; the run goes on under the new one.
        activity = .training(held)
        offers.forget()
        sendProgress()
      } else {
        stop(current, checkpoint: false, handBack: false)
        nextGrant = grant
      }
    case .stopping(let current, _, _):
      if held.lease > current.lease { nextGrant = grant }
    // Trained already: the result comes, under the lease that it was trained under, and the other point after it.
    case .handingEndOver(let unsent, _):
      guard held.lease > unsent.lease else { return }
      if held.point != unsent.point { nextGrant = grant }
      deliver()
    // Whoever hands over is leaving, which was looked at above.
    case .handingOver: break
    }
  }

  mutating func start(_ grant: Grant) {
    offers = Offers()
    fetchedEpoch = nil
    // Said until the training thread reports: a run that hangs before its first epoch must not be silent for ever, or
    // nobody could tell this process that its lease is over.
    let epochs = grant.experiment.training.epochs
    progress = RunProgress(stage: .training, epoch: 0, epochs: epochs, work: 0, totalWork: epochs)
    lastProgress = now
    epochsPerSecond = 0
    if let checkpoint = grant.checkpoint { fetch(checkpoint, for: grant) } else { train(grant) }
  }

  mutating func train(_ grant: Grant) {
    activity = .training(grant.held)
    trainingSince = now
    emit(.startTraining(grant.held.lease, grant.held.point, grant.experiment))
  }

  mutating func stop(_ held: HeldLease, checkpoint: Bool, handBack: Bool) {
    activity = .stopping(held, handBack: handBack, until: now.advanced(bySeconds: configuration.stopSeconds))
    emit(.stopTraining(checkpoint: checkpoint))
  }

  private mutating func revoked(_ lease: LeaseID) {
    switch activity {
    case .training(let held) where held.lease == lease:
      log(.info, "\(lease) was revoked; stopping its run")
      stop(held, checkpoint: false, handBack: false)
    case .fetching(let fetch) where fetch.grant.held.lease == lease:
      log(.info, "\(lease) was revoked before its checkpoint had come")
      emit(.dropFetched(fetch.grant.held.point))
      close(fetch.grant.held)
      proceed()
    // It is as good as any.
    case .handingEndOver(let unsent, _) where unsent.lease == lease: deliver()
    case .handingOver(let held, _, _) where held.lease == lease:
      log(.info, "\(lease) was revoked before its checkpoint was taken over")
      close(held)
      proceed()
    default: break
    }
    if nextGrant?.held.lease == lease { nextGrant = nil }
  }

  /// A result that this coordinator has no use for stays on disk for the one that asked for it. Leases of two stores
  /// have the same numbers, so the point has to match as well.
  private mutating func unwanted(_ held: HeldLease) {
    for index in outbox.indices where outbox[index].held == held && outbox[index].isResult {
      outbox[index].isSetAside = true
    }
  }
}
