// Workers: who they are, what they hold, when they come, wait and go.

import Grokking

/// A worker process that said hello and is not known to be gone.
struct ConnectedWorker: Sendable {
  let number: Int64
  let identity: WorkerIdentity
  var peer: PeerID
  var lease: LeaseID?
  /// Said ready, and got nothing yet.
  var isWaiting = false
  var lastHeard: MonotonicInstant

  /// For people.
  var name: String { "worker \(number) (\(identity.host), process \(identity.processID))" }
}

extension Scheduler {
  mutating func send(_ message: CoordinatorMessage, to number: Int64) {
    if let worker = workers[number] { emit(.send(to: worker.peer, message)) }
  }

  mutating func hello(
    _ identity: WorkerIdentity, from peer: PeerID, protocolVersion: Int, semanticsVersion: Int, holding: HeldLease?
  ) {
    guard protocolVersion == WireProtocol.version else {
      refuse(peer, .otherVersion(protocolVersion))
      return
    }
    guard semanticsVersion == Engine.semanticsVersion else {
      refuse(
        peer,
        "the worker's engine has semantics version \(semanticsVersion), the coordinator's \(Engine.semanticsVersion), "
          + "so their numbers differ; use the same build of groksweep on both sides")
      return
    }
    let number = register(identity, at: peer)
    send(
      .welcome(
        worker: number, leaseSeconds: configuration.leaseSeconds, progressSeconds: configuration.progressSeconds),
      to: number)
    if let holding { takeBack(holding, by: number) }
    if case .leaving = phase { sendLeave(to: number) }
  }

  /// The worker's number; a process that comes on another connection keeps its number and its lease.
  private mutating func register(_ identity: WorkerIdentity, at peer: PeerID) -> Int64 {
    if let number = numberOfBoot[identity.boot], let worker = workers[number] {
      if worker.peer != peer { numberOfPeer[worker.peer] = nil }
      workers[number]?.peer = peer
      workers[number]?.lastHeard = now
      numberOfPeer[peer] = number
      return number
    }
    let number = numberOfBoot[identity.boot] ?? nextWorker
    nextWorker = max(nextWorker, number + 1)
    numberOfBoot[identity.boot] = number
    let worker = ConnectedWorker(number: number, identity: identity, peer: peer, lastHeard: now)
    workers[number] = worker
    workerNumbers.insert(number)
    numberOfPeer[peer] = number
    lookAgain(at: now.advanced(bySeconds: configuration.leaseSeconds))
    // It may never have heard of a grant that an earlier coordinator wrote down; `ready` or `holding` will tell.
    if let lease = leases.elements.last(where: { isAwaited($0, by: identity.boot) }) {
      attempts[lease]?.worker = number
      workers[number]?.lease = lease
    }
    emit(.recordWorker(WorkerRecord(number: number, identity: identity, key: peer.key)))
    log(.info, "\(worker.name) joined: \(identity.cpu), \(identity.kernelPath)")
    return number
  }

  private func isAwaited(_ lease: LeaseID, by boot: String) -> Bool {
    attempts[lease].map { $0.phase == .awaited && $0.boot == boot } ?? false
  }

  /// A worker says that it trains a point: it goes on if nobody else has it.
  private mutating func takeBack(_ held: HeldLease, by number: Int64) {
    guard let worker = workers[number], worker.lease == nil || worker.lease == held.lease,
      let position = points.position(of: held.point)
    else {
      send(.revoked(lease: held.lease), to: number)
      return
    }
    switch points[position].state {
    case .leased(held.lease) where worker.lease == held.lease: resume(held.lease)
    case .pending where phase == .serving && points[position].chargedAttempts < configuration.chargedAttemptsLimit:
      // Its lease ended while it could not be heard, and nobody took the point: it goes on under a new lease.
      grant(position, to: number)
    case .pending, .leased, .storing, .finished, .failed:
      send(.revoked(lease: held.lease), to: number)
    }
  }

  /// The holder of an awaited lease is back.
  private mutating func resume(_ lease: LeaseID) {
    guard attempts[lease]?.phase == .awaited else { return }
    log(.info, "\(lease) goes on")
    attempts[lease]?.phase = .running
    attempts[lease]?.deadline = now.advanced(bySeconds: configuration.leaseSeconds)
  }

  mutating func ready(_ number: Int64) {
    guard let worker = workers[number] else { return }
    if let lease = worker.lease, let attempt = attempts[lease] {
      // The grant was lost, or crossed this message; the worker knows which.
      resume(lease)
      let point = points[attempt.position]
      send(.grant(lease: lease, point: point.id, point.experiment), to: number)
      return
    }
    switch phase {
    case .serving:
      startWaiting(number)
      grantWaiting()
      if workers[number]?.isWaiting == true { send(.wait, to: number) }
    case .draining, .leaving: sendLeave(to: number)
    case .finished: break
    }
  }

  mutating func startWaiting(_ number: Int64) {
    guard workers[number]?.isWaiting == false else { return }
    workers[number]?.isWaiting = true
    waiting.append(number)
  }

  mutating func goodbye(_ number: Int64) {
    guard let worker = workers[number] else { return }
    if let lease = worker.lease { end(lease, as: .preempted, reason: "\(worker.name) left") }
    log(.info, "\(worker.name) left")
    forget(number)
  }

  /// A connection is gone. A lease that its worker was seen working under stands: the process may come back.
  mutating func unreachable(_ peer: PeerID) {
    guard let number = numberOfPeer[peer], let worker = workers[number] else { return }
    if let lease = worker.lease {
      guard attempts[lease]?.phase == .running, attempts[lease]?.work == -1 else { return }
      end(lease, as: .lost, reason: "\(worker.name) was gone before the grant reached it", charged: false)
    }
    forget(number)
  }

  mutating func processEnded(_ boot: String, _ description: String) {
    for lease in leases.elements {
      guard let attempt = attempts[lease], attempt.boot == boot, attempt.phase != .delivering else { continue }
      end(
        lease, as: .crashed, reason: "the worker process ended: \(description)",
        charged: attempt.phase == .running)
    }
    if let number = numberOfBoot[boot], let worker = workers[number] {
      log(.info, "\(worker.name) ended: \(description)")
      forget(number)
    }
  }

  /// From now on its peer is told to say hello. Its leases are the caller's to end.
  mutating func forget(_ number: Int64) {
    guard let worker = workers.removeValue(forKey: number) else { return }
    workerNumbers.remove(number)
    if worker.isWaiting { waiting.removeAll { $0 == number } }
    if numberOfPeer[worker.peer] == number { numberOfPeer[worker.peer] = nil }
  }

  mutating func refuse(_ peer: PeerID, _ error: WireError) {
    if case .otherVersion(let version) = error {
      refuse(
        peer,
        "the worker speaks protocol \(version), the coordinator protocol \(WireProtocol.version); "
          + "use the same build of groksweep on both sides")
    } else {
      // One peer may send any number of them: the 1st, 2nd, 4th, 8th… is told.
      droppedMessages += 1
      guard droppedMessages.nonzeroBitCount == 1 else { return }
      log(.warning, "dropped a message (\(droppedMessages) so far): \(error)")
    }
  }

  private mutating func refuse(_ peer: PeerID, _ reason: String) {
    emit(.send(to: peer, .refused(reason: reason)))
    log(.warning, "refused a worker: \(reason)")
  }
}
