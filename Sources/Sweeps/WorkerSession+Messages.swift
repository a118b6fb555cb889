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
            selfTest: configuration.selfTest))))
  }

  mutating func ready() {
    guard isWelcome else { return }
    lastReady = now
    emit(.send(.ready))
  }

  mutating func receive(_ message: CoordinatorMessage) {
    switch message {
    case .welcome(let worker, let leaseSeconds, let progressSeconds, _):
      welcome(worker, leaseSeconds: leaseSeconds, progressSeconds: progressSeconds)
    case .refused(let reason): refused(reason)
    case .sayHello:
      // Everything that was under way to a restarted coordinator comes back as one of these; one hello answers all.
      if isWelcome { hello() }
    case .grant(let lease, let point, let experiment, _):
      granted(Grant(held: HeldLease(lease: lease, point: point), experiment: experiment))
    case .wait: lastReady = now
    case .receipt(let lease, let point): receipt(lease, point)
    case .revoked(let lease): revoked(lease)
    case .unwanted(let lease, let point): unwanted(HeldLease(lease: lease, point: point))
    case .pull(let lease, let point, let request): emit(.sendChunk(lease, point, request))
    case .checkpointKept, .chunk, .chunkGone: break
    case .leave: if leaving == nil { leave(code: 0, reason: nil) }
    }
  }

  private mutating func welcome(_ worker: Int64, leaseSeconds: Double, progressSeconds: Double) {
    let isNew = !isWelcome
    standing = .welcomed(leaseSeconds: leaseSeconds, progressSeconds: progressSeconds)
    guard isNew else { return }
    log(.info, "welcome as worker \(worker)")
    // A new conversation has no echoes of the last one's grants, and another store may use their numbers again.
    ended.removeAll { held in !outbox.contains { $0.held == held } }
    for index in outbox.indices {
      outbox[index].isSetAside = false
      outbox[index].due = now
    }
    if activity == .idle, leaving == nil { ready() } else { sendProgress() }
  }

  private mutating func refused(_ reason: String) {
    if isWelcome {
      // Either an echo, or a coordinator of another build took over: ask again.
      hello()
      return
    }
    // The checkpoint, and results on disk, stay in the scratch folder for a build that is welcome.
    if case .training(let held) = activity { stop(held, checkpoint: true, handBack: false) }
    nextGrant = nil
    leaving = Leaving(
      code: 1, reason: "the coordinator refused this worker: \(reason)",
      until: now.advanced(bySeconds: configuration.stopSeconds), waitsForReceipts: false)
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
    case .training(let current):
      guard held.lease > current.lease else { return }
      if held.point == current.point {
        // The old lease ended while nobody could hear us; the run goes on under the new one.
        activity = .training(held)
        sendProgress()
      } else {
        stop(current, checkpoint: false, handBack: false)
        nextGrant = grant
      }
    case .stopping(let current, _, _):
      if held.lease > current.lease { nextGrant = grant }
    }
  }

  mutating func start(_ grant: Grant) {
    activity = .training(grant.held)
    // Said until the training thread reports: a run that hangs before its first epoch must not be silent for ever, or
    // nobody could tell this process that its lease is over.
    let epochs = grant.experiment.training.epochs
    progress = RunProgress(stage: .training, epoch: 0, epochs: epochs, work: 0, totalWork: epochs)
    lastProgress = now
    epochsPerSecond = 0
    emit(.startTraining(grant.held.lease, grant.held.point, grant.experiment))
  }

  mutating func stop(_ held: HeldLease, checkpoint: Bool, handBack: Bool) {
    activity = .stopping(held, handBack: handBack, until: now.advanced(bySeconds: configuration.stopSeconds))
    emit(.stopTraining(checkpoint: checkpoint))
  }

  private mutating func revoked(_ lease: LeaseID) {
    if case .training(let held) = activity, held.lease == lease {
      log(.info, "\(lease) was revoked; stopping its run")
      stop(held, checkpoint: false, handBack: false)
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
