// From values to places on the page, and which values get a tick.
//
// Ticks of linear axes are 1, 2 or 5 times a power of ten apart; logarithmic ones have a tick per decade, with
// numbers between them where decades are few. A scale never fails: a constant, an empty or an enormous range all have a
// length, and what is not finite has no place.

import Foundation

struct Scale: Sendable {
  let kind: Axis.Kind
  /// In the axis' own values: both ends finite, low < high, and positive when logarithmic.
  let low: Double
  let high: Double
  /// Places of both ends on the page.
  let start: Double
  let end: Double

  /// - Parameter values: what the marks have on this axis.
  init(_ axis: Axis, values: some Sequence<Double>, from start: Double, to end: Double) {
    (low, high) = Scale.domain(axis, values)
    kind = axis.kind
    self.start = start
    self.end = end
  }

  /// The same on another stretch of the page.
  init(_ scale: Scale, from start: Double, to end: Double) {
    (kind, low, high) = (scale.kind, scale.low, scale.high)
    self.start = start
    self.end = end
  }

  /// Nil for what has no place: not finite, or not above zero on a logarithmic axis.
  func place(_ value: Double) -> Double? {
    guard value.isFinite, !(kind == .logarithmic && value <= 0) else { return nil }
    let share: Double
    if kind == .logarithmic {
      share = (log10(value) - log10(low)) / (log10(high) - log10(low))
    } else {
      // Halves, because the length of a range may be beyond all numbers.
      share = (value / 2 - low / 2) / (high / 2 - low / 2)
    }
    return start + min(max(share, -10), 11) * (end - start)
  }

  /// The length on the page of one band, or of one unit of a linear axis.
  var unit: Double { abs(end - start) / (high - low) }

  private static func domain(_ axis: Axis, _ values: some Sequence<Double>) -> (Double, Double) {
    if case .bands(let names) = axis.kind { return (-0.5, Double(max(names.count, 1)) - 0.5) }
    let isLogarithmic = axis.kind == .logarithmic
    func hasPlace(_ value: Double) -> Bool { value.isFinite && (!isLogarithmic || value > 0) }
    if let limits = axis.limits, hasPlace(limits.lowerBound), hasPlace(limits.upperBound),
      limits.lowerBound < limits.upperBound
    {
      return (limits.lowerBound, limits.upperBound)
    }
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values where hasPlace(value) { (low, high) = (min(low, value), max(high, value)) }
    for value in axis.including where hasPlace(value) { (low, high) = (min(low, value), max(high, value)) }
    if isLogarithmic {
      guard low <= high else { return (1, 10) }
      let (least, most) = (Double.leastNormalMagnitude, Double.greatestFiniteMagnitude)
      guard low < high else { return (max(low / 3, least), min(high * 3, most)) }
      return (max(low, least), high)
    }
    guard low <= high else { return (0, 1) }
    guard low < high else {
      let reach = low == 0 ? 1 : abs(low) / 10
      return (max(low - reach, -Double.greatestFiniteMagnitude), min(high + reach, Double.greatestFiniteMagnitude))
    }
    return (low, high)
  }

  /// A little longer at both ends, so that marks do not lie on the frame; not beyond zero where all is on one side of it.
  func padded(_ share: Double = 0.04) -> Scale {
    if case .bands = kind { return self }
    if kind == .logarithmic {
      let reach = pow(high / low, share)
      guard reach.isFinite, high * reach < .infinity else { return self }
      return Scale(kind, max(low / reach, .leastNormalMagnitude), high * reach, start, end)
    }
    let reach = (high / 2 - low / 2) * 2 * share
    guard reach.isFinite, (high + reach).isFinite, (low - reach).isFinite else { return self }
    return Scale(
      kind, low >= 0 && low < reach ? low : low - reach, high <= 0 && -high < reach ? high : high + reach, start, end)
  }

  private init(_ kind: Axis.Kind, _ low: Double, _ high: Double, _ start: Double, _ end: Double) {
    (self.kind, self.low, self.high, self.start, self.end) = (kind, low, high, start, end)
  }
}

