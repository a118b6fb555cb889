// A machine with worker processes: its clock, its scratch disk, which outlives them, and the training that is only a
// counter. The sessions are the real ones; this is their shell.

import Grokking
import Sweeps

struct SimulatedMachine {
  let name: String
  let slots: ClosedRange<Int>
  var clock: SimulatedClock
  /// Every run fails here.
  let isBad: Bool
  /// Its self-test gives another digest.
  let hasWrongDigest: Bool
  /// Seconds that its processes get; nil: as long as they like.
  let lifetimeSeconds: Double?
  /// Seconds for a step of training.
  let stepSeconds: Double
  var folders: [SimulatedFolder] = []
  var isScratchFull = false
}

/// A point's folder on a scratch disk.
struct SimulatedFolder {
  let point: Int
  /// Whose process has it; nil for leftovers.
  var holder: Int?
  var files = SimulatedFiles()
  var fetched = SimulatedFiles()
  var fetching: CheckpointContents?
  var result: UnsentResult?
}

struct SimulatedRun {
  let held: HeldLease
  let point: Int
  var step: Int
  var lastCheckpoint: Int
  let hangs: Bool
  /// A hung thread that does not even stop.
  let isDeaf: Bool
  let failsAt: Int?
  var stop: (asked: Bool, checkpoint: Bool) = (false, false)
}

struct SimulatedWorker {
  let machine: Int
  var session: WorkerSession?
  /// Number of the process that runs here, or ran last; grows over all workers.
  var process = 0
  var suspendedUntil: Int64 = 0
  var run: SimulatedRun?
  /// Grows with every run.
  var runs = 0
  /// As the last session introduced itself.
  var digest: String?
  var nextTick: Int64?
  var predecessor: Predecessor?
  /// Results that found no room on the disk.
  var inMemory: [UnsentResult] = []
}

