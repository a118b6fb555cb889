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

  private struct Drawing: Hashable {
    var figure: SweepFigure
    var axes: DiagramAxes
  }

  /// More diagrams of one sweep than anybody looks at at once.
  private static let mostDrawings = 12

  private struct Known {
    /// Of the file.
    let generation: Int
    /// As of the last look: with it unchanged no run has come.
    var progress: SweepProgress
    let settings: SweepSettings
    var runs: [SettledRun] = []
    var points: Set<PointID> = []
    var next: LeaseID?
    /// With how many of the runs, and how many points that are set aside.
    var drawn: [Drawing: (markup: String, runs: Int, failed: Int)] = [:]
    /// Of all of the runs.
    var settingsPart: LivePage.Part?
  }

  private var known: [String: Known] = [:]

  /// The table of a sweep's first settings.
  func settingsPart(of progress: SweepProgress, in store: Store, generation: Int) throws -> LivePage.Part {
    let heading = "When its settings grok"
    guard progress.total <= Self.mostRuns else {
      return LivePage.Part(
        name: "settings", heading: heading, markup: Cell.paragraph("In the view grokking_times of the store."))
    }
    let latest = try latest(progress, store, generation)
    if let made = latest.settingsPart { return made }
    let part = LivePage.Part(
      name: "settings", heading: heading, markup: SettingsTable(latest.settings, latest.runs).html)
    known[progress.sweep]?.settingsPart = part
    return part
  }

  /// A figure that is drawn anew with every run that comes.
  ///
  /// - Throws: `DiagramAxesError` for axes that the sweep does not have.
  func diagram(
    of progress: SweepProgress, _ axes: Place.Axes = Place.Axes(), in store: Store, generation: Int, heading: String
  ) throws -> LivePage.Part {
    LivePage.Part(
      name: "diagram", heading: heading,
      markup: try markup(.phaseDiagram, axes, of: progress, in: store, generation: generation, from: 0))
  }

  /// Curves of thousands of runs take a while to draw and hardly move: they are drawn anew with every hundredth of the runs.
  func survival(of progress: SweepProgress, in store: Store, generation: Int) throws -> LivePage.Part {
    LivePage.Part(
      name: "survival", heading: "Not grokked yet",
      markup: try markup(.survival, Place.Axes(), of: progress, in: store, generation: generation, from: 0.01))
  }

  /// What its settings differ in; nil when its figures are not drawn.
  func keys(of progress: SweepProgress, in store: Store, generation: Int) throws -> [SweptKey]? {
    guard progress.total <= Self.mostRuns else { return nil }
    return try latest(progress, store, generation).settings.keys
  }

  /// - Parameters:
  ///   - generation: changes when the store at the path is another one.
  ///   - share: of the runs that were drawn, so many more have to have come.
  private func markup(
    _ figure: SweepFigure, _ axes: Place.Axes, of progress: SweepProgress, in store: Store, generation: Int,
    from share: Double
  ) throws -> String {
    guard progress.total <= Self.mostRuns else {
      let report = ["groksweep", "report", "--store", store.path, "--sweep", progress.sweep, "-o", "report.html"]
      return "<p class=\"quiet\">\(Wording.grouped(progress.total)) points are too many to draw again and again: "
        + "\(Cell.command(report))</p>"
    }
    let latest = try latest(progress, store, generation)
    let count = latest.runs.count
    let drawing = Drawing(figure: figure, axes: try DiagramAxes(x: axes.x, y: axes.y, of: latest.settings))
    if let drawn = latest.drawn[drawing], drawn.failed == progress.failed,
      count == drawn.runs || (count < progress.total && Double(count - drawn.runs) < share * Double(drawn.runs))
    {
      return drawn.markup
    }
    var subject = SweepSubject(settings: latest.settings, runs: latest.runs, progress: progress)
    subject.axes = drawing.axes
    subject.hasData = false
    let markup = FigureBlock(figure.figure(of: subject), data: .none).html
    if latest.drawn.count >= Self.mostDrawings { known[progress.sweep]?.drawn = [:] }
    known[progress.sweep]?.drawn[drawing] = (markup, count, progress.failed)
    return markup
  }

  private func latest(_ progress: SweepProgress, _ store: Store, _ generation: Int) throws -> Known {
    let name = progress.sweep
    var sweep: Known
    if let before = known[name], before.generation == generation, before.progress.total == progress.total {
      if before.progress == progress, before.next != nil { return before }
      sweep = before
      sweep.progress = progress
      // The copy here would otherwise be a second owner, and every addition copy all.
      known[name] = nil
    } else {
      sweep = Known(
        generation: generation, progress: progress, settings: try store.sweepSettings(of: name))
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
    if sweep.runs.count != count { sweep.settingsPart = nil }
    known[name] = sweep
    return sweep
  }
}

/// When the first settings of a sweep grokked, as far as is known.
private struct SettingsTable {
  private static let shown = 40

  private let settings: SweepSettings
  private let runs: [[SettledRun]]

  init(_ settings: SweepSettings, _ all: [SettledRun]) {
    self.settings = settings
    var runs = [[SettledRun]](repeating: [], count: min(Self.shown, settings.settings.count))
    for run in all where runs.indices.contains(run.setting) { runs[run.setting].append(run) }
    self.runs = runs
  }

  var html: String {
    var table = MarkupTable([
      ("Setting", .left), ("Runs", .right), ("Grokked", .right), ("Median epoch", .right), ("95 % interval", .right),
      ("First", .right), ("Last", .right),
    ])
    for (setting, runs) in zip(settings.settings, runs) {
      let epochs = runs.compactMap(\.grokkingEpoch)
      let times = KaplanMeier(events: epochs, censored: runs.compactMap(\.censoredAfter))
      let bounds =
        switch (times.low, times.high) {
        case (nil, nil): "–"
        case (let low?, nil): "from \(Wording.grouped(low))"
        case (nil, let high?): "to \(Wording.grouped(high))"
        case (let low?, let high?): "\(Wording.grouped(low)) to \(Wording.grouped(high))"
        }
      table.append([
        Cell.text(setting.label.isEmpty ? "(seeds only)" : setting.label), "\(runs.count)/\(setting.points)",
        "\(epochs.count)", Cell.number(times.median), bounds, Cell.number(epochs.min()), Cell.number(epochs.max()),
      ])
    }
    let more = settings.settings.count - runs.count
    guard more > 0 else { return table.html }
    return table.html
      + Cell.paragraph("… and \(Wording.count(more, "setting")) more: in the view grokking_times of the store.")
  }
}
