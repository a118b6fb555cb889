// What a sweep file and the command line say, before it is known whether it can be run: name, preset, fixed values and
// axes, each with its place. It collects problems instead of stopping at the first; it knows no experiment.

/// A sweep file as read. `problems` is empty when every key and type was right.
struct SweepDraft {
  struct Fixed {
    let key: ExperimentKey
    let value: SettingValue
    let place: SweepFilePlace
  }

  var name: (text: String, place: SweepFilePlace)?
  var preset = Preset.paper
  /// In the order of reading; each key at most once.
  var fixed: [Fixed] = []
  /// In the order of the file, which is the order of the grid.
  var axes: [SweepAxis] = []
  var problems: [SweepFileProblem] = []
  /// Paths of keys whose value could not be read: nothing more is said about experiments that need them.
  var unreadable: Set<String> = []
  /// Where `axes` stands.
  var axesPlace = SweepFilePlace.file

  static let topLevelKeys =
    ["sweep", "preset", "method"] + ExperimentKey.groups + ExperimentKey.all.filter(\.isSeed).map(\.path) + ["axes"]

  mutating func report(_ place: SweepFilePlace, _ message: String) {
    problems.append(SweepFileProblem(place, message))
  }

  /// Runs `read`; a problem is kept, and `path` remembered as unreadable.
  mutating func attempt<T>(_ path: String? = nil, _ read: () throws(SweepFileProblem) -> T) -> T? {
    do {
      return try read()
    } catch {
      problems.append(error)
      if let path { unreadable.insert(path) }
      return nil
    }
  }

  mutating func read(_ root: YAMLTree) {
    guard case .mapping(let pairs) = root.content else {
      report(
        root.place, "a sweep file is a mapping of keys such as sweep, preset, training and axes, not \(Self.noun(root))"
      )
      return
    }
    for pair in pairs {
      guard let name = word(pair.key) else { continue }
      if ExperimentKey.groups.contains(name) {
        readGroup(name, pair)
      } else if name == "axes" {
        readAxes(pair)
      } else {
        readTopLevel(name, pair.value, at: pair.key.place)
      }
    }
  }

  mutating func readTopLevel(_ name: String, _ value: YAMLTree, at place: SweepFilePlace) {
    switch name {
    case "sweep":
      if let text = textValue(value, of: name, at: place, "a name") { self.name = (text, place) }
    case "preset":
      guard let text = textValue(value, of: name, at: place, "a name") else { return }
      if let found = Preset.all.first(where: { $0.name == text }) {
        preset = found
      } else {
        let names = Preset.all.map(\.name)
        let hint = SweepText.nearest(to: text, among: names).map { "did you mean \($0)?" }
        report(
          place, "unknown preset \(SweepText.quoted(text)); \(hint ?? "there are " + names.joined(separator: ", "))")
      }
    case "method":
      guard let text = textValue(value, of: name, at: place, "grid"), text != "grid" else { return }
      if ["random", "sobol"].contains(text) {
        report(
          place,
          "method \(text) cannot be run: this version expands grids only; write method: grid and lists or ranges as axes"
        )
      } else {
        report(place, "unknown method \(SweepText.quoted(text)); write method: grid")
      }
    default:
      guard let key = ExperimentKey.key(name), key.isSeed else {
        report(place, "unknown key \(SweepText.quoted(name))\(Self.hint(forTopLevel: name))")
        return
      }
      fix(key, value, at: place)
    }
  }

  private mutating func readGroup(_ group: String, _ pair: YAMLTree.Pair) {
    guard case .mapping(let pairs) = pair.value.content else {
      let message =
        pair.value.isNull
        ? "\(group) is empty; indent its keys below it, or remove it"
        : "\(group) must be a mapping of keys, not \(Self.noun(pair.value))"
      report(pair.key.place, message)
      return
    }
    let keys = ExperimentKey.all.filter { $0.group == group }
    for inner in pairs {
      guard let name = word(inner.key) else { continue }
      if let key = keys.first(where: { $0.shortName == name }) {
        fix(key, inner.value, at: inner.key.place)
      } else {
        var hint = SweepText.nearest(to: name, among: keys.map(\.shortName)).map { "; did you mean \($0)?" }
        if hint == nil, let other = ExperimentKey.all.first(where: { $0.shortName == name }) {
          hint = other.group.map { "; it belongs in \($0)" } ?? "; it belongs at the left margin"
        }
        let all = "; \(group) has \(keys.map(\.shortName).joined(separator: ", "))"
        report(inner.key.place, "unknown key \(SweepText.quoted(name)) in \(group)\(hint ?? all)")
      }
    }
  }

