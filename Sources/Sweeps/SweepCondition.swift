// Conditions on the values of a point, for `when`, `exclude` and `require`: what they mean, and one form for all ways to
// write the same. How they are read is in SweepConditionReader.swift.

import Grokking

/// A statement about an experiment.
indirect enum SweepCondition: Sendable {
  case all([SweepCondition])
  case any([SweepCondition])
  case not(SweepCondition)
  case test(ExperimentKey, Comparison)

  enum Comparison: Sendable {
    case oneOf([Operand])
    case above(Operand)
    case below(Operand)
    case atLeast(Operand)
    case atMost(Operand)
    /// The key's value divides this one.
    case divides(Operand)
  }

  /// A value, or another key's value at the same point.
  enum Operand: Sendable {
    case value(SettingValue)
    case key(ExperimentKey)
  }

  func holds(_ experiment: Experiment) -> Bool {
    switch self {
    case .all(let parts): parts.allSatisfy { $0.holds(experiment) }
    case .any(let parts): parts.contains { $0.holds(experiment) }
    case .not(let part): !part.holds(experiment)
    case .test(let key, let comparison): comparison.holds(key.current(in: experiment), experiment)
    }
  }

  /// Paths of the keys that decide whether it holds.
  var keys: [String] {
    switch self {
    case .all(let parts), .any(let parts): parts.flatMap(\.keys)
    case .not(let part): part.keys
    case .test(let key, let comparison):
      [key.path] + comparison.keys
        // `p` and `p+1` follow the modulus.
        + (key.kind == .vocabulary ? [ExperimentKey.modulus] : [])
    }
  }

  /// The same for all ways to write it: parts sorted, single ones unwrapped, doubled negations gone.
  var json: CanonicalJSON {
    switch self {
    case .all(let parts): Self.joined("all", parts)
    case .any(let parts): Self.joined("any", parts)
    case .not(.not(let part)): part.json
    case .not(let part): .object([.init("not", part.json)])
    case .test(let key, let comparison): .object([.init(key.path, comparison.json)])
    }
  }

  private static func joined(_ word: String, _ parts: [SweepCondition]) -> CanonicalJSON {
    var flat: [CanonicalJSON] = []
    for part in parts.map(\.json) {
      if case .object(let members) = part, members.count == 1, members[0].key == word,
        case .list(let inner) = members[0].value
      {
        flat += inner
      } else {
        flat.append(part)
      }
    }
    let sorted = flat.sortedWithoutRepeats()
    return sorted.count == 1 ? sorted[0] : .object([.init(word, .list(sorted))])
  }
}

extension [CanonicalJSON] {
  /// By their text, each once.
  func sortedWithoutRepeats() -> [CanonicalJSON] {
    var result: [CanonicalJSON] = []
    for item in map({ (text: $0.text, item: $0) }).sorted(by: { $0.text < $1.text }) where result.last != item.item {
      result.append(item.item)
    }
    return result
  }
}

extension SweepCondition.Comparison {
  fileprivate func holds(_ value: SettingValue?, _ experiment: Experiment) -> Bool {
    guard let value else { return false }
    func compare(_ operand: SweepCondition.Operand, _ isRight: (Double, Double) -> Bool) -> Bool {
      guard case .number(let left) = value, case .number(let right)? = operand.current(in: experiment) else {
        return false
      }
      return isRight(left, right)
    }
    switch self {
    case .oneOf(let operands): return operands.contains { $0.current(in: experiment) == value }
    case .above(let bound): return compare(bound, >)
    case .below(let bound): return compare(bound, <)
    case .atLeast(let bound): return compare(bound, >=)
    case .atMost(let bound): return compare(bound, <=)
    case .divides(let whole): return compare(whole) { $0 != 0 && $1.truncatingRemainder(dividingBy: $0) == 0 }
    }
  }

  fileprivate var keys: [String] {
    let operands: [SweepCondition.Operand]
    switch self {
    case .oneOf(let list): operands = list
    case .above(let one), .below(let one), .atLeast(let one), .atMost(let one), .divides(let one): operands = [one]
    }
    return operands.flatMap { operand -> [String] in
      switch operand {
      case .key(let key): [key.path]
      case .value(.modulusPlus): [ExperimentKey.modulus]
      case .value: []
      }
    }
  }

  fileprivate var json: CanonicalJSON {
    switch self {
    case .oneOf(let operands): .list(operands.map(\.json).sortedWithoutRepeats())
    case .above(let bound): .object([.init("above", bound.json)])
    case .below(let bound): .object([.init("below", bound.json)])
    case .atLeast(let bound): .object([.init("at_least", bound.json)])
    case .atMost(let bound): .object([.init("at_most", bound.json)])
    case .divides(let whole): .object([.init("divides", whole.json)])
    }
  }
}

extension SweepCondition.Operand {
  fileprivate func current(in experiment: Experiment) -> SettingValue? {
    switch self {
    case .value(.modulusPlus(let more)): .number(Double(experiment.task.modulus + more))
    case .value(let value): value
    case .key(let key): key.current(in: experiment)
    }
  }

  fileprivate var json: CanonicalJSON {
    switch self {
    case .value(let value): value.json
    case .key(let key): .text(key.path)
    }
  }
}

extension ExperimentKey {
  /// What conditions see: as `value`, and for `seed` the value of both seeds where they are equal.
  func current(in experiment: Experiment) -> SettingValue? {
    if path == "seed" {
      return experiment.modelSeed == experiment.dataSeed ? .number(Double(experiment.modelSeed)) : nil
    }
    return value(experiment)
  }
}

/// One entry of `exclude` or `require`.
struct SweepRule: Sendable {
  /// Points for which this holds are no points of the sweep; of `require` the negation of what it says.
  let excluded: SweepCondition
  /// `exclude` or `require`.
  let word: String
  let place: SweepFilePlace

  init(_ word: String, _ condition: SweepCondition, place: SweepFilePlace) {
    self.word = word
    self.place = place
    excluded = word == "exclude" ? condition : .not(condition)
  }

  /// One entry for each part that excludes by itself: a list of rules and one rule with `any` are the same.
  var json: [CanonicalJSON] {
    switch excluded {
    case .any(let parts): parts.map(\.json)
    case .not(.all(let parts)): parts.map { SweepCondition.not($0).json }
    default: [excluded.json]
    }
  }
}
