// The coordinator's shell in the simulation: rounds, transactions, and what is held back until they are on disk.
//
// A round hands the scheduler everything that has come. Writes are collected and committed together; a message waits
// for every write that was asked for before it. The process may die before each directive, before and after each commit
// and before each message, and then only the store and the shelf are left.

import Grokking
import Sweeps

/// Something that has come for the coordinator.
enum Incoming {
  case frames([[UInt8]], peer: Int)
  case message(WorkerMessage, peer: Int)
  case event(SchedulerEvent)
}

/// What has to happen in this order.
enum Outgoing {
  case write(StoreWrite)
  case send(PeerID, CoordinatorMessage)
  /// Only if this lease was recorded.
  case grant(LeaseID, PeerID, CoordinatorMessage)

  var isReceipt: Bool { if case .send(_, .receipt) = self { true } else { false } }
}

struct SimulatedCoordinator {
  var scheduler: Scheduler?
  /// Grows with every start.
  var incarnation = 0
  var clock: SimulatedClock
  var suspendedUntil: Int64 = 0
  var inbox: [Incoming] = []
  var outgoing: [Outgoing] = []
  var isRoundPlanned = false
  var isCommitting = false
  var isRetryPlanned = false
  var nextTick: Int64?
  var ending: SchedulerEnding?
  /// As the scheduler was told.
  var sweeps: [KnownSweep] = []

  /// The point that a worker which says hello just now holds: it may go on although its sweep is paused.
  var comingBack: PointID?

  init(clock: SimulatedClock) { self.clock = clock }

  /// Whether one is to be written.
  var hasGrant: Bool { outgoing.contains { if case .write(.attempt) = $0 { true } else { false } } }

  /// Whether it runs, and has nothing to handle or to write.
  var isSettled: Bool {
    scheduler != nil && inbox.isEmpty && !isCommitting
      && !outgoing.contains { if case .write = $0 { true } else { false } }
  }
}

extension Simulation {
  func startCoordinator() {
    guard coordinator.scheduler == nil else { return }
    coordinator.incarnation += 1
    coordinator.inbox = []
    coordinator.outgoing = []
    coordinator.isRoundPlanned = false
    coordinator.isCommitting = false
    coordinator.isRetryPlanned = false
    coordinator.nextTick = nil
    coordinator.ending = nil
    coordinator.sweeps = store.sweeps
    coordinator.scheduler = Scheduler(
      schedulerConfiguration, start: store.start(points, checkpoints: shelf.kept(of: points)),
      at: coordinator.clock.instant(at: now))
    tell("the coordinator starts, for the \(coordinator.incarnation). time", .coordinator)
    for slot in workers.indices where workers[slot].session != nil { connectLater(slot) }
    arrive(.event(.tick))
  }

  func crashCoordinator(_ words: String, restartAfter seconds: ClosedRange<Double> = 0...60) {
    guard coordinator.scheduler != nil else { return }
    tell("the coordinator \(words)", .coordinator)
    coordinator.scheduler = nil
    coordinator.inbox = []
    coordinator.outgoing = []
    for slot in workers.indices { net.disconnect(slot) }
    later(random.within(seconds), .startCoordinator)
  }

  func arrive(_ incoming: Incoming) {
    guard coordinator.scheduler != nil else { return }
    coordinator.inbox.append(incoming)
    planRound()
  }

  private func planRound() {
    // One thing at a time; only a coordinator that answers before it commits goes on meanwhile.
    guard !coordinator.isRoundPlanned, !coordinator.isCommitting || configuration.answersBeforeCommit else { return }
    coordinator.isRoundPlanned = true
    queue.push(max(now, coordinator.suspendedUntil), .round(incarnation: coordinator.incarnation))
  }

  /// Everything that has come by now, then one transaction.
  func round(_ incarnation: Int) {
    guard incarnation == coordinator.incarnation, coordinator.scheduler != nil else { return }
    if now < coordinator.suspendedUntil {
      queue.push(coordinator.suspendedUntil, .round(incarnation: incarnation))
      return
    }
    coordinator.isRoundPlanned = false
    let inbox = coordinator.inbox
    coordinator.inbox = []
    for (place, incoming) in inbox.enumerated() {
      guard violation == nil, coordinator.incarnation == incarnation, coordinator.scheduler != nil else { return }
      if reportsAnEnd(incoming), coordinator.hasGrant {
        coordinator.inbox = inbox[place...] + coordinator.inbox
        break
      }
      take(incoming)
    }
    settle()
  }

