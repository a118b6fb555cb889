// Keeps N worker processes of this machine alive: one crash costs one run, never the sweep.
//
// No thread and no handler of its own: whoever owns it calls `check` often enough (every 100 ms). A worker that leaves
// in good order is not replaced; one that crashes is, after a pause that grows with every crash in a row.

import Foundation
import Logging
import Sweeps
import ZeroMQ

/// A worker process that has ended.
package struct WorkerProcessEnd: Hashable, Sendable {
  package let process: Int32
  package let ending: ProcessEnding
}

/// No worker process can be kept alive; prints as a sentence.
package struct LocalWorkersError: Error, Hashable, Sendable, CustomStringConvertible {
  package let lastEnd: String
  package var description: String {
    "no worker process stays alive; the last one \(lastEnd). Its own words are above, if it had any"
  }
}

package final class LocalWorkers {
  private struct Slot {
    var process: pid_t?
    var since = MonotonicInstant.now
    /// Crashes in a row, each soon after its start.
    var crashes = 0
    /// When to start it again; nil when it runs or has left for good.
    var startAt: MonotonicInstant?
  }

  /// Crashes in a row after which a slot is given up.
  package static let crashLimit = 6
  /// Longest wait between two starts; the first is an eighth of a second.
  private static let longestPause = 30.0
  /// A process that lived this long had started well.
  private static let soonSeconds = 60.0
  private static let checkSeconds = 0.1

  private let executable: String
  private let arguments: [String]
  private let logger: Logger
  private var slots: [Slot]
  private var isStopping = false
  private var nextCheck = MonotonicInstant.now
  /// The first code other than 0 of those that left for good.
  package private(set) var exitCode: Int32 = 0
  private var lastEnd = "never started"

  /// Starts nothing yet. `arguments` are those of one worker process.
  package init(count: Int, executable: String, arguments: [String], logger: Logger) {
    precondition(count >= 1, "\(count) workers")
    self.executable = executable
    self.arguments = arguments
    self.logger = logger
    slots = Array(repeating: Slot(), count: count)
  }

  deinit {
    for slot in slots { if let process = slot.process { kill(process, SIGKILL) } }
  }

  /// Process ids of those that run.
  package var processes: [Int32] { slots.compactMap(\.process) }

  /// Whether no process runs and none will be started again.
  package var isOver: Bool { slots.allSatisfy { $0.process == nil && $0.startAt == nil } }

  package var error: LocalWorkersError { LocalWorkersError(lastEnd: lastEnd) }

  package func start() throws(SpawnError) {
    for index in slots.indices { try start(index) }
  }

  private func start(_ index: Int) throws(SpawnError) {
    slots[index].startAt = nil
    slots[index].since = .now
    slots[index].process = try ChildProcess.start(executable, arguments)
  }

  /// Reaps and restarts; returns those that ended since the last call. Looks at most every 100 ms.
  package func check() -> [WorkerProcessEnd] {
    let now = MonotonicInstant.now
    guard now >= nextCheck else { return [] }
    nextCheck = now.advanced(bySeconds: Self.checkSeconds)
    var ends: [WorkerProcessEnd] = []
    for index in slots.indices {
      if let process = slots[index].process, let ending = ChildProcess.reap(process) {
        ends.append(WorkerProcessEnd(process: process, ending: ending))
        ended(index, ending, at: now)
      } else if let due = slots[index].startAt, now >= due {
        do {
          try start(index)
        } catch {
          logger.error("\(error)")
          retry(index, at: now)
        }
      }
    }
    return ends
  }

  private func ended(_ index: Int, _ ending: ProcessEnding, at now: MonotonicInstant) {
    let lived = now.seconds(since: slots[index].since)
    lastEnd = "\(ending)"
    slots[index].process = nil
    if case .exited(let code) = ending, isFinal(code) || isStopping {
      if exitCode == 0 { exitCode = code }
      return
    }
    guard !isStopping else { return }
    if lived > Self.soonSeconds { slots[index].crashes = 0 }
    retry(index, at: now)
  }

  private func retry(_ index: Int, at now: MonotonicInstant) {
    slots[index].crashes += 1
    let crashes = slots[index].crashes
    guard crashes < Self.crashLimit else {
      logger.error("a worker process \(lastEnd), \(crashes) times in a row; it is not started again")
      if exitCode == 0 { exitCode = 1 }
      return
    }
    let pause = min(Self.longestPause, 0.125 * Double(1 << min(crashes, 10)) / 2)
    logger.warning("a worker process \(lastEnd); starting another one")
    slots[index].startAt = now.advanced(bySeconds: pause)
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

  /// Ends all: waits `graceSeconds` for them to leave by themselves, asks them to, and after `leaveSeconds` more kills
  /// those that are left. Returns when none is.
  package func stop(graceSeconds: Double, leaveSeconds: Double = 30) {
    stopRestarting()
    if wait(seconds: graceSeconds) { return }
    terminate()
    if wait(seconds: leaveSeconds) { return }
    for process in processes {
      logger.warning("worker process \(process) does not leave; killing it")
      kill(process, SIGKILL)
    }
    _ = wait(seconds: 60)
  }

  /// Whether all have ended within `seconds`.
  private func wait(seconds: Double) -> Bool {
    let deadline = MonotonicInstant.now.advanced(bySeconds: seconds)
    while true {
      nextCheck = .now
      _ = check()
      if isOver { return true }
      if MonotonicInstant.now >= deadline { return false }
      try? Poller.wait([], timeout: .milliseconds(20))
    }
  }

  /// `groksweep worker --slots N`: starts all and stays until they have left or `interrupt` says so. Returns the exit
  /// code for the command.
  package func run(interrupt: Interrupt) throws -> Int32 {
    try start()
    while !isOver {
      if let signal = interrupt.signal {
        // Asks them once: a second signal would end them before they have checkpointed.
        stop(graceSeconds: 0)
        return signal == SIGINT ? 130 : exitCode
      }
      _ = check()
      try Poller.wait([], waker: interrupt.waker, timeout: .milliseconds(100))
    }
    return exitCode
  }
}
