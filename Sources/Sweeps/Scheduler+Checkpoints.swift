// Checkpoints that come and go: pulled from those who offer them, sent to those who go on from them.
//
// They only save time, so nothing waits for them and nothing is retried for long: whoever has a newer one offers it.
// All of them together keep to a rate, those that a worker waits for first, and to the room on the disk. Only the holder
// of a running lease can offer and fetch, and only what a run of its point can have written.

import Grokking

extension Scheduler {
  /// At once; others wait.
  private static let transferLimit = 4
  /// Requests without an answer after which a transfer is given up.
  private static let patience = 3

  mutating func loadShelf(_ checkpoints: [KeptCheckpoint]) {
    for checkpoint in checkpoints {
      guard let position = points.position(of: checkpoint.point), !points[position].state.isTerminal,
        checkpoint.contents.problem(for: points[position].experiment) == nil
      else {
        emit(.dropCheckpoint(checkpoint.point))
        continue
      }
      shelf.keep(position, checkpoint.contents, isLent: checkpoint.isLent)
    }
  }

  /// The position of the point that this worker trains under this lease.
  private func trained(_ lease: LeaseID, _ id: PointID, by number: Int64) -> Int? {
    guard let attempt = held(lease, by: number), !attempt.isVerification, points[attempt.position].id == id else {
      return nil
    }
    return attempt.position
  }

  mutating func offered(_ lease: LeaseID, _ id: PointID, _ contents: CheckpointContents, by number: Int64) {
    guard let position = trained(lease, id, by: number) else {
      // Whoever verifies a result does not know it: it needs an answer too.
      if held(lease, by: number) != nil { notTaken(lease, id, contents.epoch, by: number) }
      return
    }
    guard configuration.checkpointSeconds != nil || configuration.keepsCensored else {
      notTaken(lease, id, contents.epoch, by: number)
      return
    }
    if let problem = contents.problem(for: points[position].experiment) {
      logThinly(
        .warning, kind: "offer", "worker \(number) offered what is no checkpoint of point \(id.short): \(problem)")
      notTaken(lease, id, contents.epoch, by: number)
      return
    }
    if attempts[lease]?.offered.map({ contents.epoch > $0 }) ?? true {
      // A worker that leaves trains no more, but there is something new to hand over.
      attempts[lease]?.offered = contents.epoch
      restartStall(lease)
    }
    if let kept = shelf.kept[position], kept.epoch >= contents.epoch {
      send(.checkpointKept(lease: lease, point: id, epoch: contents.epoch), to: number)
      return
    }
    let offer = CheckpointOffer(lease: lease, position: position, worker: number, contents: contents)
    if let place = shelf.transfers.firstIndex(where: { $0.offer.position == position }) {
      let running = shelf.transfers[place]
      if running.offer == offer { return }
      // The one under way is worth finishing, unless its worker has lost the point.
      if running.offer.lease != lease, !running.isCompleting { shelf.transfers.remove(at: place) }
    }
    if let place = shelf.offers.firstIndex(where: { $0.position == position }) {
      shelf.offers[place] = offer
    } else {
      shelf.offers.append(offer)
    }
  }

  /// Answers an offer that comes to nothing: its worker may be waiting for it, in order to leave.
  private mutating func notTaken(_ lease: LeaseID, _ id: PointID, _ epoch: Int, by number: Int64) {
    send(.chunkGone(lease: lease, point: id, epoch: epoch), to: number)
  }

  private mutating func notTaken(_ offer: CheckpointOffer) {
    notTaken(offer.lease, points[offer.position].id, offer.contents.epoch, by: offer.worker)
  }

  private mutating func sayKept(_ offer: CheckpointOffer) {
    let point = points[offer.position].id
    send(.checkpointKept(lease: offer.lease, point: point, epoch: offer.contents.epoch), to: offer.worker)
  }

  mutating func arrived(_ lease: LeaseID, _ id: PointID, _ chunk: CheckpointChunk, by number: Int64) {
    guard let place = transfer(lease, id, by: number) else { return }
    let missing = shelf.transfers[place].pull.missing
    switch shelf.transfers[place].pull.take(chunk) {
    case .ignored: break
    case .refused(let reason): logThinly(.warning, kind: "chunk", "worker \(number) sent \(reason)")
    case .next(let offset):
      shelf.transfers[place].unanswered = 0
      keepChunk(place, missing, offset, chunk.bytes)
    case .last(let offset):
      shelf.transfers[place].isCompleting = true
      keepChunk(place, missing, offset, chunk.bytes)
      emit(.completeCheckpoint(id, shelf.transfers[place].offer.contents))
    }
  }