  /// As in the real shell, such news waits until every grant before it is recorded or has failed.
  private func reportsAnEnd(_ incoming: Incoming) -> Bool {
    switch incoming {
    case .event(let event): event.reportsAnEnd
    case .message(let message, let peer):
      SchedulerEvent.message(from: SimulatedNet.id(peer), message).reportsAnEnd
    case .frames(let frames, let peer):
      (try? WireCodec.decodeWorkerMessage(frames)).map {
        SchedulerEvent.message(from: SimulatedNet.id(peer), $0).reportsAnEnd
      } ?? false
    }
  }

  private func take(_ incoming: Incoming) {
    switch incoming {
    case .event(let event): decide(event)
    case .message(let message, let peer): decide(.message(from: SimulatedNet.id(peer), message))
    case .frames(let frames, let peer):
      do throws(WireError) {
        decide(.message(from: SimulatedNet.id(peer), try WireCodec.decodeWorkerMessage(frames)))
      } catch { violate("a worker's own frames were not understood: \(error)", .coordinator) }
    }
  }

  /// One event for the scheduler, and what follows from it.
  private func decide(_ event: SchedulerEvent) {
    if let boot = event.greetingBoot, coordinator.scheduler?.knows(boot) == false, let known = remembered(boot) {
      decide(.workerKnown(known))
    }
    note(event)
    hearOfSweeps(event)
    coordinator.comingBack = nil
    if case .message(_, .hello(let hello)) = event { coordinator.comingBack = hello.holding?.point }
    let instant = coordinator.clock.instant(at: now)
    guard let directives = coordinator.scheduler?.handle(event, at: instant) else { return }
    handled += 1
    for directive in directives {
      if stepKills(.coordinatorCrash) {
        crashCoordinator("is killed between two directives")
        return
      }
      perform(directive)
      if violation != nil { return }
    }
  }

  /// A process that was here before, recorded or about to be.
  private func remembered(_ boot: String) -> KnownWorker? {
    for case .write(.worker(let record)) in coordinator.outgoing where record.identity.boot == boot {
      return KnownWorker(boot: boot, number: record.number, key: record.key)
    }
    return store.knownWorker(boot)
  }

  /// What the scheduler knows of sweeps from this event on.
  private func hearOfSweeps(_ event: SchedulerEvent) {
    switch event {
    case .addSweep(let sweep, _, _):
      if let place = coordinator.sweeps.firstIndex(where: { $0.name == sweep.name }) {
        coordinator.sweeps[place] = sweep
      } else {
        coordinator.sweeps.append(sweep)
      }
    case .setSweep(let name, let state):
      for place in coordinator.sweeps.indices where coordinator.sweeps[place].name == name {
        coordinator.sweeps[place].state = state
      }
    default: break
    }
  }

  private func perform(_ directive: SchedulerDirective) {
    switch directive {
    case .send(let peer, let message):
      coordinator.outgoing.append(.send(peer, message))
    case .recordWorker(let record): write(.worker(record))
    case .workerLeft(let number): write(.workerLeft(number))
    case .grant(let record, let peer, let experiment, let checkpoint):
      checkGrant(record, checkpoint)
      write(.attempt(record))
      coordinator.outgoing.append(
        .grant(record.lease, peer, .grant(lease: record.lease, point: record.point, experiment, checkpoint: checkpoint))
      )
    case .endAttempt(let lease, let end): write(.end(lease, end))
    case .store(let id, let lease, let result, _, _):
      guard let point = number(id) else { return }
      write(.result(point: point, lease: lease, result))
      if configuration.answersBeforeCommit { coordinator.inbox.append(.event(.stored(id))) }
    case .compare(let id, let lease, let result, _):
      guard let point = number(id) else { return }
      if store.points[point].result != result {
        violate("\(lease) is compared with a result that differs, or is not there", .point(point))
      }
    case .recordFailure(let id, let reason):
      if let point = number(id) { write(.failure(point: point, reason: reason)) }
    case .finishVerification(let id, let lease, let result, _):
      if let point = number(id) { write(.verification(point: point, lease: lease, result)) }
    case .failVerification(let id, _): if let point = number(id) { write(.verificationFailure(point: point)) }
    case .refund(let leases, _): write(.refund(leases))
    case .keepChunk(let id, let missing, let offset, let bytes):
      guard let point = number(id) else { return }
      if let reason = shelf.keep(bytes, of: point, missing: missing, at: offset) {
        coordinator.inbox.append(.event(.checkpointFailed(id, reason: reason)))
      }
    case .completeCheckpoint(let id, let contents): complete(contents, of: id)
    case .dropCheckpoint(let id), .keepEnd(let id, _): if let point = number(id) { shelf.drop(point) }
    case .sendChunk(let peer, let lease, let id, let request): sendChunk(to: peer, lease, id, request)
    case .log(let level, let text): tell("the coordinator logs (\(level)): \(text)", .coordinator)
    case .finished(let ending):
      tell("the coordinator is done: \(ending)", .coordinator)
      coordinator.ending = ending
    }
  }

