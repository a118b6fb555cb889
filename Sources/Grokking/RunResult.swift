// What a run leaves behind: its outcome, its curve, the final model's frequencies, and the digest that proves it.
//
// No clock and no machine in here: seconds and workers are added by whoever ran it. Absent measures are nil, never
// zero and never NaN: an operation without waves has no restricted loss.

/// How a run ended (`measures.md` section 4); epochs are exact.
package enum Outcome: Codable, Hashable, Sendable {
  /// Train accuracy crossed 0.99, and test accuracy more than `evaluate_every` epochs later.
  case grokked(memorization: Int, grokking: Int)
  /// Train crossed, test not: censored.
  case memorized(memorization: Int, censoredAfter: Int)
  /// Neither crossed: censored.
  case unfit(censoredAfter: Int)
  /// Test crossed before train, or at most `evaluate_every` epochs after it.
  case immediate(memorization: Int?, grokking: Int)
  /// Crossed, but test accuracy was below the threshold again at the end.
  case collapsed(memorization: Int?, grokking: Int)
  /// A loss stopped being finite at this epoch.
  case diverged(at: Int, memorization: Int?, grokking: Int?)

  /// As in the store: `grokked`, `memorized`, `unfit`, `immediate`, `collapsed`, `diverged`.
  package var name: String {
    switch self {
    case .grokked: "grokked"
    case .memorized: "memorized"
    case .unfit: "unfit"
    case .immediate: "immediate"
    case .collapsed: "collapsed"
    case .diverged: "diverged"
    }
  }

  /// First epoch with train accuracy ≥ 0.99.
  package var memorizationEpoch: Int? {
    switch self {
    case .grokked(let memorization, _), .memorized(let memorization, _): memorization
    case .immediate(let memorization, _), .collapsed(let memorization, _), .diverged(_, let memorization, _):
      memorization
    case .unfit: nil
    }
  }

  /// First epoch with test accuracy ≥ 0.99, located exactly within the interval between evaluations that showed it.
  package var grokkingEpoch: Int? {
    switch self {
    case .grokked(_, let grokking), .immediate(_, let grokking), .collapsed(_, let grokking): grokking
    case .diverged(_, _, let grokking): grokking
    case .memorized, .unfit: nil
    }
  }

  /// The last epoch of a run that was never seen to grok; nil when it was.
  package var censoredAfter: Int? {
    switch self {
    case .memorized(_, let epoch), .unfit(let epoch): epoch
    case .diverged(let epoch, _, nil): epoch
    case .grokked, .immediate, .collapsed, .diverged: nil
    }
  }
}

/// Why a run ended where it did.
package enum RunEnding: String, Codable, Hashable, Sendable, CaseIterable {
  /// At the experiment's last epoch.
  case allEpochs = "all_epochs"
  /// Earlier, as `stop.after_grokking` asked.
  case afterGrokking = "after_grokking"
  /// A loss stopped being finite.
  case diverged
}

