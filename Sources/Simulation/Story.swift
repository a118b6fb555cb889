// What happened, in words and virtual time, for whoever has to find out why.
//
// Nothing is written down while all is well: a story costs more than the simulation. On a violation the same seed is run
// again with a pen in its hand, and the last lines that touch the point, lease or worker concerned are shown.

import Grokking
import Sweeps

/// What a line of the story is about.
enum StorySubject: Hashable {
  case coordinator
  case everyone
  case point(Int)
  case slot(Int)
  case both(point: Int, slot: Int)

  func touches(_ other: StorySubject) -> Bool {
    if case .everyone = self { return true }
    if let point, point == other.point { return true }
    if let slot, slot == other.slot { return true }
    return self == other
  }

  var point: Int? {
    switch self {
    case .point(let point), .both(let point, _): point
    case .coordinator, .everyone, .slot: nil
    }
  }

  var slot: Int? {
    switch self {
    case .slot(let slot), .both(_, let slot): slot
    case .coordinator, .everyone, .point: nil
    }
  }
}

struct Story {
  private var lines: [(time: Int64, subject: StorySubject, text: String)] = []
  /// Older lines are let go in blocks.
  private static let keptLines = 200_000

  mutating func add(_ time: Int64, _ subject: StorySubject, _ text: String) {
    if lines.count >= 2 * Story.keptLines { lines.removeFirst(Story.keptLines) }
    lines.append((time, subject, text))
  }

  /// The last lines that touch `subject`, oldest first.
  func ending(about subject: StorySubject, lines count: Int) -> [String] {
    lines.suffix(Story.keptLines).filter { $0.subject.touches(subject) }.suffix(count)
      .map { "\(Story.stamp($0.time))  \($0.text)" }
  }

  /// `   12.345 s`
  private static func stamp(_ time: Int64) -> String {
    let thousandths = String(time / 1_000_000 % 1000)
    let text = "\(time / 1_000_000_000)." + String(repeating: "0", count: 3 - thousandths.count) + thousandths + " s"
    return String(repeating: " ", count: max(0, 11 - text.count)) + text
  }
}

extension Simulation {
  /// Costs nothing unless the story is told.
  func tell(_ text: @autoclosure () -> String, _ subject: @autoclosure () -> StorySubject) {
    if tellsStory { story.add(now, subject(), text()) }
  }

  func name(_ slot: Int) -> String {
    "worker \(slot) (process \(workers[slot].process) on \(machines[workers[slot].machine].name))"
  }

  private func subject(_ point: PointID?, _ slot: Int?) -> StorySubject {
    switch (point.flatMap(points.number(of:)), slot) {
    case (let point?, let slot?): .both(point: point, slot: slot)
    case (let point?, nil): .point(point)
    case (nil, let slot?): .slot(slot)
    case (nil, nil): .coordinator
    }
  }

  func subject(of message: WorkerMessage, _ slot: Int?) -> StorySubject {
    switch message {
    case .finished(_, let point, _, _), .failed(_, let point, _, _), .handedBack(_, let point, _),
      .offer(_, let point, _),
      .chunk(_, let point, _), .chunkGone(_, let point, _), .fetch(_, let point, _), .unreadable(_, let point, _):
      subject(point, slot)
    case .progress(let lease, _, _): subject(store.attempt(lease).map { points.ids[$0.point] }, slot)
    case .hello(let hello): subject(hello.holding?.point, slot)
    case .ready, .goodbye: subject(nil, slot)
    }
  }

  func subject(of message: CoordinatorMessage, _ slot: Int?) -> StorySubject {
    switch message {
    case .grant(_, let point, _, _), .receipt(_, let point), .unwanted(_, let point), .pull(_, let point, _),
      .checkpointKept(_, let point, _), .chunk(_, let point, _), .chunkGone(_, let point, _):
      subject(point, slot)
    case .revoked(let lease): subject(store.attempt(lease).map { points.ids[$0.point] }, slot)
    case .welcome, .refused, .barred, .sayHello, .wait, .leave: subject(nil, slot)
    }
  }

  func subject(of write: StoreWrite) -> StorySubject {
    switch write {
    case .worker, .workerLeft, .refund: .coordinator
    case .attempt(let record): subject(record.point, nil)
    case .end(let lease, _): store.attempt(lease).map { .point($0.point) } ?? .coordinator
    case .result(let point, _, _), .failure(let point, _), .verification(let point, _, _),
      .verificationFailure(let point):
      .point(point)
    }
  }

  private func pointName(_ id: PointID) -> String { "point \(points.number(of: id).map(String.init) ?? "?")" }

  func words(_ message: WorkerMessage) -> String {
    switch message {
    case .hello(let hello):
      "hello, boot \(Int(hello.identity.boot, radix: 16) ?? 0)"
        + (hello.holding.map { ", holding \(pointName($0.point)) under \($0.lease)" } ?? "")
        + (hello.predecessor.map { ", its predecessor \(Int($0.boot, radix: 16) ?? 0) \($0.ending)" } ?? "")
    case .ready: "ready"
    case .progress(let lease, let progress, _):
      "progress under \(lease): work \(progress.work) of \(progress.totalWork)"
    case .finished(let lease, let point, _, _): "finished \(pointName(point)) under \(lease)"
    case .failed(let lease, let point, let kind, _): "failed \(pointName(point)) under \(lease): \(kind.rawValue)"
    case .handedBack(let lease, let point, let epoch): "hands \(pointName(point)) back under \(lease) at epoch \(epoch)"
    case .offer(let lease, let point, let contents):
      "offers a checkpoint of \(pointName(point)) at epoch \(contents.epoch) under \(lease)"
    case .chunk(let lease, let point, let chunk):
      "\(chunk.bytes.count) bytes at \(chunk.offset) of \(pointName(point)) at epoch \(chunk.epoch) under \(lease)"
    case .chunkGone(let lease, let point, let epoch):
      "chunk gone of \(pointName(point)) at epoch \(epoch) under \(lease)"
    case .fetch(let lease, let point, let request):
      "fetches \(request.count) bytes at \(request.offset) of \(pointName(point)) at epoch \(request.missing.epoch) under \(lease)"
    case .unreadable(let lease, let point, let epoch):
      "the checkpoint of \(pointName(point)) at epoch \(epoch) under \(lease) is unreadable"
    case .goodbye: "goodbye"
    }
  }

