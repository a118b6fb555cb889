// A table whose cells may be links, times and bars: what the dashboard lists with. Cells are markup, made by the functions here.

import Figures
import Foundation
import Reports
import Sweeps

struct MarkupTable {
  enum Alignment { case left, right }

  private let columns: [(title: String, alignment: Alignment)]
  private var rows = ""

  init(_ columns: [(title: String, alignment: Alignment)]) { self.columns = columns }

  /// - Parameter cells: markup, one for each column.
  mutating func append(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows += "<tr>"
    for (cell, column) in zip(cells, columns) {
      rows += column.alignment == .right ? "<td class=\"n\">\(cell)</td>" : "<td>\(cell)</td>"
    }
    rows += "</tr>\n"
  }

  var html: String {
    let heads = columns.map { column in
      let kind = column.alignment == .right ? " class=\"n\"" : ""
      return "<th scope=\"col\"\(kind)>\(Markup.escaped(column.title))</th>"
    }
    return "<div class=\"table\"><table><thead><tr>\(heads.joined())</tr></thead><tbody>\n\(rows)</tbody></table></div>"
  }
}

enum Cell {
  static func text(_ text: String) -> String { Markup.escaped(text) }
  static func number(_ number: Int?) -> String { number.map(Wording.grouped) ?? "–" }

  static func link(_ text: String, to path: String) -> String {
    "<a href=\"\(Markup.escaped(path))\">\(Markup.escaped(text))</a>"
  }

  static func point(_ id: PointID) -> String { "<code>\(link(id.short, to: Address.point(id.short)))</code>" }
  static func sweep(_ name: String) -> String { link(name, to: Address.sweep(name)) }
  static func code(_ text: String) -> String { "<code>\(Markup.escaped(text))</code>" }

  static func bar(_ done: Int, of total: Int) -> String {
    let share = total == 0 ? 0 : Double(done) / Double(total)
    return
      "<progress value=\"\(done)\" max=\"\(max(total, 1))\" title=\"\(Wording.grouped(done)) of \(Wording.grouped(total))\">"
      + "\(Int(share * 100)) %</progress>"
  }

  /// A command to be copied into a shell, whatever names and paths are made of.
  static func command(_ words: [String]) -> String { code(ShellWords.line(words)) }

  /// A moment; the script says how long ago it was.
  static func time(_ date: Date) -> String {
    let text = date.formatted(.iso8601)
    return "<time data-ago datetime=\"\(text)\">\(text.dropFirst(11).prefix(8)) UTC</time>"
  }

  /// - Parameter text: ISO-8601, UTC, as the store has it.
  static func time(_ text: String) -> String {
    "<time data-ago datetime=\"\(Markup.escaped(text))\">\(Markup.escaped(text.prefix(10) + " " + text.dropFirst(11).prefix(8))) UTC</time>"
  }

  /// A setting with the seeds of a point.
  static func setting(_ setting: String, _ modelSeed: UInt64, _ dataSeed: UInt64) -> String {
    text(Self.words(setting, modelSeed, dataSeed))
  }

  static func words(_ setting: String, _ modelSeed: UInt64, _ dataSeed: UInt64) -> String {
    let seeds = modelSeed == dataSeed ? "seed \(modelSeed)" : "seeds \(modelSeed), \(dataSeed)"
    return setting.isEmpty ? seeds : "\(setting), \(seeds)"
  }

  /// Grokking epoch, or how long a run was watched without one.
  static func grokking(_ epoch: Int?, censoredAfter: Int?) -> String {
    if let epoch { return Wording.grouped(epoch) }
    return censoredAfter.map { "&gt; \(Wording.grouped($0))" } ?? "–"
  }

  static func paragraph(_ text: String) -> String { "<p class=\"quiet\">\(Markup.escaped(text))</p>" }
}
