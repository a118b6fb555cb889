// Rounds of the simulated coordinator, as its real shell has them: everything that has come is decided on, everything
// that has to be written is committed in one transaction, and only then is anything said.
//
// When the store takes nothing, results and grants are told to the scheduler, other records are owed, and receipts are
// not sent as long as any are: whoever misses one asks again.

import Grokking
import Sweeps

extension Simulation {
  /// After a round or a commit: on with the transaction, or with what is to be said.
  func settle() {
    guard coordinator.scheduler != nil, violation == nil else { return }
    if configuration.answersBeforeCommit { release() }
    guard coordinator.scheduler != nil else { return }
    if !coordinator.writes.isEmpty || (!coordinator.owed.isEmpty && !coordinator.isRetryPlanned) {
      if !coordinator.isCommitting {
        coordinator.isCommitting = true
        coordinator.ownEventCount = coordinator.inbox.count
        later(random.within(0.0005...0.02), .commit(incarnation: coordinator.incarnation))
      }
    } else {
      release()
    }
    guard coordinator.scheduler != nil else { return }
    if !coordinator.inbox.isEmpty { planRound() }
    planTick()
    if coordinator.ending != nil, coordinator.inbox.isEmpty, !coordinator.isCommitting { coordinatorEnded() }
  }

  /// Says what is held, in order.
  private func release() {
    let held = coordinator.held
    coordinator.held = []
    for (peer, message) in held {
      if stepKills(.coordinatorCrash) {
        crashCoordinator("is killed before a message")
        return
      }
      switch message {
      // Also when it is said again in the round that could not record it.
      case .grant(let lease, _, _, _) where store.attempt(lease) == nil: break
      case .receipt where !coordinator.owed.isEmpty: break
      default: send(message, to: peer)
      }
    }
  }

  func commit(_ incarnation: Int) {
    guard incarnation == coordinator.incarnation, coordinator.scheduler != nil else { return }
    if now < coordinator.suspendedUntil {
      queue.push(coordinator.suspendedUntil, .commit(incarnation: incarnation))
      return
    }
    coordinator.isCommitting = false
    if stepKills(.coordinatorCrash) {
      crashCoordinator("is killed before a commit")
      return
    }
    // What came of the writes is heard before whatever arrived while they were being made.
    // As in the real shell: what the round's own directives gave rise to, what comes of its writes, and only then what
    // arrived meanwhile.
    let arrived = coordinator.inbox.dropFirst(coordinator.ownEventCount)
    coordinator.inbox.removeLast(arrived.count)
    let writes = coordinator.owed + coordinator.writes
    coordinator.writes = []
    coordinator.owed = []
    if isStoreFull { putOff(writes) } else { for write in writes where violation == nil { apply(write) } }
    coordinator.inbox += arrived
    guard violation == nil else { return }
    if stepKills(.coordinatorCrash) {
      crashCoordinator("is killed after a commit")
      return
    }
    release()
    settle()
  }

  private func apply(_ write: StoreWrite) {
    if case .result(let point, let lease, _) = write, strikes(.refusedResult, 0.004) {
      counts[.refusedResult] += 1
      tell("the store refuses the result of point \(point) from \(lease)", .point(point))
      refusedResults.insert(lease)
      coordinator.inbox.append(
        .event(.resultRefused(points.ids[point], reason: "it breaks a constraint (simulated)")))
      return
    }
    tell("committed: \(words(write))", subject(of: write))
    if let wrong = store.apply(write, points: points, limit: schedulerConfiguration.chargedAttemptsLimit) {
      violate(wrong, subject(of: write))
    } else if case .result(let point, _, _) = write, !configuration.answersBeforeCommit {
      coordinator.inbox.append(.event(.stored(points.ids[point])))
    }
  }

  private func putOff(_ writes: [StoreWrite]) {
    counts[.storeFull] += 1
    for write in writes {
      switch write {
      case .attempt(let record):
        coordinator.inbox.append(.event(.grantFailed(record.lease, reason: "the disk is full (simulated)")))
      case .result(let point, let lease, _):
        tell("the result of point \(point) from \(lease) is not stored: the disk is full", .point(point))
        coordinator.inbox.append(.event(.storeFailed(points.ids[point], reason: "the disk is full (simulated)")))
      case .worker, .end, .failure, .verification, .verificationFailure, .refund: coordinator.owed.append(write)
      }
    }
    guard !coordinator.owed.isEmpty, !coordinator.isRetryPlanned else { return }
    coordinator.isRetryPlanned = true
    later(5, .retryCommit(incarnation: coordinator.incarnation))
  }

  /// Records that are owed are written with the next transaction, or by themselves after a while.
  func retryCommit(_ incarnation: Int) {
    guard incarnation == coordinator.incarnation, coordinator.scheduler != nil else { return }
    coordinator.isRetryPlanned = false
    if !coordinator.isCommitting, !coordinator.isRoundPlanned { settle() }
  }

  private func send(_ message: CoordinatorMessage, to id: PeerID) {
    let peer = SimulatedNet.peer(id)
    checkSent(message, peer)
    guard let slot = net.slot(of: peer) else {
      tell("the coordinator sends to a connection that is gone: \(words(message))", .coordinator)
      if random.chance(0.8) { arrive(.event(.unreachable(id))) }
      return
    }
    tell("the coordinator sends to \(name(slot)): \(words(message))", subject(of: message, slot))
    do throws(WireError) {
      let frames = configuration.usesCodec ? try WireCodec.encode(message) : []
      carry(
        configuration.usesCodec
          ? .framesToWorker(frames, slot: slot, peer: peer) : .messageToWorker(message, slot: slot, peer: peer),
        bytes: configuration.usesCodec ? frames.reduce(0) { $0 + $1.count } : 300, slot, .toWorker)
    } catch { violate("cannot encode: \(error)", .coordinator) }
  }

  /// Its process is over. If the work is not, somebody starts it again.
  private func coordinatorEnded() {
    let ending = coordinator.ending
    coordinator.scheduler = nil
    for slot in workers.indices { net.disconnect(slot) }
    if ending == .everyPointTerminal, isEveryPointEnded {
      isDone = true
    } else {
      later(random.within(1...30), .startCoordinator)
    }
  }
}
