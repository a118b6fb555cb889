// How numbers are said to people: durations, losses, counts. One place, so that every command says them alike.

import Foundation
import Sweeps

package enum Wording {
  /// `0.4 s`, `12 s`, `3 min 20 s`, `5 h 02 min`, `3 d 4 h`.
  package static func duration(seconds: Double) -> String {
    if seconds < 9.95 { return "\(fixed(max(seconds, 0), digits: 1)) s" }
    let whole = Int(seconds.rounded())
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3600: return "\(whole / 60) min \(twoDigits(whole % 60)) s"
    case ..<86_400: return "\(whole / 3600) h \(twoDigits(whole % 3600 / 60)) min"
    default: return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
    }
  }

  /// `1 h 05 min to go (50 min 10 s to 1 h 25 min)`; without the range where it says nothing.
  package static func toGo(_ remaining: RemainingTime) -> String {
    let (low, high) = (duration(seconds: remaining.low), duration(seconds: remaining.high))
    return "\(duration(seconds: remaining.seconds)) to go" + (low == high ? "" : " (\(low) to \(high))")
  }

  /// Three significant digits, as losses are read: `4.73`, `0.0123`, `2.41e-07`.
  package static func loss(_ value: Double?) -> String {
    guard let value else { return "–" }
    let size = abs(value)
    if value == 0 { return "0" }
    return size < 1e-3 || size >= 1e5 ? String(format: "%.2e", value) : String(format: "%.3g", value)
  }

  /// `99.5 %`.
  package static func share(_ value: Double?) -> String {
    guard let value else { return "–" }
    return "\(fixed(value * 100, digits: 1)) %"
  }

  /// Two significant digits, for shares that may be far below one in a hundred: `0.55 %`, `12 %`.
  package static func percent(_ value: Double) -> String { "\(String(format: "%.2g", value * 100)) %" }

  /// A whole epoch with commas, or a dash where there is none.
  package static func epoch(_ value: Int?) -> String { value.map(grouped) ?? "–" }

  /// `12 points`, `1 point`.
  package static func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
    "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
  }

  /// A whole number with commas: `40,000`.
  package static func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (place, digit) in digits.reversed().enumerated() {
      if place > 0 && place % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
  }

  /// A swept value as it is written: `0.3`, `53`.
  package static func plain(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
  }

  /// Epochs a second: `8.4`, `112`, `11,200`.
  package static func rate(_ value: Double) -> String {
    value < 100 ? fixed(value, digits: 1) : grouped(Int(value.rounded()))
  }

  package static func fixed(_ value: Double, digits: Int) -> String { String(format: "%.\(digits)f", value) }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
