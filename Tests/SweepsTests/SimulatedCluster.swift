// A small cluster in virtual time: the real scheduler, real worker sessions and the real codec, over a net that loses,
// doubles and delays, with crashes, restarts, hangs, suspensions and a failing store. One seed, one story.
//
// It checks while it runs: at most one result a point, terminal points stay so, leases are never used twice, a result
// is only forgotten when it is durable, and no point is charged more than its limit.

import Grokking
import Sweeps

/// SplitMix64.
struct SimulationRandom {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
  mutating func chance(_ probability: Double) -> Bool { unit() < probability }
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// What survives a crash of the coordinator.
struct SimulatedStore {
  struct Attempt {
    var point: Int
    var boot: String
    var end: AttemptEnd?
  }
  var results: [Int: RunResult] = [:]
  var failures: [Int: String] = [:]
  var attempts: [LeaseID: Attempt] = [:]
  var workers: [String: Int64] = [:]
  var boots: [Int64: String] = [:]

  func start(_ count: Int) -> SchedulerStart {
    let all = attempts.sorted { $0.key < $1.key }
    let points = (0..<count).map { number in
      let own = all.filter { $0.value.point == number }
      return KnownPoint(
        id: MachineSamples.id(number), experiment: MachineSamples.experiment(number),
        state: results[number] != nil ? .finished : failures[number] != nil ? .failed : .pending,
        chargedAttempts: own.count { $0.value.end?.isCharged == true },
        openAttempts: own.filter { $0.value.end == nil }.map { OpenAttempt(lease: $0.key, boot: $0.value.boot) })
    }
    return SchedulerStart(
      points: points, workers: workers, nextWorker: (boots.keys.max() ?? 0) + 1,
      nextLease: LeaseID((all.last?.key.number ?? 0) + 1))
  }
}

/// A place where worker processes run one after another, with a disk that outlives them.
struct SimulatedSlot {
  var session: WorkerSession?
  var boot = 0
  /// The routing id of the present connection.
  var peer = 0
  var disk: [UnsentResult] = []
  var run: (held: HeldLease, work: Int, stopping: Bool, hangs: Bool)?
  /// Grows with every process and run, so that events of earlier ones are recognized.
  var generation = 0
  var nextTick: Int64?
}

final class SimulatedCluster {
  enum Happening {
    case toCoordinator([[UInt8]], peer: Int)
    case toWorker([[UInt8]], slot: Int, peer: Int)
    case coordinatorTick(incarnation: Int)
    case coordinatorHears(SchedulerEvent, incarnation: Int)
    case workerTick(slot: Int, generation: Int)
    case trained(slot: Int, generation: Int)
    case committed(PointID, LeaseID, RunResult, incarnation: Int)
    case crashWorker(slot: Int)
    case startWorker(slot: Int)
    case interruptWorker(slot: Int)
    case crashCoordinator
    case startCoordinator
    case suspendCoordinator
    case reconnect(slot: Int)
    case storeBreaks
    case storeWorks
    case calm
  }

  let pointCount: Int
  let poison: Int?
  var random: SimulationRandom
  var store = SimulatedStore()
  var scheduler: Scheduler?
  var incarnation = 0
  var slots: [SimulatedSlot]
  var now: Int64 = 0
  var isCalm = false
  var storeFails = false
  var coordinatorSleepsUntil: Int64 = 0
  var ending: SchedulerEnding?
  /// Events handled by the machines.
  var handled = 0
  var violations: [String] = []
  private(set) var queue = HappeningQueue()
  private var coordinatorTick: Int64?
  private var nextBoot = 1
  private var nextPeer = 1

  init(seed: UInt64, points: Int, workers: Int, faultySeconds: Double, poison: Int?) {
    pointCount = points
    self.poison = poison
    random = SimulationRandom(state: seed)
    slots = Array(repeating: SimulatedSlot(), count: workers)
    later(0, .startCoordinator)
    for slot in 0..<workers { later(random.unit() * 5, .startWorker(slot: slot)) }
    var time = 0.0
    while time < faultySeconds {
      time += random.unit() * 20
      later(time, fault())
    }
    later(faultySeconds, .calm)
  }

  private func fault() -> Happening {
    let slot = random.below(slots.count)
    return switch random.below(11) {
    case 10: .interruptWorker(slot: slot)
    case 0, 1, 2: .crashWorker(slot: slot)
    case 3, 4: .crashCoordinator
    case 5: .suspendCoordinator
    case 6, 7: .reconnect(slot: slot)
    default: .storeBreaks
    }
  }

  func later(_ seconds: Double, _ happening: Happening) {
    queue.push(now + Int64(seconds * 1e9), happening)
  }

  var instant: MonotonicInstant { MonotonicInstant(nanoseconds: now) }

  /// Runs until the coordinator is done; a story that does not end within `seconds` after calm is a violation.
  func run(patience seconds: Double) {
    var calmSince: Int64?
    while ending == nil, violations.isEmpty, let (time, happening) = queue.pop() {
      now = time
      if isCalm, calmSince == nil { calmSince = now }
      if let calmSince, Double(now - calmSince) > seconds * 1e9 {
        violations.append("not every point is terminal \(seconds) s after the last fault")
      }
      happen(happening)
    }
    if ending == nil, violations.isEmpty { violations.append("nothing happens any more, and the sweep is not done") }
  }

