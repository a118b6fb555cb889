// The grid of a sweep, as a collection that makes each point when it is asked for: a million points cost no memory
// until somebody keeps them.
//
// Order: row-major in the file's order of axes, the last axis varying fastest. Seeds written last, as usual, thus give
// all seeds of the first setting, then all of the second. Values keep their order within an axis.

import Grokking

/// The points of a sweep in their order. Making one hashes its experiment, so whoever goes over them repeatedly keeps
/// an array.
package struct SweepPoints: RandomAccessCollection, Sendable {
  let grid: SweepGrid

  package var startIndex: Int { 0 }
  package var endIndex: Int { grid.count }

  package subscript(position: Int) -> Point {
    precondition(indices.contains(position), "point \(position) of a sweep of \(count)")
    return Point(experiment: grid.experiment(at: position), setting: grid.setting(at: position))
  }
}

/// Fixed values and the axes that cross them.
struct SweepGrid: Sendable {
  /// With every fixed value; swept ones hold their preset's.
  let base: Experiment
  /// The fixed `d_vocab_out`, which may follow the modulus.
  let vocabulary: SettingValue
  /// `d_vocab_out` is set last, whether it is swept or not.
  let axes: [SweepAxis]
  /// Points that one step along each axis skips.
  private let strides: [Int]
  let count: Int

  /// nil when the axes cross in more points than `limit`.
  init?(base: Experiment, vocabulary: SettingValue, axes: [SweepAxis], limit: Int = SweepAxis.maximumValues) {
    self.base = base
    self.vocabulary = vocabulary
    self.axes = axes
    var strides: [Int] = []
    var count = 1
    for axis in axes.reversed() {
      strides.append(count)
      let (product, overflow) = count.multipliedReportingOverflow(by: axis.values.count)
      guard !overflow, product <= limit else { return nil }
      count = product
    }
    self.strides = strides.reversed()
    self.count = count
  }

  func valueIndex(ofAxis axis: Int, at position: Int) -> Int { position / strides[axis] % axes[axis].values.count }

  func value(ofAxis axis: Int, at position: Int) -> SettingValue {
    axes[axis].values[valueIndex(ofAxis: axis, at: position)]
  }

  func experiment(at position: Int) -> Experiment {
    var experiment = base
    var vocabulary = vocabulary
    for (index, axis) in axes.enumerated() {
      let value = value(ofAxis: index, at: position)
      if axis.key.kind == .vocabulary { vocabulary = value } else { axis.key.set(value, &experiment) }
    }
    ExperimentKey.setVocabulary(vocabulary, &experiment)
    return experiment
  }

  /// The swept values without seeds: `weight_decay=1 train_fraction=0.3`.
  func setting(at position: Int) -> String {
    var words = ""
    for (index, axis) in axes.enumerated() where !axis.key.isSeed {
      if !words.isEmpty { words += " " }
      words += axis.key.shortName + "=" + value(ofAxis: index, at: position).label
    }
    return words
  }
}
