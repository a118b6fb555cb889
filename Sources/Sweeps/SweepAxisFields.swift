// The mapping forms of an axis: {from, to, step}, {count, from} for seeds, {choice: […]}, a distribution, each with `when`
// where the axis exists only under a condition.

/// An axis over one key that is written as a mapping.
struct AxisFields {
  let key: ExperimentKey
  let place: SweepFilePlace
  private var fields: [String: YAMLTree] = [:]

  init(_ pairs: [YAMLTree.Pair], key: ExperimentKey, place: SweepFilePlace) throws(SweepFileProblem) {
    self.key = key
    self.place = place
    let numbers = key.isSeed ? ["count", "from", "to", "step"] : ["from", "to", "step"]
    for pair in pairs {
      let name = pair.key.text ?? ""
      if (numbers + ["choice", "when"] + Distribution.names).contains(name) {
        fields[name] = pair.value
      } else if name == "count" {
        throw SweepFileProblem(
          pair.key.place,
          "axis \(key.path) cannot be a count, only seeds can; write a list or {from: …, to: …, step: …}")
      } else {
        let known = numbers + ["choice"] + (key.isSeed ? [] : Distribution.names) + ["when"]
        let hint = SweepText.nearest(to: name, among: known).map { "; did you mean \($0)?" }
        throw SweepFileProblem(
          pair.key.place,
          "unknown key \(SweepText.quoted(name)) in axis \(key.path)"
            + (hint ?? "; it takes \(SweepText.alternatives(known))"))
      }
    }
  }

  func axis() throws(SweepFileProblem) -> SweepAxis {
    let condition: SweepCondition? =
      if let when = fields["when"] { try SweepCondition.read(when, name: "when of axis \(key.path)") } else { nil }
    return SweepAxis(keys: [key], domain: try domain(), condition: condition, place: place)
  }

  private func domain() throws(SweepFileProblem) -> SweepAxis.Domain {
    for name in ["choice"] + Distribution.names {
      guard let node = fields[name] else { continue }
      if let other = fields.keys.sorted().first(where: { $0 != name && $0 != "when" }) {
        throw SweepFileProblem(place, "axis \(key.path) is both \(name) and \(other); keep one")
      }
      if name != "choice" { return .distribution(try Distribution.read(name, node, key: key, at: place)) }
      guard case .list(let items) = node.content else {
        throw SweepFileProblem(node.place, "axis \(key.path): choice takes a list, such as {choice: [1, 2]}")
      }
      return .rows(try SweepAxis.list(items, key: key, at: place))
    }
    return .rows(SweepRows(columns: [try numbers().map { .number($0) }]))
  }

  private func numbers() throws(SweepFileProblem) -> [Double] {
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
    return range.values
  }

  private func counted() throws(SweepFileProblem) -> [Double] {
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
    return (0..<Int(count)).map { first + Double($0) }
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
