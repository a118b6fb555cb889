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
  /// The keys in which `settings` differ, seeds aside: first those of `paths`, in that order. A key that moves with an earlier
  /// one is named alongside it.
  package static func all(of settings: [Experiment], first paths: [String]) -> [SweptKey] {
    guard let first = settings.first else { return [] }
    let named = paths.flatMap { $0.split(separator: ",").map(String.init) }.compactMap(ExperimentKey.key)
    let candidates = (named + ExperimentKey.all.filter { key in !named.contains { $0.path == key.path } })
      .filter { key in !key.isSeed && varies(key, in: settings, first) }
    var kept: [(key: ExperimentKey, values: [Value], groups: [Int], alongside: [String])] = []
    for key in candidates {
      let values = settings.map { Value(key.value($0)) }
      let groups = groups(of: values)
      if let place = kept.firstIndex(where: { $0.groups == groups && moveTogether($0.values, values, groups) }) {
        kept[place].alongside.append(key.path)
      } else {
        kept.append((key, values, groups, []))
      }
    }
    return kept.map { SweptKey(path: $0.key.path, values: $0.values, alongside: $0.alongside) }
  }

  /// Of ten thousand settings most keys have one value, which whole groups of them tell at once.
  private static func varies(_ key: ExperimentKey, in settings: [Experiment], _ first: Experiment) -> Bool {
    let isSame: (Experiment) -> Bool =
      switch key.group {
      case "task": { $0.task == first.task }
      case "model": { $0.model == first.model }
      case "training": { $0.training == first.training }
      case "measure": { $0.measure == first.measure }
      case "stop": { $0.stop == first.stop }
      default: { _ in false }
      }
    let value = key.value(first)
    return settings.contains { !isSame($0) && key.value($0) != value }
  }

  /// Whether keys that tell apart the same settings do so because they belong together. Two sampled keys tell all settings
  /// apart as well, but they do not rise and fall together.
  private static func moveTogether(_ first: [Value], _ second: [Value], _ groups: [Int]) -> Bool {
    let (a, b) = (first.compactMap(\.number), second.compactMap(\.number))
    guard Set(groups).count == groups.count, a.count == groups.count, b.count == groups.count else { return true }
    let ranks = groups.indices.sorted { a[$0] < a[$1] }.map { b[$0] }
    let steps = zip(ranks, ranks.dropFirst())
    return steps.allSatisfy { $0 <= $1 } || steps.allSatisfy { $0 >= $1 }
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
