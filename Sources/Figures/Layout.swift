// Where everything of a figure stands, before anything is drawn.
//
// Margins follow from the widths of what is written in them, panels share what is left, and what has no room where it would
// be best (names of shades above, names of lines at their ends) goes to the legend below.

struct PanelLayout {
  var panel: Panel
  var frame: Rectangle
  /// Its title in lines.
  var title: [String]
  var x: Scale
  var y: Scale
  var xTicks: TickRow
  /// Empty where the panel at the left has the same.
  var yTicks: [Tick]
  var yLabelsAreShown: Bool
  var xTitle: String?
  var yTitle: String?
  var colours: ColourScale?
  var hasColourBar: Bool
}

struct Layout {
  static let tickSize = 11.0
  static let titleSize = 12.0
  static let headingSize = 15.0
  /// Of a panel's title, from one line to the next.
  static let titleLine = 15.0
  private static let mostTitleLines = 2
  /// How much wider bold letters are.
  private static let boldness = 1.15
  /// A heat map alone need not be larger to be read.
  private static let largestSquare = 380.0

  let figure: Figure
  private(set) var width: Double
  private let isFile: Bool
  private(set) var height = 0.0
  private(set) var headings: [String] = []
  private(set) var panels: [PanelLayout] = []
  private(set) var legend = Legend([], width: 1)
  private(set) var legendY = 0.0
  /// Whether shades are named above the panels.
  private(set) var shadesAreNamed = false
  /// Names at the ends of the only panel's lines, with their places; empty when they are in the legend.
  private(set) var endLabels: [(line: Line, from: Double, to: Double)] = []
  /// Shared by all panels; each has its own otherwise.
  private(set) var sharedColours: ColourScale?

  /// - Parameter isFile: whether the title is part of the drawing.
  init(_ figure: Figure, width: Double, isFile: Bool) {
    self.figure = figure
    self.isFile = isFile
    self.width = max(width, 240)
    headings =
      isFile ? TextWidth.lines(figure.title, width: self.width - 24, size: Layout.headingSize * Layout.boldness) : []
    place()
  }

  private var columns: Int {
    let least = figure.shape == .square ? 150.0 : 190.0
    return max(1, min(figure.columns, figure.panels.count, Int(width / least)))
  }

