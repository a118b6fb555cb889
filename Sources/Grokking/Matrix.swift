// A small dense matrix of doubles, for analysis only; training has its own kernels.
//
// Every sum runs over its index in ascending order, one multiplication and one addition per step, so the bits are the
// same on every machine.

/// Row-major, rows padded with zeros to whole vectors of eight.
struct Matrix: Sendable {
  let rows: Int
  let columns: Int
  /// Vectors per row.
  let vectors: Int
  var storage: [SIMD8<Double>]

  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    self.vectors = (columns + 7) / 8
    self.storage = [SIMD8<Double>](repeating: .zero, count: rows * vectors)
  }

  /// The first `columns` of each `stride` scalars from `offset` on.
  init<Scalar: BinaryFloatingPoint>(
    rows: Int, columns: Int, of scalars: [Scalar], offset: Int = 0, stride: Int? = nil
  ) {
    self.init(rows: rows, columns: columns)
    let stride = stride ?? columns
    for row in 0..<rows {
      for column in 0..<columns { self[row, column] = Double(scalars[offset + row * stride + column]) }
    }
  }

  subscript(_ row: Int, _ column: Int) -> Double {
    get { storage[row * vectors + column >> 3][column & 7] }
    set { storage[row * vectors + column >> 3][column & 7] = newValue }
  }

  /// One row's scalars, without the padding.
  func row(_ row: Int) -> [Double] { (0..<columns).map { self[row, $0] } }

  /// Writes all rows, without their padding, one after the other.
  func copyScalars(to scalars: inout [Double], at offset: Int) {
    for row in 0..<rows {
      for column in 0..<columns { scalars[offset + row * columns + column] = self[row, column] }
    }
  }

  /// Whether every scalar's magnitude is at most `limit`; false for NaN.
  func isBounded(by limit: Double) -> Bool {
    storage.allSatisfy { vector in all(vector .<= limit) && all(vector .>= -limit) }
  }

  var transposed: Matrix {
    var result = Matrix(rows: columns, columns: rows)
    for row in 0..<rows {
      for column in 0..<columns { result[column, row] = self[row, column] }
    }
    return result
  }

  /// The rows of those numbers, in that order.
  func selectingRows(_ selected: [Int]) -> Matrix {
    var result = Matrix(rows: selected.count, columns: columns)
    for (row, source) in selected.enumerated() {
      for vector in 0..<vectors {
        result.storage[row * vectors + vector] = storage[source * vectors + vector]
      }
    }
    return result
  }

  /// The columns of those numbers, in that order.
  func selectingColumns(_ selected: [Int]) -> Matrix {
    var result = Matrix(rows: rows, columns: selected.count)
    for row in 0..<rows {
      for (column, source) in selected.enumerated() { result[row, column] = self[row, source] }
    }
    return result
  }

  /// Adds `factor` times row `source` of `other`, which has as many columns, to row `row`.
  mutating func addRow(of other: Matrix, _ source: Int, times factor: Double, to row: Int) {
    precondition(other.columns == columns, "a row of \(other.columns) added to one of \(columns)")
    for vector in 0..<vectors {
      storage[row * vectors + vector] += other.storage[source * vectors + vector] * factor
    }
  }

  /// Adds `vector` to every row.
  mutating func addToRows(_ vector: [Double]) {
    precondition(vector.count == columns, "\(vector.count) scalars added to rows of \(columns)")
    for row in 0..<rows {
      for column in 0..<columns { self[row, column] += vector[column] }
    }
  }

  /// (m × k)·(k × n) → m × n.
  ///
  /// One column of vectors of the right factor is packed at a time, 64 bytes by k, and meets the rows of the left in
  /// pairs: at the paper's size that column stays in the first-level cache.
  static func * (left: Matrix, right: Matrix) -> Matrix {
    precondition(left.columns == right.rows, "\(left.rows)×\(left.columns) times \(right.rows)×\(right.columns)")
    var result = Matrix(rows: left.rows, columns: right.columns)
    let (inner, rows) = (left.columns, left.rows)
    var panel = [SIMD8<Double>](repeating: .zero, count: inner)
    left.storage.withUnsafeBytes { leftBytes in
      let scalars = leftBytes.bindMemory(to: Double.self)
      let stride = left.vectors * 8
      for vector in 0..<right.vectors {
        for k in 0..<inner { panel[k] = right.storage[k * right.vectors + vector] }
        panel.withUnsafeBufferPointer { panel in
          var row = 0
          while row + 2 <= rows {
            let (first, second) = (row * stride, (row + 1) * stride)
            var (sum0, sum1) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
            for k in 0..<inner {
              sum0 += panel[k] * scalars[first + k]
              sum1 += panel[k] * scalars[second + k]
            }
            result.storage[row * result.vectors + vector] = sum0
            result.storage[(row + 1) * result.vectors + vector] = sum1
            row += 2
          }
          if row < rows {
            var sum = SIMD8<Double>.zero
            for k in 0..<inner { sum += panel[k] * scalars[row * stride + k] }
            result.storage[row * result.vectors + vector] = sum
          }
        }
      }
    }
    return result
  }
}
