// One flat buffer for all tensors of the model, and the layout that names them.
//
// The same type holds values, gradients and both moments, so it is `gradients.W_E`. Shapes follow TransformerLens.

/// A tensor's name in the paper, in the order in which they are laid out.
package enum TensorName: String, CaseIterable, Sendable, Codable {
  case W_E, W_pos, W_Q, W_K, W_V, W_O, W_in, b_in, W_out, b_out, W_U

  /// TransformerLens' name, used in safetensors files.
  package var fileName: String {
    switch self {
    case .W_E: "embed.W_E"
    case .W_pos: "pos_embed.W_pos"
    case .W_Q: "blocks.0.attn.W_Q"
    case .W_K: "blocks.0.attn.W_K"
    case .W_V: "blocks.0.attn.W_V"
    case .W_O: "blocks.0.attn.W_O"
    case .W_in: "blocks.0.mlp.W_in"
    case .b_in: "blocks.0.mlp.b_in"
    case .W_out: "blocks.0.mlp.W_out"
    case .b_out: "blocks.0.mlp.b_out"
    case .W_U: "unembed.W_U"
    }
  }
}

/// Where each tensor lies in the flat buffer; row-major, one after the other, no padding.
package struct ParameterLayout: Hashable, Sendable {
  package struct Tensor: Hashable, Sendable {
    package let name: TensorName
    package let shape: [Int]
    package let offset: Int
    package let count: Int
    package var range: Range<Int> { offset..<(offset + count) }
  }

  package let modulus: Int
  package let model: ModelShape
  /// In the order of `TensorName`; without `b_in` and `b_out` when biases are off.
  package let tensors: [Tensor]
  /// Scalars in all tensors together.
  package let count: Int

  package init(modulus: Int, model: ModelShape) {
    self.modulus = modulus
    self.model = model
    let (dModel, heads, dHead, dMLP) = (model.dModel, model.heads, model.dHead, model.dMLP)
    var tensors: [Tensor] = []
    var offset = 0
    for name in TensorName.allCases {
      let shape: [Int]
      switch name {
      case .W_E: shape = [modulus + 1, dModel]  // (d_vocab, d_model)
      case .W_pos: shape = [3, dModel]  // (n_ctx, d_model)
      case .W_Q, .W_K, .W_V: shape = [heads, dModel, dHead]
      case .W_O: shape = [heads, dHead, dModel]
      case .W_in: shape = [dModel, dMLP]
      case .b_in: shape = [dMLP]
      case .W_out: shape = [dMLP, dModel]
      case .b_out: shape = [dModel]
      case .W_U: shape = [dModel, model.dVocabOut]
      }
      if !model.biases && (name == .b_in || name == .b_out) { continue }
      let count = shape.reduce(1, *)
      tensors.append(Tensor(name: name, shape: shape, offset: offset, count: count))
      offset += count
    }
    self.tensors = tensors
    self.count = offset
  }

  package init(_ experiment: Experiment) {
    self.init(modulus: experiment.task.modulus, model: experiment.model)
  }

  /// The tensor, or nil for a bias of a model without biases.
  package subscript(_ name: TensorName) -> Tensor? { tensors.first { $0.name == name } }
}

/// Values, gradients or moments of one model.
package struct Parameters<Scalar: BinaryFloatingPoint & Sendable>: Sendable {
  package let layout: ParameterLayout
  /// All tensors, `layout.count` scalars.
  package var storage: [Scalar]

  package init(_ layout: ParameterLayout) {
    self.layout = layout
    self.storage = [Scalar](repeating: 0, count: layout.count)
  }

  package init(_ layout: ParameterLayout, storage: [Scalar]) {
    precondition(storage.count == layout.count, "\(storage.count) scalars for a layout of \(layout.count)")
    self.layout = layout
    self.storage = storage
  }

  /// One tensor's scalars, row-major; empty for a bias of a model without biases.
  package subscript(_ name: TensorName) -> [Scalar] {
    get { layout[name].map { Array(storage[$0.range]) } ?? [] }
    set {
      guard let tensor = layout[name] else { return precondition(newValue.isEmpty, "\(name) does not exist here") }
      precondition(newValue.count == tensor.count, "\(name) has \(tensor.count) scalars, not \(newValue.count)")
      storage.replaceSubrange(tensor.range, with: newValue)
    }
  }

  package var W_E: [Scalar] { self[.W_E] }  // (d_vocab, d_model)
  package var W_pos: [Scalar] { self[.W_pos] }  // (n_ctx, d_model)
  package var W_Q: [Scalar] { self[.W_Q] }  // (n_heads, d_model, d_head)
  package var W_K: [Scalar] { self[.W_K] }  // (n_heads, d_model, d_head)
  package var W_V: [Scalar] { self[.W_V] }  // (n_heads, d_model, d_head)
  package var W_O: [Scalar] { self[.W_O] }  // (n_heads, d_head, d_model)
  package var W_in: [Scalar] { self[.W_in] }  // (d_model, d_mlp)
  package var b_in: [Scalar] { self[.b_in] }  // (d_mlp)
  package var W_out: [Scalar] { self[.W_out] }  // (d_mlp, d_model)
  package var b_out: [Scalar] { self[.b_out] }  // (d_model)
  package var W_U: [Scalar] { self[.W_U] }  // (d_model, d_vocab_out)
}
