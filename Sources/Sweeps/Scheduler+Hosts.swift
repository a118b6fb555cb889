// Machines: when they were heard, how fast they are, and when it is they that fail and not the points.

import Grokking

/// A machine that workers came from.
struct HostRecord: Hashable, Sendable {
  /// An attempt that failed here and was charged to its point.
  struct Failure: Hashable, Sendable {
    var lease: LeaseID
    var position: Int
  }

  let name: String
  /// Of any of its workers.
  var lastHeard: MonotonicInstant
  /// Since a point was last finished here, in order.
  var failures: [Failure] = []
  /// Why nobody from here is taken, in words.
  var barred: String?
  /// Seconds that points took here for each that was estimated; nil before the first result.
  var pace: Double?

  /// Points that failed here since one was finished.
  var failedPoints: Int { Set(failures.map(\.position)).count }
}

extension Scheduler {
  /// A newer result counts this much in what is known of a host's speed.
  private static let paceWeight = 0.3

  /// The host's place; a new one was heard now.
  mutating func host(named name: String) -> Int {
    if let place = placeOfHost[name] { return place }
    placeOfHost[name] = hosts.count
    hosts.append(HostRecord(name: name, lastHeard: now))
    return hosts.count - 1
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

  /// Counts a failed attempt against its host. True when the host is to be sent home: then the attempts of the row are
  /// refunded already, this one included.
  mutating func blameHost(of attempt: Attempt, _ kind: AttemptClass, reason: String) -> Bool {
    guard let host = attempt.host, [.crashed, .stalled, .engineError].contains(kind), hosts[host].barred == nil else {
      return false
    }
    hosts[host].failures.append(HostRecord.Failure(lease: attempt.lease, position: attempt.position))
    let count = hosts[host].failedPoints
    guard count >= configuration.hostFailureLimit else { return false }
    let row = hosts[host].failures
    let words =
      "\(count) points in a row failed on \(hosts[host].name) and none was finished there, so it is the machine or its "
      + "build, not the points; the last: \(kind.rawValue): \(reason)"
    hosts[host].barred = words
    hosts[host].failures = []
    emit(.refund(row.map(\.lease), reason: words))
    for failure in row { points.refund(failure.position) }
    log(
      .error,
      "\(words). Its workers are sent home until the coordinator is restarted; \(row.count) attempts are not held "
        + "against their points")
    return true
  }

  /// Sends everyone of a barred host home.
  mutating func sendHome(host: Int) {
    guard let reason = hosts[host].barred else { return }
    for number in workerNumbers.elements {
      guard let worker = workers[number], worker.host == host else { continue }
      send(.refused(reason: reason), to: number)
      if let lease = worker.lease, let attempt = attempts[lease], attempt.phase != .delivering {
        end(lease, as: .preempted, reason: "\(hosts[host].name) was sent home")
      }
      forget(number)
    }
  }

  /// A result that a worker brought under its lease: the host is well, and this is how fast.
  mutating func creditHost(of attempt: Attempt) {
    guard let host = attempt.host else { return }
    hosts[host].failures = []
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
