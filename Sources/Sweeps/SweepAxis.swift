// One axis of a sweep: the values that a key takes, or the rows that several keys take together, or what is drawn.
// Reading refuses what would give no point or the same point twice.

/// What is varied, in the order of the file.
struct SweepAxis: Sendable {
  enum Domain: Sendable {
    case rows(SweepRows)
    case distribution(Distribution)
  }

  /// One; several when they move together (`zip`, lists of points).
  private(set) var keys: [ExperimentKey]
  private(set) var domain: Domain
  /// The axis exists only where this holds; elsewhere its keys keep their fixed values.
  var condition: SweepCondition?
  /// Where the axis begins.
  let place: SweepFilePlace

  static let maximumValues = 1_000_000

  init(keys: [ExperimentKey], domain: Domain, condition: SweepCondition? = nil, place: SweepFilePlace) {
    self.keys = keys
    self.domain = domain
    self.condition = condition
    self.place = place
  }

  /// The only key, or the first.
  var key: ExperimentKey { keys[0] }

  /// For sentences: `axis seed`, `the zip of model.d_model and model.d_mlp`.
  var name: String {
    keys.count == 1
      ? "axis \(key.path)" : "the rows of " + keys.map(\.path).joined(separator: ", ")
  }

  /// Whether it varies nothing but seeds.
  var isSeed: Bool { keys.allSatisfy(\.isSeed) }

  var rows: SweepRows? {
    if case .rows(let rows) = domain { rows } else { nil }
  }

  /// Whether at some points the key keeps its fixed value, which the file may then give.
  func leavesFixed(_ key: ExperimentKey) -> Bool {
    if condition != nil { return true }
    guard let rows, let column = keys.firstIndex(where: { $0.path == key.path }) else { return false }
    return !rows.conditions.isEmpty || rows.columns[column].contains { $0 == nil }
  }

  /// Keys that its existence or its values depend on.
  var conditionKeys: [String] { (condition?.keys ?? []) + (rows?.conditions.flatMap { $0?.keys ?? [] } ?? []) }

  func place(ofRow index: Int) -> SweepFilePlace { rows?.place(ofRow: index) ?? place }

  /// Takes `key` out; nil when nothing is left.
  func without(_ paths: [String]) -> SweepAxis? {
    let left = keys.indices.filter { !paths.contains(keys[$0].path) }
    if left.count == keys.count { return self }
    guard !left.isEmpty, var rows else { return nil }
    rows.columns = left.map { rows.columns[$0] }
    rows.collapseRepeats()
    return SweepAxis(keys: left.map { keys[$0] }, domain: .rows(rows), condition: condition, place: place)
  }
}

/// The rows of an axis.
struct SweepRows: Sendable {
  /// Where rows stand.
  enum Places: Sendable {
    /// Ranges and counts: where the axis does.
    case none
    case listed([SweepFilePlace])
    /// Lines of a file of their own.
    case lines([Int32], file: String)
  }

  /// A column for each key; nil where a row leaves its key at the fixed value.
  var columns: [[SettingValue?]]
  /// The condition of each row, nil for always; empty when no row has one.
  var conditions: [SweepCondition?] = []
  var places = Places.none

  var count: Int { columns[0].count }

  /// Of one column: keeps the first of equal values. Equal rows of several make equal points, which are found later.
  mutating func collapseRepeats() {
    guard columns.count == 1, conditions.isEmpty else { return }
    var seen = Set<SettingValue?>()
    let kept = columns[0].indices.filter { seen.insert(columns[0][$0]).inserted }
    if kept.count == count { return }
    columns[0] = kept.map { columns[0][$0] }
    switch places {
    case .none: break
    case .listed(let all): places = .listed(kept.map { all[$0] })
    case .lines(let all, let file): places = .lines(kept.map { all[$0] }, file: file)
    }
  }

  func place(ofRow index: Int) -> SweepFilePlace? {
    switch places {
    case .none: nil
    case .listed(let places): places[index]
    case .lines(let lines, let file): .included(file: file, line: Int(lines[index]))
    }
  }
}

// Reading an axis over one key.
extension SweepAxis {
  static func read(_ node: YAMLTree, key: ExperimentKey, at place: SweepFilePlace) throws(SweepFileProblem) -> SweepAxis
  {
    let axis: SweepAxis
    switch node.content {
    case .scalar:
      if node.isNull { throw SweepFileProblem(place, "axis \(key.path) is empty; \(shape(of: key))") }
      throw SweepFileProblem(place, "axis \(key.path) is one value; \(shape(of: key)), or fix it outside axes")
    case .list(let items):
      axis = SweepAxis(keys: [key], domain: .rows(try list(items, key: key, at: place)), place: place)
    case .mapping(let pairs):
      axis = try AxisFields(pairs, key: key, place: place).axis()
    }
    try axis.refuseDuplicates()
    return axis
  }

  /// Values as they are, or `{value: 0.1, when: {…}}`.
  static func list(
    _ items: [YAMLTree], key: ExperimentKey, at place: SweepFilePlace
  ) throws(SweepFileProblem) -> SweepRows {
    if items.isEmpty { throw SweepFileProblem(place, "axis \(key.path) is empty; \(shape(of: key))") }
    let name = "a value of axis \(key.path)"
    var values: [SettingValue?] = []
    var conditions: [SweepCondition?] = []
    for item in items {
      var (value, condition): (YAMLTree, YAMLTree?) = (item, nil)
      if case .mapping(let pairs) = item.content, let given = pairs.first(where: { $0.key.text == "value" }) {
        if let other = pairs.first(where: { !["value", "when"].contains($0.key.text) }) {
          throw SweepFileProblem(
            other.key.place, "unknown key \(SweepText.quoted(other.key.text ?? "")) in \(name); it takes value and when"
          )
        }
        value = given.value
        condition = pairs.first { $0.key.text == "when" }?.value
      }
      values.append(try SettingValue.read(value, as: key.kind, name: name))
      if let condition {
        conditions += [SweepCondition?](repeating: nil, count: values.count - 1 - conditions.count)
        conditions.append(try SweepCondition.read(condition, name: "when of axis \(key.path)"))
      }
    }
    if !conditions.isEmpty {
      conditions += [SweepCondition?](repeating: nil, count: values.count - conditions.count)
    }
    return SweepRows(columns: [values], conditions: conditions, places: .listed(items.map(\.place)))
  }

  /// What an axis over `key` may look like.
  static func shape(of key: ExperimentKey) -> String {
    if key.isSeed { return "write a list such as [0, 1], or {count: 5}" }
    return key.kind.isCountable ? "write a list such as [1, 2], or {from: …, to: …, step: …}" : "write a list"
  }

  private func refuseDuplicates() throws(SweepFileProblem) {
    // The same value may stand twice under different conditions.
    guard let rows, rows.conditions.isEmpty else { return }
    var first: [SettingValue: Int] = [:]
    for (index, value) in rows.columns[0].enumerated() {
      guard let value, let earlier = first.updateValue(index, forKey: value) else { continue }
      let (here, there) = (place(ofRow: index), place(ofRow: earlier))
      var lines = ""
      if let a = there.line, let b = here.line, a != b { lines = " (also on line \(a))" }
      throw SweepFileProblem(here, "axis \(key.path) has the value \(value.label) twice\(lines); keep one")
    }
  }
}
