// One state of the enumeration: two workers, two points, a coordinator, and what is under way between them. A value, so
// that it can be copied at every fork and recognized when it is met again.

import Grokking
import Sweeps

struct EnumeratedMessage: Hashable {
  /// The connection that it was sent on.
  var peer: Int
  var message: WorkerMessage
}

struct EnumeratedWorker: Hashable {
  var session: WorkerSession?
  var process = 0
  /// The connection; nil while there is nobody to connect to.
  var peer: Int?
  var run: HeldLease?
  var steps = 0
  var isStopping = false
  /// On its disk.
  var results: [UnsentResult] = []
  var toCoordinator: [EnumeratedMessage] = []
  var toWorker: [CoordinatorMessage] = []
}

struct EnumeratedCluster: Hashable {
  static let points: SimulatedPoints = {
    var random = SimulationRandom(state: 1)
    return SimulatedPoints(count: 2, random: &random)
  }()
  private static let configuration = SchedulerConfiguration(leaseSeconds: 60, chargedAttemptsLimit: 3)
  /// Messages under way in one direction; further ones are lost, so that the states stay few.
  private static let underWay = 3

  var now = MonotonicInstant(nanoseconds: 0)
  var scheduler: Scheduler?
  var workers = [EnumeratedWorker(), EnumeratedWorker()]
  var store: SimulatedStore
  var processes = 0
  var peers = 0
  var isDone = false
  let answersBeforeCommit: Bool
  var problem: String?

  private init(answersBeforeCommit: Bool) {
    self.answersBeforeCommit = answersBeforeCommit
    store = SimulatedStore(points: 2)
    store.sweeps = [KnownSweep(name: "")]
    store.register([0, 1], in: 0)
  }

  static func begin(_ beginning: Enumeration.Beginning, answersBeforeCommit: Bool) -> EnumeratedCluster {
    var cluster = EnumeratedCluster(answersBeforeCommit: answersBeforeCommit)
    cluster.startCoordinator()
    let all: [EnumeratedStep] =
      switch beginning {
      case .empty: []
      case .waiting, .training, .delivering: [.start(0), .start(1)]
      }
    for step in all { _ = cluster.take(step) }
    if beginning == .waiting || beginning == .training || beginning == .delivering {
      // Hello and welcome.
      for slot in 0..<2 {
        _ = cluster.take(.toCoordinator(slot, .succeeds))
        _ = cluster.take(.toWorker(slot))
      }
    }
    if beginning == .training || beginning == .delivering {
      // Ready and grant.
      for slot in 0..<2 {
        _ = cluster.take(.toCoordinator(slot, .succeeds))
        _ = cluster.take(.toWorker(slot))
      }
    }
    if beginning == .delivering { for slot in 0..<2 { _ = cluster.take(.finishes(slot)) } }
    return cluster
  }

  /// What may happen next.
  var steps: [EnumeratedStep] {
    guard !isDone else { return [] }
    var steps: [EnumeratedStep] = []
    for (slot, worker) in workers.enumerated() {
      if worker.session == nil {
        steps.append(.start(slot))
      } else {
        steps.append(.crash(slot))
        if scheduler != nil { steps.append(.reconnects(slot)) }
      }
      if worker.run != nil {
        if worker.steps < 1, !worker.isStopping { steps.append(.trains(slot)) }
        steps.append(.finishes(slot))
      }
      if !worker.toCoordinator.isEmpty {
        steps.append(.lostToCoordinator(slot))
        if scheduler != nil {
          steps += EnumeratedCommit.allCases.map { .toCoordinator(slot, $0) }
          steps.append(.doubledToCoordinator(slot))
        }
      }
      if !worker.toWorker.isEmpty {
        steps.append(.lostToWorker(slot))
        if worker.session != nil { steps += [.toWorker(slot), .doubledToWorker(slot)] }
      }
    }
    steps += [scheduler == nil ? .coordinatorStarts : .coordinatorCrashes, .timePasses, .leasesExpire]
    return steps
  }

  /// What is wrong after it, in words, or nil.
  mutating func take(_ step: EnumeratedStep) -> String? {
    switch step {
    case .start(let slot): start(slot)
    case .crash(let slot):
      workers[slot].session = nil
      workers[slot].run = nil
      workers[slot].peer = nil
      workers[slot].toWorker = []
    case .trains(let slot):
      workers[slot].steps += 1
      tell(slot, .progress(Self.progress(workers[slot].steps), epochsPerSecond: 1))
    case .finishes(let slot): finish(slot)
    case .toCoordinator(let slot, let commit): arrive(workers[slot].toCoordinator.removeFirst(), commit)
    case .doubledToCoordinator(let slot): arrive(workers[slot].toCoordinator[0], .succeeds)
    case .lostToCoordinator(let slot): workers[slot].toCoordinator.removeFirst()
    case .toWorker(let slot): tell(slot, .message(workers[slot].toWorker.removeFirst()))
    case .doubledToWorker(let slot): tell(slot, .message(workers[slot].toWorker[0]))
    case .lostToWorker(let slot): workers[slot].toWorker.removeFirst()
    case .reconnects(let slot):
      workers[slot].toWorker = []
      connect(slot)
    case .coordinatorCrashes: crashCoordinator()
    case .coordinatorStarts: startCoordinator()
    case .timePasses: pass(to: nextMoment ?? now.advanced(bySeconds: 1))
    case .leasesExpire: pass(to: now.advanced(bySeconds: Self.configuration.leaseSeconds + 1))
    }
    return problem
  }

