// What a sweep is, apart from how its file is written: name, fixed values, axes. As canonical JSON it is stored beside
// the sweep; two of them are compared in sentences when a file changed after its sweep was started.

import Foundation

/// A sweep's name, method, fixed values and axes.
struct SweepDescription {
  let text: String

  /// Values of an axis are sorted: their order changes the order of the points, not what they are.
  init(name: String, grid: SweepGrid) {
    let swept = grid.axes.flatMap { $0.key.path == "seed" ? ["seed", "model_seed", "data_seed"] : [$0.key.path] }
    let fixed: [CanonicalJSON.Member] = ExperimentKey.all.compactMap { key in
      guard !swept.contains(key.path), let value = key.value(grid.base) else { return nil }
      return CanonicalJSON.Member(key.path, key.kind == .vocabulary ? grid.vocabulary.json : value.json)
    }
    let axes = grid.axes.map { axis in
      CanonicalJSON.Member(axis.key.path, .list(axis.values.sorted(by: Self.isOrdered).map(\.json)))
    }
    text =
      CanonicalJSON.object([
        .init("axes", .object(axes)), .init("fixed", .object(fixed)), .init("method", .text("grid")),
        .init("sweep", .text(name)),
      ]).text
  }

  private static func isOrdered(_ left: SettingValue, _ right: SettingValue) -> Bool {
    if case .number(let a) = left, case .number(let b) = right { return a < b }
    if case .number = left { return true }
    if case .number = right { return false }
    return left.label < right.label
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
    for key in ["sweep", "method"] where old[key] != new[key] {
      sentences.append("\(key): was \(Self.words(old[key])), is \(Self.words(new[key]))")
    }
    // Every key that either has, in the order of the reference, then those of other versions.
    let known = ExperimentKey.all.map(\.path)
    let older = old.keys("fixed") + old.keys("axes")
    for key in known + older.filter({ !known.contains($0) }) {
      let (was, wasAxis) = (old["fixed"]?[key], old["axes"]?[key]?.items)
      let (now, nowAxis) = (new["fixed"]?[key], new["axes"]?[key]?.items)
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
}
