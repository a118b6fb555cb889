// Which marks have names, and where these are written: in rows below the panels, or at the ends of lines.

/// One name with what it looks like.
struct LegendEntry: Hashable {
  enum Swatch: Hashable {
    case line(isDashed: Bool)
    case area, bar, dot, ring, arrow, shade, hatch, reference
  }

  var swatch: Swatch
  var paint: Paint
  var text: String

  /// Whether it names a mark, not what stands behind the marks.
  var isMark: Bool { swatch != .shade && swatch != .reference }

  /// Whether it looks like what axes speak of.
  var isPlain: Bool {
    switch swatch {
    case .line, .bar, .dot: true
    case .area, .ring, .arrow, .shade, .hatch, .reference: false
    }
  }
}

struct Legend {
  static let size = 12.0
  static let rowHeight = 18.0
  private static let swatchWidth = 24.0
  private static let gap = 16.0

  let rows: [[(entry: LegendEntry, x: Double)]]

  var height: Double { rows.isEmpty ? 0 : Double(rows.count) * Legend.rowHeight + 6 }

  /// - Parameter width: of a row; names that are longer are cut.
  init(_ entries: [LegendEntry], width: Double) {
    var rows: [[(LegendEntry, Double)]] = []
    var x = 0.0
    for var entry in entries {
      entry.text = TextWidth.cut(entry.text, to: width - Legend.swatchWidth - 4, size: Legend.size)
      let length = Legend.swatchWidth + TextWidth.of(entry.text, size: Legend.size)
      if rows.isEmpty || x + length > width {
        rows.append([])
        x = 0
      }
      rows[rows.count - 1].append((entry, x))
      x += length + Legend.gap
    }
    self.rows = rows
  }

  /// Names of all marks, shades and references, each once, in the order in which panels have them.
  ///
  /// - Parameter includesShades: not where they are named above the panels.
  static func entries(of panels: [Panel], includesShades: Bool) -> [LegendEntry] {
    var entries: [LegendEntry] = []
    func add(_ swatch: LegendEntry.Swatch, _ paint: Paint, _ text: String?) {
      guard let text, !text.isEmpty else { return }
      let entry = LegendEntry(swatch: swatch, paint: paint, text: text)
      if !entries.contains(entry) { entries.append(entry) }
    }
    for panel in panels {
      for mark in panel.marks {
        switch mark {
        case .line(let line): add(.line(isDashed: line.isDashed), line.paint, line.label)
        case .interval(let interval): add(.area, interval.paint, interval.label)
        case .scatter(let scatter):
          let shape = scatter.dots.first?.shape ?? .dot
          add(shape == .dot ? .dot : shape == .ring ? .ring : .arrow, scatter.paint, scatter.label)
        case .bars(let bars): add(.bar, bars.paint, bars.label)
        case .cells(let cells): if cells.cells.contains(where: \.isHatched) { add(.hatch, .muted, cells.hatching) }
        }
      }
      if includesShades { for shade in panel.shades { add(.shade, shade.paint, shade.label) } }
      for reference in panel.references where panel.shows(reference) {
        add(.reference, reference.paint, reference.label)
      }
    }
    return entries
  }

  func draw(in svg: inout SVGText, x: Double, y: Double, hatch: String) {
    for (number, row) in rows.enumerated() {
      let middle = y + 6 + Legend.rowHeight * (Double(number) + 0.5)
      for (entry, offset) in row {
        Legend.swatch(entry, in: &svg, x: x + offset, middle: middle, hatch: hatch)
        svg.label(entry.text, x + offset + Legend.swatchWidth, middle + 4, size: Legend.size, paint: .ink)
      }
    }
  }

  static func swatch(_ entry: LegendEntry, in svg: inout SVGText, x: Double, middle: Double, hatch: String) {
    let box = Rectangle(x: x, y: middle - 5, width: 18, height: 10)
    switch entry.swatch {
    case .line(let isDashed):
      var path = PathText()
      path.move(x, middle)
      path.line(x + 18, middle)
      svg.path(
        path, " stroke-width=\"2\"" + (isDashed ? " stroke-dasharray=\"5 3\"" : "") + svg.paints(stroke: entry.paint))
    case .area: svg.rectangle(box, fill: entry.paint, more: " fill-opacity=\".22\"")
    case .bar: svg.rectangle(box, fill: entry.paint)
    case .reference:
      var path = PathText()
      path.move(x, middle)
      path.line(x + 18, middle)
      svg.path(path, " stroke-dasharray=\"5 3\"" + svg.paints(stroke: entry.paint))
    case .shade: svg.rectangle(box, fill: entry.paint, stroke: .faint)
    case .hatch:
      svg.raw(
        "<rect\(SVGText.place(box.x, box.y))\(SVGText.size(box)) fill=\"url(#\(hatch))\"\(svg.paints(stroke: .muted))/>"
      )
    case .dot, .ring, .arrow:
      let shape: Scatter.Shape = entry.swatch == .dot ? .dot : entry.swatch == .ring ? .ring : .arrow
      DotDrawing.draw(shape, in: &svg, x: x + 9, y: middle, radius: 4, paint: entry.paint, title: "")
    }
  }
}

/// Names at the right ends of lines.
enum EndLabels {
  static let size = 12.0
  /// From a line's end to its name.
  static let indent = 8.0
  static let spacing = 15.0

  /// Moves places apart until neighbours are `spacing` apart, all within `range`, in their order.
  ///
  /// - Returns: as many places; nil when the range has no room for them.
  static func spread(_ places: [Double], within range: ClosedRange<Double>) -> [Double]? {
    let order = places.indices.sorted { (places[$0], $0) < (places[$1], $1) }
    let distances = order.map { _ in spacing }
    guard let sorted = Spread.apart(order.map { places[$0] }, distances: distances, within: range) else { return nil }
    var result = places
    for (rank, index) in order.enumerated() { result[index] = sorted[rank] }
    return result
  }
}
