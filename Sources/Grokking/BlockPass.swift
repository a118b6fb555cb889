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
  /// Mixed rows, in which neurons take the place of their pre-activations: (capacity, width).
  let rows: FloatMatrix
  /// (capacity, hidden): the start of `rows` where that holds pre-activations.
  private let neuronRows: FloatMatrix
  /// (capacity, outputs): the end of `rows` where that holds outputs.
  private let outputRows: FloatMatrix
  /// (capacity, logit columns): the outputs where those are logits. `crossEntropy` turns logits into their gradients.
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
    neuronRows = shape.plan.input == .tables ? rows.columns(0..<shape.hidden) : matrix(capacity, shape.hidden)
    outputRows = shape.ending == nil ? matrix(capacity, shape.outputs) : rows.columns(shape.lead..<shape.width)
    logitRows = shape.plan.output == .merged ? outputRows : matrix(capacity, shape.logitColumns)
    derivatives = activation == .gelu ? matrix(capacity, shape.hidden) : nil
    self.buffers = buffers
    losses = .allocate(capacity: capacity)
    correct = .allocate(capacity: capacity)
  }

  deinit {
    losses.deallocate()
    correct.deallocate()
  }

  /// The residual stream that W_in reads, where rows start with it, zero behind the last: (count, stream).
  func stream(_ count: Int) -> FloatMatrix { rows.rows(0..<count).columns(0..<shape.stream) }
  /// Neurons of the last block, zero from d_mlp on: (count, hidden).
  func neurons(_ count: Int) -> FloatMatrix { neuronRows.rows(0..<count) }
  /// Logits or the residual stream, or their gradients, zero behind the last: (count, outputs).
  func outputs(_ count: Int) -> FloatMatrix { outputRows.rows(0..<count) }
  /// Logits or their gradients, zero from d_vocab_out on: (count, logit columns).
  func logits(_ count: Int) -> FloatMatrix { logitRows.rows(0..<count) }

  /// Rows of less than three vectors are too short to gain by leaving out zeros.
  static let shortestWorthwhile = 48
  /// Whether about half of the neurons, and of their gradients, are zero.
  var isHalfZero: Bool { derivatives == nil }

  /// Whether products of neurons may leave out those that are zero: nothing infinite, which a zero would turn into NaN,
  /// may stand behind them. Either way the bits are the same.
  func skipsZeros(_ model: FoldedModel) -> Bool {
    isHalfZero && model.mergedIsFinite && shape.outputs >= BlockPass.shortestWorthwhile
  }

  /// Fills attention, neurons and logits of these examples.
  func forward(_ pairs: TokenPairs, _ model: FoldedModel, _ observer: PhaseObserver? = nil) {
    kernels.attention(
      of: pairs, scores0: model.attention0, scores1: model.attention1, equals: model.attentionEquals,
      raw: model.rawScores, into: attention0, attention1)
    kernels.mix(
      pairs, model.table0, model.table1, constant: model.constant, weights0: attention0, weights1: attention1,
      hidden: shape.plan.input == .tables ? shape.hidden : 0, activation: activating, into: rows)
    observer?(.gather)
    forwardStream(pairs.count, model)
    let active = neurons(pairs.count).columns(0..<shape.dMLP)
    if skipsZeros(model) {
      kernels.multiplyActive(active, model.merged, addingTo: outputs(pairs.count))
    } else {
      kernels.multiply(active, model.merged, into: outputs(pairs.count), accumulating: true)
    }
    if let unembedding = model.unembedding {
      let classes = 0..<shape.classes
      kernels.multiply(
        outputs(pairs.count).columns(0..<shape.dModel), unembedding.columns(classes),
        into: logits(pairs.count).columns(classes))
    }
    observer?(.products)
  }

  private var activating: Kernels.Activating { derivatives.map { .gelu(derivatives: $0) } ?? .relu }

  /// From the residual stream to neurons, and to outputs without them, where rows do not hold these already.
  private func forwardStream(_ count: Int, _ model: FoldedModel) {
    if let inward = model.inward, let inwardBias = model.inwardBias {
      kernels.multiply(stream(count).columns(0..<shape.dModel), inward, into: neurons(count))
      kernels.activate(neurons(count), adding: inwardBias, activating)
    }
    if let streamBias = model.streamBias {
      kernels.add(row: streamBias, to: stream(count), into: outputs(count))
    }
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

  mutating func add(_ other: LossTotal) {
    loss += other.loss
    correct += other.correct
    count += other.count
  }

  var mean: LossAndAccuracy {
    LossAndAccuracy(loss: loss / Double(count), accuracy: Double(correct) / Double(count))
  }
}
