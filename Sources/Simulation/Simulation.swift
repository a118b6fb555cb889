// A whole cluster in virtual time: the real scheduler, real worker sessions and the real codec, over a net, disks and
// clocks that are not. One seed, one story; the same seed tells the same story on every machine.
//
// Faults come until the story is half told; then everything calms down, and within a bounded time every point has to
// be terminal. What has to be true at every event is in Invariants. Nothing here iterates a Set or a Dictionary.

import Grokking
import Sweeps

package struct SimulationConfiguration: Sendable, Hashable {
  package var seed: UInt64
  package var points = 12
  package var workers = 4
  /// Workers of one machine.
  package var slotsPerMachine = 2
  package var faults = Faults.some
  /// Events after which the story ends, wherever it stands.
  package var maximumEvents = 1_000_000
  /// Faults come this long.
  package var faultySeconds = 300.0
  /// After the last fault, everything has to be settled within this.
  package var patienceSeconds = 20_000.0
  /// Sweeps that the points belong to; the last one comes later when there are several.
  package var sweeps = 1
  package var leaseSeconds = 30.0
  /// nil: checkpoints do not travel.
  package var checkpointSeconds: Double? = 10
  /// Bytes of a checkpoint's own file beyond the few that it needs.
  package var extraBytes = 0
  package var exitsWhenDone = true
  /// A machine's first bar lasts as long; later ones up to eight times.
  package var barSeconds = 60.0
  /// Off, messages travel as values: for measuring what the codec costs, never by itself.
  package var usesCodec = true
  /// A coordinator that is broken on purpose: it answers, and commits later.
  package var answersBeforeCommit = false

  package init(seed: UInt64) { self.seed = seed }

  /// Sizes and rates drawn from the seed.
  package static func random(seed: UInt64) -> SimulationConfiguration {
    var random = SimulationRandom(state: seed ^ 0xC0FF_EE00)
    var configuration = SimulationConfiguration(seed: seed)
    configuration.workers = random.within(1...12)
    configuration.points = random.within(1...40)
    configuration.slotsPerMachine = random.within(1...4)
    configuration.sweeps = random.within(1...3)
    configuration.faultySeconds = random.within(100...900)
    configuration.leaseSeconds = random.within(8...60)
    configuration.checkpointSeconds = random.chance(0.8) ? random.within(1...30) : nil
    configuration.extraBytes = random.chance(0.05) ? random.within(1...3) << 20 : random.below(4000)
    configuration.exitsWhenDone = random.chance(0.5)
    configuration.faults = .drawn(&random)
    configuration.barSeconds = random.within(10...300)
    return configuration
  }
}

package struct SimulationReport: Sendable {
  package var configuration: SimulationConfiguration
  /// Handled by a scheduler or a session.
  package var events: Int
  package var virtualSeconds: Double
  package var faults: FaultCounts
  package var results: Int
  package var quarantined: Int
  package var attempts: Int
  package var checkpointsKept: Int
  package var checkpointsFetched: Int
  package var resumptions: Int
  /// Ended by `maximumEvents`.
  package var isCut: Bool
  /// In words; nil when all was well.
  package var violation: String?
  /// The last lines that touch what the violation is about.
  package var story: [String]
}

