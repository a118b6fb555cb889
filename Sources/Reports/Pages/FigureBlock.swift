// A figure in a page: its title, the drawing for wide and for narrow pages, its caption, its data, and what saves both.

import Figures

package struct FigureBlock: Sendable {
  package enum Data: Sendable {
    /// In the page, for a script to show as a table and to save; when it is longer than a megabyte, this says how to get it.
    case inside(otherwise: String)
    /// A table of the first rows, and a link to the CSV.
    case at(csv: String)
    /// Nothing of them: the figure is drawn anew in a moment.
    case none
  }

  private static let mostBytes = 1_000_000
  package static let wide = 720.0
  package static let narrow = 400.0

  package var figure: Figure
  package var data: Data

  package init(_ figure: Figure, data: Data) {
    self.figure = figure
    self.data = data
  }

  package var html: String {
    let name = figure.name
    var block = "<figure id=\"figure-\(name)\" data-name=\"\(name)\">\n<h3>\(Markup.escaped(figure.title))</h3>\n"
    if let absence = figure.absence {
      return block + "<p class=\"absent\">\(HTMLPage.prose(absence))</p>\n</figure>"
    }
    block += "<div class=\"drawing wide\">\(figure.svg(Rendering(.page, width: Self.wide)))</div>\n"
    block +=
      "<div class=\"drawing narrow\">\(figure.svg(Rendering(.page, width: Self.narrow, suffix: "-narrow")))</div>\n"
    block += "<figcaption>\(HTMLPage.prose(figure.caption))</figcaption>\n"
    return block + dataMarkup + "</figure>"
  }

  /// For the script, which would show ids that are digits alone as rounded numbers.
  private var columnsOfText: String {
    let table = figure.table
    let ofText = table.columns.indices.filter { column in
      table.rows.contains { row in
        if case .text = row[column] { true } else { false }
      }
    }
    return ofText.isEmpty ? "" : " data-text=\"\(ofText.map { "\($0)" }.joined(separator: " "))\""
  }

  private var dataMarkup: String {
    let rows = figure.table.rows.count
    let count = "\(Wording.grouped(rows)) \(rows == 1 ? "row" : "rows")"
    switch data {
    case .none: return ""
    case .at(let csv):
      return "<details><summary>Data (\(count))</summary>\(HTMLPage.table(figure.table, limit: 50))</details>\n"
        + "<p class=\"save\"><a href=\"\(Markup.escaped(csv))\">CSV</a></p>\n"
    case .inside(let otherwise):
      guard let csv = figure.table.csv(upTo: Self.mostBytes) else {
        return "<p class=\"save\"><button data-save=\"svg\">Save SVG</button> "
          + "\(count) of data: <code>\(Markup.escaped(otherwise))</code></p>\n"
      }
      return "<details><summary>Data (\(count))</summary><div class=\"table\"\(columnsOfText)></div></details>\n"
        + "<p class=\"save\"><button data-save=\"svg\">Save SVG</button> <button data-save=\"csv\">Save CSV</button></p>\n"
        + "<pre class=\"csv\" hidden>\(Markup.escaped(csv))</pre>\n"
    }
  }
}
