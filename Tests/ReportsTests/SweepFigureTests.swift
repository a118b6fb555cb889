// Figures of a sweep by structure: which cells, lines, dots and words they have, for every kind of sweep that there is.

import Figures
import Foundation
import Grokking
import Reports
import Results
import Sweeps
import Testing

@Suite struct SweepFigureTests {
  private func figure(_ name: SweepFigure, _ fixture: SweepStore, _ sweep: String = "decay") throws -> Figure {
    name.figure(of: try SweepSubject(sweep, in: fixture.store))
  }

  private func map(_ panel: Panel) -> Cells? {
    panel.marks.compactMap { if case .cells(let cells) = $0 { cells } else { nil } }.first
  }

  /// Two weight decays, three train fractions, two seeds: medians 200 to 700, but for one setting that never groks.
  private func grid() throws -> SweepStore {
    let fixture = try SweepStore()
    let points = try fixture.register(
      SweepStore.grid([0.5, 2], [0.3, 0.4, 0.5]), axes: ["training.weight_decay", "task.train_fraction", "seed"])
    for (index, point) in points.enumerated() where index != 11 {
      try fixture.finish(point, index / 2 == 0 ? SweepStore.censored : SweepStore.grokked(200 + index / 2 * 100))
    }
    return fixture
  }

  @Test func `a map has a cell for every two values, with its median and its count, hatched where there is none`()
    throws
  {
    let fixture = try grid()
    let drawn = try figure(.phaseDiagram, fixture)
    let panel = try #require(drawn.panels.first)
    #expect(drawn.panels.count == 1)
    #expect(panel.x == Axis("train_fraction", .bands(["0.3", "0.4", "0.5"])))
    #expect(panel.y == Axis("weight_decay", .bands(["0.5", "2"])))
    let cells = try #require(map(panel))
    #expect(cells.cells.map(\.value) == [nil, 300, 400, 500, 600, 700])
    #expect(cells.cells.map(\.isHatched) == [true, false, false, false, false, false])
    #expect(cells.cells.map(\.text) == ["0/2", "2/2", "2/2", "2/2", "2/2", "1/1"])
    #expect(
      cells.cells[0].title
        == "train_fraction 0.3, weight_decay 0.5: 0 of 2 runs grokked; no median: half had not grokked, followed to epoch 1,000"
    )
    #expect(cells.cells[5].title.hasSuffix("; 1 of 2 points not finished"))
    #expect(drawn.caption.contains("Earliest: train_fraction 0.4, weight_decay 0.5, 300"))
    #expect(drawn.caption.contains("Without a median: 1 of 6 cells with finished runs."))
    #expect(drawn.caption.hasSuffix("So far 11 of 12 points are finished."))
    #expect(drawn.table.rows.count == 6)
    #expect(drawn.table.columns.prefix(2) == ["train_fraction", "weight_decay"])
    let svg = drawn.svg()
    for words in ["0.3", "weight_decay", "Median epoch", "0/2", "url(#"] { #expect(svg.contains(words), "\(words)") }
  }

  @Test func `one swept value is an axis, with runs, medians and intervals, and a ring where there is no median`()
    throws
  {
    let fixture = try SweepStore()
    let points = try fixture.register(
      SweepStore.grid([0.1, 1, 3], [0.5]), axes: ["training.weight_decay"], seeds: 3)
    for (index, point) in points.enumerated() {
      try fixture.finish(point, index < 3 ? SweepStore.censored : SweepStore.grokked(1000 - 80 * index))
    }
    let panel = try #require(try figure(.phaseDiagram, fixture).panels.first)
    #expect(panel.x == Axis("weight_decay", .logarithmic, including: [0.1, 3]))
    let scatters = panel.marks.compactMap { if case .scatter(let scatter) = $0 { scatter } else { nil } }
    #expect(scatters.map(\.dots.count) == [6, 2, 1])
    #expect(scatters[2].dots[0].shape == .ring)
    #expect(scatters[2].dots[0].y == 1000)
    let intervals = panel.marks.compactMap { if case .line(let line) = $0 { line } else { nil } }
    #expect(intervals.count == 2)
    #expect(intervals.allSatisfy { $0.isDashed }, "three runs bound no median from above")
  }