package final class Simulation {
  enum Happening {
    case framesToCoordinator([[UInt8]], peer: Int)
    case messageToCoordinator(WorkerMessage, peer: Int)
    case framesToWorker([[UInt8]], slot: Int, peer: Int)
    case messageToWorker(CoordinatorMessage, slot: Int, peer: Int)
    case round(incarnation: Int)
    case commit(incarnation: Int)
    case retryCommit(incarnation: Int)
    case coordinatorTick(incarnation: Int)
    case coordinatorHears(SchedulerEvent, Int)
    case workerTick(slot: Int, process: Int)
    case trains(slot: Int, run: Int)
    case startCoordinator
    case startWorker(slot: Int)
    case connect(slot: Int, process: Int)
    case linkDies(slot: Int, peer: Int)
    case wallTime(slot: Int, process: Int)
    case fault(FaultKind)
    case heal
    case storeWorks
    case shelfWorks
    case scratchWorks(machine: Int)
    case calm
    case lastWishes
  }

  let configuration: SimulationConfiguration
  let schedulerConfiguration: SchedulerConfiguration
  let points: SimulatedPoints
  /// Points that kill the process that trains them.
  let poison: [Int]
  var random: SimulationRandom
  var queue = SimulationQueue<Happening>()
  var now: Int64 = 0
  var net: SimulatedNet
  var store: SimulatedStore
  var shelf: SimulatedShelf
  var coordinator: SimulatedCoordinator
  var machines: [SimulatedMachine]
  var workers: [SimulatedWorker]

  var isCalm = false
  /// People have said all that they will ever say.
  var areWishesSaid = false
  var calmSince: Int64 = 0
  var isStoreFull = false
  var isDone = false
  var processes = 0
  var handled = 0
  var counts = FaultCounts()
  var checkpointsKept = 0
  var checkpointsFetched = 0
  var resumptions = 0
  /// Leases whose results the store would not take.
  var refusedResults: Set<LeaseID> = []
  var violation: Violation?
  let tellsStory: Bool
  var story = Story()

  package static func run(_ configuration: SimulationConfiguration) -> SimulationReport {
    let report = Simulation(configuration, tellsStory: false).run()
    guard report.violation != nil else { return report }
    return Simulation(configuration, tellsStory: true).run()
  }

  init(_ configuration: SimulationConfiguration, tellsStory: Bool) {
    self.configuration = configuration
    self.tellsStory = tellsStory
    let faults = configuration.faults
    random = SimulationRandom(state: configuration.seed)
    points = SimulatedPoints(count: configuration.points, random: &random)
    let poisoned = random.chance(min(0.9, 0.3 * faults[.poison])) ? random.within(1...2) : 0
    var chosen: [Int] = []
    for _ in 0..<min(poisoned, configuration.points - 1) { chosen.append(random.below(configuration.points)) }
    poison = chosen
    schedulerConfiguration = SchedulerConfiguration(
      leaseSeconds: configuration.leaseSeconds, leaveSeconds: 20, exitWhenDone: configuration.exitsWhenDone,
      checkpointSeconds: configuration.checkpointSeconds, barSeconds: configuration.barSeconds,
      longestBarSeconds: 8 * configuration.barSeconds, selfTestDigest: String(repeating: "a", count: 64))
    net = SimulatedNet(slots: configuration.workers, faults: faults)
    store = SimulatedStore(points: configuration.points)
    shelf = SimulatedShelf(points: configuration.points)
    let drift = min(0.2, 0.02 * faults[.drift])
    coordinator = SimulatedCoordinator(
      clock: SimulatedClock(startingAt: Int64(random.below(1 << 50)), rate: 1 + random.within(-drift...drift)))
    machines = []
    workers = []
    for first in stride(from: 0, to: configuration.workers, by: configuration.slotsPerMachine) {
      let number = machines.count
      // The first machine is always a good one: with nobody to train them, points cannot end.
      machines.append(
        SimulatedMachine(
          name: "node-\(number)", slots: first...min(first + configuration.slotsPerMachine, configuration.workers) - 1,
          clock: SimulatedClock(startingAt: Int64(random.below(1 << 50)), rate: 1 + random.within(-drift...drift)),
          isBad: number > 0 && random.chance(min(0.5, 0.1 * faults[.badMachine])),
          hasWrongDigest: number > 0 && random.chance(min(0.5, 0.1 * faults[.wrongDigest])),
          lifetimeSeconds: number > 0 && random.chance(min(0.8, 0.2 * faults[.deadline]))
            ? random.within(60...600) : nil,
          stepSeconds: random.within(0.5...2)))
      workers += machines[number].slots.map { _ in SimulatedWorker(machine: number) }
    }
    plan()
  }

  private func plan() {
    for sweep in 0..<configuration.sweeps where sweep == 0 || sweep < configuration.sweeps - 1 { addSweep(sweep) }
    later(0, .startCoordinator)
    for slot in workers.indices { later(random.within(0...5), .startWorker(slot: slot)) }
    for kind in FaultKind.allCases { planFault(kind) }
    later(configuration.faultySeconds, .calm)
  }

  func later(_ seconds: Double, _ happening: Happening) { queue.push(now + Int64(seconds * 1e9), happening) }

  func run() -> SimulationReport {
    while !isDone, violation == nil, handled < configuration.maximumEvents {
      guard let (time, happening) = queue.pop() else {
        violate("nothing happens any more: \(unsettled.text)", unsettled.subject)
        break
      }
      now = time
      if isCalm, Double(now - calmSince) > configuration.patienceSeconds * 1e9 {
        violate("\(Int(configuration.patienceSeconds)) s after the last fault, \(unsettled.text)", unsettled.subject)
        break
      }
      happen(happening)
      if areWishesSaid, !configuration.exitsWhenDone || isAnySweepLeft, coordinator.outgoing.isEmpty, isSettled {
        isDone = true
      }
    }
    return report
  }

  /// Whether a paused or cancelled sweep keeps the coordinator from its end.
  private var isAnySweepLeft: Bool { store.sweeps.contains { $0.state != .active } }

  private var report: SimulationReport {
    SimulationReport(
      configuration: configuration, events: handled, virtualSeconds: Double(now) / 1e9, faults: counts,
      results: store.points.count { $0.result != nil }, quarantined: store.points.count { $0.failure != nil },
      attempts: store.attempts.count, checkpointsKept: checkpointsKept, checkpointsFetched: checkpointsFetched,
      resumptions: resumptions, isCut: !isDone && violation == nil, violation: violation?.text,
      story: violation.map { story.ending(about: $0.subject, lines: 40) } ?? [])
  }

  private func happen(_ happening: Happening) {
    switch happening {
    case .framesToCoordinator(let frames, let peer):
      net.arrived(frames.reduce(0) { $0 + $1.count }, peer: peer, .toCoordinator)
      if net.slot(of: peer) != nil || random.chance(0.3) { arrive(.frames(frames, peer: peer)) }
    case .messageToCoordinator(let message, let peer):
      net.arrived(300, peer: peer, .toCoordinator)
      if net.slot(of: peer) != nil || random.chance(0.3) { arrive(.message(message, peer: peer)) }
    case .framesToWorker(let frames, let slot, let peer):
      guard reaches(slot, peer, happening) else { return }
      net.arrived(frames.reduce(0) { $0 + $1.count }, peer: peer, .toWorker)
      do throws(WireError) {
        tell(slot, .message(try WireCodec.decodeCoordinatorMessage(frames)))
      } catch { violate("the coordinator's own frames were not understood: \(error)", .slot(slot)) }
    case .messageToWorker(let message, let slot, let peer):
      guard reaches(slot, peer, happening) else { return }
      net.arrived(300, peer: peer, .toWorker)
      tell(slot, .message(message))
    case .round(let incarnation): round(incarnation)
    case .commit(let incarnation): commit(incarnation)
    case .retryCommit(let incarnation): retryCommit(incarnation)
    case .coordinatorTick(let incarnation): coordinatorTick(incarnation)
    case .coordinatorHears(let event, let incarnation):
      if incarnation == coordinator.incarnation { arrive(.event(event)) }
    case .workerTick(let slot, let process):
      if isAwake(slot, process, happening) { workerTick(slot, process) }
    case .trains(let slot, let run): train(slot, run)
    case .startCoordinator: startCoordinator()
    case .startWorker(let slot): startWorker(slot)
    case .connect(let slot, let process): connect(slot, process)
    case .linkDies(let slot, let peer): if net.peer(of: slot) == peer { disconnect(slot) }
    case .wallTime(let slot, let process):
      if workers[slot].process == process, workers[slot].session != nil {
        counts[.deadline] += 1
        endWorker(slot, "was killed by signal 9 (Killed): walltime", restartAfter: random.within(1...60))
      }
    case .fault(let kind): strike(kind)
    case .heal: net.heal(at: now)
    case .storeWorks: isStoreFull = false
    case .shelfWorks: shelf.isFull = false
    case .scratchWorks(let machine): machines[machine].isScratchFull = false
    case .calm: calmDown()
    case .lastWishes: sayLastWishes()
    }
  }

  /// Whether the message finds its process at the end of its connection; later, when that is asleep.
  private func reaches(_ slot: Int, _ peer: Int, _ happening: Happening) -> Bool {
    net.peer(of: slot) == peer && !net.isHalfOpen(slot) && isAwake(slot, workers[slot].process, happening)
  }

  private func isAwake(_ slot: Int, _ process: Int, _ happening: Happening) -> Bool {
    guard workers[slot].process == process, workers[slot].session != nil else { return false }
    guard now < workers[slot].suspendedUntil else { return true }
    queue.push(workers[slot].suspendedUntil, happening)
    return false
  }

  /// Hands a message to the net.
  func carry(_ happening: Happening, bytes: Int, _ slot: Int, _ direction: NetDirection) {
    switch net.fate(of: bytes, slot, direction, at: now, &random, &counts) {
    case .lost: tell("… which is lost", .slot(slot))
    case .arrives(let time, let again):
      queue.push(time, happening)
      if let again { queue.push(again, happening) }
    case .floods(let bytes): violate("\(bytes) bytes wait in the connection of \(name(slot))", .slot(slot))
    }
  }
}