/// Every measure at one epoch: of the weights after `epoch` steps, that is, before that epoch's own step.
package struct Evaluation: Codable, Hashable, Sendable {
  package var epoch: Int
  /// Mean cross-entropy in nats over all d_vocab_out classes.
  package var trainLoss: Double
  package var testLoss: Double
  package var trainAccuracy: Double
  package var testAccuracy: Double
  /// Cross-entropy over classes 0…p−1 of the key frequencies' waves plus the mean logits, on train, test, all pairs; for
  /// `multiply` pairs without a factor 0 and classes 1…p−1, as in all measures that need waves.
  package var restrictedLossTrain: Double?
  package var restrictedLossTest: Double?
  package var restrictedLoss: Double?
  /// Cross-entropy on train of the logits without the key frequencies' waves.
  package var excludedLoss: Double?
  /// Gini coefficient of the frequency norms of W_E and of W_L = W_out·W_U.
  package var giniW_E: Double
  package var giniW_L: Double
  package var sumSquaredWeights: Double
  /// One per `TensorName`, in order; nil for a bias that the model does not have. Empty when not measured.
  package var sumSquaredByTensor: [Double?]
  /// Norms of frequencies 1…K in W_E and W_L, as `FinalMeasures`. Empty when not measured.
  package var normsW_E: [Float]
  package var normsW_L: [Float]
  /// Share of the variance of the logits that cosines of the key frequencies explain, and the test loss of those
  /// cosines in place of the logits; nil where the operation has no waves.
  package var logitVarianceExplained: Double?
  package var cosineLossTest: Double?
  /// One per key frequency of the final model, in order; empty where the operation has no waves.
  package var keyFrequencies: [KeyFrequencyMeasures]

  package init(
    epoch: Int, trainLoss: Double, testLoss: Double, trainAccuracy: Double, testAccuracy: Double,
    restrictedLossTrain: Double? = nil, restrictedLossTest: Double? = nil, restrictedLoss: Double? = nil,
    excludedLoss: Double? = nil, giniW_E: Double, giniW_L: Double, sumSquaredWeights: Double,
    sumSquaredByTensor: [Double?] = [], normsW_E: [Float] = [], normsW_L: [Float] = [],
    logitVarianceExplained: Double? = nil, cosineLossTest: Double? = nil, keyFrequencies: [KeyFrequencyMeasures] = []
  ) {
    self.epoch = epoch
    self.trainLoss = trainLoss
    self.testLoss = testLoss
    self.trainAccuracy = trainAccuracy
    self.testAccuracy = testAccuracy
    self.restrictedLossTrain = restrictedLossTrain
    self.restrictedLossTest = restrictedLossTest
    self.restrictedLoss = restrictedLoss
    self.excludedLoss = excludedLoss
    self.giniW_E = giniW_E
    self.giniW_L = giniW_L
    self.sumSquaredWeights = sumSquaredWeights
    self.sumSquaredByTensor = sumSquaredByTensor
    self.normsW_E = normsW_E
    self.normsW_L = normsW_L
    self.logitVarianceExplained = logitVarianceExplained
    self.cosineLossTest = cosineLossTest
    self.keyFrequencies = keyFrequencies
  }

  enum CodingKeys: String, CodingKey {
    case epoch
    case trainLoss = "train_loss"
    case testLoss = "test_loss"
    case trainAccuracy = "train_accuracy"
    case testAccuracy = "test_accuracy"
    case restrictedLossTrain = "restricted_loss_train"
    case restrictedLossTest = "restricted_loss_test"
    case restrictedLoss = "restricted_loss"
    case excludedLoss = "excluded_loss"
    case giniW_E = "gini_w_e"
    case giniW_L = "gini_w_l"
    case sumSquaredWeights = "sum_squared_weights"
    case sumSquaredByTensor = "sum_squared_by_tensor"
    case normsW_E = "norms_w_e"
    case normsW_L = "norms_w_l"
    case logitVarianceExplained = "logit_fve"
    case cosineLossTest = "cosine_loss_test"
    case keyFrequencies = "key_frequencies"
  }
}

/// One key frequency of the final model, at one evaluation.
package struct KeyFrequencyMeasures: Codable, Hashable, Sendable {
  package var frequency: Int
  /// Cross-entropy on train of the logits without this frequency's waves alone.
  package var excludedLoss: Double
  /// α_k of L ≈ Σ_k α_k·cos(2πk(a+b−c)/p), of a−b−c for `subtract`.
  package var cosineCoefficient: Double

  package init(frequency: Int, excludedLoss: Double, cosineCoefficient: Double) {
    self.frequency = frequency
    self.excludedLoss = excludedLoss
    self.cosineCoefficient = cosineCoefficient
  }

  enum CodingKeys: String, CodingKey {
    case frequency
    case excludedLoss = "excluded_loss"
    case cosineCoefficient = "cosine_coefficient"
  }
}

/// A key frequency of the final model.
package struct KeyFrequency: Codable, Hashable, Sendable {
  /// k, from 1 to ⌊(p−1)/2⌋.
  package var frequency: Int
  /// Norm of the frequency's (cos, sin) pair in W_L.
  package var norm: Double
  /// Cross-entropy on train of the final logits without this frequency alone; nil where the operation has no waves.
  package var excludedLoss: Double?
  /// α_k of the final logits; nil where the operation has no waves.
  package var cosineCoefficient: Double?
  /// Neurons over 85 % whose best frequency this is.
  package var neurons: Int
  /// Share of the variance of u_k·MLP(a, b) that cos 2πk(a+b)/p alone explains, and of v_k·MLP(a, b) that the sine does
  /// (paper's table 1), u_k and v_k being W_L's cosine and sine directions; nil where the operation has no waves.
  package var varianceExplainedU: Double?
  package var varianceExplainedV: Double?

  package init(
    frequency: Int, norm: Double, excludedLoss: Double?, cosineCoefficient: Double? = nil, neurons: Int = 0,
    varianceExplainedU: Double? = nil, varianceExplainedV: Double? = nil
  ) {
    self.frequency = frequency
    self.norm = norm
    self.excludedLoss = excludedLoss
    self.cosineCoefficient = cosineCoefficient
    self.neurons = neurons
    self.varianceExplainedU = varianceExplainedU
    self.varianceExplainedV = varianceExplainedV
  }

  enum CodingKeys: String, CodingKey {
    case frequency, norm
    case excludedLoss = "excluded_loss"
    case cosineCoefficient = "cosine_coefficient"
    case neurons
    case varianceExplainedU = "fve_u"
    case varianceExplainedV = "fve_v"
  }
}

