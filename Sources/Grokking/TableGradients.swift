// The backward pass: first over examples into gradients of the tables, then from the tables to the weights.
//
// Over examples only the large products and the spreading of rows remain; everything else is a small product
// on tables, done once per epoch. Gradients are of the tensors before folding, so nothing here is an approximation.

import Kernels

/// Gradients of the tables of a `FoldedModel`, added up over examples.
final class TableGradients {
  private let shape: FoldedShape
  private let layout: ParameterLayout
  private let kernels: Kernels

  private let table0: TokenTable
  private let table1: TokenTable
  private let table0Rows: FloatMatrix  // (p, heads·width)
  private let table1Rows: FloatMatrix  // (p, heads·width)
  private let constant: FloatMatrix  // (1, width)
  /// Of W_in, b_in and b_out where table rows stop before them.
  private let inward: InwardGradients?
  private let merged: FloatMatrix  // (d_mlp, outputs)
  /// Its last columns, when they are few: (outputs mod 16, d_mlp).
  private let mergedTail: FloatMatrix?
  private let unembedding: FloatMatrix?  // (d_model, logit columns)
  private let scores0: FloatMatrix  // (heads, p)
  private let scores1: FloatMatrix  // (heads, p)
  /// Mᵀ, rebuilt each epoch: (outputs, hidden).
  private let mergedTransposed: FloatMatrix
  /// W_Uᵀ likewise where outputs are not logits yet: (d_vocab_out, d_model).
  private let unembeddingTransposed: FloatMatrix?
  /// Gradients of attention weights of one block, then of its scores: (heads, capacity).
  private let attention0: FloatMatrix
  private let attention1: FloatMatrix
  private let unfolding: TableUnfolding
  private let buffers: [FloatBuffer]
  private let sums: [FloatBuffer]

  private static let fewColumns = 4

  init(_ shape: FoldedShape, _ layout: ParameterLayout, activation: Activation, capacity: Int, kernels: Kernels) {
    self.layout = layout
    self.kernels = kernels
    self.shape = shape
    let (p, heads, width) = (shape.modulus, shape.heads, shape.width)
    var sums: [FloatBuffer] = []
    func sum(_ rows: Int, _ columns: Int) -> FloatMatrix {
      let buffer = FloatBuffer(rows * columns)
      sums.append(buffer)
      return buffer.matrix(rows, columns)
    }
    table0Rows = sum(p, heads * width)
    table0 = TokenTable(sums[0], tokens: p, heads: heads, width: width)
    table1Rows = sum(p, heads * width)
    table1 = TokenTable(sums[1], tokens: p, heads: heads, width: width)
    constant = sum(1, width)
    inward = shape.plan.input == .direct ? InwardGradients(shape, kernels: kernels) : nil
    merged = sum(shape.dMLP, shape.outputs)
    let residual = shape.plan.output == .residual
    unembedding = residual ? sum(shape.dModel, shape.logitColumns) : nil
    let tail = shape.outputCount % 16
    let hasTail =
      activation == .relu && shape.outputs >= BlockPass.shortestWorthwhile
      && (1...TableGradients.fewColumns).contains(tail)
    mergedTail = hasTail ? sum(tail, shape.dMLP) : nil
    scores0 = sum(heads, p)
    scores1 = sum(heads, p)
    self.sums = sums
    let scratch = [
      FloatBuffer(shape.outputs * shape.hidden), FloatBuffer(heads * capacity), FloatBuffer(heads * capacity),
      FloatBuffer(residual ? shape.classes * shape.dModel : 0),
    ]
    mergedTransposed = scratch[0].matrix(shape.outputs, shape.hidden)
    attention0 = scratch[1].matrix(heads, capacity)
    attention1 = scratch[2].matrix(heads, capacity)
    unembeddingTransposed = residual ? scratch[3].matrix(shape.classes, shape.dModel) : nil
    buffers = scratch
    unfolding = TableUnfolding(shape, kernels: kernels)
  }

