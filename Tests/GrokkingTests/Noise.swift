// Seeded damage to files, for tests that feed readers with it: the same seed, the same damage.

struct Noise {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// Uniform in [0, 1).
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// One to four flips, changes, cuts, insertions or repetitions, mostly in the first kilobyte, where headers are.
  mutating func damaged(_ original: [UInt8]) -> [UInt8] {
    var bytes = original
    let telling = Array("0123456789{}[]:,\"\\ uFd-.e".utf8)
    for _ in 0...below(4) {
      guard !bytes.isEmpty else { return bytes }
      let reach = below(8) == 0 ? bytes.count : min(bytes.count, 1024)
      let at = below(reach)
      switch below(6) {
      case 0: bytes[at] ^= 1 << UInt8(below(8))
      case 1: bytes[at] = UInt8(truncatingIfNeeded: next())
      case 2: bytes[at] = telling[below(telling.count)]
      case 3: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(16)))
      case 4: bytes.insert(telling[below(telling.count)], at: at)
      default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + below(64))], at: at)
      }
    }
    return bytes
  }
}
