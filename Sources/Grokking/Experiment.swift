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
package struct LearningTask: Codable, Hashable, Sendable {
  package var operation: Operation
  /// p, at least 3; need not be prime, may be even.
  package var modulus: Int
  /// ⌊trainFraction·p²⌋ pairs are trained on.
  package var trainFraction: Double

  package init(operation: Operation = .add, modulus: Int = 113, trainFraction: Double = 0.3) {
    self.operation = operation
    self.modulus = modulus
    self.trainFraction = trainFraction
  }

  enum CodingKeys: String, CodingKey {
    case operation, modulus
    case trainFraction = "train_fraction"
  }
}

package enum Activation: String, Codable, Hashable, Sendable, CaseIterable {
  case relu
  /// The tanh approximation, as GPT-2 and TransformerLens' `gelu_new`.
  case gelu
}

/// The one-layer transformer's widths and switches.
package struct ModelShape: Codable, Hashable, Sendable {
  package var dModel: Int
  package var heads: Int
  package var dMLP: Int
  package var activation: Activation
  /// Whether `b_in` and `b_out` exist.
  package var biases: Bool
  /// p + 1 as in the released code, or p as in the paper's appendix.
  package var dVocabOut: Int

  package init(
    dModel: Int = 128, heads: Int = 4, dMLP: Int = 512, activation: Activation = .relu, biases: Bool = true,
    dVocabOut: Int = 114
  ) {
    self.dModel = dModel
    self.heads = heads
    self.dMLP = dMLP
    self.activation = activation
    self.biases = biases
    self.dVocabOut = dVocabOut
  }

  package var dHead: Int { dModel / heads }

  enum CodingKeys: String, CodingKey {
    case dModel = "d_model"
    case heads
    case dMLP = "d_mlp"
    case activation, biases
    case dVocabOut = "d_vocab_out"
  }
}

