// Conditions as they are written: a mapping of keys to what their values are to be, all of which must hold.
//
//   {training.weight_decay: 1}                       a value
//   {task.operation: [add, subtract]}                one of several
//   {task.train_fraction: {above: 0.3, at_most: 0.5}}
//   {model.d_mlp: {below: model.d_model}}            another key of the same point
//   {any: [{…}, {…}]}, {all: […]}, {not: {…}}
//
// It is YAML, not a language of its own: every part has its line, and nothing has to be quoted
// (docs/decisions/0018-conditions.md).

extension SweepCondition {
  private static let comparisons = ["above", "below", "at_least", "at_most", "divides", "not"]
  private static let combinations = ["all", "any", "not"]

  /// - Parameter name: what it belongs to, for sentences: `when of axis training.beta1`.
  static func read(_ node: YAMLTree, name: String) throws(SweepFileProblem) -> SweepCondition {
    let example = "such as {training.weight_decay: {above: 1}}"
    guard case .mapping(let pairs) = node.content, !pairs.isEmpty else {
      let several = if case .list = node.content { "; for several write {any: […]} or {all: […]}" } else { "" }
      throw SweepFileProblem(node.place, "\(name) is a mapping of keys to values, \(example)\(several)")
    }
    var parts: [SweepCondition] = []
    for pair in pairs {
      let word = pair.key.text ?? ""
      if combinations.contains(word) {
        parts.append(try combination(word, pair, name: name))
        continue
      }
      guard let key = ExperimentKey.key(word) else {
        let hint =
          SweepText.nearest(to: word, among: combinations).map { "; did you mean \($0)?" }
          ?? SweepDraft.hint(forPath: word)
        throw SweepFileProblem(pair.key.place, "unknown key \(SweepText.quoted(word)) in \(name)\(hint)")
      }
      parts.append(try test(key, pair.value, name: name))
    }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private static func combination(
    _ word: String, _ pair: YAMLTree.Pair, name: String
  ) throws(SweepFileProblem) -> SweepCondition {
    if word == "not" { return .not(try read(pair.value, name: "not in \(name)")) }
    guard case .list(let items) = pair.value.content, !items.isEmpty else {
      throw SweepFileProblem(
        pair.key.place, "\(word) in \(name) takes a list of conditions, such as [{seed: 0}, {seed: 1}]")
    }
    var parts: [SweepCondition] = []
    for item in items { parts.append(try read(item, name: "\(word) in \(name)")) }
    return word == "all" ? .all(parts) : .any(parts)
  }

  private static func test(
    _ key: ExperimentKey, _ node: YAMLTree, name: String
  ) throws(SweepFileProblem) -> SweepCondition {
    guard case .mapping(let pairs) = node.content else {
      return .test(key, .oneOf(try operands(node, of: key, name: name)))
    }
    let place = node.place
    if pairs.isEmpty {
      throw SweepFileProblem(
        place, "\(key.path) in \(name) is compared with nothing; write a value, a list, or {above: …}")
    }
    var parts: [SweepCondition] = []
    var (low, high): (Bound?, Bound?)
    for pair in pairs {
      let word = pair.key.text ?? ""
      guard comparisons.contains(word) else {
        let hint = SweepText.nearest(to: word, among: comparisons).map { "did you mean \($0)?" }
        throw SweepFileProblem(
          pair.key.place,
          "unknown comparison \(SweepText.quoted(word)) of \(key.path) in \(name); "
            + (hint ?? "it takes \(SweepText.alternatives(comparisons))"))
      }
      if word == "not" {
        parts.append(.not(.test(key, .oneOf(try operands(pair.value, of: key, name: name)))))
        continue
      }
      guard key.kind.isCountable else {
        throw SweepFileProblem(
          pair.key.place,
          "\(key.path) in \(name) cannot be \(word.replacing("_", with: " ")) anything: it is \(key.kind.expectation); "
            + "write a value or a list")
      }
      let operand = try operand(pair.value, as: .decimal, of: key, name: name)
      let bound = Bound(operand, isStrict: word == "above" || word == "below", word: word)
      switch word {
      case "above": parts.append(.test(key, .above(operand)))
      case "below": parts.append(.test(key, .below(operand)))
      case "at_least": parts.append(.test(key, .atLeast(operand)))
      case "at_most": parts.append(.test(key, .atMost(operand)))
      default: parts.append(.test(key, .divides(operand)))
      }
      if word == "above" || word == "at_least" { low = bound ?? low }
      if word == "below" || word == "at_most" { high = bound ?? high }
    }
    if let low, let high, low.number > high.number || low.number == high.number && (low.isStrict || high.isStrict) {
      throw SweepFileProblem(
        place, "\(key.path) in \(name) can never be \(low.words) and \(high.words); correct one of them")
    }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  /// A number that a value is compared with, to find comparisons that exclude each other.
  private struct Bound {
    let number: Double
    let isStrict: Bool
    let words: String

    init?(_ operand: Operand, isStrict: Bool, word: String) {
      guard case .value(let value) = operand, case .number(let number) = value else { return nil }
      self.number = number
      self.isStrict = isStrict
      words = "\(word.replacing("_", with: " ")) \(value.label)"
    }
  }

  private static func operands(
    _ node: YAMLTree, of key: ExperimentKey, name: String
  ) throws(SweepFileProblem) -> [Operand] {
    guard case .list(let items) = node.content else { return [try operand(node, as: key.kind, of: key, name: name)] }
    if items.isEmpty {
      throw SweepFileProblem(node.place, "\(key.path) in \(name) is one of an empty list; write a value in it")
    }
    var operands: [Operand] = []
    for item in items { operands.append(try operand(item, as: key.kind, of: key, name: name)) }
    return operands
  }

  private static func operand(
    _ node: YAMLTree, as kind: SettingValue.Kind, of key: ExperimentKey, name: String
  ) throws(SweepFileProblem) -> Operand {
    if let text = node.text, let other = ExperimentKey.key(text) {
      let areNumbers = key.kind.isCountable && other.kind.isCountable
      guard areNumbers || key.kind == other.kind else {
        throw SweepFileProblem(
          node.place, "\(key.path) in \(name) cannot be compared with \(other.path), which is \(other.kind.expectation)"
        )
      }
      return .key(other)
    }
    return .value(try SettingValue.read(node, as: kind, name: "\(key.path) in \(name)"))
  }
}
