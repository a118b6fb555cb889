// The search for where an outcome changes, against brute force over whole lattices: what it finds, what it costs, and that
// neither depends on the order in which outcomes come.

import Sweeps
import Testing

@Suite struct BoundaryLatticeTests {
  /// splitmix64.
  private struct Chance: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private func lattice(_ sizes: [Int], start: Int) -> BoundaryLattice {
    BoundaryLattice(
      sizes: sizes, start: sizes.map { BoundaryLattice.evenStart(min(start, $0), of: $0) })
  }

  /// ⌈log2 steps⌉
  private func halvings(_ steps: Int) -> Int { steps <= 1 ? 0 : 1 + halvings((steps + 1) / 2) }

  @Test func `the start is even, with both ends`() {
    #expect(BoundaryLattice.evenStart(5, of: 81) == [0, 20, 40, 60, 80])
    #expect(BoundaryLattice.evenStart(2, of: 2) == [0, 1])
    #expect(BoundaryLattice.evenStart(4, of: 4) == [0, 1, 2, 3])
    #expect(BoundaryLattice.evenStart(3, of: 10) == [0, 5, 9])
  }

  @Test func `bisection finds the one change of eighty-one values with ten of them`() {
    let lattice = lattice([81], start: 5)
    for change in 1...80 {
      let wanted = lattice.wanted { $0 >= change }
      #expect(wanted.contains(change - 1) && wanted.contains(change), "change at \(change)")
      #expect(wanted.count <= 10)
    }
    #expect(lattice.mostForOneChange == 10)
    #expect(lattice.most == 25)
    #expect(lattice.wanted { _ in true } == [0, 20, 40, 60, 80])
    #expect(lattice.wanted { _ in nil } == [0, 20, 40, 60, 80])
  }

  @Test func `in one dimension every change that the start separates is found, whatever lies between`() {
    var chance = Chance(state: 1)
    for _ in 0..<2000 {
      let size = Int.random(in: 2...200, using: &chance)
      let lattice = lattice([size], start: Int.random(in: 2...9, using: &chance))
      let truth = (0..<size).map { _ in Bool.random(using: &chance) }
      let wanted = lattice.wanted { truth[$0] }
      #expect(wanted == wanted.sorted() && Set(wanted).count == wanted.count)
      #expect(wanted.count <= lattice.most)
      for (low, high) in zip(lattice.start[0], lattice.start[0].dropFirst()) {
        let inside = wanted.filter { low < $0 && $0 < high }
        if truth[low] == truth[high] {
          #expect(inside.isEmpty)
        } else {
          #expect(inside.count <= halvings(high - low))
          #expect(
            zip(wanted, wanted.dropFirst()).contains {
              low <= $0 && $1 <= high && $1 == $0 + 1 && truth[$0] != truth[$1]
            })
        }
      }
    }
  }

  @Test func `in two and three dimensions a monotone boundary is found everywhere`() {
    var chance = Chance(state: 2)
    for round in 0..<120 {
      let sizes =
        round % 4 == 3
        ? (0..<3).map { _ in Int.random(in: 2...12, using: &chance) }
        : (0..<2).map { _ in Int.random(in: 2...40, using: &chance) }
      let lattice = lattice(sizes, start: Int.random(in: 2...5, using: &chance))
      let weights = sizes.map { _ in Int.random(in: 0...5, using: &chance) }
      let limit = Int.random(in: 0...(zip(sizes, weights).reduce(0) { $0 + $1.0 * $1.1 }), using: &chance)
      func truth(_ place: Int) -> Bool {
        zip(lattice.values(at: place), weights).reduce(0) { $0 + $1.0 * $1.1 } >= limit
      }
      let wanted = lattice.wanted(truth)
      let chosen = Set(wanted)
      #expect(wanted.count <= lattice.most)
      for place in 0..<lattice.placeCount {
        let values = lattice.values(at: place)
        #expect(lattice.place(of: values) == place)
        for axis in sizes.indices where values[axis] + 1 < sizes[axis] {
          var next = values
          next[axis] += 1
          let neighbour = lattice.place(of: next)
          if truth(place) != truth(neighbour) { #expect(chosen.contains(place) && chosen.contains(neighbour)) }
        }
      }
    }
  }

  @Test func `a diagonal boundary of a large square costs a small share of it`() {
    let lattice = lattice([81, 81], start: 5)
    let wanted = lattice.wanted { place in lattice.values(at: place).reduce(0, +) >= 83 }
    #expect(wanted.count < lattice.placeCount / 8, "\(wanted.count) of \(lattice.placeCount)")
  }

  @Test func `known values that differ are neighbours in the end, along every axis`() {
    var chance = Chance(state: 3)
    for _ in 0..<150 {
      let sizes = (0..<2).map { _ in Int.random(in: 2...25, using: &chance) }
      let lattice = lattice(sizes, start: Int.random(in: 2...4, using: &chance))
      // Blobs: a few rectangles of the other outcome.
      let blobs = (0..<3).map { _ in
        sizes.map { size in
          let low = Int.random(in: 0..<size, using: &chance)
          return low...Int.random(in: low..<size, using: &chance)
        }
      }
      func truth(_ place: Int) -> Bool {
        let values = lattice.values(at: place)
        return blobs.contains { blob in zip(blob, values).allSatisfy { $0.contains($1) } }
      }
      let rows = lattice.wanted(truth).map { lattice.values(at: $0) }
      for axis in 0..<2 {
        let lines = Dictionary(grouping: rows, by: { $0[1 - axis] })
        for line in lines.values {
          let values = line.sorted { $0[axis] < $1[axis] }
          for (here, next) in zip(values, values.dropFirst())
          where truth(lattice.place(of: here)) != truth(lattice.place(of: next)) {
            #expect(next[axis] == here[axis] + 1, "\(here) and \(next) of \(sizes)")
          }
        }
      }
    }
  }

  @Test func `outcomes may come in any order, one by one or many at once`() {
    var chance = Chance(state: 4)
    for round in 0..<150 {
      let sizes = round % 2 == 0 ? [Int.random(in: 2...120, using: &chance)] : [14, 11]
      let lattice = lattice(sizes, start: 3)
      // Some values never get known.
      let truth: [Bool?] = (0..<lattice.placeCount).map { _ in
        Int.random(in: 0..<10, using: &chance) == 0 ? nil : Bool.random(using: &chance)
      }
      let end = lattice.wanted { truth[$0] }
      var known = Set<Int>()
      var before: [Int] = []
      while true {
        let wanted = lattice.wanted { known.contains($0) ? truth[$0] : nil }
        #expect(Set(before).isSubset(of: wanted), "what was wanted stays wanted")
        before = wanted
        let open = wanted.filter { !known.contains($0) && truth[$0] != nil }
        guard !open.isEmpty else { break }
        for place in open.shuffled(using: &chance).prefix(Int.random(in: 1...4, using: &chance)) { known.insert(place) }
      }
      #expect(before == end)
      #expect(lattice.wanted { truth[$0] } == end)
    }
  }

  @Test func `what was never asked for changes nothing`() {
    let lattice = lattice([41], start: 3)
    let wanted = lattice.wanted { $0 >= 13 }
    // Another sweep knows all of them.
    var asked: [Int] = []
    _ = lattice.wanted { place in
      asked.append(place)
      return place >= 13
    }
    #expect(asked.sorted() == wanted)
  }
}
