// What became of the points of every setting, counted.

import Figures
import Results
import Sweeps

extension SweepSubject {
  private static let mostRows = 30
  /// As runs name them, in the order of columns, with what they mean.
  static let outcomes = ["grokked", "immediate", "collapsed", "memorized", "unfit", "diverged"]

  var outcomeCounts: Drawn {
    let folded = foldedSettings
    let columns = Self.outcomes.filter { name in runs.contains { $0.outcome == name } }
    let isDone = folded.allSatisfy { $0.runs.count >= $0.points }
    let titles = columns + (isDone ? [] : ["not finished"])
    func count(_ group: FoldedRuns, _ column: Int) -> Int {
      column < columns.count
        ? group.runs.count { $0.outcome == columns[column] } : group.points - group.runs.count
    }
    let shown = Self.evenly(folded.count, Self.mostRows)
    let cells = shown.reversed().flatMap { setting in
      titles.indices.map { column in
        let (number, points) = (count(folded[setting], column), max(folded[setting].points, 1))
        return number == 0
          ? Cells.Cell(nil)
          : Cells.Cell(
            Double(number) / Double(points), text: "\(number)",
            title: "\(name(ofSetting: setting)): \(number) of \(Wording.count(points, "point")) \(titles[column])")
      }
    }
    return Drawn(
      caption: outcomeCaption(shown.count),
      panels: [
        Panel(
          x: Axis("", .bands(titles)), y: Axis("", .bands(shown.reversed().map { name(ofSetting: $0) })),
          marks: [
            .cells(
              Cells(
                columns: titles.count, rows: shown.count, cells: cells, valueTitle: "Share of points", limits: 0...1))
          ])
      ], shape: .height(max(Double(shown.count) * 20, 40)),
      table: DataTable(
        columns: ["setting", "points"] + titles.map { $0.replacing(" ", with: "_") },
        rows: folded.enumerated().map { setting, group in
          [.text(settings.settings[setting].label), .init(group.points)]
            + titles.indices.map { .init(count(group, $0)) }
        }))
  }

  private func outcomeCaption(_ shown: Int) -> String {
    let parts = Self.outcomes.compactMap { name -> String? in
      let count = runs.count { $0.outcome == name }
      return count == 0 ? nil : "\(count) \(name)"
    }
    var text =
      "How many points of each setting ended how. Grokked: test accuracy reached 99 % after train accuracy had; immediate: about "
      + "together; collapsed: it fell below again; memorized: train accuracy only; unfit: neither; diverged: a loss was no longer "
      + "finite. In all: \(parts.joined(separator: ", "))"
    let left = progress.total - progress.finished - progress.failed
    if progress.failed > 0 { text += ", \(progress.failed) failed" }
    if left > 0 { text += ", \(left) not finished" }
    text += "."
    return shown < settings.settings.count
      ? text + " Shown are \(shown) of \(settings.settings.count) settings, evenly chosen; the table has all." : text
  }
}
