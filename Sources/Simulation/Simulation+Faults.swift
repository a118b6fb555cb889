// How faults strike, and how everything calms down.

import Sweeps

extension Simulation {
  /// The next fault of a kind that comes at moments of its own.
  func planFault(_ kind: FaultKind) {
    guard let mean = kind.meanSeconds, configuration.faults[kind] > 0 else { return }
    later(2 * random.unit() * mean / configuration.faults[kind], .fault(kind))
  }

  /// Whether a fault of a single step strikes here.
  func strikes(_ kind: FaultKind, _ usual: Double) -> Bool {
    !isCalm && random.chance(min(0.5, usual * configuration.faults[kind]))
  }

  /// Whether this process dies at this very step.
  func stepKills(_ kind: FaultKind) -> Bool {
    guard !isCalm, configuration.faults[kind] > 0, random.chance(0.0004 * configuration.faults[kind]) else {
      return false
    }
    counts[kind] += 1
    return true
  }

  /// A piece as it arrives.
  func damaged(_ bytes: [UInt8]) -> [UInt8] {
    guard strikes(.damage, 0.02), !bytes.isEmpty else { return bytes }
    counts[.damage] += 1
    var bytes = bytes
    bytes[random.below(bytes.count)] ^= 4
    return bytes
  }

  func strike(_ kind: FaultKind) {
    guard !isCalm else { return }
    planFault(kind)
    counts[kind] += 1
    let slot = random.below(workers.count)
    let machine = random.below(machines.count)
    switch kind {
    case .reconnect:
      tell("the connection of \(name(slot)) breaks", .slot(slot))
      disconnect(slot)
    case .halfOpen:
      tell("the connection of \(name(slot)) is dead, and nobody knows", .slot(slot))
      net.halfOpen(slot)
      later(random.within(5...90), .linkDies(slot: slot, peer: net.peer(of: slot) ?? 0))
    case .partition: divide(slot, machine)
    case .workerCrash: endWorker(slot, "was killed by signal 9 (Killed)", restartAfter: random.within(1...30))
    case .workerSuspension:
      let seconds = random.within(1.0...(4 * configuration.leaseSeconds))
      tell("\(name(slot)) is stopped for \(Int(seconds)) s", .slot(slot))
      workers[slot].suspendedUntil = now + Int64(seconds * 1e9)
    case .workerSignal:
      if workers[slot].session != nil, now >= workers[slot].suspendedUntil { tell(slot, .interrupt(exitCode: 0)) }
    case .machineCrash:
      tell("\(machines[machine].name) loses its power", .everyone)
      let seconds: Double = random.within(5...120)
      for slot in machines[machine].slots { endWorker(slot, nil, restartAfter: seconds, isSilent: true) }
    case .clockJump:
      let seconds = random.within(0.1...(2 * configuration.leaseSeconds))
      if random.chance(0.4) {
        tell("the coordinator's clock jumps by \(Int(seconds)) s", .everyone)
        coordinator.clock.jump(by: seconds, at: now)
      } else {
        tell("the clock of \(machines[machine].name) jumps by \(Int(seconds)) s", .everyone)
        machines[machine].clock.jump(by: seconds, at: now)
      }
    case .coordinatorCrash: crashCoordinator("is killed")
    case .coordinatorSuspension:
      let seconds = random.within(1.0...(4 * configuration.leaseSeconds))
      tell("the coordinator is stopped for \(Int(seconds)) s", .everyone)
      coordinator.suspendedUntil = now + Int64(seconds * 1e9)
    case .coordinatorSignal:
      arrive(.event(random.chance(0.5) ? .shutdown(reason: "terminated") : .drain(reason: "terminated")))
    case .storeFull:
      tell("the disk of the store is full", .everyone)
      isStoreFull = true
      later(random.within(1...60), .storeWorks)
    case .shelfFull:
      shelf.isFull = true
      later(random.within(1...90), .shelfWorks)
    case .scratchFull:
      tell("the scratch disk of \(machines[machine].name) is full", .everyone)
      machines[machine].isScratchFull = true
      later(random.within(1...90), .scratchWorks(machine: machine))
    case .operators: operate()
    case .loss, .duplication, .delay, .reordering, .hang, .engineError, .refusedResult, .damage, .drift, .poison,
      .badMachine, .wrongDigest, .deadline:
      break
    }
  }

