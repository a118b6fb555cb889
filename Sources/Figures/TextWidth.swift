// How wide a text is, near enough that labels do not run into each other.
//
// No font is asked: widths are those of DejaVu Sans, which is wider than what browsers usually take for `sans-serif`, so
// that a text is rather measured too wide than too narrow.

package enum TextWidth {
  /// In the units of `size`, the font size.
  package static func of(_ text: String, size: Double) -> Double {
    text.unicodeScalars.reduce(0) { $0 + width(of: $1) } * size / 100
  }

  /// `text`, or as much of its beginning as fits with an ellipsis.
  static func cut(_ text: String, to width: Double, size: Double) -> String {
    guard of(text, size: size) > width else { return text }
    var kept = ""
    for character in text {
      guard of(kept + String(character) + "…", size: size) <= width else { break }
      kept.append(character)
    }
    return kept + "…"
  }

  /// Breaks `text` at spaces into lines of at most `width`; a longer word stands alone and is cut.
  static func lines(_ text: String, width: Double, size: Double) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      let longer = line.isEmpty ? String(word) : "\(line) \(word)"
      if of(longer, size: size) <= width || line.isEmpty {
        line = longer
      } else {
        lines.append(line)
        line = String(word)
      }
    }
    if !line.isEmpty { lines.append(line) }
    return lines.map { cut($0, to: width, size: size) }
  }

  /// In hundredths of the font size.
  private static func width(of scalar: Unicode.Scalar) -> Double {
    switch scalar.value {
    case 0x20..<0x7F: ascii[Int(scalar.value) - 0x20]
    case 0xA0: 32
    // Superscript digits and their minus sign.
    case 0xB2, 0xB3, 0xB9, 0x2070, 0x2074...0x2079: 40
    case 0x207B: 53
    case 0x300...0x36F: 0
    case 0x2190..<0x2300: 84
    // East Asian scripts and emoji.
    case 0x2E80...: 110
    default: 68
    }
  }

  private static let ascii: [Double] = [
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
    84,
    84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69,
    39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82,
    59,
    59, 52, 64, 34, 64, 84,
  ]
}
