// Progress while it happens: one line for a run, a bar for a sweep. Lays out text; the command line draws it.

import Grokking
import Sweeps

package enum LiveProgress {
  /// One run: `epoch 1,200/40,000  train 1.2e-05 (100.0 %)  test 5.3 (43.1 %)  110 epochs/s  5 min 52 s to go`.
  ///
  /// - Parameter elapsed: since training began in this process, at epoch `first`.
  package static func line(_ progress: RunProgress, from first: Int = 0, elapsed: Duration) -> String {
    let seconds = elapsed / .seconds(1)
    if progress.stage != .training {
      let share = Double(progress.work) / Double(max(progress.totalWork, 1))
      let what = progress.stage == .replay ? "locating its crossings" : "analysing its evaluations"
      return "\(what)  \(Wording.share(share))"
    }
    var parts = ["epoch \(Wording.grouped(progress.epoch))/\(Wording.grouped(progress.epochs))"]
    parts.append("train \(Wording.loss(progress.trainLoss)) (\(Wording.share(progress.trainAccuracy)))")
    parts.append("test \(Wording.loss(progress.testLoss)) (\(Wording.share(progress.testAccuracy)))")
    if seconds > 0.5, progress.epoch > first {
      let rate = Double(progress.epoch - first) / seconds
      parts.append("\(Wording.rate(rate)) epochs/s")
      parts.append("\(Wording.duration(seconds: Double(progress.epochs - progress.epoch) / rate)) to go")
    }
    return parts.joined(separator: "  ")
  }

  /// `[█████████▌          ]`, filled to `share` (0 to 1), `width` characters between the brackets.
  package static func bar(share: Double, width: Int) -> String {
    let eighths = Int((min(max(share, 0), 1) * Double(width) * 8).rounded(.down))
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    let filled = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    return "[" + filled + String(repeating: " ", count: width - filled.count) + "]"
  }
}
