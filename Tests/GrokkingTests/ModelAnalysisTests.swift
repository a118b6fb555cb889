// A model's own measures against their naive twin, on random models small enough for it, and what algebra says of them.

import Foundation
import Grokking
import Testing

@Suite struct ModelAnalysisTests {
  private struct Sample {
    let operation: Grokking.Operation
    let weights: Parameters<Float>
    let activation: Activation
    let labels: [Int32]
    let mask: [Bool]

    init(
      _ operation: Grokking.Operation, p: Int, dMLP: Int = 9, activation: Activation = .relu, biases: Bool = true,
      extra: Int = 1, seed: UInt64 = 5
    ) {
      self.operation = operation
      self.activation = activation
      let shape = ModelShape(
        dModel: 6, heads: 2, dMLP: dMLP, activation: activation, biases: biases, dVocabOut: p + extra)
      var weights = Parameters<Float>(ParameterLayout(modulus: p, model: shape))
      var noise = Noise(seed: seed)
      for i in weights.storage.indices { weights.storage[i] = Float(noise.unit() * 2 - 1) }
      self.weights = weights
      labels = LearningTask(operation: operation, modulus: p).labels(dataSeed: 1)
      mask = (0..<p * p).map { _ in noise.below(2) == 0 }
    }

    func analysis(_ keys: [Int]? = nil) throws -> ModelAnalysis {
      var analysis = ModelAnalysis(
        weights: weights, activation: activation, operation: operation, labels: labels, trainMask: mask, keys: keys)
      var steps = analysis.remaining
      while !analysis.isFinished {
        try analysis.advance()
        steps -= 1
        #expect(analysis.remaining == steps)
      }
      return analysis
    }

    var naive: NaiveAnalysis {
      NaiveAnalysis(
        weights, activation: activation,
        residues: Circle(of: operation, modulus: weights.layout.modulus).residues,
        sign: operation == .subtract ? -1 : 1, labels: labels)
    }
  }

  private static let samples: [(sample: Sample, keys: [Int])] = [
    (Sample(.add, p: 5), [1, 2]), (Sample(.add, p: 7, biases: false, extra: 0), [2]),
    (Sample(.add, p: 8, activation: .gelu), [1, 3]), (Sample(.add, p: 3), [1]),
    (Sample(.subtract, p: 9, dMLP: 17), [1, 4]), (Sample(.subtract, p: 6, dMLP: 3), [1, 2]),
    (Sample(.multiply, p: 7), [1, 2]), (Sample(.multiply, p: 11, activation: .gelu, extra: 0), [1, 3, 4]),
    (Sample(.multiply, p: 5, biases: false), [1]), (Sample(.add, p: 10, dMLP: 24), []),
  ]

  private func agrees(_ found: Double?, _ expected: Double, within tolerance: Double = 1e-10) -> Bool {
    guard let found else { return false }
    return abs(found - expected) <= tolerance * max(1, abs(expected))
  }

  @Test(arguments: samples.indices) func `neurons and heads are those of projections over the grid`(
    _ index: Int
  ) throws {
    let (sample, keys) = Self.samples[index]
    let naive = sample.naive
    let found = try sample.analysis(keys).finalMeasures
    func check(_ signal: [Double], _ frequency: Int, _ share: Double, _ name: String) {
      let shares = (1...(naive.n - 1) / 2).map { naive.share(signal, naive.blocks(signal, [$0])) }
      #expect(agrees(share, shares.max()!), "\(name): \(share), not \(shares)")
      #expect(agrees(shares[frequency - 1], shares.max()!), "\(name)")
    }
    for (neuron, fit) in found.neurons.enumerated() {
      check(naive.grid.map { $0.neurons[neuron] }, fit.frequency, fit.varianceExplained, "neuron \(neuron)")
    }
    for (head, fit) in found.heads.enumerated() {
      check(naive.grid.map { $0.attention[head][0] }, fit.frequency, fit.varianceExplained, "head \(head)")
      #expect(abs(fit.attention.reduce(0, +) - 1) < 1e-12)
    }
    if sample.operation != .multiply {
      for (head, fit) in found.heads.enumerated() {
        for position in 0..<3 {
          let mean = naive.grid.reduce(0) { $0 + $1.attention[head][position] } / Double(naive.grid.count)
          #expect(agrees(fit.attention[position], mean))
        }
      }
    }
  }

