// The points of a sweep, block by block, as a collection that makes each when it is asked for.

import Grokking

/// The points of a sweep in their order, all different. Making one hashes its experiment, so whoever goes over them
/// repeatedly keeps an array.
package struct SweepPoints: RandomAccessCollection, Sendable {
  let blocks: [SweepBlock]
  /// The position behind each block's last point.
  private let ends: [Int]
  /// Of several blocks: the keys that settings name at every point, so that points of two blocks have the same setting
  /// when they differ in seeds only. nil for one block, whose settings name what is swept there.
  private let settingKeys: [ExperimentKey]?

  init(blocks: [SweepBlock]) {
    self.blocks = blocks
    var ends: [Int] = []
    for block in blocks { ends.append((ends.last ?? 0) + block.count) }
    self.ends = ends
    settingKeys = blocks.count > 1 ? Self.differingKeys(blocks) : nil
  }

  package var startIndex: Int { 0 }
  package var endIndex: Int { ends.last ?? 0 }

  package subscript(position: Int) -> Point {
    let (experiment, setting) = described(at: position)
    return Point(experiment: experiment, setting: setting)
  }

  /// What the point at `position` consists of, without its id, which costs more than both.
  package func described(at position: Int) -> (experiment: Experiment, setting: String) {
    let (block, candidate) = place(of: position)
    guard let (experiment, setting) = blocks[block].described(candidate: candidate) else {
      preconditionFailure("candidate \(candidate) of block \(block) is no point")
    }
    guard let settingKeys else { return (experiment, setting) }
    return (
      experiment, settingKeys.map { "\($0.shortName)=\($0.value(experiment)?.label ?? "")" }.joined(separator: " ")
    )
  }

  /// Paths of the swept keys, in the order in which the blocks name them.
  var axes: [String] {
    var paths: [String] = []
    for key in blocks.flatMap({ $0.axes.flatMap(\.keys) }) where !paths.contains(key.path) { paths.append(key.path) }
    return paths
  }

  private func place(of position: Int) -> (block: Int, candidate: Int) {
    precondition(indices.contains(position), "point \(position) of a sweep of \(count)")
    // The first block that ends behind the position.
    var (block, high) = (0, ends.count - 1)
    while block < high {
      let middle = (block + high) / 2
      if ends[middle] <= position { block = middle + 1 } else { high = middle }
    }
    let start = block == 0 ? 0 : ends[block - 1]
    return (block, blocks[block].candidate(at: position - start))
  }

  /// Swept keys of any block, then those that are fixed at different values; no seeds.
  private static func differingKeys(_ blocks: [SweepBlock]) -> [ExperimentKey] {
    var keys: [ExperimentKey] = []
    for key in blocks.flatMap({ $0.axes.flatMap(\.keys) })
    where !key.isSeed && !keys.contains(where: { $0.path == key.path }) {
      keys.append(key)
    }
    for key in ExperimentKey.all where !key.isSeed && !keys.contains(where: { $0.path == key.path }) {
      func value(_ block: SweepBlock) -> SettingValue? {
        key.kind == .vocabulary ? block.vocabulary : key.value(block.base)
      }
      if blocks.contains(where: { value($0) != value(blocks[0]) }) { keys.append(key) }
    }
    return keys
  }
}
