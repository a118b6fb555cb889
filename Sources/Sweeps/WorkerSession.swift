// A worker's mind: it says hello, asks for a point, has it trained, and brings the result until there is a receipt.
//
// Training does not depend on the coordinator being there: while it is silent the run goes on, results wait on disk,
// and hello, ready and every result are said again and again. The coordinator's word on leases is final: a revoked run
// is stopped. One run at a time: the next begins only after the training thread said that the last one is over.
//
// Checkpoints only save time: what is offered, pulled or fetched may be lost at any moment without harm. A process that
// leaves (a signal, its deadline, the coordinator's wish) hands its checkpoint over, then its point back, then goes.
//
// The session refuses to do anything itself: no clock, socket, disk, thread or chance; `handle` turns one event into
// directives, which a shell carries out in order.

import Grokking

package struct WorkerSession: Hashable, Sendable {
  enum Standing: Hashable, Sendable {
    case notStarted
    case greeting(lastHello: MonotonicInstant)
    /// Checkpoints are wanted every `checkpointSeconds`; nil: never.
    case welcomed(leaseSeconds: Double, progressSeconds: Double, checkpointSeconds: Double?)
    /// Exited; deaf from then on.
    case over
  }

  /// What is done for a point.
  enum Activity: Hashable, Sendable {
    case idle
    /// The coordinator's checkpoint comes first.
    case fetching(Fetch)
    case training(HeldLease)
    /// Asked to stop; hangs when it did not by `until`.
    case stopping(HeldLease, handBack: Bool, until: MonotonicInstant)
    /// Stopped at `epoch`; the point is handed back when its checkpoint is kept elsewhere, or at `until`.
    case handingOver(HeldLease, epoch: Int, until: MonotonicInstant)
    /// Done; the result is said when the checkpoint with which the run ended is kept elsewhere, or at `until`.
    case handingEndOver(UnsentResult, until: MonotonicInstant)
  }

  struct Leaving: Hashable, Sendable {
    var code: Int32
    var reason: String?
    /// What is not answered by then is not waited for.
    var until: MonotonicInstant
    /// False when nobody there will ever answer.
    var waitsForReceipts = true
  }

  struct Grant: Hashable, Sendable {
    var held: HeldLease
    var experiment: Experiment
    /// From which to go on.
    var checkpoint: CheckpointContents?
  }

  package let configuration: SessionConfiguration
  var now = MonotonicInstant(nanoseconds: .min)
  /// When this process has to begin to leave; nil: never.
  private var leaveBy: MonotonicInstant?
  /// When it has to be gone.
  var goneBy: MonotonicInstant?
  var standing = Standing.notStarted
  var activity = Activity.idle
  /// Came while the last run was still stopping.
  var nextGrant: Grant?
  var leaving: Leaving?
  var interrupts = 0

  var outbox: [Parcel] = []
  var lastReady: MonotonicInstant?
  /// Whose result said it last; when its receipt comes and no grant before it, it is said in so many words.
  var readyWithReceipt: HeldLease?
  var progress: RunProgress?
  var epochsPerSecond = 0.0
  var lastProgress: MonotonicInstant?
  /// Whether the coordinator wants the checkpoint with which a censored run ended.
  var keepsCensored = false
  /// Whether it wants the final weights of every run.
  var keepsWeights = false
  /// When the run under way began, or went on, here.
  var trainingSince: MonotonicInstant?
  /// Of the run under way.
  var offers = Offers()
  /// Of the checkpoint that the run under way was given by the coordinator; nil where it has its own, or none.
  var fetchedEpoch: Int?
  /// Leases that are over, newest last: a grant of one of them is an echo.
  var ended: [HeldLease] = []

  var directives: [SessionDirective] = []

  package init(_ configuration: SessionConfiguration) { self.configuration = configuration }

  package var isOver: Bool { standing == .over }

  /// What has to happen because of one event, in this order.
  package mutating func handle(_ event: SessionEvent, at time: MonotonicInstant) -> [SessionDirective] {
    guard standing != .over else { return [] }
    now = max(now, time)
    switch event {
    case .start: if standing == .notStarted { start() }
    case .unsentResults(let results): for result in results { post(.finished(result)) }
    case .message(let message): receive(message)
    case .undecodable(let error): log(.warning, "dropped a message of the coordinator: \(error)")
    case .tick: tick()
    case .progress(let progress, let rate): report(progress, rate)
    case .runFinished(let result, let seconds): runFinished(result, seconds: seconds)
    case .runFailed(let kind, let reason): runFailed(kind, reason)
    case .runStopped(let epoch): runStopped(epoch)
    case .checkpointWritten(let contents): checkpointWritten(contents)
    case .prepared(let missing): prepared(missing)
    case .fetchFailed(let reason): fetchFailed(reason)
    case .checkpointUnusable(let reason): checkpointUnusable(reason)
    case .interrupt(let code, let reason): interrupt(code, reason)
    }
    flush()
    offerWhenDue()
    fetchWhenDue()
    leaveWhenDone()
    defer { directives.removeAll(keepingCapacity: true) }
    return directives
  }

  /// The moment of the next `.tick`; nil when only another event can change anything.
  package var nextDeadline: MonotonicInstant? {
    var deadlines: [MonotonicInstant] = []
    switch standing {
    case .notStarted: break
    case .over: return nil
    case .greeting(let lastHello): deadlines.append(lastHello.advanced(bySeconds: configuration.helloSeconds))
    case .welcomed(_, let progressSeconds, _):
      if activity == .idle, leaving == nil, let lastReady {
        deadlines.append(lastReady.advanced(bySeconds: readySeconds))
      }
      if heldLease != nil, progress != nil, let lastProgress {
        deadlines.append(lastProgress.advanced(bySeconds: progressSeconds))
      }
      for parcel in window { deadlines.append(outbox[parcel].due) }
      if let due = offerDue { deadlines.append(due) }
      if case .fetching(let fetch) = activity, let due = fetch.pull?.nextDeadline { deadlines.append(due) }
    }
    if let leaving { deadlines.append(leaving.until) } else if let leaveBy { deadlines.append(leaveBy) }
    switch activity {
    case .idle, .training: break
    case .fetching(let fetch): deadlines.append(fetch.heard.advanced(bySeconds: configuration.fetchSeconds))
    case .stopping(_, _, let until), .handingOver(_, _, let until), .handingEndOver(_, let until):
      deadlines.append(until)
    }
    return deadlines.min()
  }

  var isWelcome: Bool { if case .welcomed = standing { true } else { false } }

  /// The lease that progress is reported for.
  var heldLease: HeldLease? {
    switch activity {
    case .fetching(let fetch): fetch.grant.held
    case .training(let held), .stopping(let held, handBack: true, _), .handingOver(let held, _, _): held
    case .handingEndOver(let unsent, _): unsent.held
    case .idle, .stopping: nil
    }
  }

  /// Often enough for the coordinator not to take waiting for death.
  var readySeconds: Double {
    if case .welcomed(let leaseSeconds, _, _) = standing {
      min(configuration.readySeconds, leaseSeconds / 3)
    } else {
      configuration.readySeconds
    }
  }

  private mutating func start() {
    if let seconds = configuration.lifetimeSeconds {
      goneBy = now.advanced(bySeconds: seconds)
      leaveBy = now.advanced(bySeconds: seconds - configuration.marginSeconds)
    }
    hello()
  }

  private mutating func tick() {
    switch activity {
    case .stopping(_, _, let until) where now >= until:
      exit(1, "the training thread did not stop within \(Int(configuration.stopSeconds)) s")
      return
    case .handingEndOver(let unsent, let until) where now >= until:
      log(.warning, "how point \(unsent.point.short) ended was not taken over in time, so it is not kept")
      deliver()
    case .handingOver(let held, _, let until) where now >= until:
      log(.warning, "the checkpoint of point \(held.point.short) was not taken over in time; it stays on this machine")
      handBack()
    case .fetching(let fetch) where now >= fetch.heard.advanced(bySeconds: configuration.fetchSeconds):
      giveUpFetching("nothing of it came for \(Int(configuration.fetchSeconds)) s")
    default: break
    }
    if leaving == nil, let leaveBy, now >= leaveBy {
      log(.info, "the deadline of this worker is near; leaving")
      leave(code: 0, reason: nil)
    }
    switch standing {
    case .notStarted, .over: break
    case .greeting(let lastHello):
      if now >= lastHello.advanced(bySeconds: configuration.helloSeconds) { hello() }
    case .welcomed(_, let progressSeconds, _):
      if activity == .idle, leaving == nil, let lastReady, now >= lastReady.advanced(bySeconds: readySeconds) {
        ready()
      }
      // Repeating old progress renews nothing, but it shows that this process lives.
      if let lastProgress, now >= lastProgress.advanced(bySeconds: progressSeconds) { sendProgress() }
    }
  }

  mutating func emit(_ directive: SessionDirective) { directives.append(directive) }

  mutating func log(_ level: LogLevel, _ message: String) { emit(.log(level, message)) }

  mutating func exit(_ code: Int32, _ reason: String?) {
    if isWelcome { emit(.send(.goodbye)) }
    emit(.exit(code: code, reason: reason))
    standing = .over
  }
}
