// What pictures of a sweep are drawn from. Settings and runs are always there; what only some figures need (curves, early
// measures, machines) is read when one of those is asked for.

import Figures
import Grokking
import Results
import Sweeps

package struct SweepSubject: Sendable {
  package var settings: SweepSettings
  package var runs: [SettledRun]
  package var progress: SweepProgress
  /// Of the runs that are drawn; `testLosses`.
  package var curves: [LossCurve] = []
  package var early: [EarlyMeasures] = []
  package var predictors: [Predictor] = []
  package var spreads: [GrokkingSpread] = []
  package var critical: [CriticalInterval] = []
  package var origin: SweepOrigin?
  /// Of the phase diagram; places among `settings.keys`.
  package var axes = DiagramAxes.suggested
  /// Whether the figures that a dashboard draws anew with every run have their data: of thousands of runs, much is in them.
  package var hasData = true

  package init(settings: SweepSettings, runs: [SettledRun], progress: SweepProgress) {
    self.settings = settings
    self.runs = runs
    self.progress = progress
  }
}

/// Runs that are looked at together, and when they grokked.
struct FoldedRuns {
  /// Planned; more than `runs` while the sweep is not done, or when points failed.
  var points = 0
  var runs: [SettledRun] = []

  var grokked: [Int] { runs.compactMap(\.grokkingEpoch) }
  var times: KaplanMeier { KaplanMeier(events: grokked, censored: runs.compactMap(\.censoredAfter)) }
  /// `2/3`: of the finished runs, how many grokked.
  var count: String { "\(grokked.count)/\(runs.count)" }
  /// The last epoch to which a run that did not grok was followed.
  var watched: Int? { runs.compactMap(\.censoredAfter).max() }

  /// What became of them, for the pointer.
  ///
  /// - Parameter times: theirs, computed once.
  func words(_ times: KaplanMeier) -> String {
    guard !runs.isEmpty else { return "none of \(Wording.count(points, "point")) finished" }
    var parts = ["\(grokked.count) of \(Wording.count(runs.count, "run")) grokked"]
    if let median = times.median {
      parts.append("median epoch \(Wording.grouped(median)) (95 % \(FoldedRuns.interval(times)))")
    } else if let watched {
      parts.append("no median: half had not grokked, followed to epoch \(Wording.grouped(watched))")
    }
    let diverged = runs.count { $0.outcome == "diverged" }
    if diverged > 0 { parts.append("\(diverged) diverged") }
    if runs.count < points { parts.append("\(points - runs.count) of \(points) points not finished") }
    return parts.joined(separator: "; ")
  }

  /// `779 to 1,064`; with `…` where the runs do not bound it.
  static func interval(_ times: KaplanMeier) -> String {
    "\(times.low.map(Wording.grouped) ?? "…") to \(times.high.map(Wording.grouped) ?? "…")"
  }
}

extension SweepSubject {
  /// By setting: its points, and its finished runs.
  var foldedSettings: [FoldedRuns] {
    var folded = settings.settings.map { FoldedRuns(points: $0.points) }
    for run in runs where folded.indices.contains(run.setting) { folded[run.setting].runs.append(run) }
    return folded
  }

  /// What setting `index` is called where there is no axis.
  func name(ofSetting index: Int) -> String {
    let label = settings.settings[index].label
    return label.isEmpty ? "all seeds" : label
  }

  /// What `shortName` lists: `weight_decay · train_fraction`; empty when only seeds are swept.
  var shortNameTitle: String { settings.keys.map(\.name).joined(separator: " · ") }

  /// The values of setting `index` alone, `0.3 · 0.53`, where its full name would not fit.
  func shortName(ofSetting index: Int) -> String {
    guard !settings.keys.isEmpty else { return "all seeds" }
    return settings.keys.map { key in
      let value = key.values[index]
      // Samples have all the digits of a binary fraction.
      return value.label.utf8.count > 6 ? value.number.map { NumberText.value($0) } ?? value.label : value.label
    }.joined(separator: " · ")
  }

  /// Over a small panel: `weight_decay 0.3`, and of several values these alone.
  func panelTitle(ofSetting index: Int) -> String? {
    switch settings.keys.count {
    case 0: nil
    case 1: "\(settings.keys[0].name) \(shortName(ofSetting: index))"
    default: shortName(ofSetting: index)
    }
  }

  /// ` Over each panel stand its values of weight_decay · train_fraction.`, where panels are named so.
  var panelTitleSentence: String {
    settings.keys.count > 1 ? " Over each panel stand its values of \(shortNameTitle)." : ""
  }

  /// ` Rows are values of weight_decay · train_fraction.`, where rows are named so.
  var rowSentence: String { settings.keys.isEmpty ? "" : " Rows are values of \(shortNameTitle)." }

  /// Why there is nothing of finished runs; nil when there are some.
  var runsAbsence: String? {
    guard runs.isEmpty else { return nil }
    if progress.failed == progress.total {
      return "All \(Wording.count(progress.total, "point")) of this sweep failed: no run has finished."
    }
    let failed = progress.failed == 0 ? "" : ", \(progress.failed) failed"
    return "No run of this sweep has finished yet (\(Wording.count(progress.total, "point"))\(failed))."
  }

  /// ` So far 7 of 12 points are finished.`, or nothing.
  var unfinishedSentence: String {
    progress.finished == progress.total
      ? "" : " So far \(progress.finished) of \(Wording.count(progress.total, "point")) are finished."
  }
}
