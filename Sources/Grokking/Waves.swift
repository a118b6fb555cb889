// The trig projection: what part of the logits is a wave of a+b (or a−b).
//
// Everything about it depends on the pairs only through s = a+b mod p, so logits are first summed over the p pairs of
// each s, and projections are then p × p matrices: one p-th of the work of projecting over all pairs.
// `measures.md` section 5; Nanda et al. 2023, section 5.1. Only sum directions: no products of two frequencies.

import Kernels

/// Which s each pair's waves are waves of.
package struct Waves: Hashable, Sendable {
  package let modulus: Int
  /// s of pair (a, b) at a·p+b, 0 ≤ s < p; each value stands p times.
  package let index: [Int]

  /// Nil for operations whose solution is not known to be made of waves of one s.
  package init?(of operation: Operation, modulus p: Int) {
    let sign: Int
    switch operation {
    case .add: sign = 1
    case .subtract: sign = -1
    case .multiply, .x2xyy2, .random: return nil
    }
    modulus = p
    index = (0..<p * p).map { pair in (pair / p + sign * (pair % p) + p) % p }
  }
}

/// Logits of all pairs, classes 0…p−1, summed over the pairs of each s, and their projections on waves.
struct WaveSums {
  let basis: FourierBasis
  /// D[s][c] = Σ L[a, b, c] over the pairs with that s; p × p.
  let sums: Matrix

  /// - Parameters:
  ///   - logits: p² × `classes`, row a·p+b.
  ///   - classes: d_vocab_out; those from p on are left out.
  init<Scalar: BinaryFloatingPoint>(logits: [Scalar], classes: Int, waves: Waves) {
    let p = waves.modulus
    precondition(logits.count == p * p * classes && classes >= p, "\(logits.count) logits for p = \(p)")
    basis = FourierBasis(modulus: p)
    var sums = Matrix(rows: p, columns: p)
    let stride = sums.vectors * 8
    sums.storage.withUnsafeMutableBytes { bytes in
      let sums = bytes.bindMemory(to: Double.self).baseAddress!
      logits.withUnsafeBufferPointer { logits in
        for pair in 0..<p * p {
          let (row, sum) = (logits.baseAddress! + pair * classes, sums + waves.index[pair] * stride)
          for c in 0..<p { sum[c] += Double(row[c]) }
        }
      }
    }
    self.sums = sums
  }

  /// Mean over all pairs of each class's logit.
  var means: [Double] {
    let p = basis.modulus
    return (0..<p).map { c in
      var sum = 0.0
      for s in 0..<p { sum += sums[s, c] }
      return sum / Double(p * p)
    }
  }

  /// Σ_k P_k(L) over `frequencies`: row s is its value at every pair with that s; p × p.
  ///
  /// The unit vectors over the pairs are the basis rows at s divided by √p, once on each side.
  func projection(on frequencies: [Int]) -> Matrix {
    let p = basis.modulus
    var waves = Matrix(rows: 2 * frequencies.count, columns: p)
    for (i, k) in frequencies.enumerated() {
      precondition(k >= 1 && k <= basis.frequencyCount, "no frequency \(k) for p = \(p)")
      for s in 0..<p {
        waves[2 * i, s] = basis.rows[2 * k - 1, s] / Double(p).squareRoot()
        waves[2 * i + 1, s] = basis.rows[2 * k, s] / Double(p).squareRoot()
      }
    }
    return waves.transposed * (waves * sums)
  }

  /// Least-squares α_k of L ≈ Σ_k α_k·cos(2πk(s − c)/p), k over `frequencies`; these waves are orthogonal, each of
  /// squared norm p³/2.
  func cosineCoefficients(_ frequencies: [Int]) -> [Double] {
    let p = basis.modulus
    return frequencies.map { k in
      let wave = (0..<p).map { DeterministicMath.cosine(turn: k * $0, of: p) }
      var product = 0.0
      for s in 0..<p {
        for c in 0..<p { product += sums[s, c] * wave[(s - c + p) % p] }
      }
      return product / (Double(p * p * p) / 2)
    }
  }
}
