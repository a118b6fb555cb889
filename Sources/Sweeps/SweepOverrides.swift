// `--set key=value` on the command line: the same keys and the same sentences as in the file, which it replaces key by
// key. `axes.` before a key makes it an axis. Of two for one key the later wins.

extension SweepDraft {
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
      let position = remove(key)
      axes.insert(axis, at: position ?? axes.count)
    } else if let key = ExperimentKey.key(path) {
      _ = remove(key)
      fix(key, value, at: place)
    } else if ["sweep", "preset", "method"].contains(path) {
      readTopLevel(path, value, at: place)
    } else if ExperimentKey.groups.contains(path) || path == "axes" {
      report(place, "sets a whole group; set one key at a time, such as \(Self.example(of: path))")
    } else if path.hasPrefix("axes.") {
      report(
        place,
        "unknown axis \(SweepText.quoted(String(path.dropFirst(5))))\(Self.hint(forPath: String(path.dropFirst(5))))")
    } else {
      let hint = SweepText.nearest(to: path, among: ["sweep", "preset", "method"]).map { "; did you mean \($0)?" }
      report(place, "unknown key \(SweepText.quoted(path))\(hint ?? Self.hint(forPath: path))")
    }
  }

  /// Takes back what the file says of `key` (of all three kinds of seed for `seed`). Returns the position of the axis
  /// that went, if one did.
  private mutating func remove(_ key: ExperimentKey) -> Int? {
    let gone = key.path == "seed" ? ["seed", "model_seed", "data_seed"] : [key.path]
    let position = axes.firstIndex { gone.contains($0.key.path) }
    axes.removeAll { gone.contains($0.key.path) }
    fixed.removeAll { gone.contains($0.key.path) }
    return position
  }
}
