// The numbers behind a figure, as CSV and as an HTML table.

import Foundation

package struct DataTable: Hashable, Sendable {
  package enum Value: Hashable, Sendable {
    case number(Double)
    case text(String)
    /// Not measured, or not finite.
    case absent

    package init(_ number: Double?) {
      self = number.flatMap { $0.isFinite ? .number($0) : nil } ?? .absent
    }

    package init(_ number: Int?) { self.init(number.map(Double.init)) }

    /// With the decimals that tell it from other floats, not those that it takes as a double.
    package init(_ number: Float) { self.init(Double("\(number)")) }

    /// With four significant digits: for grids of thousands.
    package init(rounded number: Float) {
      guard number != 0, number.isFinite else {
        self.init(number)
        return
      }
      let scale = pow(10, 3 - log10(Double(abs(number))).rounded(.down))
      self.init((Double(number) * scale).rounded() / scale)
    }

    fileprivate var exact: String {
      switch self {
      case .number(let number): NumberText.exact(number)
      case .text(let text): text
      case .absent: ""
      }
    }
  }

  /// In snake_case, with units last.
  package var columns: [String]
  package var rows: [[Value]]

  package init(columns: [String], rows: [[Value]]) {
    self.columns = columns
    self.rows = rows
  }

  /// RFC 4180, as `groksweep export` writes: a line of names, lines that end in CR LF, absent values empty. Numbers are
  /// written so that reading them gives the same bits.
  package var csv: String { csv(upTo: .max)! }

  /// - Returns: nil when it is longer than so many bytes, which is known before all of it is written.
  package func csv(upTo bytes: Int) -> String? {
    var text = columns.map(DataTable.field).joined(separator: ",") + "\r\n"
    for row in rows {
      guard text.utf8.count <= bytes else { return nil }
      for (place, value) in row.enumerated() {
        if place > 0 { text += "," }
        if case .text(let words) = value { text += DataTable.field(words) } else { text += value.exact }
      }
      text += "\r\n"
    }
    return text.utf8.count <= bytes ? text : nil
  }

  /// A table of the first `limit` rows, numbers to four digits, with a line that says how many more there are.
  package func html(limit: Int = .max) -> String {
    var text = "<table><thead><tr>"
    for column in columns { text += "<th scope=\"col\">\(Markup.escaped(column))</th>" }
    text += "</tr></thead><tbody>"
    for row in rows.prefix(limit) {
      text += "<tr>"
      for value in row {
        switch value {
        case .number(let number): text += "<td class=\"n\">\(NumberText.value(number))</td>"
        case .text(let words): text += "<td>\(Markup.escaped(words))</td>"
        case .absent: text += "<td class=\"n\">–</td>"
        }
      }
      text += "</tr>"
    }
    text += "</tbody></table>"
    let rest = rows.count - min(limit, rows.count)
    if rest > 0 { text += "<p>… and \(NumberText.grouped(Double(rest))) more \(rest == 1 ? "row" : "rows").</p>" }
    return text
  }

  private static func field(_ text: String) -> String {
    guard text.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
