// JSON in the one form in which JSONEncoder writes our messages: keys sorted, no blanks. Described once, by functions that
// walk over a value; a writer makes the text of it, and a reader takes it apart.
//
// Only for the few messages that every point needs (WireForms.swift), where Foundation's coders took a fourth of a
// coordinator's time. Neither side explains anything: the writer gives up on a text that would need escapes and on numbers
// that are not finite, the reader on whatever is not in this form; then Foundation's coders say what is to be said.

/// Walks over a value: a writer leaves it as it is, a reader fills it in.
package protocol WireForm {
  mutating func open()
  mutating func close()
  /// Keys come in the order of their bytes.
  mutating func key(_ name: StaticString)
  /// A key that need not be there: whether its value follows.
  ///
  /// - Parameter isKnown: whether there is a value to write.
  mutating func key(_ name: StaticString, ifKnown isKnown: Bool) -> Bool
  mutating func whole(_ value: inout some FixedWidthInteger)
  mutating func number(_ value: inout Double)
  mutating func truth(_ value: inout Bool)
  mutating func text(_ value: inout String)
  mutating func list<Item>(_ items: inout [Item], of blank: Item, _ each: (inout Self, inout Item) -> Void)
  /// No message of this form.
  mutating func giveUp()
}

extension WireForm {
  mutating func whole(_ name: StaticString, _ value: inout some FixedWidthInteger) {
    key(name)
    whole(&value)
  }

  mutating func whole(_ name: StaticString, _ value: inout Int?) {
    guard key(name, ifKnown: value != nil) else {
      value = nil
      return
    }
    var known = value ?? 0
    whole(&known)
    value = known
  }

  mutating func number(_ name: StaticString, _ value: inout Double) {
    key(name)
    number(&value)
  }

  mutating func number(_ name: StaticString, _ value: inout Double?) {
    guard key(name, ifKnown: value != nil) else {
      value = nil
      return
    }
    var known = value ?? 0
    number(&known)
    value = known
  }

  mutating func text(_ name: StaticString, _ value: inout String) {
    key(name)
    text(&value)
  }

  mutating func word<Word: RawRepresentable<String>>(_ name: StaticString, _ value: inout Word) {
    var raw = value.rawValue
    text(name, &raw)
    guard let word = Word(rawValue: raw) else { return giveUp() }
    value = word
  }

  mutating func object(_ name: StaticString, _ fields: (inout Self) -> Void) {
    key(name)
    open()
    fields(&self)
    close()
  }

  mutating func objects<Item>(
    _ name: StaticString, _ items: inout [Item], of blank: Item, _ fields: (inout Self, inout Item) -> Void
  ) {
    key(name)
    list(&items, of: blank) { form, item in
      form.open()
      fields(&form, &item)
      form.close()
    }
  }
}

package struct WireFormWriter: WireForm {
  private var bytes: [UInt8] = []
  private var isFirst = true
  private var isPossible = true

  package init() { bytes.reserveCapacity(1024) }

  /// nil when the value cannot be written in this form.
  package var text: [UInt8]? { isPossible ? bytes : nil }

  package mutating func open() {
    bytes.append(UInt8(ascii: "{"))
    isFirst = true
  }

  package mutating func close() {
    bytes.append(UInt8(ascii: "}"))
    isFirst = false
  }

  package mutating func key(_ name: StaticString) {
    if !isFirst { bytes.append(UInt8(ascii: ",")) }
    isFirst = false
    bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
  }

  package mutating func key(_ name: StaticString, ifKnown isKnown: Bool) -> Bool {
    if isKnown { key(name) }
    return isKnown
  }

  package mutating func whole(_ value: inout some FixedWidthInteger) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = UInt64(value.magnitude)
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  package mutating func number(_ value: inout Double) {
    guard value.isFinite else { return giveUp() }
    bytes.append(contentsOf: value.description.utf8)
    // As JSONEncoder does.
    if bytes.suffix(2).elementsEqual(".0".utf8) { bytes.removeLast(2) }
  }

  package mutating func truth(_ value: inout Bool) { bytes.append(contentsOf: (value ? "true" : "false").utf8) }

  package mutating func text(_ value: inout String) {
    guard value.utf8.allSatisfy(WireFormReader.isPlain) else { return giveUp() }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(contentsOf: value.utf8)
    bytes.append(UInt8(ascii: "\""))
  }

  package mutating func list<Item>(_ items: inout [Item], of blank: Item, _ each: (inout Self, inout Item) -> Void) {
    bytes.append(UInt8(ascii: "["))
    for place in items.indices {
      if place > 0 { bytes.append(UInt8(ascii: ",")) }
      each(&self, &items[place])
    }
    bytes.append(UInt8(ascii: "]"))
  }

  package mutating func giveUp() { isPossible = false }
}
