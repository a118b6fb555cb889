// The coordinator's mind: who gets which point, and when an attempt is over.
//
// A point is pending, leased to one worker, on its way into the store, or terminal. By the coordinator's own monotonic
// clock, a lease ends in two ways: nothing was heard of its worker for `leaseSeconds` (lost), or its worker talks and
// its work has not grown for much longer than the slowest step of such a point takes (stalled). The point then goes
// back to the front of its sweep, and after a few attempts that count against it, it is quarantined with its reason
// instead of taking down ever more workers. A loss counts only when it says something about the point: a whole host
// gone silent is a matter of links and power. And when a host fails one point after the other, it is the host that is
// sent home for a while, and its attempts are refunded.
//
// Results are accepted from whoever brings one, also after the lease ended: training is deterministic, so the first
// result is as good as any, and later ones are only compared. A receipt is sent after the commit, never before.
// Every message may come twice, late, or not at all, and every answer may be lost: whatever is said again is answered
// again and changes nothing.
//
// The scheduler refuses to do anything itself: no clock, socket, store or chance. It is a value; `handle` turns one
// event into directives, which a shell carries out in order. Nothing here walks over a Set or a Dictionary, so the
// same events give the same directives. What a restart forgets: the rows of failures of hosts, what they need for
// their points, silent losses, and checkpoints that were on their way.

import Grokking

