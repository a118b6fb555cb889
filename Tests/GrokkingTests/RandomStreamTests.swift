import Grokking
import Testing

@Suite struct RandomStreamTests {
  @Test func `a stream is the same on every machine`() {
    var stream = RandomStream(seed: 0, stream: "split")
    let drawn = (0..<4).map { _ in stream.next() }
    #expect(drawn == Self.firstOfSplit)
  }

  /// xoshiro256++, SplitMix64 and FNV-1a written down a second time, in another language.
  private static let firstOfSplit: [UInt64] = [
    0x010d_0fb9_c43f_9c44, 0x6ff7_fca4_7153_a2af, 0x54eb_88bc_210f_7230, 0x9c79_0638_0987_b8f6,
  ]

  @Test func `seeds and names give unrelated streams`() {
    var streams = [(0, "split"), (1, "split"), (0, "labels"), (0, "start/W_E"), (0, "start/W_U")].map {
      RandomStream(seed: UInt64($0.0), stream: $0.1)
    }
    var seen: Set<UInt64> = []
    for index in streams.indices { for _ in 0..<100 { seen.insert(streams[index].next()) } }
    #expect(seen.count == 500)
  }

  @Test func `numbers below a bound are in range and evenly spread`() {
    var stream = RandomStream(seed: 7, stream: "test")
    for bound in [1, 2, 3, 10, 113] {
      var counts = [Int](repeating: 0, count: bound)
      let draws = 2000 * bound
      for _ in 0..<draws { counts[stream.uniform(below: bound)] += 1 }
      // Five standard deviations of a count of 2,000.
      #expect(counts.allSatisfy { abs($0 - 2000) < 225 || bound == 1 })
    }
  }

  @Test func `normals have the moments of a normal distribution`() {
    var stream = RandomStream(seed: 7, stream: "test")
    let count = 200_000
    let values = (0..<count).map { _ in stream.normal() }
    let moments = (1...4).map { power in
      values.reduce(0) { sum, x in sum + (0..<power).reduce(1) { product, _ in product * x } } / Double(count)
    }
    for (moment, wanted) in zip(moments, [0.0, 1, 0, 3]) { #expect(abs(moment - wanted) < 0.05) }
  }
}
