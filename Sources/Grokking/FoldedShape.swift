// Sizes of one model under one plan, and how its rows are padded to whole vectors of 16.

/// What rows of tables and of examples are made of.
struct FoldedShape: Hashable {
  let modulus: Int
  let dModel: Int
  let heads: Int
  let dHead: Int
  let dMLP: Int
  let classes: Int
  let plan: StepPlan
  /// d_mlp and d_vocab_out rounded up to multiples of 16.
  let hidden: Int
  let logitColumns: Int
  /// What stands behind the neurons: d_vocab_out logits, or d_model numbers of the residual stream; and rounded up.
  let outputCount: Int
  let outputs: Int

  static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  init(_ layout: ParameterLayout, plan: StepPlan) {
    self.plan = plan
    modulus = layout.modulus
    dModel = layout.model.dModel
    heads = layout.model.heads
    dHead = layout.model.dHead
    dMLP = layout.model.dMLP
    classes = layout.model.dVocabOut
    hidden = FoldedShape.padded(dMLP)
    logitColumns = FoldedShape.padded(classes)
    outputCount = plan.output == .merged ? classes : dModel
    outputs = FoldedShape.padded(outputCount)
  }

  /// Columns of a row that hold pre-activations.
  var leading: Range<Int> { 0..<dMLP }
  /// Columns of a row that hold outputs.
  var ending: Range<Int> { hidden..<hidden + outputCount }
  /// Floats of a row.
  var width: Int { hidden + outputs }

  /// Rows of W_E and W_pos together: p tokens, `=`, positions 0, 1, 2.
  var embeddings: Int { modulus + 4 }
  /// The rows of `=` and of the positions among them.
  var equals: Int { modulus }
  func position(_ index: Int) -> Int { modulus + 1 + index }
}
