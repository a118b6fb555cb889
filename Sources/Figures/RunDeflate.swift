// Deflate (RFC 1951) for pictures made of large pixels: what repeats is the byte before or the row above, and nothing else is
// looked for. One block with the fixed codes, in a zlib stream.

struct RunDeflate {
  private(set) var bytes: [UInt8] = []
  private var bits: UInt32 = 0
  private var bitCount: UInt32 = 0

  /// - Parameter stride: bytes of a row.
  /// - Returns: the compressed bytes, without what zlib puts around them.
  static func compress(_ source: [UInt8], stride: Int) -> [UInt8] {
    var deflate = RunDeflate()
    // The last block, with fixed codes.
    deflate.write(1, 1)
    deflate.write(1, 2)
    var place = 0
    while place < source.count {
      let before = length(source, at: place, distance: 1)
      let above = length(source, at: place, distance: stride)
      if max(before, above) >= 3 {
        deflate.writeMatch(max(before, above), distance: above >= before ? stride : 1)
        place += max(before, above)
      } else {
        deflate.writeLiteral(source[place])
        place += 1
      }
    }
    deflate.writeCode(0, 7)
    if deflate.bitCount > 0 { deflate.write(0, 8 - deflate.bitCount) }
    return deflate.bytes
  }

  /// How many bytes from `place` on are those `distance` before; at most 258.
  private static func length(_ source: [UInt8], at place: Int, distance: Int) -> Int {
    guard place >= distance else { return 0 }
    var length = 0
    while length < 258, place + length < source.count, source[place + length] == source[place + length - distance] {
      length += 1
    }
    return length
  }

  private mutating func writeLiteral(_ byte: UInt8) {
    if byte < 144 { writeCode(0x30 + UInt32(byte), 8) } else { writeCode(0x190 + UInt32(byte) - 144, 9) }
  }

  private mutating func writeMatch(_ length: Int, distance: Int) {
    let (code, base, extra) = RunDeflate.step(length, first: 3, steps: 4)
    // The longest has a code of its own, without extra bits.
    let symbol = length == 258 ? 285 : 257 + code
    if symbol < 280 { writeCode(UInt32(symbol - 256), 7) } else { writeCode(0xC0 + UInt32(symbol - 280), 8) }
    if length < 258 { write(UInt32(length - base), UInt32(extra)) }
    let (distanceCode, distanceBase, distanceExtra) = RunDeflate.step(distance, first: 1, steps: 2)
    writeCode(UInt32(distanceCode), 5)
    write(UInt32(distance - distanceBase), UInt32(distanceExtra))
  }

  /// The code whose values `value` is among: codes have no extra bits for two rounds of `steps` codes, and one more with
  /// each round after that.
  private static func step(_ value: Int, first: Int, steps: Int) -> (code: Int, base: Int, extra: Int) {
    var (code, base, extra) = (0, first, 0)
    while value >= base + 1 << extra {
      base += 1 << extra
      code += 1
      if code >= 2 * steps, code % steps == 0 { extra += 1 }
    }
    return (code, base, extra)
  }

  /// Huffman codes start with their highest bit.
  private mutating func writeCode(_ code: UInt32, _ count: UInt32) {
    for bit in (0..<count).reversed() { write(code >> bit & 1, 1) }
  }

  /// All else starts with its lowest.
  private mutating func write(_ value: UInt32, _ count: UInt32) {
    bits |= value << bitCount
    bitCount += count
    while bitCount >= 8 {
      bytes.append(UInt8(bits & 255))
      bits >>= 8
      bitCount -= 8
    }
  }
}
