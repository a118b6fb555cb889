// Sobol' points: where the samples of a sweep lie when they are to cover a space evenly. Pure integer arithmetic, so the
// same bits everywhere, and any point can be had without those before it.
//
// Sobol' 1967 in the Gray-code order of Antonov and Saleev 1979, with the primitive polynomials and initial direction
// numbers of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM J. Sci.
// Comput. 30 (2008) 2635-2654: the first dimensions of their file new-joe-kuo-6.21201, copyright (c) 2008 Frances Y. Kuo
// and Stephen Joe, free to use with that notice.
//
// Scrambling is Owen's nested uniform one (A. B. Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences", 1995): a bit
// is flipped or not by chance that depends on the bits above it. It keeps what makes the sequence even: of the first 2^k
// points, each of the 2^k equal parts of every axis still holds exactly one.

package enum SobolSequence {
  package static let maximumDimensions = 32

  /// A coordinate of the unscrambled sequence, as a fraction of 2^32. `dimension` counts from 0.
  package static func fraction(_ index: UInt32, dimension: Int) -> UInt32 {
    var result: UInt32 = 0
    var gray = index ^ (index >> 1)
    let first = 32 * dimension
    while gray != 0 {
      result ^= directions[first + gray.trailingZeroBitCount]
      gray &= gray - 1
    }
    return result
  }

  /// `fraction` after scrambling by the chance that `seed` stands for.
  package static func scrambled(_ fraction: UInt32, seed: UInt64) -> UInt32 {
    var flips: UInt32 = 0
    for bit in 0..<32 {
      // The bits above this one behind a 1: the number of a node in the tree of all beginnings.
      let node = (1 << UInt64(bit)) | (UInt64(fraction) >> UInt64(32 - bit))
      flips = flips << 1 | UInt32(SampleChance.mixed(seed &+ node &* SampleChance.golden) >> 63)
    }
    return fraction ^ flips
  }

  /// 32 direction numbers for each dimension, the most significant first.
  private static let directions: [UInt32] = polynomials.flatMap { coefficients, initial in
    var m = initial
    // Dimension 1 is van der Corput's sequence: every m is 1.
    let degree = initial.count
    if coefficients == nil { m = Array(repeating: 1, count: 32) }
    while m.count < 32 {
      let n = m.count
      var next = m[n - degree] ^ (m[n - degree] << UInt32(degree))
      for k in 1..<max(degree, 1) where (coefficients ?? 0) >> UInt32(degree - 1 - k) & 1 == 1 {
        next ^= m[n - k] << UInt32(k)
      }
      m.append(next)
    }
    return m.enumerated().map { $0.element << UInt32(31 - $0.offset) }
  }

  /// The inner coefficients of each dimension's polynomial as bits, and its initial numbers m.
  private static let polynomials: [(coefficients: UInt32?, initial: [UInt32])] = [
    (nil, [1]), (0, [1]), (1, [1, 3]), (1, [1, 3, 1]), (2, [1, 1, 1]), (1, [1, 1, 3, 3]), (4, [1, 3, 5, 13]),
    (2, [1, 1, 5, 5, 17]), (4, [1, 1, 5, 5, 5]), (7, [1, 1, 7, 11, 19]), (11, [1, 1, 5, 1, 1]), (13, [1, 1, 1, 3, 11]),
    (14, [1, 3, 5, 5, 31]), (1, [1, 3, 3, 9, 7, 49]), (13, [1, 1, 1, 15, 21, 21]), (16, [1, 3, 1, 13, 27, 49]),
    (19, [1, 1, 1, 15, 7, 5]), (22, [1, 3, 1, 15, 13, 25]), (25, [1, 1, 5, 5, 19, 61]),
    (1, [1, 3, 7, 11, 23, 15, 103]), (4, [1, 3, 7, 13, 13, 15, 69]), (7, [1, 1, 3, 13, 7, 35, 63]),
    (8, [1, 3, 5, 9, 1, 25, 53]), (14, [1, 3, 1, 13, 9, 35, 107]), (19, [1, 3, 1, 5, 27, 61, 31]),
    (21, [1, 1, 5, 11, 19, 41, 61]), (28, [1, 3, 5, 3, 3, 13, 69]), (31, [1, 1, 7, 13, 1, 19, 1]),
    (32, [1, 3, 7, 5, 13, 19, 59]), (37, [1, 1, 3, 9, 25, 29, 41]), (41, [1, 3, 5, 13, 23, 1, 55]),
    (42, [1, 3, 7, 3, 13, 59, 17]),
  ]
}

/// Chance that is a pure function of a seed, a name and a number: any draw can be had without those before it.
package enum SampleChance {
  static let golden: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// What belongs to `name` under `seed`: unrelated for different names.
  package static func seed(_ seed: UInt64, name: String) -> UInt64 {
    // FNV-1a, 64 bits.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return mixed(mixed(seed &+ golden) ^ hash)
  }

  /// Draw `index` as a fraction of 2^32: the upper half of SplitMix64's output of that number.
  package static func fraction(_ index: Int, seed: UInt64) -> UInt32 {
    UInt32(mixed(seed &+ UInt64(index + 1) &* golden) >> 32)
  }

  /// The output function of SplitMix64 (Steele, Lea and Flood 2014).
  static func mixed(_ state: UInt64) -> UInt64 {
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
