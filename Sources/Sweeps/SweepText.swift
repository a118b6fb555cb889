// Small things about words in messages: how foreign text is shown, lists of names, and the nearest known name.

package enum SweepText {
  /// Text from a file as it may stand in a one-line message: control characters escaped, at most 60 characters.
  package static func shown(_ text: String) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
      if count == 60 { return result + "…" }
      switch scalar {
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}", "\u{202a}"..."\u{202e}",
        "\u{2066}"..."\u{2069}":
        result += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: result.unicodeScalars.append(scalar)
      }
      count += 1
    }
    return result
  }

  /// `"text"`, shown safely.
  package static func quoted(_ text: String) -> String { "\"\(shown(text))\"" }

  /// `a, b or c`
  package static func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }

  /// The known name that `word` probably meant: the nearest by edit distance, if a third of its letters or fewer (and
  /// at most three) are wrong. Of equally near ones the first wins.
  package static func nearest(to word: String, among known: [String]) -> String? {
    var best: (name: String, distance: Int)?
    for name in known {
      let allowed = min(3, max(1, max(word.count, name.count) / 3))
      guard abs(word.count - name.count) <= allowed else { continue }
      let distance = distance(from: Array(word.lowercased()), to: Array(name.lowercased()))
      if distance <= allowed, distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best?.name
  }

  /// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment).
  static func distance(from a: [Character], to b: [Character]) -> Int {
    var previous: [Int] = []
    var row = Array(0...b.count)
    for i in 0..<a.count {
      let beforePrevious = previous
      previous = row
      row = [i + 1]
      for j in 0..<b.count {
        var cost = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforePrevious[j - 1] + 1) }
        row.append(cost)
      }
    }
    return row[b.count]
  }
}
