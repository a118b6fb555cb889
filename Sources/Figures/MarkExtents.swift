// What each mark needs of the axes.

extension Mark {
  /// A line in steps that has a name; nil for all else.
  var steps: Line? { if case .line(let line) = self, line.shape == .steps, line.label != nil { line } else { nil } }

  /// Whether there is anything to draw.
  var hasContent: Bool {
    switch self {
    case .line(let line): line.points.contains { $0.x.isFinite && $0.y?.isFinite == true }
    case .interval(let interval): interval.places.contains { $0.low?.isFinite == true && $0.high?.isFinite == true }
    case .scatter(let scatter): scatter.dots.contains { $0.x.isFinite && $0.y?.isFinite == true }
    case .bars(let bars): bars.bars.contains { $0.value?.isFinite == true }
    case .cells(let cells): cells.cells.contains { $0.isHatched || $0.value?.isFinite == true }
    }
  }

  /// - Parameter lies: whether bars lie.
  func xs(lies: Bool) -> [Double] {
    switch self {
    case .line(let line): line.points.filter { $0.y?.isFinite == true }.map(\.x)
    case .interval(let interval): interval.places.filter { $0.low != nil && $0.high != nil }.map(\.x)
    case .scatter(let scatter): scatter.dots.filter { $0.y?.isFinite == true }.map(\.x)
    case .bars(let bars): lies ? bars.values : bars.places
    case .cells(let cells): [-0.5, Double(cells.columns) - 0.5]
    }
  }

  /// - Parameter limits: of the x axis; nil: it shows all.
  func ys(lies: Bool, within limits: ClosedRange<Double>?) -> [Double] {
    func isSeen(_ x: Double) -> Bool { x.isFinite && limits?.contains(x) != false }
    return switch self {
    case .line(let line): line.points.compactMap { isSeen($0.x) ? $0.y : nil }
    case .interval(let interval):
      interval.places.filter { isSeen($0.x) }.flatMap { [$0.low, $0.high].compactMap { $0 } }
    case .scatter(let scatter): scatter.dots.compactMap { isSeen($0.x) ? $0.y : nil }
    case .bars(let bars): lies ? bars.places : bars.values
    case .cells(let cells): [-0.5, Double(cells.rows) - 0.5]
    }
  }

  /// Lines and areas may begin and end on the frame; dots and the far ends of bars keep away from it.
  func padsX(lies: Bool) -> Bool {
    switch self {
    case .line, .interval, .cells: false
    case .scatter: true
    case .bars: lies
    }
  }

  func padsY(lies: Bool) -> Bool {
    switch self {
    case .line, .interval, .scatter: true
    case .cells: false
    case .bars: !lies
    }
  }
}

extension Bars {
  /// The base is among them.
  fileprivate var values: [Double] { bars.compactMap(\.value) + [base] }
  fileprivate var places: [Double] { bars.flatMap { [$0.place - 0.5, $0.place + 0.5] } }
}

extension Cells {
  /// More cells than are worth a rectangle each, or many of which there is nothing to say but their value.
  var isRaster: Bool {
    let count = columns * rows
    return count > 900 || count > 60 && cells.allSatisfy { $0.text == nil && $0.title.isEmpty && !$0.isHatched }
  }
}

extension Panel {
  /// Whether a reference lies within the axis.
  func shows(_ reference: Reference) -> Bool {
    let axis = reference.direction == .vertical ? x : y
    return axis.limits?.contains(reference.value) != false
  }

  /// Whether bars lie: along an x axis of values, one above the other by the bands of the y axis.
  var lies: Bool { if case .bands = y.kind { true } else { false } }

  /// - Parameter panels: those whose marks share the axis.
  func xScale(of panels: [Panel], from start: Double, to end: Double) -> Scale {
    let scale = Scale(
      merged(panels.map(\.x)), values: panels.flatMap { panel in panel.marks.flatMap { $0.xs(lies: panel.lies) } },
      from: start, to: end)
    let pads = x.limits == nil && panels.contains { panel in panel.marks.contains { $0.padsX(lies: panel.lies) } }
    return pads ? scale.padded() : scale
  }

  func yScale(of panels: [Panel], from start: Double, to end: Double) -> Scale {
    // What lies beyond the ends of the x axis is not seen, and stretches nothing.
    let scale = Scale(
      merged(panels.map(\.y)),
      values: panels.flatMap { panel in
        panel.marks.flatMap { $0.ys(lies: panel.lies, within: panel.lies ? nil : panel.x.limits) }
      },
      from: start, to: end)
    let pads = y.limits == nil && panels.contains { panel in panel.marks.contains { $0.padsY(lies: panel.lies) } }
    return pads ? scale.padded() : scale
  }

  private func merged(_ axes: [Axis]) -> Axis {
    var axis = axes[0]
    axis.including = axes.flatMap(\.including)
    return axis
  }
}
