// A sweep file: what to train, as a scientist writes it, turned into points. Pure: the text and a name to show come in,
// points or a list of sentences come out; nothing is read from disk and nothing half-right is returned.
//
// The keys are those of docs/reference/sweep-file.md. Decisions that it documents: an axis over a value that only the
// preset gives replaces it silently, but a key that the file both fixes and sweeps is an error; `seed` sets
// model_seed and data_seed and excludes both; `d_vocab_out` follows the modulus unless it is given as a number.

import Grokking

/// A sweep that can be run: a name, and points that are all possible and all different.
package struct SweepFile: Sendable {
  /// Letters, digits, `-`, `_` and `.`; fit to name a file.
  package let name: String
  /// Paths of the swept keys in the order of the file: `training.weight_decay`, `seed`.
  package let axes: [String]
  /// At least 1 and at most a million, in grid order.
  package let points: SweepPoints
  /// The sweep's name, fixed values and axes as canonical JSON. Two files with equal ones are the same sweep of the same
  /// points; comments, presets' names, ways to write an axis, and the order of keys and values leave no trace in it.
  package let canonical: String
  /// The file as it was written, without the command line's overrides.
  package let text: String

  /// `fileName` is shown in errors and, without folder and extension, is the default of the sweep's name. `overrides`
  /// are the command line's `key=value`; each replaces what the file says of its key.
  package init(text: String, fileName: String, overrides: [String] = []) throws(SweepFileError) {
    self.text = text
    var draft = SweepDraft()
    do throws(SweepFileProblem) {
      guard let root = try YAMLTree.parse(text, place: { .line($0) }), !root.isNull else {
        throw SweepFileProblem(.file, "is empty; a sweep file has keys such as sweep, preset, training and axes")
      }
      draft.read(root)
    } catch {
      throw SweepFileError(file: fileName, problems: [error])
    }
    for override in overrides { draft.apply(override: override) }
    draft.refuseContradictions()
    name = draft.settledName(fileName: fileName)
    axes = draft.axes.map(\.key.path)
    let grid = draft.grid()
    if let grid { draft.refuseImpossible(in: grid) }
    guard let grid, draft.problems.isEmpty else { throw SweepFileError(file: fileName, problems: draft.problems) }
    points = SweepPoints(grid: grid)
    canonical = SweepDescription(name: name, grid: grid).text
  }

  /// As `init(text:)`, for bytes from a file: refuses what is not UTF-8.
  package init(bytes: [UInt8], fileName: String, overrides: [String] = []) throws(SweepFileError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
      throw SweepFileError(
        file: fileName, problems: [SweepFileProblem(.line(line + 1), "is not UTF-8 text; save the file as UTF-8")])
    }
    try self.init(text: text, fileName: fileName, overrides: overrides)
  }
}

// The second half of reading: what only the whole file shows.
extension SweepDraft {
  /// Keys that are both fixed and swept, and `seed` beside the seeds that it sets.
  fileprivate mutating func refuseContradictions() {
    for axis in axes {
      if let other = fixed.first(where: { $0.key.path == axis.key.path }) {
        report(axis.place, "\(axis.key.path) is an axis here and fixed\(Self.whereabouts(other.place)); keep one")
      }
    }
    let given = fixed.map { ($0.key.path, $0.place) } + axes.map { ($0.key.path, $0.place) }
    guard let seed = given.first(where: { $0.0 == "seed" }) else { return }
    for other in given where ["model_seed", "data_seed"].contains(other.0) {
      report(
        other.1,
        "\(other.0) is given beside seed\(Self.whereabouts(seed.1)), which sets it too; keep seed alone, or model_seed and "
          + "data_seed")
    }
  }

  private static func whereabouts(_ place: SweepFilePlace) -> String {
    switch place {
    case .file: ""
    case .line(let line): " on line \(line)"
    case .override(let text): " by --set \(SweepText.shown(text))"
    }
  }

  fileprivate mutating func settledName(fileName: String) -> String {
    let lastPart = fileName.split(separator: "/").last.map(String.init) ?? fileName
    let stem = lastPart.lastIndex(of: ".").map { String(lastPart[..<$0]) } ?? lastPart
    let chosen = name?.text ?? stem
    let isPlain = chosen.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "-_.".utf8.contains($0)
    }
    let begins = chosen.first.map { $0.isLetter || $0.isNumber } ?? false
    if !isPlain || !begins || chosen.utf8.count > 100 {
      let rule = "a name has up to 100 letters, digits, '-', '_' and '.', and begins with a letter or digit"
      if let name {
        report(name.place, "sweep name \(SweepText.quoted(chosen)) cannot name a file; \(rule)")
      } else {
        report(.file, "the file's name makes a bad sweep name, \(SweepText.quoted(chosen)); add a key sweep; \(rule)")
      }
    }
    return chosen
  }

  /// nil, with the problem reported, when there are too many points.
  fileprivate mutating func grid() -> SweepGrid? {
    var base = preset.experiment
    var vocabulary = SettingValue.modulusPlus(preset.vocabularyBeyondModulus)
    for entry in fixed {
      if entry.key.kind == .vocabulary { vocabulary = entry.value } else { entry.key.set(entry.value, &base) }
    }
    ExperimentKey.setVocabulary(vocabulary, &base)
    if let grid = SweepGrid(base: base, vocabulary: vocabulary, axes: axes) { return grid }
    let sizes = axes.map { String($0.values.count) }.joined(separator: " × ")
    report(
      axesPlace, "the axes make \(sizes) points; a sweep may have at most \(SweepAxis.maximumValues)")
    return nil
  }
}
