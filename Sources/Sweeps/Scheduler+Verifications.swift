// Finished points that are run once more, from the start and without any checkpoint, to compare the results.
//
// They go behind every pending point. The point stays finished whatever becomes of them: failures end the attempt and
// are never charged, and after a few the verification is given up.

import Grokking

struct VerificationQueue: Hashable, Sendable {
  /// Positions that wait for a worker, in order.
  private(set) var queue: [Int] = []
  /// Those that wait or run; only ever asked about one.
  private var wanted: Set<Int> = []
  private var failures: [Int: Int] = [:]

  var isEmpty: Bool { wanted.isEmpty }
  /// Those that wait or run.
  var count: Int { wanted.count }

  func contains(_ position: Int) -> Bool { wanted.contains(position) }

  mutating func add(_ position: Int) {
    if wanted.insert(position).inserted { queue.append(position) }
  }

  /// A worker has it. It is near the front of the queue.
  mutating func begin(_ position: Int) {
    if let place = queue.firstIndex(of: position) { queue.remove(at: place) }
  }

  mutating func putBack(_ position: Int) { queue.insert(position, at: 0) }

  /// Done or given up.
  mutating func remove(_ position: Int) {
    wanted.remove(position)
    failures[position] = nil
  }

  /// Counts one more failure and returns how many there were.
  mutating func fail(_ position: Int) -> Int {
    failures[position, default: 0] += 1
    return failures[position, default: 0]
  }
}

extension Scheduler {
  mutating func verify(_ ids: [PointID]) {
    for id in ids {
      if let position = points.position(of: id), case .finished = points[position].state { verifications.add(position) }
    }
  }

  mutating func finishVerification(_ attempt: Attempt, _ result: RunResult, by number: Int64) {
    let id = points[attempt.position].id
    verifications.remove(attempt.position)
    if let old = attempt.worker, workers[old]?.lease == attempt.lease { workers[old]?.lease = nil }
    emit(.finishVerification(point: id, lease: attempt.lease, result, worker: number))
    if let host = attempt.host { clear(host) }
    close(attempt.lease, nil)
    send(.receipt(lease: attempt.lease, point: id), to: number)
  }

  mutating func endVerification(
    _ attempt: Attempt, as kind: AttemptClass, reason: String, counts: Bool, epoch: Int?
  ) {
    let id = points[attempt.position].id
    close(attempt.lease, .failed(kind, reason: reason, charged: false, epoch: epoch))
    let count = counts ? verifications.fail(attempt.position) : 0
    guard count >= configuration.chargedAttemptsLimit else {
      log(.info, "verifying point \(id.short), \(attempt.lease): \(kind.rawValue): \(reason)")
      verifications.putBack(attempt.position)
      return
    }
    verifications.remove(attempt.position)
    let words = "\(count) attempts failed; the last: \(kind.rawValue): \(reason)"
    emit(.failVerification(id, reason: words))
    log(.error, "point \(id.short) could not be verified: \(words)")
  }
}
