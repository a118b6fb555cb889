// The coordinator's mind: who gets which point, and when an attempt is over.
//
// A point is pending, leased to one worker, on its way into the store, or terminal. A lease lives as long as its work
// grows, by the coordinator's own monotonic clock; when it ends, the point goes back to the front of the queue, and
// after a few attempts that count against it, it is quarantined with its reason instead of taking down ever more
// workers. Results are accepted from whoever brings one, also after the lease ended: training is deterministic, so the
// first result is as good as any, and later ones are only compared. A receipt is sent after the commit, never before.
// Every message may come twice, late, or not at all, and every answer may be lost: whatever is said again is answered
// again and changes nothing.
//
// The scheduler refuses to do anything itself: no clock, socket, store or chance. It is a value; `handle` turns one
// event into directives, which a shell carries out in order. Nothing here walks over a Set or a Dictionary, so the
// same events give the same directives.

import Grokking

package struct Scheduler: Sendable {
  /// What the scheduler is about, from serving to done.
  enum Phase: Hashable, Sendable {
    case serving
    case draining
    /// Everyone was told to leave; done when they are gone, or at `until`.
    case leaving(SchedulerEnding, until: MonotonicInstant)
    case finished
  }

  package let configuration: SchedulerConfiguration
  var phase = Phase.serving
  /// The time of the event being handled, and before that of the last one.
  var now: MonotonicInstant
  var points = PointTable()

  /// Open attempts: held by workers, or awaited after a restart.
  var attempts: [LeaseID: Attempt] = [:]
  var leases = SortedList<LeaseID>()
  var nextLease: Int64

  /// Workers that said hello, by number.
  var workers: [Int64: ConnectedWorker] = [:]
  var workerNumbers = SortedList<Int64>()
  var numberOfPeer: [PeerID: Int64] = [:]
  /// Of every worker process ever recorded.
  var numberOfBoot: [String: Int64]
  var nextWorker: Int64
  /// Numbers of workers that wait for a point, longest waiting first; checked against `ConnectedWorker.isWaiting`.
  var waiting: [Int64] = []

  /// Set while the store cannot take results: nothing is granted before this moment.
  var grantingPausedUntil: MonotonicInstant?
  /// No lease and no worker's patience ends before this moment (a lower bound, made exact by the next look).
  var nextLook: MonotonicInstant?

  /// Epochs that results brought, and those that their experiments allow: fewer are trained where runs stop after
  /// grokking.
  var trainedEpochs = 0
  var allowedEpochs = 0

  /// Frames that were no message.
  var droppedMessages = 0

  /// What `handle` is about to return.
  var directives: [SchedulerDirective] = []

  package init(_ configuration: SchedulerConfiguration, start: SchedulerStart, at now: MonotonicInstant) {
    self.configuration = configuration
    self.now = now
    nextLease = start.nextLease.number
    nextWorker = start.nextWorker
    numberOfBoot = start.workers
    add(start.points)
  }

  package var isFinished: Bool { phase == .finished }

  /// The moment of the next `.tick`; nil when only another event can change anything.
  package var nextDeadline: MonotonicInstant? {
    if isFinished { return nil }
    if !directives.isEmpty { return now }
    var deadlines: [MonotonicInstant] = []
    if case .leaving(_, let until) = phase { deadlines.append(until) }
    if let grantingPausedUntil { deadlines.append(grantingPausedUntil) }
    if let nextLook {
      // Ticks must come often enough for a long gap between two events to mean that this process did not run.
      deadlines.append(min(nextLook, now.advanced(bySeconds: configuration.leaseSeconds / 4)))
    }
    return deadlines.min()
  }

  /// What has to happen because of one event, in this order.
  package mutating func handle(_ event: SchedulerEvent, at time: MonotonicInstant) -> [SchedulerDirective] {
    guard !isFinished else { return [] }
    noticeSuspension(until: time)
    now = max(now, time)
    switch event {
    case .message(let peer, let message): receive(message, from: peer)
    case .undecodable(let peer, let error): refuse(peer, error)
    case .tick: look()
    case .stored(let point): stored(point)
    case .storeFailed(let point, let reason): storeFailed(point, reason)
    case .resultRefused(let point, let reason): resultRefused(point, reason)
    case .grantFailed(let lease, let reason): grantFailed(lease, reason)
    case .unreachable(let peer): unreachable(peer)
    case .processEnded(let boot, let description): processEnded(boot, description)
    case .addSweep(_, let added): add(added)
    case .setSweep, .setPriority, .retry, .verify, .drainWorkers, .checkpointKept, .checkpointFailed: break
    case .drain(let reason): drain(reason)
    case .shutdown(let reason): shutdown(reason)
    }
    grantWaiting()
    advancePhase()
    defer { directives.removeAll(keepingCapacity: true) }
    return directives
  }

  private mutating func receive(_ message: WorkerMessage, from peer: PeerID) {
    if case .hello(let hello) = message {
      self.hello(
        hello.identity, from: peer, protocolVersion: hello.protocolVersion, semanticsVersion: hello.semanticsVersion,
        holding: hello.holding)
      return
    }
    guard let number = numberOfPeer[peer] else {
      // A worker that said goodbye does not need another conversation.
      if message != .goodbye { emit(.send(to: peer, .sayHello)) }
      return
    }
    workers[number]?.lastHeard = now
    switch message {
    case .hello: break
    case .ready: ready(number)
    case .progress(let lease, let progress, let rate): renew(lease, by: number, progress, epochsPerSecond: rate)
    case .finished(let lease, let point, let result, let seconds):
      finished(lease, point, result, seconds: seconds, by: number)
    case .failed(let lease, let point, let kind, let reason):
      givenUp(lease, point, by: number, as: kind, reason: reason)
    case .handedBack(let lease, let point, let epoch):
      givenUp(lease, point, by: number, as: .preempted, reason: "handed back at epoch \(epoch)")
    case .offer, .chunk, .chunkGone, .fetch: break
    case .goodbye: goodbye(number)
    }
  }

  /// New points behind all others. An open attempt of a pending point is awaited for the grace period.
  private mutating func add(_ known: [KnownPoint]) {
    points.reserve(known.count)
    for point in known {
      guard let position = points.append(point) else { continue }
      var open = point.openAttempts.sorted { $0.lease < $1.lease }
      if point.state == .pending, let newest = open.popLast() {
        holdBack(position, for: newest)
      }
      for attempt in open { emit(.endAttempt(attempt.lease, leftBehind(point.state))) }
    }
  }

  /// How an attempt ends that an earlier coordinator left open although something newer is known.
  private func leftBehind(_ state: KnownPoint.State) -> AttemptEnd {
    state == .finished
      ? .superseded(by: nil)
      : .failed(.lost, reason: "the coordinator ended before this attempt did", charged: false)
  }

  mutating func emit(_ directive: SchedulerDirective) { directives.append(directive) }

  mutating func log(_ level: LogLevel, _ message: String) { emit(.log(level, message)) }
}
