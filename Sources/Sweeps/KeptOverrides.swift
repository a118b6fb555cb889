// The command line's overrides at the end of a sweep file's text, where a store keeps them: each a comment
// `#@ set "training.epochs=2000"`. Reading such a text applies them, so it means what was registered.

import Foundation

enum KeptOverrides {
  private static let mark = "#@ set "

  /// The text without them, and they in their order.
  static func split(_ text: String) -> (text: String, overrides: [String]) {
    // By bytes: to Swift, a line's end of Windows is one character and no "\n".
    var bytes = Array(text.utf8)[...]
    var overrides: [String] = []
    while true {
      let ended = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes
      let begin = ended.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? ended.startIndex
      let line = ended[begin...]
      guard line.starts(with: mark.utf8),
        let override = try? JSONDecoder().decode(String.self, from: Data(line.dropFirst(mark.utf8.count)))
      else { break }
      overrides.insert(override, at: 0)
      bytes = bytes[..<begin]
    }
    return overrides.isEmpty ? (text, []) : (String(decoding: bytes, as: UTF8.self), overrides)
  }

  static func joined(_ text: String, _ overrides: [String]) -> String {
    guard !overrides.isEmpty else { return text }
    let lines = overrides.map { mark + CanonicalJSON.text($0).text + "\n" }
    return text + (text.utf8.last == UInt8(ascii: "\n") ? "" : "\n") + lines.joined()
  }
}
