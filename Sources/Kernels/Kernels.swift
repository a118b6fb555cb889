// The Swift face of the products and elementwise kernels: shapes are checked here, the C behind trusts them.

import CKernels

/// The kernels of one instruction set.
package struct Kernels {
  package let path: KernelPath
  let c: ck_kernels

  /// - Precondition: this machine can run `path`; see `KernelPath.choose`.
  package init(_ path: KernelPath) {
    guard let table = path.table else { preconditionFailure("this machine lacks the \(path.rawValue) kernels") }
    self.path = path
    self.c = table.pointee
  }

  /// What happens to a finished element of a product.
  package enum Finish {
    case plain
    /// Zero wherever the gate is not above zero; the gate may be the result's old content.
    case wherePositive(FloatMatrix)
    /// Multiplied by the gate.
    case times(FloatMatrix)
  }

  /// c ← a·b, or c + a·b when `accumulating`; k ascending, one fused multiply-add per step.
  package func multiply(
    _ a: FloatMatrix, _ b: FloatMatrix, into c: FloatMatrix, accumulating: Bool = false, finish: Finish = .plain
  ) {
    precondition(
      a.rows == c.rows && a.columns == b.rows && b.columns == c.columns,
      "\(a.rows)×\(a.columns) · \(b.rows)×\(b.columns) is not \(c.rows)×\(c.columns)")
    precondition(b.columnStride == 1 && c.columnStride == 1, "only the left factor may be transposed")
    let gate: FloatMatrix?
    let kind: Int
    switch finish {
    case .plain: (gate, kind) = (nil, CK_PLAIN)
    case .wherePositive(let matrix): (gate, kind) = (matrix, CK_WHERE_POSITIVE)
    case .times(let matrix): (gate, kind) = (matrix, CK_TIMES)
    }
    if let gate {
      precondition(
        gate.rows == c.rows && gate.columns == c.columns && gate.columnStride == 1,
        "a gate of \(gate.rows)×\(gate.columns) for \(c.rows)×\(c.columns)")
    }
    self.c.multiply(
      c.rows, c.columns, a.columns, a.base, a.rowStride, a.columnStride, b.base, b.rowStride, c.base, c.rowStride,
      accumulating ? 1 : 0, Int32(kind), gate?.base, gate?.rowStride ?? 0)
  }

  /// c ← c + a·b as `multiply` has it, leaving out the steps where `a` is zero: for an `a` that is half zeros.
  ///
  /// - Precondition: `b` is finite (a step that is left out cannot turn into NaN), and `c` has whole vectors of 16 columns.
  package func multiplyActive(_ a: FloatMatrix, _ b: FloatMatrix, addingTo c: FloatMatrix) {
    precondition(
      a.rows == c.rows && a.columns == b.rows && b.columns == c.columns && c.columns % 16 == 0,
      "\(a.rows)×\(a.columns) · \(b.rows)×\(b.columns) is not \(c.rows)×\(c.columns), or has a broken vector")
    precondition(b.columnStride == 1 && c.columnStride == 1, "only the left factor may be transposed")
    precondition(a.columnStride == 1 || a.rowStride == 1, "a left factor without unit stride")
    if a.columnStride == 1 {
      self.c.multiply_active(
        c.rows, c.columns, a.columns, a.base, a.rowStride, b.base, b.rowStride, c.base, c.rowStride)
    } else {
      self.c.multiply_active_transposed(
        c.rows, c.columns, a.columns, a.base, a.columnStride, b.base, b.rowStride, c.base, c.rowStride)
    }
  }

  /// to[j, i] ← from[i, j]
  package func transpose(_ from: FloatMatrix, into to: FloatMatrix) {
    precondition(
      from.rows == to.columns && from.columns == to.rows,
      "\(from.rows)×\(from.columns) transposed is not \(to.rows)×\(to.columns)")
    precondition(from.columnStride == 1 && to.columnStride == 1, "a transposed view cannot be transposed")
    c.transpose(from.rows, from.columns, from.base, from.rowStride, to.base, to.rowStride)
  }

  /// sums[j] += Σ over rows, ascending, of x[i, j]; `sums` has one row.
  package func addColumnSums(of x: FloatMatrix, to sums: FloatMatrix) {
    precondition(sums.rows == 1 && sums.columns == x.columns, "\(sums.columns) sums of \(x.columns) columns")
    precondition(x.columnStride == 1 && sums.columnStride == 1, "a transposed view has no column sums here")
    c.column_sums(x.rows, x.columns, x.base, x.rowStride, sums.base)
  }

  /// to[i, j] ← x[i, j] + row[j]
  package func add(row: FloatMatrix, to x: FloatMatrix, into to: FloatMatrix) {
    precondition(
      row.rows == 1 && row.columns == x.columns && to.rows == x.rows && to.columns == x.columns,
      "a row of \(row.columns) on \(x.rows)×\(x.columns) into \(to.rows)×\(to.columns)")
    precondition(row.columnStride == 1 && x.columnStride == 1 && to.columnStride == 1, "a transposed view in a sum")
    c.add_row(x.rows, x.columns, x.base, x.rowStride, row.base, to.base, to.rowStride)
  }

  /// to[i] ← x[i] + y[i] for matrices without gaps.
  package func add(_ x: FloatMatrix, _ y: FloatMatrix, into to: FloatMatrix) {
    for matrix in [y, to] {
      precondition(matrix.rows == x.rows && matrix.columns == x.columns, "sums of matrices that differ in shape")
    }
    for matrix in [x, y, to] {
      precondition(matrix.rowStride == x.columns && matrix.columnStride == 1, "a sum of matrices with gaps")
    }
    c.add(x.rows * x.columns, x.base, y.base, to.base)
  }

  /// to[i] ← exp(x[i] − shift), 0 where the exponent is below −87; no x may be above `shift`. One row each.
  package func exponentials(of x: FloatMatrix, minus shift: Float, into to: FloatMatrix) {
    precondition(x.rows == 1 && to.rows == 1 && x.columns == to.columns, "exponentials of \(x.rows)×\(x.columns)")
    c.exp_shifted(x.columns, x.base, shift, to.base)
  }

  /// Runs `body` with tiny floats taken as zero on this thread, as every training step and forward pass must be run,
  /// and puts the thread's mode back.
  package static func flushingTinyToZero<Value, Problem: Error>(
    _ body: () throws(Problem) -> Value
  ) throws(Problem) -> Value {
    let state = ck_flush_to_zero()
    defer { ck_restore(state) }
    return try body()
  }
}
