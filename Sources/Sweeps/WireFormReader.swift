// The reading side of WireForm.swift. It believes nothing: every byte is one that the writer would have written, or the
// reader gives up and has read nothing. So it knows no blanks, no escapes, no keys that it was not asked for.

package struct WireFormReader: WireForm {
  private let bytes: [UInt8]
  private var place = 0
  private var isFirst = true
  private var hasGivenUp = false

  /// Longer numbers are left to others: 17 digits with sign, point and exponent are shorter.
  private static let longestNumber = 32
  /// Powers of ten that a Double has exactly.
  private static let powers: [Double] = (0...22).map { power in (0..<power).reduce(1.0) { ten, _ in ten * 10 } }

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether all of the text was read, and nothing else stands there.
  package var isDone: Bool { !hasGivenUp && place == bytes.count }

  /// A character that stands in a text for itself.
  package static func isPlain(_ byte: UInt8) -> Bool {
    (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  package mutating func open() {
    expect(UInt8(ascii: "{"))
    isFirst = true
  }

  package mutating func close() {
    expect(UInt8(ascii: "}"))
    isFirst = false
  }

  package mutating func key(_ name: StaticString) {
    if !key(name, ifKnown: true) { giveUp() }
  }

  package mutating func key(_ name: StaticString, ifKnown isKnown: Bool) -> Bool {
    let start = isFirst ? place : place + 1
    let length = name.utf8CodeUnitCount
    guard !hasGivenUp, start + length + 3 <= bytes.count, isFirst || bytes[place] == UInt8(ascii: ","),
      bytes[start] == UInt8(ascii: "\""), bytes[start + length + 1] == UInt8(ascii: "\""),
      bytes[start + length + 2] == UInt8(ascii: ":"),
      name.withUTF8Buffer({ bytes[(start + 1)...(start + length)].elementsEqual($0) })
    else { return false }
    place = start + length + 3
    isFirst = false
    return true
  }

  package mutating func whole<Value: FixedWidthInteger>(_ value: inout Value) {
    let isNegative = Value.isSigned && skip(UInt8(ascii: "-"))
    let start = place
    var number: Value = 0
    while let digit {
      let (tenfold, overflows) = number.multipliedReportingOverflow(by: 10)
      let (next, overflowsToo) =
        isNegative
        ? tenfold.subtractingReportingOverflow(Value(digit)) : tenfold.addingReportingOverflow(Value(digit))
      guard !overflows, !overflowsToo else { return giveUp() }
      number = next
      place += 1
    }
    // No digit, zeros before others, −0, a fraction or an exponent: not as it is written here.
    guard place > start, place == start + 1 || bytes[start] != UInt8(ascii: "0"), !isNegative || number != 0,
      !isNext(UInt8(ascii: ".")), !isNext(UInt8(ascii: "e")), !isNext(UInt8(ascii: "E"))
    else { return giveUp() }
    value = number
  }

  /// As many digits as a Double has exactly, and a power of ten that it has exactly, give the nearest Double with one
  /// multiplication or division; others are left to the standard library.
  package mutating func number(_ value: inout Double) {
    let start = place
    let isNegative = skip(UInt8(ascii: "-"))
    let (first, whole) = (place, digits())
    guard whole.count > 0, whole.count == 1 || bytes[first] != UInt8(ascii: "0") else { return giveUp() }
    var (mantissa, count, power) = (whole.value, whole.count, 0)
    if skip(UInt8(ascii: ".")) {
      let fraction = digits(after: mantissa)
      guard fraction.count > 0 else { return giveUp() }
      (mantissa, count, power) = (fraction.value, count + fraction.count, -fraction.count)
    }
    // Foundation's decoder knows no exponent behind a zero.
    if mantissa != 0, skip(UInt8(ascii: "e")) {
      let isSmall = skip(UInt8(ascii: "-"))
      if !isSmall { _ = skip(UInt8(ascii: "+")) }
      let exponent = digits()
      guard (1...3).contains(exponent.count) else { return giveUp() }
      power += Int(exponent.value) * (isSmall ? -1 : 1)
    }
    guard place - start <= Self.longestNumber, !isNext(UInt8(ascii: "E")) else { return giveUp() }
    if count <= 15, (-22...22).contains(power) {
      let magnitude =
        power < 0 ? Double(mantissa) / Self.powers[-power] : Double(mantissa) * Self.powers[power]
      guard magnitude > 0 || !isNegative else { return giveUp() }
      value = isNegative ? -magnitude : magnitude
      return
    }
    // What is beyond a Double's range, or vanishes in it, is not for here.
    guard let parsed = Double(String(decoding: bytes[start..<place], as: UTF8.self)), parsed.isNormal else {
      return giveUp()
    }
    value = parsed
  }

  package mutating func truth(_ value: inout Bool) {
    for (word, meaning) in [("true" as StaticString, true), ("false", false)]
    where word.withUTF8Buffer({ bytes[place...].starts(with: $0) }) {
      place += word.utf8CodeUnitCount
      value = meaning
      return
    }
    giveUp()
  }

  package mutating func text(_ value: inout String) {
    expect(UInt8(ascii: "\""))
    let start = place
    while place < bytes.count, Self.isPlain(bytes[place]) { place += 1 }
    value = String(decoding: bytes[start..<place], as: UTF8.self)
    expect(UInt8(ascii: "\""))
  }

  package mutating func list<Item>(_ items: inout [Item], of blank: Item, _ each: (inout Self, inout Item) -> Void) {
    expect(UInt8(ascii: "["))
    items.removeAll()
    guard !skip(UInt8(ascii: "]")) else { return }
    repeat {
      var item = blank
      each(&self, &item)
      items.append(item)
    } while !hasGivenUp && skip(UInt8(ascii: ","))
    expect(UInt8(ascii: "]"))
  }

  package mutating func giveUp() {
    hasGivenUp = true
    place = bytes.count
  }

  private var digit: UInt8? {
    guard place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) else { return nil }
    return bytes[place] - UInt8(ascii: "0")
  }

  /// The digits that come, behind those of `value`; without meaning where there are too many for 64 bits.
  private mutating func digits(after value: UInt64 = 0) -> (value: UInt64, count: Int) {
    var (value, count) = (value, 0)
    while let digit {
      value = value &* 10 &+ UInt64(digit)
      count += 1
      place += 1
    }
    return (value, count)
  }

  private func isNext(_ byte: UInt8) -> Bool { place < bytes.count && bytes[place] == byte }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard isNext(byte) else { return false }
    place += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) {
    if !skip(byte) { giveUp() }
  }
}
