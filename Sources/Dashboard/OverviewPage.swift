// The first page: everything at one glance, what is new first.

import Figures
import Reports
import Results

struct OverviewPage {
  private let glance: StoreGlance
  private let pictures: SweepPictures
  private let generation: Int

  init(_ glance: StoreGlance, _ pictures: SweepPictures, generation: Int) {
    self.glance = glance
    self.pictures = pictures
    self.generation = generation
  }

  var page: LivePage {
    get throws {
      LivePage(
        .live, title: name, lead: glance.store.path,
        parts: [
          glance.facts, glance.sweeps, try glance.runningPart(), try diagram, try glance.recentPart(), glance.machines,
          try glance.failures(), Self.find,
        ].compactMap { $0 })
    }
  }

  /// Of the sweep that is being worked on, or else of the last one.
  private var diagram: LivePage.Part? {
    get throws {
      let sweeps = glance.standing.sweeps
      let isOpen = { (sweep: SweepProgress) in sweep.finished + sweep.failed < sweep.total && sweep.state == .active }
      guard let shown = sweeps.first(where: { $0.running > 0 }) ?? sweeps.first(where: isOpen) ?? sweeps.last else {
        return nil
      }
      return try pictures.diagram(
        of: shown, in: glance.store, generation: generation,
        heading: sweeps.count > 1 ? "The sweep \(shown.sweep)" : "The sweep")
    }
  }

  private var name: String {
    let file = glance.store.path.split(separator: "/").last.map(String.init) ?? glance.store.path
    return file.hasSuffix(".sqlite") ? String(file.dropLast(7)) : file
  }

  private static let find = LivePage.Part(
    name: "find", heading: "Find a point",
    markup: """
      <form action="/find" method="get"><label for="point">The beginning of its id</label> \
      <input id="point" name="point" pattern="[0-9a-f]{1,64}" maxlength="64" autocomplete="off" required> \
      <button>Go</button></form>
      """)
}
