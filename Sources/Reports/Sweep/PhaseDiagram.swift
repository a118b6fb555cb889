// When runs grok, over the swept values: a map of two of them, repeated for the values of others.
//
// A cell without a median is never coloured: under half of its runs had grokked when they ended, so that the median
// is only known to be later. It is hatched, and says how many of its runs did.

import Figures
import Results
import Sweeps

extension SweepSubject {
  var phaseDiagram: Drawn {
    let plan = DiagramPlan(settings, axes)
    return plan.y == nil ? diagramOfOneAxis(plan.x) : map(plan)
  }

  /// Why there is no such figure; nil when there is.
  var phaseDiagramAbsence: String? {
    runsAbsence
      ?? (settings.keys.isEmpty
        ? "Only seeds are swept, so there is nothing over which to draw this; the survival curve has the runs' grokking epochs."
        : settings.keys.count == 1 && runs.allSatisfy { $0.outcome == "diverged" }
          ? "Every run diverged: there are no grokking epochs to draw." : nil)
  }

  private func map(_ plan: DiagramPlan) -> Drawn {
    let (x, y) = (plan.x, plan.y!)
    let size = x.count * y.count
    var cells = [FoldedRuns](repeating: FoldedRuns(), count: size * plan.facets.count)
    for (setting, folded) in foldedSettings.enumerated() {
      let place = plan.facetOfSetting[setting] * size + y.ofSetting[setting] * x.count + x.ofSetting[setting]
      cells[place].points += folded.points
      cells[place].runs += folded.runs
    }
    let times = cells.map(\.times)
    let medians = times.map(\.median)
    let known = medians.compactMap { $0 }.filter { $0 > 0 }
    let isLogarithmic = Double(known.max() ?? 1) >= 5 * Double(known.min() ?? 1)
    func words(_ place: Int) -> String {
      let within = place % size
      let axes = "\(x.words(within % x.count)), \(y.words(within / x.count))"
      let facet = plan.facets[place / size]
      return facet.isEmpty ? axes : "\(axes), \(facet)"
    }
    let shown = Self.evenly(plan.facets.count, DiagramPlan.mostFacets)
    let panels = shown.map { facet in
      Panel(
        title: plan.facets.count > 1 ? plan.facetTitles[facet] : nil, x: Axis(x.title, .bands(x.labels)),
        y: Axis(y.title, .bands(y.labels)),
        marks: [
          .cells(
            Cells(
              columns: x.count, rows: y.count,
              cells: (facet * size..<(facet + 1) * size).map { place in
                let cell = cells[place]
                guard !cell.runs.isEmpty else { return Cells.Cell(nil) }
                return Cells.Cell(
                  medians[place].map(Double.init), isHatched: medians[place] == nil, text: cell.count,
                  title: "\(words(place)): \(cell.words(times[place]))")
              }, valueTitle: "Median epoch", isLogarithmic: isLogarithmic,
              hatching: "no median: under half had grokked"))
        ])
    }
    let finished = cells.indices.filter { !cells[$0].runs.isEmpty }
    return Drawn(
      caption: mapCaption(plan, cells, medians, words) + unfinishedSentence, panels: panels,
      columns: shown.count == 1 ? 1 : x.count * 44 < 300 ? 3 : 2,
      shape: .height(min(max(Double(y.count) * 34, 110), 460)),
      table: table(finished.map { cells[$0] }) { row in
        let (within, facet) = (finished[row] % size, finished[row] / size)
        return [(x.title, x.labels[within % x.count]), (y.title, y.labels[within / x.count])]
          + (plan.facets.count > 1 ? [("facet", plan.facets[facet])] : [])
      })
  }

  private func mapCaption(
    _ plan: DiagramPlan, _ cells: [FoldedRuns], _ medians: [Int?], _ words: (Int) -> String
  ) -> String {
    var text =
      "Median epoch at which runs grok (Kaplan and Meier's, so that runs that ended before they grokked count as not there yet); "
      + "in each cell, where there is room, how many of its finished runs grokked. Look for the edge between coloured and hatched cells, and for "
      + "medians that grow towards it."
    let ranked = cells.indices.filter { medians[$0] != nil }.sorted { (medians[$0]!, $0) < (medians[$1]!, $1) }
    if let first = ranked.first, let last = ranked.last {
      text += " Earliest: \(words(first)), \(Wording.grouped(medians[first]!))"
      text += first == last ? "." : "; latest: \(words(last)), \(Wording.grouped(medians[last]!))."
    }
    let finished = cells.count { !$0.runs.isEmpty }
    let without = finished - ranked.count
    switch (without, finished) {
    case (_, 0): break
    case (0, cells.count): text += " Every cell has a median."
    case (0, _): text += " Each of the \(finished) cells with finished runs has a median, of \(cells.count)."
    default: text += " Without a median: \(without) of \(finished) cells with finished runs."
    }
    return text + plan.words
  }