  @Test func `of five axes two are drawn, and the others repeat the map`() throws {
    let fixture = try SweepStore()
    var settings: [Experiment] = []
    for base in SweepStore.grid([0.5, 1, 2], [0.3, 0.4, 0.5]) {
      for (rate, operation, decay) in [(0.001, Grokking.Operation.add, 0.9), (0.002, .subtract, 0.95)] {
        for beta in [0.98, 0.999] {
          var setting = base
          (setting.training.learningRate, setting.task.operation, setting.training.beta2) = (rate, operation, beta)
          setting.training.beta1 = decay
          settings.append(setting)
        }
      }
    }
    let points = try fixture.register(settings, seeds: 1)
    for (index, point) in points.enumerated() { try fixture.finish(point, SweepStore.grokked(200 + index)) }
    let drawn = try figure(.phaseDiagram, fixture)
    // learning_rate, operation and beta1 change together: one axis, which is named by all three.
    #expect(drawn.panels.count == 4)
    #expect(drawn.panels.allSatisfy { map($0)?.cells.count == 9 })
    #expect(drawn.panels[0].title == "add · 0.98")
    #expect(drawn.caption.contains("Over each map stand its values of operation (with learning_rate, beta1) · beta2."))
    #expect(try figure(.survival, fixture).panels.count <= 12)
  }

  /// Weight decays × train fractions × rates, one seed, all grokked.
  private func threeAxes(rates: Int) throws -> SweepStore {
    let fixture = try SweepStore()
    let settings = (0..<rates).reversed().flatMap { rate in
      SweepStore.grid([0.5, 1, 2], [0.3, 0.4]).map { base in
        var setting = base
        setting.training.learningRate = 0.001 * Double(rate + 1)
        return setting
      }
    }
    for (index, point) in try fixture.register(settings, seeds: 1).enumerated() {
      try fixture.finish(point, SweepStore.grokked(200 + index))
    }
    return fixture
  }

  private func diagram(_ fixture: SweepStore, x: String?, y: String?) throws -> Figure {
    var subject = try SweepSubject("decay", in: fixture.store, for: [.phaseDiagram])
    subject.axes = try DiagramAxes(x: x, y: y, of: subject.settings)
    return SweepFigure.phaseDiagram.figure(of: subject)
  }

  @Test func `a map has the axes that were asked for, and another value repeats it along its own order`() throws {
    let fixture = try threeAxes(rates: 3)
    let drawn = try diagram(fixture, x: "train_fraction", y: "training.learning_rate")
    #expect(drawn.panels.map(\.title) == ["weight_decay 0.5", "weight_decay 1", "weight_decay 2"])
    #expect(drawn.panels.allSatisfy { $0.x == Axis("train_fraction", .bands(["0.3", "0.4"])) })
    #expect(drawn.panels.allSatisfy { $0.y == Axis("learning_rate", .bands(["0.001", "0.002", "0.003"])) })
    #expect(drawn.caption.contains("There is a map for each value of weight_decay."))
    let one = try diagram(fixture, x: nil, y: "weight_decay")
    #expect(one.panels[0].y.title == "weight_decay" && one.panels[0].x.title == "learning_rate")
    #expect(one.panels.map(\.title) == ["train_fraction 0.3", "train_fraction 0.4"])
    let (suggested, plain) = (try diagram(fixture, x: nil, y: nil), try figure(.phaseDiagram, fixture))
    #expect(suggested == plain)
    // Settings came with their rates descending; maps follow each other along them all the same.
    let across = try diagram(fixture, x: "weight_decay", y: "train_fraction")
    #expect(across.panels.map(\.title) == ["learning_rate 0.001", "learning_rate 0.002", "learning_rate 0.003"])
  }

  @Test func `a value with very many levels is put together in the cells, and the caption says what that means`() throws
  {
    let drawn = try diagram(try threeAxes(rates: 7), x: "weight_decay", y: "train_fraction")
    #expect(drawn.panels.count == 1)
    #expect(map(drawn.panels[0])?.cells.map(\.text) == Array(repeating: "7/7", count: 6))
    #expect(drawn.caption.contains("Cells hold runs of all values of learning_rate, which has too many"))
  }