  private mutating func keepChunk(_ place: Int, _ missing: CheckpointContents, _ offset: Int, _ bytes: [UInt8]) {
    let position = shelf.transfers[place].offer.position
    restartStall(shelf.transfers[place].offer.lease)
    shelf.touched.insert(position)
    emit(.keepChunk(points[position].id, missing: missing, offset: offset, bytes))
  }

  /// Its worker has a newer one by now, or cannot read it.
  mutating func gone(_ lease: LeaseID, _ id: PointID, epoch: Int, by number: Int64) {
    guard let place = transfer(lease, id, by: number), !shelf.transfers[place].isCompleting,
      shelf.transfers[place].pull.missing.epoch == epoch
    else { return }
    notTaken(shelf.transfers.remove(at: place).offer)
  }

  private func transfer(_ lease: LeaseID, _ id: PointID, by number: Int64) -> Int? {
    shelf.transfers.firstIndex { transfer in
      transfer.offer.lease == lease && transfer.offer.worker == number && points[transfer.offer.position].id == id
    }
  }

  mutating func checkpointKept(_ id: PointID, _ contents: CheckpointContents) {
    guard let position = points.position(of: id) else { return }
    let place = shelf.transfers.firstIndex { $0.isCompleting && $0.offer.position == position }
    let transfer = place.map { shelf.transfers.remove(at: $0) }
    guard !points[position].state.isTerminal else {
      emit(.dropCheckpoint(id))
      return
    }
    shelf.keep(position, contents)
    if let offer = transfer?.offer { sayKept(offer) }
  }

  /// What came could not be kept. What was kept before stands; that this is said of no transfer changes nothing: each piece
  /// of one may fail.
  mutating func checkpointFailed(_ id: PointID, _ reason: String) {
    guard let position = points.position(of: id) else { return }
    logThinly(.warning, kind: "checkpoint", "cannot keep a checkpoint of point \(id.short): \(reason)")
    guard let place = shelf.transfers.firstIndex(where: { $0.offer.position == position }) else { return }
    notTaken(shelf.transfers.remove(at: place).offer)
  }

  /// What was kept of the point turned out to be of no use, and is gone.
  mutating func checkpointLost(_ id: PointID, epoch: Int, _ reason: String) {
    guard let position = points.position(of: id), shelf.kept[position]?.epoch == epoch else { return }
    logThinly(
      .warning, kind: "lost checkpoint", "the kept checkpoint of point \(id.short) at epoch \(epoch) is lost: \(reason)"
    )
    loseKept(position)
  }

  /// Who fetched what is kept cannot go on from it. It is removed on this word alone: nobody here can tell, and at worst
  /// some epochs are trained again.
  mutating func unreadable(_ lease: LeaseID, _ id: PointID, epoch: Int, by number: Int64) {
    guard let position = trained(lease, id, by: number), shelf.kept[position]?.epoch == epoch,
      // A newer one is about to take its place, and its files with it.
      !shelf.transfers.contains(where: { $0.isCompleting && $0.offer.position == position })
    else { return }
    logThinly(
      .warning, kind: "unreadable",
      "worker \(number) cannot go on from the kept checkpoint of point \(id.short) at epoch \(epoch); it is removed")
    loseKept(position)
    emit(.dropCheckpoint(id))
  }

  private mutating func loseKept(_ position: Int) {
    shelf.keep(position, nil)
    // Whatever is on its way leaves out what was kept.
    while let place = shelf.transfers.firstIndex(where: { $0.offer.position == position }) {
      notTaken(shelf.transfers.remove(at: place).offer)
    }
  }

  /// The point is about to end with this result: whether what is kept of it is the state in which it ended, and of use to
  /// a longer run.
  mutating func noteEnd(_ position: Int, _ result: RunResult) {
    let isUseful =
      configuration.keepsCensored && result.isCensoredAtItsEnd && points[position].experiment.lineage != nil
      && shelf.kept[position]?.epoch == result.epochs
    if isUseful { shelf.ends.insert(position) } else { shelf.ends.remove(position) }
  }

  /// The point's result is stored.
  mutating func leaveShelf(_ position: Int) {
    guard shelf.ends.remove(position) != nil, shelf.kept[position] != nil,
      let lineage = points[position].experiment.lineage
    else { return dropCheckpoint(position) }
    _ = shelf.forget(position)
    emit(.keepEnd(points[position].id, lineage: lineage))
  }

  /// The point has ended.
  mutating func dropCheckpoint(_ position: Int) {
    if shelf.forget(position) { emit(.dropCheckpoint(points[position].id)) }
  }