  private func write(_ write: StoreWrite) { coordinator.outgoing.append(.write(write)) }

  private func number(_ id: PointID) -> Int? {
    let number = points.number(of: id)
    if number == nil { violate("a directive is about a point that nobody knows", .coordinator) }
    return number
  }

  private func complete(_ contents: CheckpointContents, of id: PointID) {
    guard let point = number(id) else { return }
    let (reason, foreign) = shelf.complete(contents, of: point)
    if let foreign {
      violate("the shelf of point \(point) was completed with foreign bytes: \(foreign)", .point(point))
    }
    if let reason {
      tell("the checkpoint of point \(point) cannot be kept: \(reason)", .point(point))
      coordinator.inbox.append(.event(.checkpointFailed(id, reason: reason)))
    } else {
      checkpointsKept += 1
      tell("the shelf has the checkpoint of point \(point) at epoch \(contents.epoch)", .point(point))
      if strikes(.damage, 0.05) {
        counts[.damage] += 1
        tell("the disk of the shelf forgets a bit of the checkpoint of point \(point)", .point(point))
        shelf.damage(point, &random)
      }
      coordinator.inbox.append(.event(.checkpointKept(id, contents)))
    }
  }

  private func sendChunk(to peer: PeerID, _ lease: LeaseID, _ id: PointID, _ request: CheckpointRequest) {
    guard let point = number(id) else { return }
    if request.count > CheckpointContents.maximumChunkBytes {
      violate("a chunk of \(request.count) bytes", .point(point))
    }
    let message: CoordinatorMessage
    if let bytes = shelf.read(request, of: point) {
      message = .chunk(
        lease: lease, point: id,
        CheckpointChunk(epoch: request.missing.epoch, offset: request.offset, bytes: damaged(bytes)))
    } else {
      message = .chunkGone(lease: lease, point: id, epoch: request.missing.epoch)
    }
    coordinator.outgoing.append(.send(peer, message))
  }

  /// After a round or a commit: what need not wait goes out, and what has to be written is on its way to the disk.
  private func settle() {
    guard coordinator.scheduler != nil, violation == nil else { return }
    release(untilWrite: !configuration.answersBeforeCommit)
    guard coordinator.scheduler != nil else { return }
    if coordinator.outgoing.contains(where: { if case .write = $0 { true } else { false } }) {
      if !coordinator.isCommitting {
        coordinator.isCommitting = true
        later(random.within(0.0005...0.02), .commit(incarnation: coordinator.incarnation))
      }
      if configuration.answersBeforeCommit, !coordinator.inbox.isEmpty { planRound() }
      return
    }
    if !coordinator.inbox.isEmpty { planRound() }
    planTick()
    if coordinator.ending != nil, coordinator.inbox.isEmpty { coordinatorEnded() }
  }

  /// Sends in order; with `untilWrite`, up to the first write that is not committed yet.
  private func release(untilWrite: Bool) {
    var kept: [Outgoing] = []
    let outgoing = coordinator.outgoing
    coordinator.outgoing = []
    for (place, item) in outgoing.enumerated() {
      if case .write = item {
        if untilWrite {
          coordinator.outgoing = Array(outgoing[place...])
          return
        }
        kept.append(item)
        continue
      }
      if stepKills(.coordinatorCrash) {
        crashCoordinator("is killed before a message")
        return
      }
      switch item {
      case .write: break
      case .send(let peer, let message): if isBacked(message) { send(message, to: peer) }
      case .grant(let lease, let peer, let message):
        if store.attempt(lease) != nil { send(message, to: peer) } else { kept.append(item) }
      }
    }
    coordinator.outgoing = kept
  }