extension Simulation {
  static func boot(_ process: Int) -> String {
    let digits = String(process, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }

  func startWorker(_ slot: Int) {
    guard workers[slot].session == nil else { return }
    processes += 1
    let machine = machines[workers[slot].machine]
    workers[slot].process = processes
    workers[slot].suspendedUntil = 0
    workers[slot].nextTick = nil
    workers[slot].inMemory = []
    workers[slot].digest = machine.hasWrongDigest ? String(repeating: "b", count: 64) : schedulerConfiguration.selfTestDigest
    let identity = WorkerIdentity(
      boot: Self.boot(processes), host: machine.name, processID: Int32(1000 + processes), cpu: "simulated", cores: 2,
      kernelPath: "avx2", build: "simulated")
    workers[slot].session = WorkerSession(
      SessionConfiguration(
        identity: identity, lifetimeSeconds: machine.lifetimeSeconds, predecessor: workers[slot].predecessor,
        selfTest: workers[slot].digest))
    workers[slot].predecessor = nil
    if let seconds = machine.lifetimeSeconds { later(seconds, .wallTime(slot: slot, process: processes)) }
    tell("\(name(slot)) starts", .slot(slot))
    connectLater(slot)
    let left = claimResults(slot)
    if !left.isEmpty { tell(slot, .unsentResults(left)) }
    tell(slot, .start)
  }

  /// Results whose process ended before their receipt came.
  private func claimResults(_ slot: Int) -> [UnsentResult] {
    let machine = workers[slot].machine
    var results: [UnsentResult] = []
    for place in machines[machine].folders.indices where machines[machine].folders[place].holder == nil {
      guard let result = machines[machine].folders[place].result else { continue }
      machines[machine].folders[place].holder = slot
      results.append(result)
    }
    return results
  }

  func connectLater(_ slot: Int) {
    later(random.within(0.02...2), .connect(slot: slot, process: workers[slot].process))
  }

  func connect(_ slot: Int, _ process: Int) {
    guard workers[slot].process == process, workers[slot].session != nil, coordinator.scheduler != nil else { return }
    if net.peer(of: slot) != nil { return }
    guard !net.isPartitioned(slot) else {
      later(1, .connect(slot: slot, process: process))
      return
    }
    net.connect(slot, process: process)
  }

  /// The connection breaks; both sides look for a new one.
  func disconnect(_ slot: Int) {
    net.disconnect(slot)
    if workers[slot].session != nil { connectLater(slot) }
  }

  /// The process is gone. `words`: what its supervisor saw; nil when that saw nothing.
  func endWorker(_ slot: Int, _ words: String?, restartAfter seconds: Double, isSilent: Bool = false) {
    guard workers[slot].session != nil else { return }
    tell("\(name(slot)) \(words ?? "ends")", .slot(slot))
    workers[slot].session = nil
    workers[slot].run = nil
    workers[slot].runs += 1
    let machine = workers[slot].machine
    for place in machines[machine].folders.indices where machines[machine].folders[place].holder == slot {
      machines[machine].folders[place].holder = nil
      machines[machine].folders[place].fetched = SimulatedFiles()
      machines[machine].folders[place].fetching = nil
    }
    machines[machine].folders.removeAll { $0.holder == nil && $0.files.isEmpty && $0.result == nil }
    if isSilent {
      // No farewell of TCP: the other side finds out by its heartbeats.
      net.halfOpen(slot)
      later(random.within(5...30), .linkDies(slot: slot, peer: net.peer(of: slot) ?? 0))
    } else {
      net.disconnect(slot)
    }
    if let words {
      let boot = Self.boot(workers[slot].process)
      if machine == 0, random.chance(0.5) {
        later(0.5, .coordinatorHears(.processEnded(boot: boot, description: words), coordinator.incarnation))
      } else if random.chance(0.8) {
        workers[slot].predecessor = Predecessor(boot: boot, ending: words)
      }
    }
    later(seconds, .startWorker(slot: slot))
  }

  func tell(_ slot: Int, _ event: SessionEvent) {
    var events = [event]
    var next = 0
    while next < events.count, violation == nil {
      note(events[next], slot)
      let instant = machines[workers[slot].machine].clock.instant(at: now)
      guard let directives = workers[slot].session?.handle(events[next], at: instant) else { return }
      next += 1
      handled += 1
      for directive in directives {
        if stepKills(.workerCrash) {
          endWorker(slot, "is killed between two directives", restartAfter: random.within(1...30))
          return
        }
        if let answer = perform(directive, slot) { events.append(answer) }
        if workers[slot].session == nil || violation != nil { return }
      }
    }
    planTick(slot)
  }

  private func planTick(_ slot: Int) {
    guard let due = workers[slot].session?.nextDeadline else { return }
    let time = max(machines[workers[slot].machine].clock.time(of: due), now + 1_000_000)
    guard workers[slot].nextTick.map({ time < $0 }) ?? true else { return }
    workers[slot].nextTick = time
    queue.push(time, .workerTick(slot: slot, process: workers[slot].process))
  }

  func workerTick(_ slot: Int, _ process: Int) {
    workers[slot].nextTick = nil
    tell(slot, .tick)
  }

  /// What the session is told in answer, if anything.
  private func perform(_ directive: SessionDirective, _ slot: Int) -> SessionEvent? {
    switch directive {
    case .send(let message): send(message, from: slot)
    case .prepare(let lease, let id, _, let contents): return prepare(contents, lease, id, slot)
    case .keepChunk(let id, let missing, let offset, let bytes): return keepChunk(id, missing, offset, bytes, slot)
    case .dropFetched(let id):
      withFolder(of: id, slot) {
        $0.fetched = SimulatedFiles()
        $0.fetching = nil
      }
    case .sendChunk(let lease, let id, let request): sendChunk(lease, id, request, slot)
    case .startTraining(let lease, let id, _): return startTraining(HeldLease(lease: lease, point: id), slot)
    case .stopTraining(let checkpoint):
      guard workers[slot].run != nil else {
        violate("\(name(slot)) is asked to stop nothing", .slot(slot))
        return nil
      }
      workers[slot].run?.stop = (true, checkpoint)
    case .keepResult(let unsent): keep(unsent, slot)
    case .forgetResult(let lease, let id): forget(lease, id, slot)
    case .log(let level, let text): tell("\(name(slot)) logs (\(level)): \(text)", .slot(slot))
    case .exit(let code, let reason):
      tell("\(name(slot)) exits with \(code)\(reason.map { ": \($0)" } ?? "")", .slot(slot))
      endWorker(slot, nil, restartAfter: code == 0 ? 5 : random.within(5...60))
    }
    return nil
  }

  private func send(_ message: WorkerMessage, from slot: Int) {
    guard let peer = net.peer(of: slot) else { return }
    if case .chunk(_, _, let chunk) = message, chunk.bytes.count > CheckpointContents.maximumChunkBytes {
      violate("a chunk of \(chunk.bytes.count) bytes", .slot(slot))
    }
    tell("\(name(slot)) says: \(words(message))", subject(of: message, slot))
    do throws(WireError) {
      let frames = configuration.usesCodec ? try WireCodec.encode(message) : []
      carry(
        configuration.usesCodec ? .framesToCoordinator(frames, peer: peer) : .messageToCoordinator(message, peer: peer),
        bytes: configuration.usesCodec ? frames.reduce(0) { $0 + $1.count } : 300, slot, .toCoordinator)
    } catch { violate("cannot encode: \(error)", .slot(slot)) }
  }

  // MARK: scratch

  /// The folder that this process has for the point, or a leftover that it takes, or a new one.
  private func folder(of point: Int, _ slot: Int) -> Int {
    let machine = workers[slot].machine
    let folders = machines[machine].folders
    let own = folders.firstIndex { $0.point == point && $0.holder == slot && $0.result == nil }
    if let place = own ?? folders.firstIndex(where: { $0.point == point && $0.holder == nil && $0.result == nil }) {
      machines[machine].folders[place].holder = slot
      return place
    }
    machines[machine].folders.append(SimulatedFolder(point: point, holder: slot))
    return folders.count
  }

  private func withFolder(of id: PointID, _ slot: Int, _ body: (inout SimulatedFolder) -> Void) {
    guard let point = points.number(of: id) else { return }
    let place = folder(of: point, slot)
    body(&machines[workers[slot].machine].folders[place])
  }

  private func prepare(_ contents: CheckpointContents, _ lease: LeaseID, _ id: PointID, _ slot: Int) -> SessionEvent? {
    guard let point = points.number(of: id) else { return nil }
    if let problem = contents.problem(for: points.experiments[point]) {
      violate("\(lease) comes with an impossible checkpoint: \(problem)", .point(point))
    }
    let place = folder(of: point, slot)
    let files = machines[workers[slot].machine].folders[place].files
    if let epoch = files.epoch, epoch >= contents.epoch { return .prepared(missing: nil) }
    let here = CheckpointContents(
      epoch: 0, checkpointBytes: contents.checkpointBytes, partBytes: contents.partBytes,
      weights: contents.weights.joined().filter { files[.weights($0)] != nil },
      moments: contents.moments.joined().filter { files[.firstMoment($0)] != nil && files[.secondMoment($0)] != nil })
    machines[workers[slot].machine].folders[place].fetched = SimulatedFiles()
    machines[workers[slot].machine].folders[place].fetching = contents
    return .prepared(missing: contents.lacking(here))
  }

  private func keepChunk(
    _ id: PointID, _ missing: CheckpointContents, _ offset: Int, _ bytes: [UInt8], _ slot: Int
  ) -> SessionEvent? {
    guard let point = points.number(of: id) else { return nil }
    let machine = workers[slot].machine
    if machines[machine].isScratchFull { return .fetchFailed(reason: "no room on the scratch disk (simulated)") }
    let place = folder(of: point, slot)
    guard machines[machine].folders[place].fetched.write(bytes, at: missing.slices(from: offset, count: bytes.count))
    else { return .fetchFailed(reason: "bytes at \(offset) have a gap before them") }
    guard offset + bytes.count == missing.byteCount else { return nil }
    guard let contents = machines[machine].folders[place].fetching else {
      violate("\(name(slot)) completes a checkpoint of point \(point) that it never prepared", .point(point))
      return nil
    }
    var whole = machines[machine].folders[place].files
    whole.take(machines[machine].folders[place].fetched)
    machines[machine].folders[place].fetched = SimulatedFiles()
    machines[machine].folders[place].fetching = nil
    switch whole.check(contents, of: point) {
    case .whole:
      machines[machine].folders[place].files = whole
      checkpointsFetched += 1
      tell("\(name(slot)) has fetched the checkpoint of point \(point) at epoch \(contents.epoch)", .point(point))
      return nil
    case .unusable(let what): return .fetchFailed(reason: what)
    case .foreign(let what):
      violate("\(name(slot)) fetched foreign bytes for point \(point): \(what)", .point(point))
      return nil
    }
  }

  private func sendChunk(_ lease: LeaseID, _ id: PointID, _ request: CheckpointRequest, _ slot: Int) {
    guard let point = points.number(of: id) else { return }
    let folder = machines[workers[slot].machine].folders.first {
      $0.point == point && ($0.holder == slot || $0.holder == nil) && $0.files.epoch == request.missing.epoch
    }
    if let bytes = folder?.files.read(request.slices) {
      send(
        .chunk(
          lease: lease, point: id,
          CheckpointChunk(epoch: request.missing.epoch, offset: request.offset, bytes: damaged(bytes))), from: slot)
    } else {
      send(.chunkGone(lease: lease, point: id, epoch: request.missing.epoch), from: slot)
    }
  }

  private func keep(_ unsent: UnsentResult, _ slot: Int) {
    guard let point = points.number(of: unsent.point) else { return }
    let machine = workers[slot].machine
    if machines[machine].isScratchFull {
      counts[.scratchFull] += 1
      workers[slot].inMemory.append(unsent)
      return
    }
    let place = folder(of: point, slot)
    machines[machine].folders[place].result = unsent
    machines[machine].folders[place].files = SimulatedFiles()
  }

  private func forget(_ lease: LeaseID, _ id: PointID, _ slot: Int) {
    guard let point = points.number(of: id) else { return }
    tell("\(name(slot)) forgets the result of point \(point) from \(lease)", .point(point))
    checkForgotten(point, lease, slot)
    machines[workers[slot].machine].folders.removeAll {
      $0.holder == slot && $0.result?.lease == lease && $0.point == point
    }
    workers[slot].inMemory.removeAll { $0.lease == lease && $0.point == id }
  }

  // MARK: training

  private func startTraining(_ held: HeldLease, _ slot: Int) -> SessionEvent? {
    guard let point = points.number(of: held.point) else { return nil }
    checkStart(held, point, slot)
    let machine = workers[slot].machine
    let place = folder(of: point, slot)
    var step = 0
    if let epoch = machines[machine].folders[place].files.epoch {
      let contents = points.contents(point, step: epoch / SimulatedPoints.epochsOfStep, extraBytes: configuration.extraBytes)
      switch machines[machine].folders[place].files.check(contents, of: point) {
      case .whole:
        step = epoch / SimulatedPoints.epochsOfStep
        resumptions += 1
      case .unusable: machines[machine].folders[place].files = SimulatedFiles()
      case .foreign(let what):
        violate("\(name(slot)) would go on from a foreign checkpoint of point \(point): \(what)", .point(point))
      }
    } else {
      machines[machine].folders[place].files = SimulatedFiles()
    }
    tell("\(name(slot)) trains point \(point) from step \(step) under \(held.lease)", .point(point))
    let hangs = strikes(.hang, 0.03)
    let isBad = machines[machine].isBad
    let fails = isBad || strikes(.engineError, 0.02)
    if isBad { counts[.badMachine] += 1 }
    workers[slot].runs += 1
    workers[slot].run = SimulatedRun(
      held: held, point: point, step: step, lastCheckpoint: step, hangs: hangs, isDeaf: hangs && random.chance(0.3),
      failsAt: fails ? min(step + random.below(6), points.steps[point]) : nil)
    later(machines[machine].stepSeconds, .trains(slot: slot, run: workers[slot].runs))
    return nil
  }

  /// One step of training.
  func train(_ slot: Int, _ number: Int) {
    guard workers[slot].runs == number, let run = workers[slot].run else { return }
    guard now >= workers[slot].suspendedUntil else {
      queue.push(workers[slot].suspendedUntil, .trains(slot: slot, run: number))
      return
    }
    let machine = workers[slot].machine
    if run.stop.asked, !run.isDeaf {
      workers[slot].run = nil
      if run.stop.checkpoint {
        writeCheckpoint(run, slot)
      } else {
        machines[machine].folders.removeAll { $0.holder == slot && $0.point == run.point && $0.result == nil }
      }
      tell(slot, .runStopped(epoch: run.step * SimulatedPoints.epochsOfStep))
      return
    }
    if let failsAt = run.failsAt, run.step >= failsAt {
      if !machines[machine].isBad { counts[.engineError] += 1 }
      workers[slot].run = nil
      machines[machine].folders.removeAll { $0.holder == slot && $0.point == run.point && $0.result == nil }
      tell(slot, .runFailed(.engineError, reason: "simulated"))
    } else if poison.contains(run.point), run.step >= 2 {
      counts[.poison] += 1
      endWorker(slot, "was killed by signal 9 (Killed)", restartAfter: random.within(1...10))
    } else if run.hangs, run.step >= run.lastCheckpoint + 2 {
      if run.step == run.lastCheckpoint + 2, !run.stop.asked { counts[.hang] += 1 }
      later(5, .trains(slot: slot, run: number))
    } else if run.step < points.steps[run.point] {
      workers[slot].run?.step += 1
      later(machines[machine].stepSeconds, .trains(slot: slot, run: number))
      if !run.hangs, run.step + 1 >= run.lastCheckpoint + 4 { writeCheckpoint(workers[slot].run!, slot) }
      tell(slot, .progress(points.progress(run.point, step: run.step + 1), epochsPerSecond: 100))
    } else {
      workers[slot].run = nil
      tell(slot, .runFinished(points.result(run.point), seconds: Double(run.step)))
    }
  }

  private func writeCheckpoint(_ run: SimulatedRun, _ slot: Int) {
    let machine = workers[slot].machine
    guard run.step > 0, !machines[machine].isScratchFull else { return }
    workers[slot].run?.lastCheckpoint = run.step
    let contents = points.contents(run.point, step: run.step, extraBytes: configuration.extraBytes)
    let place = folder(of: run.point, slot)
    machines[machine].folders[place].files.write(contents, of: run.point)
    if strikes(.damage, 0.01) {
      counts[.damage] += 1
      machines[machine].folders[place].files.damage(&random)
    }
    tell(slot, .checkpointWritten(contents))
  }
}
