// Test losses of many runs, a panel for each setting. Which runs are drawn is decided here, so that no other curve is read.

import Figures
import Results
import Sweeps

extension SweepSubject {
  private static let mostPanels = 12
  private static let mostCurves = 6

  /// By panel: a setting and its runs whose curves are drawn.
  private var drawnRuns: [(setting: Int, runs: [SettledRun])] {
    let folded = foldedSettings
    let finished = folded.indices.filter { !folded[$0].runs.isEmpty }
    return Self.evenly(finished.count, Self.mostPanels).map { place in
      (finished[place], Array(folded[finished[place]].runs.prefix(Self.mostCurves)))
    }
  }

  /// The runs whose curves the figure needs.
  var pointsOfCurves: [PointID] { drawnRuns.flatMap { $0.runs.map(\.point) } }

  var testLosses: Drawn {
    let byPoint = Dictionary(curves.map { ($0.point, $0.places) }, uniquingKeysWith: { first, _ in first })
    // Runs that diverged at once have no evaluation, or one, which is no curve.
    let drawn = drawnRuns.filter { $0.runs.contains { (byPoint[$0.point]?.count ?? 0) > 1 } }
    let last = curves.compactMap { $0.places.last?.epoch }.max() ?? 0
    let isLogarithmic = last >= 100
    let (oneModel, oneData) = (
      !runs.contains { $0.modelSeed != runs[0].modelSeed }, !runs.contains { $0.dataSeed != runs[0].dataSeed }
    )
    func name(_ run: SettledRun) -> String {
      if !settings.seedsAreCrossed { return "seed \(run.modelSeed)" }
      if oneData { return "model seed \(run.modelSeed)" }
      return oneModel ? "data seed \(run.dataSeed)" : "seeds \(run.modelSeed) (model), \(run.dataSeed) (data)"
    }
    var names: [String] = []
    for run in drawn.flatMap(\.runs) where !names.contains(name(run)) { names.append(name(run)) }
    let panels = drawn.map { setting, runs in
      Panel(
        title: panelTitle(ofSetting: setting),
        x: Axis("Epoch", isLogarithmic ? .logarithmic : .linear), y: Axis("Test loss (nats)", .logarithmic),
        marks: runs.map { run in
          .line(
            Line(
              name(run),
              (byPoint[run.point] ?? []).map { Line.Point(Double($0.epoch), $0.testLoss) },
              .series(names.firstIndex(of: name(run)) ?? 0), width: 1.3))
        })
    }
    let finished = foldedSettings.count { !$0.runs.isEmpty }
    var caption =
      "Test loss of each run (natural logarithms), a panel for each setting. Look for the fall from a plateau: that is grokking; "
      + "curves that stay up had not grokked when they ended."
      + panelTitleSentence
    if panels.count < finished {
      caption += " Shown are \(panels.count) of \(finished) settings, evenly chosen."
    }
    let most = foldedSettings.map(\.runs.count).max() ?? 0
    if most > Self.mostCurves { caption += " Of each setting, the first \(Self.mostCurves) of up to \(most) runs." }
    caption += " Curves are thinned to what can be seen; `groksweep export curves` has every evaluation."
    return Drawn(
      caption: caption, panels: panels, columns: panels.count == 1 ? 1 : panels.count == 2 || panels.count == 4 ? 2 : 3,
      shape: .height(panels.count == 1 ? 260 : 110),
      table: DataTable(
        columns: ["setting", "point", "epoch", "test_loss"],
        rows: drawn.flatMap { setting, runs in
          runs.flatMap { run in
            (byPoint[run.point] ?? []).map { place in
              [
                .text(settings.settings[setting].label), .text(run.point.short), .init(place.epoch),
                .init(place.testLoss),
              ]
            }
          }
        }))
  }

  /// Why there is no such figure; nil when there is.
  var testLossesAbsence: String? {
    runsAbsence
      ?? (curves.contains { $0.places.count > 1 }
        ? nil : "No run has two evaluations, as of runs that diverge at once: there are no curves.")
  }
}
