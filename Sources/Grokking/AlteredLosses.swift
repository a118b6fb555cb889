// The losses of a model with one part replaced or removed (Nanda et al. 2023, section 4.4), and the restricted and
// excluded losses of the same logits, gathered one first operand at a time.
//
// Logits are linear in the neurons, and a neuron's waves depend on a pair only through a, b, a+b or a−b. So models with
// altered neurons are tables of n rows meeting what goes around the MLP; no neuron is formed again for every pair.

import Kernels

/// Over the train pairs, the other pairs, and all; without a split only `all` counts.
struct SplitTotals {
  private(set) var train = PairTotal()
  private(set) var test = PairTotal()
  private(set) var all = PairTotal()

  mutating func add(_ loss: Double, isTrained: Bool?) {
    all.add(loss)
    switch isTrained {
    case true?: train.add(loss)
    case false?: test.add(loss)
    case nil: break
    }
  }
}

struct AlteredLosses {
  /// Of the waves' pairs, over the classes on the circle.
  private(set) var original = SplitTotals()
  /// Σ_k P_k(L) + mean, and L − Σ_k P_k(L).
  private(set) var restricted = SplitTotals()
  private(set) var excluded = SplitTotals()
  /// L − P_k(L), by key frequency.
  private(set) var excludedAlone: [SplitTotals]
  private var polynomials = PairTotal()
  private var neuronWaves = PairTotal()
  private var blocks = PairTotal()
  private var keyDirections = PairTotal()
  private var complement = PairTotal()
  private var withoutSkip = PairTotal()

  private let waves: Waves
  private let projections: WaveProjections
  private let directions: KeyDirections
  /// Σ_k P_k(L) by s, and the mean logits.
  private let kept: Matrix
  private let means: Matrix
  /// What `b_out` adds to the logits; 1 × n, as `means`.
  private let bias: Matrix
  /// Logits that neurons give when replaced by their polynomials, or by their key waves along s alone.
  private let polynomialTables: [Matrix]
  private let neuronWaveTable: Matrix
  private let neuronMeans: Matrix
  /// The logits' own key frequencies in each direction.
  private let blockTables: [Matrix]

  /// - Parameters:
  ///   - neurons: of the whole grid, with one fit each.
  ///   - logits: of the whole grid, classes in order of their places.
  ///   - biasLogits: d_vocab_out.
  init(
    waves: Waves, neurons: GridSums, fits: [NeuronFit], logits: GridSums, projections: WaveProjections,
    directions: KeyDirections, biasLogits: [Double]
  ) {
    let (circle, n) = (waves.circle, waves.circle.length)
    let (keys, W_L) = (projections.frequencies, directions.W_L)
    self.waves = waves
    self.projections = projections
    self.directions = directions
    kept = projections.sum
    means = Matrix(rows: 1, columns: n, of: logits.means)
    bias = Matrix(rows: 1, columns: n, of: circle.residues.map { biasLogits[$0] })
    polynomialTables = GridDirection.allCases.map {
      neurons.waves(ofEach: fits.map(\.frequency), along: $0) * W_L
    }
    neuronWaveTable = neurons.waves(of: keys, along: waves.direction) * W_L
    neuronMeans = Matrix(rows: 1, columns: neurons.signals, of: neurons.means) * W_L
    blockTables = GridDirection.allCases.map { logits.waves(of: keys, along: $0) }
    excludedAlone = keys.map { _ in SplitTotals() }
  }

