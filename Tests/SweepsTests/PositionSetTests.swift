// The set of pending positions against a plain one.

import Sweeps
import Testing

@Suite struct PositionSetTests {
  @Test func `it holds what a plain set holds, and finds the first from anywhere`() {
    // Any sequence will do: Lehmer's of 1951.
    var state: UInt64 = 5
    func below(_ bound: Int) -> Int {
      state = state * 48271 % 2_147_483_647
      return Int(state) % bound
    }
    for range in [70, 5000, 300_000] {
      var set = PositionSet()
      var plain: Set<Int> = []
      for _ in 0..<2000 {
        let position = below(range)
        if below(10) < 6 {
          set.insert(position)
          plain.insert(position)
        } else {
          set.remove(position)
          plain.remove(position)
        }
      }
      let ascending = plain.sorted()
      #expect(set.count == plain.count)
      for _ in 0..<300 {
        let from = below(range + 100)
        #expect(set.first(from: from) == ascending.first { $0 >= from })
        #expect(set.count(before: from) == ascending.count { $0 < from })
      }
    }
  }

  @Test func `an empty set has no first`() {
    var set = PositionSet()
    #expect(set.first(from: 0) == nil)
    set.insert(4096)
    set.remove(4096)
    set.remove(100_000)
    #expect(set.isEmpty)
    #expect(set.first(from: 0) == nil)
    #expect(set.count(before: 10_000) == 0)
  }
}
