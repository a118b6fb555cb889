// The figures of a sweep that fill in while it runs: its phase diagram and its survival curves, as the report draws them.
//
// The settings of a sweep, of which there may be thousands, are read again only when the sweep has grown; its runs, a row
// each, whenever it is drawn. Beyond `mostRuns` that would hold up pages, and the report has the figures.

import Figures
import Reports
import Results

/// Confined to whoever owns it.
final class SweepPictures {
  static let mostRuns = 50_000

  private var known: [String: (generation: Int, total: Int, settings: SweepSettings)] = [:]

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
    let subject = SweepSubject(
      settings: try settings(of: progress, in: store, generation), runs: try store.settledRuns(of: name),
      progress: progress)
    let blocks = figures.map { FigureBlock($0.figure(of: subject), data: .none).html }
    return LivePage.Part(name: "figures", heading: heading, markup: blocks.joined(separator: "\n"))
  }

  private func settings(of progress: SweepProgress, in store: Store, _ generation: Int) throws -> SweepSettings {
    if let known = known[progress.sweep], known.generation == generation, known.total == progress.total {
      return known.settings
    }
    let settings = try store.sweepSettings(of: progress.sweep)
    if known.count >= 100 { known = [:] }
    known[progress.sweep] = (generation, progress.total, settings)
    return settings
  }
}