  /// As in the real shell: a grant that was asked for twice in its own round does not leave without its record. Whoever
  /// misses it asks once more.
  private func isBacked(_ message: CoordinatorMessage) -> Bool {
    guard case .grant(let lease, _, _, _) = message, !configuration.answersBeforeCommit else { return true }
    return store.attempt(lease) != nil
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
    if isStoreFull { failCommit() } else { applyWrites() }
    guard violation == nil else { return }
    if stepKills(.coordinatorCrash) {
      crashCoordinator("is killed after a commit")
      return
    }
    if isStoreFull { settleOwed() } else { settle() }
    if coordinator.scheduler != nil, !coordinator.inbox.isEmpty { planRound() }
  }

  private func applyWrites() {
    var sends: [Outgoing] = []
    for item in coordinator.outgoing {
      guard case .write(let write) = item else {
        sends.append(item)
        continue
      }
      if case .result(let point, let lease, _) = write, !isCalm,
        random.chance(0.004 * configuration.faults[.refusedResult])
      {
        counts[.refusedResult] += 1
        tell("the store refuses the result of point \(point) from \(lease)", .point(point))
        refusedResults.insert(lease)
        coordinator.inbox.append(
          .event(.resultRefused(points.ids[point], reason: "it breaks a constraint (simulated)")))
        continue
      }
      tell("committed: \(words(write))", subject(of: write))
      if let wrong = store.apply(write, points: points, limit: schedulerConfiguration.chargedAttemptsLimit) {
        violate(wrong, subject(of: write))
        return
      }
      if case .result(let point, _, _) = write, !configuration.answersBeforeCommit {
        coordinator.inbox.append(.event(.stored(points.ids[point])))
      }
    }
    coordinator.outgoing = sends
  }

  /// Results and grants are told to the scheduler; the other records are owed, and receipts wait for them.
  private func failCommit() {
    counts[.storeFull] += 1
    var kept: [Outgoing] = []
    var refused: [LeaseID] = []
    for item in coordinator.outgoing {
      switch item {
      case .write(.attempt(let record)):
        refused.append(record.lease)
        coordinator.inbox.insert(.event(.grantFailed(record.lease, reason: "the disk is full (simulated)")), at: 0)
      case .write(.result(let point, let lease, _)):
        tell("the result of point \(point) from \(lease) is not stored: the disk is full", .point(point))
        coordinator.inbox.append(.event(.storeFailed(points.ids[point], reason: "the disk is full (simulated)")))
      case .grant(let lease, _, _) where refused.contains(lease): break
      case .write, .send, .grant: kept.append(item)
      }
    }
    coordinator.outgoing = kept
  }

  /// With writes owed, everything goes out but the receipts of ends that are owed, which are asked for once more, and the
  /// disk is asked again in a while.
  private func settleOwed() {
    var held: [Outgoing] = []
    var sent: [Outgoing] = []
    for item in coordinator.outgoing {
      switch item {
      case .send(_, .receipt(let lease, _)):
        let isOwed = coordinator.outgoing.contains { if case .write(.end(lease, _)) = $0 { true } else { false } }
        if !isOwed { sent.append(item) }
      case .send: sent.append(item)
      case .write, .grant: held.append(item)
      }
    }
    coordinator.outgoing = sent
    release(untilWrite: false)
    guard coordinator.scheduler != nil else { return }
    coordinator.outgoing = held
    if !coordinator.isRetryPlanned, held.contains(where: { if case .write = $0 { true } else { false } }) {
      coordinator.isRetryPlanned = true
      later(1, .retryCommit(incarnation: coordinator.incarnation))
    }
    planTick()
  }

  func retryCommit(_ incarnation: Int) {
    guard incarnation == coordinator.incarnation, coordinator.scheduler != nil else { return }
    coordinator.isRetryPlanned = false
    if !coordinator.isCommitting { settle() }
  }

  private func planTick() {
    guard let due = coordinator.scheduler?.nextDeadline else { return }
    let time = max(coordinator.clock.time(of: due), now + 1_000_000)
    guard coordinator.nextTick.map({ time < $0 }) ?? true else { return }
    coordinator.nextTick = time
    queue.push(time, .coordinatorTick(incarnation: coordinator.incarnation))
  }

  func coordinatorTick(_ incarnation: Int) {
    guard incarnation == coordinator.incarnation, coordinator.scheduler != nil else { return }
    if now < coordinator.suspendedUntil {
      queue.push(coordinator.suspendedUntil, .coordinatorTick(incarnation: incarnation))
      return
    }
    coordinator.nextTick = nil
    arrive(.event(.tick))
    if !coordinator.isRoundPlanned { planTick() }
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
    if ending == .everyPointTerminal, isEveryPointTerminal {
      isDone = true
    } else {
      later(random.within(1...30), .startCoordinator)
    }
  }
}