  @Test(arguments: samples.indices) func `the grids that pictures show are those of the naive model`(_ index: Int)
    throws
  {
    let sample = Self.samples[index].sample
    let naive = sample.naive
    let (n, neurons) = (naive.n, Array(0..<min(3, naive.model.dMLP)))
    let maps = try ModelMaps(
      weights: sample.weights, activation: sample.activation, operation: sample.operation, neurons: neurons,
      frequencies: [1])
    #expect(maps.residues == naive.residues && maps.logitClasses == n)
    func isClose(_ found: Float, _ expected: Double) -> Bool {
      abs(Double(found) - expected) <= 1e-6 * max(1, abs(expected))
    }
    for (entry, pair) in naive.grid.enumerated() {
      for neuron in maps.neurons { #expect(isClose(neuron.activations[entry], pair.neurons[neuron.number])) }
      for (head, attention) in maps.attention.enumerated() {
        #expect(isClose(attention[entry], pair.attention[head][0]))
      }
    }
    let basis = FourierBasis(modulus: n)
    let logits = naive.originalLogits
    for first in 0..<n {
      for second in 0..<n {
        let squares = (0..<n).map { c in
          let sum = (0..<n * n).reduce(0.0) { sum, entry in
            sum + basis.row(first)[entry / n] * basis.row(second)[entry % n] * logits[entry][c]
          }
          return sum * sum
        }
        #expect(agrees(maps.logitNorms[first * n + second], squares.reduce(0, +).squareRoot()), "\(first), \(second)")
      }
    }
  }

  @Test(arguments: samples.indices) func `W_L's residual and the shares along its directions are the twin's`(
    _ index: Int
  ) throws {
    let (sample, keys) = Self.samples[index]
    let naive = sample.naive
    let analysis = try sample.analysis(keys)
    #expect(agrees(analysis.finalMeasures.rankResidual, naive.rankResidual(keys, of: naive.W_L)))
    let centered = naive.W_L.map { row in row.map { $0 - row.reduce(0, +) / Double(row.count) } }
    #expect(agrees(analysis.centeredRankResidual, naive.rankResidual(keys, of: centered)))
    for entry in analysis.frequencies {
      let k = entry.frequency
      let (u, v) = (naive.direction(cos, k), naive.direction(sin, k))
      let length = (zip(u, u).reduce(0) { $0 + $1.0 * $1.1 } + zip(v, v).reduce(0) { $0 + $1.0 * $1.1 }).squareRoot()
      #expect(agrees(entry.norm, length))
      func along(_ direction: [Double]) -> [Double] {
        naive.grid.map { zip($0.neurons, direction).reduce(0) { $0 + $1.0 * $1.1 } }
      }
      #expect(agrees(entry.varianceExplainedU, naive.share(along(u), cos, k)))
      #expect(agrees(entry.varianceExplainedV, naive.share(along(v), sin, k)))
    }
  }

  @Test(arguments: samples.indices) func `every ablation has the loss of the altered model`(_ index: Int) throws {
    let (sample, keys) = Self.samples[index]
    let naive = sample.naive
    let found = try sample.analysis(keys).finalMeasures
    let (logits, neurons) = (naive.originalLogits, naive.originalNeurons)
    let columns = NaiveAnalysis.columns
    let frequencies = found.neurons.map(\.frequency)
    let polynomials = neurons[0].indices.map { j in naive.blocks(neurons.map { $0[j] }, [frequencies[j]]) }
    let projected = naive.onDirections(neurons, keys)
    func without(_ keys: [Int]) -> [[Double]] {
      zip(logits, columns(logits) { naive.sWaves($0, keys, mean: false) }).map { zip($0, $1).map { $0 - $1 } }
    }
    for entry in found.ablations {
      let expected =
        switch entry.name {
        case .original: naive.loss(logits)
        case .neuronPolynomials: naive.loss(neurons: neurons.indices.map { i in polynomials.map { $0[i] } })
        case .neuronWaves: naive.loss(neurons: columns(neurons) { naive.sWaves($0, keys, mean: true) })
        case .logitBlocks: naive.loss(columns(logits) { naive.blocks($0, keys) })
        case .withoutFrequency: naive.loss(without([entry.frequency!]))
        case .onlyKeyFrequencies: naive.loss(columns(logits) { naive.sWaves($0, keys, mean: true) })
        case .keyDirections: naive.loss(neurons: projected)
        case .keyDirectionsComplement: naive.loss(neurons: zip(neurons, projected).map { zip($0, $1).map { $0 - $1 } })
        case .noSkip: naive.loss(neurons: neurons, keepingSkip: false)
        }
      #expect(agrees(entry.loss, expected), "\(entry.name): \(entry.loss), not \(expected)")
    }
    #expect(found.ablations.count == Ablation.Name.allCases.count - 1 + keys.count)
    #expect(found.ablations.compactMap(\.frequency) == keys)
  }

  @Test func `losses on the splits are the twin's`() throws {
    for (sample, keys) in Self.samples where keys.count > 1 {
      let naive = sample.naive
      let analysis = try sample.analysis(keys)
      let kept = NaiveAnalysis.columns(naive.originalLogits) { naive.sWaves($0, keys, mean: true) }
      #expect(agrees(analysis.all.restrictedLoss, naive.loss(kept)))
      let (train, test) = (try #require(analysis.train), try #require(analysis.test))
      #expect(train.pairs + test.pairs == analysis.all.pairs)
      let weighted = train.loss * Double(train.pairs) + test.loss * Double(test.pairs)
      #expect(agrees(weighted / Double(analysis.all.pairs), analysis.all.loss))
      // Labels are s, so the cosines' loss is that of d = 0 on every pair.
      #expect(agrees(train.cosineLoss, try #require(analysis.all.cosineLoss)))
      #expect(agrees(test.cosineLoss, try #require(analysis.all.cosineLoss)))
    }
  }

  @Test func `algebra: what must be equal is`() throws {
    let sample = Sample(.add, p: 9, dMLP: 12)
    let all = try sample.analysis([1, 2, 3, 4])
    func loss(_ analysis: ModelAnalysis, _ name: Ablation.Name) throws -> Double {
      try #require(analysis.finalMeasures.ablations.first { $0.name == name }).loss
    }
    #expect(try loss(all, .original) == all.all.lossP)
    #expect(try loss(all, .onlyKeyFrequencies) == all.all.restrictedLoss)
    // With every frequency kept, directions miss only what shifts all classes alike.
    #expect(agrees(try loss(all, .keyDirections), all.all.lossP))
    // And the complement speaks of nothing but the residual stream.
    let naive = sample.naive
    let silent = naive.loss(neurons: naive.originalNeurons.map { $0.map { _ in 0 } })
    #expect(agrees(try loss(all, .keyDirectionsComplement), silent))
    // One frequency: removing it alone is removing them all.
    let one = try sample.analysis([3])
    let without = try #require(one.finalMeasures.ablations.first { $0.name == .withoutFrequency })
    #expect(without.loss == one.all.excludedLoss)
    #expect(one.frequencies[0].excludedLoss == one.train?.excludedLoss)
    // None: nothing is removed, and what is kept is the mean.
    let none = try sample.analysis([])
    #expect(none.all.excludedLoss == none.all.lossP)
    #expect(none.all.cosineLoss.map { abs($0 - log(9)) < 1e-12 } == true)
    #expect(none.logitVarianceExplained == 0 && none.finalMeasures.rankResidual == 1)
    #expect(try loss(none, .keyDirectionsComplement) == none.all.lossP)
  }

  @Test func `the three rules for key frequencies see three things`() throws {
    let found = try Sample(.add, p: 13, dMLP: 40).analysis()
    let final = found.finalMeasures
    #expect(found.keyFrequencies == Spectra.keyFrequencies(norms: final.normsW_L))
    #expect(final.keyFrequenciesW_E == Spectra.keyFrequencies(norms: final.normsW_E))
    let pure = final.neurons.filter { $0.varianceExplained > 0.85 }.map(\.frequency)
    #expect(final.keyFrequenciesNeurons == Set(pure).sorted())
    #expect(found.frequencies.allSatisfy { entry in entry.neurons == pure.count { $0 == entry.frequency } })
  }

  @Test(arguments: [(Grokking.Operation.random, 5), (.x2xyy2, 7), (.multiply, 9), (.multiply, 3)])
  func `an operation without waves has neurons and heads, and nothing that needs waves`(
    operation: Grokking.Operation, p: Int
  ) throws {
    let analysis = try Sample(operation, p: p).analysis()
    let final = analysis.finalMeasures
    #expect(final.neurons.count == 9 && final.heads.count == 2 && final.normsW_L.count == (p - 1) / 2)
    #expect(final.ablations.isEmpty && final.rankResidual == nil && analysis.logitVarianceExplained == nil)
    #expect(analysis.all.restrictedLoss == nil && analysis.all.cosineLoss == nil)
    #expect(analysis.frequencies.allSatisfy { $0.excludedLoss == nil && $0.varianceExplainedU == nil })
  }

  @Test func `weights of zero are measured: no key frequency passes, and nothing is divided by zero`() throws {
    for (operation, p) in [(Grokking.Operation.add, 3), (.add, 8), (.subtract, 5), (.multiply, 5)] {
      let shape = ModelShape(dModel: 4, heads: 2, dMLP: 5, dVocabOut: p)
      let file = ModelFile(
        weights: Parameters<Float>(ParameterLayout(modulus: p, model: shape)), trainMask: nil)
      let report = try AnalysisReport(model: file, operation: operation)
      #expect(report.keyFrequencies.isEmpty && report.final.rankResidual == nil)
      #expect(report.logitVarianceExplained == 0)
      #expect(abs(report.all.loss - log(Double(p))) < 1e-12)
      #expect(report.final.ablations.count == Ablation.Name.allCases.count - 1)
      let classes = Double(operation == .multiply ? p - 1 : p)
      #expect(report.final.ablations.allSatisfy { abs($0.loss - log(classes)) < 1e-12 })
      #expect(report.final.neurons.allSatisfy { $0 == NeuronFit(frequency: 1, varianceExplained: 0) })
      #expect(report.page.contains("Key frequencies: none of"))
      #expect(throws: Never.self) { try report.json() }
    }
  }
}
