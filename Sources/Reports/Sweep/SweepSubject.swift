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
  var words: String {
    guard !runs.isEmpty else { return "none of \(Wording.count(points, "point")) finished" }
    let times = times
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
