// The sequence against published values, and what makes it even, before and after scrambling.

import Sweeps
import Testing

@Suite struct SobolTests {
  @Test func `the first points are those of Joe and Kuo's program`() {
    // S. Joe and F. Y. Kuo, sobol.cc with new-joe-kuo-6.21201; SciPy 1.17 gives the same.
    let expected: [[Double]] = [
      [0, 0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5, 0.5], [0.75, 0.25, 0.25, 0.25, 0.75], [0.25, 0.75, 0.75, 0.75, 0.25],
      [0.375, 0.375, 0.625, 0.875, 0.375], [0.875, 0.875, 0.125, 0.375, 0.875], [0.625, 0.125, 0.875, 0.625, 0.625],
      [0.125, 0.625, 0.375, 0.125, 0.125], [0.1875, 0.3125, 0.9375, 0.4375, 0.5625],
      [0.6875, 0.8125, 0.4375, 0.9375, 0.0625],
    ]
    for (index, point) in expected.enumerated() {
      let ours = (0..<5).map { Double(SobolSequence.fraction(UInt32(index), dimension: $0)) * 0x1p-32 }
      #expect(ours == point)
    }
  }

  @Test func `point 1000 agrees with SciPy in all 32 dimensions`() {
    let expected: [UInt32] = [
      0x3840_0000, 0x18c0_0000, 0x84c0_0000, 0xad40_0000, 0x47c0_0000, 0xe840_0000, 0x0bc0_0000, 0xe640_0000,
      0x8040_0000, 0x11c0_0000, 0x15c0_0000, 0x4140_0000, 0x2940_0000, 0x6240_0000, 0x24c0_0000, 0x5ec0_0000,
      0xb840_0000, 0x5840_0000, 0xfdc0_0000, 0xb9c0_0000, 0x85c0_0000, 0x8cc0_0000, 0xf340_0000, 0x8a40_0000,
      0x9540_0000, 0xe840_0000, 0x0a40_0000, 0xfac0_0000, 0x0f40_0000, 0x5740_0000, 0x25c0_0000, 0x2540_0000,
    ]
    #expect(expected.count == SobolSequence.maximumDimensions)
    #expect((0..<32).map { SobolSequence.fraction(1000, dimension: $0) } == expected)
  }

  @Test(arguments: [UInt64(0), 1, 7, 123_456_789])
  func `of the first 1024 points, each of 1024 equal parts of every axis holds exactly one`(seed: UInt64) {
    for dimension in 0..<SobolSequence.maximumDimensions {
      let own = SampleChance.seed(seed, name: "axis \(dimension)")
      let parts = (0..<1024).map { index in
        SobolSequence.scrambled(SobolSequence.fraction(UInt32(index), dimension: dimension), seed: own) >> 22
      }
      #expect(Set(parts).count == 1024, "dimension \(dimension)")
    }
  }

  @Test(arguments: 0...8)
  func `scrambled, the first two dimensions still put one of 256 points into each box of equal area`(columns: Int) {
    // A (0, 8, 2)-net: 2^columns × 2^(8−columns) boxes.
    let boxes = (0..<256).map { index in
      let x = SobolSequence.scrambled(SobolSequence.fraction(UInt32(index), dimension: 0), seed: 11)
      let y = SobolSequence.scrambled(SobolSequence.fraction(UInt32(index), dimension: 1), seed: 12)
      return [x >> UInt32(32 - columns), y >> UInt32(24 + columns)]
    }
    #expect(Set(boxes).count == 256)
  }

  @Test func `scrambling depends on the seed, and moves points within their parts`() {
    let points = (0..<64).map { SobolSequence.fraction(UInt32($0), dimension: 2) }
    let one = points.map { SobolSequence.scrambled($0, seed: 1) }
    let other = points.map { SobolSequence.scrambled($0, seed: 2) }
    #expect(zip(one, other).count { $0 == $1 } == 0)
    #expect(one.count { $0.trailingZeroBitCount > 20 } < 3, "the low bits are scrambled too")
    // Frozen: a sweep file means the same for ever.
    #expect(one.prefix(3).map { $0 } == SobolTests.frozen)
  }

  @Test func `random draws are even, unrelated between names, and frozen`() {
    let seed = SampleChance.seed(0, name: "training.weight_decay")
    let draws = (0..<10_000).map { Double(SampleChance.fraction($0, seed: seed)) * 0x1p-32 }
    #expect(abs(draws.reduce(0, +) / 10_000 - 0.5) < 0.012)
    for tenth in 0..<10 {
      let share = draws.count { Int($0 * 10) == tenth }
      #expect((850...1150).contains(share), "\(tenth): \(share)")
    }
    let other = SampleChance.seed(0, name: "task.train_fraction")
    #expect((0..<1000).allSatisfy { SampleChance.fraction($0, seed: seed) != SampleChance.fraction($0, seed: other) })
    #expect((0..<3).map { SampleChance.fraction($0, seed: seed) } == SobolTests.frozenDraws)
  }

  /// Computed apart from this code, in Python, from the descriptions in SobolSequence.swift; so are the next.
  private static let frozen: [UInt32] = [3_592_957_811, 1_899_900_202, 2_640_975_880]
  private static let frozenDraws: [UInt32] = [2_640_876_307, 622_676_189, 3_982_288_052]
}
