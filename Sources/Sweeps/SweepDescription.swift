// What a sweep is, apart from how its file is written: name, fixed values, axes. As canonical JSON it is stored beside
// the sweep; two of them are compared in sentences when a file changed after its sweep was started.

import Foundation

/// A sweep's name, method, fixed values, axes and rules.
struct SweepDescription {
  let text: String

  /// Values of an axis are sorted: their order changes the order of the points, not what they are. So are rules and blocks.
  /// But samples are drawn by place: there the order of an axis's values is part of what they are.
  init(name: String, blocks: [SweepBlock]) {
    let described = blocks.map { CanonicalJSON.object(Self.members(of: $0)) }.sortedWithoutRepeats()
    let sweep = CanonicalJSON.Member("sweep", .text(name))
    if described.count == 1, case .object(let members) = described[0] {
      text = CanonicalJSON.object(members + [sweep]).text
    } else {
      text = CanonicalJSON.object([.init("blocks", .list(described)), sweep]).text
    }
  }

  private static func members(of block: SweepBlock) -> [CanonicalJSON.Member] {
    let swept = block.axes.flatMap(\.keys).flatMap { key in
      key.path == "seed" ? ["seed", "model_seed", "data_seed"] : [key.path]
    }
    let left = block.axes.flatMap { axis in axis.keys.filter { axis.leavesFixed($0) } }.flatMap { key in
      key.path == "seed" ? ["model_seed", "data_seed"] : [key.path]
    }
    let fixed: [CanonicalJSON.Member] = ExperimentKey.all.compactMap { key in
      guard !swept.contains(key.path) || left.contains(key.path), let value = key.value(block.base) else { return nil }
      return CanonicalJSON.Member(key.path, key.kind == .vocabulary ? block.vocabulary.json : value.json)
    }
    let drawn = block.sampling == nil ? [] : Sampling.sampledAxes(block.axes)
    func json(_ index: Int) -> CanonicalJSON { block.axes[index].json(inOrder: drawn.contains(index)) }
    let single = block.axes.indices.filter { block.axes[$0].keys.count == 1 }
    let together = block.axes.indices.filter { block.axes[$0].keys.count > 1 }
    var members: [CanonicalJSON.Member] = [
      .init("axes", .object(single.map { .init(block.axes[$0].key.path, json($0)) })), .init("fixed", .object(fixed)),
      .init("method", .text(block.method.rawValue)),
    ]
    // What a plain grid does not have is left out, so that sweeps from before there was more keep their description.
    if let sampling = block.sampling {
      members.append(.init("points", .number(Double(sampling.points))))
      members.append(.init("sampling_seed", .number(Double(sampling.seed))))
    }
    if !together.isEmpty { members.append(.init("rows", .list(together.map { json($0) }.sortedWithoutRepeats()))) }
    let rules = block.rules.flatMap(\.json).sortedWithoutRepeats()
    if !rules.isEmpty { members.append(.init("exclude", .list(rules))) }
    return members
  }
}

extension SweepAxis {
  /// A list of values, a distribution, or rows with their keys; with its conditions, if it has any.
  fileprivate func json(inOrder: Bool) -> CanonicalJSON {
    if let search { return search.json }
    var members: [CanonicalJSON.Member]
    switch domain {
    case .distribution(let distribution):
      guard let condition, case .object(let inner) = distribution.json else { return distribution.json }
      return .object(inner + [.init("when", condition.json)])
    case .rows(let rows):
      if keys.count == 1 {
        let values = inOrder ? rows.valuesInOrder : rows.values(sorted: Self.isOrdered)
        guard let condition else { return .list(values) }
        return .object([.init("choice", .list(values)), .init("when", condition.json)])
      }
      let order = keys.indices.sorted { keys[$0].path < keys[$1].path }
      let lines = (0..<rows.count).map { row in
        CanonicalJSON.object(
          order.compactMap { column in
            rows.columns[column][row].map { .init(keys[column].path, $0.json) }
          })
      }
      members = [.init("rows", .list(inOrder ? lines : lines.sortedWithoutRepeats()))]
    }
    if let condition { members.append(.init("when", condition.json)) }
    return .object(members)
  }

  private static func isOrdered(_ left: SettingValue, _ right: SettingValue) -> Bool {
    if case .number(let a) = left, case .number(let b) = right { return a < b }
    if case .number = left { return true }
    if case .number = right { return false }
    return left.label < right.label
  }
}

extension SweepRows {
  /// Of one column: its values as they stand.
  fileprivate var valuesInOrder: [CanonicalJSON] {
    columns[0].indices.compactMap { row in
      guard let value = columns[0][row] else { return nil }
      guard !conditions.isEmpty, let condition = conditions[row] else { return value.json }
      return .object([.init("value", value.json), .init("when", condition.json)])
    }
  }

