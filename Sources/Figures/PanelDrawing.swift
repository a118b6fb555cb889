// One panel: shades, grid, marks, axes, and the words at them.

struct PanelDrawing {
  let layout: PanelLayout
  let figure: Layout
  /// The id of the pattern of hatched cells.
  let hatch: String

  private var panel: Panel { layout.panel }
  private var frame: Rectangle { layout.frame }
  private var hasCells: Bool { panel.marks.contains { if case .cells = $0 { true } else { false } } }

  func draw(in svg: inout SVGText) {
    svg.open("g", svg.isPage ? hoverAttributes : "")
    drawShades(in: &svg)
    if !hasCells { drawGrid(in: &svg) }
    // An inner drawing with a window of its own cuts off what lies beyond axes that were given an end.
    let isCut = panel.x.limits != nil || panel.y.limits != nil
    if isCut {
      let window =
        "\(NumberText.coordinate(frame.x)) \(NumberText.coordinate(frame.y)) "
        + "\(NumberText.coordinate(frame.width)) \(NumberText.coordinate(frame.height))"
      svg.open("svg", SVGText.place(frame.x, frame.y) + SVGText.size(frame) + " viewBox=\"\(window)\"")
    }
    for reference in panel.references { draw(reference, in: &svg) }
    let marks = MarkDrawing(layout: layout, hatch: hatch)
    for mark in panel.marks { marks.draw(mark, in: &svg) }
    marks.drawTurns(of: panel.marks.compactMap(\.steps), in: &svg)
    if isCut { svg.close("svg") }
    drawAxes(in: &svg)
    drawEndLabels(in: &svg)
    if layout.hasColourBar, let colours = layout.colours, colours.hasValues {
      colours.draw(in: &svg, x: frame.right, y: frame.y, height: min(frame.height, 200))
    }
    svg.close("g")
  }

  /// What a script needs to turn a place of the pointer into values.
  private var hoverAttributes: String {
    func axis(_ scale: Scale) -> String {
      (scale.kind == .logarithmic ? "log" : "lin") + " \(NumberText.exact(scale.low)) \(NumberText.exact(scale.high))"
    }
    let plot = [frame.x, frame.y, frame.width, frame.height].map(NumberText.coordinate).joined(separator: " ")
    return " class=\"panel\" data-plot=\"\(plot)\" data-x=\"\(axis(layout.x))\" data-y=\"\(axis(layout.y))\""
      + " data-x-title=\"\(Markup.escaped(panel.x.title))\" data-y-title=\"\(Markup.escaped(panel.y.title))\""
  }

  private func drawShades(in svg: inout SVGText) {
    for shade in panel.shades {
      guard let (from, to) = shade.span(on: layout.x) else { continue }
      svg.rectangle(
        Rectangle(x: from, y: frame.y, width: to - from, height: frame.height), fill: shade.paint, title: shade.label)
      if figure.shadesAreNamed {
        svg.label(shade.label, (from + to) / 2, frame.y - 5, .middle, size: Layout.tickSize, paint: .muted)
      }
    }
  }

  private func drawGrid(in svg: inout SVGText) {
    var grid = PathText()
    for tick in layout.yTicks where !panel.lies && (tick.label != nil) {
      guard let y = layout.y.place(tick.value) else { continue }
      grid.move(frame.x, y)
      grid.line(frame.right, y)
    }
    if case .bands = panel.x.kind {
    } else {
      for tick in layout.xTicks.ticks where tick.label != nil {
        guard let x = layout.x.place(tick.value) else { continue }
        grid.move(x, frame.y)
        grid.line(x, frame.bottom)
      }
    }
    svg.path(grid, " fill=\"none\"" + svg.paints(stroke: .faint))
  }

  private func draw(_ reference: Reference, in svg: inout SVGText) {
    var path = PathText()
    switch reference.direction {
    case .horizontal:
      guard let y = layout.y.place(reference.value), (frame.y...frame.bottom).contains(y) else { return }
      path.move(frame.x, y)
      path.line(frame.right, y)
    case .vertical:
      guard let x = layout.x.place(reference.value), (frame.x...frame.right).contains(x) else { return }
      path.move(x, frame.y)
      path.line(x, frame.bottom)
    }
    svg.path(path, " fill=\"none\" stroke-dasharray=\"5 3\"" + svg.paints(stroke: reference.paint))
  }

