// From gradients of tables to gradients of weights: the folding of `FoldedModel`, walked backwards once per epoch.

import Kernels

/// Scratch space and the walk itself.
final class TableUnfolding {
  /// Gradients summed over examples, in the shapes of `FoldedModel`'s tables.
  struct Tables {
    let rows0: FloatMatrix  // (p, heads·width)
    let rows1: FloatMatrix  // (p, heads·width)
    let constant: FloatMatrix  // (1, width)
    let inward: InwardGradients?
    let merged: FloatMatrix  // (d_mlp, outputs)
    let unembedding: FloatMatrix?  // (d_model, logit columns)
    let scores0: FloatMatrix  // (heads, p)
    let scores1: FloatMatrix  // (heads, p)
  }

  private let shape: FoldedShape
  private let kernels: Kernels
  private let rawRows: FloatMatrix  // (p+4, heads·width)
  private let rowSums: FloatMatrix  // (2, heads·width): of rows0, of rows1
  private let outward: FloatMatrix  // (heads·d_head, width)
  private let values: FloatMatrix  // (p+4, heads·d_head)
  private let scores: FloatMatrix  // (p+4, heads)
  private let queryKeys: FloatMatrix  // (d_model, heads)
  private let query: FloatMatrix  // (1, d_model)
  private let equals: FloatMatrix  // (1, d_model)
  private let column: FloatMatrix  // (1, d_model)
  private let W_U_T: FloatMatrix  // (d_vocab_out, d_model)
  private let W_in_T: FloatMatrix?  // (d_mlp, d_model), where rows hold pre-activations
  private let W_V_T: FloatMatrix  // (heads·d_head, d_model)
  private let outward_T: FloatMatrix  // (width, heads·d_head)
  private let queryKeys_T: FloatMatrix  // (heads, d_model)
  private let buffers: [FloatBuffer]

  init(_ shape: FoldedShape, kernels: Kernels) {
    self.shape = shape
    self.kernels = kernels
    var buffers: [FloatBuffer] = []
    func matrix(_ rows: Int, _ columns: Int) -> FloatMatrix {
      let buffer = FloatBuffer(rows * columns)
      buffers.append(buffer)
      return buffer.matrix(rows, columns)
    }
    let (dModel, heads) = (shape.dModel, shape.heads)
    rawRows = matrix(shape.embeddings, heads * shape.width)
    rowSums = matrix(2, heads * shape.width)
    outward = matrix(dModel, shape.width)
    values = matrix(shape.embeddings, dModel)
    scores = matrix(shape.embeddings, heads)
    queryKeys = matrix(dModel, heads)
    query = matrix(1, dModel)
    equals = matrix(1, dModel)
    column = matrix(1, dModel)
    W_U_T = matrix(shape.classes, dModel)
    W_in_T = shape.plan.input == .tables ? matrix(shape.dMLP, dModel) : nil
    W_V_T = matrix(dModel, dModel)
    outward_T = matrix(shape.width, dModel)
    queryKeys_T = matrix(heads, dModel)
    self.buffers = buffers
  }

  /// Writes the gradient of every tensor into `g`.
  func unfold(_ tables: Tables, _ model: FoldedModel, weights w: TensorViews, into g: TensorViews) {
    kernels.transpose(w.W_U, into: W_U_T)
    if let W_in_T { kernels.transpose(w.W_in, into: W_in_T) }
    kernels.transpose(model.outward, into: outward_T)
    for head in 0..<shape.heads { kernels.transpose(w.W_V(head), into: W_V_T.rows(dimensions(head))) }
    kernels.transpose(model.queryKeys, into: queryKeys_T)

    unfoldRows(tables)
    unfoldOutward(tables, model, w, g)
    unfoldValues(model, w, g)
    unfoldAttention(tables, model, w, g)
    // x at `=` is that token's embedding plus position 2's.
    addEquals(to: g.embeddings, row: shape.equals)
    addEquals(to: g.embeddings, row: shape.position(2))
  }

  private func addEquals(to embeddings: FloatMatrix, row: Int) {
    let gradient = embeddings.rows(row..<row + 1)
    kernels.add(gradient, equals, into: gradient)
  }

  private func dimensions(_ head: Int) -> Range<Int> { head * shape.dHead..<(head + 1) * shape.dHead }

  /// A token's row served at both positions; positions got every token's; `=` what attention the others left.
  private func unfoldRows(_ tables: Tables) {
    let (p, width) = (shape.modulus, shape.width)
    kernels.add(tables.rows0, tables.rows1, into: rawRows.rows(0..<p))
    rowSums.pointer(toRow: 0).update(repeating: 0, count: 2 * rowSums.columns)
    kernels.addColumnSums(of: tables.rows0, to: rowSums.rows(0..<1))
    kernels.addColumnSums(of: tables.rows1, to: rowSums.rows(1..<2))
    let (sums0, sums1) = (rowSums.pointer(toRow: 0), rowSums.pointer(toRow: 1))
    let (equals, constant) = (rawRows.pointer(toRow: shape.equals), tables.constant.pointer(toRow: 0))
    for head in 0..<shape.heads {
      for column in 0..<width {
        equals[head * width + column] = constant[column] - sums0[head * width + column] - sums1[head * width + column]
      }
    }
    rawRows.pointer(toRow: shape.position(0)).update(from: sums0, count: rowSums.columns)
    rawRows.pointer(toRow: shape.position(1)).update(from: sums1, count: rowSums.columns)
    rawRows.pointer(toRow: shape.position(2)).update(from: equals, count: rowSums.columns)
  }

