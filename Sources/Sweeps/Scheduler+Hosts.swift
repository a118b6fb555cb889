// Machines: when they were heard, how fast they are, and when it is they that fail and not the points.
//
// A machine that fails point after point is barred: nobody from there is taken for a while. After that it is on trial,
// with one attempt at a time: a finished one makes it a machine like any other, a failed one bars it for twice as long.
// So nobody has to start a coordinator again because of it, and a sweep that has only this machine goes on. The failure
// of a trial is charged to its point, since nobody can tell any more which of the two is to blame, and points that fail
// everywhere must end.

import Grokking

/// A machine that workers came from.
struct HostRecord: Hashable, Sendable {
  /// An attempt that failed here and was charged to its point.
  struct Failure: Hashable, Sendable {
    var lease: LeaseID
    var position: Int
  }

  struct Bar: Hashable, Sendable {
    /// Why nobody from here is taken, in words.
    var reason: String
    /// After this moment, one attempt at a time is tried here.
    var until: MonotonicInstant
    /// Bars in a row, this one included: none of its trials went well.
    var count: Int
  }

  let name: String
  /// Of any of its workers.
  var lastHeard: MonotonicInstant
  /// Since a point was last finished here, in order.
  var failures: [Failure] = []
  /// From the first point that failed too many to the next that is finished here.
  var bar: Bar?
  /// Seconds that points took here for each that was estimated; nil before the first result.
  var pace: Double?

  /// Points that failed here since one was finished.
  var failedPoints: Int { Set(failures.map(\.position)).count }

  /// Nobody from here is taken.
  func isBarred(at now: MonotonicInstant) -> Bool { bar.map { now < $0.until } ?? false }

  /// Was barred, and is given one attempt at a time until one goes well.
  func isOnTrial(at now: MonotonicInstant) -> Bool { bar.map { now >= $0.until } ?? false }
}

extension Scheduler {
  /// A newer result counts this much in what is known of a host's speed.
  private static let paceWeight = 0.3

  /// Machines without a worker or an attempt that are remembered: those heard last. Of the others, their pace and the row
  /// of their failures are forgotten.
  private static let idleHosts = 1000

  /// The host's place; a new one was heard now.
  mutating func host(named name: String) -> Int {
    if let place = placeOfHost[name] { return place }
    if placeOfHost.count >= 2 * Self.idleHosts { forgetIdleHosts() }
    let record = HostRecord(name: name, lastHeard: now)
    if let place = freeHosts.popLast() {
      hosts[place] = record
      placeOfHost[name] = place
    } else {
      placeOfHost[name] = hosts.count
      hosts.append(record)
    }
    return placeOfHost[name]!
  }

  /// Preemptible machines come under ever new names. Where a point was finished stays noted by its place: at worst a
  /// verification takes the next machine of that place for the same one, and waits for another.
  private mutating func forgetIdleHosts() {
    var isKept = hosts.map { $0.isBarred(at: now) }
    for place in freeHosts { isKept[place] = true }
    for number in workerNumbers.elements { if let worker = workers[number] { isKept[worker.host] = true } }
    for lease in leases.elements { if let host = attempts[lease]?.host { isKept[host] = true } }
    let idle = hosts.indices.filter { !isKept[$0] }
      .sorted { (hosts[$1].lastHeard, $0) < (hosts[$0].lastHeard, $1) }
    for place in idle.dropFirst(Self.idleHosts) {
      placeOfHost[hosts[place].name] = nil
      hosts[place] = HostRecord(name: "", lastHeard: now)
      freeHosts.append(place)
    }
  }

  /// Something came from this worker.
  mutating func hear(_ number: Int64) {
    guard let worker = workers[number] else { return }
    hear(host: worker.host)
    let gap = now.seconds(since: worker.lastHeard)
    workers[number]?.lastHeard = now
    workers[number]?.silentSince = now
    workers[number]?.wasCutOff = false
    guard gap > configuration.leaseSeconds / 2, let lease = worker.lease, let attempt = attempts[lease],
      attempt.phase == .running
    else { return }
    // Its progress could not be heard either: the first word after a silence is not yet the proof of a stall.
    let chance = now.advanced(bySeconds: configuration.leaseSeconds / 2)
    attempts[lease]?.deadline = max(attempt.deadline, chance)
    lookAgain(at: chance)
  }

  /// Something came from this host. When all of it was silent for long, its other workers get the chance to speak too,
  /// and if one does not, nobody can say whether its point had a part in that.
  mutating func hear(host: Int) {
    if now.seconds(since: hosts[host].lastHeard) > configuration.leaseSeconds / 2 {
      for number in workerNumbers.elements where workers[number]?.host == host {
        workers[number]?.wasCutOff = true
        workers[number]?.silentSince = now
      }
    }
    hosts[host].lastHeard = now
  }

  /// Whether a silent worker's host goes on without it, so that its point may have to do with its end.
  func isAloneInSilence(_ worker: ConnectedWorker) -> Bool {
    !worker.wasCutOff && hosts[worker.host].lastHeard > worker.lastHeard
  }

