// The coordinator's process in the simulation: when it runs, what has come for it, and what it does with the scheduler's
// directives. Writing and sending are in SimulatedRounds.
//
// It may die before each directive, before and after each commit and before each message, and then only the store and
// the shelf are left.

import Grokking
import Sweeps

/// Something that has come for the coordinator.
enum Incoming {
  case frames([[UInt8]], peer: Int)
  case message(WorkerMessage, peer: Int)
  case event(SchedulerEvent)
}

struct SimulatedCoordinator {
  var scheduler: Scheduler?
  /// Grows with every start.
  var incarnation = 0
  var clock: SimulatedClock
  var suspendedUntil: Int64 = 0
  var inbox: [Incoming] = []
  /// How many of them stem from the round that is being committed.
  var ownEventCount = 0
  /// Of the round that is under way.
  var writes: [StoreWrite] = []
  var held: [(peer: PeerID, message: CoordinatorMessage)] = []
  /// Records that found no room; they are written before all others.
  var owed: [StoreWrite] = []
  var isRoundPlanned = false
  var isCommitting = false
  var isRetryPlanned = false
  var nextTick: Int64?
  var ending: SchedulerEnding?
  /// What the worker said to hold whose hello is being handled.
  var hearing: HeldLease?
  /// As the scheduler was told.
  var sweeps: [KnownSweep] = []

  init(clock: SimulatedClock) { self.clock = clock }
}

extension Simulation {
  func startCoordinator() {
    guard coordinator.scheduler == nil else { return }
    coordinator.incarnation += 1
    coordinator.inbox = []
    coordinator.writes = []
    coordinator.held = []
    coordinator.owed = []
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
    for slot in workers.indices { net.disconnect(slot) }
    later(random.within(seconds), .startCoordinator)
  }

  func arrive(_ incoming: Incoming) {
    guard coordinator.scheduler != nil else { return }
    coordinator.inbox.append(incoming)
    planRound()
  }

  func planRound() {
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
    for incoming in inbox {
      guard violation == nil, coordinator.incarnation == incarnation, coordinator.scheduler != nil else { return }
      take(incoming)
    }
    settle()
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
    note(event)
    hearOfSweeps(event)
    coordinator.hearing = if case .message(_, .hello(let hello)) = event { hello.holding } else { nil }
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

  /// What the scheduler knows of sweeps from this event on.
  private func hearOfSweeps(_ event: SchedulerEvent) {
    switch event {
    case .addSweep(let sweep, _):
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
    case .send(let peer, let message): coordinator.held.append((peer, message))
    case .recordWorker(let record): write(.worker(record))
    case .grant(let record, let peer, let experiment, let checkpoint):
      checkGrant(record, checkpoint)
      write(.attempt(record))
      coordinator.held.append(
        (peer, .grant(lease: record.lease, point: record.point, experiment, checkpoint: checkpoint)))
    // The write of the result ends its attempt.
    case .endAttempt(_, .finished): break
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
    case .dropCheckpoint(let id): if let point = number(id) { shelf.drop(point) }
    case .sendChunk(let peer, let lease, let id, let request): sendChunk(to: peer, lease, id, request)
    case .log(let level, let text): tell("the coordinator logs (\(level)): \(text)", .coordinator)
    case .finished(let ending):
      tell("the coordinator is done: \(ending)", .coordinator)
      coordinator.ending = ending
    }
  }

  private func write(_ write: StoreWrite) { coordinator.writes.append(write) }

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
    coordinator.held.append((peer, message))
  }

  func planTick() {
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
}
