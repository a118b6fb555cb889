// What a figure becomes: marks, ticks and names where they belong, nothing made up, the same bytes always.

import Figures
import Foundation
import Testing

@Suite struct FigureTests {
  @Test func `every text lies within its picture and on no other, at any width`() throws {
    for (name, figure) in Sample.all {
      for width in [240.0, 400, 720, 1100] {
        try Drawn(figure, Rendering(.file(.light), width: width)).expectLegible("\(name) at \(width)")
      }
    }
  }

  @Test func `a figure says what it is to those who do not see it`() throws {
    let drawn = try Drawn(Sample.losses)
    #expect(drawn.root.attributes["role"] == "img")
    let labels = try #require(drawn.root.attributes["aria-labelledby"]).split(separator: " ").map(String.init)
    let named = labels.compactMap { id in drawn.root.all.first { $0.attributes["id"] == id } }
    #expect(named.map(\.name) == ["title", "desc"])
    #expect(named.map(\.text) == ["A sample", "What there is to see."])
  }

  @Test func `the same figure gives the same bytes`() {
    for (name, figure) in Sample.all {
      for place in [Rendering.Place.page, .file(.light), .file(.dark)] {
        #expect(figure.svg(Rendering(place)) == figure.svg(Rendering(place)), "\(name)")
      }
    }
  }

  @Test func `lines, shades and names are there once each, and two lines are named at their ends`() throws {
    let drawn = try Drawn(Sample.losses)
    for name in ["train", "test", "memorization", "circuit formation", "cleanup", "Epoch", "Loss (nats)"] {
      #expect(drawn.words.count { $0 == name } == 1, "\(name)")
    }
    #expect(drawn.words.contains("10⁻⁷"))
    #expect(drawn.words.contains("40,000"))
    let narrow = try Drawn(Sample.losses, Rendering(.file(.light), width: 400))
    #expect(narrow.words.count { $0 == "train" } == 1)
  }

  @Test func `a gap in the data is a gap in the line, and nothing says nan`() throws {
    let values: [(Double, Double?)] = [(0, 1), (1, 2), (2, nil), (3, .nan), (4, .infinity), (5, 3), (.nan, 1), (7, 2)]
    let svg = Sample.figure([Sample.panel([Sample.line("train", values)])]).svg()
    #expect(!svg.lowercased().contains("nan") && !svg.contains("inf"))
    let line = try #require(try Drawn(svg).paths.first { $0.contains("h0") })
    // Two points, one alone, one alone.
    #expect(line.count { $0 == "M" } == 3)
  }

  @Test func `zeros have no place on a logarithmic axis, and leave gaps`() throws {
    let panel = Sample.panel(
      [Sample.line("train", [(0, 1), (1, 0), (2, -1), (3, 0.01)])], y: Axis("Loss", .logarithmic))
    let drawn = try Drawn(Sample.figure([panel]))
    #expect(drawn.paths.contains { $0.count { $0 == "M" } == 2 && $0.contains("h0") })
    #expect(drawn.words.contains("0.01") && drawn.words.contains("1"))
  }

  @Test func `one point, a constant, enormous and tiny ranges all have axes`() throws {
    let cases: [(String, [(Double, Double?)])] = [
      ("one point", [(5, 3)]), ("constant", [(0, 2), (1, 2)]), ("zero", [(0, 0), (1, 0)]),
      ("enormous", [(0, -1e308), (1, 1e308)]), ("tiny", [(0, Double("1e-320")!), (1, Double("2e-320")!)]),
      ("far away", [(0, 1e15), (1, 1e15 + 2)]), ("many decades", [(0, 1e-300), (1, 1e300)]),
    ]
    for (name, values) in cases {
      for kind in [Axis.Kind.linear, .logarithmic] {
        let figure = Sample.figure([Sample.panel([Sample.line("train", values)], y: Axis("y", kind))])
        let svg = figure.svg()
        #expect(!svg.lowercased().contains("nan") && !svg.contains("inf"), "\(name) \(kind)")
        try Drawn(svg).expectLegible("\(name) \(kind)")
      }
    }
  }

