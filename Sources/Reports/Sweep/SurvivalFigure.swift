// What share of runs has not grokked yet, against epochs: Kaplan and Meier's curve of every setting, or of what is put
// together of settings where there are too many.

import Figures
import Foundation
import Results
import Sweeps

extension SweepSubject {
  private static let mostLines = 6
  private static let mostPanels = 12
  /// More areas on top of each other cannot be told apart.
  private static let mostIntervals = 3

  var survival: Drawn {
    let plan = SurvivalPlan(self, mostLines: Self.mostLines)
    let shown = Self.evenly(plan.panels.count, Self.mostPanels)
    let groups = shown.flatMap { plan.panels[$0].groups }
    let epochs = groups.flatMap { $0.runs.runs.compactMap { $0.grokkingEpoch ?? $0.censoredAfter } }.filter { $0 > 0 }
    let (first, last) = (epochs.min() ?? 1, epochs.max() ?? 1)
    let grokked = groups.flatMap(\.runs.grokked)
    let isLogarithmic = AxisLevels.isByRatio(Double(grokked.min() ?? first), Double(last))
    let start = isLogarithmic ? Double(grokked.min() ?? first) / 1.5 : 0
    let panels = shown.map { index in
      let panel = plan.panels[index]
      let lines = panel.groups.map { group in
        Self.curve(group, from: start, withInterval: panel.groups.count <= Self.mostIntervals)
      }
      return Panel(
        title: plan.panels.count > 1 ? panel.shortTitle : nil, x: Axis("Epoch", isLogarithmic ? .logarithmic : .linear),
        y: Axis(
          "Not yet grokked", limits: -0.03...1.03,
          names: [0: "0 %", 0.25: "25 %", 0.5: "50 %", 0.75: "75 %", 1: "100 %"]),
        marks: lines.compactMap(\.interval) + lines.map(\.line))
    }
    let tabled = !hasData ? [] : plan.panels.flatMap { panel in panel.groups.map { (panel.title, $0) } }
    return Drawn(
      caption: survivalCaption(plan, shown.count) + unfinishedSentence, panels: panels,
      columns: panels.count == 1 ? 1 : panels.count == 2 || panels.count == 4 ? 2 : 3,
      shape: .height(panels.count == 1 ? 280 : 120),
      table: DataTable(
        columns: ["runs_of", "epoch", "not_yet_grokked", "low", "high"],
        rows: tabled.flatMap { title, group in
          let name = [title, group.name].filter { !$0.isEmpty }.joined(separator: ", ")
          // From all of them to where the last run was left: a curve that stays up has rows too.
          let (steps, end) = (group.runs.times.steps, Self.end(of: group))
          var rows: [[DataTable.Value]] = [[.text(name), .number(0), .number(1), .absent, .absent]]
          rows += steps.map { [.text(name), .init($0.epoch), .init($0.share), .init($0.low), .init($0.high)] }
          if let end, end > steps.last?.epoch ?? 0 {
            rows.append(
              [.text(name), .init(end), .init(steps.last?.share ?? 1), .init(steps.last?.low), .init(steps.last?.high)])
          }
          return rows
        }))
  }

  /// The epoch at which the last of its runs was left.
  private static func end(of group: SurvivalPlan.Group) -> Int? {
    group.runs.runs.compactMap { $0.grokkingEpoch ?? $0.censoredAfter }.max()
  }

  /// A curve from `start` to where the last of its runs was left.
  private static func curve(
    _ group: SurvivalPlan.Group, from start: Double, withInterval: Bool
  ) -> (line: Mark, interval: Mark?) {
    let (times, paint) = (group.runs.times, Paint.series(group.colour))
    let end = end(of: group).map(Double.init) ?? start
    var points = [Line.Point(start, 1)]
    var places: [Interval.Place] = []
    for step in times.steps {
      points.append(.init(Double(step.epoch), step.share))
      if let low = step.low, let high = step.high {
        places.append(.init(Double(step.epoch), low, high))
      } else if let before = places.last {
        places.append(.init(Double(step.epoch), before.low, before.high))
      }
    }
    if let last = points.last, end > last.x {
      points.append(.init(end, last.y))
      if let before = places.last { places.append(.init(end, before.low, before.high)) }
    }
    return (
      .line(Line(group.name, points, paint, shape: .steps)),
      withInterval && places.count > 1 ? .interval(Interval(nil, places, paint, shape: .steps)) : nil
    )
  }

