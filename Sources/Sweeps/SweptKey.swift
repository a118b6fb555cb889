// In what the settings of a sweep differ, found by comparing them: grids, samples, zips, lists and searches all end as
// settings, so that whoever draws them need not know how they were made.

import Grokking

/// A key whose value differs between settings, with its value in each of them.
package struct SweptKey: Hashable, Sendable {
  package enum Value: Hashable, Sendable {
    case number(Double)
    /// Names, `true`, `null`.
    case word(String)

    /// As sweep files have it.
    package var label: String {
      switch self {
      case .number(let number): CanonicalJSON.shortest(number)
      case .word(let word): word
      }
    }

    package var number: Double? { if case .number(let number) = self { number } else { nil } }
  }

  /// `training.weight_decay`.
  package let path: String
  /// By setting.
  package let values: [Value]
  /// Paths of keys that change when, and only when, this one does: those of its zip.
  package let alongside: [String]

  /// `weight_decay`.
  package var name: String { path.split(separator: ".").last.map(String.init) ?? path }
}

extension SweptKey {
  /// The keys in which `settings` differ, seeds aside: first those of `paths`, in that order. A key that tells apart the same
  /// settings as an earlier one is named alongside it.
  package static func all(of settings: [Experiment], first paths: [String]) -> [SweptKey] {
    guard let first = settings.first else { return [] }
    let named = paths.flatMap { $0.split(separator: ",").map(String.init) }.compactMap(ExperimentKey.key)
    let candidates = (named + ExperimentKey.all.filter { key in !named.contains { $0.path == key.path } })
      .filter { key in !key.isSeed && settings.contains { key.value($0) != key.value(first) } }
    var kept: [(key: ExperimentKey, values: [Value], groups: [Int], alongside: [String])] = []
    for key in candidates {
      let values = settings.map { Value(key.value($0)) }
      let groups = groups(of: values)
      if let place = kept.firstIndex(where: { $0.groups == groups }) {
        kept[place].alongside.append(key.path)
      } else {
        kept.append((key, values, groups, []))
      }
    }
    return kept.map { SweptKey(path: $0.key.path, values: $0.values, alongside: $0.alongside) }
  }

  /// The number of each value in the order of first appearance: equal for keys that tell the same settings apart.
  private static func groups(of values: [Value]) -> [Int] {
    var numbers: [Value: Int] = [:]
    return values.map { value in
      if let number = numbers[value] { return number }
      numbers[value] = numbers.count
      return numbers.count - 1
    }
  }
}

extension SweptKey.Value {
  init(_ value: SettingValue?) {
    switch value {
    case .number(let number): self = .number(number)
    case let value?: self = .word(value.label)
    case nil: self = .word("")
    }
  }
}
