// Which frequency each neuron computes with, and how purely (Nanda et al. 2023, section 4.3; `measures.md` section 5).
//
// Over the p × p grid a neuron's share explained by frequency k is the power of its 3 × 3 block {const, cos, sin}² of
// two-dimensional Fourier coefficients, without the constant, over its variance. By the product formulas that power is
// (1/p)·(|A_k|² + |B_k|² + |S_k|² + |D_k|²), with the coefficients at k of its sums along a, b, a+b and a−b: four small
// tables instead of a grid for every neuron.

/// The frequency that explains most of one neuron's variance.
package struct NeuronFit: Codable, Hashable, Sendable {
  /// From 1; 1 for a neuron that never changes.
  package var frequency: Int
  /// 0…1; 0 for a neuron that never changes.
  package var varianceExplained: Double

  package init(frequency: Int, varianceExplained: Double) {
    self.frequency = frequency
    self.varianceExplained = varianceExplained
  }

  enum CodingKeys: String, CodingKey {
    case frequency
    case varianceExplained = "fve"
  }
}

/// Gathers neurons' sums over the grid, one first operand at a time.
struct NeuronSums {
  private let basis: FourierBasis
  /// Activations at the pair (0, 0), subtracted from all others: variances of nearly constant neurons stay exact.
  private var origin: [SIMD8<Double>] = []
  private var total: [SIMD8<Double>]
  private var squares: [SIMD8<Double>]
  /// Sums over the pairs with a given a, b, a+b and a−b; each p × d_mlp.
  private var marginals: [Matrix]

  init(basis: FourierBasis, neurons: Int) {
    self.basis = basis
    marginals = [Matrix](repeating: Matrix(rows: basis.modulus, columns: neurons), count: 4)
    total = [SIMD8<Double>](repeating: .zero, count: marginals[0].vectors)
    squares = total
  }

  /// - Parameter neurons: of the pairs (a, 0) … (a, p−1); p × d_mlp. Begins with a = 0.
  mutating func add(_ neurons: Matrix, a: Int) {
    let (p, vectors) = (basis.modulus, neurons.vectors)
    if origin.isEmpty { origin = Array(neurons.storage[0..<vectors]) }
    for b in 0..<p {
      let rows = [a, b, (a + b) % p, (a - b + p) % p]
      for v in 0..<vectors {
        let value = neurons.storage[b * vectors + v] - origin[v]
        total[v] += value
        squares[v] += value * value
        marginals[0].storage[rows[0] * vectors + v] += value
        marginals[1].storage[rows[1] * vectors + v] += value
        marginals[2].storage[rows[2] * vectors + v] += value
        marginals[3].storage[rows[3] * vectors + v] += value
      }
    }
  }

  /// One fit per neuron, once every a has been added.
  func fits() -> [NeuronFit] {
    let p = Double(basis.modulus)
    let coefficients = marginals.map { basis.waves * $0 }  // 2K × d_mlp each
    return (0..<marginals[0].columns).map { neuron in
      let (vector, lane) = (neuron >> 3, neuron & 7)
      let variance = squares[vector][lane] - total[vector][lane] * total[vector][lane] / (p * p)
      var best = NeuronFit(frequency: 1, varianceExplained: 0)
      guard variance > 0 else { return best }
      for k in 0..<basis.frequencyCount {
        var power = 0.0
        for table in coefficients {
          let (cosine, sine) = (table[2 * k, neuron], table[2 * k + 1, neuron])
          power += cosine * cosine + sine * sine
        }
        let share = power / p / variance
        // A neuron active on one pair alone fits every frequency equally: then rounding must not choose.
        if share > best.varianceExplained * (1 + 1e-9) { best = NeuronFit(frequency: k + 1, varianceExplained: share) }
      }
      return best
    }
  }
}
