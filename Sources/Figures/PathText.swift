// The `d` of a path in few bytes: tenths of a unit, relative after the first point, no needless separators.

struct PathText {
  private(set) var text = ""
  /// In tenths. Differences are taken of rounded places, so that nothing adds up along a path.
  private var x = 0
  private var y = 0
  private var command: Character?

  var isEmpty: Bool { text.isEmpty }

  mutating func move(_ x: Double, _ y: Double) {
    (self.x, self.y) = (NumberText.inTenths(x), NumberText.inTenths(y))
    text += "M" + PathText.pair(self.x, self.y)
    command = nil
  }

  mutating func line(_ x: Double, _ y: Double) {
    let (toX, toY) = (NumberText.inTenths(x), NumberText.inTenths(y))
    if toY == self.y, toX != self.x {
      add("h", NumberText.tenths(toX - self.x))
    } else if toX == self.x, toY != self.y {
      add("v", NumberText.tenths(toY - self.y))
    } else {
      add("l", PathText.pair(toX - self.x, toY - self.y))
    }
    (self.x, self.y) = (toX, toY)
  }

  /// A point alone, seen by the round ends of its line.
  mutating func dot() { add("h", "0") }

  mutating func close() {
    text += "z"
    command = nil
  }

  private mutating func add(_ next: Character, _ numbers: String) {
    if command != next {
      text.append(next)
    } else if !numbers.hasPrefix("-") {
      text.append(" ")
    }
    text += numbers
    command = next
  }

  private static func pair(_ x: Int, _ y: Int) -> String {
    let second = NumberText.tenths(y)
    return NumberText.tenths(x) + (second.hasPrefix("-") ? "" : " ") + second
  }
}

/// Where thousands of points fall on few columns of pixels.
enum Thinning {
  /// Of each run of points within one unit of x its first, lowest, highest and last: what is drawn looks the same, and no
  /// extreme is lost.
  ///
  /// - Parameter points: places on the page, x ascending.
  /// - Returns: which of them are kept, ascending.
  static func kept(_ points: [(x: Double, y: Double)]) -> [Int] {
    var kept: [Int] = []
    var start = 0
    while start < points.count {
      var end = start + 1
      let column = points[start].x.rounded(.down)
      while end < points.count, points[end].x.rounded(.down) == column { end += 1 }
      let run = start..<end
      if run.count <= 4 {
        kept += run
      } else {
        let lowest = run.min { points[$0].y < points[$1].y }!
        let highest = run.max { points[$0].y < points[$1].y }!
        var last = -1
        for index in [start, min(lowest, highest), max(lowest, highest), end - 1] where index > last {
          kept.append(index)
          last = index
        }
      }
      start = end
    }
    return kept
  }
}
