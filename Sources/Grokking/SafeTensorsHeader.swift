// The JSON header of a safetensors file: exactly the grammar the format allows, and nothing more.
//
// A general JSON reader would silently keep one of two entries of the same name and accept what the format does not
// have; this one refuses both, with the byte at which it stopped. Nesting cannot be deeper than the format's.

/// One tensor as the header describes it, not yet checked against the bytes.
struct SafeTensorsEntry {
  var name: String
  var type: SafeTensors.ElementType
  var shape: [Int]
  var begin: Int
  var end: Int
}

/// Reads `{"__metadata__": {…}, "name": {"dtype": …, "shape": […], "data_offsets": [b, e]}, …}`.
struct SafeTensorsHeader {
  private(set) var entries: [SafeTensorsEntry] = []
  private(set) var metadata: [String: String] = [:]
  private var bytes: ArraySlice<UInt8>
  private let start: Int

  /// - Parameter bytes: the header alone, padding included.
  init(parsing bytes: ArraySlice<UInt8>) throws(SafeTensorsError) {
    self.bytes = bytes
    start = bytes.startIndex
    var names: Set<String> = []
    guard self.bytes.first == UInt8(ascii: "{") else { throw problem("it does not begin with {") }
    try object { reader, name throws(SafeTensorsError) in
      guard names.insert(name).inserted else { throw reader.problem("\"\(name)\" is there twice") }
      if name == "__metadata__" {
        reader.metadata = try reader.strings()
      } else {
        let entry = try reader.entry(name)
        reader.entries.append(entry)
      }
    }
    skipSpace()
    guard self.bytes.isEmpty else { throw problem("something follows the closing brace") }
  }

  private func problem(_ what: String) -> SafeTensorsError {
    SafeTensorsError("the header is not what a safetensors file has: \(what), at byte \(8 + bytes.startIndex - start)")
  }

  private mutating func entry(_ name: String) throws(SafeTensorsError) -> SafeTensorsEntry {
    var type: SafeTensors.ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    try object { reader, key throws(SafeTensorsError) in
      switch key {
      case "dtype" where type == nil:
        let written = try reader.string()
        guard let known = SafeTensors.ElementType(rawValue: written) else {
          throw reader.problem("tensor \"\(name)\" has the unknown dtype \"\(written)\"")
        }
        type = known
      case "shape" where shape == nil: shape = try reader.numbers()
      case "data_offsets" where offsets == nil: offsets = try reader.numbers()
      case "dtype", "shape", "data_offsets": throw reader.problem("tensor \"\(name)\" has \"\(key)\" twice")
      default: throw reader.problem("tensor \"\(name)\" has the unknown key \"\(key)\"")
      }
    }
    guard let type, let shape, let offsets else {
      throw problem("tensor \"\(name)\" lacks one of dtype, shape and data_offsets")
    }
    guard offsets.count == 2 else { throw problem("tensor \"\(name)\" has \(offsets.count) data_offsets, not two") }
    return SafeTensorsEntry(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  private mutating func strings() throws(SafeTensorsError) -> [String: String] {
    var found: [String: String] = [:]
    try object { reader, key throws(SafeTensorsError) in
      guard found[key] == nil else { throw reader.problem("the metadata has \"\(key)\" twice") }
      found[key] = try reader.string()
    }
    return found
  }

  /// `{"key": member, …}`; `member` reads the value.
  private mutating func object(
    _ member: (inout SafeTensorsHeader, String) throws(SafeTensorsError) -> Void
  ) throws(SafeTensorsError) {
    try expect("{")
    if accept("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try member(&self, key)
    } while accept(",")
    try expect("}")
  }

  /// `[n, …]`, whole numbers ≥ 0 that fit an Int.
  private mutating func numbers() throws(SafeTensorsError) -> [Int] {
    var found: [Int] = []
    try expect("[")
    if accept("]") { return found }
    repeat {
      skipSpace()
      let digits = bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      guard !digits.isEmpty else { throw problem("a whole number is expected") }
      guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { throw problem("a number begins with 0") }
      guard let number = Int(String(decoding: digits, as: UTF8.self)) else { throw problem("a number is too large") }
      bytes = bytes[digits.endIndex...]
      found.append(number)
    } while accept(",")
    try expect("]")
    return found
  }

  private mutating func string() throws(SafeTensorsError) -> String {
    try expect("\"")
    var scalars: [UInt8] = []
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: scalars, as: UTF8.self) else { throw problem("a name is not UTF-8") }
        return text
      case UInt8(ascii: "\\"): scalars.append(contentsOf: try escape())
      case 0..<0x20: throw problem("a control character stands in a string")
      default: scalars.append(byte)
      }
    }
    throw problem("a string does not end")
  }

  /// What follows a backslash, as UTF-8.
  private mutating func escape() throws(SafeTensorsError) -> [UInt8] {
    guard let byte = bytes.popFirst() else { throw problem("a string does not end") }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var code = try fourHexDigits()
      if (0xD800..<0xDC00).contains(code), bytes.starts(with: Array("\\u".utf8)) {
        bytes = bytes.dropFirst(2)
        let low = try fourHexDigits()
        guard (0xDC00..<0xE000).contains(low) else { throw problem("half a surrogate pair stands in a string") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw problem("half a surrogate pair stands in a string") }
      return Array(String(Character(scalar)).utf8)
    default: throw problem("a string has an unknown escape")
    }
  }

  private mutating func fourHexDigits() throws(SafeTensorsError) -> UInt32 {
    let digits = bytes.prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw problem("\\u is not followed by four hexadecimal digits") }
    bytes = bytes.dropFirst(4)
    return code
  }

  private mutating func skipSpace() {
    bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard bytes.first == UInt8(ascii: character) else { return false }
    bytes.removeFirst()
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(SafeTensorsError) {
    if !accept(character) { throw problem("\(character) is expected") }
  }
}
