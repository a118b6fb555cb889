// Times in the store: ISO-8601 text in UTC with milliseconds, which sorts, which people read, and which SQLite's
// date functions understand.

import Foundation

enum Timestamp {
  /// Such as `2026-01-31T09:05:07.250Z`.
  static func text(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  /// A CHECK on `column` that accepts exactly this form.
  static func check(_ column: String) -> String {
    let digit = "[0-9]"
    func digits(_ count: Int) -> String { String(repeating: digit, count: count) }
    let form =
      "\(digits(4))-\(digits(2))-\(digits(2))T\(digits(2)):\(digits(2)):\(digits(2)).\(digits(3))Z"
    return "CHECK (\(column) GLOB '\(form)')"
  }
}
