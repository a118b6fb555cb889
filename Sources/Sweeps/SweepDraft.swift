// What a sweep file and the command line say, before it is known whether it can be run: name and blocks, each value with
// its place. It collects problems instead of stopping at the first; it knows no experiment.

/// A sweep file as read, with everything that it includes. `problems` is empty when every key and type was right.
struct SweepDraft {
  /// One file, or several put together.
  struct Layer {
    var name: (text: String, place: SweepFilePlace)?
    var common = SweepBlockDraft()
    /// Empty: `common` is the only block.
    var blocks: [SweepBlockDraft] = []
  }

  var layer = Layer()
  var sources: SweepSources
  var problems: [SweepFileProblem] = []
  /// Paths of keys whose value could not be read: nothing more is said about experiments that need them.
  var unreadable: Set<String> = []

  /// Files that include others twice, which include others twice, would never end.
  var includes = 0
  static let maximumIncludes = 256

  static let blockKeys =
    ["preset", "method", "points", "sampling_seed"] + ExperimentKey.groups
    + ExperimentKey.all.filter(\.isSeed).map(\.path) + ["axes", "exclude", "require"]
  static let topLevelKeys = ["sweep", "include"] + blockKeys + ["blocks"]

  init(sources: SweepSources) { self.sources = sources }

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

  /// Reads one file and what it includes.
  ///
  /// - Parameter chain: the files that led here, itself last.
  mutating func read(_ root: YAMLTree, chain: [String]) -> Layer {
    var layer = Layer()
    guard case .mapping(let pairs) = root.content else {
      report(
        root.place, "a sweep file is a mapping of keys such as sweep, preset, training and axes, not \(Self.noun(root))"
      )
      return layer
    }
    var base = Layer()
    for pair in pairs {
      guard let name = word(pair.key) else { continue }
      switch name {
      case "sweep":
        if let text = textValue(pair.value, of: name, at: pair.key.place, "a name") {
          layer.name = (text, pair.key.place)
        }
      case "include":
        for included in readIncludes(pair, chain: chain) {
          base.common = included.common.filled(from: base.common)
          base.blocks += included.blocks
        }
      case "blocks": layer.blocks = readBlocks(pair, chain: chain)
      default: readKey(name, pair, into: &layer.common, known: Self.topLevelKeys, chain: chain)
      }
    }
    layer.common = layer.common.filled(from: base.common)
    layer.blocks = base.blocks + layer.blocks
    return layer
  }

  private mutating func readBlocks(_ pair: YAMLTree.Pair, chain: [String]) -> [SweepBlockDraft] {
    guard case .list(let items) = pair.value.content, !items.isEmpty else {
      report(pair.key.place, "blocks is a list of mappings, each with its own axes, such as - axes: {…}")
      return []
    }
    return items.compactMap { item in
      guard case .mapping(let pairs) = item.content, !pairs.isEmpty else {
        report(item.place, "a block is a mapping of keys such as training and axes, not \(Self.noun(item))")
        return nil
      }
      var block = SweepBlockDraft()
      block.place = item.place
      for inner in pairs {
        guard let name = word(inner.key) else { continue }
        if ["sweep", "include", "blocks"].contains(name) {
          report(inner.key.place, "\(name) belongs at the left margin, not in a block")
        } else {
          readKey(name, inner, into: &block, known: Self.blockKeys, chain: chain)
        }
      }
      return block
    }
  }

  private mutating func readKey(
    _ name: String, _ pair: YAMLTree.Pair, into block: inout SweepBlockDraft, known: [String], chain: [String]
  ) {
    let (value, place) = (pair.value, pair.key.place)
    switch name {
    case "axes": readAxes(pair, into: &block)
    case "exclude", "require": readRules(name, pair, into: &block)
    case "points": readPoints(value, into: &block, at: place, chain: chain)
    case _ where ExperimentKey.groups.contains(name): readGroup(name, pair, into: &block)
    default:
      if readScalar(name, value, into: &block, at: place) { return }
      guard let key = ExperimentKey.key(name), key.isSeed else {
        report(place, "unknown key \(SweepText.quoted(name))\(Self.hint(forTopLevel: name, known: known))")
        return
      }
      fix(key, value, in: &block, at: place)
    }
  }

