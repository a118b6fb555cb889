// Keeps as many workers in Slurm's queue as there is work for, until there is none: looks, has `SlurmScaling` decide,
// carries out. Ends by itself in every case: when all is done, when nobody says any more what is left, when Slurm does not
// answer, and when workers end without anything getting done. Interrupted, it leaves the queue as it is: whoever starts it
// again finds its tasks by the job's name.

import Cluster
import Foundation
import Sweeps

package struct SlurmAutoscaler {
  package struct Pauses: Hashable, Sendable {
    /// Between two looks, in seconds.
    package var round = 30.0
    /// After so many seconds without a word of what is left, it ends.
    package var patience = 900.0
    /// Rounds in a row in which Slurm may fail to answer.
    package var failures = 20
    package init() {}
  }

  private let job: SlurmJob
  private let tools: SlurmTools
  private let pauses: Pauses
  private let work: () throws -> SlurmWork
  private let say: (String) -> Void
  private var scaling: SlurmScaling
  private var lastWord = MonotonicInstant.now
  private var hasHeard = false
  private var silentRounds = 0
  private var failures = 0
  private var hasSubmitted = false
  private var words = ""

  /// - Parameters:
  ///   - work: asks what is left to do; what it throws counts as no answer.
  ///   - say: for progress, a sentence at a time.
  package init(
    _ job: SlurmJob, tools: SlurmTools, minimum: Int, maximum: Int, pauses: Pauses = Pauses(),
    work: @escaping () throws -> SlurmWork, say: @escaping (String) -> Void
  ) {
    self.job = job
    self.tools = tools
    self.pauses = pauses
    self.work = work
    self.say = say
    scaling = SlurmScaling(minimum: minimum, maximum: maximum, workersPerTask: job.cpusPerTask)
  }

  /// Returns when everything is done, or `interrupt` says so.
  ///
  /// - Throws: `SlurmError`.
  package mutating func run(interrupt: Interrupt) throws {
    // What cannot be a job is known before anybody waits for one.
    _ = try job.script(tasks: 1)
    while interrupt.signal == nil {
      if let queue = try look(), let work = try ask(queue) {
        let directives = scaling.decide(work, queue: queue)
        report(work, queue)
        for directive in directives {
          if try perform(directive) { return }
        }
        for case .giveUp(let count) in directives {
          throw SlurmError.gaveUp(
            "\(count) allocations ended one after the other without a point getting done or being worked on; what they "
              + "said is in \(job.logs). Mend that and start this again. Workers that came and were told to leave had too "
              + "little time for a point: give more --time, or the coordinator a shorter --checkpoint-seconds")
        }
      }
      try interrupt.wait(seconds: pauses.round)
    }
  }

  /// nil when Slurm does not answer; that passes, mostly.
  private mutating func look() throws -> [SlurmTask]? {
    do {
      let queue = try tools.tasks(named: job.name)
      failures = 0
      // Of an earlier life, for the same job.
      if !queue.isEmpty { hasSubmitted = true }
      return queue
    } catch {
      try failed(error)
      return nil
    }
  }

  private mutating func failed(_ error: SlurmError) throws {
    failures += 1
    guard failures < pauses.failures else { throw error }
    say("\(error); trying again")
  }

  /// nil when nobody answers.
  private mutating func ask(_ queue: [SlurmTask]) throws -> SlurmWork? {
    do {
      let answer = try work()
      lastWord = .now
      hasHeard = true
      silentRounds = 0
      return answer
    } catch {
      silentRounds += 1
      let silence = MonotonicInstant.now.seconds(since: lastWord)
      // A coordinator that is done sends its workers home and goes: then nothing of ours is left.
      let areAllGone = hasHeard && queue.isEmpty && silentRounds >= 3
      // Whoever never answered is more likely another than one that comes back.
      let isWrong = !hasHeard && silentRounds >= 3
      guard silence < pauses.patience, !areAllGone, !isWrong else {
        throw SlurmError.unreachable(
          "nobody says any more what is left to do (\(error)), "
            + (queue.isEmpty
              ? "and no worker is left in the queue; groksweep status --store tells whether everything is done"
              : "for \(InWords.seconds(silence)); the workers in the queue go on: scancel --name=\(job.name) ends them")
        )
      }
      if silentRounds == 1 { say("\(error); trying again") }
      return nil
    }
  }

  /// Whether that was the end.
  private mutating func perform(_ directive: SlurmScaling.Directive) throws -> Bool {
    do {
      switch directive {
      case .submit(let tasks):
        let number = try tools.submit(job.script(tasks: tasks))
        hasSubmitted = true
        say("submitted job \(number): \(tasks) \(tasks == 1 ? "allocation" : "allocations")")
      case .cancel(let tasks):
        try tools.cancel(tasks)
        say("took back \(tasks.count) that waited: \(Self.shown(tasks))")
      case .askToLeave(let tasks):
        try tools.askToLeave(tasks)
        say("asked \(tasks.count) to hand back and leave: \(Self.shown(tasks))")
      case .giveUp: break
      case .end: return true
      }
    } catch {
      // A job that is refused the very first time is a mistake in it, not a limit that passes.
      if case .submit = directive, !hasSubmitted { throw error }
      try failed(error)
    }
    return false
  }

  /// When it is not what was said last.
  private mutating func report(_ work: SlurmWork, _ queue: [SlurmTask]) {
    let now =
      "\(work.open) points open, \(work.ended) ended; allocations: \(queue.count { $0.state == .running }) running, "
      + "\(queue.count { $0.state == .pending }) waiting"
    if now != words { say(now) }
    words = now
  }

  private static func shown(_ tasks: [String]) -> String {
    tasks.prefix(8).joined(separator: " ") + (tasks.count > 8 ? " …" : "")
  }
}
