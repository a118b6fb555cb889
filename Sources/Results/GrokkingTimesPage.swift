// The first settings' grokking epochs: what a page shows of a sweep, in a time that does not grow with the sweep.
//
// The view `grokking_times` has all settings, and folds every run for that: some ten seconds for a million of them.

import GRDB
import Sweeps

/// Grokking epochs by setting, as many settings as fit a page.
package struct GrokkingTimesPage: Hashable, Sendable {
  /// The sweep's first settings, those without a finished run included.
  package var times: [GrokkingTime]
  /// Settings that come after them.
  package var settingsLeftOut: Int
}

extension Store {
  /// As `grokkingTimes(of:)`, of the first settings only: at most `settings` of them, with at most `points` points
  /// together, but one at least.
  package func grokkingTimesPage(
    of sweep: String, settings limit: Int = 40, points pointLimit: Int = 10_000
  ) throws -> GrokkingTimesPage {
    try read { database in
      let number = try number(ofSweep: sweep, in: database)
      let settings = try Row.fetchAll(
        database, sql: "SELECT label, points FROM setting WHERE sweep = ? ORDER BY position LIMIT ?",
        arguments: [number, limit])
      var (shown, points) = (0, 0)
      for row in settings {
        points += row[1] as Int
        guard shown == 0 || points <= pointLimit else { break }
        shown += 1
      }
      var runs = [[SettingRun]](repeating: [], count: shown)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT sweep_point.setting, run.outcome, run.memorization_epoch, run.grokking_epoch, run.censored_after,
            run.epochs
          FROM sweep_point CROSS JOIN run ON run.point = sweep_point.point
          WHERE sweep_point.sweep = ? AND sweep_point.setting < ?
          """,
        arguments: [number, shown])
      while let row = try rows.next() {
        runs[row[0] as Int].append(
          SettingRun(
            outcome: row[1], memorization: row[2], grokking: row[3], censoredAfter: row[4], epochs: row[5]))
      }
      let total = try Int.fetchOne(
        database, sql: "SELECT max(position) + 1 FROM setting WHERE sweep = ?", arguments: [number])
      return GrokkingTimesPage(
        times: zip(settings, runs).map { GrokkingTime(sweep: sweep, setting: $0[0], points: $0[1], of: $1) },
        settingsLeftOut: max(0, (total ?? shown) - shown))
    }
  }
}

private struct SettingRun {
  let outcome: String
  let memorization: Int?
  let grokking: Int?
  /// nil for a run that grokked.
  let censoredAfter: Int?
  let epochs: Int
}

extension GrokkingTime {
  /// Folds the runs of one setting as the view does.
  fileprivate init(sweep: String, setting: String, points: Int, of runs: [SettingRun]) {
    func count(_ outcome: String) -> Int { runs.count { $0.outcome == outcome } }
    let grokked = runs.compactMap(\.grokking)
    let grokking = KaplanMeier(events: grokked, censored: runs.compactMap(\.censoredAfter))
    let memorization = KaplanMeier(
      events: runs.compactMap(\.memorization), censored: runs.filter { $0.memorization == nil }.map(\.epochs))
    self.init(
      sweep: sweep, setting: setting, points: points, runs: runs.count, grokked: grokked.count,
      censored: runs.count - grokked.count, immediate: count("immediate"), collapsed: count("collapsed"),
      diverged: count("diverged"), medianGrokkingEpoch: grokking.median, medianLow: grokking.low,
      medianHigh: grokking.high, minGrokkingEpoch: grokked.min(), maxGrokkingEpoch: grokked.max(),
      medianMemorizationEpoch: memorization.median)
  }
}
