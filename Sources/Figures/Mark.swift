// What is drawn in a panel. Values that are absent or not finite leave gaps; nothing here is ever drawn at a made-up place.

/// Points joined in their order.
package struct Line: Hashable, Sendable {
  /// `y` is nil where nothing was measured.
  package struct Point: Hashable, Sendable {
    package var x: Double
    package var y: Double?

    package init(_ x: Double, _ y: Double?) {
      self.x = x
      self.y = y
    }
  }

  package enum Shape: Hashable, Sendable {
    case straight
    /// Each value holds until the next point: a survival curve.
    case steps
  }

  /// Named in the legend or at its end; nil for a line that needs no name there.
  package var label: String?
  package var points: [Point]
  package var paint: Paint
  package var shape: Shape
  package var isDashed: Bool
  package var width: Double

  package init(
    _ label: String?, _ points: [Point], _ paint: Paint = .series(0), shape: Shape = .straight,
    isDashed: Bool = false, width: Double = 1.8
  ) {
    self.label = label
    self.points = points
    self.paint = paint
    self.shape = shape
    self.isDashed = isDashed
    self.width = width
  }
}

/// The area between two curves: an interval at each x.
package struct Interval: Hashable, Sendable {
  package struct Place: Hashable, Sendable {
    package var x: Double
    package var low: Double?
    package var high: Double?

    package init(_ x: Double, _ low: Double?, _ high: Double?) {
      self.x = x
      self.low = low
      self.high = high
    }
  }

  package var label: String?
  package var places: [Place]
  package var paint: Paint
  package var shape: Line.Shape

  package init(
    _ label: String?, _ places: [Place], _ paint: Paint = .series(0), shape: Line.Shape = .straight
  ) {
    self.label = label
    self.places = places
    self.paint = paint
    self.shape = shape
  }
}

/// Dots, each with what is said when the pointer rests on it.
package struct Scatter: Hashable, Sendable {
  package enum Shape: Hashable, Sendable {
    case dot
    /// Open: censored, or otherwise not quite there.
    case ring
    /// Towards higher values of x, where the true place lies: censored.
    case arrow
  }

  package struct Dot: Hashable, Sendable {
    package var x: Double
    package var y: Double?
    package var title: String
    package var shape: Shape
    /// Written beside the dot where there is room.
    package var text: String?
    /// Instead of that of all.
    package var paint: Paint?

    package init(
      _ x: Double, _ y: Double?, title: String = "", shape: Shape = .dot, text: String? = nil, paint: Paint? = nil
    ) {
      self.x = x
      self.y = y
      self.title = title
      self.shape = shape
      self.text = text
      self.paint = paint
    }
  }

  package var label: String?
  package var dots: [Dot]
  package var paint: Paint
  package var radius: Double

  package init(_ label: String?, _ dots: [Dot], _ paint: Paint = .series(0), radius: Double = 3.5) {
    self.label = label
    self.dots = dots
    self.paint = paint
    self.radius = radius
  }
}

/// Bars from zero or another base (on a logarithmic axis without one from its low end). They lie when the y axis has bands, and stand otherwise.
package struct Bars: Hashable, Sendable {
  package struct Bar: Hashable, Sendable {
    /// On the axis along which bars stand side by side: a number, or the place of a band.
    package var place: Double
    package var value: Double?
    package var title: String
    /// Instead of that of all.
    package var paint: Paint?
    /// Written to the right of a lying bar, above a standing one where there is room.
    package var text: String?

    package init(_ place: Double, _ value: Double?, title: String = "", paint: Paint? = nil, text: String? = nil) {
      self.place = place
      self.value = value
      self.title = title
      self.paint = paint
      self.text = text
    }
  }

  package var label: String?
  package var bars: [Bar]
  package var paint: Paint
  /// Where bars begin, on the axis of their values.
  package var base: Double
  /// Share of the distance between bars that a bar takes.
  package var thickness: Double

  package init(
    _ label: String?, _ bars: [Bar], _ paint: Paint = .series(0), base: Double = 0, thickness: Double = 0.75
  ) {
    self.label = label
    self.bars = bars
    self.paint = paint
    self.base = base
    self.thickness = thickness
  }
}

/// A heat map: columns × rows cells, each one unit wide and high, the first one's centre at 0, 0.
package struct Cells: Hashable, Sendable {
  package struct Cell: Hashable, Sendable {
    /// Nil: nothing is drawn, unless hatched.
    package var value: Double?
    /// Censored: the value is a bound, or there is none.
    package var isHatched: Bool
    package var text: String?
    package var title: String

    package init(_ value: Double?, isHatched: Bool = false, text: String? = nil, title: String = "") {
      self.value = value
      self.isHatched = isHatched
      self.text = text
      self.title = title
    }
  }

  package var columns: Int
  package var rows: Int
  /// Row by row from the bottom of the y axis; rows × columns.
  package var cells: [Cell]
  package var ramp: Ramp
  /// What the colour bar says: name and unit.
  package var valueTitle: String
  package var isLogarithmic: Bool
  /// What hatching means, for the legend.
  package var hatching: String
  /// Of each column and row, for whoever points at a cell of a large grid; by default their numbers from 0.
  package var columnNames: [String] = []
  package var rowNames: [String] = []
  /// Ends of the colours; by default those of all values of the figure, for a diverging ramp with zero in the middle.
  package var limits: ClosedRange<Double>?

  package init(
    columns: Int, rows: Int, cells: [Cell], ramp: Ramp = .sequential, valueTitle: String, isLogarithmic: Bool = false,
    hatching: String = "censored", limits: ClosedRange<Double>? = nil
  ) {
    precondition(cells.count == columns * rows, "\(cells.count) cells for \(columns)×\(rows)")
    self.columns = columns
    self.rows = rows
    self.cells = cells
    self.ramp = ramp
    self.valueTitle = valueTitle
    self.isLogarithmic = isLogarithmic
    self.hatching = hatching
    self.limits = limits
  }

  /// Without texts, as for grids of thousands.
  package init(
    columns: Int, rows: Int, values: [Double?], ramp: Ramp = .sequential, valueTitle: String,
    isLogarithmic: Bool = false, limits: ClosedRange<Double>? = nil
  ) {
    self.init(
      columns: columns, rows: rows, cells: values.map { Cell($0) }, ramp: ramp, valueTitle: valueTitle,
      isLogarithmic: isLogarithmic, limits: limits)
  }
}

package enum Mark: Hashable, Sendable {
  case line(Line)
  case interval(Interval)
  case scatter(Scatter)
  case bars(Bars)
  case cells(Cells)
}

/// A stretch of the x axis, shaded over the whole height and named above the panel or in the legend.
package struct Shade: Hashable, Sendable {
  package var label: String
  package var from: Double
  /// Nil: to the end of the axis.
  package var to: Double?
  package var paint: Paint

  package init(_ label: String, from: Double, to: Double?, _ paint: Paint) {
    self.label = label
    self.from = from
    self.to = to
    self.paint = paint
  }
}

/// A dashed line across the panel at one value.
package struct Reference: Hashable, Sendable {
  package enum Direction: Hashable, Sendable { case horizontal, vertical }

  package var direction: Direction
  package var value: Double
  /// Named in the legend.
  package var label: String?
  package var paint: Paint

  package init(_ direction: Direction, at value: Double, _ label: String? = nil, _ paint: Paint = .muted) {
    self.direction = direction
    self.value = value
    self.label = label
    self.paint = paint
  }
}
