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
  /// Neurons, then logits: (capacity, width). `crossEntropy` turns the logits into their gradients.
  let rows: FloatMatrix
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
  /// Logits or their gradients, zero from d_vocab_out on: (count, outputs).
  func logits(_ count: Int) -> FloatMatrix { rows.rows(0..<count).columns(shape.hidden..<shape.width) }

  /// Fills attention, neurons and logits of these examples.
  func forward(_ pairs: TokenPairs, _ model: FoldedModel) {
    kernels.attention(
      of: pairs, scores0: model.attention0, scores1: model.attention1, equals: model.attentionEquals,
      raw: model.rawScores, into: attention0, attention1)
    kernels.mix(
      pairs, model.table0, model.table1, constant: model.constant, weights0: attention0, weights1: attention1,
      hidden: shape.hidden, activation: derivatives.map { .gelu(derivatives: $0) } ?? .relu, into: rows)
    kernels.multiply(neurons(pairs.count), model.merged, into: logits(pairs.count), accumulating: true)
  }

  /// Losses of the last forward pass, added up in float64 in the examples' order.
  func crossEntropy(_ labels: UnsafeBufferPointer<Int32>, gradientScale: Float?, into total: inout LossTotal) {
    kernels.crossEntropy(
      rows.columns(shape.hidden..<shape.width), classes: shape.classes, labels: labels, gradientScale: gradientScale,
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
