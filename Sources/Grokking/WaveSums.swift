// The trig projection: what part of the logits is a wave of a+b (or a−b).
//
// Everything about it depends on the pairs only through s = a+b mod p, so logits are first summed over the p pairs of
// each s, and projections are then p × p matrices: one p-th of the work of projecting over all pairs. For products,
// read places on the circle for residues and n = p − 1 for p (`Circle`).
// `measures.md` section 5; Nanda et al. 2023, section 5.1. Only sum directions: no products of two frequencies.

import Kernels

/// Logits of all measured pairs, classes in order of their places, summed over the pairs of each s.
struct WaveSums {
  let basis: FourierBasis
  /// D[s][x] = Σ L[a, b, c] over the pairs with that s, c being the class at place x; n × n.
  let sums: Matrix

  init(basis: FourierBasis, sums: Matrix) {
    precondition(sums.rows == basis.modulus && sums.columns == basis.modulus, "\(sums.rows)×\(sums.columns) sums")
    self.basis = basis
    self.sums = sums
  }

  /// Mean over all measured pairs of each class's logit, by place.
  var means: [Double] {
    let n = basis.modulus
    return (0..<n).map { x in
      var sum = 0.0
      for s in 0..<n { sum += sums[s, x] }
      return sum / Double(n * n)
    }
  }

  func projections(_ frequencies: [Int]) -> WaveProjections {
    let waves = basis.waves(of: frequencies)
    return WaveProjections(frequencies: frequencies, waves: waves, coefficients: waves * sums)
  }
}

/// P_k(L) for some frequencies k: for each class the multiples of two unit vectors over the pairs.
struct WaveProjections {
  let frequencies: [Int]
  /// The cos and sin basis rows of each frequency in turn; 2·count × n.
  let waves: Matrix
  /// `waves` times the sums by s; row 2i and 2i+1 for frequency i, one column per class; 2·count × n.
  ///
  /// The unit vectors over the pairs are the basis rows at s divided by √n, once on each side: P_k at s is the wave at
  /// s times these over n.
  let coefficients: Matrix

  /// Σ_k P_k(L): row s is its value at every pair with that s; n × n.
  var sum: Matrix {
    var scaled = coefficients
    let n = Double(waves.columns)
    for i in scaled.storage.indices { scaled.storage[i] /= n }
    return waves.transposed * scaled
  }

  /// Least-squares α_k of L ≈ Σ_k α_k·cos(2πk(s − c)/n); these waves are orthogonal, each of squared norm n³/2.
  ///
  /// cos(s − c) = cos s·cos c + sin s·sin c, whose sums over s the coefficients already are.
  var cosineCoefficients: [Double] {
    let n = waves.columns
    return frequencies.indices.map { i in
      var product = 0.0
      for row in [2 * i, 2 * i + 1] {
        for x in 0..<n { product += waves[row, x] * coefficients[row, x] }
      }
      return product / Double(n * n)
    }
  }

  /// g(d) = Σ_k α_k·cos(2πk·d/n), d = s − c: the logits that the cosines stand for; n.
  func cosineLogits(_ cosineCoefficients: [Double]) -> [Double] {
    let n = waves.columns
    return (0..<n).map { d in
      var sum = 0.0
      for (k, coefficient) in zip(frequencies, cosineCoefficients) {
        sum += coefficient * DeterministicMath.cosine(turn: k * d, of: n)
      }
      return sum
    }
  }

  /// Loss of the cosines in place of the logits for a pair with d = s − label; n.
  ///
  /// Seen from s the logits of every pair are the same row, so a loss depends on d alone.
  func cosineLosses(_ cosineCoefficients: [Double]) -> [Double] {
    var row = LogitRow(classes: waves.columns)
    let logits = cosineLogits(cosineCoefficients)
    return logits.indices.map { label in
      logits.withUnsafeBufferPointer { row.set($0.baseAddress!) }
      return row.loss(label: label).loss
    }
  }
}

/// Share of variance that α_k explain: the cosines are orthogonal, of mean 0 and mean square ½.
///
/// - Parameter variance: of the logits over all measured pairs and classes about their grand mean.
/// - Returns: 0 for logits that are all the same.
func varianceExplained(by cosineCoefficients: [Double], of variance: Double) -> Double {
  variance > 0 ? cosineCoefficients.reduce(0) { $0 + $1 * $1 / 2 } / variance : 0
}
