// Signals over the n × n grid of operands, and what single frequencies explain of them: neurons, heads, logits.
// (Nanda et al. 2023, sections 4.3 and 4.4; `measures.md` section 5.)
//
// A signal's part at frequency k is its 3 × 3 block {const, cos, sin}² of two-dimensional Fourier coefficients. By the
// product formulas that block is the mean and four waves, along a, b, a+b and a−b, which depend on the signal only
// through its sums over the pairs of each a, b, a+b and a−b: four small tables instead of a grid for every signal.

/// Along what a wave over the grid runs.
enum GridDirection: Int, CaseIterable, Sendable {
  case first, second, sum, difference

  /// Where the pair of places (a, b) stands in that direction, modulo n.
  func place(_ a: Int, _ b: Int, around n: Int) -> Int {
    switch self {
    case .first: a
    case .second: b
    case .sum: (a + b) % n
    case .difference: (a - b + n) % n
    }
  }
}

/// The frequency that explains most of one signal's variance: of a neuron, or of a head's attention.
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

/// Gathers the sums of some signals over the grid, the pairs of one first operand at a time.
struct GridSums {
  let circle: Circle
  /// Values at the first pair, subtracted from all others: variances of nearly constant signals stay exact.
  private var origin: [SIMD8<Double>] = []
  private var total: [SIMD8<Double>]
  private var squares: [SIMD8<Double>]
  /// Sums over the pairs of each place in each `GridDirection`, less the origin; each n × signals.
  private var marginals: [Matrix]

  init(circle: Circle, signals: Int) {
    self.circle = circle
    marginals = GridDirection.allCases.map { _ in Matrix(rows: circle.length, columns: signals) }
    total = [SIMD8<Double>](repeating: .zero, count: marginals[0].vectors)
    squares = total
  }

  var signals: Int { marginals[0].columns }

  /// - Parameter values: of the pairs (a, 0) … (a, p−1); p × signals. Pairs that are not on the circle do not count.
  mutating func add(_ values: Matrix, a: Int) {
    guard let first = circle.places[a] else { return }
    let (n, vectors) = (circle.length, values.vectors)
    for (second, b) in circle.residues.enumerated() {
      if origin.isEmpty { origin = Array(values.storage[b * vectors..<(b + 1) * vectors]) }
      let (sum, difference) = ((first + second) % n, (first - second + n) % n)
      for v in 0..<vectors {
        let value = values.storage[b * vectors + v] - origin[v]
        total[v] += value
        squares[v] += value * value
        marginals[0].storage[first * vectors + v] += value
        marginals[1].storage[second * vectors + v] += value
        marginals[2].storage[sum * vectors + v] += value
        marginals[3].storage[difference * vectors + v] += value
      }
    }
  }

  /// Mean of each signal over the grid.
  var means: [Double] {
    let count = Double(circle.length * circle.length)
    return (0..<signals).map { origin[$0 >> 3][$0 & 7] + total[$0 >> 3][$0 & 7] / count }
  }

  /// n² times the variance of each signal about its mean.
  var squaredDeviations: [Double] {
    let count = Double(circle.length * circle.length)
    return (0..<signals).map { signal in
      let (vector, lane) = (signal >> 3, signal & 7)
      return squares[vector][lane] - total[vector][lane] * total[vector][lane] / count
    }
  }

  /// Variance of all signals' values together about their grand mean.
  var variance: Double {
    let means = means
    let mean = means.reduce(0, +) / Double(signals)
    let within = squaredDeviations.reduce(0, +) / Double(circle.length * circle.length)
    return (within + means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }) / Double(signals)
  }

  /// Sums over the pairs of each place in one direction; n × signals.
  func sums(along direction: GridDirection) -> Matrix {
    var sums = marginals[direction.rawValue]
    for row in 0..<sums.rows {
      for v in 0..<sums.vectors { sums.storage[row * sums.vectors + v] += origin[v] * Double(circle.length) }
    }
    return sums
  }

  /// One fit per signal, once every a has been added.
  func fits() -> [NeuronFit] {
    shares().map { shares in
      var best = NeuronFit(frequency: 1, varianceExplained: 0)
      for (k, share) in shares.enumerated() {
        // A neuron active on one pair alone fits every frequency equally: then rounding must not choose.
        if share > best.varianceExplained * (1 + 1e-9) { best = NeuronFit(frequency: k + 1, varianceExplained: share) }
      }
      return best
    }
  }

  /// Share of each signal's variance that the 3 × 3 block of each frequency explains; signals × K, all 0 for a signal that
  /// never changes.
  func shares() -> [[Double]] {
    let coefficients = marginals.map { circle.basis.waves * $0 }  // 2K × signals each
    let deviations = squaredDeviations
    return (0..<signals).map { signal in
      (0..<circle.frequencyCount).map { k in
        guard deviations[signal] > 0 else { return 0 }
        var power = 0.0
        for table in coefficients {
          let (cosine, sine) = (table[2 * k, signal], table[2 * k + 1, signal])
          power += cosine * cosine + sine * sine
        }
        return power / Double(circle.length) / deviations[signal]
      }
    }
  }

  /// Share of each signal's variance that one basis row along a direction explains; 0 for a signal that never changes.
  ///
  /// - Parameter rows: of the basis, one per signal: 2k−1 for cos, 2k for sin.
  func varianceExplained(byRows rows: [Int], along direction: GridDirection) -> [Double] {
    let (sums, deviations) = (marginals[direction.rawValue], squaredDeviations)
    return rows.enumerated().map { signal, row in
      guard deviations[signal] > 0 else { return 0 }
      var product = 0.0
      for x in 0..<circle.length { product += circle.basis.rows[row, x] * sums[x, signal] }
      return product * product / Double(circle.length) / deviations[signal]
    }
  }

  /// Each signal's waves of some frequencies along a direction, the same frequencies for all; n × signals.
  ///
  /// The unit vectors over the grid are the basis rows over √n, once on each side.
  func waves(of frequencies: [Int], along direction: GridDirection) -> Matrix {
    let waves = circle.basis.waves(of: frequencies)
    var coefficients = waves * marginals[direction.rawValue]
    for i in coefficients.storage.indices { coefficients.storage[i] /= Double(circle.length) }
    return waves.transposed * coefficients
  }

  /// Each signal's wave of one frequency of its own along a direction; n × signals.
  func waves(ofEach frequencies: [Int], along direction: GridDirection) -> Matrix {
    let (basis, n) = (circle.basis, circle.length)
    let coefficients = basis.waves * marginals[direction.rawValue]
    var result = Matrix(rows: n, columns: signals)
    guard circle.frequencyCount > 0 else { return result }
    for (signal, k) in frequencies.enumerated() {
      let (cosine, sine) = (coefficients[2 * k - 2, signal] / Double(n), coefficients[2 * k - 1, signal] / Double(n))
      for x in 0..<n {
        result[x, signal] = cosine * basis.rows[2 * k - 1, x] + sine * basis.rows[2 * k, x]
      }
    }
    return result
  }
}
