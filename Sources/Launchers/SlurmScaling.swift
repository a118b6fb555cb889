// How many allocations a sweep deserves, as a pure machine: told what is left to do and what is in the queue, it says
// what to submit and what to take back. No clock, no process, no Slurm.
//
// It grows at once and shrinks late: an allocation that was waited for is worth keeping for a moment, since a search
// (`method: boundary`) asks for more points when results come. What waits in the queue is taken back before what works,
// and what works on a machine where nobody has a point before what has one.

/// What is left to do at a moment.
package struct SlurmWork: Hashable, Sendable {
  /// Points that could be trained now: handed out or not, of sweeps that are neither paused nor cancelled, and those
  /// that run anyway.
  package var open: Int
  /// Points with an end. Grows with every result, so it tells whether anything is achieved.
  package var ended: Int
  /// Whether nothing is left, and nothing will come by itself.
  package var isDone: Bool
  /// Machines on which a worker has a point, by their names; nil where nobody knows.
  package var busyHosts: [String]?
  /// Workers that are connected; nil where nobody knows.
  package var workers: Int?

  package init(open: Int, ended: Int, isDone: Bool, busyHosts: [String]? = nil, workers: Int? = nil) {
    self.open = open
    self.ended = ended
    self.isDone = isDone
    self.busyHosts = busyHosts
    self.workers = workers
  }
}

package struct SlurmScaling: Sendable {
  package enum Directive: Hashable, Sendable {
    /// An array of so many tasks.
    case submit(tasks: Int)
    /// They wait, and need not.
    case cancel([String])
    /// They run: they are to hand back what they have and leave.
    case askToLeave([String])
    /// Everything is done, and nothing of ours is in the queue.
    case end
    /// Tasks end one after the other and nothing gets done: more of them would, too.
    case giveUp(endedInVain: Int)
  }

  /// Worker processes; at least `minimum` while there is anything to do, at most `maximum`.
  private let minimum: Int
  private let maximum: Int
  private let workersPerTask: Int
  /// Rounds in a row in which there were too many, before any that runs is asked to leave.
  private static let patience = 3
  /// Tasks that may end without anything achieved in between: so many times the most that run at once, and some more.
  private var endsInVain: Int { 3 * tasks(maximum) + 5 }

  private var roundsWithTooMany = 0
  /// In the queue at the last round, in its order.
  private var known: [String] = []
  /// Asked to leave, and still there.
  private var leaving: [String] = []
  private var endedInVain = 0
  private var lastEnded: Int?

  /// - Parameters:
  ///   - minimum: worker processes, from 0.
  ///   - maximum: from 1, not less than `minimum`.
  package init(minimum: Int, maximum: Int, workersPerTask: Int) {
    precondition(0 <= minimum && minimum <= maximum && maximum >= 1 && workersPerTask >= 1)
    self.minimum = minimum
    self.maximum = maximum
    self.workersPerTask = workersPerTask
  }

  /// One round.
  ///
  /// - Parameter queue: all tasks of ours, in the queue's order.
  package mutating func decide(_ work: SlurmWork, queue: [SlurmTask]) -> [Directive] {
    count(work, queue)
    if work.isDone { return windUp(queue) }
    if endedInVain >= endsInVain { return [.giveUp(endedInVain: endedInVain)] + windUp(queue) }
    let waiting = queue.filter { $0.state == .pending }
    let working = queue.filter { $0.state == .running && !leaving.contains($0.id) }
    let wanted = tasks(min(max(work.open, minimum), maximum))
    let surplus = waiting.count + working.count - wanted
    if surplus < 0 {
      roundsWithTooMany = 0
      return [.submit(tasks: -surplus)]
    }
    guard surplus > 0 else {
      roundsWithTooMany = 0
      return []
    }
    roundsWithTooMany += 1
    var directives: [Directive] = []
    // Those that came last would start last.
    let takenBack = waiting.suffix(surplus).map(\.id)
    if !takenBack.isEmpty { directives.append(.cancel(takenBack)) }
    if surplus > takenBack.count, roundsWithTooMany >= Self.patience {
      let sent = leastMissed(working, work).prefix(surplus - takenBack.count).map(\.id)
      leaving += sent
      directives.append(.askToLeave(sent))
    }
    return directives
  }

  /// Everything of ours out of the queue, in good order; what was asked already is left to end.
  private mutating func windUp(_ queue: [SlurmTask]) -> [Directive] {
    if queue.isEmpty { return [.end] }
    var directives: [Directive] = []
    let waiting = queue.filter { $0.state == .pending }.map(\.id)
    if !waiting.isEmpty { directives.append(.cancel(waiting)) }
    let working = queue.filter { $0.state == .running && !leaving.contains($0.id) }.map(\.id)
    if !working.isEmpty {
      leaving += working
      directives.append(.askToLeave(working))
    }
    return directives
  }

  private mutating func count(_ work: SlurmWork, _ queue: [SlurmTask]) {
    let here = queue.map(\.id)
    let gone = known.filter { !here.contains($0) && !leaving.contains($0) }
    // Workers that come, get nothing of what is open and go achieve nothing: their time is too short for any point.
    let isWaiting = work.open == 0 && (work.workers ?? 0) > 0
    let isAchieving =
      work.ended > (lastEnded ?? work.ended) || !(work.busyHosts ?? []).isEmpty || isWaiting
    endedInVain = isAchieving ? 0 : endedInVain + gone.count
    lastEnded = work.ended
    known = here
    leaving.removeAll { id in !queue.contains { $0.id == id && $0.state != .pending } }
  }

  /// First those on machines without a point, then those that came last: they have the least to hand over.
  private func leastMissed(_ working: [SlurmTask], _ work: SlurmWork) -> [SlurmTask] {
    let newest = Array(working.reversed())
    guard let busy = work.busyHosts else { return newest }
    // A node's name in Slurm is its host's, without the domain.
    let names = busy.map { $0.prefix { $0 != "." } }
    func isBusy(_ task: SlurmTask) -> Bool { task.node.map { names.contains($0.prefix { $0 != "." }) } ?? false }
    return newest.filter { !isBusy($0) } + newest.filter(isBusy)
  }

  private func tasks(_ workers: Int) -> Int { (workers + workersPerTask - 1) / workersPerTask }
}
