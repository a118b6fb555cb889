// The real orthonormal Fourier basis of length p (`measures.md` section 5; Nanda et al. 2023, section 4.1).
//
// Frequencies run from 1 to ⌊(p−1)/2⌋, all of them: the released code's `range(1, p//2)` leaves out the last.

import Kernels

/// Row 0 is constant, rows 2k−1 and 2k are cos and sin of 2πkx/p over their norm, and for even p the last alternates.
package struct FourierBasis: Sendable {
  package let modulus: Int
  /// p × p.
  let rows: Matrix

  /// - Parameter modulus: p, at least 1.
  package init(modulus p: Int) {
    precondition(p >= 1, "a Fourier basis of length \(p)")
    modulus = p
    var rows = Matrix(rows: p, columns: p)
    let constant = 1 / Double(p).squareRoot()
    let amplitude = (2 / Double(p)).squareRoot()
    let cosine = (0..<p).map { amplitude * DeterministicMath.cosine(turn: $0, of: p) }
    let sine = (0..<p).map { amplitude * DeterministicMath.sine(turn: $0, of: p) }
    for x in 0..<p {
      rows[0, x] = constant
      for k in stride(from: 1, through: (p - 1) / 2, by: 1) {
        rows[2 * k - 1, x] = cosine[k * x % p]
        rows[2 * k, x] = sine[k * x % p]
      }
      if p % 2 == 0 { rows[p - 1, x] = x % 2 == 0 ? constant : -constant }
    }
    self.rows = rows
  }

  /// K = ⌊(p−1)/2⌋.
  package var frequencyCount: Int { (modulus - 1) / 2 }

  package func row(_ index: Int) -> [Double] { rows.row(index) }

  /// The cos and sin rows of frequencies 1…K, in order: 2K × p.
  var waves: Matrix { waves(of: (0..<frequencyCount).map { $0 + 1 }) }

  /// The cos and sin rows of some frequencies, in their order: 2·count × p.
  func waves(of frequencies: [Int]) -> Matrix {
    var waves = Matrix(rows: 2 * frequencies.count, columns: modulus)
    for (i, k) in frequencies.enumerated() {
      precondition(k >= 1 && k <= frequencyCount, "no frequency \(k) for p = \(modulus)")
      for x in 0..<modulus {
        waves[2 * i, x] = rows[2 * k - 1, x]
        waves[2 * i + 1, x] = rows[2 * k, x]
      }
    }
    return waves
  }

  /// For each frequency the squared norm of its (cos, sin) pair of rows.
  /// - Parameter coefficients: `waves` times a signal, 2K × n.
  /// - Returns: K sums of 2n squares.
  static func power(of coefficients: Matrix) -> [Double] {
    (0..<coefficients.rows / 2).map { k in
      var sum = 0.0
      for row in [2 * k, 2 * k + 1] {
        for column in 0..<coefficients.columns { sum += coefficients[row, column] * coefficients[row, column] }
      }
      return sum
    }
  }
}