package struct Scheduler: Hashable, Sendable {
  /// What the scheduler is about, from serving to done.
  enum Phase: Hashable, Sendable {
    case serving
    case draining
    /// Everyone was told to leave; done when they are gone, or at `until`.
    case leaving(SchedulerEnding, until: MonotonicInstant)
    case finished
  }

  /// Workers that an earlier coordinator left behind have this long to come back and be sent home, when there is nothing to
  /// do for them: they say hello every few seconds. Otherwise they would wait for a coordinator for ever.
  private static let returnSeconds = 15.0

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
  /// Of processes that are here, are expected back, or hold an attempt. The store remembers all others, and whoever hands
  /// over a hello of one that is not `known` looks there first: else this would grow for as long as processes come.
  var numberOfBoot: [String: Int64]
  var nextWorker: Int64
  /// Numbers of workers that wait for a point, longest waiting first; checked against `ConnectedWorker.isWaiting`.
  var waiting: [Int64] = []
  /// The keys that the same processes came with, where they are known.
  var keyOfBoot: [String: String]

  /// Processes of an earlier coordinator that did not come back yet; only ever asked about one.
  var missed: Set<String>
  /// Likewise, in order, and those that did come back too; empty when nobody waits for them any more.
  private var present: [String]
  /// Nobody waits for them after this moment.
  let missedUntil: MonotonicInstant

  /// Machines that workers come from; places of those that were forgotten are given anew.
  var hosts: [HostRecord] = []
  var freeHosts: [Int] = []
  var placeOfHost: [String: Int] = [:]
  /// Seconds that points took for each that was estimated, over all hosts; nil before the first result.
  var pace: Double?
  /// Of all results that this coordinator took, for the range of what is left.
  var ratios = PaceStatistics()

  /// Ends in the silence of a whole host, by position; only points that had any.
  var silentLosses: [Int: Int] = [:]
  var verifications = VerificationQueue()
  var shelf = CheckpointShelf()

  /// Set while the store cannot take results: nothing is granted before this moment.
  var grantingPausedUntil: MonotonicInstant?
  /// No lease and no worker's patience ends before this moment (a lower bound, made exact by the next look).
  var nextLook: MonotonicInstant?

  var thinner = LogThinner()

  /// What `handle` is about to return.
  var directives: [SchedulerDirective] = []

  package init(_ configuration: SchedulerConfiguration, start: SchedulerStart, at now: MonotonicInstant) {
    self.configuration = configuration
    self.now = now
    nextLease = start.nextLease.number
    nextWorker = start.nextWorker
    numberOfBoot = start.workers
    keyOfBoot = start.keys
    missed = Set(start.present)
    present = start.present
    missedUntil = now.advanced(bySeconds: min(Self.returnSeconds, configuration.graceSeconds))
    for known in start.paces { learn(known.ratios, on: host(named: known.host)) }
    for sweep in start.sweeps { _ = points.register(sweep) }
    add(start)
    loadShelf(start.checkpoints)
  }

  package var isFinished: Bool { phase == .finished }

  /// The moment of the next `.tick`; nil when only another event can change anything.
  package var nextDeadline: MonotonicInstant? {
    if isFinished { return nil }
    if !directives.isEmpty { return now }
    var deadlines: [MonotonicInstant] = []
    if case .leaving(let ending, let until) = phase { deadlines.append(misses(ending) ? missedUntil : until) }
    if let grantingPausedUntil { deadlines.append(grantingPausedUntil) }
    if let due = shelfDeadline { deadlines.append(due) }
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
    case .workerKnown(let record): know(record.boot, number: record.number, key: record.key)
    case .undecodable(let peer, let error): refuse(peer, error)
    case .tick: look()
    case .stored(let point): stored(point)
    case .storeFailed(let point, let reason): storeFailed(point, reason)
    case .resultRefused(let point, let reason): resultRefused(point, reason)
    case .grantFailed(let lease, let reason): grantFailed(lease, reason)
    case .unreachable(let peer): unreachable(peer)
    case .peerRefused(let peer, let reason): peerRefused(peer, reason)
    case .processEnded(let boot, let description): processEnded(boot, description)
    case .addSweep(let sweep, let added, let checkpoints):
      add(sweep, added)
      loadShelf(checkpoints)
    case .withdraw(let name, let points): withdraw(points, from: name)
    case .setSweep(let name, let state): setSweep(name, state)
    case .setPriority(let name, let priority): setPriority(name, priority)
    case .retry(let points): retry(points)
    case .verify(let points): verify(points)
    case .drainWorkers(let selection): drainWorkers(selection)
    case .admitHost(let name): admitHost(name)
    case .checkpointKept(let point, let contents): checkpointKept(point, contents)
    case .checkpointFailed(let point, let reason): checkpointFailed(point, reason)
    case .checkpointLost(let point, let epoch, let reason): checkpointLost(point, epoch: epoch, reason)
    case .drain(let reason): drain(reason)
    case .shutdown(let reason): shutdown(reason)
    }
    grantWaiting()
    moveCheckpoints()
    forgetMissed()
    advancePhase()
    defer { directives.removeAll(keepingCapacity: true) }
    return directives
  }

  /// Those that did not come back are gone: the next coordinator need not wait for them either.
  private mutating func forgetMissed() {
    guard now >= missedUntil, !present.isEmpty else { return }
    let gone = present
    present = []
    missed = []
    for boot in gone { release(boot) }
  }

  private mutating func receive(_ message: WorkerMessage, from peer: PeerID) {
    if case .hello(let hello) = message {
      self.hello(hello, from: peer)
      return
    }
    guard let number = numberOfPeer[peer] else {
      // A worker that said goodbye does not need another conversation.
      if message != .goodbye { emit(.send(to: peer, .sayHello)) }
      return
    }
    hear(number)
    switch message {
    case .hello: break
    case .ready: ready(number)
    case .progress(let lease, let progress, let rate): renew(lease, by: number, progress, epochsPerSecond: rate)
    case .finished(let lease, let point, let result, let seconds):
      finished(lease, point, result, seconds: seconds, by: number)
    case .failed(let lease, let point, let kind, let reason):
      givenUp(lease, point, by: number, as: kind, reason: reason)
    case .handedBack(let lease, let point, let epoch):
      givenUp(lease, point, by: number, as: .preempted, reason: "handed back at epoch \(epoch)", epoch: epoch)
    case .offer(let lease, let point, let contents): offered(lease, point, contents, by: number)
    case .chunk(let lease, let point, let chunk): arrived(lease, point, chunk, by: number)
    case .chunkGone(let lease, let point, let epoch): gone(lease, point, epoch: epoch, by: number)
    case .fetch(let lease, let point, let request): wanted(lease, point, request, by: number)
    case .unreadable(let lease, let point, let epoch): unreadable(lease, point, epoch: epoch, by: number)
    case .goodbye: goodbye(number)
    }
  }

  mutating func emit(_ directive: SchedulerDirective) { directives.append(directive) }

  mutating func log(_ level: LogLevel, _ message: String) { emit(.log(level, message)) }
}
