// A worker process: one DEALER, one training thread, one session that decides. This file polls, decodes, hands the
// session its events and carries out its directives; it decides nothing itself.

import Foundation
import Grokking
import Kernels
import Logging
import Sweeps
import ZeroMQ

/// How a worker process should end.
package struct WorkerEnd: Hashable, Sendable {
  /// The process' exit code.
  package let code: Int32
  /// For stderr; nil when there is nothing to say.
  package let reason: String?
}

package final class WorkerShell {
  package struct Configuration: Sendable {
    package var endpoint: String
    /// With whose key, and to which coordinator; nil: without keys.
    package var join: JoinFile?
    /// Whether another machine's coordinator is trusted without keys.
    package var isInsecure = false
    /// Folder for checkpoints, snapshots and results without a receipt; shared by the workers of a machine.
    package var scratch: String
    package var kernels: KernelPath
    package var session: SessionConfiguration
    /// Leave in good order when this process is no longer the parent.
    package var parent: Int32?
    package var checkpointSeconds: Double
    /// How often the training thread reports; the session passes on what the coordinator wants to hear.
    package var progressSeconds: Double
    /// Bytes that the weights of a run's evaluations may take.
    package var snapshotLimit: Int
    /// To whoever keeps this process alive.
    package var supervisor: SupervisorPipe?
    /// Whether it says how the way to the coordinator stands; where several processes share it, one is enough.
    package var isSpokesman = true

    /// - Parameter session: waiting times other than the usual; its identity is replaced by `identity`.
    package init(
      endpoint: String, scratch: String, identity: WorkerIdentity, kernels: KernelPath, parent: Int32? = nil,
      session: SessionConfiguration? = nil, checkpointSeconds: Double = 30, progressSeconds: Double = 0.25,
      snapshotLimit: Int = SnapshotStore.limitBytes, supervisor: SupervisorPipe? = nil
    ) {
      self.endpoint = endpoint
      self.scratch = scratch
      self.kernels = kernels
      self.session = session ?? SessionConfiguration(identity: identity)
      self.session.identity = identity
      self.parent = parent
      self.checkpointSeconds = checkpointSeconds
      self.progressSeconds = progressSeconds
      self.snapshotLimit = snapshotLimit
      self.supervisor = supervisor
    }
  }

  private let configuration: Configuration
  let scratch: ScratchFolder
  private let interrupt: Interrupt
  private(set) var logger: Logger
  private var session: WorkerSession
  private let training: TrainingThread
  /// Exit code for words about keys.
  private static let notAllowed: Int32 = 77

  /// Events that directives gave rise to, and that are handled after them.
  var queue: [SessionEvent] = []
  private var end: WorkerEnd?
  private var isInterrupted = false
  /// Whether the last message found the coordinator; nil before the first.
  private var wasReached: Bool?
  /// Whether it was said why nobody is reached.
  private var knowsWhy = false
  /// The folder of the run that is under way, and after its end until the result is kept or the point handed back.
  var running: PointFolder?
  /// Checkpoints of that run which can be read: the last one, and the one that was offered.
  var newest: OpenCheckpoint?
  var offered: OpenCheckpoint?
  /// The folders of results that wait for their receipt.
  private var unsent: [(lease: LeaseID, folder: PointFolder)] = []

  /// Nothing is sent yet. The interrupt's waker serves this shell's threads too, so each shell needs its own.
  ///
  /// - Throws: `EndpointRefused` for an address that may not be used, `SealedFileError` for an unusable scratch folder.
  package init(_ configuration: Configuration, interrupt: Interrupt, logger: Logger) throws {
    self.configuration = configuration
    self.interrupt = interrupt
    self.logger = logger
    self.logger[metadataKey: "process_id"] = "\(configuration.session.identity.processID)"
    self.logger[metadataKey: "host"] = "\(configuration.session.identity.host)"
    _ = try Link.check(configuration.endpoint, join: configuration.join, isInsecure: configuration.isInsecure)
    scratch = try ScratchFolder(root: configuration.scratch)
    session = WorkerSession(configuration.session)
    training = TrainingThread(waker: interrupt.waker)
  }

  /// Works until the session says that the process should end, on the calling thread. Once.
  package func run() -> WorkerEnd {
    defer { training.end(within: 10) }
    do {
      return try work()
    } catch {
      return WorkerEnd(code: 1, reason: "\(error)")
    }
  }

  private func work() throws -> WorkerEnd {
    let link = try Link(
      to: configuration.endpoint, join: configuration.join, isInsecure: configuration.isInsecure, waker: interrupt.waker
    )

    scratch.removeStale()
    let kept = scratch.claimUnsentResults(logger)
    unsent = kept.map { (lease: $0.1.lease, folder: $0.0) }
    if !kept.isEmpty { handle(.unsentResults(kept.map { $0.1 }), link.socket) }
    // A hello before the link stands would be said in vain and again only seconds later.
    switch try link.waitUntilEstablished(interrupt, seconds: 2) {
    case .giveUp(let words)?: return WorkerEnd(code: Self.notAllowed, reason: words)
    case .remark(let words)?: sayOfLink(.warning, words)
    case .unreached(let words, let advice)?: tellWhy(words, advice)
    case nil: break
    }
    handle(.start, link.socket)

    while true {
      if let end {
        // A goodbye that is still queued gets a moment; a coordinator that has gone gets none.
        try link.socket.linger(milliseconds: 500)
        return end
      }
      if !isInterrupted, let code = interruption() {
        isInterrupted = true
        handle(.interrupt(exitCode: code), link.socket)
      }
      while end == nil, let verdict = try link.next() { heed(verdict, link.socket) }
      while end == nil, let received = try link.socket.receive() {
        do {
          let message = try WireCodec.decodeCoordinatorMessage(received.frames)
          if case .welcome(let number, _, _, _, _, _) = message { logger[metadataKey: "worker"] = "\(number)" }
          handle(.message(message), link.socket)
        } catch {
          handle(.undecodable(error), link.socket)
        }
      }
      for note in training.collect() { take(note, link.socket) }
      if let due = session.nextDeadline, due <= .now { handle(.tick, link.socket) }
      if end == nil { try Poller.wait(link.sockets, waker: interrupt.waker, timeout: nextWait) }
    }
  }

  private var nextWait: Duration? {
    let deadline = session.nextDeadline?.fromNow
    guard configuration.parent != nil else { return deadline }
    // Often: somebody who starts a killed sweep again wants the checkpoints that its workers write on leaving.
    let often = Duration.milliseconds(250)
    return min(deadline ?? often, often)
  }

  /// The exit code of an orderly end that somebody wants; nil while nobody does.
  private func interruption() -> Int32? {
    if let signal = interrupt.signal { return signal == SIGINT ? 130 : 0 }
    if let parent = configuration.parent, getppid() != parent {
      logger.warning("the process that started this worker has ended; leaving")
      return 0
    }
    return nil
  }

  /// Giving up, it checkpoints and hands its point back, although nobody may hear of that: the next worker of this machine
  /// goes on from there. Its last words are those of the verdict, however long the link took to come to it.
  private func heed(_ verdict: LinkWatch.Verdict, _ socket: Socket) {
    switch verdict {
    case .giveUp(let words) where !isInterrupted:
      if running != nil { logger.warning("not let in any more; this worker writes its checkpoint and leaves") }
      isInterrupted = true
      handle(.interrupt(exitCode: Self.notAllowed, reason: words), socket)
    case .giveUp(let words), .remark(let words): sayOfLink(.warning, words)
    case .unreached(let words, let advice): tellWhy(words, advice)
    }
  }

  private func take(_ note: TrainingNote, _ socket: Socket) {
    switch note {
    case .progress(let progress, let rate): handle(.progress(progress, epochsPerSecond: rate), socket)
    case .log(let level, let text): logger.log(level: Logger.Level(level), "\(text)")
    case .checkpointWritten(let checkpoint):
      newest = checkpoint
      handle(.checkpointWritten(checkpoint.contents), socket)
    case .checkpointUnusable(let reason): handle(.checkpointUnusable(reason: reason), socket)
    case .finished(let result, let seconds): handle(.runFinished(result, seconds: seconds), socket)
    case .failed(let kind, let reason):
      // First: what the session says next may open the folder of another point.
      running?.remove()
      letGo()
      handle(.runFailed(kind, reason: reason), socket)
    case .stopped(let epoch), .unwritable(let epoch, _):
      if case .unwritable(_, let reason) = note { queue += withoutScratch(reason) }
      // One with a checkpoint stays until the point is handed back: it may be wanted elsewhere first.
      if let folder = running, !folder.run.hasCheckpoint {
        folder.remove()
        letGo()
      }
      handle(.runStopped(epoch: epoch), socket)
    }
  }

  /// Opens the folder, with its checkpoint, to whoever gets the point next.
  func letGo() { (running, newest, offered) = (nil, nil, nil) }

  private func handle(_ event: SessionEvent, _ socket: Socket) {
    queue.append(event)
    while !queue.isEmpty {
      for directive in session.handle(queue.removeFirst(), at: .now) { perform(directive, socket) }
    }
  }

  private func perform(_ directive: SessionDirective, _ socket: Socket) {
    switch directive {
    case .send(let message):
      if case .handedBack(_, let point, _) = message, running?.point == point { letGo() }
      if case .offer = message { offered = newest }
      send(message, socket)
    case .prepare(_, let point, let experiment, let contents): prepare(point, experiment, contents)
    case .keepChunk(let point, let missing, let offset, let bytes): keep(bytes, at: offset, of: missing, for: point)
    case .dropFetched(let point): dropFetched(point)
    case .sendChunk(let lease, let point, let request): send(answer(lease, point, request), socket)
    case .startTraining(_, let point, let experiment): startTraining(point, experiment)
    case .stopTraining(let checkpoint): training.stop(checkpoint: checkpoint)
    case .keepResult(let result): keep(result)
    case .forgetResult(let lease, let point): forget(lease, point)
    case .log(let level, let text): logger.log(level: Logger.Level(level), "\(text)")
    case .exit(let code, let reason):
      if code == WorkerSession.notNow { configuration.supervisor?.say(.barred) }
      end = WorkerEnd(code: code, reason: reason)
    }
  }

  /// Whatever matters is said again until it is answered, so a message that finds no room is no loss.
  private func send(_ message: WorkerMessage, _ socket: Socket) {
    do {
      let isReached = try socket.send(try WireCodec.encode(message)) == .queued
      // A coordinator that ends its sweep need not wait for farewells.
      if isReached != wasReached, message != .goodbye { tell(isReached) }
      wasReached = isReached
    } catch {
      logger.error("\(error)")
    }
  }

  private func tellWhy(_ words: String, _ advice: String) {
    knowsWhy = true
    sayOfLink(.warning, "\(words), trying on for as long as it takes: \(advice)")
  }

  private func sayOfLink(_ level: Logger.Level, _ words: String) {
    logger.log(level: configuration.isSpokesman ? level : .debug, "\(words)")
  }

  private func tell(_ isReached: Bool) {
    defer { knowsWhy = false }
    let address = configuration.endpoint
    switch (wasReached, isReached) {
    case (nil, true): sayOfLink(.info, "connected to \(address)")
    case (nil, false) where knowsWhy: break
    case (nil, false):
      sayOfLink(
        .warning, "nobody answers at \(address); trying for as long as it takes (is a coordinator up there?)")
    case (true, false): sayOfLink(.warning, "the coordinator at \(address) is gone; going on without it")
    default: sayOfLink(.info, "the coordinator at \(address) is there again")
    }
  }

  private func startTraining(_ point: PointID, _ experiment: Experiment) {
    do {
      // Into which its checkpoint was fetched, if it was.
      let fetched = running?.point == point ? running : nil
      letGo()
      let folder = try fetched ?? scratch.open(point)
      running = folder
      training.start(
        TrainingJob(
          experiment: experiment, folder: folder, kernels: configuration.kernels,
          checkpointSeconds: configuration.checkpointSeconds, progressSeconds: configuration.progressSeconds,
          snapshotLimit: configuration.snapshotLimit))
    } catch {
      queue += withoutScratch("\(error)") + [.runStopped(epoch: 0)]
    }
  }

  /// A machine whose scratch space takes nothing would fail every point of the sweep, one after the other. So its worker
  /// hands its point back, which charges nobody, and leaves with code 1; whoever looks after it starts it again later.
  func withoutScratch(_ reason: String) -> [SessionEvent] {
    logger.error("\(reason); this worker hands its point back and leaves")
    configuration.supervisor?.say(.scratchUnusable)
    guard !isInterrupted, interrupt.signal == nil else { return [] }
    isInterrupted = true
    return [.interrupt(exitCode: 1)]
  }

  private func keep(_ result: UnsentResult) {
    guard let folder = running, folder.point == result.point else { return }
    letGo()
    configuration.supervisor?.say(.finishedPoint)
    unsent.append((lease: result.lease, folder: folder))
    do {
      try folder.keep(result)
    } catch {
      logger.error("the result of point \(result.point.short) is kept in memory only: \(error)")
    }
  }

  private func forget(_ lease: LeaseID, _ point: PointID) {
    guard let index = unsent.firstIndex(where: { $0.lease == lease && $0.folder.point == point }) else { return }
    unsent.remove(at: index).folder.remove()
  }
}

extension WorkerShell {
  /// `$XDG_CACHE_HOME/groksweep`, or `~/.cache/groksweep`: what lies there saves time and is never missed.
  package static var defaultScratch: String {
    let environment = ProcessInfo.processInfo.environment
    if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache + "/groksweep" }
    return NSHomeDirectory() + "/.cache/groksweep"
  }
}

extension Logger.Level {
  init(_ level: LogLevel) {
    self =
      switch level {
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      case .error: .error
      }
  }
}
