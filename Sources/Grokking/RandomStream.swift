// The only source of chance in a run: a named, seeded stream of bits that is the same on every machine.
//
// The generator is xoshiro256++ 1.0 (Blackman and Vigna, 2019). Its four words are the first outputs of SplitMix64
// started at (SplitMix64's first output for the seed) xor (FNV-1a, 64 bits, of the stream's name in UTF-8), so streams
// of one seed with different names are unrelated, and adding a tensor or an operation never moves another's numbers.

import Kernels

/// A sequence of random numbers determined by a seed and a name such as `split` or `start/W_E`.
package struct RandomStream: Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)
  /// The second normal of the last accepted pair.
  private var spareNormal: Double?

  package init(seed: UInt64, stream name: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var seeder = SplitMix64(state: seed)
    seeder = SplitMix64(state: seeder.next() ^ hash)
    state = (seeder.next(), seeder.next(), seeder.next(), seeder.next())
  }

  /// 64 uniform bits.
  package mutating func next() -> UInt64 {
    let sum = state.0 &+ state.3
    let result = (sum << 23 | sum >> 41) &+ state.0
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = state.3 << 45 | state.3 >> 19
    return result
  }

  /// Uniform on [0, 1): the top 53 bits.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform on 0..<bound without bias: the 2^64 mod bound smallest draws are thrown away, the others reduced.
  package mutating func uniform(below bound: Int) -> Int {
    precondition(bound >= 1, "a random number below \(bound)")
    let bound = UInt64(bound)
    // 2^64 mod bound: the first that many values would favour small residues.
    let surplus = (0 &- bound) % bound
    while true {
      let draw = next()
      if draw >= surplus { return Int(draw % bound) }
    }
  }

  /// Standard normal by Marsaglia's polar method, whose logarithm is our own.
  package mutating func normal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    while true {
      let x = 2 * uniform() - 1
      let y = 2 * uniform() - 1
      let square = x * x + y * y
      guard square > 0 && square < 1 else { continue }
      let factor = (-2 * DeterministicMath.log(square) / square).squareRoot()
      spareNormal = y * factor
      return x * factor
    }
  }
}

/// Steele, Lea and Flood's generator, used to spread one word over four.
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}
