// How the arithmetic of an epoch is arranged: two choices between equivalent forms, of which whichever costs less is taken.
//
// In front of the neurons: a table row can hold a token's share of the pre-activations, so that W_in meets p + 4 rows an
// epoch; or it stops at the residual stream, and W_in meets every pair, but rows are d_model numbers long instead of
// d_mlp. With few pairs (a small p, or a tiny share of a large one) the second is less work.
//
// Behind the neurons: M = W_out·W_U maps them to logits directly, and a table row ends in the skip path's logits; or they
// go through W_out to d_model numbers, to which a table row's end belongs too, and then through W_U. With many more
// classes than d_model (p 401 at the paper's width) the second is less work.
//
// The forms round differently, so the choice is part of a point's bits: it follows from shape, activation and number of
// pairs alone, never from the machine.

/// One form in front of the neurons and one behind them.
package struct StepPlan: Hashable, Sendable, CustomStringConvertible {
  /// What of a model's input a table row holds.
  package enum Input: String, Hashable, Sendable, CaseIterable {
    /// Pre-activations.
    case tables
    /// The residual stream that pre-activations are computed from for each pair.
    case direct
  }

  /// What a model's neurons are mapped to.
  package enum Output: String, Hashable, Sendable, CaseIterable {
    /// Logits, by W_out·W_U.
    case merged
    /// The residual stream, by W_out, which W_U then maps to logits.
    case residual
  }

  package var input: Input
  package var output: Output

  package init(input: Input, output: Output) {
    self.input = input
    self.output = output
  }

  package var description: String { "\(input.rawValue), \(output.rawValue)" }

  /// In the order of preference.
  package static let all = Input.allCases.flatMap { input in
    Output.allCases.map { StepPlan(input: input, output: $0) }
  }

  /// The plan of lowest cost for an epoch over `pairs` examples; the first of `all` when equal.
  package static func cheapest(modulus: Int, model: ModelShape, pairs: Int) -> StepPlan {
    func cost(_ plan: StepPlan) -> Int { plan.cost(modulus: modulus, model: model, pairs: pairs) }
    return all.min { cost($0) < cost($1) }!
  }

  /// Multiplications that keeping one number of a table row costs in an epoch, whatever is computed with it: it is
  /// cleared, shifted for two positions and added up again.
  private static let upkeep = 60
  /// Multiplications that meeting one number of a table row costs whenever its token comes up again: it is fetched to be
  /// mixed, spread and dotted, mostly out of the third-level cache.
  private static let fetch = 15

  /// Twice the multiply-adds of an epoch that depend on the plan.
  ///
  /// With N pairs, m = d_mlp, d = d_model, h heads; H, D and V the numbers of neurons, of d_model and of classes rounded
  /// up to whole vectors; O what stands behind the neurons, V or D; and rows of W numbers, H + O with tables, D + V direct
  /// and merged, D direct and residual: each product counts forward and twice backward.
  ///
  /// | | |
  /// |---|---|
  /// | behind the neurons, per pair | q·m·O, and 3·d·V when residual |
  /// | in front of them, per pair, when direct | q·m·D |
  /// | rows mixed, spread and dotted, per pair | 6·h·W |
  /// | table rows, per epoch | 3·(p + 4)·d·W |
  /// | their upkeep, per epoch | 60·(p + 4)·h·W |
  /// | fetching them, per epoch | 15·h·W·2·min(N, p²/24) |
  /// | W_O·W_in, per epoch, when tables | 3·d·d·H |
  /// | M and W_O·W_U, per epoch, when merged | 3·m·d·V + 3·d·d·V |
  ///
  /// q is 3, or 2½ with ReLU: two of the three products leave out the half of the neurons, or of their gradients, that
  /// are zero, at three quarters of the time. Rows are fetched two for each pair, or 48 for all pairs of a tile of 24 × 24
  /// tokens. The three quarters, `upkeep` and `fetch` were measured on one machine; where they fit less well, the choice
  /// costs time but no bits.
  func cost(modulus: Int, model: ModelShape, pairs N: Int) -> Int {
    let shape = FoldedShape(modulus: modulus, model: model, plan: self)
    let (p, m, d, h, W) = (shape.modulus, shape.dMLP, shape.dModel, shape.heads, shape.width)
    let (D, H, V) = (shape.stream, shape.hidden, shape.logitColumns)
    let twice_q = model.activation == .relu ? 5 : 6
    var perPair = twice_q * m * shape.outputs + 12 * h * W
    var perEpoch = (p + 4) * (6 * d + 2 * StepPlan.upkeep * h) * W
    perEpoch += 4 * StepPlan.fetch * h * W * min(N, p * p / ExampleBlocks.tile)
    switch input {
    case .tables: perEpoch += 6 * d * d * H
    case .direct: perPair += twice_q * m * D
    }
    switch output {
    case .merged: perEpoch += 6 * (m + d) * d * V
    case .residual: perPair += 6 * d * V
    }
    return N * perPair + perEpoch
  }
}

extension Experiment {
  /// How an epoch over `pairs` of this experiment's examples is computed.
  package func stepPlan(pairs: Int) -> StepPlan {
    StepPlan.cheapest(modulus: task.modulus, model: model, pairs: pairs)
  }
}
