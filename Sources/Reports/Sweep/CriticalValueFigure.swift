// Of a sweep that searches where the outcome changes: between which values of the searched axis it does, as its other axes
// vary.

import Figures
import Results
import Sweeps

extension SweepSubject {
  var criticalValues: Drawn {
    var axes: [String] = []
    for interval in critical where !axes.contains(interval.axis) { axes.append(interval.axis) }
    let panels = axes.map { axis in panel(axis, critical.filter { $0.axis == axis }) }
    return Drawn(
      caption: criticalCaption + unfinishedSentence, panels: panels, sharing: [],
      shape: .height(panels.count == 1 ? 260 : 200),
      table: DataTable(
        columns: ["axis", "setting", "low", "high", "grokked_at", "resolution", "runs"],
        rows: critical.map {
          [
            .text($0.axis), .text($0.setting), .init($0.low), .init($0.high), .text($0.groksAtHigh ? "high" : "low"),
            .init($0.resolution), .init($0.runs),
          ]
        }))
  }

  private func panel(_ axis: String, _ intervals: [CriticalInterval]) -> Panel {
    let name = axis.split(separator: ".").last.map(String.init) ?? axis
    // `weight_decay=0.3`: when that is all there is of others, they are numbers on an axis.
    let parts = intervals.map { $0.setting.split(separator: "=", omittingEmptySubsequences: false).map(String.init) }
    let numbers = parts.compactMap { $0.count == 2 && $0[0] == parts[0][0] ? Double($0[1]) : nil }
    let isNumeric = numbers.count == intervals.count && Set(numbers).count > 1
    var settings: [String] = []
    for interval in intervals where !settings.contains(interval.setting) { settings.append(interval.setting) }
    let places = intervals.indices.map { index in
      isNumeric ? numbers[index] : Double(settings.firstIndex(of: intervals[index].setting) ?? 0)
    }
    let x =
      isNumeric
      ? Axis(parts[0][0], AxisLevels.isByRatio(numbers.min() ?? 0, numbers.max() ?? 0) ? .logarithmic : .linear)
      : Axis("", .bands(settings.map { $0.isEmpty ? "all points" : $0 }))
    let segments = zip(places, intervals).map { place, interval in
      Mark.line(Line(nil, [.init(place, interval.low), .init(place, interval.high)], .series(0), width: 5))
    }
    let dots = zip(places, intervals).map { place, interval in
      Scatter.Dot(place, (interval.low + interval.high) / 2, title: Self.words(interval))
    }
    return Panel(
      title: nil, x: x, y: Axis("Critical \(name)"),
      marks: segments + [.scatter(Scatter(nil, dots, .series(1), radius: 3.5))])
  }

  private static func words(_ interval: CriticalInterval) -> String {
    let name = interval.axis.split(separator: ".").last.map(String.init) ?? interval.axis
    let (low, high) = (Wording.plain(interval.low), Wording.plain(interval.high))
    let setting = interval.setting.isEmpty ? "" : "\(interval.setting): "
    return "\(setting)\(name) \(low) to \(high), above which runs \(interval.groksAtHigh ? "grok" : "do not grok")"
  }

  private var criticalCaption: String {
    let shown = critical.prefix(8).map(Self.words).joined(separator: "; ")
    let more = critical.count > 8 ? "; and \(critical.count - 8) more in the table" : ""
    return
      "Where the outcome changes: bars reach from the last value on one side to the first on the other, and at least half of the runs "
      + "grok on one side only. Look for how the threshold moves with the other axes. \(shown)\(more)."
  }

  /// Why there is no such figure; nil when there is.
  var criticalAbsence: String? {
    if !settings.isSearch { return "This sweep does not search where the outcome changes (method: boundary)." }
    return runsAbsence
      ?? (critical.isEmpty
        ? "Between no two neighbouring values that are done does the outcome change: it is the same all over, or not known yet."
        : nil)
  }
}
