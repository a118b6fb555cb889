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
  /// Multiply-adds of one epoch (forward, loss, backward) of the tabulated step, as its cheapest `StepPlan` computes
  /// it; 0.85 · 10^9 at the paper's size. What the engine finds to be zero and leaves out is counted. With N pairs, d
  /// model, h heads, m neurons, v output classes, 2p + 1 distinct (token, position) pairs, and e = v where W_out and W_U
  /// are merged, e = d where the output goes through the residual stream:
  ///
  /// - three products over pairs, ReLU·M, dLogits·Mᵀ, ReLUᵀ·dLogits: 3·N·m·e, and 3·N·d·v when not merged;
  /// - mixing 2h rows of m + e numbers per pair, their gradient, and that of the attention weights: 3·N·2h·(m + e);
  /// - forward and twice that backward on the tables: values (2p+1)·d², W_O·W_in d²·m, the rows (2p+1)·d·(m+e), and when
  ///   merged W_O·W_U d²·v and M = W_out·W_U, m·d·v.
  package var estimatedMultiplyAdds: Double {
    let (d, h, m, v) = (Double(model.dModel), Double(model.heads), Double(model.dMLP), Double(model.dVocabOut))
    let pairs = Double(trainPairCount)
    let rows = Double(2 * task.modulus + 1)
    let isMerged = stepPlan(pairs: trainPairCount).output == .merged
    let e = isMerged ? v : d
    let products = 3 * pairs * (m * e + (isMerged ? 0 : d * v))
    let mixing = 3 * pairs * 2 * h * (m + e)
    let tables = 3 * (rows * d * d + d * d * m + rows * d * (m + e) + (isMerged ? d * d * v + m * d * v : 0))
    return products + mixing + tables
  }

  /// Multiply-adds of one evaluation: a forward pass over all p² pairs, and the analysis of their logits.
  package var estimatedMultiplyAddsOfEvaluation: Double {
    let (d, h, m, v) = (Double(model.dModel), Double(model.heads), Double(model.dMLP), Double(model.dVocabOut))
    let all = task.modulus * task.modulus
    let isMerged = stepPlan(pairs: all).output == .merged
    let e = isMerged ? v : d
    let forward = m * e + (isMerged ? 0 : d * v) + 2 * h * (m + e)
    return Double(all) * (forward + CostModel.analysisPerLogit * v)
  }

  private func stepPlan(pairs: Int) -> StepPlan {
    StepPlan.cheapest(ParameterLayout(self), activation: model.activation, pairs: pairs)
  }

  /// Seconds of one core for the whole run, every epoch and every evaluation; an upper estimate for runs that may stop
  /// after grokking.
  package var estimatedCoreSeconds: Double {
    let evaluations = Double(training.epochs / measure.evaluateEvery + 1)
    let all = Double(training.epochs) * estimatedMultiplyAdds + evaluations * estimatedMultiplyAddsOfEvaluation
    return all / CostModel.multiplyAddsPerSecond
  }
}