  /// W_O, W_in, W_U, W_out, the biases, and x at `=` as far as it reaches the output directly.
  private func unfoldOutward(_ tables: Tables, _ model: FoldedModel, _ w: TensorViews, _ g: TensorViews) {
    for head in 0..<shape.heads {
      kernels.multiply(
        model.values.columns(dimensions(head)).transposed,
        rawRows.columns(head * shape.width..<(head + 1) * shape.width), into: outward.rows(dimensions(head)))
    }
    let (leading, constant) = (outward.columns(shape.leading), tables.constant.columns(shape.leading))
    if let W_in_T {
      kernels.multiply(leading, W_in_T, into: g.W_O)
      kernels.multiply(w.W_O.transposed, leading, into: g.W_in)
      kernels.multiply(model.equalsInput.transposed, constant, into: g.W_in, accumulating: true)
      g.b_in?.assign(constant)
    } else {
      g.W_O.assign(leading)
      tables.inward?.finish(into: g)
    }
    unfoldOutputs(tables, model, w, g)
    if let W_in_T {
      kernels.multiply(constant, W_in_T, into: equals, accumulating: true)
    } else {
      equals.add(constant)
    }
  }

  /// W_U, W_out, b_out, and W_O and x at `=` as far as they act through a row's end.
  private func unfoldOutputs(_ tables: Tables, _ model: FoldedModel, _ w: TensorViews, _ g: TensorViews) {
    let merged = tables.merged.columns(0..<shape.outputCount)
    if let unembedding = tables.unembedding {
      g.W_U.assign(unembedding.columns(0..<shape.classes))
      g.W_out.assign(merged)
    } else {
      kernels.multiply(merged, W_U_T, into: g.W_out)
    }
    // Where the row's start is the whole residual stream, W_O and x at `=` get everything from there.
    guard let ending = shape.ending else { return equals.clear() }
    let (outward, constant) = (outward.columns(ending), tables.constant.columns(ending))
    switch shape.plan.output {
    case .merged:
      kernels.multiply(outward, W_U_T, into: g.W_O, accumulating: true)
      kernels.multiply(w.W_O.transposed, outward, into: g.W_U)
      kernels.multiply(model.equalsOutput.transposed, constant, into: g.W_U, accumulating: true)
      kernels.multiply(w.W_out.transposed, merged, into: g.W_U, accumulating: true)
      kernels.multiply(constant, W_U_T, into: equals)
    case .residual:
      g.W_O.add(outward)
      equals.assign(constant)
    }
    g.b_out?.assign(equals)
  }

  /// W_V, and the embeddings as far as they act through values.
  private func unfoldValues(_ model: FoldedModel, _ w: TensorViews, _ g: TensorViews) {
    for head in 0..<shape.heads {
      let gradient = values.columns(dimensions(head))
      kernels.multiply(
        rawRows.columns(head * shape.width..<(head + 1) * shape.width), outward_T.columns(dimensions(head)),
        into: gradient)
      kernels.multiply(w.embeddings.transposed, gradient, into: g.W_V(head))
    }
    kernels.multiply(values, W_V_T, into: g.embeddings)
  }

  /// W_Q, W_K, and the embeddings as far as they act through scores.
  private func unfoldAttention(_ tables: Tables, _ model: FoldedModel, _ w: TensorViews, _ g: TensorViews) {
    for head in 0..<shape.heads {
      var (sum0, sum1): (Float, Float) = (0, 0)
      for token in 0..<shape.modulus {
        let (at0, at1) = (tables.scores0[head, token], tables.scores1[head, token])
        scores[token, head] = at0 + at1
        sum0 += at0
        sum1 += at1
      }
      scores[shape.position(0), head] = sum0
      scores[shape.position(1), head] = sum1
      // A softmax's score gradients sum to 0.
      scores[shape.equals, head] = -(sum0 + sum1)
      scores[shape.position(2), head] = -(sum0 + sum1)
    }
    kernels.multiply(scores, queryKeys_T, into: g.embeddings, accumulating: true)
    kernels.multiply(w.embeddings.transposed, scores, into: queryKeys)
    let scale = 1 / Float(shape.dHead).squareRoot()
    for head in 0..<shape.heads {
      let queryKey = queryKeys.columns(head..<head + 1)
      kernels.multiply(queryKey, model.query.columns(dimensions(head)), into: g.W_K(head))
      let query = query.columns(dimensions(head))
      kernels.multiply(queryKey.transposed, w.W_K(head), into: query)
      for index in 0..<shape.dHead { query[0, index] *= scale }
      kernels.multiply(model.equalsInput.transposed, query, into: g.W_Q(head))
      kernels.multiply(w.W_Q(head), query.asColumn, into: column.asColumn)
      for index in 0..<shape.dModel { equals[0, index] += column[0, index] }
    }
  }
}