  @Test func `nothing to draw is said in a sentence`() throws {
    let nothing = Sample.figure([Sample.panel([Sample.line("train", [(0, nil)])])])
    #expect(nothing.isEmpty)
    #expect(try Drawn(nothing).words == ["A sample", "There is nothing to show."])
    #expect(try Drawn(Sample.figure([])).words == ["A sample", "There is nothing to show."])
    let absent = Figure(name: "x", title: "X", absence: "The run diverged, so that there is <no> model.")
    #expect(try Drawn(absent).words == ["X", "The run diverged, so that there is <no> model."])
  }

  @Test func `names of any kind are text, never markup`() throws {
    let name = "<script>\"alert('x')\"</script> & \u{1}"
    var panel = Sample.panel(
      [
        Sample.line(name, [(0, 1), (1, 2)]),
        .scatter(Scatter(name, [Scatter.Dot(0, 1, title: name, text: name)])),
        .bars(Bars(name, [Bars.Bar(0, 1, title: name)])),
      ], x: Axis(name), y: Axis(name), title: name, shades: [Shade(name, from: 0, to: 1, .shade(0))])
    panel.references = [Reference(.horizontal, at: 1, name)]
    let figure = Figure(name: "x", title: name, caption: name, panels: [panel], table: Sample.noTable)
    for place in [Rendering.Place.page, .file(.dark)] {
      let drawn = try Drawn(figure, Rendering(place))
      #expect(drawn.named("script").isEmpty)
      #expect(drawn.words.contains { $0.hasPrefix("<script>") })
    }
  }

