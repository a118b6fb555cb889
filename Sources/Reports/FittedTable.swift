// Columns that line up in a given width: what matters least is left out first, and what is still too long is cut.

/// Rows of text under a header, for a screen.
package struct FittedTable {
  package struct Column {
    let title: String
    let alignment: TextTable.Alignment
    /// The highest one is left out first; 0 stays.
    let rank: Int

    package init(_ title: String, _ alignment: TextTable.Alignment, rank: Int = 0) {
      self.title = title
      self.alignment = alignment
      self.rank = rank
    }
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  package init(_ columns: [Column]) { self.columns = columns }

  /// A text for every column; control characters in it are shown as dots.
  package mutating func append(_ row: [String]) {
    precondition(row.count == columns.count, "a row of \(row.count) texts in a table of \(columns.count) columns")
    rows.append(row.map(\.withoutControls))
  }

  package var count: Int { rows.count }

  /// The header and the rows, none wider than `width`.
  package func lines(width: Int) -> [String] {
    var shown = Array(columns.indices)
    func widths() -> [Int] {
      shown.map { place in rows.reduce(columns[place].title.count) { max($0, $1[place].count) } }
    }
    while widths().reduce(0, +) + 2 * (shown.count - 1) > width,
      let last = shown.filter({ columns[$0].rank > 0 }).max(by: { columns[$0].rank < columns[$1].rank })
    { shown.removeAll { $0 == last } }
    let room = widths()
    func line(_ cells: [String]) -> String {
      let padded = zip(shown, room).map { place, room in
        let space = String(repeating: " ", count: room - cells[place].count)
        return columns[place].alignment == .left ? cells[place] + space : space + cells[place]
      }
      return padded.joined(separator: "  ").cut(to: width)
    }
    return [line(columns.map(\.title))] + rows.map(line)
  }
}

extension String {
  /// At most `width` characters, an ellipsis for what is missing, and no spaces at its end.
  package func cut(to width: Int) -> String {
    var text = self
    if text.count > width { text = width > 0 ? text.prefix(width - 1) + "…" : "" }
    while text.last == " " { text.removeLast() }
    return text
  }

  /// On one line, and harmless to a terminal: what others wrote may hold anything.
  package var withoutControls: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? "·" : $0 }))
  }
}
