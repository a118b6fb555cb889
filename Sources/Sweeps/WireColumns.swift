// The columns of a curve's frame: which measure of an evaluation stands where, and how wide.

import Grokking

/// A measure of every evaluation: `width` numbers where it was taken, and nothing where it was not.
struct WireColumn {
  let width: Int
  /// Whether its numbers are float32; float64 otherwise.
  var isSingle = false
  let read: (Evaluation) -> [Double]?
  let write: ([Double], inout Evaluation) -> Void

  /// One number each, of every evaluation.
  static var required: [WritableKeyPath<Evaluation, Double>] {
    [\.trainLoss, \.testLoss, \.trainAccuracy, \.testAccuracy, \.giniW_E, \.giniW_L, \.sumSquaredWeights]
  }

  private static var scalars: [WritableKeyPath<Evaluation, Double?>] {
    [
      \.restrictedLossTrain, \.restrictedLossTest, \.restrictedLoss, \.excludedLoss, \.logitVarianceExplained,
      \.cosineLossTest,
    ]
  }

  /// 6 measures, the sums of squares of 11 tensors, the spectra of W_E and W_L, and the measures by key frequency: 20, in
  /// this order.
  static func optional(frequencies: Int, keyFrequencies: [Int]) -> [WireColumn] {
    scalars.map(scalar) + TensorName.allCases.indices.map(tensor) + [
      spectrum(\.normsW_E, frequencies), spectrum(\.normsW_L, frequencies), byKeyFrequency(keyFrequencies),
    ]
  }

  private static func scalar(_ path: WritableKeyPath<Evaluation, Double?>) -> WireColumn {
    WireColumn(width: 1, read: { $0[keyPath: path].map { [$0] } }, write: { $1[keyPath: path] = $0[0] })
  }

  /// Of the tensor at `place` of `TensorName`.
  private static func tensor(_ place: Int) -> WireColumn {
    WireColumn(
      width: 1, read: { $0.sumSquaredByTensor.isEmpty ? nil : $0.sumSquaredByTensor[place].map { [$0] } },
      write: { numbers, evaluation in
        if evaluation.sumSquaredByTensor.isEmpty {
          evaluation.sumSquaredByTensor = Array(repeating: nil, count: TensorName.allCases.count)
        }
        evaluation.sumSquaredByTensor[place] = numbers[0]
      })
  }

  private static func spectrum(_ norms: WritableKeyPath<Evaluation, [Float]>, _ frequencies: Int) -> WireColumn {
    WireColumn(
      width: frequencies, isSingle: true,
      read: { $0[keyPath: norms].isEmpty ? nil : $0[keyPath: norms].map(Double.init) },
      write: { $1[keyPath: norms] = $0.map(Float.init) })
  }

  /// Of each key frequency its excluded loss and its cosine coefficient.
  private static func byKeyFrequency(_ keys: [Int]) -> WireColumn {
    WireColumn(
      width: 2 * keys.count,
      read: {
        $0.keyFrequencies.isEmpty ? nil : $0.keyFrequencies.flatMap { [$0.excludedLoss, $0.cosineCoefficient] }
      },
      write: { numbers, evaluation in
        evaluation.keyFrequencies = keys.indices.map {
          KeyFrequencyMeasures(
            frequency: keys[$0], excludedLoss: numbers[2 * $0], cosineCoefficient: numbers[2 * $0 + 1])
        }
      })
  }
}
