// What a coordinator has counted since it started, for whoever measures it: totals that only grow, and how long its rounds and
// commits took. A pure value.

import Grokking

/// How often something took how long.
package struct DurationCounts: Hashable, Sendable {
  /// Upper bounds in seconds, ascending.
  package static let bounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

  /// How many took no longer than the bound at the same place, and longer than the one before.
  package private(set) var counts = [Int](repeating: 0, count: bounds.count)
  package private(set) var total = 0
  package private(set) var seconds = 0.0

  package init() {}

  package mutating func add(seconds: Double) {
    total += 1
    self.seconds += max(0, seconds)
    if let place = Self.bounds.firstIndex(where: { seconds <= $0 }) { counts[place] += 1 }
  }
}

package struct CoordinatorCounts: Sendable {
  /// Results that were stored, the first of each point.
  package private(set) var results = 0
  /// Attempts that ended, by how: `finished`, or an `AttemptClass` or another end's name; in the order of their first.
  package private(set) var attempts: [(kind: String, count: Int)] = []
  /// As far as they were seen: between the first and the last thing that was heard of each attempt.
  package private(set) var epochs = 0
  package var rounds = DurationCounts()
  package var commits = DurationCounts()
  private var lastEpochs: [LeaseID: Int] = [:]

  package init() {}

  package mutating func ended(_ lease: LeaseID, _ kind: String, epoch: Int? = nil) {
    if let epoch { reached(epoch, lease) }
    lastEpochs[lease] = nil
    if let place = attempts.firstIndex(where: { $0.kind == kind }) {
      attempts[place].count += 1
    } else {
      attempts.append((kind: kind, count: 1))
    }
  }

  package mutating func stored() { results += 1 }

  /// A run may have gone on from a checkpoint, so the first epoch that is heard of is where counting begins.
  package mutating func reached(_ epoch: Int, _ lease: LeaseID) {
    if let last = lastEpochs[lease] { epochs += max(0, epoch - last) }
    lastEpochs[lease] = max(epoch, lastEpochs[lease] ?? 0)
  }
}