  private static func progress(_ steps: Int) -> RunProgress {
    RunProgress(stage: .training, epoch: steps, epochs: 100, work: steps, totalWork: 100)
  }

  private mutating func start(_ slot: Int) {
    processes += 1
    workers[slot].process = processes
    workers[slot].steps = 0
    workers[slot].isStopping = false
    workers[slot].session = WorkerSession(
      SessionConfiguration(
        identity: WorkerIdentity(
          boot: Simulation.boot(processes), host: "node-\(slot)", processID: Int32(processes), cpu: "simulated",
          cores: 1, kernelPath: "avx2", build: "simulated")))
    connect(slot)
    if !workers[slot].results.isEmpty { tell(slot, .unsentResults(workers[slot].results)) }
    tell(slot, .start)
  }

  private mutating func connect(_ slot: Int) {
    guard scheduler != nil else { return }
    peers += 1
    workers[slot].peer = peers
  }

  private mutating func finish(_ slot: Int) {
    guard let run = workers[slot].run, let point = Self.points.number(of: run.point) else { return }
    workers[slot].run = nil
    if workers[slot].isStopping {
      tell(slot, .runStopped(epoch: workers[slot].steps))
    } else {
      tell(slot, .runFinished(Self.points.result(point), seconds: 1))
    }
  }

  private mutating func crashCoordinator() {
    scheduler = nil
    for slot in 0..<2 {
      workers[slot].peer = nil
      workers[slot].toCoordinator = []
    }
  }

  private mutating func startCoordinator() {
    scheduler = Scheduler(Self.configuration, start: store.start(Self.points, checkpoints: []), at: now)
    for slot in 0..<2 where workers[slot].session != nil { connect(slot) }
    decide(.tick, .succeeds)
  }

  private mutating func arrive(_ sent: EnumeratedMessage, _ commit: EnumeratedCommit) {
    decide(.message(from: SimulatedNet.id(sent.peer), sent.message), commit)
  }

  /// One event for the scheduler, one transaction, and what may be sent then.
  private mutating func decide(_ event: SchedulerEvent, _ commit: EnumeratedCommit) {
    var events = [event]
    var next = 0
    var commit = commit
    while next < events.count, problem == nil {
      var directives: [SchedulerDirective] = []
      if let boot = events[next].greetingBoot, scheduler?.knows(boot) == false, let known = store.knownWorker(boot) {
        directives += scheduler?.handle(.workerKnown(known), at: now) ?? []
      }
      guard let said = scheduler?.handle(events[next], at: now) else { return }
      directives += said
      next += 1
      if commit == .diesBefore {
        if answersBeforeCommit { for directive in directives { answerEarly(directive) } }
        crashCoordinator()
        return
      }
      var sends: [(PeerID, CoordinatorMessage, LeaseID?)] = []
      for directive in directives {
        switch directive {
        case .send(let peer, let message): sends.append((peer, message, nil))
        case .recordWorker(let record): write(.worker(record))
        case .workerLeft(let number): write(.workerLeft(number))
        case .grant(let record, let peer, let experiment, let checkpoint):
          if commit == .fails {
            events.append(.grantFailed(record.lease, reason: "simulated"))
          } else {
            write(.attempt(record))
            sends.append(
              (peer, .grant(lease: record.lease, point: record.point, experiment, checkpoint: checkpoint), record.lease)
            )
          }
        case .endAttempt(let lease, let end): write(.end(lease, end))
        case .store(let id, let lease, let result, _, _):
          if commit == .fails {
            events.append(.storeFailed(id, reason: "simulated"))
          } else if let point = Self.points.number(of: id) {
            write(.result(point: point, lease: lease, result))
            events.append(.stored(id))
          }
        case .compare(let id, let lease, let result, _):
          if Self.points.number(of: id).map({ store.points[$0].result != result }) ?? true {
            problem = "\(lease) is compared with a result that differs, or is not there"
          }
        case .recordFailure(let id, let reason):
          if let point = Self.points.number(of: id) { write(.failure(point: point, reason: reason)) }
        case .finished: isDone = true
        case .finishVerification, .failVerification, .refund, .keepChunk, .completeCheckpoint, .dropCheckpoint,
          .keepEnd, .sendChunk, .log:
          break
        }
      }
      if commit == .diesAfter {
        crashCoordinator()
        return
      }
      for (peer, message, lease) in sends { send(message, to: peer, lease) }
      commit = .succeeds
    }
  }