  private mutating func place() {
    let (source, columns) = (figure.panels, columns)
    guard let first = source.first else { return }
    // A first guess of the size of a plot decides how many ticks there is room for.
    let guess = max(80, (width - 70) / Double(columns) - 30)
    var plotHeight = guess
    if case .height(let height) = figure.shape { plotHeight = height }
    let yScales = source.map { panel in
      panel.yScale(of: figure.sharing.contains(.y) ? source : [panel], from: 0, to: plotHeight)
    }
    let yTicks = zip(source, yScales).map { Layout.yTicks($0, $1, height: plotHeight, width: width) }
    let labelWidth = yTicks.joined().map { TextWidth.of($0.label ?? "", size: Layout.tickSize) }.max() ?? 0
    let sharesY = figure.sharing.contains(.y) && source.allSatisfy { $0.y == first.y }
    let titleWidth = first.y.title.isEmpty ? 0 : 20.0
    let left = titleWidth + labelWidth + 12

    let cells = source.map { panel in panel.marks.compactMap { if case .cells(let cells) = $0 { cells } else { nil } } }
    if figure.sharing.contains(.colours) { sharedColours = ColourScale(cells.flatMap { $0 }) }
    let ownColours = figure.sharing.contains(.colours) ? source.map { _ in nil } : cells.map { ColourScale($0) }
    let barHeight = min(plotHeight, 200)
    let ownBar = ownColours.compactMap { $0?.width(height: barHeight) }.max() ?? 0
    var entries = Legend.entries(of: source, includesShades: false)
    // A line alone is what the axis says; a ring, an arrow or hatching says what no axis does.
    if source.count == 1, entries.count(where: \.isMark) == 1 { entries.removeAll(where: \.isPlain) }
    let named = namedAtEnds(entries.filter(\.isMark))
    let nameWidth = named.map { TextWidth.of($0.label ?? "", size: EndLabels.size) + EndLabels.indent + 4 }.max()
    var right = nameWidth ?? 12
    if let sharedColours { right = max(12, sharedColours.width(height: barHeight)) }
    let gap = (sharesY ? 16 : left + (first.y.title.isEmpty ? 8 : 0)) + ownBar
    var plotWidth = max(
      60, (width - left - right - ownBar - gap * Double(columns - 1)) / Double(columns))
    if figure.shape == .square {
      if source.count == 1, plotWidth > Layout.largestSquare {
        plotWidth = Layout.largestSquare
        // A page has figures of one width; a file ends where its figure does.
        let headed = headings.map { TextWidth.of($0, size: Layout.headingSize * Layout.boldness) + 24 }.max() ?? 0
        if isFile { width = max(left + plotWidth + right + ownBar, headed) }
      }
      plotHeight = plotWidth
    }

    var x = left
    let xScales = source.map { panel in
      panel.xScale(of: figure.sharing.contains(.x) ? source : [panel], from: 0, to: plotWidth)
    }
    shadesAreNamed =
      zip(source, xScales).allSatisfy { Layout.shadesFit($0, $1) } && source.contains { !$0.shades.isEmpty }
    let shadeRoom = shadesAreNamed ? 17.0 : 0
    let titles = source.indices.map { index in
      // Above a colour bar of the panel's own, and above a gap, there is room, too.
      let isRightmost = index % columns == columns - 1 || index == source.count - 1
      let beyond = ownColours[index] != nil ? ownBar : isRightmost ? min(right, 12) : min(gap - 8, 16)
      return Layout.titleLines(source[index].title, width: plotWidth + beyond - 2)
    }
    let titleLines = titles.map(\.count).max() ?? 0
    let titleRoom = titleLines == 0 ? 0 : 5 + Double(titleLines) * Layout.titleLine
    var y = 8 + (headings.isEmpty ? 0 : Double(headings.count) * 20 + 6)
    let sharesX = figure.sharing.contains(.x) && source.allSatisfy { $0.x == first.x }
    for start in stride(from: 0, to: source.count, by: columns) {
      let row = start..<min(start + columns, source.count)
      x = left
      let top = y + titleRoom + shadeRoom
      var below = 0.0
      for index in row {
        let panel = source[index]
        let frame = Rectangle(x: x, y: top, width: plotWidth, height: plotHeight)
        let isLowest = index + columns >= source.count
        let isLeftmost = index == start
        let scale = Scale(xScales[index], from: frame.x, to: frame.right)
        let ticks = TickRow(
          panel.x, scale, showsLabels: isLowest || !sharesX, overhang: columns > 1 ? min(gap / 2 - 2, right) : right - 2
        )
        let xTitle = isLowest || !sharesX && panel.x.title != first.x.title ? panel.x.title : ""
        below = max(below, ticks.height + (xTitle.isEmpty ? 4 : 20))
        panels.append(
          PanelLayout(
            panel: panel, frame: frame, title: titles[index], x: scale,
            y: Scale(yScales[index], from: frame.bottom, to: frame.y),
            xTicks: ticks, yTicks: yTicks[index], yLabelsAreShown: isLeftmost || !sharesY,
            xTitle: xTitle.isEmpty ? nil : xTitle,
            yTitle: isLeftmost || panel.y.title != first.y.title ? panel.y.title : nil,
            colours: sharedColours ?? ownColours[index], hasColourBar: ownColours[index] != nil))
        x += plotWidth + gap
      }
      y = top + plotHeight + below + (row.upperBound < source.count ? 12 : 0)
    }
    placeNames(named)
    var all = endLabels.isEmpty ? entries : entries.filter { !$0.isMark }
    if !shadesAreNamed {
      all += Legend.entries(of: source, includesShades: true).filter { $0.swatch == .shade }
    }
    legend = Legend(all, width: width - 24)
    legendY = y
    height = y + legend.height + 6
  }

