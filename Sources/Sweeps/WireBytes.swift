// Numbers to little-endian bytes and back, for the frame of a curve.

import Grokking

/// Appends to a frame; refuses what is not finite.
struct WireWriter {
  var bytes: [UInt8] = []

  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  mutating func put(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// - Parameter evaluation: whose number it is; nil for the final model.
  mutating func put(_ value: Double, of evaluation: Evaluation?, isSingle: Bool = false) throws(WireError) {
    guard value.isFinite else {
      throw .malformed(
        evaluation.map { "the evaluation at epoch \($0.epoch) is not finite" }
          ?? "a measure of the final model is not finite")
    }
    if isSingle { put(Float(value).bitPattern) } else { put(value.bitPattern) }
  }

  mutating func put(frequency: Int) throws(WireError) {
    guard let value = UInt16(exactly: frequency) else {
      throw .malformed("the final model has the frequency \(frequency), which does not exist")
    }
    put(value)
  }

  /// One bit for each row, lowest first.
  mutating func putPresence(_ isPresent: [Bool]) {
    var presence = [UInt8](repeating: 0, count: (isPresent.count + 7) / 8)
    for row in isPresent.indices where isPresent[row] { presence[row / 8] |= 1 << (row % 8) }
    bytes += presence
  }
}

/// Walks over bytes whose number was checked before.
struct WireReader {
  private let frame: [UInt8]
  private var offset = 0

  init(frame: [UInt8]) { self.frame = frame }

  mutating func integer<Value: FixedWidthInteger>() -> Value {
    let size = MemoryLayout<Value>.size
    precondition(offset + size <= frame.count, "read past the end of a curve at byte \(offset) of \(frame.count)")
    let value = frame.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    offset += size
    return Value(littleEndian: value)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    defer { offset += count }
    return Array(frame[offset..<(offset + count)])
  }

  mutating func number(isSingle: Bool = false) throws(WireError) -> Double {
    let value = isSingle ? Double(Float(bitPattern: integer())) : Double(bitPattern: integer())
    guard value.isFinite else { throw .malformed("a curve has a number that is not finite") }
    return value
  }

  mutating func numbers(_ count: Int, isSingle: Bool = false) throws(WireError) -> [Double] {
    var numbers: [Double] = []
    numbers.reserveCapacity(count)
    for _ in 0..<count { numbers.append(try number(isSingle: isSingle)) }
    return numbers
  }

  mutating func epoch(after last: Int, upTo epochs: Int) throws(WireError) -> Int {
    let epoch: Int64 = integer()
    guard epoch > last, epoch <= epochs else {
      throw .malformed("epoch \(epoch) of a curve is out of order or beyond the run's \(epochs) epochs")
    }
    return Int(epoch)
  }

  mutating func frequency() -> Int { Int(integer() as UInt16) }
}

/// 32 bytes as 64 lower-case hexadecimal digits.
enum WireHex {
  static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }

  static func text(of bytes: [UInt8]) -> String {
    let digits: [UInt8] = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  static func bytes(of text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count == 64, digits.allSatisfy(isDigit) else { return nil }
    func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit - 48 : digit - 87 }
    return (0..<32).map { value(digits[2 * $0]) << 4 | value(digits[2 * $0 + 1]) }
  }
}
