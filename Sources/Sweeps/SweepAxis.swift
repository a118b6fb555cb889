// One axis of a grid: a list, a range of exact decimals, or a count of seeds, read from its node. It refuses what would
// give no point or the same point twice.

/// The values that one key takes, in the order of the file.
struct SweepAxis: Sendable {
  let key: ExperimentKey
  let values: [SettingValue]
  /// Where the axis begins.
  let place: SweepFilePlace
  /// Where each value of a list stands; empty for ranges and counts.
  let valuePlaces: [SweepFilePlace]

  static let maximumValues = 1_000_000

  func place(ofValue index: Int) -> SweepFilePlace { valuePlaces.isEmpty ? place : valuePlaces[index] }

  static func read(_ node: YAMLTree, key: ExperimentKey, at place: SweepFilePlace) throws(SweepFileProblem) -> SweepAxis
  {
    let axis: SweepAxis
    switch node.content {
    case .scalar:
      if node.isNull { throw SweepFileProblem(place, "axis \(key.path) is empty; \(shape(of: key))") }
      throw SweepFileProblem(place, "axis \(key.path) is one value; \(shape(of: key)), or fix it outside axes")
    case .list(let items):
      if items.isEmpty { throw SweepFileProblem(place, "axis \(key.path) is empty; \(shape(of: key))") }
      var values: [SettingValue] = []
      for item in items {
        values.append(try SettingValue.read(item, as: key.kind, name: "a value of axis \(key.path)"))
      }
      axis = SweepAxis(key: key, values: values, place: place, valuePlaces: items.map(\.place))
    case .mapping(let pairs):
      axis = SweepAxis(
        key: key, values: try AxisFields(pairs, key: key, place: place).values(), place: place, valuePlaces: [])
    }
    try axis.refuseDuplicates()
    return axis
  }

  /// What an axis over `key` may look like.
  private static func shape(of key: ExperimentKey) -> String {
    if key.isSeed { return "write a list such as [0, 1], or {count: 5}" }
    return key.kind.isCountable ? "write a list such as [1, 2], or {from: …, to: …, step: …}" : "write a list"
  }

  private func refuseDuplicates() throws(SweepFileProblem) {
    var first: [SettingValue: Int] = [:]
    for (index, value) in values.enumerated() {
      guard let earlier = first.updateValue(index, forKey: value) else { continue }
      let (here, there) = (place(ofValue: index), place(ofValue: earlier))
      var lines = ""
      if case .line(let a) = there, case .line(let b) = here, a != b { lines = " (also on line \(a))" }
      throw SweepFileProblem(here, "axis \(key.path) has the value \(value.label) twice\(lines); keep one")
    }
  }
}

/// The mapping form of an axis: {from, to, step}, or {count, from} for seeds.
private struct AxisFields {
  let key: ExperimentKey
  let place: SweepFilePlace
  var fields: [String: YAMLTree] = [:]

  init(_ pairs: [YAMLTree.Pair], key: ExperimentKey, place: SweepFilePlace) throws(SweepFileProblem) {
    self.key = key
    self.place = place
    let known = key.isSeed ? ["count", "from", "to", "step"] : ["from", "to", "step"]
    for pair in pairs {
      let name = pair.key.text ?? ""
      if known.contains(name) {
        fields[name] = pair.value
      } else if ["uniform", "log_uniform", "integer", "choice"].contains(name) {
        throw SweepFileProblem(
          pair.key.place,
          "axis \(key.path) is a distribution (\(name)), but this version expands grids only; write a list or "
            + "{from: …, to: …, step: …}")
      } else if name == "count" {
        throw SweepFileProblem(
          pair.key.place,
          "axis \(key.path) cannot be a count, only seeds can; write a list or {from: …, to: …, step: …}")
      } else {
        let hint = SweepText.nearest(to: name, among: known).map { "; did you mean \($0)?" }
        throw SweepFileProblem(
          pair.key.place,
          "unknown key \(SweepText.quoted(name)) in axis \(key.path)"
            + (hint ?? "; it takes \(SweepText.alternatives(known))"))
      }
    }
  }

  func values() throws(SweepFileProblem) -> [SettingValue] {
    if fields["count"] != nil { return try counted() }
    guard key.kind.isCountable else {
      throw SweepFileProblem(
        place, "axis \(key.path) cannot be a range; write a list of values (\(key.kind.expectation))")
    }
    let missing = ["from", "to", "step"].filter { fields[$0] == nil }
    guard let from = fields["from"], let to = fields["to"], let step = fields["step"] else {
      throw SweepFileProblem(
        place, "axis \(key.path) lacks \(missing.joined(separator: " and ")); a range is {from: …, to: …, step: …}")
    }
    let (first, last, width) = (try decimal(from, "from"), try decimal(to, "to"), try decimal(step, "step"))
    guard width.mantissa > 0 else {
      throw SweepFileProblem(
        step.place, "axis \(key.path): step \(step.text ?? "") must be above 0; a range goes up from its first value")
    }
    guard !(last < first) else {
      throw SweepFileProblem(
        place,
        "axis \(key.path): steps of \(step.text ?? "") up from \(from.text ?? "") never reach \(to.text ?? ""); exchange from and to"
      )
    }
    guard let range = ExactDecimal.range(from: first, to: last, step: width) else {
      throw SweepFileProblem(
        place, "axis \(key.path): from, to and step are too far apart for an exact range; write a list")
    }
    try refuseTooMany(range.count)
    return range.values.map { .number($0) }
  }

  private func counted() throws(SweepFileProblem) -> [SettingValue] {
    if let extra = ["to", "step"].first(where: { fields[$0] != nil }) {
      throw SweepFileProblem(
        place,
        "axis \(key.path) has both count and \(extra); write {count: 5}, {count: 5, from: 10} or {from: …, to: …, step: …}"
      )
    }
    let count = try whole("count", default: 0)
    guard count >= 1 else {
      throw SweepFileProblem(fields["count"]?.place ?? place, "axis \(key.path): count must be at least 1")
    }
    try refuseTooMany(Int(count))
    let first = try whole("from", default: 0)
    guard first >= 0, first + count - 1 <= SettingValue.maximumSeed else {
      throw SweepFileProblem(place, "axis \(key.path): a seed is \(key.kind.expectation)")
    }
    return (0..<Int(count)).map { .number(first + Double($0)) }
  }

  private func whole(_ name: String, default missing: Double) throws(SweepFileProblem) -> Double {
    guard let node = fields[name] else { return missing }
    guard case .number(let number) = try SettingValue.read(node, as: .whole, name: "axis \(key.path): \(name)") else {
      return missing
    }
    return number
  }

  private func decimal(_ node: YAMLTree, _ name: String) throws(SweepFileProblem) -> ExactDecimal {
    let kind: SettingValue.Kind = key.kind == .decimal ? .decimal : key.isSeed && name != "step" ? .seed : .whole
    _ = try SettingValue.read(node, as: kind, name: "axis \(key.path): \(name)")
    guard let decimal = ExactDecimal(node.text ?? "") else {
      throw SweepFileProblem(
        node.place,
        "axis \(key.path): \(name) \(SweepText.shown(node.text ?? "")) has too many digits for an exact range")
    }
    return decimal
  }

  private func refuseTooMany(_ count: Int) throws(SweepFileProblem) {
    guard count <= SweepAxis.maximumValues else {
      throw SweepFileProblem(
        place, "axis \(key.path) has \(count) values; a sweep may have at most \(SweepAxis.maximumValues) points")
    }
  }
}
