// How a model is trained: optimizer, learning rate, penalties and batches. What each value means as a formula stands in
// `docs/reference/training.md`; the paper's main line is the default of every value.

/// What a step makes of a gradient.
package enum Optimizer: String, Codable, Hashable, Sendable, CaseIterable {
  /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
  case adamw
  /// Adam with weight decay in the gradient (L2), as `torch.optim.Adam`.
  case adam
  /// Momentum and weight decay in the gradient, as `torch.optim.SGD`.
  case sgd
}

/// What becomes of the learning rate after warm-up.
package enum LearningRateSchedule: String, Codable, Hashable, Sendable, CaseIterable {
  case constant
  /// Half a cosine from the learning rate to 0 at the last epoch.
  case cosine
}

package struct TrainingSettings: Hashable, Sendable {
  package var epochs: Int
  package var learningRate: Double
  /// On every tensor, biases included: decoupled for AdamW, in the gradient otherwise.
  package var weightDecay: Double
  package var beta1: Double
  package var beta2: Double
  package var epsilon: Double
  /// At x epochs since the start the learning rate is learningRate · min(x / warmupEpochs, 1); 0 means no warm-up.
  package var warmupEpochs: Int
  package var optimizer: Optimizer
  /// Of SGD alone.
  package var momentum: Double
  package var schedule: LearningRateSchedule
  /// Pairs of a step; nil: all train pairs, one step an epoch.
  package var batchSize: Int?
  /// Factor of Σ|w| in what is minimized.
  package var l1: Double
  /// Decay of Grokfast's moving average of gradients (Lee et al. 2024); of no effect while lambda is 0.
  package var grokfastAlpha: Double
  /// How much of that average is added to each gradient; 0 leaves gradients as they are.
  package var grokfastLambda: Double

  package init(
    epochs: Int = 40_000, learningRate: Double = 1e-3, weightDecay: Double = 1, beta1: Double = 0.9,
    beta2: Double = 0.98, epsilon: Double = 1e-8, warmupEpochs: Int = 10, optimizer: Optimizer = .adamw,
    momentum: Double = 0, schedule: LearningRateSchedule = .constant, batchSize: Int? = nil, l1: Double = 0,
    grokfastAlpha: Double = 0.98, grokfastLambda: Double = 0
  ) {
    self.epochs = epochs
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.warmupEpochs = warmupEpochs
    self.optimizer = optimizer
    self.momentum = momentum
    self.schedule = schedule
    self.batchSize = batchSize
    self.l1 = l1
    self.grokfastAlpha = grokfastAlpha
    self.grokfastLambda = grokfastLambda
  }

  /// Whether Grokfast's average is kept.
  package var filtersGradients: Bool { grokfastLambda != 0 }

  /// Whether the same epochs would be trained otherwise if there were more of them.
  package var dependsOnEnd: Bool { schedule == .cosine }

  enum CodingKeys: String, CodingKey {
    case epochs
    case learningRate = "learning_rate"
    case weightDecay = "weight_decay"
    case beta1, beta2, epsilon
    case warmupEpochs = "warmup_epochs"
    case optimizer, momentum, schedule
    case batchSize = "batch_size"
    case l1
    case grokfastAlpha = "grokfast_alpha"
    case grokfastLambda = "grokfast_lambda"
  }
}
