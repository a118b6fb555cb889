// The tensors of a flat buffer as matrices for the kernels.

import Kernels

/// Views of weights, or of gradients, in the layout's order; the buffer must outlive them.
struct TensorViews {
  private let buffer: FloatBuffer
  private let layout: ParameterLayout

  init(_ buffer: FloatBuffer, _ layout: ParameterLayout) {
    precondition(buffer.count == layout.count, "\(buffer.count) floats for a layout of \(layout.count)")
    self.buffer = buffer
    self.layout = layout
  }

  private var dModel: Int { layout.model.dModel }
  private var dHead: Int { layout.model.dHead }

  private func matrix(_ name: TensorName, _ rows: Int, _ columns: Int, at offset: Int = 0) -> FloatMatrix {
    buffer.matrix(rows, columns, at: layout[name]!.offset + offset)
  }

  /// W_E's p+1 rows and W_pos's 3 behind them: (p+4, d_model).
  var embeddings: FloatMatrix { matrix(.W_E, layout.modulus + 4, dModel) }
  /// Of one head: (d_model, d_head).
  func W_Q(_ head: Int) -> FloatMatrix { matrix(.W_Q, dModel, dHead, at: head * dModel * dHead) }
  func W_K(_ head: Int) -> FloatMatrix { matrix(.W_K, dModel, dHead, at: head * dModel * dHead) }
  func W_V(_ head: Int) -> FloatMatrix { matrix(.W_V, dModel, dHead, at: head * dModel * dHead) }
  /// Of all heads: (heads·d_head, d_model).
  var W_O: FloatMatrix { matrix(.W_O, layout.model.heads * dHead, dModel) }
  /// (d_model, d_mlp)
  var W_in: FloatMatrix { matrix(.W_in, dModel, layout.model.dMLP) }
  /// (d_mlp, d_model)
  var W_out: FloatMatrix { matrix(.W_out, layout.model.dMLP, dModel) }
  /// (d_model, d_vocab_out)
  var W_U: FloatMatrix { matrix(.W_U, dModel, layout.model.dVocabOut) }
  /// (1, d_mlp); nil without biases.
  var b_in: FloatMatrix? { layout.model.biases ? matrix(.b_in, 1, layout.model.dMLP) : nil }
  /// (1, d_model); nil without biases.
  var b_out: FloatMatrix? { layout.model.biases ? matrix(.b_out, 1, dModel) : nil }
}
