// The second frame of a result: its evaluations and digests, little-endian.
//
//   "GSCV"  u32 version = 1  u32 evaluations n  u32 digests m  4 × u8 states of the optional columns
//   n × i64 epoch, then one column of n × f64 for each required measure
//   for each optional column: state 0: nothing; 1: n × f64; 2: ⌈n/8⌉ bytes of presence, lowest bit first, and n × f64
//   with zeros where absent
//   m × (i64 epoch, 32 bytes of SHA-256)
//
// 400 evaluations take 40 KB and microseconds; as JSON they would take four times the bytes and milliseconds.

import Grokking

struct WireCurve {
  var evaluations: [Evaluation]
  var digests: [EpochDigest]

  private static let magic: [UInt8] = [0x47, 0x53, 0x43, 0x56]
  private static let version: UInt32 = 1
  private static let headerBytes = 20

  private static var required: [WritableKeyPath<Evaluation, Double>] {
    [\.trainLoss, \.testLoss, \.trainAccuracy, \.testAccuracy, \.giniW_E, \.giniW_L, \.sumSquaredWeights]
  }
  private static var optional: [WritableKeyPath<Evaluation, Double?>] {
    [\.restrictedLossTrain, \.restrictedLossTest, \.restrictedLoss, \.excludedLoss]
  }

  static func encode(_ result: RunResult) throws(WireError) -> [UInt8] {
    let evaluations = result.evaluations
    guard let count = UInt32(exactly: evaluations.count), let digestCount = UInt32(exactly: result.digests.count) else {
      throw .tooLarge("a curve of \(evaluations.count) evaluations cannot be sent; raise measure.evaluate_every")
    }
    var frame = magic
    frame.reserveCapacity(headerBytes + evaluations.count * 100 + result.digests.count * 40)
    put(version, &frame)
    put(count, &frame)
    put(digestCount, &frame)
    let present = optional.map { column in evaluations.count { $0[keyPath: column] != nil } }
    let states: [UInt8] = present.map { $0 == 0 ? 0 : $0 == evaluations.count ? 1 : 2 }
    frame += states
    for evaluation in evaluations { put(UInt64(bitPattern: Int64(evaluation.epoch)), &frame) }
    for column in required {
      for evaluation in evaluations { try put(evaluation[keyPath: column], of: evaluation, &frame) }
    }
    for (column, state) in zip(optional, states) where state != 0 {
      if state == 2 {
        var presence = [UInt8](repeating: 0, count: (evaluations.count + 7) / 8)
        for (row, evaluation) in evaluations.enumerated() where evaluation[keyPath: column] != nil {
          presence[row / 8] |= 1 << (row % 8)
        }
        frame += presence
      }
      for evaluation in evaluations { try put(evaluation[keyPath: column] ?? 0, of: evaluation, &frame) }
    }
    for link in result.digests {
      put(UInt64(bitPattern: Int64(link.epoch)), &frame)
      guard let bytes = bytes(ofHex: link.digest) else {
        throw .malformed("the digest at epoch \(link.epoch) is not 64 hexadecimal digits")
      }
      frame += bytes
    }
    guard frame.count <= WireCodec.maximumFrameBytes else {
      throw .tooLarge(
        "a curve of \(evaluations.count) evaluations takes \(frame.count) bytes, more than the "
          + "\(WireCodec.maximumFrameBytes) of a frame; raise measure.evaluate_every")
    }
    return frame
  }

  private static func put(_ value: some FixedWidthInteger, _ frame: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { frame.append(contentsOf: $0) }
  }

  private static func put(_ value: Double, of evaluation: Evaluation, _ frame: inout [UInt8]) throws(WireError) {
    guard value.isFinite else { throw .malformed("the evaluation at epoch \(evaluation.epoch) is not finite") }
    put(value.bitPattern, &frame)
  }

