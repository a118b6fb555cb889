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
  /// d_model, d_mlp and d_vocab_out rounded up to multiples of 16.
  let stream: Int
  let hidden: Int
  let logitColumns: Int
  /// What stands behind the neurons: d_vocab_out logits, or d_model numbers of the residual stream; and rounded up.
  let outputCount: Int
  let outputs: Int

  static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  init(modulus: Int, model: ModelShape, plan: StepPlan) {
    self.plan = plan
    self.modulus = modulus
    dModel = model.dModel
    heads = model.heads
    dHead = model.dHead
    dMLP = model.dMLP
    classes = model.dVocabOut
    stream = FoldedShape.padded(dModel)
    hidden = FoldedShape.padded(dMLP)
    logitColumns = FoldedShape.padded(classes)
    outputCount = plan.output == .merged ? classes : dModel
    outputs = FoldedShape.padded(outputCount)
  }

  /// What a row starts with, rounded up: d_mlp pre-activations, or the d_model numbers that W_in makes them of.
  var lead: Int { plan.input == .tables ? hidden : stream }
  /// Columns of a row that hold it.
  var leading: Range<Int> { 0..<(plan.input == .tables ? dMLP : dModel) }
  /// Columns of a row that hold outputs; nil where it starts with the residual stream and outputs are nothing else.
  var ending: Range<Int>? { rowsHoldOutputs ? lead..<lead + outputCount : nil }
  /// Floats of a row.
  var width: Int { lead + (rowsHoldOutputs ? outputs : 0) }

  private var rowsHoldOutputs: Bool { plan != StepPlan(input: .direct, output: .residual) }

  /// Rows of W_E and W_pos together: p tokens, `=`, positions 0, 1, 2.
  var embeddings: Int { modulus + 4 }
  /// The rows of `=` and of the positions among them.
  var equals: Int { modulus }
  func position(_ index: Int) -> Int { modulus + 1 + index }
}
