// What must be true at every moment, whatever goes wrong. The store's own rules (one result a point, leases in order,
// charges within their limit, reasons for giving up) are in SimulatedStore; these are the ones between the machines.

import Grokking
import Sweeps

struct Violation {
  let text: String
  let subject: StorySubject
}

extension Simulation {
  func violate(_ text: String, _ subject: StorySubject) {
    guard violation == nil else { return }
    violation = Violation(text: text, subject: subject)
    tell("VIOLATION: \(text)", subject)
  }

  /// A grant as the scheduler decides it: of an active sweep, with a checkpoint that is there, to a machine that computes
  /// rightly.
  func checkGrant(_ record: AttemptRecord, _ checkpoint: CheckpointContents?) {
    guard let point = points.number(of: record.point) else { return }
    let stored = store.points[point]
    let isComingBack = coordinator.comingBack == record.point
    let isActive = stored.sweeps.contains { place in
      guard coordinator.sweeps.indices.contains(place) else { return false }
      let state = coordinator.sweeps[place].state
      return state == .active || (state == .paused && isComingBack)
    }
    if !isActive, stored.result == nil {
      violate("\(record.lease): point \(point) was granted although none of its sweeps is active", .point(point))
    }
    if let checkpoint, shelf.contents(of: point) != checkpoint {
      violate("\(record.lease) names a checkpoint of point \(point) that the shelf does not have", .point(point))
    }
  }

  /// What goes out must be on disk: the attempt of a grant, and whatever a receipt is for.
  func checkSent(_ message: CoordinatorMessage, _ peer: Int) {
    switch message {
    case .grant(let lease, let id, _, _):
      guard let attempt = store.attempt(lease), points.number(of: id) == attempt.point else {
        violate("\(lease) is granted before it is recorded", .coordinator)
        return
      }
      guard net.processOfPeer.indices.contains(peer) else { return }
      let process = net.processOfPeer[peer]
      if Self.boot(process) != attempt.boot {
        violate("\(lease) was recorded for another process than \(process), to which it is sent", .point(attempt.point))
      }
      let slot = net.slotOfPeer[peer]
      if machines[workers[slot].machine].hasWrongDigest, schedulerConfiguration.selfTestDigest != nil {
        violate("\(lease) is granted to a machine whose self-test failed", .point(attempt.point))
      }
    case .receipt(let lease, let id):
      // With answers before commits the worker's side has to find out, as it would have to in life.
      guard !configuration.answersBeforeCommit, let point = points.number(of: id) else { return }
      if let attempt = store.attempt(lease), attempt.point == point, attempt.end == nil, !store.points[point].isTerminal
      {
        violate("\(lease) is answered before its end is written down", .point(point))
      }
    default: break
    }
  }

  /// A result may be forgotten when its point has one on disk, or when the store will never take it.
  func checkForgotten(_ point: Int, _ lease: LeaseID, _ slot: Int) {
    if store.points[point].result != nil { return }
    if let end = store.attempt(lease)?.end, case .failed(.engineError, _, _, _) = end { return }
    if refusedResults.contains(lease) { return }
    violate(
      "\(name(slot)) forgets its result of point \(point) under \(lease), and no result of that point is on disk",
      .both(point: point, slot: slot))
  }

  /// One run at a time in a slot, one process a lease, and only what was granted.
  func checkStart(_ held: HeldLease, _ point: Int, _ slot: Int) {
    if let run = workers[slot].run {
      violate("\(name(slot)) starts point \(point) while it trains point \(run.point)", .both(point: point, slot: slot))
    }
    guard let attempt = store.attempt(held.lease), attempt.point == point else {
      violate("\(name(slot)) trains point \(point) under \(held.lease), which was never recorded", .point(point))
      return
    }
    if attempt.boot != Self.boot(workers[slot].process) {
      violate("\(name(slot)) trains under \(held.lease), which is another's", .both(point: point, slot: slot))
    }
  }

  /// Terminal, as far as anybody still wants it.
  var isEveryPointTerminal: Bool { store.terminalCount == store.registeredCount }

  /// Nothing is left to do: every wanted point is terminal, every attempt has its end, and no worker has a result that
  /// nobody gave a receipt for; but one of a point that nobody wants may lie where it is when the coordinator has ended.
  var isSettled: Bool {
    store.openCount == 0
      && store.points.allSatisfy { point in
        (point.isTerminal && !point.isToVerify) || !point.sweeps.contains { store.sweeps[$0].state == .active }
      }
      && machines.allSatisfy { $0.folders.allSatisfy { $0.result == nil || isUnwanted($0.point) } }
  }

  /// All its sweeps were cancelled or paused before it came to an end.
  private func isUnwanted(_ number: Int) -> Bool {
    let point = store.points[number]
    return !point.isTerminal && !point.sweeps.contains { store.sweeps[$0].state == .active }
  }

  /// What is not settled, in words.
  var unsettled: (text: String, subject: StorySubject) {
    for (number, point) in store.points.enumerated() {
      let isWanted = point.sweeps.contains { store.sweeps[$0].state == .active }
      if isWanted, !point.isTerminal { return ("point \(number) is not terminal", .point(number)) }
      if isWanted, point.isToVerify { return ("point \(number) is not verified", .point(number)) }
    }
    if let attempt = store.attempts.first(where: { $0.end == nil }) {
      return ("\(attempt.lease) of point \(attempt.point) has no end", .point(attempt.point))
    }
    for machine in machines {
      if let folder = machine.folders.first(where: { $0.result != nil && !isUnwanted($0.point) }) {
        return ("\(machine.name) still has a result of point \(folder.point)", .point(folder.point))
      }
    }
    return ("the coordinator does not end", .coordinator)
  }
}
