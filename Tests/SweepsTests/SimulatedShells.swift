// What the simulated cluster does with directives: the shells, the store and the training threads, and the checks.

import Grokking
import Sweeps

extension SimulatedCluster {
  /// False when the coordinator crashed instead, between two directives.
  func perform(_ directive: SchedulerDirective) -> Bool {
    if !isCalm, random.chance(0.002) {
      crashCoordinator()
      return false
    }
    switch directive {
    case .send(let peer, let message): send(message, to: peer)
    case .recordWorker(let record):
      if let other = store.boots[record.number], other != record.identity.boot {
        violations.append("worker number \(record.number) was given twice")
      }
      store.boots[record.number] = record.identity.boot
      store.workers[record.identity.boot] = record.number
    case .grant(let record, let peer, let experiment, let checkpoint):
      if storeFails {
        coordinatorHears(.grantFailed(record.lease, reason: "the disk is full"))
        return true
      }
      if store.attempts[record.lease] != nil { violations.append("\(record.lease) was given twice") }
      let point = number(of: record.point)
      if isTerminal(point) { violations.append("point \(point) was granted although it is terminal") }
      store.attempts[record.lease] = SimulatedStore.Attempt(point: point, boot: store.boots[record.worker] ?? "")
      send(.grant(lease: record.lease, point: record.point, experiment, checkpoint: checkpoint), to: peer)
    case .endAttempt(let lease, let end):
      if store.attempts[lease]?.end == nil { store.attempts[lease]?.end = end }
    case .store(let point, let lease, let result, _, _):
      later(random.unit() * 0.2, .committed(point, lease, result, incarnation: incarnation))
    case .compare(let point, _, let result, _):
      if store.results[number(of: point)] != result { violations.append("a compared result differs, or is not there") }
    case .recordFailure(let point, _):
      if isTerminal(number(of: point)) { violations.append("a terminal point failed") }
      store.failures[number(of: point)] = "quarantined"
    case .finishVerification, .refund, .keepChunk, .completeCheckpoint, .dropCheckpoint, .sendChunk, .log: break
    case .finished(let how): ending = how
    }
    return true
  }

  private func coordinatorHears(_ event: SchedulerEvent) {
    later(0.01, .coordinatorHears(event, incarnation: incarnation))
  }

  private func isTerminal(_ point: Int) -> Bool { store.results[point] != nil || store.failures[point] != nil }

  func number(of id: PointID) -> Int { Int(id.hex.suffix(8), radix: 16) ?? -1 }

  private func send(_ message: CoordinatorMessage, to peer: PeerID) {
    let number = Int(peer.bytes[1]) << 8 | Int(peer.bytes[2])
    guard let slot = slots.firstIndex(where: { $0.peer == number && $0.session != nil }) else {
      if random.chance(0.5) { coordinatorHears(.unreachable(peer)) }
      return
    }
    do throws(WireError) {
      carry(.toWorker(try WireCodec.encode(message), slot: slot, peer: number))
    } catch { violations.append("cannot encode: \(error)") }
  }

  func commit(_ point: PointID, _ lease: LeaseID, _ result: RunResult, _ of: Int) {
    guard of == incarnation, scheduler != nil else { return }  // The crash came before the commit.
    if storeFails {
      coordinatorHears(.storeFailed(point, reason: "the disk is full"))
      return
    }
    let number = number(of: point)
    if store.results[number] != nil { violations.append("point \(number) got a second result") }
    if result != MachineSamples.result(number) { violations.append("point \(number) got a wrong result") }
    store.results[number] = result
    coordinatorHears(.stored(point))
  }

  func perform(_ directive: SessionDirective, _ slot: Int) {
    switch directive {
    case .send(let message):
      do throws(WireError) {
        carry(.toCoordinator(try WireCodec.encode(message), peer: slots[slot].peer))
      } catch { violations.append("cannot encode: \(error)") }
    case .startTraining(let lease, let point, _):
      if slots[slot].run != nil { violations.append("two runs at once in slot \(slot)") }
      slots[slot].run = (HeldLease(lease: lease, point: point), 0, false, !isCalm && random.chance(0.03))
      later(1, .trained(slot: slot, generation: slots[slot].generation))
    case .stopTraining:
      if slots[slot].run == nil { violations.append("asked to stop nothing in slot \(slot)") }
      slots[slot].run?.stopping = true
    case .keepResult(let unsent): slots[slot].disk.append(unsent)
    case .forgetResult(let lease, let point):
      if !isTerminal(number(of: point)) { violations.append("a receipt came before the commit of \(point.short)") }
      slots[slot].disk.removeAll { $0.lease == lease && $0.point == point }
    case .prepare, .keepChunk, .dropFetched, .sendChunk, .log: break
    case .exit:
      slots[slot].session = nil
      slots[slot].run = nil
      slots[slot].generation += 1
      later(5, .startWorker(slot: slot))
    }
  }

  /// One second of training: a run takes twenty.
  func train(_ slot: Int, _ generation: Int) {
    guard slots[slot].generation == generation, let run = slots[slot].run, !run.hangs else { return }
    let point = number(of: run.held.point)
    if run.stopping {
      slots[slot].run = nil
      tell(slot, .runStopped(epoch: run.work))
    } else if point == poison, run.work >= 2 {
      crash(slot)
    } else if run.work < 20 {
      slots[slot].run?.work += 1
      tell(slot, .progress(MachineSamples.progress(work: run.work + 1), epochsPerSecond: 1))
      later(1, .trained(slot: slot, generation: generation))
    } else {
      slots[slot].run = nil
      if !isCalm, random.chance(0.03) {
        tell(slot, .runFailed(.engineError, reason: "simulated"))
      } else {
        tell(slot, .runFinished(MachineSamples.result(point), seconds: 20))
      }
    }
  }

  /// What must be true of the store once the coordinator is done.
  func checkEnd() {
    for point in 0..<pointCount where !isTerminal(point) { violations.append("point \(point) is not terminal") }
    if let poison, store.results[poison] != nil { violations.append("the poison point has a result") }
    var charged = Array(repeating: 0, count: pointCount)
    for (lease, attempt) in store.attempts.sorted(by: { $0.key < $1.key }) {
      if attempt.end == nil { violations.append("\(lease) has no end") }
      if attempt.end?.isCharged == true { charged[attempt.point] += 1 }
    }
    for point in 0..<pointCount {
      if charged[point] > 3 { violations.append("point \(point) was charged \(charged[point]) times") }
      if store.failures[point] != nil, charged[point] < 3 { violations.append("point \(point) failed too early") }
    }
  }
}

/// A binary heap by time, first in first out at equal times.
struct HappeningQueue {
  private var heap: [(time: Int64, order: Int, happening: SimulatedCluster.Happening)] = []
  private var pushed = 0

  mutating func push(_ time: Int64, _ happening: SimulatedCluster.Happening) {
    heap.append((time, pushed, happening))
    pushed += 1
    var child = heap.count - 1
    while child > 0, precedes(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (Int64, SimulatedCluster.Happening)? {
    guard let top = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      var parent = 0
      while true {
        var least = parent
        for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, least) {
          least = child
        }
        if least == parent { break }
        heap.swapAt(parent, least)
        parent = least
      }
    }
    return (top.time, top.happening)
  }

  private func precedes(_ left: Int, _ right: Int) -> Bool {
    (heap[left].time, heap[left].order) < (heap[right].time, heap[right].order)
  }
}
