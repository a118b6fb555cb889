// `--set key=value` on the command line: the same keys and the same sentences as in the file, which it replaces key by
// key, in every block. `axes.` before a key makes it an axis. Of two for one key the later wins.

extension SweepDraft {
  private static let scalars = ["sweep", "preset", "method", "points", "sampling_seed"]

  /// One `key=value`: replaces what the file says of the key, an axis included.
  mutating func apply(override text: String) {
    let place = SweepFilePlace.override(text)
    guard let equals = text.firstIndex(of: "=") else {
      report(place, "lacks a value; write key=value, such as training.weight_decay=2")
      return
    }
    let path = text[..<equals].filter { $0 != " " }
    let source = String(text[text.index(after: equals)...])
    guard
      let parsed = attempt(
        path,
        { () throws(SweepFileProblem) in
          try YAMLTree.parse(source) { _ in place }
        })
    else { return }
    guard let value = parsed, !(value.isNull && value.text == "") else {
      report(place, "has no value; write key=value, such as training.weight_decay=2")
      return
    }
    if path.hasPrefix("axes."), let key = ExperimentKey.key(String(path.dropFirst(5))) {
      guard
        let axis = attempt(
          key.path,
          { () throws(SweepFileProblem) in
            try SweepAxis.read(value, key: key, at: place)
          })
      else { return }
      replaceAxis(axis, over: key)
    } else if let key = ExperimentKey.key(path) {
      removeEverywhere(key)
      inCommon { draft, common in draft.fix(key, value, in: &common, at: place) }
    } else if Self.scalars.contains(path) {
      setScalar(path, value, at: place)
    } else if ExperimentKey.groups.contains(path) || ["axes", "blocks", "exclude", "require"].contains(path) {
      let example = path == "axes" || ExperimentKey.groups.contains(path) ? Self.example(of: path) : "training.epochs=…"
      report(place, "sets a whole group; set one key at a time, such as \(example)")
    } else if path.hasPrefix("axes.") {
      report(
        place,
        "unknown axis \(SweepText.quoted(String(path.dropFirst(5))))\(Self.hint(forPath: String(path.dropFirst(5))))")
    } else {
      let hint = SweepText.nearest(to: path, among: Self.scalars).map { "; did you mean \($0)?" }
      report(place, "unknown key \(SweepText.quoted(path))\(hint ?? Self.hint(forPath: path))")
    }
  }

  private mutating func setScalar(_ name: String, _ value: YAMLTree, at place: SweepFilePlace) {
    if name == "sweep" {
      if let text = textValue(value, of: name, at: place, "a name") { layer.name = (text, place) }
      return
    }
    // Blocks say it themselves, so that it would reach none of them.
    if name != "preset", !layer.blocks.isEmpty {
      report(place, "the file has blocks, each with its own \(name); change it there")
      return
    }
    let chain = [sources.mainName]
    if name == "points" {
      inCommon { draft, common in draft.readPoints(value, into: &common, at: place, chain: chain) }
    } else {
      inCommon { draft, common in _ = draft.readScalar(name, value, into: &common, at: place) }
      if name == "preset" { for index in layer.blocks.indices { layer.blocks[index].preset = nil } }
    }
  }

  private mutating func inCommon(_ change: (inout SweepDraft, inout SweepBlockDraft) -> Void) {
    var common = layer.common
    change(&self, &common)
    layer.common = common
  }

  /// In the place of each axis over the key, and behind the common ones where blocks have none.
  private mutating func replaceAxis(_ axis: SweepAxis, over key: ExperimentKey) {
    for index in layer.blocks.indices {
      guard let position = layer.blocks[index].remove(key) else { continue }
      layer.blocks[index].axes.insert(axis, at: min(position, layer.blocks[index].axes.count))
    }
    let position = layer.common.remove(key) ?? layer.common.axes.count
    layer.common.axes.insert(axis, at: min(position, layer.common.axes.count))
  }

  private mutating func removeEverywhere(_ key: ExperimentKey) {
    _ = layer.common.remove(key)
    for index in layer.blocks.indices { _ = layer.blocks[index].remove(key) }
  }
}
