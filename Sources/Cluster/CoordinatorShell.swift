// The coordinator process: one ROUTER, one store, one scheduler that decides. This file polls, decodes and keeps time;
// CoordinatorShell+Rounds.swift hands the scheduler its events and carries out its directives. Nothing is decided here.
//
// Commit, then answer: what is said because of an event is sent when all that was to be written because of it is on disk.

import Foundation
import Grokking
import Logging
import Results
import Sweeps
import ZeroMQ

/// How a coordinator's work came to an end.
package struct CoordinatorEnd: Hashable, Sendable {
  package let ending: SchedulerEnding
  /// The signal that asked for it; nil when the work was done.
  package let interruptedBy: Int32?
  /// As it stood at the end.
  package let overview: SchedulerOverview
}

/// A socket that listens and is not served yet.
package struct Listener {
  let socket: Socket
  /// The real one: port 0 has become a port.
  package let endpoint: String
  let gate: Gate
}

/// Owned by the thread that makes it and calls `run`.
package final class CoordinatorShell {
  package struct Configuration: Sendable {
    /// `tcp://127.0.0.1:PORT` (0: any free port) or `ipc://PATH`.
    package var endpoint: String
    package var scheduler: SchedulerConfiguration
    /// Least time between two calls of `onOverview`.
    package var overviewSeconds: Double
    /// Least time between two notes in the store of how far the running points are, for other programs to read.
    package var progressRecordSeconds: Double

    package init(
      endpoint: String, scheduler: SchedulerConfiguration, overviewSeconds: Double = 0.5,
      progressRecordSeconds: Double = 30
    ) {
      self.endpoint = endpoint
      self.scheduler = scheduler
      self.overviewSeconds = overviewSeconds
      self.progressRecordSeconds = progressRecordSeconds
    }
  }

  /// Where it really listens.
  package let endpoint: String
  /// Called on the thread of `run`, now and then and once at the end.
  package var onOverview: ((SchedulerOverview) -> Void)?
  /// Called at the same moments, with what was counted since the start.
  package var onCounts: ((SchedulerOverview, CoordinatorCounts) -> Void)?
  var counts = CoordinatorCounts()
  /// Worker processes of this machine that it looks after; set before `run`, which starts and stops them.
  var localWorkers: LocalWorkers?

  private let configuration: Configuration
  private let socket: Socket
  private var gate: Gate
  /// Of lines about what was refused: no holder of a key fills the log.
  private var thinner = LogThinner()
  private let interrupt: Interrupt
  let logger: Logger
  let store: Store
  /// Checkpoints that are kept beside the store.
  let shelf: CheckpointShelf
  /// Points of whose coming checkpoint a piece could not be kept.
  var cutShort: Set<PointID> = []
  var scheduler: Scheduler
  /// Sweeps that grow with their results; `sweepNames` are those that it serves, nil for all.
  var boundaries: BoundarySweeps
  private let sweepNames: [String]?

  /// What happened and was not handled yet, in order.
  var queue: [SchedulerEvent] = []
  /// What the directives of this round want written, and said afterwards.
  var round = CoordinatorRound()
  /// Records that could not be written and come before all others, and when they are tried again at the latest.
  var owed: [StoreWrite] = []
  var owedAgain = MonotonicInstant.now
  var ending: SchedulerEnding?
  /// Worker processes of this machine by process id: what the supervisor sees end.
  var boots: [Int32: String] = [:]
  /// Those that ended and that the scheduler was not told of yet, in order.
  private var endedProcesses: [(end: WorkerProcessEnd, since: MonotonicInstant)] = []
  private static let lastWordsSeconds = 0.1
  /// What one commit should hold at most.
  private static let resultsPerRound = 256
  private static let resultBytesPerRound = 4 << 20
  private var resultsInRound = 0
  private var resultBytesInRound = 0

  /// Reads from the store what there is to do: the points of `sweeps`, or of all sweeps; and listens, unless `listener`
  /// does already.
  ///
  /// The store's lock must be held. A damaged store is refused. The interrupt's waker serves this shell.
  ///
  /// - Throws: `EndpointRefused`, `ZeroMQError` (a port in use), `StoreError`.
  package init(
    store: Store, sweeps: [String]? = nil, _ configuration: Configuration, listener: Listener? = nil,
    interrupt: Interrupt, logger: Logger
  ) throws {
    let listener = try listener ?? Self.listen(on: configuration.endpoint, logger: logger)
    self.configuration = configuration
    self.store = store
    self.interrupt = interrupt
    self.logger = logger
    socket = listener.socket
    endpoint = listener.endpoint
    gate = listener.gate
    shelf = CheckpointShelf(besides: store.path)
    try store.checkAtStart()
    sweepNames = sweeps
    boundaries = try store.boundarySweeps(sweeps)
    let grown = try store.grow(boundaries)
    var start = try store.schedulerStart(sweeps: sweeps)
    let keepsEnds = configuration.scheduler.keepsCensored
    start.checkpoints = try shelf.scan(
      keeping: { try store.states(of: $0).map { $0 == .pending } }, endOf: { keepsEnds ? try store.end(of: $0) : nil },
      logger)
    let open = start.points.filter { $0.state == .pending }.map { (id: $0.id, experiment: $0.experiment) }
    start.checkpoints += shelf.lend(to: open)
    scheduler = Scheduler(configuration.scheduler, start: start, at: .now)
    for problem in boundaries.problems { logger.error("\(problem)") }
    grown.forEach(tell)
  }

  /// A sweep came, or came again.
  func findBoundaries() {
    do {
      boundaries = try store.boundarySweeps(sweepNames)
      for problem in boundaries.problems { logger.error("\(problem)") }
    } catch {
      logger.error("\(error)")
    }
  }

  func tell(_ grown: GrownSweep) {
    let points = grown.points.count == 1 ? "1 point" : "\(grown.points.count) points"
    logger.info("sweep \(grown.sweep.name): refining where the outcome changes; \(points) more, \(grown.total) now")
    for setting in grown.undecided {
      warnThinly("sweep \(grown.sweep.name): nothing is refined beside \(setting), since all its points failed")
    }
  }

  /// Serves until the scheduler is done, on the calling thread.
  ///
  /// - Throws: `ZeroMQError`; `LocalWorkersError` or `SpawnError` when its own worker processes cannot be kept alive, and
  ///   `OnlyHostBarred` when they fail point after point.
  package func run() throws -> CoordinatorEnd {
    // What has to be said at once; with nothing to do, this is already the end.
    handle(.tick)
    settle()
    if ending == nil { try localWorkers?.start() }
    var signal: Int32?
    var (nextOverview, nextRecord) = (MonotonicInstant.now, MonotonicInstant.now)
    while ending == nil {
      if signal == nil, let caught = interrupt.signal {
        signal = caught
        localWorkers?.stopRestarting()
        handle(.shutdown(reason: String(cString: strsignal(caught)).lowercased()))
      }
      try lookAfterWorkers()
      try receiveAll()
      let now = MonotonicInstant.now
      if let due = scheduler.nextDeadline, due <= now { handle(.tick) }
      // One round only: what comes of it is written together with what has come in the meantime.
      advance()
      if resultsInRound > 0, !isRoundFull { gather(since: now) }
      if now >= nextOverview {
        if onOverview != nil || onCounts != nil { publish(scheduler.overview(at: now)) }
        nextOverview = now.advanced(bySeconds: configuration.overviewSeconds)
      }
      if now >= nextRecord {
        recordProgress()
        nextRecord = now.advanced(bySeconds: configuration.progressRecordSeconds)
      }
      guard ending == nil else { break }
      guard isQuiet else { continue }
      let late = owed.isEmpty ? nil : owedAgain
      let wake = [scheduler.nextDeadline, nextOverview, nextRecord, late].compactMap { $0 }.min()!
      let wait = localWorkers == nil ? wake.fromNow : min(wake.fromNow, .milliseconds(100))
      try Poller.wait([socket], waker: interrupt.waker, timeout: wait)
    }
    writeOwed()
    // Receipts and farewells that are still queued get a moment to reach their workers.
    try socket.linger(milliseconds: 1000)
    let overview = scheduler.overview(at: .now)
    publish(overview)
    return CoordinatorEnd(ending: ending!, interruptedBy: signal, overview: overview)
  }

  private func publish(_ overview: SchedulerOverview) {
    onOverview?(overview)
    onCounts?(overview, counts)
  }

  /// What has come by now, but not more than a thousand messages, and not more results than one commit should hold:
  /// timers and signals want their turn too.
  private func receiveAll() throws {
    (resultsInRound, resultBytesInRound) = (0, 0)
    for _ in 0..<1000 {
      guard ending == nil, !isRoundFull, let received = try socket.receive() else { return }
      let frames = received.frames
      switch gate.judge(user: received.user, peer: frames[0]) {
      case .admitted(let key, let role): receive(Array(frames.dropFirst()), from: PeerID(frames[0], key: key), role)
      case .refused(let reason):
        send(.refused(reason: reason), to: PeerID(frames[0]))
        handle(.peerRefused(PeerID(frames[0]), reason: reason))
      case .ignored: continue
      }
    }
  }

  private var isRoundFull: Bool {
    resultsInRound >= Self.resultsPerRound || resultBytesInRound >= Self.resultBytesPerRound
  }

  /// Where results stream in, those that the last grants bring are written together with those that came during the
  /// last round: a fourth of its time is waited for them, a millisecond at most.
  private func gather(since start: MonotonicInstant) {
    guard ending == nil else { return }
    usleep(UInt32(max(0, min(1000, MonotonicInstant.now.seconds(since: start) * 250_000))))
  }

  /// - Parameter role: of the sender's key; nil where everybody may say everything.
  private func receive(_ frames: [[UInt8]], from peer: PeerID, _ role: Role?) {
    do {
      let inbound = try WireCodec.decodeInbound(frames)
      if let role, !role.permits(inbound) {
        return refuse(inbound, of: peer, gate.complaint(about: inbound, from: peer.key, role))
      }
      switch inbound {
      case .worker(let message):
        handle(.message(from: peer, message))
        if case .progress(let lease, let progress, _) = message { counts.reached(progress.epoch, lease) }
        if case .finished = message {
          resultsInRound += 1
          resultBytesInRound += frames.reduce(0) { $0 + $1.count }
        }
      case .request(let request, let number): reply(to: request, number: number, from: peer)
      }
    } catch {
      handle(.undecodable(from: peer, error))
    }
  }

  private func refuse(_ inbound: InboundMessage, of peer: PeerID, _ complaint: String) {
    warnThinly("\(complaint); it was refused")
    switch inbound {
    case .worker: send(.refused(reason: complaint), to: peer)
    case .request(_, let number): send(.notAllowed(complaint), number: number, to: peer)
    }
  }

  /// Tells the 1st, 2nd, 4th, 8th… such line.
  func warnThinly(_ line: String) {
    guard let count = thinner.count(line) else { return }
    logger.warning("\(line)\(count == 1 ? "" : " (\(count) times so far)")")
  }

  /// An ended process is news only a moment later: what it said last (its result, a point handed back) may still be on
  /// its way here, and must come first.
  private func lookAfterWorkers() throws {
    guard let localWorkers else { return }
    // Nobody else works for this sweep.
    if let host = scheduler.barredHosts(at: .now).first { throw OnlyHostBarred(host: host) }
    let now = MonotonicInstant.now
    endedProcesses += localWorkers.check().map { (end: $0, since: now) }
    while let (end, since) = endedProcesses.first, now.seconds(since: since) >= Self.lastWordsSeconds {
      endedProcesses.removeFirst()
      guard let boot = boots.removeValue(forKey: end.process) else { continue }
      handle(.processEnded(boot: boot, description: "\(end.ending)"))
    }
    guard ending == nil, interrupt.signal == nil, localWorkers.isOver, endedProcesses.isEmpty else { return }
    let overview = scheduler.overview(at: .now)
    if overview.finished + overview.failed < overview.total { throw localWorkers.error }
  }

  /// A request sees what came before it done, and its answer stands for what is on disk. Nothing is changed while records
  /// are owed: the store would be changed that does not know yet what the scheduler knows.
  private func reply(to request: OperatorRequest, number: Int64, from peer: PeerID) {
    settle()
    writeOwed()
    guard owed.isEmpty || request.isReading else {
      let words = "the store cannot be written at the moment, so nothing can be changed; ask again later"
      send(.failed(words, isBadInput: false), number: number, to: peer)
      return
    }
    let reply = answer(request, user: peer.key)
    settle()
    send(reply, number: number, to: peer)
  }

  private func send(_ reply: OperatorReply, number: Int64, to peer: PeerID) {
    send(peer) { () throws(WireError) in try WireCodec.encode(reply, number: number) }
  }

  func send(_ message: CoordinatorMessage, to peer: PeerID) {
    send(peer) { () throws(WireError) in try WireCodec.encode(message) }
  }

  /// An accepted message is only queued: what matters is asked for again by whoever misses it.
  private func send(_ peer: PeerID, _ frames: () throws(WireError) -> [[UInt8]]) {
    do {
      switch try socket.send([peer.bytes] + frames()) {
      case .queued: break
      case .full: logger.debug("a worker does not read its messages; one was not sent")
      case .unreachable:
        queue.append(.unreachable(peer))
      }
    } catch {
      logger.error("\(error)")
    }
  }
}
