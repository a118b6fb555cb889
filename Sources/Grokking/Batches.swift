// The train set cut into batches, anew for each epoch.

/// Makes the examples of each step of an epoch, in working order.
final class Batches {
  private let order: BatchOrder
  private let modulus: Int
  private let labels: [Int32]
  private let blockSize: Int
  /// Train pairs in working order, each with its place among the pairs in ascending order.
  private let working: [(pair: Int, place: Int)]

  /// - Parameters:
  ///   - pairs: a·p+b each, ascending.
  ///   - labels: of all p² pairs.
  init(_ order: BatchOrder, pairs: [Int], modulus: Int, labels: [Int32], blockSize: Int) {
    self.order = order
    self.modulus = modulus
    self.labels = labels
    self.blockSize = blockSize
    var places = [Int](repeating: 0, count: modulus * modulus)
    for (place, pair) in pairs.enumerated() { places[pair] = place }
    working = ExampleBlocks.tiled(pairs, modulus: modulus).map { ($0, places[$0]) }
  }

  /// One after the other, so that only one of them is held at a time.
  func ofEpoch(_ epoch: Int) -> some Sequence<ExampleBlocks> {
    let batches = order.batches(ofEpoch: epoch)
    var members = [[Int]](repeating: [], count: order.stepsPerEpoch)
    for (pair, place) in working { members[batches[place]].append(pair) }
    return members.lazy.map { [modulus, labels, blockSize] pairs in
      ExampleBlocks(pairs: pairs, modulus: modulus, labels: labels, blockSize: blockSize, tiled: false)
    }
  }
}
