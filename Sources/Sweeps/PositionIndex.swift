// From a point's id to its position, in 8 to 16 bytes a point: a dictionary would hold every id a second time.

/// Open addressing over positions; whoever asks knows the ids.
struct PositionIndex: Hashable, Sendable {
  private static let empty = Int32(-1)
  /// A power of two of them, at most half filled.
  private var slots: [Int32] = Array(repeating: empty, count: 16)
  private var count = 0
  /// Hashes of all that were inserted, so that growing needs no ids.
  private var hashes: [UInt32] = []

  mutating func reserve(_ count: Int) {
    hashes.reserveCapacity(count)
    if slots.count < 2 * count { grow(to: 2 * count) }
  }

  /// Positions are inserted in ascending order. False when a position of this id is there already.
  mutating func insert(_ position: Int, _ id: PointID, idAt: (Int) -> PointID) -> Bool {
    precondition(position == count && position < Int(Int32.max), "position \(position) after \(count)")
    if slots.count < 2 * (count + 1) { grow(to: 2 * slots.count) }
    let hash = Self.hash(id)
    var slot = Int(hash) & (slots.count - 1)
    while slots[slot] != Self.empty {
      if hashes[Int(slots[slot])] == hash, idAt(Int(slots[slot])) == id { return false }
      slot = (slot + 1) & (slots.count - 1)
    }
    slots[slot] = Int32(position)
    hashes.append(hash)
    count += 1
    return true
  }

  func position(of id: PointID, idAt: (Int) -> PointID) -> Int? {
    let hash = Self.hash(id)
    var slot = Int(hash) & (slots.count - 1)
    while slots[slot] != Self.empty {
      if hashes[Int(slots[slot])] == hash, idAt(Int(slots[slot])) == id { return Int(slots[slot]) }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private static func hash(_ id: PointID) -> UInt32 { UInt32(truncatingIfNeeded: id.spread >> 32) }

  private mutating func grow(to least: Int) {
    var size = slots.count
    while size < least { size *= 2 }
    slots = Array(repeating: Self.empty, count: size)
    for position in 0..<count {
      var slot = Int(hashes[position]) & (size - 1)
      while slots[slot] != Self.empty { slot = (slot + 1) & (size - 1) }
      slots[slot] = Int32(position)
    }
  }
}
