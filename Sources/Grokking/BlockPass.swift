// The forward pass of one block of examples, from tokens to logits and losses.

import Kernels

/// Scratch space for one block, and what its last forward pass left there.
final class BlockPass {
  let capacity: Int
  private let shape: FoldedShape
  private let activation: Activation
  private let kernels: Kernels

  /// Attention to the first and second token: (heads, capacity).
  let attention0: FloatMatrix
  let attention1: FloatMatrix
  /// Neurons, then outputs: (capacity, width). `crossEntropy` turns logits into their gradients.
  let rows: FloatMatrix
  /// (capacity, logit columns): the end of `rows` where that holds logits.
  private let logitRows: FloatMatrix
  /// GELU's derivatives (capacity, hidden); nil for ReLU, which needs none.
  let derivatives: FloatMatrix?
  private let losses: UnsafeMutableBufferPointer<Float>
  private let correct: UnsafeMutableBufferPointer<Int32>
  private let buffers: [FloatBuffer]

  init(_ shape: FoldedShape, activation: Activation, capacity: Int, kernels: Kernels) {
    self.shape = shape
    self.activation = activation
    self.capacity = capacity
    self.kernels = kernels
    var buffers: [FloatBuffer] = []
    func matrix(_ rows: Int, _ columns: Int) -> FloatMatrix {
      let buffer = FloatBuffer(rows * columns)
      buffers.append(buffer)
      return buffer.matrix(rows, columns)
    }
    attention0 = matrix(shape.heads, capacity)
    attention1 = matrix(shape.heads, capacity)
    rows = matrix(capacity, shape.width)
    logitRows =
      shape.plan.output == .merged ? rows.columns(shape.hidden..<shape.width) : matrix(capacity, shape.logitColumns)
    derivatives = activation == .gelu ? matrix(capacity, shape.hidden) : nil
    self.buffers = buffers
    losses = .allocate(capacity: capacity)
    correct = .allocate(capacity: capacity)
  }

  deinit {
    losses.deallocate()
    correct.deallocate()
  }

  /// Neurons of the last block: (count, d_mlp).
  func neurons(_ count: Int) -> FloatMatrix { rows.rows(0..<count).columns(0..<shape.dMLP) }
  /// Logits or the residual stream, or their gradients, zero behind the last: (count, outputs).
  func outputs(_ count: Int) -> FloatMatrix { rows.rows(0..<count).columns(shape.hidden..<shape.width) }
  /// Logits or their gradients, zero from d_vocab_out on: (count, logit columns).
  func logits(_ count: Int) -> FloatMatrix { logitRows.rows(0..<count) }

  /// Whether products may leave out neurons that are zero: with ReLU about half are, and nothing infinite that a zero
  /// would turn into NaN stands behind them. Rows of less than three vectors are too short to gain by it. Either way
  /// the bits are the same.
  func skipsZeros(_ model: FoldedModel) -> Bool {
    derivatives == nil && model.mergedIsFinite && shape.outputs >= 48
  }

  /// Fills attention, neurons and logits of these examples.
  func forward(_ pairs: TokenPairs, _ model: FoldedModel, _ observer: PhaseObserver? = nil) {
    kernels.attention(
      of: pairs, scores0: model.attention0, scores1: model.attention1, equals: model.attentionEquals,
      raw: model.rawScores, into: attention0, attention1)
    kernels.mix(
      pairs, model.table0, model.table1, constant: model.constant, weights0: attention0, weights1: attention1,
      hidden: shape.hidden, activation: derivatives.map { .gelu(derivatives: $0) } ?? .relu, into: rows)
    observer?(.gather)
    if skipsZeros(model) {
      kernels.multiplyActive(neurons(pairs.count), model.merged, addingTo: outputs(pairs.count))
    } else {
      kernels.multiply(neurons(pairs.count), model.merged, into: outputs(pairs.count), accumulating: true)
    }
    if let unembedding = model.unembedding {
      let classes = 0..<shape.classes
      kernels.multiply(
        outputs(pairs.count).columns(0..<shape.dModel), unembedding.columns(classes),
        into: logits(pairs.count).columns(classes))
    }
    observer?(.products)
  }

  /// Losses of the last forward pass, added up in float64 in the examples' order.
  func crossEntropy(_ labels: UnsafeBufferPointer<Int32>, gradientScale: Float?, into total: inout LossTotal) {
    kernels.crossEntropy(
      logitRows, classes: shape.classes, labels: labels, gradientScale: gradientScale,
      losses: losses, correct: correct)
    for example in 0..<labels.count {
      total.loss += Double(losses[example])
      total.correct += Int(correct[example])
    }
    total.count += labels.count
  }
}

/// Sums over examples.
struct LossTotal {
  var loss = 0.0
  var correct = 0
  var count = 0

  var mean: LossAndAccuracy {
    LossAndAccuracy(loss: loss / Double(count), accuracy: Double(correct) / Double(count))
  }
}
