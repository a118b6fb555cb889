// Cross-entropy that stays exact when the loss is far below the resolution of 1 (`measures.md` section 3).
//
// With e_j = exp(z_j − max) and S₋ = Σ_{j≠y} e_j, the loss is log1p(S₋/e_y), and the gradient at the label −S₋/S: nothing
// is ever subtracted from 1. Where the label is not on top, (max − z_y) + log S is the stable form of the same.

import Kernels

/// Loss of one example in float64: the truth that the kernels are compared with.
package struct CrossEntropy: Sendable {
  /// Nats.
  package let loss: Double
  /// ∂loss/∂z_j
  package let gradient: [Double]
  /// Whether the label's logit is above all others.
  package let isCorrect: Bool

  package init(logits: [Double], label: Int) {
    let rival = logits.indices.reduce(-Double.infinity) { $1 == label ? $0 : max($0, logits[$1]) }
    let top = max(rival, logits[label])
    var exponentials = logits.map { DeterministicMath.exp($0 - top) }
    let own = exponentials[label]
    exponentials[label] = 0
    let others = exponentials.reduce(0, +)
    let total = others + own
    isCorrect = logits[label] > rival
    loss =
      top == logits[label]
      ? DeterministicMath.log1p(others) : (top - logits[label]) + DeterministicMath.log(total)
    var gradient = exponentials.map { $0 / total }
    gradient[label] = -others / total
    self.gradient = gradient
  }
}

/// What one pass over a set of examples says.
package struct LossAndAccuracy: Codable, Hashable, Sendable {
  /// Mean cross-entropy in nats over all d_vocab_out classes.
  package var loss: Double
  /// Share of examples whose label's logit is above those of all other d_vocab_out classes.
  package var accuracy: Double

  package init(loss: Double, accuracy: Double) {
    self.loss = loss
    self.accuracy = accuracy
  }
}