  /// - Parameters:
  ///   - logits: of the pairs (a, 0) … (a, p−1), classes in order of their places; p × n.
  ///   - skip: what goes around the MLP, as `logits`.
  ///   - neurons: p × d_mlp.
  ///   - labels: p², at a·p+b; the label's place counts.
  mutating func add(
    a: Int, logits: Matrix, skip: Matrix, neurons: Matrix, labels: [Int32], trainMask: [Bool]?
  ) {
    let circle = waves.circle
    guard let first = circle.places[a] else { return }
    let projected = (neurons * directions.orthonormal) * directions.outputs  // p × n
    let (vectors, n) = (logits.vectors, circle.length)
    var row = LogitRow(classes: n)
    for (second, b) in circle.residues.enumerated() {
      let pair = a * circle.modulus + b
      // None for a product that label noise has made 0.
      guard let label = circle.places[Int(labels[pair])] else { continue }
      let isTrained = trainMask.map { $0[pair] }
      let start = b * vectors
      let s = waves.direction.place(first, second, around: n)
      let places = GridDirection.allCases.map { $0.place(first, second, around: n) * vectors }

      original.add(row.loss(label) { logits.storage[start + $0] }, isTrained: isTrained)
      restricted.add(
        row.loss(label) { kept.storage[s * vectors + $0] + means.storage[$0] }, isTrained: isTrained)
      excluded.add(
        row.loss(label) { logits.storage[start + $0] - kept.storage[s * vectors + $0] }, isTrained: isTrained)
      for i in projections.frequencies.indices {
        excludedAlone[i].add(lossWithout(i, logits, start, s: s, label, &row), isTrained: isTrained)
      }
      polynomials.add(
        row.loss(label) { v in
          var sum = skip.storage[start + v] + bias.storage[v] + neuronMeans.storage[v]
          for (table, place) in zip(polynomialTables, places) { sum += table.storage[place + v] }
          return sum
        })
      neuronWaves.add(
        row.loss(label) {
          skip.storage[start + $0] + bias.storage[$0] + neuronMeans.storage[$0]
            + neuronWaveTable.storage[s * vectors + $0]
        })
      blocks.add(
        row.loss(label) { v in
          var sum = means.storage[v]
          for (table, place) in zip(blockTables, places) { sum += table.storage[place + v] }
          return sum
        })
      keyDirections.add(
        row.loss(label) { skip.storage[start + $0] + bias.storage[$0] + projected.storage[start + $0] })
      complement.add(row.loss(label) { logits.storage[start + $0] - projected.storage[start + $0] })
      withoutSkip.add(row.loss(label) { logits.storage[start + $0] - skip.storage[start + $0] })
    }
  }

  /// Of the logits less the i-th key frequency's waves.
  private func lossWithout(
    _ i: Int, _ logits: Matrix, _ start: Int, s: Int, _ label: Int, _ row: inout LogitRow
  ) -> Double {
    let (coefficients, vectors) = (projections.coefficients, logits.vectors)
    let n = Double(waves.circle.length)
    let (cosine, sine) = (projections.waves[2 * i, s] / n, projections.waves[2 * i + 1, s] / n)
    return row.loss(label) {
      logits.storage[start + $0] - cosine * coefficients.storage[2 * i * vectors + $0]
        - sine * coefficients.storage[(2 * i + 1) * vectors + $0]
    }
  }

  /// In the order of `Ablation.Name`, frequencies ascending as given.
  var ablations: [Ablation] {
    func entry(_ name: Ablation.Name, _ total: PairTotal, frequency: Int? = nil) -> [Ablation] {
      total.mean.map { [Ablation(name, frequency: frequency, loss: $0)] } ?? []
    }
    return Ablation.Name.allCases.flatMap { name -> [Ablation] in
      switch name {
      case .original: entry(name, original.all)
      case .neuronPolynomials: entry(name, polynomials)
      case .neuronWaves: entry(name, neuronWaves)
      case .logitBlocks: entry(name, blocks)
      case .withoutFrequency:
        zip(projections.frequencies, excludedAlone).flatMap { entry(name, $1.all, frequency: $0) }
      case .onlyKeyFrequencies: entry(name, restricted.all)
      case .keyDirections: entry(name, keyDirections)
      case .keyDirectionsComplement: entry(name, complement)
      case .noSkip: entry(name, withoutSkip)
      }
    }
  }
}

extension LogitRow {
  /// Loss of the logits that `eight` gives, eight classes at a time.
  fileprivate mutating func loss(_ label: Int, _ eight: (Int) -> SIMD8<Double>) -> Double {
    set(eight)
    return loss(label: label).loss
  }
}