  private static let wrongAxes: [(x: String?, y: String?, words: String)] = [
    ("decay", nil, "does not sweep \"decay\"; what it sweeps is training.weight_decay, task.train_fraction"),
    (nil, "weight_deacy", "did you mean weight_decay? what it sweeps is"),
    ("weight_decay", "training.weight_decay", "training.weight_decay cannot be both axes"),
    ("seed", nil, "seeds are no axis of a phase diagram"), ("", nil, "does not sweep \"\""),
    ("a\nb", nil, "does not sweep \"a\\nb\""),
  ]

  @Test(arguments: wrongAxes) func `axes that a sweep does not have are refused with those that it has`(
    _ x: String?, _ y: String?, _ words: String
  ) throws {
    let settings = try SweepSubject("decay", in: try grid().store, for: []).settings
    let error = #expect(throws: DiagramAxesError.self) { try DiagramAxes(x: x, y: y, of: settings) }
    #expect(error.map { "\($0)".contains(words) } == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func `where one value or none is swept there is no second axis to choose`() throws {
    let one = try SweepStore()
    try one.register(SweepStore.grid([0.5, 1], [0.3]))
    let settings = try SweepSubject("decay", in: one.store, for: []).settings
    #expect(try DiagramAxes(x: "weight_decay", y: nil, of: settings) != .suggested)
    let alone = #expect(throws: DiagramAxesError.self) { try DiagramAxes(x: nil, y: "weight_decay", of: settings) }
    #expect(alone?.description.contains("sweeps training.weight_decay alone") == true)
    let none = try SweepStore()
    try none.register([SweepStore.experiment])
    let seeds = try SweepSubject("decay", in: none.store, for: []).settings
    let error = #expect(throws: DiagramAxesError.self) { try DiagramAxes(x: "weight_decay", y: nil, of: seeds) }
    #expect(error?.description.hasSuffix("this sweep sweeps seeds alone") == true)
  }

  @Test func `sampled values are put together in bins, and none is lost`() throws {
    let fixture = try SweepStore()
    let settings = (0..<50).map { index in
      var setting = SweepStore.experiment
      setting.training.weightDecay = 0.3 * pow(2, Double(index) / 10)
      setting.task.trainFraction = 0.3 + Double(index * 7 % 50) / 125
      return setting
    }
    let points = try fixture.register(settings, seeds: 1)
    for (index, point) in points.enumerated() { try fixture.finish(point, SweepStore.grokked(200 + 10 * index)) }
    let drawn = try figure(.phaseDiagram, fixture)
    let panel = try #require(drawn.panels.first)
    let cells = try #require(map(panel))
    #expect((cells.columns, cells.rows) == (6, 6))
    let counted = cells.cells.compactMap { $0.text?.split(separator: "/").last.flatMap { Int($0) } }.reduce(0, +)
    #expect(counted == 50)
    #expect(drawn.caption.contains("Sampled values are put together in bins."))
    #expect(try figure(.survival, fixture).panels.first?.marks.count == 6)
  }

  @Test func `where only seeds are swept there is no map, but a survival curve`() throws {
    let fixture = try SweepStore()
    let points = try fixture.register([SweepStore.experiment], seeds: 4)
    for (index, point) in points.enumerated() { try fixture.finish(point, SweepStore.grokked(200 + 100 * index)) }
    #expect(try figure(.phaseDiagram, fixture).absence?.hasPrefix("Only seeds are swept") == true)
    let panel = try #require(try figure(.survival, fixture).panels.first)
    let lines = panel.marks.compactMap { if case .line(let line) = $0 { line } else { nil } }
    #expect(lines.map(\.shape) == [.steps])
    #expect(lines[0].points.map(\.y) == [1, 0.75, 0.5, 0.25, 0])
    #expect(lines[0].points.dropFirst().map(\.x) == [200, 300, 400, 500])
    let rows = try figure(.survival, fixture).table.rows
    #expect(rows.map { $0[1] } == [0, 200, 300, 400, 500].map { .number($0) }, "from all of them on")
  }

