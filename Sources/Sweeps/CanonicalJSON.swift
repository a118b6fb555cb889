// JSON in the one form of RFC 8785 (JSON Canonicalization Scheme): keys sorted, no space, numbers as ECMAScript prints
// them. Ids of points are hashes of this text, so it may never change; a golden test holds it. It refuses numbers that
// JSON cannot say (infinite, not a number) and keys that are not ASCII, whose order the RFC defines differently.

/// A JSON value to be written canonically: `text`.
package enum CanonicalJSON: Hashable, Sendable {
  package struct Member: Hashable, Sendable {
    package let key: String
    package let value: CanonicalJSON

    package init(_ key: String, _ value: CanonicalJSON) {
      self.key = key
      self.value = value
    }
  }

  case null
  case flag(Bool)
  /// Finite. Whole numbers are exact up to 2^53.
  case number(Double)
  case text(String)
  case list([CanonicalJSON])
  /// Keys in any order, each once, ASCII.
  case object([Member])

  /// The canonical text. Whole numbers have no point: `1`, not `1.0`.
  package var text: String {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the canonical text in UTF-8.
  package func write(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .flag(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    case .number(let number): bytes.append(contentsOf: Self.shortest(number).utf8)
    case .text(let text): Self.write(text, to: &bytes)
    case .list(let items):
      bytes.append(UInt8(ascii: "["))
      for (index, item) in items.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        item.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      var previous: String?
      for member in Self.sorted(members) {
        precondition(previous != member.key, "the key \(member.key) stands twice in an object")
        if previous != nil { bytes.append(UInt8(ascii: ",")) }
        Self.write(member.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.write(to: &bytes)
        previous = member.key
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// Sorting allocates, and whoever hashes a million points writes them in order anyway.
  private static func sorted(_ members: [Member]) -> [Member] {
    let inOrder = zip(members, members.dropFirst()).allSatisfy { $0.key < $1.key }
    return inOrder ? members : members.sorted { $0.key < $1.key }
  }

  private static func write(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      bytes.append(contentsOf: text.utf8)
      bytes.append(UInt8(ascii: "\""))
      return
    }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
      case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
      case 0x08: bytes.append(contentsOf: "\\b".utf8)
      case 0x09: bytes.append(contentsOf: "\\t".utf8)
      case 0x0a: bytes.append(contentsOf: "\\n".utf8)
      case 0x0c: bytes.append(contentsOf: "\\f".utf8)
      case 0x0d: bytes.append(contentsOf: "\\r".utf8)
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        bytes.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// The fewest digits that give `number` back, laid out as by ECMAScript's `Number::toString`: `1`, `0.3`, `1e-8`,
  /// `1e+21`. Minus zero is `0`.
  package static func shortest(_ number: Double) -> String {
    precondition(number.isFinite, "JSON has no number \(number)")
    if number.magnitude < 0x1p53, number == number.rounded(.towardZero) { return String(Int64(number)) }
    // Swift prints the fewest digits too, in a layout of its own: 1e-08, 1e+22, 123.456. Take digits and exponent.
    var digits: [UInt8] = []
    var point = 0  // the value is 0.digits × 10^point
    var pointSeen = false
    var exponentText = ""
    var inExponent = false
    for byte in number.magnitude.description.utf8 {
      if inExponent {
        exponentText.unicodeScalars.append(Unicode.Scalar(byte))
      } else if byte == UInt8(ascii: "e") {
        inExponent = true
      } else if byte == UInt8(ascii: ".") {
        pointSeen = true
      } else if byte == UInt8(ascii: "0"), digits.isEmpty {
        if pointSeen { point -= 1 }
      } else {
        digits.append(byte)
        if !pointSeen { point += 1 }
      }
    }
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    point += Int(exponentText) ?? 0
    let sign = number < 0 ? "-" : ""
    let all = String(decoding: digits, as: UTF8.self)
    switch point {
    case digits.count...21:  // a double has at most 17 digits
      return sign + all + String(repeating: "0", count: point - digits.count)
    case 1...21:
      return sign + all.prefix(point) + "." + all.dropFirst(point)
    case -5...0:
      return sign + "0." + String(repeating: "0", count: -point) + all
    default:
      let exponent = point - 1
      let fraction = digits.count > 1 ? "." + all.dropFirst() : ""
      return sign + all.prefix(1) + fraction + "e" + (exponent < 0 ? "-" : "+") + String(exponent.magnitude)
    }
  }
}

extension CanonicalJSON: Decodable {
  /// Reads any JSON, canonical or not.
  package init(from decoder: any Decoder) throws {
    if let members = try? decoder.container(keyedBy: AnyKey.self) {
      self = .object(
        try members.allKeys.sorted { $0.stringValue < $1.stringValue }.map {
          Member($0.stringValue, try members.decode(CanonicalJSON.self, forKey: $0))
        })
    } else if var items = try? decoder.unkeyedContainer() {
      var list: [CanonicalJSON] = []
      while !items.isAtEnd { list.append(try items.decode(CanonicalJSON.self)) }
      self = .list(list)
    } else {
      let value = try decoder.singleValueContainer()
      if value.decodeNil() {
        self = .null
      } else if let flag = try? value.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? value.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try value.decode(String.self))
      }
    }
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