/// SHA-256 chained over the weights: link i hashes link i−1 and the weights at its epoch.
package struct EpochDigest: Codable, Hashable, Sendable {
  package var epoch: Int
  /// 64 hexadecimal digits.
  package var digest: String

  package init(epoch: Int, digest: String) {
    self.epoch = epoch
    self.digest = digest
  }
}

/// Everything that one finished run says.
package struct RunResult: Codable, Hashable, Sendable {
  package var outcome: Outcome
  /// Epochs trained: the experiment's, or fewer when the run diverged or was to stop after grokking.
  package var epochs: Int
  /// In order of epoch; the last is the final model. Every number is finite.
  package var evaluations: [Evaluation]
  package var keyFrequencies: [KeyFrequency]
  /// Nil for a run that diverged, which has no final model.
  package var finalModel: FinalMeasures?
  /// One for every measure and threshold, in their order; empty when not measured.
  package var crossings: [Crossing]
  /// Those that happened, in order.
  package var phases: [Phase]
  /// One link every 1,000 epochs and one at the end; the last is the run's digest.
  package var digests: [EpochDigest]
  /// `avx512`, `avx2` or `neon`.
  package var kernelPath: String
  package var semanticsVersion: Int
  package var measureVersion: Int
  /// The final model as a safetensors file, for pictures and for other programs; nil where it was not asked for, and for a
  /// run that diverged. No number of a run depends on it, and it is no part of the JSON of a result.
  package var finalWeights: [UInt8]?

  package init(
    outcome: Outcome, epochs: Int, evaluations: [Evaluation], keyFrequencies: [KeyFrequency],
    finalModel: FinalMeasures? = nil, crossings: [Crossing] = [], phases: [Phase] = [], digests: [EpochDigest],
    kernelPath: String, semanticsVersion: Int = Engine.semanticsVersion, measureVersion: Int = Engine.measureVersion,
    finalWeights: [UInt8]? = nil
  ) {
    self.outcome = outcome
    self.epochs = epochs
    self.evaluations = evaluations
    self.keyFrequencies = keyFrequencies
    self.finalModel = finalModel
    self.crossings = crossings
    self.phases = phases
    self.digests = digests
    self.kernelPath = kernelPath
    self.semanticsVersion = semanticsVersion
    self.measureVersion = measureVersion
    self.finalWeights = finalWeights
  }

  /// Whether the run came to its end without having been seen to grok, and could go on: more epochs may show when it does.
  package var isCensoredAtItsEnd: Bool {
    switch outcome {
    case .memorized, .unfit: true
    case .grokked, .immediate, .collapsed, .diverged: false
    }
  }

  package var digest: String { digests.last?.digest ?? "" }
  package var final: Evaluation? { evaluations.last }

  /// - Parameter experiment: whose result this is.
  package func ending(of experiment: Experiment) -> RunEnding {
    if case .diverged = outcome { return .diverged }
    return epochs < experiment.training.epochs ? .afterGrokking : .allEpochs
  }

  enum CodingKeys: String, CodingKey {
    case outcome, epochs, evaluations
    case keyFrequencies = "key_frequencies"
    case finalModel = "final_model"
    case crossings, phases, digests
    case kernelPath = "kernel_path"
    case semanticsVersion = "semantics_version"
    case measureVersion = "measure_version"
  }
}

/// Where a run stands, for people and for leases.
package struct RunProgress: Codable, Hashable, Sendable {
  /// `replay` locates crossings.
  package enum Stage: String, Codable, Sendable { case training, replay, analysis }
  package var stage: Stage
  /// Epochs trained so far, of `epochs`.
  package var epoch: Int
  package var epochs: Int
  /// Grows with every call of `advance`, in every stage: what renews a lease.
  package var work: Int
  /// What `work` will be in the end, as far as is known: epochs to be replayed count once training is over, key
  /// frequencies once the final model is analysed.
  package var totalWork: Int
  /// Losses and accuracies last seen; nil before the first evaluation, and when not finite.
  package var trainLoss: Double?
  package var testLoss: Double?
  package var trainAccuracy: Double?
  package var testAccuracy: Double?

  package init(
    stage: Stage, epoch: Int, epochs: Int, work: Int, totalWork: Int, trainLoss: Double? = nil,
    testLoss: Double? = nil, trainAccuracy: Double? = nil, testAccuracy: Double? = nil
  ) {
    self.stage = stage
    self.epoch = epoch
    self.epochs = epochs
    self.work = work
    self.totalWork = totalWork
    self.trainLoss = trainLoss
    self.testLoss = testLoss
    self.trainAccuracy = trainAccuracy
    self.testAccuracy = testAccuracy
  }

  enum CodingKeys: String, CodingKey {
    case stage, epoch, epochs, work
    case totalWork = "total_work"
    case trainLoss = "train_loss"
    case testLoss = "test_loss"
    case trainAccuracy = "train_accuracy"
    case testAccuracy = "test_accuracy"
  }
}
