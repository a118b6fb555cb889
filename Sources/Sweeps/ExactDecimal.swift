// A decimal number exactly as it was written, for ranges: 0.2 + 0.1 is 0.3 here and not 0.30000000000000004. Because
// nothing is rounded, an inclusive end needs no tolerance.

/// mantissa × 10^exponent
struct ExactDecimal: Hashable, Sendable {
  var mantissa: Int
  var exponent: Int

  /// Decimal notation as in JSON, also with `+`, `.5` and `5.`; nil for other text, and for more digits than an `Int`
  /// holds or exponents beyond ±400.
  init?(_ text: String) {
    guard let parts = Self.parts(of: text) else { return nil }
    let digits = String(parts.whole.drop { $0 == "0" }) + parts.fraction
    guard let magnitude = Int(digits.isEmpty ? "0" : digits), let power = Int(parts.exponent),
      (-400...400).contains(power)
    else { return nil }
    mantissa = parts.isNegative ? -magnitude : magnitude
    exponent = power - parts.fraction.count
  }

  init(mantissa: Int, exponent: Int) {
    self.mantissa = mantissa
    self.exponent = exponent
  }

  /// The nearest double.
  var double: Double {
    // Both are exact, so their quotient is the nearest double too, and a million samples take no time.
    if mantissa.magnitude < 1 << 53, (-22...0).contains(exponent) {
      return Double(mantissa) / Self.powerOfTen(-exponent)
    }
    return Double("\(mantissa)e\(exponent)")! + 0
  }

  /// The double nearest to 10^exponent, for exponents within ±320; below 10^−323 that is 0.
  static func powerOfTen(_ exponent: Int) -> Double { powersOfTen[exponent + 320] }

  private static let powersOfTen = (-320...308).map { Double("1e\($0)")! } + [Double](repeating: .infinity, count: 12)

  /// Whether `text` is a number as sweep files write them: no hexadecimal, no underscores, no `.inf`.
  static func isNumber(_ text: String) -> Bool { parts(of: text) != nil }

  /// Whether any digit before the exponent is not zero.
  static func isNonzero(_ text: String) -> Bool {
    guard let parts = parts(of: text) else { return false }
    return (parts.whole + parts.fraction).contains { $0 != "0" }
  }

  private static func parts(of text: String) -> (isNegative: Bool, whole: String, fraction: String, exponent: String)? {
    var rest = text[...]
    func digits() -> String {
      let found = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(found.count)
      return String(found)
    }
    let isNegative = rest.first == "-"
    if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
    let whole = digits()
    var fraction = ""
    if rest.first == "." {
      rest = rest.dropFirst()
      fraction = digits()
    }
    guard !whole.isEmpty || !fraction.isEmpty else { return nil }
    var exponent = "0"
    if rest.first == "e" || rest.first == "E" {
      rest = rest.dropFirst()
      let sign = rest.first == "-" ? "-" : ""
      if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
      let power = digits()
      guard !power.isEmpty else { return nil }
      exponent = sign + power
    }
    return rest.isEmpty ? (isNegative, whole, fraction, exponent) : nil
  }

  /// from, from + step, … while not above `to`. `values` is called only when the caller likes `count`.
  struct Range {
    let start: Int
    let step: Int
    let exponent: Int
    let count: Int

    var values: [Double] { (0..<count).map { self[$0] } }

    /// Value `index`, from 0.
    subscript(index: Int) -> Double { ExactDecimal(mantissa: start + index * step, exponent: exponent).double }
  }

  /// nil when the three are so far apart that no `Int` holds them at one scale. `step` must be above 0, and `to` not
  /// below `from`.
  static func range(from: ExactDecimal, to: ExactDecimal, step: ExactDecimal) -> Range? {
    let exponent = [from, to, step].filter { $0.mantissa != 0 }.map(\.exponent).min() ?? 0
    func scaled(_ number: ExactDecimal) -> Int? {
      if number.mantissa == 0 { return 0 }
      var result = number.mantissa
      for _ in exponent..<number.exponent {
        let (product, overflow) = result.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        result = product
      }
      return result
    }
    guard let start = scaled(from), let end = scaled(to), let width = scaled(step), width > 0 else { return nil }
    let (span, overflow) = end.subtractingReportingOverflow(start)
    guard !overflow, span >= 0, span / width < Int.max else { return nil }
    return Range(start: start, step: width, exponent: exponent, count: span / width + 1)
  }

  static func < (left: ExactDecimal, right: ExactDecimal) -> Bool { left.double < right.double }
}
