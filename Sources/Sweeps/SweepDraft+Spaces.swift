// The keys of a sweep file that say what is varied and what is left out: axes, zip, points, exclude, require, and the
// files that others are put together from.

extension SweepDraft {
  mutating func readAxes(_ pair: YAMLTree.Pair, into block: inout SweepBlockDraft) {
    if case .file = block.place { block.place = pair.key.place }
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
      let place = inner.key.place
      if name == "zip" {
        let groups = if case .list(let items) = inner.value.content { items } else { [inner.value] }
        if groups.isEmpty { report(place, "zip is empty; write the keys that move together, or remove it") }
        for group in groups {
          let here = groups.count > 1 ? group.place : place
          if let axis = attempt("zip", { () throws(SweepFileProblem) in try SweepAxis.readZip(group, at: here) }) {
            block.axes.append(axis)
          }
        }
        continue
      }
      guard let key = ExperimentKey.key(name) else {
        report(place, "unknown axis \(SweepText.quoted(name))\(Self.hint(forPath: name))")
        continue
      }
      if let axis = attempt(
        key.path, { () throws(SweepFileProblem) in try SweepAxis.read(inner.value, key: key, at: place) })
      {
        block.axes.append(axis)
      }
    }
  }

  mutating func readRules(_ word: String, _ pair: YAMLTree.Pair, into block: inout SweepBlockDraft) {
    var (items, isList) = ([pair.value], false)
    if case .list(let several) = pair.value.content { (items, isList) = (several, true) }
    if items.isEmpty { report(pair.key.place, "\(word) is empty; write a condition below it, or remove it") }
    for item in items {
      let place = isList ? item.place : pair.key.place
      if let condition = attempt(
        nil, { () throws(SweepFileProblem) in try SweepCondition.read(item, name: word) })
      {
        block.rules.append(SweepRule(word, condition, place: place))
      }
    }
  }

  /// `points: 64`, `points: [{…}, …]` or `points: {csv: pilot.csv}`.
  mutating func readPoints(
    _ value: YAMLTree, into block: inout SweepBlockDraft, at place: SweepFilePlace, chain: [String]
  ) {
    var texts = sources
    let read = attempt("points") { () throws(SweepFileProblem) -> SweepBlockDraft.Points in
      switch value.content {
      case .list(let items): return .listed(try SweepAxis.readPoints(items, at: place))
      case .mapping(let pairs):
        guard pairs.count == 1, pairs[0].key.text == "csv", let name = pairs[0].value.text, !name.isEmpty else {
          throw SweepFileProblem(
            place, "points is a number of samples, a list of points, or a file of them: {csv: points.csv}")
        }
        let (file, text) = try texts.read(name, from: chain.last ?? "", at: pairs[0].value.place)
        return .listed(try SweepAxis.readPoints(csv: text, file: file, at: place))
      case .scalar:
        guard case .number(let number) = try SettingValue.read(value, as: .whole, name: "points") else {
          throw SweepFileProblem(place, "points must be a whole number")
        }
        guard number >= 1 else {
          throw SweepFileProblem(place, "points must be at least 1, not \(SettingValue.number(number).label)")
        }
        guard number <= Double(SweepAxis.maximumValues) else {
          throw SweepFileProblem(
            place,
            "points: \(SettingValue.number(number).label) are too many; a sweep may have at most "
              + "\(SweepAxis.maximumValues)")
        }
        return .count(Int(number), place)
      }
    }
    sources = texts
    block.points = read ?? block.points
  }

  /// Each included file with its own includes filled in, in the order in which they are named.
  mutating func readIncludes(_ pair: YAMLTree.Pair, chain: [String]) -> [Layer] {
    let items = if case .list(let items) = pair.value.content { items } else { [pair.value] }
    var layers: [Layer] = []
    for item in items {
      guard let name = item.text, !item.isNull, !name.isEmpty else {
        report(
          items.count > 1 ? item.place : pair.key.place,
          "include names files, such as include: common.yaml, not \(Self.noun(item))")
        continue
      }
      let (place, texts) = (item.place, sources)
      includes += 1
      guard includes <= Self.maximumIncludes else {
        report(place, "files are included more than \(Self.maximumIncludes) times in all; put them together")
        return layers
      }
      guard
        let (file, root, known) = attempt(
          nil, { () throws(SweepFileProblem) in try Self.include(name, at: place, chain, texts) })
      else { continue }
      sources = known
      var layer = read(root, chain: chain + [file])
      // An included sweep lends its values, not its name.
      layer.name = nil
      layers.append(layer)
    }
    return layers
  }

  private static func include(
    _ name: String, at place: SweepFilePlace, _ chain: [String], _ sources: SweepSources
  ) throws(SweepFileProblem) -> (String, YAMLTree, SweepSources) {
    var sources = sources
    let path = SweepSources.joined(name, folderOf: chain.last ?? "")
    if let start = chain.firstIndex(of: path) {
      let cycle = (chain[start...] + [path]).map(SweepText.shown).joined(separator: " → ")
      throw SweepFileProblem(place, "files include each other in a circle: \(cycle); remove one include")
    }
    let (file, text) = try sources.read(name, from: chain.last ?? "", at: place)
    do throws(SweepFileProblem) {
      guard let root = try YAMLTree.parse(text, place: { .included(file: file, line: $0) }), !root.isNull else {
        throw SweepFileProblem(.file, "is empty; an included file has keys such as preset, training and axes")
      }
      return (file, root, sources)
    } catch {
      guard case .file = error.place else { throw error }
      throw SweepFileProblem(.included(file: file, line: nil), error.message)
    }
  }
}