  /// The broken coordinator: the receipt is on its way, the commit never comes.
  private mutating func answerEarly(_ directive: SchedulerDirective) {
    guard case .store(let id, let lease, _, _, let number) = directive else { return }
    guard let slot = workers.firstIndex(where: { $0.results.contains { $0.lease == lease } }), number > 0 else {
      return
    }
    workers[slot].toWorker.append(.receipt(lease: lease, point: id))
  }

  private mutating func write(_ write: StoreWrite) {
    guard problem == nil else { return }
    problem = store.apply(write, points: Self.points, limit: Self.configuration.chargedAttemptsLimit)
  }

  private mutating func send(_ message: CoordinatorMessage, to id: PeerID, _ lease: LeaseID?) {
    let peer = SimulatedNet.peer(id)
    guard let slot = workers.firstIndex(where: { $0.peer == peer && $0.session != nil }) else { return }
    if case .grant(let lease, _, _, _) = message, store.attempt(lease)?.boot != Simulation.boot(workers[slot].process) {
      problem = "\(lease) is sent to a process that it was not recorded for"
    }
    if case .receipt(let lease, let id) = message, let point = Self.points.number(of: id),
      let attempt = store.attempt(lease), attempt.end == nil, !store.points[point].isTerminal
    {
      problem = "\(lease) is answered before its end is written down"
    }
    if workers[slot].toWorker.count < Self.underWay { workers[slot].toWorker.append(message) }
  }

  private mutating func tell(_ slot: Int, _ event: SessionEvent) {
    guard let directives = workers[slot].session?.handle(event, at: now) else { return }
    for directive in directives {
      switch directive {
      case .send(let message):
        if let peer = workers[slot].peer, workers[slot].toCoordinator.count < Self.underWay {
          workers[slot].toCoordinator.append(EnumeratedMessage(peer: peer, message: message))
        }
      case .startTraining(let lease, let point, _):
        if workers[slot].run != nil { problem = "two runs at once in slot \(slot)" }
        workers[slot].run = HeldLease(lease: lease, point: point)
        workers[slot].steps = 0
        workers[slot].isStopping = false
      case .stopTraining:
        if workers[slot].run == nil { problem = "worker \(slot) is asked to stop nothing" }
        workers[slot].isStopping = true
      case .keepResult(let unsent): workers[slot].results.append(unsent)
      case .forgetResult(let lease, let id):
        if let point = Self.points.number(of: id), store.points[point].result == nil {
          problem = "worker \(slot) forgets its result of point \(point), and none is on disk"
        }
        workers[slot].results.removeAll { $0.lease == lease && $0.point == id }
      case .exit:
        workers[slot].session = nil
        workers[slot].run = nil
        workers[slot].peer = nil
        workers[slot].toWorker = []
      case .prepare, .keepChunk, .dropFetched, .sendChunk, .log: break
      }
    }
  }

  private var nextMoment: MonotonicInstant? {
    ([scheduler?.nextDeadline] + workers.map { $0.session?.nextDeadline }).compactMap { $0 }.min()
  }

  /// Time stands still between steps; whoever has waited for this moment is told.
  private mutating func pass(to moment: MonotonicInstant) {
    now = max(now, moment)
    if let due = scheduler?.nextDeadline, due <= now {
      decide(.tick, .succeeds)
      if let due = scheduler?.nextDeadline, due <= now { problem = "the scheduler waits for what has passed already" }
    }
    for slot in 0..<2 {
      guard let due = workers[slot].session?.nextDeadline, due <= now else { continue }
      tell(slot, .tick)
      if let due = workers[slot].session?.nextDeadline, due <= now {
        problem = "the session of worker \(slot) waits for what has passed already"
      }
    }
  }

  /// Both points end when nothing goes wrong any more; in words, when they do not.
  mutating func leaveToGoWell() -> String? {
    for _ in 0..<2000 {
      if isDone || problem != nil { return problem }
      if store.terminalCount == 2, store.openCount == 0, workers.allSatisfy({ $0.results.isEmpty }) { return nil }
      goOn()
    }
    return "with nothing going wrong any more, point \(store.points[0].isTerminal ? 1 : 0) does not end"
  }

  private mutating func goOn() {
    if scheduler == nil { startCoordinator() }
    var isMoving = false
    for slot in 0..<2 {
      if workers[slot].session == nil { start(slot) }
      if workers[slot].peer == nil { connect(slot) }
      if !workers[slot].toCoordinator.isEmpty {
        isMoving = true
        arrive(workers[slot].toCoordinator.removeFirst(), .succeeds)
      }
      if !workers[slot].toWorker.isEmpty {
        isMoving = true
        tell(slot, .message(workers[slot].toWorker.removeFirst()))
      }
      if workers[slot].run != nil, !isDone {
        isMoving = true
        finish(slot)
      }
    }
    // Time passes in any case: processes that come and go would stop it otherwise.
    let soon = now.advanced(bySeconds: 0.1)
    pass(to: isMoving ? soon : max(soon, nextMoment ?? soon))
  }
}