  /// Before the first block of an epoch.
  func begin(_ model: FoldedModel) {
    for buffer in sums { buffer.clear() }
    inward?.begin(model)
    kernels.transpose(model.merged, into: mergedTransposed.columns(0..<shape.dMLP))
    if let unembedding = model.unembedding, let unembeddingTransposed {
      kernels.transpose(unembedding.columns(0..<shape.classes), into: unembeddingTransposed)
    }
  }

  /// Adds one block, whose logits in `pass` have become their gradients. Overwrites the block's neurons.
  func add(
    _ block: ExampleBlocks.Block, _ tokens: TokenPairs, _ pass: BlockPass, _ model: FoldedModel,
    _ observer: PhaseObserver?
  ) {
    let count = block.range.count
    let outputs = pass.outputs(count)
    if let unembedding, let unembeddingTransposed {
      let (logits, stream) = (pass.logits(count), outputs.columns(0..<shape.dModel))
      kernels.multiply(stream.transposed, logits, into: unembedding, accumulating: true)
      kernels.multiply(logits.columns(0..<shape.classes), unembeddingTransposed, into: stream)
    }
    let neurons = pass.neurons(count)
    let active = neurons.columns(0..<shape.dMLP)
    if pass.skipsZeros(model) {
      addMerged(active, outputs)
    } else {
      kernels.multiply(active.transposed, outputs, into: merged, accumulating: true)
    }
    kernels.multiply(
      outputs.columns(0..<shape.outputCount), mergedTransposed.rows(0..<shape.outputCount), into: neurons,
      finish: pass.derivatives.map { .times($0.rows(0..<count)) } ?? .wherePositive(neurons))
    inward?.add(count, pass, model)
    observer?(.products)
    let rows = pass.rows.rows(0..<count)
    kernels.addColumnSums(of: rows, to: constant)
    kernels.scatter(rows, weights: pass.attention0, over: block.byFirst, into: table0)
    kernels.scatter(rows, weights: pass.attention1, over: block.bySecond, into: table1)
    kernels.dots(rows, with: model.table0, over: block.byFirst, into: attention0)
    kernels.dots(rows, with: model.table1, over: block.bySecond, into: attention1)
    kernels.attentionBackward(
      count: count, weights0: pass.attention0, weights1: pass.attention1, gradients0: attention0,
      gradients1: attention1)
    kernels.addScores(attention0, of: tokens, first: true, to: scores0)
    kernels.addScores(attention1, of: tokens, first: false, to: scores1)
    observer?(.scatter)
  }

  /// merged += neuronsᵀ·outputs. A few columns behind the last whole vector would cost as much as sixteen, so they are
  /// summed as rows of their own, whose vectors run along the neurons.
  private func addMerged(_ neurons: FloatMatrix, _ outputs: FloatMatrix) {
    let whole = shape.outputCount - (mergedTail?.rows ?? 0)
    if whole > 0 {
      let columns = 0..<(mergedTail == nil ? shape.outputs : whole)
      kernels.multiplyActive(neurons.transposed, outputs.columns(columns), addingTo: merged.columns(columns))
    }
    if let mergedTail {
      kernels.multiply(
        outputs.columns(whole..<shape.outputCount).transposed, neurons, into: mergedTail, accumulating: true)
    }
  }

  /// After the last block: writes the gradient of every tensor.
  func finish(_ model: FoldedModel, weights: FloatBuffer, into gradients: FloatBuffer) {
    if let mergedTail, model.mergedIsFinite {
      kernels.transpose(mergedTail, into: merged.columns(shape.outputCount - mergedTail.rows..<shape.outputCount))
    }
    unfolding.unfold(
      TableUnfolding.Tables(
        rows0: table0Rows, rows1: table1Rows, constant: constant, inward: inward, merged: merged,
        unembedding: unembedding, scores0: scores0, scores1: scores1),
      model, weights: TensorViews(weights, layout), into: TensorViews(gradients, layout))
  }
}
