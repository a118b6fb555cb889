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
    workers[slot].digest =
      machine.hasWrongDigest ? String(repeating: "b", count: 64) : schedulerConfiguration.selfTestDigest
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

  func send(_ message: WorkerMessage, from slot: Int) {
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
}