  /// preset, method and sampling_seed; false for other names.
  mutating func readScalar(
    _ name: String, _ value: YAMLTree, into block: inout SweepBlockDraft, at place: SweepFilePlace
  ) -> Bool {
    switch name {
    case "preset":
      guard let text = textValue(value, of: name, at: place, "a name") else { return true }
      if let found = Preset.all.first(where: { $0.name == text }) {
        block.preset = found
      } else {
        let names = Preset.all.map(\.name)
        let hint = SweepText.nearest(to: text, among: names).map { "did you mean \($0)?" }
        report(
          place, "unknown preset \(SweepText.quoted(text)); \(hint ?? "there are " + names.joined(separator: ", "))")
      }
    case "method":
      guard let text = textValue(value, of: name, at: place, "a name") else { return true }
      if let method = attempt(nil, { () throws(SweepFileProblem) in try SweepMethod.read(text, at: place) }) {
        block.method = (method, place)
      }
    case "sampling_seed":
      let read = attempt { () throws(SweepFileProblem) in try SettingValue.read(value, as: .seed, name: name) }
      if case .number(let number)? = read { block.samplingSeed = (UInt64(number), place) }
    default: return false
    }
    return true
  }

  private mutating func readGroup(_ group: String, _ pair: YAMLTree.Pair, into block: inout SweepBlockDraft) {
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
        fix(key, inner.value, in: &block, at: inner.key.place)
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

  mutating func fix(_ key: ExperimentKey, _ value: YAMLTree, in block: inout SweepBlockDraft, at place: SweepFilePlace)
  {
    let instead = if case .override = place { "--set 'axes.\(key.path)=…'" } else { "\(key.path) under axes" }
    let forList = "; to sweep it, write \(instead)"
    if let read = attempt(
      key.path,
      { () throws(SweepFileProblem) in
        try SettingValue.read(value, as: key.kind, name: key.shortName, forList: forList)
      })
    {
      block.fixed.append(SweepBlockDraft.Fixed(key: key, value: read, place: place))
    }
  }

  mutating func word(_ key: YAMLTree) -> String? {
    if let text = key.text { return text }
    report(key.place, "a key must be a word, not \(Self.noun(key))")
    return nil
  }

  mutating func textValue(
    _ node: YAMLTree, of name: String, at place: SweepFilePlace, _ expectation: String
  ) -> String? {
    if let text = node.text, !node.isNull { return text }
    report(
      place,
      node.isNull
        ? "\(name) has no value; it must be \(expectation)" : "\(name) must be \(expectation), not \(Self.noun(node))")
    return nil
  }

  static func noun(_ node: YAMLTree) -> String {
    switch node.content {
    case .scalar(let text, _): node.isNull ? "nothing" : SweepText.quoted(text)
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }
}

// What an unknown key was probably meant to be.
extension SweepDraft {
  static func example(of group: String) -> String {
    guard let key = ExperimentKey.all.first(where: { $0.group == group }) else { return "axes.seed=[0, 1]" }
    return "\(key.path)=…"
  }

  static func hint(forTopLevel name: String, known: [String]) -> String {
    if let key = ExperimentKey.key(name), let group = key.group { return "; write \(key.shortName) below \(group)" }
    if name == "zip" { return "; write zip under axes" }
    if name == "when" { return "; write when in an axis, as in training.beta1: {choice: […], when: {…}}" }
    if let near = SweepText.nearest(to: name, among: known) { return "; did you mean \(near)?" }
    if let near = nearestPath(to: name), let key = ExperimentKey.key(near), let group = key.group {
      return "; did you mean \(key.shortName) below \(group)?"
    }
    return "; \(known.contains("sweep") ? "a sweep file" : "a block") has \(known.joined(separator: ", "))"
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
