// The values of a swept key as places along an axis of a figure: each value by itself while they are few, and bins of equal
// width, or of equal ratio, when samples have drawn a value of its own for every setting.

import Figures
import Foundation
import Sweeps

struct AxisLevels: Hashable {
  /// `train_fraction`; of a zip with the names of its other keys: `d_model (with d_mlp)`.
  let title: String
  /// By level, ascending; names in the order of the settings.
  let labels: [String]
  /// By level, its number, or the middle of its bin; nil for names.
  let numbers: [Double]?
  /// By setting.
  let ofSetting: [Int]
  let isBinned: Bool

  var count: Int { labels.count }

  /// - Parameter limit: of values that are levels by themselves.
  init(_ key: SweptKey, limit: Int) {
    let others = key.alongside.compactMap { $0.split(separator: ".").last.map(String.init) }
    title = others.isEmpty ? key.name : "\(key.name) (with \(others.joined(separator: ", ")))"
    let found = key.values.map(\.number)
    let sorted = found.compactMap { $0 }.sorted()
    guard sorted.count == key.values.count, let low = sorted.first, let high = sorted.last else {
      var (names, places): ([String], [String: Int]) = ([], [:])
      ofSetting = key.values.map { value in
        if let place = places[value.label] { return place }
        places[value.label] = names.count
        names.append(value.label)
        return names.count - 1
      }
      (labels, numbers, isBinned) = (names, nil, false)
      return
    }
    var distinct: [Double] = []
    for number in sorted where number != distinct.last { distinct.append(number) }
    if distinct.count <= limit {
      labels = distinct.map { SweptKey.Value.number($0).label }
      numbers = distinct
      let places = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
      ofSetting = found.map { value in value.flatMap { places[$0] } ?? 0 }
      isBinned = false
      return
    }
    let bins = AxisLevels.bins
    let isByRatio = AxisLevels.isByRatio(low, high)
    func place(_ share: Double) -> Double {
      isByRatio ? low * pow(high / low, share) : low + (high - low) * share
    }
    let ends = (0...bins).map { place(Double($0) / Double(bins)) }
    labels = (0..<bins).map { "\(AxisLevels.short(ends[$0]))–\(AxisLevels.short(ends[$0 + 1]))" }
    numbers = (0..<bins).map { place((Double($0) + 0.5) / Double(bins)) }
    ofSetting = found.map { value in (ends.dropFirst().firstIndex { (value ?? low) < $0 } ?? bins) - 1 }
    isBinned = true
  }

  /// Values of samples are put together in so many bins.
  private static let bins = 6

  /// Whether numbers are rather compared by their ratios: positive, and at least a factor of eight apart.
  static func isByRatio(_ low: Double, _ high: Double) -> Bool { low > 0 && high / low >= 8 }

  /// Two significant digits, as bins need no more.
  private static func short(_ value: Double) -> String { NumberText.value(Double(String(format: "%.2g", value))) }

  /// `weight_decay 0.3`.
  func words(_ level: Int) -> String { "\(title) \(labels[level])" }
}
