// One run as `train --json` and `extend --json` print it: a line for every evaluation, then one for the result
// (`docs/reference/commands.md`). What was not measured has no key: neither null nor an empty list stands for it.

import Grokking

/// One evaluation.
struct EvaluationLine: Encodable {
  let epoch: Int
  let train_loss: Double
  let test_loss: Double
  let train_accuracy: Double
  let test_accuracy: Double
  let restricted_loss_train: Double?
  let restricted_loss_test: Double?
  let restricted_loss: Double?
  let excluded_loss: Double?
  let gini_w_e: Double
  let gini_w_l: Double
  let sum_squared_weights: Double
  /// By the tensors' names in safetensors files.
  let sum_squared_weights_by_tensor: [String: Double]?
  let norms_w_e: [Float]?
  let norms_w_l: [Float]?
  let logit_fve: Double?
  let cosine_loss_test: Double?
  let key_frequencies: [KeyFrequencyMeasures]?

  init(_ evaluation: Evaluation) {
    epoch = evaluation.epoch
    train_loss = evaluation.trainLoss
    test_loss = evaluation.testLoss
    train_accuracy = evaluation.trainAccuracy
    test_accuracy = evaluation.testAccuracy
    restricted_loss_train = evaluation.restrictedLossTrain
    restricted_loss_test = evaluation.restrictedLossTest
    restricted_loss = evaluation.restrictedLoss
    excluded_loss = evaluation.excludedLoss
    gini_w_e = evaluation.giniW_E
    gini_w_l = evaluation.giniW_L
    sum_squared_weights = evaluation.sumSquaredWeights
    let named = zip(TensorName.allCases, evaluation.sumSquaredByTensor).compactMap { name, sum in
      sum.map { (name.fileName, $0) }
    }
    sum_squared_weights_by_tensor = named.isEmpty ? nil : Dictionary(uniqueKeysWithValues: named)
    norms_w_e = evaluation.normsW_E.ifMeasured
    norms_w_l = evaluation.normsW_L.ifMeasured
    logit_fve = evaluation.logitVarianceExplained
    cosine_loss_test = evaluation.cosineLossTest
    key_frequencies = evaluation.keyFrequencies.ifMeasured
  }
}

/// The last line.
struct ResultLine: Encodable {
  let outcome: String
  let memorization_epoch: Int?
  let grokking_epoch: Int?
  let grokking_delay: Int?
  let censored_after: Int?
  let epochs: Int
  let ending: RunEnding
  let crossings: [Crossing]
  let phases: [Phase]
  let key_frequencies: [KeyFrequency]?
  let final_model: FinalLine?
  let digest: String
  let digests: [EpochDigest]
  let kernel_path: String
  let semantics_version: Int
  let measure_version: Int
  let seconds: Double

  init(_ result: RunResult, of experiment: Experiment, seconds: Double) {
    outcome = result.outcome.name
    let (memorization, grokking) = (result.outcome.memorizationEpoch, result.outcome.grokkingEpoch)
    memorization_epoch = memorization
    grokking_epoch = grokking
    grokking_delay = memorization.flatMap { first in grokking.map { $0 - first } }
    censored_after = result.outcome.censoredAfter
    epochs = result.epochs
    ending = result.ending(of: experiment)
    crossings = result.crossings
    phases = result.phases
    key_frequencies = result.keyFrequencies.ifMeasured
    final_model = result.finalModel.map(FinalLine.init)
    digest = result.digest
    digests = result.digests
    kernel_path = result.kernelPath
    semantics_version = result.semanticsVersion
    measure_version = result.measureVersion
    self.seconds = seconds
  }
}

/// What was measured of the final model.
struct FinalLine: Encodable {
  let norms_w_e: [Double]?
  let norms_w_l: [Double]?
  let key_frequencies_w_e: [Int]?
  /// May be empty: no neuron over 85 %.
  let key_frequencies_neurons: [Int]
  let neurons: [NeuronFit]
  let heads: [HeadMeasures]
  let rank_residual: Double?
  let ablations: [Ablation]?

  init(_ final: FinalMeasures) {
    norms_w_e = final.normsW_E.ifMeasured
    norms_w_l = final.normsW_L.ifMeasured
    key_frequencies_w_e = final.keyFrequenciesW_E.ifMeasured
    key_frequencies_neurons = final.keyFrequenciesNeurons
    neurons = final.neurons
    heads = final.heads
    rank_residual = final.rankResidual
    ablations = final.ablations.ifMeasured
  }
}

extension Array {
  /// nil for an empty list, which in a result stands for what was not measured.
  fileprivate var ifMeasured: [Element]? { isEmpty ? nil : self }
}
