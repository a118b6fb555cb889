// Keeps N worker processes of this machine alive: one crash costs one run, never the sweep.
//
// No thread and no handler of its own: whoever owns it calls `check` often enough (every 100 ms). A worker that leaves
// in good order is not replaced; one that crashes is, after a pause that grows with every crash in a row, and its
// successor tells the coordinator how it ended. A machine whose workers do some work between their crashes is never given
// up: only deaths soon after the start, six in a row, close a slot, and even that is tried again later.

import Foundation
import Logging
import Sweeps
import ZeroMQ

package final class LocalWorkers {
  private enum Departure {
    /// Its scratch space took nothing.
    case noRoom
    /// The coordinator sent everyone from this machine home for a while.
    case barred
  }

  private struct Slot {
    var process: pid_t?
    var boot = ""
    var words: WorkerWords?
    var predecessor: Predecessor?
    var since = MonotonicInstant.now
    /// What the process that runs, or ran last, said of itself.
    var hasFinishedPoint = false
    /// Why it left without having crashed; nil when it did not say.
    var departure: Departure?
    /// Crashes in a row, each soon after its start.
    var crashes = 0
    /// Departures in a row for such a reason.
    var departures = 0
    /// When to start it again; nil when it runs or has left for good.
    var startAt: MonotonicInstant?
    var isGivenUp = false
    /// Whether its process says what holds for all: one does, as long as it lives, and then the next that is started.
    var isSpokesman = false
  }

  /// Crashes in a row after which a slot is given up.
  package static let crashLimit = 6
  /// With less time than this before the deadline, no process is started again: it could not do anything useful.
  package static let usefulSeconds = 60.0
  private static let checkSeconds = 0.1

  private let executable: String
  private let arguments: (WorkerStart) -> [String]
  private let goneBy: MonotonicInstant?
  private let pauses: RestartPauses
  private let logger: Logger
  private var slots: [Slot]
  private var isStopping = false
  /// One left in good order, unasked by this supervisor: the coordinator has nothing more for workers.
  private var wasSentHome = false
  private var nextCheck = MonotonicInstant.now
  /// The first code other than 0 of those that left for good.
  private var codeOfLeft: Int32 = 0
  private var lastEnd = "never started"

  /// Starts nothing yet.
  ///
  /// - Parameters:
  ///   - arguments: those of one worker process.
  ///   - secondsLeft: from now until all have to be gone; nil: they may stay.
  package init(
    count: Int, executable: String, secondsLeft: Double? = nil, pauses: RestartPauses = RestartPauses(),
    logger: Logger, arguments: @escaping (WorkerStart) -> [String]
  ) {
    precondition(count >= 1, "\(count) workers")
    self.executable = executable
    self.arguments = arguments
    self.pauses = pauses
    self.logger = logger
    goneBy = secondsLeft.map { MonotonicInstant.now.advanced(bySeconds: $0) }
    slots = Array(repeating: Slot(), count: count)
  }

  deinit {
    for slot in slots { if let process = slot.process { kill(process, SIGKILL) } }
  }

  /// Process ids of those that run.
  package var processes: [Int32] { slots.compactMap(\.process) }

  /// Whether no process runs and none will be started again. Slots that were given up are only tried again as long as
  /// others live.
  package var isOver: Bool { slots.allSatisfy { $0.process == nil && ($0.startAt == nil || $0.isGivenUp) } }

  /// For the command, once it is over.
  package var exitCode: Int32 { codeOfLeft == 0 && slots.contains(where: \.isGivenUp) ? 1 : codeOfLeft }

  package var error: LocalWorkersError { LocalWorkersError(lastEnd: lastEnd) }

  package func start() throws(SpawnError) {
    for index in slots.indices { try start(index) }
  }

  private func start(_ index: Int) throws(SpawnError) {
    let now = MonotonicInstant.now
    let boot = WorkerIdentity.newBoot()
    slots[index].startAt = nil
    slots[index].isGivenUp = false
    slots[index].hasFinishedPoint = false
    slots[index].departure = nil
    slots[index].since = now
    slots[index].boot = boot
    slots[index].isSpokesman = !slots.contains { $0.isSpokesman && $0.process != nil }
    let start = WorkerStart(
      boot: boot, predecessor: slots[index].predecessor, secondsLeft: goneBy.map { max(0.01, $0.seconds(since: now)) },
      isSpokesman: slots[index].isSpokesman)
    let pipe = WorkerWords.open()
    defer { if let pipe { close(pipe.forChild) } }
    slots[index].words = pipe?.words
    slots[index].process = try ChildProcess.start(executable, arguments(start), passing: pipe?.forChild)
  }

  /// Reaps and restarts; returns those that ended since the last call. Looks at most every 100 ms.
  package func check() -> [WorkerProcessEnd] {
    let now = MonotonicInstant.now
    guard now >= nextCheck else { return [] }
    nextCheck = now.advanced(bySeconds: Self.checkSeconds)
    var ends: [WorkerProcessEnd] = []
    for index in slots.indices {
      if let process = slots[index].process {
        let ending = ChildProcess.reap(process)
        // After it was reaped: its last words count.
        listen(to: index)
        if let ending {
          ends.append(WorkerProcessEnd(process: process, boot: slots[index].boot, ending: ending))
          ended(index, ending, at: now)
        }
      } else if let due = slots[index].startAt, now >= due {
        startAgain(index, at: now)
      }
    }
    dropRestartsWhenSentHome()
    return ends
  }

  /// A process that were started after all others were told to leave might wait for ever for a coordinator that has ended.
  private func dropRestartsWhenSentHome() {
    guard wasSentHome, slots.allSatisfy({ $0.process == nil }), slots.contains(where: { $0.startAt != nil }) else {
      return
    }
    logger.info("all other worker processes were told to leave; those that ended are not started again")
    for index in slots.indices { slots[index].startAt = nil }
  }

  private func listen(to index: Int) {
    for word in slots[index].words?.heard() ?? [] {
      switch word {
      case .finishedPoint: slots[index].hasFinishedPoint = true
      case .scratchUnusable: slots[index].departure = .noRoom
      case .barred: slots[index].departure = .barred
      }
    }
  }

  private func startAgain(_ index: Int, at now: MonotonicInstant) {
    guard isWorthwhile(at: now) else {
      slots[index].startAt = nil
      return
    }
    do {
      try start(index)
    } catch {
      logger.error("\(error)")
      lastEnd = "could not be started"
      crashed(index, at: now)
    }
  }

  private func isWorthwhile(at time: MonotonicInstant) -> Bool {
    goneBy.map { $0.seconds(since: time) >= Self.usefulSeconds } ?? true
  }

  private func ended(_ index: Int, _ ending: ProcessEnding, at now: MonotonicInstant) {
    lastEnd = "\(ending)"
    slots[index].process = nil
    slots[index].words = nil
    slots[index].predecessor = Predecessor(boot: slots[index].boot, ending: lastEnd)
    if case .exited(let code) = ending, isFinal(code) || isStopping {
      if codeOfLeft == 0 { codeOfLeft = code }
      if code == 0, !isStopping { wasSentHome = true }
      return
    }
    guard !isStopping else { return }
    if slots[index].hasFinishedPoint || now.seconds(since: slots[index].since) > pauses.soon {
      slots[index].crashes = 0
      slots[index].departures = 0
    }
    if let departure = slots[index].departure, case .exited = ending {
      wait(index, after: departure, at: now)
    } else {
      crashed(index, at: now)
    }
  }

  private func crashed(_ index: Int, at now: MonotonicInstant) {
    slots[index].crashes += 1
    let crashes = slots[index].crashes
    if crashes < Self.crashLimit {
      let pause = min(pauses.longest, pauses.first * Double(1 << min(crashes - 1, 20)))
      restart(index, after: pause, at: now, "a worker process \(lastEnd); starting another one")
      return
    }
    logger.error(
      """
      a worker process \(lastEnd), \(crashes) times in a row; its slot is given up, and tried again in \
      \(InWords.seconds(pauses.givenUp)) if others work until then
      """)
    slots[index].isGivenUp = true
    slots[index].startAt = now.advanced(bySeconds: pauses.givenUp)
    // One more quick death, and it is given up again.
    slots[index].crashes = Self.crashLimit - 1
  }

  /// It handed its point back and left: no crash, and nothing that another start would change soon.
  private func wait(_ index: Int, after departure: Departure, at now: MonotonicInstant) {
    slots[index].departures += 1
    let pause = min(pauses.fullLongest, pauses.fullFirst * Double(1 << min(slots[index].departures - 1, 20)))
    let words =
      switch departure {
      case .noRoom: "a worker process found no room in its scratch space"
      case .barred: "the coordinator takes nobody from this machine for now"
      }
    restart(index, after: pause, at: now, "\(words); starting another one in \(InWords.seconds(pause))")
  }

  private func restart(_ index: Int, after pause: Double, at now: MonotonicInstant, _ words: String) {
    let due = now.advanced(bySeconds: pause)
    guard isWorthwhile(at: due) else {
      logger.warning("a worker process \(lastEnd); so near the deadline, no other one is started")
      return
    }
    logger.warning("\(words)")
    slots[index].startAt = due
  }

  /// Left in order, was refused, or was asked to leave: starting it again would end the same way. The codes are those
  /// of the command line.
  private func isFinal(_ code: Int32) -> Bool { [0, 64, 65, 69, 77, 130].contains(code) }

  /// No process is started any more; those that run go on.
  package func stopRestarting() {
    isStopping = true
    for index in slots.indices { slots[index].startAt = nil }
  }

  /// Asks all to hand back and leave.
  package func terminate() {
    stopRestarting()
    for process in processes { kill(process, SIGTERM) }
  }

  /// Ends all: waits `graceSeconds` for them to leave by themselves, asks them to, and after `leaveSeconds` more, or as
  /// soon as `interrupt` is urgent, kills those that are left. Returns when none is.
  package func stop(graceSeconds: Double, leaveSeconds: Double = 30, interrupt: Interrupt? = nil) {
    stopRestarting()
    if wait(seconds: graceSeconds, interrupt) { return }
    terminate()
    if wait(seconds: leaveSeconds, interrupt) { return }
    if interrupt?.isUrgent == true {
      logger.warning(
        "a second signal: worker processes that have not left are killed; their points go on from their checkpoints")
    }
    for process in processes {
      if interrupt?.isUrgent != true { logger.warning("worker process \(process) does not leave; killing it") }
      kill(process, SIGKILL)
    }
    _ = wait(seconds: 60, nil)
  }

  /// Whether all have ended within `seconds`.
  private func wait(seconds: Double, _ interrupt: Interrupt?) -> Bool {
    let deadline = MonotonicInstant.now.advanced(bySeconds: seconds)
    while true {
      nextCheck = .now
      _ = check()
      if isOver { return true }
      if MonotonicInstant.now >= deadline || interrupt?.isUrgent == true { return false }
      try? Poller.wait([], waker: interrupt?.waker, timeout: .milliseconds(20))
    }
  }

  /// Workers that leave write a checkpoint, wait for it to be taken over, and for their receipts.
  private static let leaveSeconds = 75.0

  /// `groksweep worker`: starts all and stays until they have left or `interrupt` says so. The first signal asks them to
  /// leave, once; the second kills those that have not. Returns the exit code for the command.
  package func run(interrupt: Interrupt) throws -> Int32 {
    try start()
    while !isOver {
      if let signal = interrupt.signal {
        logger.info("leaving: checkpoints and points are handed over; a second signal ends it at once")
        // Asks them once: to them a second signal is the same wish; what is urgent ends in SIGKILL.
        stop(graceSeconds: 0, leaveSeconds: Self.leaveSeconds, interrupt: interrupt)
        return signal == SIGINT || interrupt.isUrgent ? 130 : exitCode
      }
      _ = check()
      try Poller.wait([], waker: interrupt.waker, timeout: .milliseconds(100))
    }
    return exitCode
  }
}
