// Labels that would lie on each other, moved apart: each as little as may be.

enum Spread {
  /// Moves places until neighbours have room, so that the sum of squared moves is least (isotonic regression, by pooling
  /// neighbours that are out of order).
  ///
  /// - Parameters:
  ///   - places: middles, ascending.
  ///   - distances: what each needs from the one before; the first is not looked at.
  ///   - range: where middles may be.
  /// - Returns: as many places, ascending; nil when the range has no room for them.
  static func apart(_ places: [Double], distances: [Double], within range: ClosedRange<Double>) -> [Double]? {
    var offsets: [Double] = []
    for (index, distance) in distances.enumerated() { offsets.append(index == 0 ? 0 : offsets[index - 1] + distance) }
    let length = offsets.last ?? 0
    guard length <= range.upperBound - range.lowerBound else { return nil }
    // Of labels that touch, where the first would have to be for each of them to be at its own place: their mean.
    var blocks: [(sum: Double, count: Int)] = []
    for (place, offset) in zip(places, offsets) {
      blocks.append((place - offset, 1))
      while blocks.count > 1, let last = blocks.last,
        blocks[blocks.count - 2].sum / Double(blocks[blocks.count - 2].count) > last.sum / Double(last.count)
      {
        blocks.removeLast()
        blocks[blocks.count - 1].sum += last.sum
        blocks[blocks.count - 1].count += last.count
      }
    }
    let starts = blocks.flatMap { [Double](repeating: $0.sum / Double($0.count), count: $0.count) }
    return zip(starts, offsets).map { min(max($0, range.lowerBound), range.upperBound - length) + $1 }
  }

  /// Which of them stand apart without being moved, from the first one on: what is left where there is no room for all.
  static func standing(_ places: [Double], distances: [Double]) -> [Int] {
    var kept: [Int] = []
    for index in places.indices {
      if let last = kept.last, places[index] - places[last] < distances[index] { continue }
      kept.append(index)
    }
    return kept
  }
}