  /// Settings, or what was put together of them, with the statistics of their runs.
  func table(_ groups: [FoldedRuns], _ names: (Int) -> [(name: String, value: String)]) -> DataTable {
    guard hasData else { return DataTable(columns: [], rows: []) }
    let columns = groups.isEmpty ? [] : names(0).map(\.name)
    return DataTable(
      columns: columns + [
        "points", "runs", "grokked", "censored", "median_grokking_epoch", "median_low", "median_high",
        "min_grokking_epoch", "max_grokking_epoch",
      ],
      rows: groups.enumerated().map { row, group in
        let (times, grokked) = (group.times, group.grokked)
        let measured: [DataTable.Value] = [
          .init(group.points), .init(group.runs.count), .init(grokked.count), .init(group.runs.count - grokked.count),
          .init(times.median), .init(times.low), .init(times.high), .init(grokked.min()), .init(grokked.max()),
        ]
        return names(row).map { name, value in Double(value).map { .number($0) } ?? .text(value) } + measured
      })
  }
}

/// Which swept values are the axes of a map, which repeat it, and which are put together in its cells.
struct DiagramPlan {
  static let mostFacets = 12
  private static let mostColumns = 32
  /// A further axis with more values repeats nothing: nobody reads so many maps, and as an axis of the map it is in one.
  private static let mostValuesOfFacets = 6

  let x: AxisLevels
  /// Nil where one axis is all there is.
  let y: AxisLevels?
  /// What is said of each repetition, along their values; one empty text when there is one.
  private(set) var facets = [""]
  /// The same over a panel: of several values these alone, as their names would not fit.
  private(set) var facetTitles = [""]
  private(set) var facetOfSetting: [Int]
  /// What repeats the map, and what does not.
  private let facetNames: [String]
  private let folded: [String]

  /// - Precondition: something is swept.
  init(_ settings: SweepSettings, _ axes: DiagramAxes = .suggested) {
    let all = settings.keys.map { AxisLevels($0, limit: DiagramPlan.mostColumns) }
    // Numbers before names, and of those the ones with the most values.
    let order = all.indices.sorted {
      let (a, b) = (all[$0], all[$1])
      return (a.numbers == nil ? 1 : 0, -a.count, $0) < (b.numbers == nil ? 1 : 0, -b.count, $1)
    }
    let across = axes.x ?? order.first { $0 != axes.y } ?? order[0]
    let upwards = axes.y ?? order.first { $0 != across }
    x = all[across]
    y = upwards.map { all[$0] }
    let rest = all.indices.filter { $0 != across && $0 != upwards }.map { all[$0] }
    let facetAxes = rest.filter { !$0.isBinned && $0.count <= DiagramPlan.mostValuesOfFacets }
    folded = rest.filter { $0.isBinned || $0.count > DiagramPlan.mostValuesOfFacets }.map(\.title)
    facetNames = facetAxes.map(\.title)
    facetOfSetting = settings.settings.map { _ in 0 }
    guard !facetAxes.isEmpty else { return }
    // A number for each combination of values, so that maps follow each other along them, whatever the settings' order.
    let numbers = settings.settings.indices.map { setting in
      facetAxes.reduce(0) { $0 &* $1.count &+ $1.ofSetting[setting] }
    }
    var examples: [Int: Int] = [:]
    for (setting, number) in numbers.enumerated() where examples[number] == nil { examples[number] = setting }
    let combinations = examples.keys.sorted()
    let places = Dictionary(uniqueKeysWithValues: combinations.enumerated().map { ($1, $0) })
    facetOfSetting = numbers.map { places[$0]! }
    let labels = combinations.map { number in facetAxes.map { ($0, $0.ofSetting[examples[number]!]) } }
    facets = labels.map { $0.map { axis, level in axis.words(level) }.joined(separator: ", ") }
    facetTitles =
      facetAxes.count == 1
      ? facets : labels.map { $0.map { axis, level in axis.labels[level] }.joined(separator: " · ") }
  }

  /// What the drawing does with further values, and what it leaves out, in sentences.
  var words: String {
    var text = ""
    switch facetNames.count {
    case 0: break
    case 1: text += " There is a map for each value of \(facetNames[0])."
    default:
      text +=
        " There is a map for each combination of further values. Over each map stand its values of "
        + "\(facetNames.joined(separator: " · "))."
    }
    if facets.count > DiagramPlan.mostFacets {
      text += " Shown are \(DiagramPlan.mostFacets) of \(facets.count) maps, evenly chosen; the table has all."
    }
    if !folded.isEmpty {
      text +=
        " Cells hold runs of all values of \(folded.joined(separator: " and ")), which \(folded.count == 1 ? "has" : "have") too "
        + "many to repeat the map for each, so that medians are of different settings put together; as an axis, values are told apart."
    }
    if [x, y].contains(where: { $0?.isBinned == true }) { text += " Sampled values are put together in bins." }
    return text
  }
}
