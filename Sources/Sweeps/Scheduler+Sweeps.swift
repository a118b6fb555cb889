// What people change while the coordinator runs: sweeps that come, pause, end or overtake, and points that get another
// chance.

import Grokking

extension Scheduler {
  /// Everything that the store knows at the start.
  mutating func add(_ start: SchedulerStart) {
    points.reserve(start.points.count)
    let verified = Set(start.verifications)
    var held: [(position: Int, OpenAttempt)] = []
    for point in start.points {
      guard let position = points.append(point, sweeps: [point.sweep] + point.otherSweeps) else { continue }
      guard !point.openAttempts.isEmpty else { continue }
      let isVerification = point.state == .finished && verified.contains(point.id)
      takeOver(point, at: position, isVerification: isVerification) { held.append((position, $0)) }
    }
    for id in start.verifications { verify([id]) }
    for (position, attempt) in held { holdBack(position, for: attempt, isVerification: true) }
  }

  /// A sweep comes in, or comes again. Its new points stand behind all others.
  mutating func add(_ sweep: KnownSweep, _ known: [KnownPoint]) {
    let place = points.register(sweep)
    points.reserve(known.count)
    for point in known {
      if let position = points.position(of: point.id) {
        points.add(position, toSweep: place)
        if points[position].state == .failed, point.state == .pending { reopen(position) }
      } else if let position = points.append(point, sweeps: [place]) {
        takeOver(point, at: position, isVerification: false) { _ in }
      }
    }
    revokeUnwanted()
  }

  /// Attempts that an earlier coordinator left open. The newest one of a point that is still to be trained is awaited
  /// for the grace period, unless nobody wants it; so is that of a verification, which is handed to `verifying`.
  private mutating func takeOver(
    _ point: KnownPoint, at position: Int, isVerification: Bool, verifying: (OpenAttempt) -> Void
  ) {
    var open = point.openAttempts.sorted { $0.lease < $1.lease }
    if isVerification, let newest = open.popLast() {
      verifying(newest)
    } else if point.state == .pending, points.state(ofSweepsOf: position) != .cancelled, let newest = open.popLast() {
      holdBack(position, for: newest, isVerification: false)
    }
    for attempt in open { emit(.endAttempt(attempt.lease, leftBehind(point.state))) }
  }

  /// How an attempt ends that an earlier coordinator left open although something newer is known.
  private func leftBehind(_ state: KnownPoint.State) -> AttemptEnd {
    state == .finished
      ? .superseded(by: nil)
      : .failed(.lost, reason: "the coordinator ended before this attempt did", charged: false)
  }

  mutating func withdraw(_ ids: [PointID], from name: String) {
    guard let place = points.sweeps.place(of: name) else { return }
    var left = 0
    for id in ids {
      guard let position = points.position(of: id) else { continue }
      points.remove(position, fromSweep: place)
      guard points.sweeps.groups[Int(points[position].group)].isEmpty else { continue }
      left += 1
      dropCheckpoint(position)
    }
    log(.info, "sweep \(name) no longer has \(ids.count) points; \(left) of them belong to no other sweep")
    revokeUnwanted()
  }

  mutating func setSweep(_ name: String, _ state: SweepState) {
    guard points.set(sweep: name, to: state) else { return }
    log(.info, "sweep \(name) is \(state.rawValue)")
    revokeUnwanted()
  }

  mutating func setPriority(_ name: String, _ priority: Int) {
    guard points.set(sweep: name, priority: priority) else { return }
    log(.info, "sweep \(name) has priority \(priority)")
  }

  /// Stops what runs for cancelled sweeps only. Results that come all the same are taken.
  private mutating func revokeUnwanted() {
    for lease in leases.elements {
      guard let attempt = attempts[lease], !attempt.isVerification, attempt.phase != .delivering,
        points.state(ofSweepsOf: attempt.position) == .cancelled
      else { continue }
      end(lease, as: .preempted, reason: "cancelled by an operator")
      if let number = attempt.worker { send(.revoked(lease: lease), to: number) }
    }
  }

  mutating func retry(_ ids: [PointID]) {
    for id in ids {
      if let position = points.position(of: id), points[position].state == .failed { reopen(position) }
    }
  }

  private mutating func reopen(_ position: Int) {
    points.reopen(position)
    silentLosses[position] = nil
    log(.info, "point \(points[position].id.short) is tried again")
  }
}
