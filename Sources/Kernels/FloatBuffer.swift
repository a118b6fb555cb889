// Memory for kernels: aligned, zeroed, and readable a little beyond its end, and views of it as matrices.

/// Owns `count` floats on a 64-byte boundary, all zero at first; 64 floats behind the end may be read.
package final class FloatBuffer {
  package let base: UnsafeMutablePointer<Float>
  package let count: Int

  private static let slack = 64

  package init(_ count: Int) {
    precondition(count >= 0, "a buffer of \(count) floats")
    let bytes = (count + FloatBuffer.slack) * MemoryLayout<Float>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    base = raw.initializeMemory(as: Float.self, repeating: 0, count: count + FloatBuffer.slack)
    self.count = count
  }

  package convenience init(_ values: [Float]) {
    self.init(values.count)
    assign(values)
  }

  deinit { UnsafeMutableRawPointer(base).deallocate() }

  package var array: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

  package func assign(_ values: [Float]) {
    precondition(values.count == count, "\(values.count) values for a buffer of \(count)")
    values.withUnsafeBufferPointer { base.update(from: $0.baseAddress!, count: count) }
  }

  /// Sets everything to zero.
  package func clear() { base.update(repeating: 0, count: count) }

  /// Row-major from `offset`; rows lie `stride` floats apart, or directly behind each other.
  package func matrix(_ rows: Int, _ columns: Int, stride: Int? = nil, at offset: Int = 0) -> FloatMatrix {
    let stride = stride ?? columns
    precondition(rows >= 1 && columns >= 1 && stride >= columns, "a matrix of \(rows) × \(columns), stride \(stride)")
    precondition(
      offset >= 0 && offset + (rows - 1) * stride + columns <= count,
      "\(rows) × \(columns) floats from \(offset), stride \(stride), do not lie in a buffer of \(count)")
    return FloatMatrix(base: base + offset, rows: rows, columns: columns, rowStride: stride, columnStride: 1)
  }
}

/// A view of floats that some `FloatBuffer` owns and outlives.
package struct FloatMatrix {
  package let base: UnsafeMutablePointer<Float>
  package let rows: Int
  package let columns: Int
  package let rowStride: Int
  /// 1 unless transposed.
  package let columnStride: Int

  /// The same floats with rows and columns exchanged; only a left factor may be a transposed view.
  package var transposed: FloatMatrix {
    FloatMatrix(base: base, rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride)
  }

  package func rows(_ range: Range<Int>) -> FloatMatrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows && !range.isEmpty, "rows \(range) of \(rows)")
    return FloatMatrix(
      base: base + range.lowerBound * rowStride, rows: range.count, columns: columns, rowStride: rowStride,
      columnStride: columnStride)
  }

  package func columns(_ range: Range<Int>) -> FloatMatrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns && !range.isEmpty, "columns \(range) of \(columns)")
    return FloatMatrix(
      base: base + range.lowerBound * columnStride, rows: rows, columns: range.count, rowStride: rowStride,
      columnStride: columnStride)
  }

  /// Whether nothing in it is infinite or NaN.
  package var isFinite: Bool {
    var largest: UInt32 = 0
    for row in 0..<rows {
      let row = pointer(toRow: row)
      for column in 0..<columns { largest = max(largest, row[column].bitPattern & 0x7fff_ffff) }
    }
    return largest < Float.infinity.bitPattern
  }

  /// Sets everything to zero.
  package func clear() {
    for row in 0..<rows { pointer(toRow: row).update(repeating: 0, count: columns) }
  }

  /// Copies `other`, of the same shape.
  package func assign(_ other: FloatMatrix) {
    precondition(
      other.rows == rows && other.columns == columns, "\(other.rows)×\(other.columns) for \(rows)×\(columns)")
    precondition(other.columnStride == 1, "a transposed view to copy")
    for row in 0..<rows { pointer(toRow: row).update(from: other.pointer(toRow: row), count: columns) }
  }

  /// Adds `other`, of the same shape.
  package func add(_ other: FloatMatrix) {
    precondition(
      other.rows == rows && other.columns == columns, "\(other.rows)×\(other.columns) on \(rows)×\(columns)")
    for row in 0..<rows {
      let (to, from) = (pointer(toRow: row), other.pointer(toRow: row))
      for column in 0..<columns { to[column] += from[column] }
    }
  }

  /// Where a row starts, for loops over the columns that no kernel covers.
  package func pointer(toRow row: Int) -> UnsafeMutablePointer<Float> {
    precondition(columnStride == 1 && (0..<rows).contains(row), "row \(row) of \(rows)")
    return base + row * rowStride
  }

  package subscript(_ row: Int, _ column: Int) -> Float {
    get { base[row * rowStride + column * columnStride] }
    nonmutating set { base[row * rowStride + column * columnStride] = newValue }
  }
}

extension FloatMatrix {
  /// A gapless row as rows of `width` each.
  package func split(intoRowsOf width: Int) -> FloatMatrix {
    precondition(rows == 1 && columnStride == 1 && columns % width == 0, "\(columns) floats in rows of \(width)")
    return FloatMatrix(base: base, rows: columns / width, columns: width, rowStride: width, columnStride: 1)
  }

  /// A gapless row as a column, usable as a right factor too.
  package var asColumn: FloatMatrix {
    precondition(rows == 1 && columnStride == 1, "only a row becomes a column")
    return FloatMatrix(base: base, rows: columns, columns: 1, rowStride: 1, columnStride: 1)
  }
}