  private mutating func readAxes(_ pair: YAMLTree.Pair) {
    axesPlace = pair.key.place
    guard case .mapping(let pairs) = pair.value.content, !pairs.isEmpty else {
      let isEmpty = if case .mapping = pair.value.content { true } else { pair.value.isNull }
      report(
        pair.key.place,
        isEmpty
          ? "axes is empty; indent its keys below it, or remove it"
          : "axes must be a mapping of keys to lists or ranges")
      return
    }
    for inner in pairs {
      guard let name = word(inner.key) else { continue }
      guard let key = ExperimentKey.key(name) else {
        report(inner.key.place, "unknown axis \(SweepText.quoted(name))\(Self.hint(forPath: name))")
        continue
      }
      if let axis = attempt(
        key.path,
        { () throws(SweepFileProblem) in
          try SweepAxis.read(inner.value, key: key, at: inner.key.place)
        })
      {
        axes.append(axis)
      }
    }
  }

  mutating func fix(_ key: ExperimentKey, _ value: YAMLTree, at place: SweepFilePlace) {
    let instead = if case .override = place { "--set 'axes.\(key.path)=…'" } else { "\(key.path) under axes" }
    let forList = "; to sweep it, write \(instead)"
    if let read = attempt(
      key.path,
      { () throws(SweepFileProblem) in
        try SettingValue.read(value, as: key.kind, name: key.shortName, forList: forList)
      })
    {
      fixed.append(Fixed(key: key, value: read, place: place))
    }
  }

  private mutating func word(_ key: YAMLTree) -> String? {
    if let text = key.text { return text }
    report(key.place, "a key must be a word, not \(Self.noun(key))")
    return nil
  }

  private mutating func textValue(
    _ node: YAMLTree, of name: String, at place: SweepFilePlace, _ expectation: String
  ) -> String? {
    if let text = node.text, !node.isNull { return text }
    report(
      place,
      node.isNull
        ? "\(name) has no value; it must be \(expectation)" : "\(name) must be \(expectation), not \(Self.noun(node))")
    return nil
  }

  private static func noun(_ node: YAMLTree) -> String {
    switch node.content {
    case .scalar(let text, _): node.isNull ? "nothing" : SweepText.quoted(text)
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }

  static func example(of group: String) -> String {
    guard let key = ExperimentKey.all.first(where: { $0.group == group }) else { return "axes.seed=[0, 1]" }
    return "\(key.path)=…"
  }

  private static func hint(forTopLevel name: String) -> String {
    if let key = ExperimentKey.key(name), let group = key.group { return "; write \(key.shortName) below \(group)" }
    if name == "points" { return "; it belongs to sampled sweeps, and this version expands grids only" }
    if let near = SweepText.nearest(to: name, among: topLevelKeys) { return "; did you mean \(near)?" }
    if let near = nearestPath(to: name), let key = ExperimentKey.key(near), let group = key.group {
      return "; did you mean \(key.shortName) below \(group)?"
    }
    return "; a sweep file has \(topLevelKeys.joined(separator: ", "))"
  }

  static func hint(forPath path: String) -> String {
    if let near = nearestPath(to: path) { return "; did you mean \(near)?" }
    return "; keys are written with their group, such as training.weight_decay"
  }

  /// The key whose full path, or whose last word, is nearest.
  private static func nearestPath(to word: String) -> String? {
    if let near = SweepText.nearest(to: word, among: ExperimentKey.all.map(\.path)) { return near }
    let last = word.split(separator: ".").last.map(String.init) ?? word
    let short = SweepText.nearest(to: last, among: ExperimentKey.all.map(\.shortName))
    return ExperimentKey.all.first { $0.shortName == short }?.path
  }
}