  @Test func `a page's drawing has classes beside colours, a file's has colours alone`() throws {
    let page = Sample.losses.svg(Rendering(.page))
    #expect(page.contains("stroke=\"#0072b2\" class=\"s-s0\""))
    #expect(page.contains("data-label=\"train\" data-v=\"0 2.49 100 2.2"))
    let light = Sample.losses.svg(Rendering(.file(.light)))
    let dark = Sample.losses.svg(Rendering(.file(.dark)))
    for file in [light, dark] {
      #expect(!file.contains("data-") && !file.contains("var(") && !file.contains("class=\"s-"))
    }
    #expect(light.contains("#0072b2") && !dark.contains("#0072b2") && dark.contains("#5aa9e6"))
    for rule in ["--s0:#0072b2", "--s0:#5aa9e6", ".s-s0{stroke:var(--s0)}"] { #expect(Theme.styleSheet.contains(rule)) }
  }

  @Test func `thousands of points are thinned, and no extreme is lost`() throws {
    let spike = 71_234
    let values: [(Double, Double?)] = (0..<100_000).map { index in
      (Double(index), index == spike ? 9 : sin(Double(index)))
    }
    let svg = Sample.figure([Sample.panel([Sample.line("train", values)])]).svg()
    #expect(svg.utf8.count < 40_000, "\(svg.utf8.count)")
    let page = Sample.figure([Sample.panel([Sample.line("train", values)])]).svg(Rendering(.page))
    #expect(page.contains("\(spike) 9"))
  }

  @Test func `names of neighbouring places are moved apart, and none is lost while there is room`() throws {
    let names: [Double: String] = [0: "const", 20: "11", 21: "22", 22: "24", 59: "last"]
    let cells = Cells(columns: 60, rows: 60, values: (0..<3600).map { Double($0) }, valueTitle: "norm")
    let panel = Sample.panel([.cells(cells)], x: Axis("b", names: names), y: Axis("a", names: names))
    for width in [400.0, 720] {
      let drawn = try Drawn(Sample.figure([panel], shape: .square), Rendering(width: width))
      for name in names.values { #expect(drawn.words.count { $0 == name } == 2, "\(name) at \(width)") }
      drawn.expectLegible("names at \(width)")
    }
    let many = Dictionary(uniqueKeysWithValues: (0..<60).map { (Double($0), "\($0)") })
    let crowded = Sample.panel([.cells(cells)], x: Axis("b", names: many), y: Axis("a", names: many))
    try Drawn(Sample.figure([crowded], shape: .square)).expectLegible("sixty names")
  }

  @Test func `logarithmic axes of few decades have numbers between them where there is room, and two labels at least`()
    throws
  {
    func labels(_ low: Double, _ high: Double, width: Double) throws -> [String] {
      let panel = Sample.panel([Sample.line("train", [(low, 1), (high, 2)])], x: Axis("Epoch", .logarithmic))
      let drawn = try Drawn(Sample.figure([panel]), Rendering(width: width))
      return drawn.words.filter { Double($0.replacing(",", with: "")).map { $0 >= 100 } ?? false }
    }
    #expect(try labels(170, 10_000, width: 720) == ["300", "1,000", "3,000", "10,000"])
    #expect(try labels(100, 10_000, width: 260) == ["100", "1,000", "10,000"])
    #expect(try labels(300, 6000, width: 720) == ["300", "500", "1,000", "2,000", "3,000", "5,000"])
    #expect(try labels(300, 6000, width: 260).count >= 2)
  }

  @Test func `a panel's title goes on in a second line, and is cut there`() throws {
    let title = "3f2a91bc weight_decay=2 train_fraction=0.6, seed 1, and more than two lines can hold of it all"
    let panels = (0..<3).map { _ in Sample.panel([Sample.line("train", [(0, 1), (1, 2)])], title: title) }
    let drawn = try Drawn(Sample.figure(panels, columns: 3))
    #expect(drawn.words.count { $0.hasPrefix("3f2a91bc weight_decay=2") } == 3)
    #expect(drawn.words.count { $0.hasPrefix("train_fraction=0.6") && $0.hasSuffix("…") } == 3)
    drawn.expectLegible("titles of two lines")
  }

  @Test func `in a page a bar says what it is over its whole stretch of the axis, in a file by itself`() throws {
    let page = try Drawn(Sample.spectrum, Rendering(.page))
    let stretches = page.named("rect").filter { $0.attributes["pointer-events"] == "all" }
    #expect(stretches.count == 56 && stretches.allSatisfy { $0.attributes["fill"] == "none" })
    #expect(stretches.map { $0.children.first?.text } == (1...56).map { "k = \($0)" })
    let heights = Set(stretches.compactMap { $0.number("height") })
    #expect(heights == [260])
    let file = try Drawn(Sample.spectrum)
    #expect(!file.named("rect").contains { $0.attributes["pointer-events"] != nil })
    #expect(file.named("rect").count { $0.children.first?.text.hasPrefix("k = ") == true } == 56)
  }

  @Test func `a step holds its value until the next`() throws {
    let line = Line("s", [Line.Point(0, 1), Line.Point(1, 0)], .series(0), shape: .steps)
    let drawn = try Drawn(Sample.figure([Sample.panel([.line(line)])]))
    let path = try #require(
      drawn.paths.first { $0.contains("h") && $0.contains("v") && !$0.contains("z") && $0.count { $0 == "M" } == 1 })
    #expect(path.firstIndex(of: "h")! < path.firstIndex(of: "v")!)
  }

  @Test func `stretches that curves in steps share are those of the same height, however they are cut`() {
    func points(_ steps: [(Double, Double?)]) -> [Line.Point] { steps.map { Line.Point($0.0, $0.1) } }
    let first = points([(0, 1), (4, 0.5), (9, 0.5)])
    let second = points([(0, 1), (2, 0.75), (6, 0.5), (8, 0.25), (9, 0.25)])
    let third = points([(1, 0.2), (9, 0.2)])
    #expect(
      SharedStretch.all(of: [first, second, third]) == [
        SharedStretch(from: 0, to: 2, y: 1, lines: [0, 1]), SharedStretch(from: 6, to: 8, y: 0.5, lines: [0, 1]),
      ])
    #expect(SharedStretch.all(of: [first, third]).isEmpty && SharedStretch.all(of: [first]).isEmpty)
    // Another curve's steps cut nothing; a gap does.
    let cut = points([(0, 1), (1, 1), (4, 0.5), (9, 0.5)])
    #expect(
      SharedStretch.all(of: [first, cut]) == [
        SharedStretch(from: 0, to: 4, y: 1, lines: [0, 1]), SharedStretch(from: 4, to: 9, y: 0.5, lines: [0, 1]),
      ])
    #expect(
      SharedStretch.all(of: [first, points([(0, 1), (3, nil), (4, 0.5), (9, 0.5)])])
        == [SharedStretch(from: 4, to: 9, y: 0.5, lines: [0, 1])])
  }

  @Test func `curves in steps that lie on each other take turns in colour, and one alone has no dashes`() throws {
    func steps(_ label: String, _ colour: Int) -> Mark {
      .line(Line(label, [Line.Point(0, 1), Line.Point(1, 0.5), Line.Point(2, 0.5)], .series(colour), shape: .steps))
    }
    let alone = try Drawn(Sample.figure([Sample.panel([steps("a", 0)])]), Rendering(.page))
    #expect(!alone.named("path").contains { $0.attributes["stroke-dashoffset"] != nil })
    let three = Sample.panel([steps("a", 0), steps("b", 1), steps("c", 2)])
    let drawn = try Drawn(Sample.figure([three]), Rendering(.page))
    let turns = drawn.named("path").filter { $0.attributes["stroke-dashoffset"] != nil }
    // Two levels.
    #expect(turns.map { $0.attributes["stroke-dasharray"] } == Array(repeating: "7 14", count: 6))
    #expect(turns.map { $0.attributes["stroke-dashoffset"] } == ["0", "-7", "-14", "0", "-7", "-14"])
    #expect(turns.map { $0.attributes["class"] } == ["s-s0", "s-s1", "s-s2", "s-s0", "s-s1", "s-s2"])
    #expect(Set(turns.compactMap { $0.attributes["d"] }).count == 2)
    // Each has one path with values: the pointer finds no curve twice.
    #expect(drawn.named("path").compactMap { $0.attributes["data-label"] } == ["a", "b", "c"])
  }

  @Test
  func `cells are rectangles with titles, hatched where they are censored, one picture where there are thousands`()
    throws
  {
    let few = try Drawn(Sample.phaseDiagram)
    #expect(few.named("g").count { $0.children.first?.text.hasPrefix("cell ") == true } == 15)
    #expect(few.named("pattern").count == 1)
    let hatch = "url(#\(try #require(few.named("pattern")[0].attributes["id"])))"
    // Five cells and the legend.
    #expect(few.named("rect").count { $0.attributes["fill"] == hatch } == 6)
    let many = try Drawn(Sample.grids)
    #expect(many.named("image").count == 4)
    #expect(many.named("rect").count < 60)
  }

  @Test func `two drawings of a figure in one page share no id`() throws {
    let ids = ["", "-narrow"].flatMap { suffix in
      (try? Drawn(Sample.phaseDiagram, Rendering(.page, suffix: suffix)))?.root.all.compactMap { $0.attributes["id"] }
        ?? []
    }
    #expect(ids.count == 6)
    #expect(Set(ids).count == ids.count)
  }

  @Test func `a heat map's picture is a PNG whose levels stand where a script looks for them`() throws {
    let values: [Double?] = (0..<40 * 30).map { $0 == 3 ? nil : Double($0) }
    let figure = Sample.figure([
      Sample.panel([.cells(Cells(columns: 40, rows: 30, values: values, valueTitle: "v"))], x: Axis("b"), y: Axis("a"))
    ])
    let image = try #require(try Drawn(figure, Rendering(.page)).named("image").first)
    #expect(image.attributes["data-cells"] == "40 30")
    #expect(image.attributes["data-value"] == "lin 0 1199")
    let text = try #require(image.attributes["href"]?.split(separator: ",").last)
    let bytes = [UInt8](try #require(Data(base64Encoded: String(text))))
    #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    func level(row: Int, column: Int) -> UInt8 { bytes[Raster.rowsOffset + row * 41 + 1 + column] }
    // The first row of a picture is the highest.
    #expect(level(row: 29, column: 0) == 1)
    #expect(level(row: 29, column: 3) == 0)
    #expect(level(row: 0, column: 39) == 255)
  }

  @Test func `in a file a heat map's cells are large pixels, which no program smooths into each other`() throws {
    let image = try #require(try Drawn(Sample.grids).named("image").first)
    let text = try #require(image.attributes["href"]?.split(separator: ",").last)
    let bytes = [UInt8](try #require(Data(base64Encoded: String(text))))
    let width = bytes[16..<20].reduce(0) { $0 << 8 | Int($1) }
    let place = try #require(image.number("width"))
    #expect(width % 53 == 0 && Double(width) >= place && Double(width) < place + 53)
    // Deflated: far fewer bytes than pixels.
    #expect(bytes.count < width * width / 3)
  }
}
