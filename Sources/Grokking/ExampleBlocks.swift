// The order in which examples are worked through, cut into blocks that fit the second-level cache.
//
// Examples are sorted by tiles of 24 × 24 tokens, so a block meets few table rows and each of them several times. The
// order decides the order of every sum over examples and with it the bits of a run; where blocks end does not.

import Kernels

/// Examples of one set in working order.
final class ExampleBlocks {
  /// One block's examples and who of them shares a token.
  struct Block {
    let range: Range<Int>
    let byFirst: TokenRuns
    let bySecond: TokenRuns
  }

  /// Tokens per tile side; part of the engine's semantics.
  static let tile = 24

  let count: Int
  let blocks: [Block]
  private let first: UnsafeMutableBufferPointer<Int32>
  private let second: UnsafeMutableBufferPointer<Int32>
  private let labels: UnsafeMutableBufferPointer<Int32>

  /// - Parameters:
  ///   - pairs: a·p+b each.
  ///   - labels: of all p² pairs.
  ///   - tiled: whether to sort by tiles; the given order otherwise.
  init(pairs: [Int], modulus p: Int, labels: [Int32], blockSize: Int, tiled: Bool = true) {
    let order = tiled ? ExampleBlocks.tiled(pairs, modulus: p) : pairs
    count = order.count
    first = .allocate(capacity: order.count)
    second = .allocate(capacity: order.count)
    self.labels = .allocate(capacity: order.count)
    for (index, pair) in order.enumerated() {
      first[index] = Int32(pair / p)
      second[index] = Int32(pair % p)
      self.labels[index] = labels[pair]
    }
    var blocks: [Block] = []
    for start in stride(from: 0, to: order.count, by: blockSize) {
      let range = start..<min(start + blockSize, order.count)
      blocks.append(
        Block(range: range, byFirst: TokenRuns(tokens: first[range]), bySecond: TokenRuns(tokens: second[range])))
    }
    self.blocks = blocks
  }

  /// `pairs` in the order in which they are worked through.
  static func tiled(_ pairs: [Int], modulus p: Int) -> [Int] {
    pairs.sorted { left, right in
      let (a, b, c, d) = (left / p, left % p, right / p, right % p)
      return (a / tile, b / tile, a, b) < (c / tile, d / tile, c, d)
    }
  }

  deinit {
    first.deallocate()
    second.deallocate()
    labels.deallocate()
  }

  func tokens(_ block: Block) -> TokenPairs {
    TokenPairs(
      first: UnsafeBufferPointer(rebasing: first[block.range]),
      second: UnsafeBufferPointer(rebasing: second[block.range]))
  }

  func labels(_ block: Block) -> UnsafeBufferPointer<Int32> { UnsafeBufferPointer(rebasing: labels[block.range]) }
}
