// Text inside SVG and HTML. Everything that comes from a store or a sweep file goes through here.

package enum Markup {
  /// `text` with the characters that mean something in markup written as entities; safe between tags and inside quoted
  /// attributes. Control characters, which XML forbids, become U+FFFD.
  package static func escaped(_ text: String) -> String {
    // Most texts are words and numbers, and a page has thousands of them.
    if text.utf8.allSatisfy(isPlain) { return text }
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      case _ where scalar.value < 0x20 && !"\t\n\r".unicodeScalars.contains(scalar): result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Of ASCII, printed, and without a meaning.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x22, 0x26, 0x27, 0x3c, 0x3e: false
    default: (0x20..<0x7f).contains(byte)
    }
  }
}
