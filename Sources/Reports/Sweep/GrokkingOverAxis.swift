// When runs grok, where one value is swept: every run, the median of each value and its interval.

import Figures
import Foundation
import Results
import Sweeps

extension SweepSubject {
  func diagramOfOneAxis(_ axis: AxisLevels) -> Drawn {
    var groups = [FoldedRuns](repeating: FoldedRuns(), count: axis.count)
    for (setting, folded) in foldedSettings.enumerated() {
      groups[axis.ofSetting[setting]].points += folded.points
      groups[axis.ofSetting[setting]].runs += folded.runs
    }
    let places = axis.numbers ?? axis.labels.indices.map(Double.init)
    let watched = runs.compactMap(\.censoredAfter).max()
    var marks: [Mark] = []
    var medians = Scatter("median", [], .series(1), radius: 4.5)
    var late = Scatter("no median: under half had grokked", [], .series(1), radius: 4.5)
    for (level, group) in groups.enumerated() where !group.runs.isEmpty {
      let (times, x) = (group.times, places[level])
      let title = "\(axis.words(level)): \(group.words(times))"
      // An interval without an upper end goes on, dashed, to where runs were followed.
      if let low = times.low {
        let high = times.high ?? [group.watched, group.grokked.max()].compactMap { $0 }.max()
        marks.append(
          .line(
            Line(
              nil, [.init(x, Double(low)), .init(x, high.map(Double.init))], .series(1), isDashed: times.high == nil,
              width: 1.6)))
      }
      if let median = times.median {
        medians.dots.append(.init(x, Double(median), title: title))
      } else if let end = group.runs.filter({ $0.outcome != "diverged" }).compactMap(\.censoredAfter).max() {
        late.dots.append(.init(x, Double(end), title: title, shape: .ring))
      }
    }
    let dots = groups.indices.flatMap { level in
      groups[level].runs.compactMap { run in
        run.grokkingEpoch.map {
          Scatter.Dot(
            places[level], Double($0),
            title: "\(run.point.short): \(axis.words(level)), grokked at \(Wording.grouped($0))")
        }
      }
    }
    let scatters = [Scatter("run", dots, .series(6), radius: 2.5), medians, late].filter { !$0.dots.isEmpty }
    marks = scatters.prefix(1).map(Mark.scatter) + marks + scatters.dropFirst().map(Mark.scatter)
    let epochs = runs.compactMap(\.grokkingEpoch) + [watched].compactMap { $0 }
    let isLogarithmic = AxisLevels.isByRatio(Double(epochs.min() ?? 1), Double(epochs.max() ?? 1))
    return Drawn(
      caption: caption(axis, groups, hasRings: !late.dots.isEmpty) + unfinishedSentence,
      panels: [
        Panel(
          x: x(axis),
          y: Axis("Grokking epoch", isLogarithmic ? .logarithmic : .linear, including: isLogarithmic ? [] : [0]),
          marks: marks)
      ], shape: .height(280), table: table(groups) { [(axis.title, axis.labels[$0])] })
  }

  private func x(_ axis: AxisLevels) -> Axis {
    guard let numbers = axis.numbers, let low = numbers.first, let high = numbers.last else {
      return Axis(axis.title, .bands(axis.labels))
    }
    return Axis(axis.title, AxisLevels.isByRatio(low, high) ? .logarithmic : .linear, including: [low, high])
  }

  private func caption(_ axis: AxisLevels, _ groups: [FoldedRuns], hasRings: Bool) -> String {
    var text =
      "Epoch at which runs grok, against \(axis.title): small dots are runs, and with them stand the median of each value (Kaplan and "
      + "Meier's, so that runs that ended before they grokked count as not there yet) and its 95 % interval, dashed where the runs "
      + "do not bound it from above. Look for the value beyond which there is no median any more."
    if hasRings { text += " Rings: no median, followed so far." }
    let known = groups.indices.filter { groups[$0].times.median != nil }
    let best = known.min { (groups[$0].times.median!, $0) < (groups[$1].times.median!, $1) }
    if let best {
      let times = groups[best].times
      text +=
        " Earliest: \(axis.words(best)), \(Wording.grouped(times.median!)) (\(FoldedRuns.interval(times)))."
    }
    let diverged = groups.indices.filter { level in
      !groups[level].runs.isEmpty && groups[level].runs.allSatisfy { $0.outcome == "diverged" }
    }
    if !diverged.isEmpty {
      text += " All runs diverged at \(diverged.map(axis.words).joined(separator: ", "))."
    }
    let finished = groups.count { !$0.runs.isEmpty }
    let without = finished - known.count
    text += without == 0 ? " Every value has a median." : " Without a median: \(without) of \(finished) values."
    return axis.isBinned ? text + " Sampled values are put together in bins." : text
  }
}
