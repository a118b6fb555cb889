// Which of a million positions are in a set, and which is the first of them.

/// Positions from 0 on, a bit each. Insertion and removal take constant time; `first` looks at one word per 4,096
/// positions, 245 of them for a million.
package struct PositionSet: Hashable, Sendable {
  /// A bit for each position.
  private var words: [UInt64] = []
  /// A bit for each of `words`: whether it has any.
  private var summary: [UInt64] = []
  package private(set) var count = 0

  package init() {}

  package var isEmpty: Bool { count == 0 }

  package mutating func insert(_ position: Int) {
    let word = position >> 6
    while words.count <= word { words.append(0) }
    while summary.count <= word >> 6 { summary.append(0) }
    let bit: UInt64 = 1 << UInt64(position & 63)
    guard words[word] & bit == 0 else { return }
    words[word] |= bit
    summary[word >> 6] |= 1 << UInt64(word & 63)
    count += 1
  }

  package mutating func remove(_ position: Int) {
    let word = position >> 6
    let bit: UInt64 = 1 << UInt64(position & 63)
    guard word < words.count, words[word] & bit != 0 else { return }
    words[word] &= ~bit
    if words[word] == 0 { summary[word >> 6] &= ~(1 << UInt64(word & 63)) }
    count -= 1
  }

  /// The least element that is not below `position`.
  package func first(from position: Int) -> Int? {
    guard !isEmpty else { return nil }
    let word = position >> 6
    guard word < words.count else { return nil }
    let here = words[word] & (~0 << UInt64(position & 63))
    if here != 0 { return word << 6 + here.trailingZeroBitCount }
    let next = word + 1
    var place = next >> 6
    guard place < summary.count else { return nil }
    var filled = summary[place] & (~0 << UInt64(next & 63))
    while filled == 0 {
      place += 1
      guard place < summary.count else { return nil }
      filled = summary[place]
    }
    let found = place << 6 + filled.trailingZeroBitCount
    return found << 6 + words[found].trailingZeroBitCount
  }

  /// Elements below `position`; looks at a word per 64 positions.
  package func count(before position: Int) -> Int {
    let word = position >> 6
    let whole = words.prefix(word).reduce(0) { $0 + $1.nonzeroBitCount }
    guard word < words.count else { return whole }
    return whole + (words[word] & ~(~0 << UInt64(position & 63))).nonzeroBitCount
  }
}
