// Everything that determines the numbers of one run, and nothing that does not: no paths, no machine, no name.
//
// Two equal experiments give the same bits on every machine; a point of a sweep is an experiment and its hash.
// Defaults are the paper's main line (Nanda et al. 2023, section 3).

/// The function to learn: label c = f(a, b) mod p.
package enum Operation: String, Codable, Hashable, Sendable, CaseIterable {
  case add
  case subtract
  case multiply
  /// a² + ab + b²
  case x2xyy2
  /// A fixed random table drawn from the data seed: the memorization control.
  case random
}

/// The learning problem: an operation on residues and the share of its pairs that is trained on.
package struct LearningTask: Hashable, Sendable {
  package var operation: Operation
  /// p, at least 3; need not be prime, may be even.
  package var modulus: Int
  /// ⌊trainFraction·p²⌋ pairs are trained on.
  package var trainFraction: Double
  /// Share of the train pairs that are trained on with a wrong label.
  package var labelNoise: Double

  package init(operation: Operation = .add, modulus: Int = 113, trainFraction: Double = 0.3, labelNoise: Double = 0) {
    self.operation = operation
    self.modulus = modulus
    self.trainFraction = trainFraction
    self.labelNoise = labelNoise
  }

  enum CodingKeys: String, CodingKey {
    case operation, modulus
    case trainFraction = "train_fraction"
    case labelNoise = "label_noise"
  }
}

package enum Activation: String, Codable, Hashable, Sendable, CaseIterable {
  case relu
  /// The tanh approximation, as GPT-2 and TransformerLens' `gelu_new`.
  case gelu
}

/// The one-layer transformer's widths and switches.
package struct ModelShape: Hashable, Sendable {
  package var dModel: Int
  package var heads: Int
  package var dMLP: Int
  package var activation: Activation
  /// Whether `b_in` and `b_out` exist.
  package var biases: Bool
  /// p + 1 as in the released code, or p as in the paper's appendix.
  package var dVocabOut: Int
  /// Every start weight is multiplied by it.
  package var initializationScale: Double

  package init(
    dModel: Int = 128, heads: Int = 4, dMLP: Int = 512, activation: Activation = .relu, biases: Bool = true,
    dVocabOut: Int = 114, initializationScale: Double = 1
  ) {
    self.dModel = dModel
    self.heads = heads
    self.dMLP = dMLP
    self.activation = activation
    self.biases = biases
    self.dVocabOut = dVocabOut
    self.initializationScale = initializationScale
  }

  package var dHead: Int { dModel / heads }

  enum CodingKeys: String, CodingKey {
    case dModel = "d_model"
    case heads
    case dMLP = "d_mlp"
    case activation, biases
    case dVocabOut = "d_vocab_out"
    case initializationScale = "initialization_scale"
  }
}

package struct MeasureSettings: Codable, Hashable, Sendable {
  /// Epochs between two evaluations; epoch 0 and the last are always evaluated.
  package var evaluateEvery: Int

  package init(evaluateEvery: Int = 100) { self.evaluateEvery = evaluateEvery }

  enum CodingKeys: String, CodingKey { case evaluateEvery = "evaluate_every" }
}

package struct StopSettings: Codable, Hashable, Sendable {
  /// Epochs to go on after sustained grokking; nil trains to the end.
  package var afterGrokking: Int?

  package init(afterGrokking: Int? = nil) { self.afterGrokking = afterGrokking }

  enum CodingKeys: String, CodingKey { case afterGrokking = "after_grokking" }
}

/// One run, completely described.
package struct Experiment: Codable, Hashable, Sendable {
  package var task: LearningTask
  package var model: ModelShape
  package var training: TrainingSettings
  package var measure: MeasureSettings
  package var stop: StopSettings
  /// Draws the start weights.
  package var modelSeed: UInt64
  /// Draws the train set, and the table of the `random` operation.
  package var dataSeed: UInt64

  package init(
    task: LearningTask = LearningTask(), model: ModelShape = ModelShape(),
    training: TrainingSettings = TrainingSettings(), measure: MeasureSettings = MeasureSettings(),
    stop: StopSettings = StopSettings(), modelSeed: UInt64 = 0, dataSeed: UInt64 = 0
  ) {
    self.task = task
    self.model = model
    self.training = training
    self.measure = measure
    self.stop = stop
    self.modelSeed = modelSeed
    self.dataSeed = dataSeed
  }

  enum CodingKeys: String, CodingKey {
    case task, model, training, measure, stop
    case modelSeed = "model_seed"
    case dataSeed = "data_seed"
  }
}

extension Experiment {
  /// ⌊train_fraction·p²⌋ (`measures.md` section 1).
  package var trainPairCount: Int {
    Int(task.trainFraction * Double(task.modulus * task.modulus))
  }

  /// Pairs that a step trains on: all train pairs, or a batch of them; the last of an epoch may have fewer.
  package var pairsPerStep: Int { max(1, min(training.batchSize ?? trainPairCount, trainPairCount)) }

  /// Steps of an epoch: 1, or as many as there are batches.
  package var stepsPerEpoch: Int { (trainPairCount + pairsPerStep - 1) / pairsPerStep }

  /// The same run, bit for bit, with every value that has no effect on it at its default: momentum is SGD's alone, betas
  /// and epsilon are the others', Grokfast's alpha means nothing without its lambda, and a batch of all pairs is no batch.
  /// Points are made of these, so that a value without effect never makes two points of one run.
  package var normalized: Experiment {
    var experiment = self
    let defaults = TrainingSettings()
    if training.optimizer == .sgd {
      experiment.training.beta1 = defaults.beta1
      experiment.training.beta2 = defaults.beta2
      experiment.training.epsilon = defaults.epsilon
    } else {
      experiment.training.momentum = defaults.momentum
    }
    if !training.filtersGradients { experiment.training.grokfastAlpha = defaults.grokfastAlpha }
    // Asked also of experiments that cannot be trained, whose pairs may be beyond counting.
    let isCountable = (3...1024).contains(task.modulus) && task.trainFraction > 0 && task.trainFraction < 1
    if isCountable, let batchSize = training.batchSize, batchSize >= trainPairCount {
      experiment.training.batchSize = nil
    }
    return experiment
  }
}

/// Versions that decide whether two results may be compared.
package enum Engine {
  /// Raised whenever the same experiment would give other bits; part of every point's id.
  package static let semanticsVersion = 2
  /// Raised whenever a measure's definition changes (`docs/reference/measures.md`).
  package static let measureVersion = 2
}
