// The figures of a sweep that fill in while it runs: its phase diagram and its survival curves, as the report draws them.
//
// Settings, of which there may be thousands, are read again only when the sweep has grown. Of its runs only those are read
// that came since, and figures are drawn anew only when there are any. Beyond `mostRuns` all that would hold up pages, and the
// report has the figures.

import Figures
import Reports
import Results
import Sweeps

/// Confined to whoever owns it.
final class SweepPictures {
  static let mostRuns = 50_000

  private struct Known {
    /// Of the file.
    let generation: Int
    /// Of the sweep's points, when its settings were read.
    let total: Int
    let settings: SweepSettings
    var runs: [SettledRun] = []
    var points: Set<PointID> = []
    var next: LeaseID?
    var failed: Int
    var parts: [[SweepFigure]: LivePage.Part] = [:]
  }

  private var known: [String: Known] = [:]

  /// The settled runs of a sweep by the places of its settings.
  func runsBySetting(
    of progress: SweepProgress, in store: Store, generation: Int
  ) throws -> (settings: SweepSettings, runs: [[SettledRun]])? {
    guard progress.total <= Self.mostRuns else { return nil }
    let known = try latest(progress, store, generation)
    var runs = [[SettledRun]](repeating: [], count: known.settings.settings.count)
    for run in known.runs where runs.indices.contains(run.setting) { runs[run.setting].append(run) }
    return (known.settings, runs)
  }

  /// - Parameter generation: changes when the store at the path is another one.
  func part(
    _ figures: [SweepFigure], of progress: SweepProgress, in store: Store, generation: Int, heading: String
  ) throws -> LivePage.Part {
    let name = progress.sweep
    guard progress.total <= Self.mostRuns else {
      return LivePage.Part(
        name: "figures", heading: heading,
        markup: "<p class=\"quiet\">\(Wording.grouped(progress.total)) points are too many to draw again and again: "
          + "\(Cell.code("groksweep report --store \(store.path) --sweep \(name) -o report.html"))</p>")
    }
    let latest = try latest(progress, store, generation)
    if let drawn = latest.parts[figures], drawn.heading == heading { return drawn }
    let subject = SweepSubject(settings: latest.settings, runs: latest.runs, progress: progress)
    let blocks = figures.map { FigureBlock($0.figure(of: subject), data: .none).html }
    let part = LivePage.Part(name: "figures", heading: heading, markup: blocks.joined(separator: "\n"))
    known[name]?.parts[figures] = part
    return part
  }

  private func latest(_ progress: SweepProgress, _ store: Store, _ generation: Int) throws -> Known {
    let name = progress.sweep
    var sweep: Known
    if let before = known[name], before.generation == generation, before.total == progress.total {
      sweep = before
      // The copy here would otherwise be a second owner, and every addition copy all.
      known[name] = nil
    } else {
      sweep = Known(
        generation: generation, total: progress.total, settings: try store.sweepSettings(of: name),
        failed: progress.failed)
      if known.count >= 100 { known = [:] }
    }
    var news = try store.newRuns(of: name, from: sweep.next)
    let count = sweep.runs.count
    if sweep.next != nil, news.finished != count + news.runs.count(where: { !sweep.points.contains($0.point) }) {
      sweep.runs = []
      sweep.points = []
      news = try store.newRuns(of: name, from: nil)
    }
    for run in news.runs where sweep.points.insert(run.point).inserted { sweep.runs.append(run) }
    sweep.next = news.next
    if sweep.runs.count != count || sweep.failed != progress.failed { sweep.parts = [:] }
    sweep.failed = progress.failed
    known[name] = sweep
    return sweep
  }
}
