// Hello: who is let in, under which number, and with which lease; and who is refused, in words.

import Grokking

extension Scheduler {
  mutating func hello(_ hello: Hello, from peer: PeerID) {
    if let reason = reasonToRefuse(hello, from: peer) {
      refuse(peer, reason, from: hello.identity.host)
      release(hello.identity.boot)
      return
    }
    if isSentHome(hello, from: peer) { return }
    if let predecessor = hello.predecessor, predecessor.boot != hello.identity.boot {
      predecessorEnded(predecessor, host: hello.identity.host, key: peer.key)
      // What it reports may be the failure after which nobody from there is taken, itself included.
      if isSentHome(hello, from: peer) { return }
    }
    missed.remove(hello.identity.boot)
    let number = register(hello.identity, at: peer)
    let departure = hello.secondsLeft.map { [now] in now.advanced(bySeconds: max(0, $0)) }
    workers[number]?.departure = departure
    send(
      .welcome(
        worker: number, leaseSeconds: configuration.leaseSeconds, progressSeconds: configuration.progressSeconds,
        checkpointSeconds: configuration.checkpointSeconds, keepsCensored: configuration.keepsCensored,
        keepsWeights: configuration.keepsWeights),
      to: number)
    if let holding = hello.holding { takeBack(holding, by: number) }
    if case .leaving = phase { sendLeave(to: number) }
  }

  private func reasonToRefuse(_ hello: Hello, from peer: PeerID) -> String? {
    if hello.protocolVersion != WireProtocol.version { return VersionWords.otherProtocol(hello.protocolVersion) }
    if hello.semanticsVersion != Engine.semanticsVersion {
      return VersionWords.otherSemantics(hello.semanticsVersion)
    }
    if let digest = configuration.selfTestDigest, hello.selfTest != digest {
      let given = hello.selfTest.map { "gave \($0.prefix(12))" } ?? "was not run"
      return "this machine computes wrongly: its self-test \(given), and \(digest.prefix(12)) is right; "
        + "check its memory and processor, and that its build of groksweep is the coordinator's"
    }
    if let key = keyOfBoot[hello.identity.boot], key != peer.key {
      return "this process is known under the key \"\(key)\" and came with \"\(peer.key)\""
    }
    return nil
  }

  /// Whether nobody from this machine is taken at present; then it is told so.
  private mutating func isSentHome(_ hello: Hello, from peer: PeerID) -> Bool {
    guard let reason = placeOfHost[hello.identity.host].flatMap({ reasonToBar($0) }) else { return false }
    emit(.send(to: peer, .barred(reason: reason)))
    logThinly(.warning, kind: "barred \(hello.identity.host)", "sent a worker home again: \(reason)")
    release(hello.identity.boot)
    return true
  }

  /// The worker's number; a process that comes on another connection keeps its number and its lease.
  private mutating func register(_ identity: WorkerIdentity, at peer: PeerID) -> Int64 {
    if let number = numberOfBoot[identity.boot], let worker = workers[number] {
      if worker.peer != peer { numberOfPeer[worker.peer] = nil }
      workers[number]?.peer = peer
      numberOfPeer[peer] = number
      hear(number)
      return number
    }
    let number = numberOfBoot[identity.boot] ?? nextWorker
    nextWorker = max(nextWorker, number + 1)
    numberOfBoot[identity.boot] = number
    keyOfBoot[identity.boot] = peer.key
    let host = host(named: identity.host)
    hear(host: host)
    let worker = ConnectedWorker(
      number: number, identity: identity, host: host, peer: peer, lastHeard: now, silentSince: now)
    workers[number] = worker
    workerNumbers.insert(number)
    numberOfPeer[peer] = number
    lookAgain(at: now.advanced(bySeconds: configuration.leaseSeconds))
    // It may never have heard of a grant that an earlier coordinator wrote down; `ready` or `holding` will tell.
    if let lease = leases.elements.last(where: { isAwaited($0, by: identity.boot) }) {
      attempts[lease]?.worker = number
      attempts[lease]?.host = host
      attempts[lease]?.key = peer.key
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
    case .finished where worker.lease == held.lease && attempts[held.lease]?.isVerification == true:
      resume(held.lease)
    case .pending where mayGoOn(position):
      // Its lease ended while it could not be heard, and nobody took the point: it goes on under a new lease.
      grant(position, to: number)
    case .pending, .leased, .storing, .finished, .failed:
      send(.revoked(lease: held.lease), to: number)
    }
  }

  private func mayGoOn(_ position: Int) -> Bool {
    phase == .serving && points[position].chargedAttempts < configuration.chargedAttemptsLimit
      && points.state(ofSweepsOf: position) != .cancelled
  }

  /// The holder of an awaited lease is back.
  mutating func resume(_ lease: LeaseID) {
    guard attempts[lease]?.phase == .awaited else { return }
    log(.info, "\(lease) goes on")
    attempts[lease]?.phase = .running
    restartStall(lease)
  }

  mutating func refuse(_ peer: PeerID, _ error: WireError) {
    if case .otherVersion(let version) = error {
      refuse(peer, VersionWords.otherProtocol(version), from: nil)
    } else {
      // One peer may send any number of them.
      guard let count = thinner.count("message") else { return }
      log(.warning, "dropped a message (\(count) so far): \(error)")
    }
  }

  private mutating func refuse(_ peer: PeerID, _ reason: String, from host: String?) {
    emit(.send(to: peer, .refused(reason: reason)))
    logThinly(.warning, kind: "refused \(host ?? "")", "refused a worker\(host.map { " of \($0)" } ?? ""): \(reason)")
  }
}
