// Shows a coordinator's overview: redrawn lines on a terminal, a line for each finished point in a pipe.

import Reports
import Sweeps

final class SweepDisplay {
  private let sweep: String
  private let settings: [PointID: String]
  private let screen: Screen
  private var lastDone = -1

  /// - Parameter settings: what to call each point.
  init(sweep: String, settings: [PointID: String], screen: Screen) {
    self.sweep = sweep
    self.settings = settings
    self.screen = screen
  }

  func show(_ overview: SchedulerOverview) {
    if screen.isLive {
      screen.show(SweepScreen.lines(overview, sweep: sweep, settings: settings))
    } else {
      let done = overview.finished + overview.failed
      if lastDone >= 0 && done != lastDone { screen.remark(SweepScreen.sentence(overview, sweep: sweep)) }
      lastDone = done
    }
  }
}