  func words(_ message: CoordinatorMessage) -> String {
    switch message {
    case .welcome(let worker, _, _, _, _, _): "welcome as worker \(worker)"
    case .refused(let reason): "refused: \(reason)"
    case .barred(let reason): "barred: \(reason)"
    case .sayHello: "say hello"
    case .grant(let lease, let point, _, let checkpoint):
      "grant of \(pointName(point)) under \(lease)"
        + (checkpoint.map { " with a checkpoint at epoch \($0.epoch)" } ?? "")
    case .wait: "wait"
    case .receipt(let lease, let point): "receipt for \(pointName(point)) under \(lease)"
    case .revoked(let lease): "\(lease) is revoked"
    case .unwanted(let lease, let point): "\(pointName(point)) under \(lease) is unwanted"
    case .pull(let lease, let point, let request):
      "pulls \(request.count) bytes at \(request.offset) of \(pointName(point)) at epoch \(request.missing.epoch) under \(lease)"
    case .checkpointKept(let lease, let point, let epoch):
      "the checkpoint of \(pointName(point)) at epoch \(epoch) under \(lease) is kept"
    case .chunk(let lease, let point, let chunk):
      "\(chunk.bytes.count) bytes at \(chunk.offset) of \(pointName(point)) at epoch \(chunk.epoch) under \(lease)"
    case .chunkGone(let lease, let point, let epoch):
      "chunk gone of \(pointName(point)) at epoch \(epoch) under \(lease)"
    case .leave: "leave"
    }
  }

  func words(_ write: StoreWrite) -> String {
    switch write {
    case .worker(let record): "worker \(record.number) on \(record.identity.host)"
    case .workerLeft(let number): "worker \(number) having left"
    case .attempt(let record): "\(record.lease) of \(pointName(record.point)) for worker \(record.worker)"
    case .end(let lease, let end):
      "\(lease) ended: \(end.name)\(end.isCharged ? ", charged" : "")" + (end.reason.map { ": \($0)" } ?? "")
    case .result(let point, let lease, _): "the result of point \(point) from \(lease)"
    case .failure(let point, let reason): "point \(point) is quarantined: \(reason)"
    case .verificationFailure(let point): "the verification of point \(point) being given up"
    case .verification(let point, let lease, _): "the verification of point \(point) by \(lease)"
    case .refund(let leases): "refund of \(leases.map(\.description).joined(separator: ", "))"
    }
  }

  /// What the scheduler is told, unless the message was told already when it was said.
  func note(_ event: SchedulerEvent) {
    guard tellsStory else { return }
    switch event {
    case .message(let peer, let message):
      let place = SimulatedNet.peer(peer)
      let slot = place < net.slotOfPeer.count ? net.slotOfPeer[place] : -1
      tell("the coordinator hears of worker \(slot): \(words(message))", subject(of: message, slot))
    case .tick: break
    case .stored(let id), .storeFailed(let id, _), .resultRefused(let id, _), .checkpointFailed(let id, _),
      .checkpointLost(let id, _, _):
      tell("the coordinator hears: \(event)", subject(id, nil))
    case .undecodable, .workerKnown, .grantFailed, .unreachable, .peerRefused, .processEnded, .setSweep, .setPriority,
      .retry,
      .verify,
      .drainWorkers, .admitHost, .drain, .shutdown:
      tell("the coordinator hears: \(event)", .coordinator)
    case .addSweep(let sweep, let added, _):
      tell("the coordinator hears of sweep \(sweep.name) with \(added.count) points", .coordinator)
    case .withdraw(let sweep, let points):
      tell("the coordinator hears that sweep \(sweep) no longer has \(points.count) points", .coordinator)
    case .checkpointKept: break
    }
  }

  func note(_ event: SessionEvent, _ slot: Int) {
    guard tellsStory else { return }
    switch event {
    case .message(let message): tell("\(name(slot)) hears: \(words(message))", subject(of: message, slot))
    case .tick, .progress: break
    case .start: break
    case .unsentResults(let results):
      for result in results { tell("\(name(slot)) finds a result of \(result.lease)", subject(result.point, slot)) }
    case .undecodable, .runFailed, .runStopped, .fetchFailed, .checkpointUnusable, .interrupt:
      tell("\(name(slot)) is told: \(event)", .slot(slot))
    case .runFinished: tell("\(name(slot)) has finished its run", .slot(slot))
    case .checkpointWritten(let contents):
      tell("\(name(slot)) has written a checkpoint at epoch \(contents.epoch)", .slot(slot))
    case .prepared(let missing):
      tell("\(name(slot)) lacks \(missing?.byteCount ?? 0) bytes of the granted checkpoint", .slot(slot))
    }
  }
}
