// The shapes that `bench engine` trains: the paper's, and others that each stress something else.

import ArgumentParser
import Grokking

enum BenchShape: String, CaseIterable, ExpressibleByArgument {
  case paper
  case paperGELU = "paper-gelu"
  case paperWithoutBiases = "paper-no-biases"
  /// Many pairs on the same tables.
  case manyPairs = "p113-fraction-0.8"
  case p59, p53, p31, p401
  /// Few pairs on many tokens: pre-activations are computed directly, without tables of them.
  case fewPairs = "p401-fraction-0.01"

  var experiment: Experiment {
    var experiment = Experiment()
    switch self {
    case .paper: break
    case .paperGELU: experiment.model.activation = .gelu
    case .paperWithoutBiases: experiment.model.biases = false
    case .manyPairs: experiment.task.trainFraction = 0.8
    case .p59: BenchShape.resize(&experiment, modulus: 59, fraction: 0.5, dModel: 64, dMLP: 256)
    // A point of configs/quickstart.yaml.
    case .p53: BenchShape.resize(&experiment, modulus: 53, fraction: 0.5, dModel: 64, dMLP: 256)
    case .p31: BenchShape.resize(&experiment, modulus: 31, fraction: 0.5, dModel: 48, dMLP: 128)
    // The largest modulus that is promised to be fast, at the paper's width.
    case .p401: BenchShape.resize(&experiment, modulus: 401, fraction: 0.3, dModel: 128, dMLP: 512)
    case .fewPairs: BenchShape.resize(&experiment, modulus: 401, fraction: 0.01, dModel: 128, dMLP: 512)
    }
    return experiment
  }

  private static func resize(
    _ experiment: inout Experiment, modulus: Int, fraction: Double, dModel: Int, dMLP: Int
  ) {
    experiment.task.modulus = modulus
    experiment.task.trainFraction = fraction
    experiment.model = ModelShape(dModel: dModel, heads: 4, dMLP: dMLP, dVocabOut: modulus + 1)
  }
}
