// The backward pass between neurons and residual stream, where table rows stop at that stream (`StepPlan.Input.direct`):
// the gradients of W_in and b_in, and of b_out where no row holds it, summed over examples.

import Kernels

/// Sums of one epoch.
final class InwardGradients {
  private let shape: FoldedShape
  private let kernels: Kernels
  /// Of W_inᵀ, whose rows are as long as the stream's: (d_mlp, stream).
  private let inward: FloatMatrix
  private let inwardBias: FloatMatrix  // (1, hidden)
  private let streamBias: FloatMatrix?  // (1, stream)
  /// W_inᵀ, rebuilt each epoch: (d_mlp, stream).
  private let inwardTransposed: FloatMatrix
  private let sums: [FloatBuffer]
  private let scratch: FloatBuffer

  init(_ shape: FoldedShape, kernels: Kernels) {
    self.shape = shape
    self.kernels = kernels
    sums = [FloatBuffer(shape.dMLP * shape.stream), FloatBuffer(shape.hidden), FloatBuffer(shape.stream)]
    scratch = FloatBuffer(shape.dMLP * shape.stream)
    inward = sums[0].matrix(shape.dMLP, shape.stream)
    inwardBias = sums[1].matrix(1, shape.hidden)
    streamBias = shape.ending == nil ? sums[2].matrix(1, shape.stream) : nil
    inwardTransposed = scratch.matrix(shape.dMLP, shape.stream)
  }

  /// Before the first block of an epoch.
  func begin(_ model: FoldedModel) {
    for buffer in sums { buffer.clear() }
    guard let inward = model.inward else { return }
    kernels.transpose(inward.columns(0..<shape.dMLP), into: inwardTransposed.columns(0..<shape.dModel))
  }

  /// Adds one block, whose neurons in `pass` have become gradients of their pre-activations and whose outputs are
  /// gradients too. The streams in `pass.rows` become theirs.
  func add(_ count: Int, _ pass: BlockPass, _ model: FoldedModel) {
    let (neurons, stream) = (pass.neurons(count), pass.stream(count))
    kernels.addColumnSums(of: neurons, to: inwardBias)
    let active = neurons.columns(0..<shape.dMLP)
    // Where a neuron is zero its gradient is.
    let leavesOutZeros = pass.isHalfZero && shape.stream >= BlockPass.shortestWorthwhile
    if leavesOutZeros && stream.isFinite {
      kernels.multiplyActive(active.transposed, stream, addingTo: inward)
    } else {
      kernels.multiply(active.transposed, stream, into: inward, accumulating: true)
    }
    switch shape.plan.output {
    case .merged: stream.clear()
    case .residual: stream.assign(pass.outputs(count))
    }
    if let streamBias { kernels.addColumnSums(of: stream, to: streamBias) }
    if leavesOutZeros && model.inwardIsFinite {
      kernels.multiplyActive(active, inwardTransposed, addingTo: stream)
    } else {
      kernels.multiply(active, inwardTransposed, into: stream, accumulating: true)
    }
  }

  /// After the last block: writes the gradients of W_in and b_in, and of b_out if it is here.
  func finish(into gradients: TensorViews) {
    kernels.transpose(inward.columns(0..<shape.dModel), into: gradients.W_in)
    gradients.b_in?.assign(inwardBias.columns(0..<shape.dMLP))
    if let streamBias { gradients.b_out?.assign(streamBias.columns(0..<shape.dModel)) }
  }
}
