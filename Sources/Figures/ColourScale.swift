// From the values of a heat map to colours, and the bar that explains them.

import Foundation

struct ColourScale {
  let ramp: Ramp
  let title: String
  /// Ends; those of a diverging ramp are as far from zero.
  let scale: Scale
  /// Without, as where no cell has a median, there is nothing for a bar to explain.
  let hasValues: Bool

  /// - Parameter cells: all heat maps that share it; the first one says which ramp.
  init?(_ cells: [Cells]) {
    guard let first = cells.first else { return nil }
    ramp = first.ramp
    title = first.valueTitle
    let values = cells.flatMap { $0.cells.compactMap(\.value) }
    var axis = Axis(first.valueTitle, first.isLogarithmic ? .logarithmic : .linear, limits: first.limits)
    if first.limits == nil, ramp == .diverging {
      let reach = values.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
      axis.limits = reach > 0 ? -reach...reach : -1...1
    }
    scale = Scale(axis, values: values, from: 0, to: 1)
    hasValues = values.contains(where: \.isFinite)
  }

  /// 0…1 along the ramp; nil for a value without a place.
  func share(_ value: Double?) -> Double? { value.flatMap(scale.place) }

  func ticks(height: Double) -> [Tick] {
    scale.ticks(about: Int(height / (scale.kind == .logarithmic ? 20 : 40))).filter { $0.label != nil }
  }

  /// Of the bar, its numbers and its title, with room at the left.
  func width(height: Double) -> Double { 14 + 12 + 5 + labelWidth(height) + 22 }

  private func labelWidth(_ height: Double) -> Double {
    ticks(height: height).map { TextWidth.of($0.label ?? "", size: 11) }.max() ?? 0
  }

  /// - Parameter x: where the room at its left begins.
  func draw(in svg: inout SVGText, x: Double, y: Double, height: Double) {
    let steps = 32
    let step = height / Double(steps)
    for i in 0..<steps {
      let colour = ramp.colour(at: (Double(i) + 0.5) / Double(steps))
      // A little higher than a step, so that no seams show between neighbours.
      let top = y + height - Double(i + 1) * step
      svg.rectangle(
        Rectangle(x: x + 14, y: top, width: 12, height: min(step + 0.5, y + height - top)), fill: .fixed(colour))
    }
    for tick in ticks(height: height) {
      guard let share = scale.place(tick.value), let label = tick.label else { continue }
      svg.label(label, x + 31, y + height - share * height + 4, size: 11, paint: .muted)
    }
    let right = x + 14 + 12 + 5 + labelWidth(height) + 13
    svg.label(
      TextWidth.cut(title, to: max(height, 60), size: 11), right, y + height / 2, .middle, size: 11, paint: .ink,
      turned: -90)
  }
}
