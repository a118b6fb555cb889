// The page of one sweep, and the lists of its points.

import Figures
import Reports
import Results
import Sweeps

struct SweepPage {
  private let name: String
  private let axes: Place.Axes
  private let glance: StoreGlance
  private let pictures: SweepPictures
  private let generation: Int

  init(_ name: String, _ axes: Place.Axes, _ glance: StoreGlance, _ pictures: SweepPictures, generation: Int) {
    self.name = name
    self.axes = axes
    self.glance = glance
    self.pictures = pictures
    self.generation = generation
  }

  var page: LivePage {
    get throws {
      let progress = try glance.store.sweepProgress(of: name)
      return LivePage(
        .live, title: name, trail: [LivePage.home], lead: "A sweep of \(glance.store.path)",
        parts: [
          facts(progress),
          try pictures.diagram(
            of: progress, axes, in: glance.store, generation: generation, heading: "Phase diagram"),
          try axesPart(progress),
          try pictures.survival(of: progress, in: glance.store, generation: generation),
          try glance.runningPart(of: name),
          try pictures.settingsPart(of: progress, in: glance.store, generation: generation),
          try glance.recentPart(of: name),
          try glance.failures(of: name), more,
        ].compactMap { $0 })
    }
  }

  /// A form that works without script: what was chosen stands in the page's address. A part of its own, as parts in which
  /// somebody is choosing are not replaced. Nil where there is nothing to choose.
  private func axesPart(_ progress: SweepProgress) throws -> LivePage.Part? {
    guard let keys = try pictures.keys(of: progress, in: glance.store, generation: generation), keys.count > 1 else {
      return nil
    }
    func choice(_ side: String, _ label: String, _ chosen: String?) -> String {
      let options = keys.map { key in
        let isChosen = chosen == key.path || chosen == key.name
        return
          "<option value=\"\(Markup.escaped(key.path))\"\(isChosen ? " selected" : "")>\(Markup.escaped(key.name))</option>"
      }
      return
        "<label for=\"axis-\(side)\">\(label)</label> <select id=\"axis-\(side)\" name=\"\(side)\">"
        + "<option value=\"\">as the values suggest</option>\(options.joined())</select>"
    }
    return LivePage.Part(
      name: "axes", heading: "Its axes",
      markup: "<form action=\"\(Markup.escaped(Address.sweep(name)))\" method=\"get\">"
        + "\(choice("x", "To the right", axes.x)) \(choice("y", "Upwards", axes.y)) <button>Draw</button></form>")
  }

  private func facts(_ progress: SweepProgress) -> LivePage.Part {
    let done = progress.finished + progress.failed
    var facts: [(name: String, value: String)] = [
      ("points", "\(Wording.grouped(done)) of \(Wording.grouped(progress.total)) done"),
      ("running", "\(progress.running)"), ("pending", Wording.grouped(progress.pending)),
      ("set aside", "\(progress.failed)"), ("to go", StoreGlance.toGo(progress)),
      ("state", StoreGlance.isDone(progress) ? "done" : progress.state.rawValue),
    ]
    if progress.priority != 0 { facts.append(("priority", "\(progress.priority)")) }
    let all = Cell.link("All its points", to: "\(Address.sweep(name))/points/1")
    return LivePage.Part(
      name: "now", heading: "Now",
      markup: "<p class=\"wide-bar\">\(Cell.bar(done, of: progress.total))</p>\(HTMLPage.facts(facts))<p>\(all)</p>")
  }

  private var more: LivePage.Part {
    let chosen = (axes.x.map { ["--x", $0] } ?? []) + (axes.y.map { ["--y", $0] } ?? [])
    let command =
      ["groksweep", "report", "--store", glance.store.path, "--sweep", name] + chosen + ["-o", "report.html"]
    return LivePage.Part(
      name: "more", heading: "More",
      markup: "<p>All figures of the sweep, as a page to keep: \(Cell.command(command))</p>")
  }
}

/// A hundred points of a sweep, in its order.
struct PointsPage {
  private static let length = 100

  private let name: String
  private let number: Int
  private let store: Store

  /// - Parameter number: from 1.
  init(_ name: String, _ number: Int, _ store: Store) {
    self.name = name
    self.number = number
    self.store = store
  }

  var page: LivePage {
    get throws {
      let total = try store.sweepProgress(of: name).total
      let pages = max(1, (total + Self.length - 1) / Self.length)
      guard number <= pages else {
        return .notFound("The sweep \(name) has \(Wording.count(total, "point")), on \(Wording.count(pages, "page"))")
      }
      let points = try store.listedPoints(of: name, from: (number - 1) * Self.length, Self.length)
      var table = MarkupTable([
        ("", .right), ("Point", .left), ("Setting", .left), ("State", .left), ("Memorized at", .right),
        ("Grokked at", .right), ("Took", .right),
      ])
      for point in points {
        table.append([
          Wording.grouped(point.position + 1), Cell.point(point.point),
          Cell.setting(point.setting, point.modelSeed, point.dataSeed),
          Cell.text(point.outcome ?? (point.state == .failed ? "set aside" : point.state.rawValue)),
          Cell.number(point.memorizationEpoch),
          point.outcome == nil ? "–" : Cell.grokking(point.grokkingEpoch, censoredAfter: point.censoredAfter),
          point.seconds.map { Cell.text(Wording.duration(seconds: $0)) } ?? "–",
        ])
      }
      return LivePage(
        .live, title: "Points of \(name)", trail: [LivePage.home, (name, Address.sweep(name))],
        parts: [LivePage.Part(name: "points", heading: "Page \(number) of \(pages)", markup: table.html + links(pages))]
      )
    }
  }

  private func links(_ pages: Int) -> String {
    let base = "\(Address.sweep(name))/points/"
    var links: [String] = []
    if number > 1 { links += [Cell.link("First", to: base + "1"), Cell.link("Back", to: "\(base)\(number - 1)")] }
    if number < pages {
      links += [Cell.link("On", to: "\(base)\(number + 1)"), Cell.link("Last", to: "\(base)\(pages)")]
    }
    return links.isEmpty ? "" : "<p>\(links.joined(separator: " · "))</p>"
  }
}
