// The model rewritten as tables: what an example's forward pass still has to do is mix a few rows.
//
// The query at `=` is the same for every example, so a head's score of a token is one number. Values depend on token
// and position alone, and everything between a value and the pre-activations (W_O, W_in) or the skip path's logits
// (W_O, W_U) is linear: each token and head has one row T[token, head] of pre-activations and logits. Attention
// weights sum to 1, so subtracting `=`'s row makes that position part of a constant. Behind the activation only
// M = W_out·W_U is left. Where that costs more than it saves (`StepPlan`), rows stop at the residual stream, before
// W_in, before W_U, or before both, and examples go the rest of the way.

import Kernels

/// Tables of one set of weights.
final class FoldedModel {
  let layout: ParameterLayout
  let shape: FoldedShape
  private let kernels: Kernels

  /// Values of embeddings and positions: (p+4, heads·d_head).
  let values: FloatMatrix
  /// W_O times what makes a row of a value: [W_in | W_U], [W_in | 1], [1 | W_U] or 1; (heads·d_head, width).
  let outward: FloatMatrix
  /// values·outward by head: (p+4, heads·width).
  private let rawRows: FloatMatrix
  /// Rows of a token at positions 0 and 1, relative to `=`'s.
  let table0: TokenTable
  let table1: TokenTable
  private let table0Rows: FloatMatrix
  private let table1Rows: FloatMatrix
  private let shift: FloatMatrix  // (1, heads·width)
  private let equalsRow: FloatMatrix  // (1, heads·width)
  /// The part of a mixed row that does not depend on the tokens: (1, width).
  let constant: FloatMatrix
  /// W_in and b_in where rows stop before them: (d_model, hidden) and (1, hidden).
  let inward: FloatMatrix?
  let inwardBias: FloatMatrix?
  /// Whether all of `inward` is.
  private(set) var inwardIsFinite = false
  /// b_out where no row holds it: (1, stream).
  let streamBias: FloatMatrix?
  /// M = W_out·W_U, or W_out: (d_mlp, outputs).
  let merged: FloatMatrix
  /// W_U where outputs are not logits yet: (d_model, logit columns).
  let unembedding: FloatMatrix?
  /// Whether all of `merged` is.
  private(set) var mergedIsFinite = false
  /// x at `=`, and the same with b_out: (1, d_model).
  let equalsInput: FloatMatrix
  let equalsOutput: FloatMatrix
  /// q/√d_head: (1, heads·d_head).
  let query: FloatMatrix
  /// W_K·q/√d_head: (d_model, heads).
  let queryKeys: FloatMatrix
  /// Scores of embeddings and positions: (p+4, heads).
  private let scores: FloatMatrix
  /// exp(score − largest of the head) or, when `rawScores`, scores: (heads, p), and one per head for `=`.
  let attention0: FloatMatrix
  let attention1: FloatMatrix
  let attentionEquals: FloatMatrix
  /// Whether some head's scores spread over more than 60, where tabulated exponentials would vanish.
  private(set) var rawScores = false
  /// Whether the tables are of weights that have changed since.
  private var isStale = true
  private static let widestSpread: Float = 60
  private let buffers: [FloatBuffer]

  init(_ layout: ParameterLayout, plan: StepPlan, kernels: Kernels) {
    self.layout = layout
    self.kernels = kernels
    let shape = FoldedShape(modulus: layout.modulus, model: layout.model, plan: plan)
    self.shape = shape
    let (p, heads, dModel, width) = (shape.modulus, shape.heads, shape.dModel, shape.width)
    var buffers: [FloatBuffer] = []
    func matrix(_ rows: Int, _ columns: Int) -> FloatMatrix {
      let buffer = FloatBuffer(rows * columns)
      buffers.append(buffer)
      return buffer.matrix(rows, columns)
    }
    values = matrix(shape.embeddings, dModel)
    outward = matrix(dModel, width)
    rawRows = matrix(shape.embeddings, heads * width)
    table0Rows = matrix(p, heads * width)
    table0 = TokenTable(buffers[buffers.count - 1], tokens: p, heads: heads, width: width)
    table1Rows = matrix(p, heads * width)
    table1 = TokenTable(buffers[buffers.count - 1], tokens: p, heads: heads, width: width)
    shift = matrix(1, heads * width)
    equalsRow = matrix(1, heads * width)
    constant = matrix(1, width)
    let isDirect = plan.input == .direct
    inward = isDirect ? matrix(dModel, shape.hidden) : nil
    inwardBias = isDirect ? matrix(1, shape.hidden) : nil
    streamBias = shape.ending == nil ? matrix(1, shape.stream) : nil
    merged = matrix(shape.dMLP, shape.outputs)
    unembedding = plan.output == .residual ? matrix(dModel, shape.logitColumns) : nil
    equalsInput = matrix(1, dModel)
    equalsOutput = matrix(1, dModel)
    query = matrix(1, dModel)
    queryKeys = matrix(dModel, heads)
    scores = matrix(shape.embeddings, heads)
    attention0 = matrix(heads, p)
    attention1 = matrix(heads, p)
    attentionEquals = matrix(1, heads)
    self.buffers = buffers
  }

  /// Says that the weights have changed.
  func expire() { isStale = true }

  /// Rebuilds every table if the weights have changed; `weights` holds `layout.count` floats.
  func fold(_ weights: FloatBuffer) {
    guard isStale else { return }
    isStale = false
    let w = TensorViews(weights, layout)
    foldInputs(w)
    foldRows(w)
    foldConstant(w)
    foldInward(w)
    foldOutputs(w)
    foldAttention(w)
  }

