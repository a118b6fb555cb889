// Warnings that anybody on the net can cause are told the 1st, 2nd, 4th, 8th… time.

package struct LogThinner: Hashable, Sendable {
  /// Kinds that are counted apart; all others are one.
  private static let most = 256
  private var counts: [String: Int] = [:]

  package init() {}

  /// How often this kind has come, this time included; nil when this time is not told.
  package mutating func count(_ kind: String) -> Int? {
    let key = counts[kind] != nil || counts.count < Self.most ? kind : ""
    let count = (counts[key] ?? 0) + 1
    counts[key] = count
    return count.nonzeroBitCount == 1 ? count : nil
  }
}

extension Scheduler {
  /// Tells the 1st, 2nd, 4th, 8th… message of a kind.
  mutating func logThinly(_ level: LogLevel, kind: String, _ message: String) {
    guard let count = thinner.count(kind) else { return }
    log(level, count == 1 ? message : "\(message) (\(count) so far)")
  }
}
