// Marks as paths, rectangles and dots.

struct MarkDrawing {
  let layout: PanelLayout
  let hatch: String

  private var frame: Rectangle { layout.frame }

  func draw(_ mark: Mark, in svg: inout SVGText) {
    switch mark {
    case .line(let line): draw(line, in: &svg)
    case .interval(let interval): draw(interval, in: &svg)
    case .scatter(let scatter): draw(scatter, in: &svg)
    case .bars(let bars): draw(bars, in: &svg)
    case .cells(let cells): CellDrawing(layout: layout, hatch: hatch).draw(cells, in: &svg)
    }
  }

  /// Runs of points between gaps, each with its place on the page and its values; thinned where they are very many.
  private func runs(_ points: [Line.Point]) -> [[(x: Double, y: Double, value: Line.Point)]] {
    var runs: [[(x: Double, y: Double, value: Line.Point)]] = [[]]
    for point in points {
      if let y = point.y, let placeX = layout.x.place(point.x), let placeY = layout.y.place(y) {
        runs[runs.count - 1].append((placeX, placeY, point))
      } else if !runs[runs.count - 1].isEmpty {
        runs.append([])
      }
    }
    return runs.filter { !$0.isEmpty }.map { run in
      guard Double(run.count) > 2 * frame.width else { return run }
      return Thinning.kept(run.map { ($0.x, $0.y) }).map { run[$0] }
    }
  }

  private func draw(_ line: Line, in svg: inout SVGText) {
    let runs = runs(line.points)
    var attributes = Self.stroke(line)
    // A thick line is a bar from one value to another: its ends are those values.
    attributes += " stroke-linejoin=\"round\" stroke-linecap=\"\(line.width > 3 ? "butt" : "round")\""
    if line.isDashed { attributes += " stroke-dasharray=\"6 4\"" }
    if svg.isPage, let label = line.label {
      let values = runs.joined().map { "\(NumberText.short($0.value.x)) \(NumberText.short($0.value.y ?? 0))" }
      attributes += " data-label=\"\(Markup.escaped(label))\" data-v=\"\(values.joined(separator: " "))\""
      if line.shape == .steps { attributes += " data-steps=\"\"" }
    }
    svg.path(path(runs, line.shape), attributes + svg.paints(stroke: line.paint))
  }

  /// Curves in steps often lie on each other for a stretch, where only the last one drawn would be seen. There they are
  /// drawn once more, as dashes that leave room for those of the others: the colours take turns.
  func drawTurns(of lines: [Line], in svg: inout SVGText) {
    let dash = 7.0
    for stretch in SharedStretch.all(of: lines.map(\.points)) {
      guard let y = layout.y.place(stretch.y), let from = layout.x.place(stretch.from),
        let to = layout.x.place(stretch.to)
      else { continue }
      let others = NumberText.coordinate(dash * Double(stretch.lines.count - 1))
      for (number, line) in stretch.lines.map({ lines[$0] }).enumerated() {
        var path = PathText()
        path.move(from, y)
        path.line(to, y)
        let attributes =
          " stroke-dasharray=\"\(NumberText.coordinate(dash)) \(others)\""
          + " stroke-dashoffset=\"\(NumberText.coordinate(-dash * Double(number)))\""
        svg.path(path, Self.stroke(line) + attributes + svg.paints(stroke: line.paint))
      }
    }
  }

  private func path(_ runs: [[(x: Double, y: Double, value: Line.Point)]], _ shape: Line.Shape) -> PathText {
    var path = PathText()
    for run in runs {
      path.move(run[0].x, run[0].y)
      if run.count == 1 { path.dot() }
      for (before, point) in zip(run, run.dropFirst()) {
        if shape == .steps { path.line(point.x, before.y) }
        path.line(point.x, point.y)
      }
    }
    return path
  }

  private static func stroke(_ line: Line) -> String {
    " fill=\"none\" stroke-width=\"\(NumberText.coordinate(line.width))\""
  }

  private func draw(_ interval: Interval, in svg: inout SVGText) {
    var path = PathText()
    var run: [(x: Double, low: Double, high: Double)] = []
    func finish() {
      guard let first = run.first else { return }
      path.move(first.x, first.high)
      for (before, place) in zip(run, run.dropFirst()) {
        if interval.shape == .steps { path.line(place.x, before.high) }
        path.line(place.x, place.high)
      }
      for index in run.indices.reversed() {
        path.line(run[index].x, run[index].low)
        if interval.shape == .steps, index > 0 { path.line(run[index].x, run[index - 1].low) }
      }
      path.close()
      run = []
    }
    for place in interval.places {
      if let low = place.low, let high = place.high, let x = layout.x.place(place.x), let bottom = layout.y.place(low),
        let top = layout.y.place(high)
      {
        run.append((x, bottom, top))
      } else {
        finish()
      }
    }
    finish()
    svg.path(path, " fill-opacity=\".22\"" + svg.paints(fill: interval.paint))
  }

  private func draw(_ scatter: Scatter, in svg: inout SVGText) {
    var labels: [(text: String, x: Double, y: Double)] = []
    var places: [(x: Double, y: Double)] = []
    for dot in scatter.dots {
      guard let value = dot.y, let x = layout.x.place(dot.x), let y = layout.y.place(value) else { continue }
      DotDrawing.draw(
        dot.shape, in: &svg, x: x, y: y, radius: scatter.radius, paint: dot.paint ?? scatter.paint, title: dot.title)
      places.append((x, y))
      if let text = dot.text { labels.append((text, x, y)) }
    }
    guard !labels.isEmpty else { return }
    for (text, x, y) in LabelPlacement.kept(labels, dots: places, radius: scatter.radius, within: frame) {
      svg.label(text, x, y, size: LabelPlacement.size, paint: .ink)
    }
  }