  /// The lines that are named at their ends: two to seven of a single panel whose marks are nothing else, all of which
  /// reach its right edge.
  private func namedAtEnds(_ entries: [LegendEntry]) -> [Line] {
    guard figure.panels.count == 1, width >= 520, (2...7).contains(entries.count) else { return [] }
    let lines = figure.panels[0].marks.compactMap { mark -> Line? in
      guard case .line(let line) = mark, line.label != nil else { return nil }
      return line
    }
    guard lines.count == entries.count, case .height(let height) = figure.shape,
      Double(lines.count) * EndLabels.spacing < height,
      lines.allSatisfy({ TextWidth.of($0.label ?? "", size: EndLabels.size) < width * 0.25 })
    else { return [] }
    let ends = lines.compactMap { line in line.points.last { $0.y?.isFinite == true }?.x }
    guard ends.count == lines.count, let start = lines[0].points.first?.x else { return [] }
    let last = figure.panels[0].x.limits?.upperBound ?? ends.max() ?? start
    return last > start && ends.allSatisfy { $0 > last - (last - start) * 0.02 } ? lines : []
  }

  private mutating func placeNames(_ lines: [Line]) {
    guard !lines.isEmpty, let only = panels.first else { return }
    let places = lines.compactMap { line in
      line.points.last { $0.x <= only.x.high && $0.y.flatMap(only.y.place) != nil }?.y.flatMap(only.y.place)
    }
    guard places.count == lines.count,
      let spread = EndLabels.spread(places, within: only.frame.y + 4...only.frame.bottom - 2)
    else { return }
    endLabels = lines.indices.map { (lines[$0], places[$0], spread[$0]) }
  }

  /// At most two lines; what is longer is cut.
  private static func titleLines(_ title: String?, width: Double) -> [String] {
    guard let title else { return [] }
    let size = titleSize * boldness
    let lines = TextWidth.lines(title, width: width, size: size)
    guard lines.count > mostTitleLines else { return lines }
    let rest = lines[(mostTitleLines - 1)...].joined(separator: " ")
    return lines[..<(mostTitleLines - 1)] + [TextWidth.cut(rest, to: width, size: size)]
  }

  private static func shadesFit(_ panel: Panel, _ scale: Scale) -> Bool {
    panel.shades.allSatisfy { shade in
      guard let (from, to) = shade.span(on: scale) else { return true }
      return TextWidth.of(shade.label, size: tickSize) + 6 <= to - from
    }
  }

  private static func yTicks(_ panel: Panel, _ scale: Scale, height: Double, width: Double) -> [Tick] {
    if !panel.y.names.isEmpty { return Tick.named(panel.y.names, scale) }
    var ticks = scale.ticks(about: max(2, Int(height / (panel.y.kind == .logarithmic ? 26 : 42))))
    if panel.lies {
      for i in ticks.indices {
        ticks[i].label = ticks[i].label.map { TextWidth.cut($0, to: width * 0.42, size: tickSize) }
        // Bands that are lower than a line of text: every second name, every third, ….
        let every = Int((14 / max(scale.unit, 0.5)).rounded(.up))
        if every > 1, i % every != 0 { ticks[i].label = nil }
      }
    }
    return ticks
  }
}

extension Shade {
  /// Its two ends on the page, cut to the axis; nil when it lies outside.
  func span(on scale: Scale) -> (from: Double, to: Double)? {
    let (low, high) = (max(from, scale.low), min(to ?? scale.high, scale.high))
    guard low < high, let start = scale.place(low), let end = scale.place(high) else { return nil }
    return (start, end)
  }
}
