// The basis is orthonormal at every length, and what is built on it alone: norms, key frequencies, Gini.

import Foundation
import Grokking
import Testing

@Suite struct FourierBasisTests {
  @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 23, 59, 64, 97, 113])
  func `rows are orthonormal`(p: Int) {
    let basis = FourierBasis(modulus: p)
    let rows = (0..<p).map { basis.row($0) }
    for i in 0..<p {
      for j in 0...i {
        let product = zip(rows[i], rows[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-13)
      }
    }
  }

  @Test func `rows are the constant, then cosine and sine of each frequency, then for even p the alternating one`() {
    for p in [7, 8] {
      let basis = FourierBasis(modulus: p)
      #expect(basis.frequencyCount == 3)
      for x in 0..<p {
        #expect(abs(basis.row(0)[x] - 1 / Double(p).squareRoot()) < 1e-15)
        for k in 1...3 {
          let angle = 2 * Double.pi * Double(k * x) / Double(p)
          #expect(abs(basis.row(2 * k - 1)[x] - cos(angle) * (2 / Double(p)).squareRoot()) < 1e-14)
          #expect(abs(basis.row(2 * k)[x] - sin(angle) * (2 / Double(p)).squareRoot()) < 1e-14)
        }
      }
    }
    #expect(FourierBasis(modulus: 4).row(3) == [0.5, -0.5, 0.5, -0.5])
  }

  @Test func `an embedding of one wave has its norm at that frequency and nowhere else`() {
    for p in [11, 12] {
      let shape = ModelShape(dModel: 2, heads: 1, dMLP: 3, biases: false, dVocabOut: p + 1)
      var weights = Parameters<Float>(ParameterLayout(modulus: p, model: shape))
      // The row of `=`, far larger, must not count.
      weights[.W_E] = (0...p).flatMap { x -> [Float] in
        let angle = 2 * Double.pi * 4 * Double(x) / Double(p)
        return x == p ? [100, 100] : [Float(3 * cos(angle)), Float(3 * sin(angle))]
      }
      // Every neuron writes to the first direction, which speaks a wave over the classes; the `=` class does not count.
      weights[.W_out] = [1, 0, 1, 0, 1, 0]
      weights[.W_U] =
        (0...p).map { c in c == p ? 100 : Float(cos(2 * Double.pi * 2 * Double(c) / Double(p))) }
        + [Float](repeating: 0, count: p + 1)
      let spectra = Spectra(weights: weights, around: Circle(of: .add, modulus: p))
      for k in 1...5 {
        let norm = k == 4 ? 3 * Double(p).squareRoot() : 0
        #expect(abs(spectra.normsW_E[k - 1] - norm) < 1e-5)
        let logitNorm = k == 2 ? (3 * Double(p) / 2).squareRoot() : 0
        #expect(abs(spectra.normsW_L[k - 1] - logitNorm) < 1e-5)
      }
      #expect(spectra.keyFrequencies == [2])
    }
  }

  @Test func `key frequencies are those above a quarter of the largest, also at the edges`() {
    #expect(Spectra.keyFrequencies(norms: [1, 4, 1.01, 0.5, 3]) == [2, 3, 5])
    #expect(Spectra.keyFrequencies(norms: [0, 0, 0]) == [])
    #expect(Spectra.keyFrequencies(norms: []) == [])
    #expect(Spectra.keyFrequencies(norms: [2]) == [1])
    let smallest = Parameters<Float>(
      ParameterLayout(modulus: 3, model: ModelShape(dModel: 4, heads: 2, dMLP: 5, dVocabOut: 3)))
    let spectra = Spectra(weights: smallest, around: Circle(of: .add, modulus: 3))
    #expect(spectra.normsW_L == [0])
    #expect(spectra.keyFrequencies == [])
  }

  @Test func `the Gini coefficient is 0 for equal norms and near 1 for a single one`() {
    #expect(abs(gini([2, 2, 2, 2])) < 1e-15)
    #expect(gini([0, 0, 0, 5]) == 0.75)
    #expect(gini([5, 0, 0, 0]) == 0.75)
    #expect(gini([]) == 0)
    #expect(gini([0, 0]) == 0)
    #expect(gini([7]) == 0)
    #expect(abs(gini([1, 2, 3]) - 2.0 / 9) < 1e-15)
  }

  @Test func `the sum of squares counts every tensor, biases included`() {
    let shape = ModelShape(dModel: 4, heads: 2, dMLP: 5, dVocabOut: 7)
    var weights = Parameters<Float>(ParameterLayout(modulus: 7, model: shape))
    for i in weights.storage.indices { weights.storage[i] = 0.5 }
    #expect(sumSquaredWeights(weights) == Double(weights.layout.count) / 4)
    #expect(sumSquaredWeights(weights, of: .b_in) == 1.25)
    let without = Parameters<Float>(
      ParameterLayout(modulus: 7, model: ModelShape(dModel: 4, heads: 2, dMLP: 5, biases: false, dVocabOut: 7)))
    #expect(sumSquaredWeights(without, of: .b_in) == 0)
  }
}
