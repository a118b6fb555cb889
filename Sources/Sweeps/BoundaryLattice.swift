// Where an outcome changes on a lattice, found with few of its values: the coarse start first, then ever finer where
// known values differ, until they are neighbours. In one dimension this is bisection.
//
// A cell is the box between neighbouring values of the start. Where two known values in a cell (its rim included) differ,
// it is halved along every axis on which it is wider than one step, and the corners of its parts are wanted. Knowing more
// never makes less wanted, so what is wanted in the end depends on the outcomes alone, not on the order in which they
// came. A change that the start does not separate (both ends of a cell agree, and something else lies between) is not
// looked for.

/// One to three axes with numbered values; a place is a combination of them, counted row by row.
package struct BoundaryLattice: Hashable, Sendable {
  /// The number of values of each axis, at least 2.
  package let sizes: [Int]
  /// The values of each axis that the search begins with: ascending, the first and the last among them.
  package let start: [[Int]]

  package init(sizes: [Int], start: [[Int]]) {
    self.sizes = sizes
    self.start = start
  }

  package var placeCount: Int { sizes.reduce(1, *) }

  /// The most places that can be wanted. On one axis, each stretch of the start costs a place for each time that it can
  /// be halved; on several, outcomes can be such that every place is.
  package var most: Int { sizes.count == 1 ? start[0].count + stretches.map(Self.halvings).reduce(0, +) : placeCount }

  /// On one axis: the most places that are wanted when the outcome changes once; nil on several.
  package var mostForOneChange: Int? {
    sizes.count == 1 ? start[0].count + (stretches.map(Self.halvings).max() ?? 0) : nil
  }

  private var stretches: [Int] { zip(start[0], start[0].dropFirst()).map { $1 - $0 } }

  /// How often a stretch of so many steps is halved until it has one.
  private static func halvings(_ steps: Int) -> Int {
    var (left, count) = (steps, 0)
    while left > 1 {
      left -= left / 2
      count += 1
    }
    return count
  }

  /// `count` of `size` values, evenly spaced, the first and the last among them. Both at least 2, `count` not above `size`.
  package static func evenStart(_ count: Int, of size: Int) -> [Int] {
    (0..<count).map { (2 * $0 * (size - 1) + count - 1) / (2 * (count - 1)) }
  }

  /// Places that are wanted, ascending, given what is known of places.
  ///
  /// - Parameter outcome: nil where it is not known, or never will be. Asked once of each wanted place.
  package func wanted(_ outcome: (_ place: Int) throws -> Bool?) rethrows -> [Int] {
    var isWanted = [Bool](repeating: false, count: placeCount)
    var known: [Known] = []
    var fresh = Self.product(start)
    while !fresh.isEmpty {
      for values in fresh {
        let place = place(of: values)
        isWanted[place] = true
        if let outcome = try outcome(place) { known.append(Known(values: values, outcome: outcome)) }
      }
      var news = News(isWanted: isWanted)
      for corner in Self.product(start.map { Array($0.indices.dropLast()) }) {
        let low = zip(start, corner).map { $0[$1] }
        let high = zip(start, corner).map { $0[$1 + 1] }
        refine(Cell(low: low, high: high), known, &news)
      }
      fresh = news.values
    }
    return isWanted.indices.filter { isWanted[$0] }
  }

  private struct Known {
    let values: [Int]
    let outcome: Bool
  }

  private struct Cell {
    let low: [Int]
    let high: [Int]

    func contains(_ values: [Int]) -> Bool {
      values.indices.allSatisfy { low[$0] <= values[$0] && values[$0] <= high[$0] }
    }
  }

  private struct News {
    var isWanted: [Bool]
    var values: [[Int]] = []
  }

  private func refine(_ cell: Cell, _ known: [Known], _ news: inout News) {
    let inside = known.filter { cell.contains($0.values) }
    guard let first = inside.first, inside.contains(where: { $0.outcome != first.outcome }) else { return }
    // Of each axis: the ends of the cell's parts.
    let cuts = zip(cell.low, cell.high).map { low, high in
      high - low > 1 ? [low, low + (high - low) / 2, high] : [low, high]
    }
    guard cuts.contains(where: { $0.count == 3 }) else { return }
    for values in Self.product(cuts) {
      let place = place(of: values)
      guard !news.isWanted[place] else { continue }
      news.isWanted[place] = true
      news.values.append(values)
    }
    for part in Self.product(cuts.map { Array($0.indices.dropLast()) }) {
      refine(Cell(low: zip(cuts, part).map { $0[$1] }, high: zip(cuts, part).map { $0[$1 + 1] }), inside, &news)
    }
  }

  /// Of each axis one, the last axis fastest.
  private static func product(_ axes: [[Int]]) -> [[Int]] {
    axes.reduce([[]]) { rows, axis in rows.flatMap { row in axis.map { row + [$0] } } }
  }

  package func place(of values: [Int]) -> Int { zip(sizes, values).reduce(0) { $0 * $1.0 + $1.1 } }

  package func values(at place: Int) -> [Int] {
    var left = place
    return sizes.reversed().map { size in
      defer { left /= size }
      return left % size
    }.reversed()
  }
}
