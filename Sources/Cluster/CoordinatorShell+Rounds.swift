// One round: all that has happened is handed to the scheduler, its directives are carried out in order, everything that
// they want written goes to the store in one transaction, and then what they want said is sent, in their order.
//
// What was stored is acknowledged at once; what else came of the writes (refused, put off) are events of the next round,
// and so on until it is quiet.

import Foundation
import Grokking
import Logging
import Results
import Sweeps

/// What a round wants written, and said when that is on disk.
struct CoordinatorRound {
  enum Saying {
    case message(CoordinatorMessage)
    /// Read from the shelf when it is sent, so that a round holds no bytes of checkpoints.
    case chunk(lease: LeaseID, point: PointID, CheckpointRequest)
  }

  struct Held {
    let peer: PeerID
    let saying: Saying
    /// Place of the write without which this must not be said.
    var needs: Int?
  }

  /// In order.
  var writes: [StoreWrite] = []
  var held: [Held] = []

  var isEmpty: Bool { writes.isEmpty && held.isEmpty }

  mutating func clear() {
    writes.removeAll(keepingCapacity: true)
    held.removeAll(keepingCapacity: true)
  }

  var hasGrant: Bool { writes.contains { if case .grant = $0 { true } else { false } } }
}

extension CoordinatorShell {
  /// To be handled with the next round.
  func handle(_ event: SchedulerEvent) { queue.append(event) }

  /// Whether nothing is left to be handled, written or said.
  var isQuiet: Bool { queue.isEmpty && round.isEmpty }

  /// Rounds until nothing more comes of them.
  func settle() {
    while !isQuiet { advance() }
  }

  /// One round.
  func advance() {
    let began = isQuiet ? nil : MonotonicInstant.now
    defer { if let began { counts.rounds.add(seconds: MonotonicInstant.now.seconds(since: began)) } }
    let events = queue
    queue.removeAll(keepingCapacity: true)
    var handled = 0
    for event in events {
      if event.reportsAnEnd, round.hasGrant { break }
      handled += 1
      if let boot = event.greetingBoot, !scheduler.knows(boot), let known = remembered(boot) {
        decide(.workerKnown(known))
      }
      decide(event)
    }
    let answered = commit(round.writes)
    say(round.held, answered)
    round.clear()
    // After what came of the writes.
    queue += events.dropFirst(handled)
    acknowledge()
  }

  /// Receipts for what this round has stored leave together with its grants: in one packet, and a fsync earlier than with
  /// the next round. What the scheduler wants written because of them belongs to that, and all that is said since waits
  /// for it.
  private func acknowledge() {
    var stored = 0
    for event in queue {
      guard case .stored = event else { break }
      stored += 1
      for directive in scheduler.handle(event, at: .now) { perform(directive) }
    }
    queue.removeFirst(stored)
    guard stored > 0, round.writes.isEmpty else { return }
    say(round.held, [])
    round.clear()
  }

  /// - Parameter answered: whether each of the round's writes is in the store.
  private func say(_ held: [CoordinatorRound.Held], _ answered: [Bool]) {
    for item in held {
      if let needed = item.needs, !answered[needed] { continue }
      switch item.saying {
      case .message(let message): if isBacked(message, answered) { send(message, to: item.peer) }
      case .chunk(let lease, let point, let request): send(chunk(lease, point, request), to: item.peer)
      }
    }
  }

  private func decide(_ event: SchedulerEvent) {
    var event = event
    // What comes in may be a longer run than one whose end is kept.
    if case .addSweep(let sweep, let points, _) = event {
      event = .addSweep(sweep, points, checkpoints: lend(to: points))
    }
    for directive in scheduler.handle(event, at: .now) { perform(directive) }
  }

  /// A process that was here before; nil for a new one.
  private func remembered(_ boot: String) -> KnownWorker? {
    for case .worker(let record) in round.writes + owed where record.identity.boot == boot {
      return KnownWorker(boot: boot, number: record.number, key: record.key)
    }
    do {
      return try store.knownWorker(boot: boot)
    } catch {
      warnThinly("cannot look up a worker: \(error)")
      return nil
    }
  }

  /// Whether the store has what this message says is certain. Of what is said again the scheduler does not name the write,
  /// so it is looked up: a grant that was asked for twice in its own round, and the receipt of a failure or of a point
  /// handed back whose end is still owed. Whoever misses the answer asks once more.
  private func isBacked(_ message: CoordinatorMessage, _ answered: [Bool]) -> Bool {
    switch message {
    case .grant(let lease, _, _, _):
      !zip(round.writes, answered).contains { write, isThere in
        if case .grant(let attempt) = write { attempt.lease == lease && !isThere } else { false }
      }
    case .receipt(let lease, _):
      !owed.contains { if case .end(lease, _) = $0 { true } else { false } }
    default: true
    }
  }

  @discardableResult
  private func write(_ write: StoreWrite) -> Int {
    round.writes.append(write)
    return round.writes.count - 1
  }

  private func say(_ message: CoordinatorMessage, to peer: PeerID, needs write: Int? = nil) {
    round.held.append(CoordinatorRound.Held(peer: peer, saying: .message(message), needs: write))
  }

  private func perform(_ directive: SchedulerDirective) {
    switch directive {
    case .send(let peer, let message):
      say(message, to: peer)
    case .recordWorker(let worker):
      if worker.identity.host == WorkerIdentity.hostName {
        boots[worker.identity.processID] = worker.identity.boot
      }
      write(.worker(worker))
    case .workerLeft(let number): write(.workerLeft(number))
    case .grant(let attempt, let peer, let experiment, let checkpoint):
      let granted = write(.grant(attempt))
      say(
        .grant(lease: attempt.lease, point: attempt.point, experiment, checkpoint: checkpoint), to: peer,
        needs: granted)
    // The result's own write ends its attempt: another transaction for that would only cost time.
    case .endAttempt(_, .finished): break
    case .endAttempt(let lease, let end): write(.end(lease, end))
    case .store(let point, let lease, let result, let seconds, let worker):
      write(.result(checked(result, of: point), of: point, lease: lease, seconds: seconds, worker: worker))
    case .compare(let point, _, let result, let worker): write(.comparison(result, with: point, worker: worker))
    case .finishVerification(let point, let lease, let result, let worker):
      write(.verification(checked(result, of: point), of: point, lease: lease, worker: worker))
    case .failVerification(let point, let reason): write(.verificationFailure(point, reason: reason))
    case .recordFailure(let point, let reason): write(.failure(point, reason: reason))
    case .refund(let leases, let reason): for lease in leases { write(.refund(lease, reason: reason)) }
    case .keepChunk(let point, let missing, let offset, let bytes): keep(bytes, of: missing, at: offset, for: point)
    case .completeCheckpoint(let point, let contents): complete(contents, for: point)
    case .dropCheckpoint(let point): shelf.remove(point)
    case .keepEnd(let point, let lineage): keepEnd(of: point, lineage)
    case .sendChunk(let peer, let lease, let point, let request):
      round.held.append(
        CoordinatorRound.Held(peer: peer, saying: .chunk(lease: lease, point: point, request), needs: nil))
    case .log(let level, let text): logger.log(level: Logger.Level(level), "\(text)")
    case .finished(let reason): ending = reason
    }
  }
}