/// A tick: where, and what is written at it; nothing at minor ones.
struct Tick: Hashable, Sendable {
  var value: Double
  var label: String?
}

extension Scale {
  /// - Parameter count: about how many labels there is room for.
  func ticks(about count: Int) -> [Tick] {
    switch kind {
    case .bands(let names): names.enumerated().map { Tick(value: Double($0), label: $1) }
    case .linear: linearTicks(about: count)
    case .logarithmic: logarithmicTicks(about: count)
    }
  }

  private func linearTicks(about count: Int) -> [Tick] {
    // Halves again: the length may be beyond all numbers, a step of it is not.
    let rough = (high / 2 - low / 2) / Double(max(count, 1)) * 2
    guard rough.isFinite, rough > 0 else { return [] }
    let magnitude = pow(10, log10(rough).rounded(.down))
    guard magnitude > 0 else { return [] }
    let step = [1, 2, 5, 10].map { $0 * magnitude }.first { $0 >= rough * 0.8 } ?? 10 * magnitude
    let (first, last) = ((low / step - 1e-9).rounded(.up), (high / step + 1e-9).rounded(.down))
    guard first <= last, last - first < 200, abs(first) < 1e15, abs(last) < 1e15 else { return [] }
    let values = (Int(first)...Int(last)).map { Double($0) * step }
    return zip(values, NumberText.ticks(values, step: step)).map { Tick(value: $0, label: $1) }
  }

  private func logarithmicTicks(about count: Int) -> [Tick] {
    let first = Int((log10(low) - 1e-9).rounded(.up))
    let last = Int((log10(high) + 1e-9).rounded(.down))
    let decades = log10(high) - log10(low)
    if decades < 0.7 { return linearTicks(about: count) }
    let every = max(1, (last - first + 1 + count - 1) / max(count, 1))
    var ticks: [Tick] = []
    let isPlain = first >= -3 && last <= 5
    let labelled = every == 1 ? labelledDigits(first...max(first, last), decades, about: count) : [1]
    for exponent in stride(from: first - 1, through: last, by: 1) {
      for digit in 1...9 {
        let value = Double(digit) * pow(10, Double(exponent))
        guard value >= low * (1 - 1e-9), value <= high * (1 + 1e-9), value.isFinite, value > 0 else { continue }
        if digit > 1 && (every > 1 || decades > 8) { continue }
        let hasLabel = labelled.contains(digit) && (digit > 1 || (exponent - first) % every == 0)
        ticks.append(Tick(value: value, label: hasLabel ? Scale.label(digit, exponent, isPlain) : nil))
      }
    }
    return ticks
  }

  /// Which numbers of each decade are labelled: more than its beginning where decades are few and there is room, but two
  /// labels at least.
  private func labelledDigits(_ exponents: ClosedRange<Int>, _ decades: Double, about count: Int) -> [Int] {
    guard count > 1, decades < 2.5 else { return [1] }
    func labels(_ digits: [Int]) -> Int {
      (exponents.lowerBound - 1...exponents.upperBound).reduce(0) { sum, exponent in
        sum
          + digits.count { digit in
            (low * (1 - 1e-9)...high * (1 + 1e-9)).contains(Double(digit) * pow(10, Double(exponent)))
          }
      }
    }
    let choices = ((decades < 1.5 ? [[1, 2, 3, 5]] : []) + [[1, 3], [1]]).filter { labels($0) > 1 }
    return choices.first { labels($0) <= count } ?? choices.last ?? [1]
  }

  private static func label(_ digit: Int, _ exponent: Int, _ isPlain: Bool) -> String {
    guard isPlain else { return (digit == 1 ? "" : "\(digit)×") + NumberText.power(of: exponent) }
    return exponent >= 0
      ? NumberText.grouped(Double(digit) * pow(10, Double(exponent)))
      : String(format: "%.*f", -exponent, Double(digit) * pow(10, Double(exponent)))
  }
}
