// The name of a point for ever and everywhere.

import Grokking

/// SHA-256 of a point's canonical experiment and the engine's semantics version: 32 bytes, 64 hexadecimal digits.
///
/// A coordinator holds a million of them, so the bytes lie in place, in four big-endian words.
package struct PointID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// nil unless `hex` is 64 lower-case hexadecimal digits.
  package init?(hex: String) {
    guard hex.utf8.count == 64 else { return nil }
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var place = 0
    for digit in hex.utf8 {
      guard WireHex.isDigit(digit) else { return nil }
      let value = UInt64(digit < 58 ? digit - 48 : digit - 87)
      switch place / 16 {
      case 0: words.0 = words.0 << 4 | value
      case 1: words.1 = words.1 << 4 | value
      case 2: words.2 = words.2 << 4 | value
      default: words.3 = words.3 << 4 | value
      }
      place += 1
    }
    self.words = words
  }

  /// - Parameter bytes: 32 of them.
  init(bytes: some Sequence<UInt8>) {
    var words: [UInt64] = [0, 0, 0, 0]
    var count = 0
    for byte in bytes {
      words[count / 8] = words[count / 8] << 8 | UInt64(byte)
      count += 1
    }
    precondition(count == 32, "a point's id of \(count) bytes")
    self.words = (words[0], words[1], words[2], words[3])
  }

  package var hex: String {
    // Written a million times when a large sweep is registered, so without arrays in between.
    String(unsafeUninitializedCapacity: 64) { digits in
      var place = 0
      for word in [words.0, words.1, words.2, words.3] {
        for shift in stride(from: 60, through: 0, by: -4) {
          let value = UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15
          digits[place] = value < 10 ? 48 + value : 87 + value
          place += 1
        }
      }
      return place
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let id = PointID(hex: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "a point's id is 64 hexadecimal digits")
    }
    self = id
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(hex)
  }

  package static func == (left: PointID, right: PointID) -> Bool { left.words == right.words }

  package func hash(into hasher: inout Hasher) {
    // Any word of a hash would do; ids that tests make up differ in their last digits.
    hasher.combine(words.0 ^ words.3)
  }

  /// The same in every process, and different in all its bits for ids that tests make up.
  var spread: UInt64 { (words.0 ^ words.3) &* 0x9E37_79B9_7F4A_7C15 }

  package static func < (left: PointID, right: PointID) -> Bool { left.words < right.words }

  /// The first 12 digits: enough for people.
  package var short: String { String(hex.prefix(12)) }
  package var description: String { hex }
}
