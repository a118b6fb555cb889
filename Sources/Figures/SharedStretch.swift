// Where curves in steps lie on each other: level at the same height, over the same stretch of the x axis.

package struct SharedStretch: Hashable {
  package var from: Double
  package var to: Double
  package var y: Double
  /// Which of the curves, ascending; two at least.
  package var lines: [Int]

  package init(from: Double, to: Double, y: Double, lines: [Int]) {
    (self.from, self.to, self.y, self.lines) = (from, to, y, lines)
  }

  /// - Parameter curves: of each the points at which it steps, ascending; it is level from one to the next.
  /// - Returns: ordered by where they begin; those of the same curves that follow each other at one height are one.
  package static func all(of curves: [[Line.Point]]) -> [SharedStretch] {
    guard curves.count > 1 else { return [] }
    var levels: [[(from: Double, to: Double, y: Double)]] = []
    for points in curves {
      levels.append(
        zip(points, points.dropFirst()).compactMap { before, next in
          before.y.flatMap { y in before.x < next.x && next.y != nil ? (before.x, next.x, y) : nil }
        })
    }
    let places = Set(levels.joined().flatMap { [$0.from, $0.to] }).sorted()
    var next = Array(repeating: 0, count: curves.count)
    var found: [SharedStretch] = []
    for (from, to) in zip(places, places.dropFirst()) {
      var heights: [(y: Double, line: Int)] = []
      for line in curves.indices {
        while next[line] < levels[line].count, levels[line][next[line]].to <= from { next[line] += 1 }
        guard next[line] < levels[line].count, levels[line][next[line]].from <= from else { continue }
        heights.append((levels[line][next[line]].y, line))
      }
      for y in Set(heights.map(\.y)).sorted() {
        let lines = heights.filter { $0.y == y }.map(\.line)
        guard lines.count > 1 else { continue }
        if let last = found.lastIndex(where: { $0.to == from && $0.y == y && $0.lines == lines }) {
          found[last].to = to
        } else {
          found.append(SharedStretch(from: from, to: to, y: y, lines: lines))
        }
      }
    }
    return found
  }
}
