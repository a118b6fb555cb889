// What a store says for people: each sweep's progress, the table of grokking epochs by setting, failures.
//
// Reads `Results` and lays out text; decides nothing and writes nothing.

import Results

/// A sweep as `groksweep status` prints it.
package struct StatusPage {
  package let progress: SweepProgress
  package let grokkingTimes: [GrokkingTime]
  /// Settings that `grokkingTimes` has not.
  package let settingsLeftOut: Int
  package let failures: [FailedPoint]

  /// - Parameter allSettings: false: only the first ones, in a time that does not grow with the sweep.
  package init(_ sweep: String, in store: Store, allSettings: Bool = true) throws {
    progress = try store.sweepProgress(of: sweep)
    if allSettings {
      grokkingTimes = try store.grokkingTimes(of: sweep)
      settingsLeftOut = 0
    } else {
      let page = try store.grokkingTimesPage(of: sweep)
      grokkingTimes = page.times
      settingsLeftOut = page.settingsLeftOut
    }
    failures = try store.failures(of: sweep)
  }

  /// Failures listed in full before the rest is only counted.
  private static let shownFailures = 10

  package var text: String {
    var parts = [headline]
    if grokkingTimes.contains(where: { $0.runs > 0 }) { parts.append(table.text) }
    if progress.finished > 0, settingsLeftOut > 0 {
      parts.append(
        "… and \(Wording.count(settingsLeftOut, "setting")) after these: --json, or the store's view grokking_times")
    }
    if !failures.isEmpty {
      var lines = ["Without a result:"]
      for failure in failures.prefix(Self.shownFailures) { lines.append("  \(failure.id.short)  \(failure.reason)") }
      if failures.count > Self.shownFailures { lines.append("  … and \(failures.count - Self.shownFailures) more") }
      parts.append(lines.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  /// `quickstart: 12 of 12 points finished` and what else there is.
  package var headline: String {
    var states = ["\(progress.finished) of \(Wording.count(progress.total, "point")) finished"]
    if progress.running > 0 { states.append("\(progress.running) running") }
    if progress.pending > 0 { states.append("\(progress.pending) waiting") }
    if progress.failed > 0 { states.append("\(progress.failed) failed") }
    if progress.running > 0, let eta = progress.etaSeconds {
      let those = progress.isRefining ? " for these points" : ""
      states.append("about \(Wording.duration(seconds: eta)) to go\(those)")
    }
    if progress.isRefining { states.append("refining: more come where the outcome changes") }
    return "\(progress.sweep): \(states.joined(separator: ", "))"
  }

  /// Grokking epochs by setting, seeds folded.
  private var table: TextTable {
    var table = TextTable([
      ("setting", .left), ("runs", .right), ("grokked", .right), ("censored", .right), ("memorized at", .right),
      ("grokked at (median)", .right), ("min", .right), ("max", .right),
    ])
    for row in grokkingTimes where row.runs > 0 {
      table.append([
        row.setting.isEmpty ? "(all points)" : row.setting, "\(row.runs)", "\(row.grokked)", "\(row.censored)",
        Wording.epoch(row.medianMemorizationEpoch), Wording.epoch(row.medianGrokkingEpoch),
        Wording.epoch(row.minGrokkingEpoch),
        Wording.epoch(row.maxGrokkingEpoch),
      ])
    }
    return table
  }
}