  /// Counts a failed attempt against its host. True when the host is barred for it. The attempts of the row are refunded
  /// then, this one included; that of a trial is not.
  mutating func blameHost(of attempt: Attempt, _ kind: AttemptClass, reason: String) -> Bool {
    guard let host = attempt.host, [.crashed, .stalled, .engineError].contains(kind), !hosts[host].isBarred(at: now)
    else { return false }
    hosts[host].failures.append(HostRecord.Failure(lease: attempt.lease, position: attempt.position))
    let name = hosts[host].name
    if hosts[host].bar != nil {
      bar(host, "\(name) was sent home before, and what it was tried with failed too: \(kind.rawValue): \(reason)")
      return true
    }
    let count = hosts[host].failedPoints
    guard count >= configuration.hostFailureLimit else { return false }
    let row = hosts[host].failures.map(\.lease)
    let words =
      "\(count) points in a row failed on \(name) and none was finished there, so it is the machine or its "
      + "build, not the points; the last: \(kind.rawValue): \(reason)"
    emit(.refund(row, reason: words))
    for failure in hosts[host].failures { points.refund(failure.position) }
    bar(host, words)
    log(.info, "\(row.count) attempts on \(name) are not held against their points")
    return true
  }

  /// Each bar in a row lasts twice as long as the one before, up to a limit.
  private mutating func bar(_ host: Int, _ reason: String) {
    let count = (hosts[host].bar?.count ?? 0) + 1
    let seconds = min(configuration.longestBarSeconds, configuration.barSeconds * Double(1 << min(count - 1, 30)))
    hosts[host].bar = HostRecord.Bar(reason: reason, until: now.advanced(bySeconds: seconds), count: count)
    log(
      .error,
      "\(reason). Its workers are sent home for \(InWords.seconds(seconds)); after that it gets one point to show that "
        + "it is well. `groksweep admit \(hosts[host].name)` takes it back at once")
  }

  /// What a worker of a barred host is told; nil when it is not barred.
  func reasonToBar(_ host: Int) -> String? {
    guard let bar = hosts[host].bar, now < bar.until else { return nil }
    return "\(bar.reason). Nobody from there is taken for another \(InWords.seconds(bar.until.seconds(since: now)))"
  }

  /// Sends everyone of a barred host home.
  mutating func sendHome(host: Int) {
    guard let reason = reasonToBar(host) else { return }
    for number in workerNumbers.elements {
      guard let worker = workers[number], worker.host == host else { continue }
      send(.barred(reason: reason), to: number)
      if let lease = worker.lease, let attempt = attempts[lease], attempt.phase != .delivering {
        end(lease, as: .preempted, reason: "\(hosts[host].name) was sent home")
      }
      forget(number)
    }
  }

  /// Somebody has seen to the machine: nothing is held against it any more.
  mutating func admitHost(_ name: String) {
    guard let host = placeOfHost[name], hosts[host].bar != nil else { return }
    hosts[host].bar = nil
    hosts[host].failures = []
    log(.info, "\(name) is taken like any other machine again, as an operator wants")
  }

  /// Something was finished here.
  mutating func clear(_ host: Int) {
    hosts[host].failures = []
    guard hosts[host].isOnTrial(at: now) else { return }
    hosts[host].bar = nil
    log(.info, "\(hosts[host].name) has finished what it was tried with, and is taken like any other machine again")
  }

  /// Whether a host on trial has its one attempt already.
  func isBeingTried(_ host: Int) -> Bool {
    hosts[host].isOnTrial(at: now) && leases.elements.contains { attempts[$0]?.host == host }
  }

  /// A result that a worker brought under its lease: the host is well, and this is how fast.
  mutating func creditHost(of attempt: Attempt) {
    guard let host = attempt.host else { return }
    clear(host)
    points.setFinished(attempt.position, byHost: host)
    // Runs that went on from a checkpoint say nothing: nobody knows here how long their beginnings took.
    guard attempt.startEpoch == 0, let seconds = attempt.seconds, seconds.isFinite, seconds > 0 else { return }
    learn([seconds / points[attempt.position].experiment.estimatedCoreSeconds], on: host)
  }

  /// - Parameter known: seconds that points took on this host for each that was estimated, the oldest first.
  mutating func learn(_ known: [Double], on host: Int) {
    for ratio in known {
      hosts[host].pace = hosts[host].pace.map { $0 + Self.paceWeight * (ratio - $0) } ?? ratio
      pace = pace.map { $0 + Self.paceWeight * (ratio - $0) } ?? ratio
      ratios.add(ratio)
    }
  }

  private func pace(of host: Int) -> Double { hosts[host].pace ?? pace ?? 1 }

  /// Seconds that a point will take on a host, from its kept checkpoint or, where that may not be used, from the start.
  func estimatedSeconds(_ position: Int, on host: Int, fromCheckpoint: Bool) -> Double {
    let experiment = points[position].experiment
    let saved = fromCheckpoint ? Double(shelf.kept[position]?.epoch ?? 0) : 0
    let left = experiment.estimatedCoreSeconds - saved * experiment.estimatedCoreSecondsOfEpoch
    return max(0, left) * pace(of: host)
  }

  /// How long a point's work may stand still while its worker talks: 50 times its slowest step, and at least a lease.
  func stallSeconds(_ position: Int, on host: Int?) -> Double {
    let experiment = points[position].experiment
    let slowest = max(experiment.estimatedMultiplyAdds, experiment.estimatedMultiplyAddsOfEvaluation)
    let step = slowest / CostModel.multiplyAddsPerSecond * max(1, host.map(pace(of:)) ?? 1)
    return max(configuration.leaseSeconds, 50 * step)
  }
}
