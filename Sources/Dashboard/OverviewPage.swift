// The first page: everything at one glance, what is new first.

import Figures
import Reports
import Results

struct OverviewPage {
  private let glance: StoreGlance

  init(_ glance: StoreGlance) { self.glance = glance }

  var page: LivePage {
    get throws {
      LivePage(
        .live, title: name, lead: glance.store.path,
        parts: [
          glance.facts, glance.sweeps, try glance.runningPart(), try glance.recentPart(), glance.machines,
          try glance.failures(), Self.find,
        ])
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
