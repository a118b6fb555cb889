// What a point costs, estimated from its arithmetic alone, so that `plan` can name core-hours before anything ran. An
// estimate for planning, never a promise: small models spend more of their time outside the products counted here.

import Grokking

/// Assumptions of the estimate.
package enum CostModel {
  /// Multiply-adds per second of one core. The paper's size is 0.85 · 10^9 of them an epoch; 10 ms an epoch is assumed,
  /// so 170 GFLOP/s. `bench engine` measured 8.2 ms on a core of Zen 5 and 16 on one of Zen 4.
  package static let multiplyAddsPerSecond = 0.85e9 / 0.010

  /// Elementwise work of the analysis at an evaluation, in multiply-adds per logit of all p² pairs. At the paper's size
  /// an evaluation was measured at 2.0 epochs in a run with five key frequencies and 2.7 in one that only begins to
  /// learn; 2.4 are assumed, of which the forward pass is 0.95 and the rest is this.
  static let analysisPerLogit = 850.0

  /// Intervals that are trained again to locate crossings: sixteen at most, but thresholds are crossed together.
  static let replayedIntervals = 8
}

extension Experiment {
  /// Multiply-adds of one epoch (forward, loss, backward) as its `StepPlan` computes it; 0.85 · 10^9 at the paper's size.
  /// Tables are made anew at every step, so small batches cost more than their pairs.
  /// What the engine finds to be zero and leaves out is counted. With N pairs, d model, h heads, m neurons, v output
  /// classes, 2p + 1 distinct (token, position) pairs, e = v where W_out and W_U are merged and e = d where the output
  /// goes through the residual stream, and table rows of w numbers, which are m + e, or, where pairs meet W_in directly,
  /// d + v when merged and d when not:
  ///
  /// - products over pairs: ReLU·M, dLogits·Mᵀ, ReLUᵀ·dLogits 3·N·m·e; 3·N·d·v when not merged; 3·N·d·m when direct;
  /// - mixing 2h rows of w numbers per pair, their gradient, and that of the attention weights: 3·N·2h·w;
  /// - forward and twice that backward on the tables: values (2p+1)·d², the rows (2p+1)·d·w, W_O·W_in d²·m unless direct,
  ///   and when merged W_O·W_U d²·v and M = W_out·W_U m·d·v.
  package var estimatedMultiplyAdds: Double {
    let plan = stepPlan(pairs: pairsPerStep)
    let (d, m, v) = (Double(model.dModel), Double(model.dMLP), Double(model.dVocabOut))
    let rows = Double(2 * task.modulus + 1)
    var tables = rows * d * (d + rowWidth(plan))
    if plan.input == .tables { tables += d * d * m }
    if plan.output == .merged { tables += (d + m) * d * v }
    return 3 * (Double(trainPairCount) * multiplyAddsPerPair(plan) + Double(stepsPerEpoch) * tables)
  }

  /// Multiply-adds of one evaluation: a forward pass over all p² pairs, and the analysis of their logits.
  package var estimatedMultiplyAddsOfEvaluation: Double {
    let pairs = task.modulus * task.modulus
    return Double(pairs)
      * (multiplyAddsPerPair(stepPlan(pairs: pairs)) + CostModel.analysisPerLogit * Double(model.dVocabOut))
  }

  /// Of one pair's forward pass.
  private func multiplyAddsPerPair(_ plan: StepPlan) -> Double {
    let (d, h, m, v) = (Double(model.dModel), Double(model.heads), Double(model.dMLP), Double(model.dVocabOut))
    let inputs = plan.input == .tables ? 0 : d * m
    let outputs = plan.output == .merged ? m * v : m * d + d * v
    return inputs + outputs + 2 * h * rowWidth(plan)
  }

  /// Numbers of a table row, without padding.
  private func rowWidth(_ plan: StepPlan) -> Double {
    let (d, m, v) = (Double(model.dModel), Double(model.dMLP), Double(model.dVocabOut))
    return switch (plan.input, plan.output) {
    case (.tables, .merged): m + v
    case (.tables, .residual): m + d
    case (.direct, .merged): d + v
    case (.direct, .residual): d
    }
  }

  /// Epochs trained again for the analysis, since their evaluations' weights take too much room to be kept.
  package var epochsTrainedAgain: Int {
    let kept = SnapshotStore.evaluationsThatFit(in: SnapshotStore.limitBytes, self)
    return max(0, training.epochs - kept * measure.evaluateEvery)
  }

  /// Epochs trained again to locate crossings, with the test set evaluated after each: all but the last of an interval.
  package var epochsReplayed: Int { CostModel.replayedIntervals * (min(measure.evaluateEvery, training.epochs) - 1) }

  /// Multiply-adds of the forward pass over the pairs that are not trained on.
  private var estimatedMultiplyAddsOfTest: Double {
    let pairs = task.modulus * task.modulus - trainPairCount
    return Double(pairs) * multiplyAddsPerPair(stepPlan(pairs: max(pairs, trainPairCount)))
  }

  /// Seconds of one core for the whole run, every epoch, every evaluation, and what is trained again after them; an upper
  /// estimate for runs that may stop after grokking.
  package var estimatedCoreSeconds: Double {
    let epochs = Double(training.epochs + epochsTrainedAgain + epochsReplayed)
    let all =
      epochs * estimatedMultiplyAdds + Double(epochsReplayed) * estimatedMultiplyAddsOfTest
      + Double(evaluationCount) * estimatedMultiplyAddsOfEvaluation
    return all / CostModel.multiplyAddsPerSecond
  }
}