  /// - Parameter epochs: what the result says it trained: the last epoch that may stand here.
  init(decoding frame: [UInt8], epochs: Int) throws(WireError) {
    var reader = Reader(frame: frame)
    guard frame.count >= WireCurve.headerBytes, Array(frame[0..<4]) == WireCurve.magic else {
      throw .malformed("the second frame of a result is no curve")
    }
    reader.offset = 4
    let version: UInt32 = reader.integer()
    guard version == WireCurve.version else { throw .malformed("a curve of version \(version); only 1 is known") }
    let count = Int(reader.integer() as UInt32)
    let digestCount = Int(reader.integer() as UInt32)
    let states = (0..<WireCurve.optional.count).map { _ in reader.integer() as UInt8 }
    guard states.allSatisfy({ $0 <= 2 }) else { throw .malformed("a curve with an unknown kind of column") }
    // Both counts are below 2^32, so that this cannot overflow; nothing is allocated before it fits.
    let columns = 1 + WireCurve.required.count + states.count { $0 != 0 }
    let presenceBytes = (count + 7) / 8
    let expected =
      WireCurve.headerBytes + count * columns * 8 + states.count { $0 == 2 } * presenceBytes + digestCount * 40
    guard frame.count == expected else {
      throw .malformed(
        "a curve of \(count) evaluations and \(digestCount) digests takes \(expected) bytes, not \(frame.count)")
    }
    evaluations = []
    evaluations.reserveCapacity(count)
    var last = -1
    for _ in 0..<count {
      last = try reader.epoch(after: last, upTo: epochs)
      evaluations.append(WireCurve.blank(last))
    }
    for column in WireCurve.required {
      for row in 0..<count { evaluations[row][keyPath: column] = try reader.number() }
    }
    for (column, state) in zip(WireCurve.optional, states) where state != 0 {
      let presence = state == 2 ? reader.bytes(presenceBytes) : []
      for row in 0..<count {
        let value = try reader.number()
        let isPresent = state == 1 || presence[row / 8] & (1 << (row % 8)) != 0
        evaluations[row][keyPath: column] = isPresent ? value : nil
      }
    }
    for evaluation in evaluations {
      guard (0...1).contains(evaluation.trainAccuracy), (0...1).contains(evaluation.testAccuracy) else {
        throw .malformed("the evaluation at epoch \(evaluation.epoch) has an accuracy outside 0 to 1")
      }
    }
    digests = []
    digests.reserveCapacity(digestCount)
    last = -1
    for _ in 0..<digestCount {
      last = try reader.epoch(after: last, upTo: epochs)
      digests.append(EpochDigest(epoch: last, digest: WireCurve.hex(reader.bytes(32))))
    }
  }

  private static func blank(_ epoch: Int) -> Evaluation {
    Evaluation(
      epoch: epoch, trainLoss: 0, testLoss: 0, trainAccuracy: 0, testAccuracy: 0, giniW_E: 0, giniW_L: 0,
      sumSquaredWeights: 0)
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits: [UInt8] = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func bytes(ofHex text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count == 64, digits.allSatisfy(WireResult.isHex) else { return nil }
    func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit - 48 : digit - 87 }
    return (0..<32).map { value(digits[2 * $0]) << 4 | value(digits[2 * $0 + 1]) }
  }
}

/// Walks over bytes whose number was checked before.
private struct Reader {
  let frame: [UInt8]
  var offset = 0

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

  mutating func number() throws(WireError) -> Double {
    let value = Double(bitPattern: integer())
    guard value.isFinite else { throw .malformed("a curve has a number that is not finite") }
    return value
  }

  mutating func epoch(after last: Int, upTo epochs: Int) throws(WireError) -> Int {
    let epoch: Int64 = integer()
    guard epoch > last, epoch <= epochs else {
      throw .malformed("epoch \(epoch) of a curve is out of order or beyond the run's \(epochs) epochs")
    }
    return Int(epoch)
  }
}
