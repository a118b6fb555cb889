// A sweep while it runs, as lines: a bar for the whole, a line for each running point. Lays out text only.

import Grokking
import Sweeps

package enum SweepScreen {
  /// Running points shown before the rest is only counted.
  private static let shownPoints = 16

  /// The live lines of a terminal.
  ///
  /// - Parameter settings: what to call a point; its id's first digits where it has no name.
  package static func lines(_ overview: SchedulerOverview, sweep: String, settings: [PointID: String]) -> [String] {
    let done = overview.finished + overview.failed
    let share = overview.total == 0 ? 1 : Double(done) / Double(overview.total)
    var lines = ["\(LiveProgress.bar(share: share, width: 24)) \(sentence(overview, sweep: sweep))"]
    for running in overview.running.prefix(shownPoints) {
      lines.append("  \(running.point.short)  \(line(running, setting: settings[running.point]))")
    }
    if overview.running.count > shownPoints {
      lines.append("  … and \(overview.running.count - shownPoints) more")
    }
    return lines
  }

  /// `quickstart: 5/12 points, 2 running, 1 min 05 s to go (50 s to 1 min 25 s)`.
  package static func sentence(_ overview: SchedulerOverview, sweep: String) -> String {
    var parts = ["\(overview.finished + overview.failed)/\(Wording.count(overview.total, "point"))"]
    if !overview.running.isEmpty { parts.append("\(overview.running.count) running") }
    if overview.failed > 0 { parts.append("\(overview.failed) failed") }
    if overview.awaited > 0 { parts.append("\(overview.awaited) awaiting their workers' return") }
    if overview.isPaused { parts.append("paused: the store cannot be written") }
    if overview.workers == 0 && overview.finished + overview.failed < overview.total { parts.append("no workers") }
    if let remaining = overview.remaining, remaining.seconds > 0 { parts.append(Wording.toGo(remaining)) }
    return "\(sweep): \(parts.joined(separator: ", "))"
  }

  private static func line(_ running: RunningPoint, setting: String?) -> String {
    var parts: [String] = []
    if let setting, !setting.isEmpty { parts.append(setting) }
    guard let progress = running.progress else {
      return (parts + ["starting on \(running.host)"]).joined(separator: "  ")
    }
    if progress.stage != .training {
      parts.append("analysing")
    } else {
      parts.append("epoch \(Wording.grouped(progress.epoch))/\(Wording.grouped(progress.epochs))")
      parts.append("train \(Wording.loss(progress.trainLoss))")
      parts.append("test \(Wording.loss(progress.testLoss)) (\(Wording.share(progress.testAccuracy)))")
    }
    if running.epochsPerSecond > 0 { parts.append("\(Wording.rate(running.epochsPerSecond)) epochs/s") }
    return parts.joined(separator: "  ")
  }
}
