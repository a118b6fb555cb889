// What a point costs, estimated from its arithmetic alone, so that `plan` can name core-hours before anything ran. An
// estimate for planning, never a promise: small models spend more of their time outside the products counted here.

import Grokking

/// Assumptions of the estimate.
package enum CostModel {
  /// Multiply-adds per second of one core. The paper's size is 0.85 · 10^9 of them an epoch; 12 ms an epoch is assumed,
  /// so 142 GFLOP/s. To be replaced by what a machine measured.
  package static let multiplyAddsPerSecond = 0.85e9 / 0.012

  /// Elementwise work of the analysis at an evaluation, in multiply-adds per logit of all p² pairs. At the paper's size
  /// an evaluation takes 1.6 epochs, of which the forward pass is 0.95; the rest is this.
  static let analysisPerLogit = 370.0
}

extension Experiment {
  /// Multiply-adds of one epoch (forward, loss, backward) of the merged, tabulated step; 0.85 · 10^9 at the paper's
  /// size. With N pairs, d model, h heads, m neurons, v output classes and 2p + 1 distinct (token, position) pairs:
  ///
  /// - three products over pairs, ReLU·M, dLogits·Mᵀ, ReLUᵀ·dLogits: 3·N·m·v;
  /// - mixing 2h rows of m + v numbers per pair, their gradient, and that of the attention weights: 3·N·2h·(m + v);
  /// - forward and twice that backward on the tables: values (2p+1)·d², W_O·[W_in W_U] d²·(m+v), the rows
  ///   (2p+1)·d·(m+v), and M = W_out·W_U, m·d·v.
  package var estimatedMultiplyAdds: Double {
    let (d, h, m, v) = (Double(model.dModel), Double(model.heads), Double(model.dMLP), Double(model.dVocabOut))
    let pairs = Double(trainPairCount)
    let rows = Double(2 * task.modulus + 1)
    let products = 3 * pairs * m * v
    let mixing = 3 * pairs * 2 * h * (m + v)
    let tables = 3 * (rows * d * d + d * d * (m + v) + rows * d * (m + v) + m * d * v)
    return products + mixing + tables
  }

  /// Multiply-adds of one evaluation: a forward pass over all p² pairs, and the analysis of their logits.
  package var estimatedMultiplyAddsOfEvaluation: Double {
    let (h, m, v) = (Double(model.heads), Double(model.dMLP), Double(model.dVocabOut))
    let pairs = Double(task.modulus * task.modulus)
    return pairs * (m * v + 2 * h * (m + v)) + CostModel.analysisPerLogit * pairs * v
  }

  /// Seconds of one core for the whole run, every epoch and every evaluation; an upper estimate for runs that may stop
  /// after grokking.
  package var estimatedCoreSeconds: Double {
    let evaluations = Double(training.epochs / measure.evaluateEvery + 1)
    let all = Double(training.epochs) * estimatedMultiplyAdds + evaluations * estimatedMultiplyAddsOfEvaluation
    return all / CostModel.multiplyAddsPerSecond
  }
}
