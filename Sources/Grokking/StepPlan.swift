// What stands behind the activation, in one of two equivalent forms; whichever costs less is taken.
//
// Merged: M = W_out·W_U maps neurons to logits directly, and a table row ends in the skip path's logits. With few
// classes nothing is cheaper. Through the residual stream: neurons go through W_out to d_model numbers, to which a
// table row's end belongs too, and then through W_U. With many more classes than d_model (p 401 at the paper's width)
// that is far less work. The two round differently, so the choice is part of a point's bits: it follows from shape and
// number of pairs alone, never from the machine.

/// How the arithmetic of an epoch is arranged.
package struct StepPlan: Hashable, Sendable {
  /// How a model's output is computed from its neurons.
  package enum Output: Hashable, Sendable, CaseIterable {
    case merged
    case residual
  }

  package var output: Output

  package init(output: Output) { self.output = output }

  /// In the order of preference.
  package static let all = Output.allCases.map { StepPlan(output: $0) }

  /// The plan of fewest multiplications for an epoch over `pairs` examples; the first of `all` when equal.
  package static func cheapest(_ layout: ParameterLayout, activation: Activation, pairs: Int) -> StepPlan {
    all.min { left, right in
      left.cost(layout, activation: activation, pairs: pairs)
        < right.cost(layout, activation: activation, pairs: pairs)
    }!
  }

  /// Twice the multiply-adds of an epoch that depend on the plan.
  ///
  /// With N pairs, m = d_mlp, d = d_model, h heads, and V and D the numbers of classes and of d_model rounded up to
  /// whole vectors, each a product's forward and its two backward forms:
  ///
  /// | | merged | residual |
  /// |---|---|---|
  /// | neurons to logits, per pair | q·m·V | q·m·D + 3·d·V |
  /// | rows mixed, spread and dotted, per pair | 6·h·V | 6·h·D |
  /// | M, per epoch | 3·m·d·V | – |
  /// | ends of table rows, per epoch | 3·(p + 4)·d·V + 3·d·d·V | 3·(p + 4)·d·D |
  ///
  /// q is 3, or 2½ with ReLU: two of the three products leave out the half of the neurons that are zero, at three
  /// quarters of the time (measured).
  func cost(_ layout: ParameterLayout, activation: Activation, pairs N: Int) -> Int {
    let model = layout.model
    let (p, m, d, h) = (layout.modulus, model.dMLP, model.dModel, model.heads)
    let (V, D) = (FoldedShape.padded(model.dVocabOut), FoldedShape.padded(d))
    let twice_q = activation == .relu ? 5 : 6
    return switch output {
    case .merged: N * (twice_q * m * V + 12 * h * V) + 6 * (m * d * V + (p + 4) * d * V + d * d * V)
    case .residual: N * (twice_q * m * D + 6 * d * V + 12 * h * D) + 6 * (p + 4) * d * D
    }
  }
}