  private func happen(_ happening: Happening) {
    switch happening {
    case .toCoordinator(let frames, let peer):
      guard scheduler != nil else { return }
      do throws(WireError) {
        tell(.message(from: MachineSamples.peer(peer), try WireCodec.decodeWorkerMessage(frames)), happening)
      } catch { violations.append("a worker's own frames were not understood: \(error)") }
    case .toWorker(let frames, let slot, let peer):
      guard slots[slot].peer == peer, slots[slot].session != nil else { return }
      do throws(WireError) {
        tell(slot, .message(try WireCodec.decodeCoordinatorMessage(frames)))
      } catch { violations.append("the coordinator's own frames were not understood: \(error)") }
    case .coordinatorTick(let of):
      guard of == incarnation else { return }
      coordinatorTick = nil
      tell(.tick, happening)
    case .coordinatorHears(let event, let of): if of == incarnation { tell(event, happening) }
    case .workerTick(let slot, let generation):
      guard slots[slot].generation == generation else { return }
      slots[slot].nextTick = nil
      tell(slot, .tick)
    case .trained(let slot, let generation): train(slot, generation)
    case .committed(let point, let lease, let result, let of): commit(point, lease, result, of)
    case .crashWorker(let slot):
      if !isCalm { crash(slot) }
    case .startWorker(let slot): startWorker(slot)
    case .interruptWorker(let slot): if !isCalm { tell(slot, .interrupt(exitCode: 0)) }
    case .crashCoordinator: if !isCalm { crashCoordinator() }
    case .startCoordinator: startCoordinator()
    case .suspendCoordinator:
      if !isCalm { coordinatorSleepsUntil = now + Int64(random.unit() * 90e9) }
    case .reconnect(let slot):
      slots[slot].peer = nextPeer
      nextPeer += 1
    case .storeBreaks:
      storeFails = !isCalm
      later(random.unit() * 40, .storeWorks)
    case .storeWorks: storeFails = false
    case .calm:
      isCalm = true
      storeFails = false
    }
  }

  func crashCoordinator() {
    guard scheduler != nil else { return }
    scheduler = nil
    later(random.unit() * 60, .startCoordinator)
  }

  private func startCoordinator() {
    incarnation += 1
    coordinatorTick = nil
    scheduler = Scheduler(
      SchedulerConfiguration(leaseSeconds: 30, leaveSeconds: 20), start: store.start(pointCount), at: instant)
    tell(.tick, .coordinatorTick(incarnation: incarnation))
  }

  private func startWorker(_ slot: Int) {
    guard slots[slot].session == nil else { return }
    let disk = slots[slot].disk
    slots[slot].boot = nextBoot
    slots[slot].peer = nextPeer
    slots[slot].generation += 1
    slots[slot].nextTick = nil
    slots[slot].run = nil
    nextBoot += 1
    nextPeer += 1
    slots[slot].session = WorkerSession(SessionConfiguration(identity: MachineSamples.identity(slots[slot].boot)))
    tell(slot, .unsentResults(disk))
    tell(slot, .start)
  }

  func crash(_ slot: Int) {
    slots[slot].session = nil
    slots[slot].run = nil
    slots[slot].generation += 1
    later(1 + random.unit() * 30, .startWorker(slot: slot))
  }

  /// Sends frames through the net.
  func carry(_ happening: Happening) {
    guard isCalm || !random.chance(0.1) else { return }
    later(isCalm ? 0.001 : random.unit() * random.unit() * 4, happening)
    if !isCalm, random.chance(0.1) { later(random.unit() * 20, happening) }
  }

  /// Tells the coordinator, or does so later when it sleeps.
  func tell(_ event: SchedulerEvent, _ happening: Happening) {
    guard now >= coordinatorSleepsUntil else {
      queue.push(coordinatorSleepsUntil, happening)
      return
    }
    guard scheduler != nil, let directives = scheduler?.handle(event, at: instant) else { return }
    handled += 1
    for directive in directives { guard perform(directive) else { return } }
    guard let next = scheduler?.nextDeadline else { return }
    let time = max(next.nanoseconds, now + 1_000_000)
    if coordinatorTick.map({ time < $0 }) ?? true {
      coordinatorTick = time
      queue.push(time, .coordinatorTick(incarnation: incarnation))
    }
  }

  func tell(_ slot: Int, _ event: SessionEvent) {
    guard let directives = slots[slot].session?.handle(event, at: instant) else { return }
    handled += 1
    for directive in directives { perform(directive, slot) }
    guard let next = slots[slot].session?.nextDeadline else { return }
    let time = max(next.nanoseconds, now + 1_000_000)
    if slots[slot].nextTick.map({ time < $0 }) ?? true {
      slots[slot].nextTick = time
      queue.push(time, .workerTick(slot: slot, generation: slots[slot].generation))
    }
  }
}
