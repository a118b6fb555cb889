// How numbers are written in figures: coordinates in few bytes, values as people read them, ticks that belong together.

import Foundation

package enum NumberText {
  /// Tenths of a unit, without needless zeros: `12`, `12.3`, `-.4`. Beyond ±1e7, where no figure reaches, it is cut.
  static func coordinate(_ value: Double) -> String { tenths(inTenths(value)) }

  static func inTenths(_ value: Double) -> Int {
    value.isNaN ? 0 : Int((min(max(value, -1e7), 1e7) * 10).rounded())
  }

  static func tenths(_ tenths: Int) -> String {
    let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
    let sign = tenths < 0 ? "-" : ""
    if rest == 0 { return sign + String(whole) }
    return sign + (whole == 0 ? "" : String(whole)) + "." + String(rest)
  }

  /// At most four significant digits: `4.73`, `0.0123`, `12,400`, `2.41e-7`. What is not finite is a dash.
  package static func value(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    let size = abs(value)
    if size == 0 { return "0" }
    if size >= 1e7 || size < 1e-3 { return scientific(value) }
    if size >= 1000 { return grouped(value.rounded()) }
    return decimals(value, places: max(0, 3 - Int(log10(size).rounded(.down))))
  }

  /// Three significant digits as people write them, for words inside a figure: `0.282`, `1.45×10⁻⁷`.
  package static func written(_ value: Double) -> String {
    let size = abs(value)
    guard value.isFinite, size > 0, size < 1e-3 || size >= 1e6 else {
      return self.value(Double(String(format: "%.3g", value)))
    }
    let text = String(format: "%.2e", value)
    guard let e = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: e)...]) else { return text }
    return trimmed(String(text[..<e])) + "×" + power(of: exponent)
  }

  /// Rounded as C's printf does, without zeros at the end. A page has ten thousands of such numbers, and a formatter is forty
  /// times as slow as whole numbers are; it is asked only where the product might be rounded to the wrong side.
  private static func decimals(_ value: Double, places: Int) -> String {
    let scaled = abs(value) * powers[places]
    let below = scaled.rounded(.down)
    guard abs(scaled - below - 0.5) > 1e-6 else { return trimmed(String(format: "%.*f", places, value)) }
    var (digits, places) = (Int(scaled - below < 0.5 ? below : below + 1), places)
    while places > 0, digits % 10 == 0 { (digits, places) = (digits / 10, places - 1) }
    let sign = value < 0 && digits != 0 ? "-" : ""
    guard places > 0 else { return sign + String(digits) }
    let (whole, rest) = digits.quotientAndRemainder(dividingBy: Int(powers[places]))
    let fraction = String(rest)
    return sign + String(whole) + "." + String(repeating: "0", count: places - fraction.utf8.count) + fraction
  }

  private static let powers: [Double] = [1, 10, 100, 1000, 1e4, 1e5, 1e6]

  /// The shortest decimals that give the same bits, whole numbers without a point: for tables and CSV.
  package static func exact(_ value: Double) -> String {
    guard value.isFinite else { return "" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
    return "\(value)"
  }

  /// As `value`, for programs: no commas.
  static func short(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e7 { return String(Int(value)) }
    if abs(value) >= 1000, abs(value) < 1e7 { return String(Int(value.rounded())) }
    return NumberText.value(value)
  }

  /// `2.41e-7`.
  private static func scientific(_ value: Double) -> String {
    let text = String(format: "%.3e", value)
    guard let e = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: e)...]) else { return text }
    return trimmed(String(text[..<e])) + "e\(exponent)"
  }

  /// Without zeros at the end of decimals.
  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text[...]
    while text.hasSuffix("0") { text = text.dropLast() }
    if text.hasSuffix(".") { text = text.dropLast() }
    return text == "-0" ? "0" : String(text)
  }

  /// Labels of ticks that are a multiple of `step` apart, all in one manner: decimals as the step needs them, thousands
  /// with commas, millions as `2.5M`, and powers of ten where numbers are too small or too large for that.
  static func ticks(_ values: [Double], step: Double) -> [String] {
    let largest = values.map(abs).max() ?? 0
    func decimals(_ step: Double) -> Int { max(0, -Int((log10(step) + 1e-9).rounded(.down))) }
    switch largest {
    case 0: return values.map { _ in "0" }
    case 1e-3..<1e6:
      let places = decimals(step)
      if places > 6 { fallthrough }
      return values.map { places == 0 ? grouped($0.rounded()) : unsignedZero(String(format: "%.*f", places, $0)) }
    case 1e6..<1e12:
      let (unit, letter) = largest < 1e9 ? (1e6, "M") : (1e9, "G")
      let places = decimals(step / unit)
      if places > 3 { fallthrough }
      return values.map { $0 == 0 ? "0" : String(format: "%.*f", places, $0 / unit) + letter }
    default:
      let exponent = Int((log10(largest) + 1e-9).rounded(.down))
      // In two factors: 10^−320 alone would be zero.
      func mantissa(_ value: Double) -> Double {
        value / pow(10, Double(exponent / 2)) / pow(10, Double(exponent - exponent / 2))
      }
      let places = min(decimals(mantissa(step)), 6)
      return values.map { $0 == 0 ? "0" : String(format: "%.*f", places, mantissa($0)) + "×" + power(of: exponent) }
    }
  }

  /// `10⁻³`.
  package static func power(of exponent: Int) -> String { "10" + superscript(exponent) }

  private static func superscript(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return (number < 0 ? "⁻" : "") + String(String(number.magnitude).map { digits[$0.wholeNumberValue!] })
  }

  /// `12,400`, of a whole number.
  static func grouped(_ value: Double) -> String {
    let digits = abs(value) < 1e15 ? String(Int(abs(value))) : String(format: "%.0f", abs(value))
    var text = value < 0 && digits != "0" ? "-" : ""
    for (place, digit) in digits.utf8.enumerated() {
      if place > 0 && (digits.utf8.count - place) % 3 == 0 { text.append(",") }
      text.unicodeScalars.append(Unicode.Scalar(digit))
    }
    return text
  }

  private static func unsignedZero(_ text: String) -> String {
    text.hasPrefix("-") && text.allSatisfy { "-0.".contains($0) } ? String(text.dropFirst()) : text
  }
}
