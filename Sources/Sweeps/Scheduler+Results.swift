// Results: accepted once, compared afterwards, answered only when they are durable.

import Grokking

extension Scheduler {
  /// A worker that brings the result of the point that it held is ready for the next: what it gets is written together
  /// with the result, in one transaction.
  mutating func finished(_ lease: LeaseID, _ id: PointID, _ result: RunResult, seconds: Double, by number: Int64) {
    var result = result
    // A worker may have kept it for a coordinator that wanted them.
    if !configuration.keepsWeights { result.finalWeights = nil }
    let heldIt = held(lease, by: number) != nil
    accept(lease, id, result, seconds: seconds, by: number)
    if heldIt, workers[number]?.lease == nil { ready(number) }
  }

  private mutating func accept(
    _ lease: LeaseID, _ id: PointID, _ result: RunResult, seconds: Double, by number: Int64
  ) {
    guard let position = points.position(of: id) else {
      // Another store's result. The worker keeps it on disk for the coordinator that asked for it.
      logThinly(
        .warning, kind: "unwanted",
        "a result came for point \(id.short), which no sweep of this store has; its worker keeps it")
      send(.unwanted(lease: lease, point: id), to: number)
      return
    }
    // Whatever becomes of the result, this worker trains no more under the lease; unless the lease is another store's
    // of the same number, whose result was left on the worker's disk.
    if workers[number]?.lease == lease, attempts[lease]?.position == position { workers[number]?.lease = nil }
    if let attempt = attempts[lease], attempt.isVerification, attempt.position == position {
      finishVerification(attempt, result, by: number)
      return
    }
    switch points[position].state {
    case .pending: beginStoring(position, lease, result, seconds: seconds, by: number, holder: nil)
    case .leased(let holder):
      beginStoring(position, lease, result, seconds: seconds, by: number, holder: holder)
    case .storing: break  // Said again meanwhile; the answer follows the commit.
    case .finished(lease): send(.receipt(lease: lease, point: id), to: number)
    case .finished:
      emit(.compare(point: id, lease: lease, result, worker: number))
      send(.receipt(lease: lease, point: id), to: number)
    case .failed:
      log(.info, "a result came for the quarantined point \(id.short); it counts")
      beginStoring(position, lease, result, seconds: seconds, by: number, holder: nil)
    }
  }

  private mutating func beginStoring(
    _ position: Int, _ lease: LeaseID, _ result: RunResult, seconds: Double, by number: Int64, holder: LeaseID?
  ) {
    if holder == lease {
      // The bringer need not be the holder: a result on disk outlives its process.
      if let old = attempts[lease]?.worker, workers[old]?.lease == lease { workers[old]?.lease = nil }
      attempts[lease]?.phase = .delivering
      attempts[lease]?.worker = number
      attempts[lease]?.seconds = seconds
    }
    noteEnd(position, result)
    points.set(position, to: .storing(lease: lease, worker: number, holder: holder))
    emit(.store(point: points[position].id, lease: lease, result, seconds: seconds, worker: number))
  }

  mutating func stored(_ id: PointID) {
    guard let position = points.position(of: id),
      case .storing(let lease, let number, let holder) = points[position].state
    else { return }
    if grantingPausedUntil != nil { log(.info, "the store works again") }
    grantingPausedUntil = nil
    points.set(position, to: .finished(lease))
    silentLosses[position] = nil
    send(.receipt(lease: lease, point: id), to: number)
    if holder == lease {
      if let attempt = attempts[lease] { creditHost(of: attempt) }
      close(lease, .finished)
    } else if let holder, let rival = attempts[holder] {
      close(holder, .superseded(by: lease))
      if let worker = rival.worker { send(.revoked(lease: holder), to: worker) }
    }
    leaveShelf(position)
  }

  /// No receipt: the worker keeps the result and sends it again.
  mutating func storeFailed(_ id: PointID, _ reason: String) {
    guard let position = points.position(of: id), case .storing(let lease, _, let holder) = points[position].state
    else { return }
    pauseGranting("cannot store a result: \(reason)")
    guard let holder else {
      points.set(position, to: points[position].isQuarantined ? .failed : .pending)
      return
    }
    points.set(position, to: .leased(holder))
    guard holder == lease else { return }
    attempts[lease]?.phase = .undelivered
    attempts[lease]?.deadline = now.advanced(bySeconds: configuration.leaseSeconds)
    lookAgain(at: now.advanced(bySeconds: configuration.leaseSeconds))
  }

  /// This result will never be stored: the worker may forget it, and the attempt counts as failed.
  mutating func resultRefused(_ id: PointID, _ reason: String) {
    guard let position = points.position(of: id),
      case .storing(let lease, let number, let holder) = points[position].state
    else { return }
    let peer = workers[number]?.peer
    log(.error, "the store refused the result of point \(id.short) from \(lease): \(reason)")
    points.set(position, to: holder.map { .leased($0) } ?? (points[position].isQuarantined ? .failed : .pending))
    if holder == lease { end(lease, as: .engineError, reason: "its result was refused: \(reason)") }
    // Also to one that was sent home for it.
    if let peer { emit(.send(to: peer, .receipt(lease: lease, point: id))) }
  }
}