  @Test func `of a sweep in which nothing grokked, every figure says so or shows it`() throws {
    let fixture = try SweepStore()
    for point in try fixture.register(SweepStore.grid([0.5, 2], [0.3, 0.4])) {
      try fixture.finish(point, SweepStore.censored)
    }
    #expect(try map(figure(.phaseDiagram, fixture).panels[0])?.cells.allSatisfy { $0.isHatched } == true)
    #expect(
      try figure(.predictors, fixture).absence == "No run of this sweep has grokked, so there is nothing to foretell.")
    #expect(try figure(.seedSpread, fixture).absence?.hasPrefix("No setting has two runs that grokked") == true)
    #expect(try figure(.survival, fixture).caption.contains("0 of 8 runs grokked."))
    let ends = try figure(.survival, fixture).table.rows.map { Array($0[1...2]) }
    #expect(ends.contains([.number(1000), .number(1)]), "curves that stay up are in the data")
    for name in SweepFigure.allCases {
      let drawn = try figure(name, fixture)
      #expect(drawn.absence != nil || !drawn.isEmpty, "\(name)")
    }
  }

  @Test func `of a sweep without a finished run, every figure is a sentence`() throws {
    let fixture = try SweepStore()
    try fixture.register(SweepStore.grid([0.5, 2], [0.3, 0.4]))
    for name in SweepFigure.allCases where name != .criticalValues {
      #expect(try figure(name, fixture).absence == "No run of this sweep has finished yet (8 points).", "\(name)")
    }
  }

  @Test func `diverged runs are counted as such, and have no curves to trip over`() throws {
    let fixture = try SweepStore()
    for point in try fixture.register(SweepStore.grid([0.5, 2], [0.5])) {
      try fixture.finish(
        point, SweepStore.result(.diverged(at: 3, memorization: nil, grokking: nil), epochs: 3, evaluations: 0))
    }
    #expect(try figure(.outcomes, fixture).caption.contains("In all: 4 diverged."))
    #expect(
      try figure(.testLosses, fixture).absence
        == "No run has two evaluations, as of runs that diverge at once: there are no curves.")
    #expect(try figure(.phaseDiagram, fixture).absence == "Every run diverged: there are no grokking epochs to draw.")
    for name in SweepFigure.allCases {
      let drawn = try figure(name, fixture)
      #expect(drawn.absence != nil || !drawn.isEmpty, "\(name)")
      #expect(!drawn.svg().contains("nan") && !drawn.svg().contains("inf"), "\(name)")
    }
  }

  @Test func `spread tells model seeds from data seeds where they are crossed, and says where they are not`() throws {
    let crossed = try SweepStore()
    let points = try crossed.register([SweepStore.experiment], seeds: 3, dataSeeds: 2)
    for point in points {
      try crossed.finish(point, SweepStore.grokked(200 + 100 * Int(point.experiment.modelSeed)))
    }
    let drawn = try figure(.seedSpread, crossed)
    #expect(drawn.caption.contains("by data seed alone 0.00"), "\(drawn.caption)")
    let together = try SweepStore()
    for (index, point) in try together.register([SweepStore.experiment], seeds: 3).enumerated() {
      try together.finish(point, SweepStore.grokked(200 + 100 * index))
    }
    #expect(try figure(.seedSpread, together).caption.contains("Model seed and data seed change together here"))
  }

  @Test func `early measures stand against the grokking epoch, censored runs as arrows, with the view's correlation`()
    throws
  {
    let fixture = try grid()
    let drawn = try figure(.predictors, fixture)
    let predictors = try fixture.store.predictors(of: "decay")
    let first = try #require(drawn.panels.first)
    let (measure, words) = try #require(first.title.map { $0.split(separator: "  ") }.map { ($0[1], $0[0]) })
    let rho = try #require(
      predictors.first { $0.measure == measure && $0.landmark == "memorization" }?.spearman)
    #expect(words.hasPrefix(rho < 0 ? "ρ = −" : "ρ = "))
    let scatters = first.marks.compactMap { if case .scatter(let scatter) = $0 { scatter } else { nil } }
    #expect(scatters.map(\.dots.count) == [9, 2])
    #expect(scatters[1].dots.allSatisfy { $0.shape == .arrow && $0.x == 1000 })
    #expect(drawn.table.rows.count == predictors.count)
  }
}