  private func divide(_ slot: Int, _ machine: Int) {
    let slots: ClosedRange<Int> =
      switch random.below(4) {
      case 0: 0...(workers.count - 1)
      case 1: machines[machine].slots
      default: slot...slot
      }
    let ways = random.below(4)
    let seconds = random.within(1.0...(3 * configuration.leaseSeconds))
    tell("workers \(slots) are cut off for \(Int(seconds)) s", .everyone)
    net.divide(
      Partition(
        slots: slots, stopsToCoordinator: ways != 0, stopsToWorker: ways != 1, until: now + Int64(seconds * 1e9),
        keepsMessages: random.chance(0.5)))
    later(seconds, .heal)
    // Long ones end connections: heartbeats fail on both sides.
    if seconds > 20 { for slot in slots { later(20, .linkDies(slot: slot, peer: net.peer(of: slot) ?? 0)) } }
  }

  /// What people do. Changes are on disk before the scheduler hears of them, and all that came before is written by then:
  /// the real coordinator settles first, and where it cannot, the request fails.
  private func operate() {
    guard coordinator.isSettled, !isStoreFull else { return }
    let sweep = random.below(configuration.sweeps)
    let place = store.sweeps.firstIndex { $0.name == Self.sweepName(sweep) }
    switch random.below(8) {
    case 0, 1, 2:
      let state = [SweepState.paused, .cancelled, .active][random.below(3)]
      if let place { setSweep(place, state) }
    case 3:
      let priority = random.below(7) - 3
      guard let place else { return }
      store.sweeps[place].priority = priority
      arrive(.event(.setPriority(sweep: store.sweeps[place].name, priority)))
    case 4:
      let slot = random.below(workers.count)
      let host = machines[workers[slot].machine].name
      arrive(.event(random.chance(0.3) ? .admitHost(host) : .drainWorkers(.host(host))))
    case 5:
      let failed = store.points.indices.filter { store.points[$0].failure != nil }
      for number in failed { store.retry(number) }
      if !failed.isEmpty { arrive(.event(.retry(failed.map { points.ids[$0] }))) }
    case 6:
      let finished = store.points.indices.filter { store.points[$0].result != nil }
      guard !finished.isEmpty else { return }
      let number = finished[random.below(finished.count)]
      store.wishVerification(of: number)
      arrive(.event(.verify([points.ids[number]])))
    default: submit(sweep)
    }
  }

  static func sweepName(_ number: Int) -> String { "sweep-\(number)" }

  private func setSweep(_ place: Int, _ state: SweepState) {
    store.sweeps[place].state = state
    arrive(.event(.setSweep(store.sweeps[place].name, state)))
  }

  /// Registers a sweep: every `sweeps`-th point, and some of the others.
  @discardableResult
  func addSweep(_ number: Int) -> [Int] {
    let name = Self.sweepName(number)
    let own = (0..<points.count).filter {
      $0 % configuration.sweeps == number || ($0 * 7 + number * 3) % 11 == 0
    }
    let place: Int
    if let known = store.sweeps.firstIndex(where: { $0.name == name }) {
      place = known
    } else {
      place = store.sweeps.count
      store.sweeps.append(KnownSweep(name: name, priority: number % 3))
    }
    store.register(own, in: place)
    return own
  }

  private func submit(_ number: Int) {
    let own = addSweep(number)
    let sweep = store.sweeps.first { $0.name == Self.sweepName(number) }!
    arrive(.event(.addSweep(sweep, store.knownPoints(own, points))))
  }

  /// From here on nothing goes wrong any more, but for what is in the nature of points and machines.
  func calmDown() {
    isCalm = true
    calmSince = now
    tell("from here on, all is well", .everyone)
    net.isCalm = true
    net.heal(at: now)
    isStoreFull = false
    shelf.isFull = false
    for machine in machines.indices { machines[machine].isScratchFull = false }
    coordinator.suspendedUntil = min(coordinator.suspendedUntil, now)
    for slot in workers.indices {
      workers[slot].suspendedUntil = min(workers[slot].suspendedUntil, now)
      if net.isHalfOpen(slot) { disconnect(slot) }
    }
    sayLastWishes()
  }

  /// Some sweeps stay as their people left them.
  func sayLastWishes() {
    // As with every request: what came before it is on disk first.
    guard coordinator.scheduler == nil || coordinator.isSettled else {
      later(0.1, .lastWishes)
      return
    }
    areWishesSaid = true
    let isEverythingResumed = random.chance(0.7)
    for place in store.sweeps.indices where isEverythingResumed && store.sweeps[place].state != .active {
      setSweep(place, .active)
    }
    if configuration.sweeps > 1 { submit(configuration.sweeps - 1) }
  }
}
