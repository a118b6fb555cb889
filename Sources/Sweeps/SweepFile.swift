// A sweep file: what to train, as a scientist writes it, turned into points. Pure: the text and a name to show come in,
// points or a list of sentences come out; nothing half-right is returned, and nothing is read from disk: whoever calls
// gives the files that it includes.
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
  /// At least 1 and at most a million, all different, in the order of the file.
  package let points: SweepPoints
  /// The sweep's name, fixed values, axes and rules as canonical JSON. Two files with equal ones are the same sweep of the
  /// same points; comments, presets' names, includes, ways to write an axis, and the order of keys, values, rules and
  /// blocks leave no trace in it.
  package let canonical: String
  /// The file as it was written, without the command line's overrides; with the files that it includes, as a bundle, when
  /// there are any. Reading it gives the same sweep wherever it is.
  package let text: String

  /// `fileName` is shown in errors and, without folder and extension, is the default of the sweep's name. `overrides`
  /// are the command line's `key=value`; each replaces what the file says of its key. `find` gives the files that it
  /// names, by names that begin where `fileName` does; a bundle needs none.
  package init(
    text: String, fileName: String, overrides: [String] = [],
    find: @escaping @Sendable (_ name: String) -> SweepSource = { _ in .unreadable("is not at hand here") }
  ) throws(SweepFileError) {
    var draft: SweepDraft
    // Lines of a bundle's first file are counted as in the file that it was.
    var shownName = fileName
    do throws(SweepFileProblem) {
      draft = SweepDraft(sources: try SweepSources(text: text, fileName: fileName, find: find))
      if draft.sources.isBundle { shownName = draft.sources.mainName }
      guard let root = try YAMLTree.parse(draft.sources.mainText, place: { .line($0) }), !root.isNull else {
        throw SweepFileProblem(.file, "is empty; a sweep file has keys such as sweep, preset, training and axes")
      }
      let layer = draft.read(root, chain: [draft.sources.mainName])
      draft.layer = layer
    } catch {
      throw SweepFileError(file: shownName, problems: [error])
    }
    self.text = draft.sources.wholeText(given: text)
    for override in overrides { draft.apply(override: override) }
    draft.refuseWithoutEffect()
    let drafts = draft.filledBlocks
    for block in drafts { draft.refuseContradictions(in: block) }
    name = draft.settledName(fileName: shownName)
    var blocks: [SweepBlock] = []
    for block in drafts {
      if let made = draft.block(block) { blocks.append(made) }
    }
    if blocks.count == drafts.count { blocks = draft.expand(blocks, drafts) }
    guard draft.problems.isEmpty else { throw SweepFileError(file: shownName, problems: draft.problems) }
    points = SweepPoints(blocks: blocks)
    axes = points.axes
    canonical = SweepDescription(name: name, blocks: blocks).text
  }

  /// As `init(text:)`, for bytes from a file: refuses what is not UTF-8.
  package init(
    bytes: [UInt8], fileName: String, overrides: [String] = [],
    find: @escaping @Sendable (_ name: String) -> SweepSource = { _ in .unreadable("is not at hand here") }
  ) throws(SweepFileError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
      throw SweepFileError(
        file: fileName, problems: [SweepFileProblem(.line(line + 1), "is not UTF-8 text; save the file as UTF-8")])
    }
    try self.init(text: text, fileName: fileName, overrides: overrides, find: find)
  }
}

extension SweepDraft {
  fileprivate mutating func settledName(fileName: String) -> String {
    let lastPart = fileName.split(separator: "/").last.map(String.init) ?? fileName
    let stem = lastPart.lastIndex(of: ".").map { String(lastPart[..<$0]) } ?? lastPart
    let chosen = layer.name?.text ?? stem
    let isPlain = chosen.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "-_.".utf8.contains($0)
    }
    let begins = chosen.first.map { $0.isLetter || $0.isNumber } ?? false
    if !isPlain || !begins || chosen.utf8.count > 100 {
      let rule = "a name has up to 100 letters, digits, '-', '_' and '.', and begins with a letter or digit"
      if let name = layer.name {
        report(name.place, "sweep name \(SweepText.quoted(chosen)) cannot name a file; \(rule)")
      } else {
        report(.file, "the file's name makes a bad sweep name, \(SweepText.quoted(chosen)); add a key sweep; \(rule)")
      }
    }
    return chosen
  }
}
