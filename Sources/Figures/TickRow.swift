// The ticks of a panel's x axis: as many as have room for their labels, moved inwards at the ends, turned where all else fails.
// Names of single places are moved apart instead.

/// The ticks of an x axis, and how their labels are kept apart.
struct TickRow {
  struct Label: Hashable {
    var text: String
    /// Its middle, or where a turned one ends.
    var x: Double
    /// Of its tick, from which it may have been moved.
    var tick: Double
  }

  private(set) var ticks: [Tick]
  private(set) var labels: [Label] = []
  /// Labels run upwards to the right, where they would overlap otherwise.
  private(set) var isTurned = false
  /// Of the labels.
  private(set) var height: Double

  /// - Parameter overhang: how far labels may reach beyond the ends of the axis.
  init(_ axis: Axis, _ scale: Scale, showsLabels: Bool, overhang: Double) {
    let length = scale.end - scale.start
    height = 18
    if case .bands = axis.kind {
      ticks = scale.ticks(about: 0)
    } else if !axis.names.isEmpty {
      ticks = Tick.named(axis.names, scale)
    } else {
      // Labels between decades get the room of those that linear axes do not need.
      var count = max(3, Int(length / (scale.kind == .logarithmic ? 40 : 55)))
      ticks = scale.ticks(about: count)
      while count > 1, !TickRow.standApart(TickRow.labels(ticks, scale, overhang)) {
        count -= 1
        ticks = scale.ticks(about: count)
      }
    }
    guard showsLabels else {
      height = 4
      return
    }
    labels = TickRow.labels(ticks, scale, overhang)
    if TickRow.standApart(labels) { return }
    if axis.names.isEmpty { turn(scale) } else { moveApart(scale.start - overhang...scale.end + overhang) }
  }

  /// Names of single places are few, and may stand a little beside them.
  private mutating func moveApart(_ range: ClosedRange<Double>) {
    let widths = labels.map { TextWidth.of($0.text, size: Layout.tickSize) }
    let distances = widths.indices.map { $0 == 0 ? 0 : (widths[$0 - 1] + widths[$0]) / 2 + 5 }
    let ends = range.lowerBound + (widths.first ?? 0) / 2...range.upperBound - (widths.last ?? 0) / 2
    if let places = Spread.apart(labels.map(\.x), distances: distances, within: ends) {
      for (index, place) in places.enumerated() { labels[index].x = place }
    } else {
      labels = Spread.standing(labels.map(\.x), distances: distances).map { labels[$0] }
    }
  }

  private mutating func turn(_ scale: Scale) {
    isTurned = true
    // A turned line of text needs about its height in width.
    let distance = (scale.end - scale.start) / Double(max(ticks.count, 1))
    let every = max(1, Int((14 / max(distance, 0.1)).rounded(.up)))
    labels = ticks.enumerated().compactMap { number, tick in
      guard number % every == 0, let text = tick.label, let x = scale.place(tick.value) else { return nil }
      return Label(text: TextWidth.cut(text, to: 110, size: Layout.tickSize), x: x + 3, tick: x)
    }
    height = 14 + (labels.map { TextWidth.of($0.text, size: Layout.tickSize) }.max() ?? 0) * 0.71
  }

  /// Centred at their ticks, moved inwards where they would reach too far.
  private static func labels(_ ticks: [Tick], _ scale: Scale, _ overhang: Double) -> [Label] {
    ticks.compactMap { tick in
      guard let text = tick.label, let x = scale.place(tick.value) else { return nil }
      let half = TextWidth.of(text, size: Layout.tickSize) / 2
      let (low, high) = (scale.start - overhang + half, scale.end + overhang - half)
      return Label(text: text, x: low < high ? min(max(x, low), high) : x, tick: x)
    }
  }

  private static func standApart(_ labels: [Label]) -> Bool {
    zip(labels, labels.dropFirst()).allSatisfy { left, right in
      let space = (TextWidth.of(left.text, size: Layout.tickSize) + TextWidth.of(right.text, size: Layout.tickSize)) / 2
      return right.x - left.x >= space + 5
    }
  }
}

extension Tick {
  static func named(_ names: [Double: String], _ scale: Scale) -> [Tick] {
    names.keys.sorted().filter { $0 >= scale.low && $0 <= scale.high }.map { Tick(value: $0, label: names[$0]) }
  }
}