  /// Of one column: its values, those with conditions of their own behind the others.
  fileprivate func values(sorted isOrdered: (SettingValue, SettingValue) -> Bool) -> [CanonicalJSON] {
    if conditions.isEmpty { return columns[0].compactMap { $0 }.sorted(by: isOrdered).map(\.json) }
    let pairs = zip(columns[0], conditions)
    let open = pairs.compactMap { $1 == nil ? $0 : nil }.sorted(by: isOrdered).map(\.json)
    let bound = pairs.compactMap { value, condition -> CanonicalJSON? in
      guard let value, let condition else { return nil }
      return .object([.init("value", value.json), .init("when", condition.json)])
    }
    return open + bound.sortedWithoutRepeats()
  }
}

extension SweepFile {
  /// What this sweep has that `other` (an earlier `canonical`) had not, and the reverse, a sentence each, in the order of
  /// the keys; empty when they are the same sweep.
  package func differences(from other: String) -> [String] {
    if other == canonical { return [] }
    let decoder = JSONDecoder()
    guard let old = try? decoder.decode(CanonicalJSON.self, from: Data(other.utf8)),
      let new = try? decoder.decode(CanonicalJSON.self, from: Data(canonical.utf8)), old["sweep"] != nil
    else { return ["the earlier description cannot be read, so what differs is unknown"] }

    var sentences: [String] = []
    for key in ["sweep", "method", "points", "sampling_seed"] where old[key] != new[key] {
      sentences.append("\(key): was \(Self.words(old[key])), is \(Self.words(new[key]))")
    }
    for (key, noun) in [("blocks", "block"), ("rows", "rows"), ("exclude", "excluded")] {
      let (was, now) = (old[key]?.items ?? [], new[key]?.items ?? [])
      for item in now where !was.contains(item) { sentences.append("\(noun): is new: \(Self.words(item))") }
      for item in was where !now.contains(item) { sentences.append("\(noun): is gone: \(Self.words(item))") }
    }
    // Every value stands in a block on one side only: the blocks have said it all.
    if (old["blocks"] == nil) != (new["blocks"] == nil) { return sentences }
    // Every key that either has, in the order of the reference, then those of other versions.
    let known = ExperimentKey.all.map(\.path)
    let older = old.keys("fixed") + old.keys("axes")
    for key in known + older.filter({ !known.contains($0) }) {
      let (was, wasAxis) = (old["fixed"]?[key], old["axes"]?[key]?.alternatives)
      let (now, nowAxis) = (new["fixed"]?[key], new["axes"]?[key]?.alternatives)
      guard was != now || wasAxis != nowAxis else { continue }
      switch (wasAxis, nowAxis) {
      case (let wasAxis?, let nowAxis?): sentences.append("axis \(key): \(Self.change(wasAxis, nowAxis))")
      case (let wasAxis?, nil):
        sentences.append(
          "axis \(key): was \(Self.list(wasAxis)), " + (now.map { "is fixed at \(Self.words($0))" } ?? "is gone"))
      case (nil, let nowAxis?):
        sentences.append(
          "axis \(key): " + (was.map { "was fixed at \(Self.words($0)), is " } ?? "is new: ") + Self.list(nowAxis))
      case (nil, nil):
        sentences.append(
          "\(key): " + (was.map { "was \(Self.words($0)), " } ?? "")
            + (now.map { "is \(Self.words($0))" } ?? "is not fixed any more"))
      }
    }
    return sentences
  }

  private static let shownValues = 12

  /// Short lists in full, long ones by what came and went.
  private static func change(_ was: [CanonicalJSON], _ now: [CanonicalJSON]) -> String {
    if max(was.count, now.count) <= shownValues { return "\(list(was)) → \(list(now))" }
    let (old, new) = (Set(was), Set(now))
    let added = now.filter { !old.contains($0) }
    let removed = was.filter { !new.contains($0) }
    let parts = [("added", added), ("removed", removed)].filter { !$0.1.isEmpty }
    return parts.map { "\($0.0) \(list($0.1))" }.joined(separator: "; ") + " (\(was.count) → \(now.count) values)"
  }

  private static func list(_ values: [CanonicalJSON]) -> String {
    guard values.count > shownValues, let last = values.last else { return values.map(words).joined(separator: ", ") }
    let first = values.prefix(shownValues - 2).map(words).joined(separator: ", ")
    return "\(first), …, \(words(last)) (\(values.count) values)"
  }

  private static func words(_ value: CanonicalJSON?) -> String {
    switch value {
    case .text(let text)?: SweepText.shown(text)
    case let value?: SweepText.shown(value.text)
    case nil: "nothing"
    }
  }
}

extension CanonicalJSON {
  fileprivate subscript(key: String) -> CanonicalJSON? {
    if case .object(let members) = self { members.first { $0.key == key }?.value } else { nil }
  }

  fileprivate func keys(_ key: String) -> [String] {
    if case .object(let members)? = self[key] { members.map(\.key) } else { [] }
  }

  fileprivate var items: [CanonicalJSON]? {
    if case .list(let items) = self { items } else { nil }
  }

  /// Of an axis: its values, or the one thing that is not a list of them.
  fileprivate var alternatives: [CanonicalJSON] { items ?? [self] }
}
