// Which directions of the neurons the key frequencies read (Nanda et al. 2023, section 4.2).
//
// W_L = W_out·W_U maps neurons to logits. Around the circle of classes it is nearly of rank 2 per key frequency:
// W_L ≈ Σ_k u_k·cos(w_k c)ᵀ + v_k·sin(w_k c)ᵀ, with u_k and v_k its products with the unit cosine and sine.

/// The directions u_k, v_k of some frequencies in the space of neurons.
struct KeyDirections {
  /// d_mlp × n, classes in order of their places.
  let W_L: Matrix
  /// u_k, v_k of each frequency in turn, of unit length, or zero where W_L has nothing there; d_mlp × 2·count.
  let unit: Matrix
  /// An orthonormal basis of them, Q; d_mlp × at most 2·count.
  let orthonormal: Matrix
  /// QᵀW_L: what the logits receive of each direction of that basis.
  let outputs: Matrix
  /// ‖W_L − Σ_k …‖ / ‖W_L‖, Frobenius; nil for W_L = 0.
  let residual: Double?
  /// The same without what W_L gives all classes alike, which no softmax sees.
  let centeredResidual: Double?

  init(weights: Parameters<Float>, circle: Circle, frequencies: [Int]) {
    let model = weights.layout.model
    let W_U = Matrix(rows: model.dModel, columns: model.dVocabOut, of: weights.W_U)
    W_L =
      Matrix(rows: model.dMLP, columns: model.dModel, of: weights.W_out) * W_U.selectingColumns(circle.residues)
    // Row i is W_L's coefficient at basis row i, for every neuron; the basis is complete, so no norm is lost.
    let coefficients = circle.basis.rows * W_L.transposed  // n × d_mlp
    let isKept = (0..<circle.length).map { row in frequencies.contains { row == 2 * $0 - 1 || row == 2 * $0 } }
    let constant = KeyDirections.dot(coefficients, 0, coefficients, 0)
    var (kept, left) = (0.0, 0.0)
    for row in 1..<circle.length {
      let power = KeyDirections.dot(coefficients, row, coefficients, row)
      if isKept[row] { kept += power } else { left += power }
    }
    residual = KeyDirections.share(left + constant, beside: kept)
    centeredResidual = KeyDirections.share(left, beside: kept)

    var directions = coefficients.selectingRows(frequencies.flatMap { [2 * $0 - 1, 2 * $0] })  // 2·count × d_mlp
    for row in 0..<directions.rows { KeyDirections.normalize(&directions, row) }
    unit = directions.transposed
    orthonormal = KeyDirections.orthonormalized(directions).transposed
    outputs = orthonormal.transposed * W_L
  }

  /// Gram–Schmidt on unit rows, each reduced twice; rows that depend on those before them are left out.
  private static func orthonormalized(_ rows: Matrix) -> Matrix {
    var (found, kept) = (rows, 0)
    for row in 0..<rows.rows {
      var candidate = rows.selectingRows([row])
      for _ in 0..<2 {
        for other in 0..<kept {
          candidate.addRow(of: found, other, times: -dot(found, other, candidate, 0), to: 0)
        }
      }
      // What rounding leaves of a dependent row is no direction.
      guard dot(candidate, 0, candidate, 0) > 1e-20 else { continue }
      normalize(&candidate, 0)
      for v in 0..<rows.vectors { found.storage[kept * rows.vectors + v] = candidate.storage[v] }
      kept += 1
    }
    return found.selectingRows(Array(0..<kept))
  }

  private static func share(_ left: Double, beside kept: Double) -> Double? {
    kept + left > 0 ? (left / (kept + left)).squareRoot() : nil
  }

  /// In eight lanes and then over one fixed tree.
  private static func dot(_ left: Matrix, _ i: Int, _ right: Matrix, _ j: Int) -> Double {
    var sum = SIMD8<Double>.zero
    for v in 0..<left.vectors { sum += left.storage[i * left.vectors + v] * right.storage[j * right.vectors + v] }
    let four = sum.lowHalf + sum.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  private static func normalize(_ matrix: inout Matrix, _ row: Int) {
    let length = dot(matrix, row, matrix, row).squareRoot()
    guard length > 0 else { return }
    for v in row * matrix.vectors..<(row + 1) * matrix.vectors { matrix.storage[v] /= length }
  }
}