  private func survivalCaption(_ plan: SurvivalPlan, _ shown: Int) -> String {
    var text =
      "Share of runs that have not grokked by an epoch (Kaplan and Meier's estimate: a run that ends earlier counts as long as it "
      + "was followed). Look for curves that stay up: there, runs do not grok within the epochs that they had."
    if plan.panels.contains(where: { $0.groups.count <= Self.mostIntervals }) {
      text += " Areas are pointwise 95 % intervals, wide where runs are few."
    } else {
      text += " The table has pointwise 95 % intervals."
    }
    if plan.panels.contains(where: { $0.groups.count > 1 }) {
      text += " Where curves lie on each other, their colours take turns."
    }
    let grokked = runs.compactMap(\.grokkingEpoch)
    text += " \(grokked.count) of \(Wording.count(runs.count, "run")) grokked"
    if let first = grokked.min(), let last = grokked.max() {
      text += ", at epochs \(Wording.grouped(first)) to \(Wording.grouped(last))"
    }
    text += "."
    if shown < plan.panels.count {
      text += " Shown are \(shown) of \(plan.panels.count) panels, evenly chosen; the table has all."
    }
    return text + plan.words
  }

  /// `limit` of 0..<count at equal distances, both ends among them.
  static func evenly(_ count: Int, _ limit: Int) -> [Int] {
    guard count > limit, limit > 1 else { return Array(0..<min(count, max(limit, 0))) }
    return (0..<limit).map { $0 * (count - 1) / (limit - 1) }
  }
}

/// Which runs share a curve, and which curves a panel.
struct SurvivalPlan {
  struct Group {
    /// Of its line in the legend.
    var name: String
    var colour: Int
    var runs: FoldedRuns
  }

  struct Panel {
    /// Empty when there is one only.
    var title: String
    /// Over the panel: of several values these alone.
    var shortTitle = ""
    var groups: [Group]
  }

  private(set) var panels: [Panel] = []
  private(set) var words = ""

  init(_ sweep: SweepSubject, mostLines: Int) {
    let folded = sweep.foldedSettings
    let finished = folded.indices.filter { !folded[$0].runs.isEmpty }
    if finished.count <= mostLines || sweep.settings.keys.isEmpty {
      let groups = finished.enumerated().map { colour, setting in
        Group(name: sweep.name(ofSetting: setting), colour: colour, runs: folded[setting])
      }
      panels = [Panel(title: "", groups: groups)]
      return
    }
    let axes = sweep.settings.keys.map { AxisLevels($0, limit: mostLines) }
    let fine = sweep.settings.keys.map { AxisLevels($0, limit: 32) }
    // The axis with the most values that are still lines by themselves; the others repeat the panel.
    let ofLines = axes.indices.filter { !axes[$0].isBinned && axes[$0].count <= mostLines }
      .max { (axes[$0].count, -$0) < (axes[$1].count, -$1) }
    guard let ofLines, !fine.enumerated().contains(where: { $0 != ofLines && $1.isBinned }) else {
      // Samples, or one long axis: put together by the first axis.
      let axis = axes.first { $0.count <= mostLines } ?? fine[0]
      panels = [Panel(title: "", groups: Self.groups(of: finished, by: axis, folded))]
      words = " Runs are put together by \(axis.title)."
      return
    }
    let others = fine.indices.filter { $0 != ofLines }
    // The levels of the others, as there may be thousands of settings.
    var (places, members): ([[Int]: Int], [[Int]]) = ([:], [])
    for setting in finished {
      let levels = others.map { fine[$0].ofSetting[setting] }
      if let place = places[levels] {
        members[place].append(setting)
      } else {
        places[levels] = members.count
        members.append([setting])
      }
    }
    // Along the values of the others, whatever the order in which settings were added.
    let order = members.indices.sorted { a, b in
      let (left, right) = (members[a][0], members[b][0])
      return others.map { fine[$0].ofSetting[left] }.lexicographicallyPrecedes(others.map { fine[$0].ofSetting[right] })
    }
    panels = order.map { place in
      let levels = others.map { (fine[$0], fine[$0].ofSetting[members[place][0]]) }
      let title = levels.map { $0.words($1) }.joined(separator: ", ")
      return Panel(
        title: title,
        shortTitle: others.count == 1 ? title : levels.map { $0.labels[$1] }.joined(separator: " · "),
        groups: Self.groups(of: members[place], by: axes[ofLines], folded))
    }
    if others.count > 1 {
      words = " Over each panel stand its values of \(others.map { fine[$0].title }.joined(separator: " · "))."
    }
  }

  private static func groups(of settings: [Int], by axis: AxisLevels, _ folded: [FoldedRuns]) -> [Group] {
    (0..<axis.count).compactMap { level in
      var runs = FoldedRuns()
      for setting in settings where axis.ofSetting[setting] == level {
        runs.points += folded[setting].points
        runs.runs += folded[setting].runs
      }
      return runs.runs.isEmpty ? nil : Group(name: axis.words(level), colour: level, runs: runs)
    }
  }
}