/// Full-batch AdamW with linear warm-up; one epoch is one step.
package struct TrainingSettings: Codable, Hashable, Sendable {
  package var epochs: Int
  package var learningRate: Double
  /// Decoupled, on every tensor, biases included.
  package var weightDecay: Double
  package var beta1: Double
  package var beta2: Double
  package var epsilon: Double
  /// Step s (from 0) uses learningRate · min(s / warmupEpochs, 1); 0 means no warm-up.
  package var warmupEpochs: Int

  package init(
    epochs: Int = 40_000, learningRate: Double = 1e-3, weightDecay: Double = 1, beta1: Double = 0.9,
    beta2: Double = 0.98, epsilon: Double = 1e-8, warmupEpochs: Int = 10
  ) {
    self.epochs = epochs
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.warmupEpochs = warmupEpochs
  }

  enum CodingKeys: String, CodingKey {
    case epochs
    case learningRate = "learning_rate"
    case weightDecay = "weight_decay"
    case beta1, beta2, epsilon
    case warmupEpochs = "warmup_epochs"
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

/// A value of an experiment that cannot be trained: which key, and what would be right.
package struct ExperimentProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// As in a sweep file: `model.heads`.
  package let key: String
  /// A sentence without the key's place: `heads 3 does not divide d_model 128; …`.
  package let message: String

  package init(key: String, message: String) {
    self.key = key
    self.message = message
  }

  package var description: String { "\(key): \(message)" }
}

extension Experiment {
  /// ⌊train_fraction·p²⌋ (`measures.md` section 1).
  package var trainPairCount: Int {
    Int(task.trainFraction * Double(task.modulus * task.modulus))
  }

  /// Everything that makes this experiment impossible, in the order of the keys; empty when it can be trained.
  package func problems() -> [ExperimentProblem] {
    var found: [ExperimentProblem] = []
    func require(_ holds: Bool, _ key: String, _ message: @autoclosure () -> String) {
      if !holds { found.append(ExperimentProblem(key: key, message: message())) }
    }
    require(
      (3...1024).contains(task.modulus), "task.modulus",
      "modulus \(task.modulus) is impossible; it must be a whole number from 3 to 1024")
    require(
      task.trainFraction > 0 && task.trainFraction < 1, "task.train_fraction",
      "train_fraction \(task.trainFraction) is impossible; it must lie between 0 and 1, both excluded")
    if found.isEmpty {
      require(
        trainPairCount >= 1, "task.train_fraction",
        "train_fraction \(task.trainFraction) of \(task.modulus)² pairs leaves no pair to train on; raise it")
    }
    require(
      (1...4096).contains(model.dModel), "model.d_model", "d_model \(model.dModel) must lie between 1 and 4096")
    require(model.heads >= 1, "model.heads", "heads \(model.heads) must be at least 1")
    if model.heads >= 1 {
      require(
        model.dModel % model.heads == 0, "model.heads",
        "heads \(model.heads) does not divide d_model \(model.dModel); each head gets d_model / heads dimensions")
    }
    require((1...65_536).contains(model.dMLP), "model.d_mlp", "d_mlp \(model.dMLP) must lie between 1 and 65536")
    require(
      model.dVocabOut == task.modulus || model.dVocabOut == task.modulus &+ 1, "model.d_vocab_out",
      "d_vocab_out \(model.dVocabOut) must be the modulus \(task.modulus) or one more (write p or p+1)")
    require(
      (1...100_000_000).contains(training.epochs), "training.epochs",
      "epochs \(training.epochs) must lie between 1 and 100000000")
    require(
      training.learningRate > 0 && training.learningRate.isFinite, "training.learning_rate",
      "learning_rate \(training.learningRate) must be above 0")
    require(
      training.weightDecay >= 0 && training.weightDecay.isFinite, "training.weight_decay",
      "weight_decay \(training.weightDecay) must be 0 or more")
    require(
      training.beta1 >= 0 && training.beta1 < 1, "training.beta1", "beta1 \(training.beta1) must lie in [0, 1)")
    require(
      training.beta2 >= 0 && training.beta2 < 1, "training.beta2", "beta2 \(training.beta2) must lie in [0, 1)")
    require(
      training.epsilon > 0 && training.epsilon.isFinite, "training.epsilon",
      "epsilon \(training.epsilon) must be above 0")
    require(
      training.warmupEpochs >= 0, "training.warmup_epochs",
      "warmup_epochs \(training.warmupEpochs) must be 0 or more")
    require(
      (1...100_000_000).contains(measure.evaluateEvery), "measure.evaluate_every",
      "evaluate_every \(measure.evaluateEvery) must lie between 1 and 100000000")
    for (key, seed) in [("model_seed", modelSeed), ("data_seed", dataSeed)] {
      require(
        seed < 1 << 53, key,
        "\(key) \(seed) is too large; seeds go from 0 to 9007199254740991 (2^53 - 1), which every JSON reader keeps exactly"
      )
    }
    if let epochs = stop.afterGrokking {
      require(
        (0...100_000_000).contains(epochs), "stop.after_grokking",
        "after_grokking \(epochs) must lie between 0 and 100000000")
    }
    if found.isEmpty {
      require(
        estimatedBytes <= 64 << 30, "model.heads",
        "modulus \(task.modulus), heads \(model.heads) and d_mlp \(model.dMLP) need about \(estimatedBytes >> 30) GiB of "
          + "memory; the limit is 64")
      require(
        evaluationCount <= largestEvaluationCount, "measure.evaluate_every",
        "evaluate_every \(measure.evaluateEvery) gives \(evaluationCount) evaluations in \(training.epochs) epochs, and "
          + "at most \(largestEvaluationCount) of modulus \(task.modulus) fit into a result; raise it")
    }
    return found
  }

  /// Of a whole run: epoch 0, every multiple of evaluate_every, and the end.
  package var evaluationCount: Int { (training.epochs + measure.evaluateEvery - 1) / measure.evaluateEvery + 1 }

  /// Evaluations that surely fit into the 64 MiB in which a result travels: each with every measure there is, 25 numbers
  /// and two spectra in float32, and two more numbers for each frequency, should all of them be key; beside them the
  /// final model's neurons and heads and a digest every 1,000 epochs.
  private var largestEvaluationCount: Int {
    let frequencies = (task.modulus - 1) / 2
    let once = 1024 + 10 * model.dMLP + 34 * model.heads + 16 * frequencies + 40 * (training.epochs / 1000 + 1)
    return ((64 << 20) - once) / (8 * 25 + 3 + (2 * 4 + 2 * 8) * frequencies)
  }

  /// What a run holds at once, roughly: six tables of rows to train on (`FoldedModel`, `TableGradients`), three to test
  /// and three to analyse, a dozen float32 copies of the weights, and the logits of all pairs. No sum of it overflows
  /// within the limits above.
  private var estimatedBytes: Int {
    let (p, d) = (task.modulus, model.dModel)
    func rows(_ pairs: Int) -> Int {
      (p + 4) * model.heads * FoldedShape(modulus: p, model: model, plan: stepPlan(pairs: pairs)).width
    }
    let tables = 6 * rows(trainPairCount) + 3 * (rows(max(trainPairCount, p * p - trainPairCount)) + rows(p * p))
    let weights = (p + 4) * d + 4 * d * d + 2 * d * (model.dMLP + model.dVocabOut)
    return 4 * (tables + 12 * weights + p * p * model.dVocabOut)
  }
}

/// Versions that decide whether two results may be compared.
package enum Engine {
  /// Raised whenever the same experiment would give other bits; part of every point's id.
  package static let semanticsVersion = 2
  /// Raised whenever a measure's definition changes (`docs/reference/measures.md`).
  package static let measureVersion = 2
}