  mutating func wanted(_ lease: LeaseID, _ id: PointID, _ request: CheckpointRequest, by number: Int64) {
    guard let position = trained(lease, id, by: number) else {
      send(.revoked(lease: lease), to: number)
      return
    }
    let missing = request.missing
    if let kept = shelf.kept[position], kept.epoch > missing.epoch, let attempt = attempts[lease] {
      // The worker that had the point before was done handing over only after this grant: there is a better one.
      grantAgain(attempt, to: number)
      return
    }
    guard let kept = shelf.kept[position], kept.epoch == missing.epoch,
      missing.problem(for: points[position].experiment) == nil, (0..<missing.byteCount).contains(request.offset),
      (1...CheckpointContents.maximumChunkBytes).contains(request.count)
    else {
      send(.chunkGone(lease: lease, point: id, epoch: missing.epoch), to: number)
      return
    }
    if attempts[lease]?.phase == .awaited { attempts[lease]?.phase = .running }
    if attempts[lease]?.fetched.map({ request.offset > $0 }) ?? true {
      attempts[lease]?.fetched = request.offset
      restartStall(lease)
    }
    let fetch = CheckpointFetch(lease: lease, position: position, worker: number, request: request)
    if let place = shelf.fetches.firstIndex(where: { $0.lease == lease }) {
      shelf.fetches[place] = fetch
    } else {
      shelf.fetches.append(fetch)
    }
  }

  /// Sends and asks for as much as the rate allows. Costs nothing while no checkpoint moves.
  mutating func moveCheckpoints() {
    guard !shelf.isIdle else { return }
    shelf.waitsUntil = nil
    giveUpTransfers()
    while let fetch = shelf.fetches.first {
      if held(fetch.lease, by: fetch.worker) != nil, let peer = workers[fetch.worker]?.peer {
        guard mayMove(fetch.request.count) else { return }
        emit(.sendChunk(to: peer, lease: fetch.lease, point: points[fetch.position].id, fetch.request))
      }
      shelf.fetches.removeFirst()
    }
    beginTransfers()
    for place in shelf.transfers.indices where shelf.transfers[place].pull.isDue(at: now) {
      let transfer = shelf.transfers[place]
      guard mayMove(transfer.pull.nextCount) else { return }
      shelf.transfers[place].unanswered += 1
      let request = shelf.transfers[place].pull.ask(at: now)
      let offer = transfer.offer
      send(.pull(lease: offer.lease, point: points[offer.position].id, request), to: offer.worker)
    }
  }

  private mutating func giveUpTransfers() {
    var place = 0
    while place < shelf.transfers.count {
      let transfer = shelf.transfers[place]
      let isOver =
        workers[transfer.offer.worker] == nil
        || (transfer.unanswered >= Self.patience && transfer.pull.isDue(at: now))
      if isOver, !transfer.isCompleting {
        notTaken(shelf.transfers.remove(at: place).offer)
      } else {
        place += 1
      }
    }
  }

  private mutating func mayMove(_ bytes: Int) -> Bool {
    guard let wait = shelf.bucket.take(bytes, rate: configuration.checkpointBytesPerSecond, at: now) else {
      return true
    }
    shelf.waitsUntil = now.advanced(bySeconds: max(wait, 0.001))
    return false
  }

  private mutating func beginTransfers() {
    var place = 0
    while place < shelf.offers.count, shelf.transfers.count < Self.transferLimit {
      let offer = shelf.offers[place]
      if shelf.transfers.contains(where: { $0.offer.position == offer.position }) {
        place += 1
        continue
      }
      shelf.offers.remove(at: place)
      // A lease may have ended meanwhile: whoever leaves hands its checkpoint over, and then its point.
      guard workers[offer.worker] != nil, !points[offer.position].state.isTerminal else { continue }
      if let kept = shelf.kept[offer.position], kept.epoch >= offer.contents.epoch {
        sayKept(offer)
        continue
      }
      let missing = offer.contents.lacking(shelf.kept[offer.position])
      guard shelf.takenBytes + missing.byteCount <= configuration.checkpointSpaceBytes else {
        if !shelf.isFull {
          log(
            .warning,
            "no room for more checkpoints: \(shelf.takenBytes >> 20) MiB of \(configuration.checkpointSpaceBytes >> 20) "
              + "are taken; points that lose their worker go on from older ones, or start over")
        }
        shelf.isFull = true
        notTaken(offer)
        continue
      }
      shelf.isFull = false
      shelf.transfers.append(CheckpointTransfer(offer: offer, pull: CheckpointPull(missing)))
    }
  }

  /// When a checkpoint can move on by itself.
  var shelfDeadline: MonotonicInstant? {
    let resends = shelf.transfers.compactMap(\.pull.nextDeadline).filter { $0 > now }
    return (resends + [shelf.waitsUntil].compactMap { $0 }).min()
  }
}
