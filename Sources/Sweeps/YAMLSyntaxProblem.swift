// What Yams says about text that is not YAML, as a sentence with a line. Its own words name the parser's state; the
// commonest ones get words about the text.

import Yams

enum SyntaxProblem {
  static func problem(of error: any Error, in text: String, place: (Int) -> SweepFilePlace) -> SweepFileProblem {
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _)?, .parser(let context, let problem, let mark, _)?,
      .composer(let context, let problem, let mark, _)?:
      // A mark behind the last line belongs to the last line that has text.
      let line = min(mark.line, lastLine(of: text))
      return SweepFileProblem(place(line), "is not YAML: \(words(problem, context, mark, place))")
    case .duplicatedKeysInMapping(let names, let context)?:
      let name = names.first ?? ""
      let again = lineRepeating(name, after: context.mark, in: text).map { " and on line \($0)" } ?? " and again below"
      let second = if place(1).line != nil { again } else { "" }
      return SweepFileProblem(
        place(context.mark.line), "key \(SweepText.quoted(name)) stands twice, here\(second); keep one")
    case .reader(let problem, let offset, let value, _)?:
      let before = text.prefix(offset ?? 0)
      let character = value >= 0 ? " (U+\(String(value, radix: 16, uppercase: true)))" : ""
      return SweepFileProblem(
        place(1 + before.count { $0.isNewline }), "is not YAML: \(problem)\(character); remove that character")
    default:
      return SweepFileProblem(.file, "cannot be read as YAML: \(SweepText.shown("\(error)"))")
    }
  }

  private static func words(
    _ problem: String, _ context: YamlError.Context?, _ mark: Mark, _ place: (Int) -> SweepFilePlace
  ) -> String {
    switch problem {
    case "found character that cannot start any token":
      return
        "a value cannot begin with the character in column \(mark.column); indent with spaces, not tabs, and quote "
        + "text that begins with a special character"
    case "but found another document":
      return "a second document begins here; a sweep file holds one"
    case "mapping values are not allowed in this context":
      return "a second \":\" on one line, or wrong indentation (column \(mark.column))"
    case let words where words.hasPrefix("Maximum nesting level reached"):
      return "it is nested more than 1000 levels deep; a sweep file needs at most 5"
    default:
      let start = context.map { context in
        if place(1).line != nil { " (\(context.text), which begins on line \(context.mark.line))" } else { "" }
      }
      return SweepText.shown(problem) + (start ?? "")
    }
  }

  private static func lastLine(of text: String) -> Int {
    var last = 1
    var line = 1
    for character in text {
      if character.isNewline { line += 1 } else if !character.isWhitespace { last = line }
    }
    return last
  }

  /// Yams names only the first of two equal keys. In block style the second begins in the same column.
  private static func lineRepeating(_ name: String, after mark: Mark, in text: String) -> Int? {
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    return lines.indices.dropFirst(mark.line).first { index in
      let line = lines[index]
      return line.prefix { $0 == " " }.count == mark.column - 1 && line.dropFirst(mark.column - 1).hasPrefix(name + ":")
    }.map { $0 + 1 }
  }
}