  private func drawAxes(in svg: inout SVGText) {
    var axes = PathText()
    axes.move(frame.x, frame.y)
    axes.line(frame.x, frame.bottom)
    axes.line(frame.right, frame.bottom)
    for tick in layout.xTicks.ticks {
      guard let x = layout.x.place(tick.value) else { continue }
      axes.move(x, frame.bottom)
      axes.line(x, frame.bottom + (tick.label == nil ? 2.5 : 4))
    }
    for tick in layout.yTicks {
      guard let y = layout.y.place(tick.value) else { continue }
      axes.move(frame.x, y)
      axes.line(frame.x - (tick.label == nil ? 2.5 : 4), y)
    }
    // From ticks to names that were moved.
    if !panel.x.names.isEmpty {
      for label in layout.xTicks.labels where abs(label.x - label.tick) > 1 {
        axes.move(label.tick, frame.bottom + 4)
        axes.line(label.x, frame.bottom + 7)
      }
    }
    for label in yLabels where abs(label.y - label.tick) > 1 {
      axes.move(frame.x - 4, label.tick)
      axes.line(frame.x - 6.5, label.y)
    }
    svg.path(axes, " fill=\"none\"" + svg.paints(stroke: .muted))
    drawWords(in: &svg)
  }

  /// What stands at the ticks of the y axis, from the top, and where. Names of single places are moved apart; where there is
  /// no room for all, some are left out.
  private var yLabels: [(text: String, tick: Double, y: Double)] {
    let all = layout.yTicks.compactMap { tick in
      layout.y.place(tick.value).flatMap { y in tick.label.map { (text: $0, tick: y, y: y) } }
    }
    guard !panel.y.names.isEmpty else { return all }
    let sorted = all.sorted { $0.tick < $1.tick }
    let distances = sorted.map { _ in Layout.tickSize + 2 }
    let range = frame.y...max(frame.bottom, frame.y)
    if let places = Spread.apart(sorted.map(\.tick), distances: distances, within: range) {
      return zip(sorted, places).map { ($0.text, $0.tick, $1) }
    }
    return Spread.standing(sorted.map(\.tick), distances: distances).map { sorted[$0] }
  }

  private func drawWords(in svg: inout SVGText) {
    for (number, line) in layout.title.enumerated() {
      let above = Double(layout.title.count - 1 - number) * Layout.titleLine
      svg.label(
        line, frame.x, frame.y - (figure.shadesAreNamed ? 22 : 7) - above, size: Layout.titleSize, paint: .ink,
        isBold: true)
    }
    svg.open("g", " font-size=\"\(NumberText.coordinate(Layout.tickSize))\"" + svg.paints(fill: .muted))
    for label in layout.xTicks.labels {
      if layout.xTicks.isTurned {
        svg.label(label.text, label.x, frame.bottom + 14, .end, turned: -45)
      } else {
        svg.label(label.text, label.x, frame.bottom + 16, .middle)
      }
    }
    if layout.yLabelsAreShown {
      for label in yLabels { svg.label(label.text, frame.x - 7, label.y + 4, .end) }
    }
    svg.close("g")
    if let title = layout.xTitle {
      let y = frame.bottom + layout.xTicks.height + 15
      svg.label(
        TextWidth.cut(title, to: frame.width + 20, size: Layout.titleSize), frame.x + frame.width / 2, y, .middle,
        paint: .ink)
    }
    if let title = layout.yTitle, !title.isEmpty {
      let widest = layout.yTicks.map { TextWidth.of($0.label ?? "", size: Layout.tickSize) }.max() ?? 0
      let x = frame.x - 9 - widest - 8
      svg.label(
        TextWidth.cut(title, to: frame.height + 40, size: Layout.titleSize), x, frame.y + frame.height / 2, .middle,
        paint: .ink, turned: -90)
    }
  }

  private func drawEndLabels(in svg: inout SVGText) {
    for (line, from, to) in figure.endLabels {
      let x = frame.right
      var leader = PathText()
      leader.move(x + 1, from)
      leader.line(x + EndLabels.indent - 2, to)
      svg.path(leader, " fill=\"none\" stroke-width=\"1.8\"" + svg.paints(stroke: line.paint))
      svg.label(line.label ?? "", x + EndLabels.indent, to + 4, size: EndLabels.size, paint: .ink)
    }
  }
}