  private func foldOutputs(_ w: TensorViews) {
    if let unembedding {
      merged.columns(0..<shape.dModel).assign(w.W_out)
      unembedding.columns(0..<shape.classes).assign(w.W_U)
    } else {
      kernels.multiply(w.W_out, w.W_U, into: merged.columns(0..<shape.classes))
    }
    mergedIsFinite = merged.isFinite
  }

  private func foldInputs(_ w: TensorViews) {
    let (token, position) = (w.embeddings.rows(row(shape.equals)), w.embeddings.rows(row(shape.position(2))))
    kernels.add(token, position, into: equalsInput)
    if let b_out = w.b_out {
      kernels.add(equalsInput, b_out, into: equalsOutput)
    } else {
      for column in 0..<shape.dModel { equalsOutput[0, column] = equalsInput[0, column] }
    }
  }

  private func row(_ index: Int) -> Range<Int> { index..<index + 1 }

  private func foldRows(_ w: TensorViews) {
    let (width, dHead) = (shape.width, shape.dHead)
    let leading = outward.columns(shape.leading)
    switch shape.plan.input {
    case .tables: kernels.multiply(w.W_O, w.W_in, into: leading)
    case .direct: leading.assign(w.W_O)
    }
    if let ending = shape.ending {
      switch shape.plan.output {
      case .merged: kernels.multiply(w.W_O, w.W_U, into: outward.columns(ending))
      case .residual: outward.columns(ending).assign(w.W_O)
      }
    }
    for head in 0..<shape.heads {
      let dimensions = head * dHead..<(head + 1) * dHead
      kernels.multiply(w.embeddings, w.W_V(head), into: values.columns(dimensions))
      kernels.multiply(
        values.columns(dimensions), outward.rows(dimensions),
        into: rawRows.columns(head * width..<(head + 1) * width))
    }
    // Row of the value at `=`, position 2.
    kernels.add(
      rawRows.rows(row(shape.equals)), rawRows.rows(row(shape.position(2))), into: equalsRow)
    foldRows(at: 0, into: table0Rows)
    foldRows(at: 1, into: table1Rows)
  }

  private func foldConstant(_ w: TensorViews) {
    let leading = constant.columns(shape.leading)
    switch shape.plan.input {
    case .tables:
      kernels.multiply(equalsInput, w.W_in, into: leading)
      if let b_in = w.b_in { kernels.addColumnSums(of: b_in, to: leading) }
    case .direct: leading.assign(equalsInput)
    }
    if let ending = shape.ending {
      switch shape.plan.output {
      case .merged: kernels.multiply(equalsOutput, w.W_U, into: constant.columns(ending))
      case .residual: constant.columns(ending).assign(equalsOutput)
      }
    }
    kernels.addColumnSums(
      of: equalsRow.split(intoRowsOf: shape.width), to: constant)
  }

  private func foldRows(at position: Int, into table: FloatMatrix) {
    let (equals, shifts) = (equalsRow.pointer(toRow: 0), shift.pointer(toRow: 0))
    let from = rawRows.pointer(toRow: shape.position(position))
    for column in 0..<shift.columns { shifts[column] = from[column] - equals[column] }
    kernels.add(row: shift, to: rawRows.rows(0..<shape.modulus), into: table)
  }

  /// What examples meet by themselves where rows stop before it.
  private func foldInward(_ w: TensorViews) {
    if let inward, let inwardBias {
      inward.columns(0..<shape.dMLP).assign(w.W_in)
      inwardIsFinite = inward.isFinite
      if let b_in = w.b_in { inwardBias.columns(0..<shape.dMLP).assign(b_in) }
    }
    if let streamBias, let b_out = w.b_out { streamBias.columns(0..<shape.dModel).assign(b_out) }
  }

  private func foldAttention(_ w: TensorViews) {
    let scale = 1 / Float(shape.dHead).squareRoot()
    for head in 0..<shape.heads {
      let dimensions = head * shape.dHead..<(head + 1) * shape.dHead
      kernels.multiply(equalsInput, w.W_Q(head), into: query.columns(dimensions))
      for dimension in dimensions { query[0, dimension] *= scale }
      kernels.multiply(
        w.W_K(head), query.columns(dimensions).asColumn, into: queryKeys.columns(head..<head + 1))
    }
    kernels.multiply(w.embeddings, queryKeys, into: scores)
    rawScores = false
    for head in 0..<shape.heads {
      let equals = scores[shape.equals, head] + scores[shape.position(2), head]
      attentionEquals[0, head] = equals
      var (least, most) = (equals, equals)
      for token in 0..<shape.modulus {
        let atFirst = scores[token, head] + scores[shape.position(0), head]
        let atSecond = scores[token, head] + scores[shape.position(1), head]
        attention0[head, token] = atFirst
        attention1[head, token] = atSecond
        least = min(least, atFirst, atSecond)
        most = max(most, atFirst, atSecond)
      }
      // Written so that NaN takes the raw path too.
      if !(most - least <= FoldedModel.widestSpread) { rawScores = true }
    }
    if !rawScores { tabulateExponentials() }
  }

  private func tabulateExponentials() {
    for head in 0..<shape.heads {
      var most = attentionEquals[0, head]
      for token in 0..<shape.modulus { most = max(most, attention0[head, token], attention1[head, token]) }
      for scores in [attention0.rows(head..<head + 1), attention1.rows(head..<head + 1)] {
        kernels.exponentials(of: scores, minus: most, into: scores)
      }
      let equals = attentionEquals.columns(head..<head + 1)
      kernels.exponentials(of: equals, minus: most, into: equals)
    }
  }
}
