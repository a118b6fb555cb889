// What a sampled axis draws from: uniform, log_uniform or integer. Values are short decimals, equal to the last bit on
// every machine: no function of the C library takes part, and what a rounding error could change is rounded away.

import Kernels

/// A distribution of numbers, read from `{uniform: [a, b]}` and the like.
enum Distribution: Sendable {
  /// Equally likely decimals from `low` (included) to the upper bound (not included), at least a million of them: the step
  /// is the largest power of ten of which a million fit.
  case uniform(ExactDecimal.Range, bounds: (Double, Double))
  /// As likely between 0.1 and 1 as between 1 and 10; rounded to so many digits that a million values are different,
  /// at least 6. `isWhole`: to whole numbers instead.
  case logUniform(bounds: (Double, Double), digits: Int, isWhole: Bool)
  /// Equally likely whole numbers, both bounds included.
  case integer(low: Double, count: Double)

  static let names = ["uniform", "log_uniform", "integer"]

  /// Different values that a continuous distribution has at least.
  private static let resolution = 1e6

  /// `fraction` of 2^32 of the way from the lower bound to the upper one.
  func value(at fraction: UInt32) -> Double {
    switch self {
    case .uniform(let range, _):
      // The last value, which is the upper bound, is left out.
      return range[Self.part(fraction, of: UInt64(range.count - 1))]
    case .integer(let low, let count): return low + Double(Self.part(fraction, of: UInt64(count)))
    case .logUniform(let bounds, let digits, let isWhole):
      let (low, high) = (DeterministicMath.log(bounds.0), DeterministicMath.log(bounds.1))
      let logarithm = low + (Double(fraction) + 0.5) * 0x1p-32 * (high - low)
      let exact = DeterministicMath.exp(logarithm)
      let rounded = isWhole ? exact.rounded() : Self.rounded(exact, digits: digits)
      return min(max(rounded, bounds.0), bounds.1)
    }
  }

  /// ⌊fraction / 2^32 · count⌋
  static func part(_ fraction: UInt32, of count: UInt64) -> Int {
    let (high, low) = count.multipliedFullWidth(by: UInt64(fraction))
    return Int(high << 32 | low >> 32)
  }

  /// The decimal with so many digits that is nearest, up to the last bit of a scaled double: the same everywhere.
  static func rounded(_ x: Double, digits: Int) -> Double {
    // log10 may be off by one next to a power of ten; then there is a digit more or less, everywhere the same.
    let exponent = Int((DeterministicMath.log(x) / 2.302585092994046).rounded(.down)) - digits + 1
    return ExactDecimal(mantissa: Int((x * ExactDecimal.powerOfTen(-exponent)).rounded()), exponent: exponent).double
  }

  /// - Parameter key: what the axis sweeps, for its kind of numbers.
  static func read(
    _ name: String, _ node: YAMLTree, key: ExperimentKey, at place: SweepFilePlace
  ) throws(SweepFileProblem) -> Distribution {
    func problem(_ message: String, at here: SweepFilePlace? = nil) -> SweepFileProblem {
      SweepFileProblem(here ?? node.place, "axis \(key.path): \(message)")
    }
    if key.isSeed {
      throw problem("a seed is not drawn but crossed with the samples; write {count: 5} or a list", at: place)
    }
    let isWhole = key.kind.isWhole
    guard isWhole || key.kind == .decimal else {
      throw problem("\(name) draws numbers; write a list of values (\(key.kind.expectation))", at: place)
    }
    guard case .list(let items) = node.content, items.count == 2 else {
      throw problem("\(name) takes two bounds, such as {\(name): [1, 10]}")
    }
    var bounds: [ExactDecimal] = []
    for item in items {
      let kind: SettingValue.Kind = isWhole || name == "integer" ? .whole : .decimal
      _ = try SettingValue.read(item, as: kind, name: "axis \(key.path): a bound of \(name)")
      guard let bound = ExactDecimal(item.text ?? "") else {
        throw problem("a bound of \(name), \(SweepText.shown(item.text ?? "")), has too many digits", at: item.place)
      }
      bounds.append(bound)
    }
    let (low, high) = (bounds[0].double, bounds[1].double)
    let shown = items.map { SweepText.shown($0.text ?? "") }
    if name == "log_uniform", low <= 0 {
      throw problem(
        "log_uniform needs bounds above 0, not \(shown[0]), whose logarithm does not exist; write uniform, or raise it")
    }
    if name == "log_uniform", low < 1e-250 || high > 1e250 {
      throw problem("log_uniform takes bounds between 1e-250 and 1e250")
    }
    guard low < high else {
      let fix = low == high ? "fix \(key.path) outside axes, or widen it" : "exchange the bounds"
      throw problem("\(name) from \(shown[0]) to \(shown[1]) holds nothing; \(fix)")
    }
    switch name {
    case "integer": return .integer(low: low, count: high - low + 1)
    case "uniform" where isWhole:
      throw problem("uniform draws fractions, and \(key.shortName) is \(key.kind.expectation); write integer")
    case "uniform":
      guard let range = ExactDecimal.range(from: bounds[0], to: bounds[1], step: step(of: high - low)),
        range.count > 2
      else { throw problem("the bounds of uniform are too far apart, or have too many digits; write fewer") }
      return .uniform(range, bounds: (low, high))
    default:
      let width = DeterministicMath.log(high) - DeterministicMath.log(low)
      var digits = 6
      while digits < 15, ExactDecimal.powerOfTen(1 - digits) > width / resolution { digits += 1 }
      return .logUniform(bounds: (low, high), digits: digits, isWhole: isWhole)
    }
  }

  /// The largest power of ten of which a million fit into `span`.
  private static func step(of span: Double) -> ExactDecimal {
    var exponent = 0
    while exponent > -320, ExactDecimal.powerOfTen(exponent) * resolution > span { exponent -= 1 }
    while ExactDecimal.powerOfTen(exponent + 1) * resolution <= span { exponent += 1 }
    return ExactDecimal(mantissa: 1, exponent: exponent)
  }

  /// As files call it.
  var name: String {
    switch self {
    case .uniform: "uniform"
    case .logUniform: "log_uniform"
    case .integer: "integer"
    }
  }

  var json: CanonicalJSON {
    switch self {
    case .uniform(_, let bounds): .object([.init("uniform", .list([.number(bounds.0), .number(bounds.1)]))])
    case .logUniform(let bounds, _, _):
      .object([.init("log_uniform", .list([.number(bounds.0), .number(bounds.1)]))])
    case .integer(let low, let count):
      .object([.init("integer", .list([.number(low), .number(low + count - 1)]))])
    }
  }
}