  private func draw(_ bars: Bars, in svg: inout SVGText) {
    let lies = layout.panel.lies
    let (along, values) = lies ? (layout.y, layout.x) : (layout.x, layout.y)
    let thickness = max(along.unit * bars.thickness, 0.5)
    let base = values.place(min(max(bars.base, values.low), values.high)) ?? values.start
    var written: [Rectangle] = []
    for bar in bars.bars {
      guard let value = bar.value, let middle = along.place(bar.place), let end = values.place(value) else { continue }
      let (low, high) = (min(base, end), max(base, end))
      let rectangle =
        lies
        ? Rectangle(x: low, y: middle - thickness / 2, width: max(high - low, 0.5), height: thickness)
        : Rectangle(x: middle - thickness / 2, y: low, width: thickness, height: max(high - low, 0.5))
      svg.rectangle(rectangle, fill: bar.paint ?? bars.paint, title: svg.isPage ? "" : bar.title)
      // Bars may be a hair high: in a page their whole stretch of the axis says what they are.
      if svg.isPage, !bar.title.isEmpty {
        let half = along.unit / 2
        let stretch =
          lies
          ? Rectangle(x: frame.x, y: middle - half, width: frame.width, height: 2 * half)
          : Rectangle(x: middle - half, y: frame.y, width: 2 * half, height: frame.height)
        svg.rectangle(stretch, fill: nil, title: bar.title, more: " fill=\"none\" pointer-events=\"all\"")
      }
    }
    // Where two have no room beside each other, the higher bar keeps its text.
    let order =
      lies
      ? Array(bars.bars.indices)
      : bars.bars.indices.sorted {
        let (one, other) = (abs(bars.bars[$0].value ?? 0), abs(bars.bars[$1].value ?? 0))
        return (other, $0) < (one, $1)
      }
    for bar in order.map({ bars.bars[$0] }) {
      guard let text = bar.text, let value = bar.value, let middle = along.place(bar.place),
        let end = values.place(value)
      else { continue }
      let (low, high) = (min(base, end), max(base, end))
      let width = TextWidth.of(text, size: Layout.tickSize)
      guard lies else {
        let box = Rectangle(x: middle - width / 2, y: low - 12, width: width + 3, height: 12)
        guard box.y >= frame.y - 8, box.x >= frame.x, box.right <= frame.right + 10,
          !written.contains(where: box.overlaps)
        else { continue }
        written.append(box)
        svg.label(text, middle, low - 3, .middle, size: Layout.tickSize, paint: .ink)
        continue
      }
      // Beyond the bar's end, or within it where the frame ends.
      let fits = high + 5 + width <= frame.right + 10
      svg.label(
        text, fits ? high + 5 : high - 5, middle + 4, fits ? .start : .end, size: Layout.tickSize,
        paint: fits ? .ink : .ground)
    }
  }
}

enum DotDrawing {
  static func draw(
    _ shape: Scatter.Shape, in svg: inout SVGText, x: Double, y: Double, radius: Double, paint: Paint, title: String
  ) {
    let place =
      " cx=\"\(NumberText.coordinate(x))\" cy=\"\(NumberText.coordinate(y))\" r=\"\(NumberText.coordinate(radius))\""
    switch shape {
    case .dot: svg.element("circle", place + " fill-opacity=\".85\"" + svg.paints(fill: paint), title: title)
    case .ring:
      svg.element("circle", place + " stroke-width=\"1.5\"" + svg.paints(fill: .ground, stroke: paint), title: title)
    case .arrow:
      var path = PathText()
      path.move(x - radius, y - radius)
      path.line(x + radius, y)
      path.line(x - radius, y + radius)
      path.close()
      svg.element(
        "path", " d=\"\(path.text)\" stroke-width=\"1.5\"" + svg.paints(fill: .ground, stroke: paint), title: title)
    }
  }
}

/// Which texts beside dots are written, and where.
enum LabelPlacement {
  static let size = 10.0
  private static let height = 10.5

  /// Those for which there is a place around their dot, within the frame, free of dots and of earlier ones.
  static func kept(
    _ labels: [(text: String, x: Double, y: Double)], dots: [(x: Double, y: Double)], radius: Double,
    within frame: Rectangle
  ) -> [(text: String, x: Double, y: Double)] {
    var taken = dots.map { Rectangle(x: $0.x - radius, y: $0.y - radius, width: 2 * radius, height: 2 * radius) }
    var kept: [(text: String, x: Double, y: Double)] = []
    for (text, x, y) in labels {
      let (width, reach) = (TextWidth.of(text, size: size), radius + 2)
      // Corners of the text's box: at the sides first, then above and below, then farther out.
      let beside = [(reach, -5.0), (-reach - width, -5), (-width / 2, -reach - height), (-width / 2, reach)]
      let corners = [(reach, -2 - height), (reach, 2), (-reach - width, -2 - height), (-reach - width, 2)]
      let far = [
        (reach + 7, -5.0), (-reach - 7 - width, -5), (-width / 2, -reach - 6 - height), (-width / 2, reach + 6),
      ]
      for (right, down) in beside + corners + far {
        let box = Rectangle(x: x + right, y: y + down, width: width, height: height)
        guard box.x >= frame.x, box.right <= frame.right, box.y >= frame.y, box.bottom <= frame.bottom,
          !taken.contains(where: box.overlaps)
        else { continue }
        taken.append(box)
        kept.append((text, box.x, box.bottom - 2))
        break
      }
    }
    return kept
  }
}
