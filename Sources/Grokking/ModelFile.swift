// A model in a safetensors file: TransformerLens' names and shapes, and the split it was trained on.
//
// Whoever wrote it: sizes are inferred from the shapes, and whatever this project's one-layer transformer does not have
// (more layers, LayerNorm, attention biases that are not zero) is refused by name. `measures.md` section 6.

/// Weights, split and metadata of one model.
package struct ModelFile: Sendable {
  package var weights: Parameters<Float>
  /// Whether pair a·p+b was trained on, p² entries; nil when the file does not say.
  package var trainMask: [Bool]?
  package var metadata: [String: String]

  package init(weights: Parameters<Float>, trainMask: [Bool]?, metadata: [String: String] = [:]) {
    self.weights = weights
    self.trainMask = trainMask
    self.metadata = metadata
  }

  package var modulus: Int { weights.layout.modulus }
  package var model: ModelShape { weights.layout.model }

  /// - Parameters:
  ///   - bytes: a whole safetensors file.
  ///   - activation: not in the file; ReLU unless the caller knows better.
  /// - Throws: `ModelFileError`.
  package init(parsing bytes: [UInt8], activation: Activation = .relu) throws(ModelFileError) {
    let file: SafeTensors
    do {
      file = try SafeTensors(parsing: bytes)
    } catch {
      throw ModelFileError(error.message)
    }
    try ModelFile.refuseOtherModels(file)
    let layout = try ModelFile.layout(of: file, activation: activation)
    weights = Parameters(layout)
    for tensor in layout.tensors {
      guard let stored = file[tensor.name.fileName] else { throw ModelFile.missing(tensor.name, in: file) }
      weights.storage.replaceSubrange(tensor.range, with: try ModelFile.scalars(of: stored))
    }
    trainMask = try file["train_mask"].map { tensor throws(ModelFileError) in
      try ModelFile.trainMask(tensor, modulus: layout.modulus)
    }
    metadata = file.metadata
  }

  /// The file: tensors in the order of `TensorName`, float32, then `train_mask`.
  package func serialized() -> [UInt8] {
    var tensors = weights.layout.tensors.map { tensor in
      SafeTensors.Tensor(
        name: tensor.name.fileName, type: .f32, shape: tensor.shape,
        bytes: ModelFile.bytes(of: weights.storage[tensor.range]))
    }
    if let trainMask {
      precondition(trainMask.count == modulus * modulus, "a train mask of \(trainMask.count) for p = \(modulus)")
      tensors.append(
        SafeTensors.Tensor(
          name: "train_mask", type: .u8, shape: [trainMask.count], bytes: trainMask.map { $0 ? 1 : 0 }))
    }
    return SafeTensors(tensors: tensors, metadata: metadata).serialized()
  }

  /// A file that holds `logits` alone, (p², d_vocab_out): what a model says, for other programs to compare with.
  package static func logits(_ logits: [Float], modulus: Int, classes: Int) -> SafeTensors {
    precondition(logits.count == modulus * modulus * classes, "\(logits.count) logits for p = \(modulus)")
    let tensor = SafeTensors.Tensor(
      name: "logits", type: .f32, shape: [modulus * modulus, classes], bytes: bytes(of: logits[...]))
    return SafeTensors(tensors: [tensor])
  }

  /// Little-endian.
  private static func bytes(of scalars: ArraySlice<Float>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * scalars.count)
    for scalar in scalars { withUnsafeBytes(of: scalar.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
    return bytes
  }

  /// What TransformerLens writes beside the weights: buffers without meaning here, and biases that must be zero.
  private static let ignoredBuffers: Set<String> = ["blocks.0.attn.mask", "blocks.0.attn.IGNORE"]
  private static let zeroBiases: Set<String> = [
    "blocks.0.attn.b_Q", "blocks.0.attn.b_K", "blocks.0.attn.b_V", "blocks.0.attn.b_O", "unembed.b_U",
  ]

  private static func refuseOtherModels(_ file: SafeTensors) throws(ModelFileError) {
    let names = Set(TensorName.allCases.map(\.fileName))
    for tensor in file.tensors
    where !names.contains(tensor.name) && !ignoredBuffers.contains(tensor.name) && tensor.name != "train_mask" {
      guard zeroBiases.contains(tensor.name) else {
        throw ModelFileError(
          "there is a tensor \"\(tensor.name)\", which a one-layer transformer without LayerNorm does not have; "
            + "remove it if the model does not use it")
      }
      guard try scalars(of: tensor).allSatisfy({ $0 == 0 }) else {
        throw ModelFileError("\(tensor.name) is not zero, and this model has no biases in attention and unembedding")
      }
    }
  }

  /// The sizes that the tensors agree on.
  private static func layout(of file: SafeTensors, activation: Activation) throws(ModelFileError) -> ParameterLayout {
    let sizes = try sizes(in: file)
    // Every axis is one of a tensor that no model lacks.
    func size(_ axis: Axis) -> Int { sizes[axis]!.size }
    guard size(.n_ctx) == 3 else {
      throw ModelFileError("pos_embed.W_pos has n_ctx \(size(.n_ctx)), but the inputs a, b and = take 3 positions")
    }
    let hasBias = [TensorName.b_in, .b_out].map { file[$0.fileName] != nil }
    guard hasBias[0] == hasBias[1] else {
      let (present, absent): (TensorName, TensorName) = hasBias[0] ? (.b_in, .b_out) : (.b_out, .b_in)
      throw ModelFileError("there is \(present.fileName) but no \(absent.fileName); a model has both or neither")
    }
    let model = ModelShape(
      dModel: size(.d_model), heads: size(.n_heads), dMLP: size(.d_mlp), activation: activation, biases: hasBias[0],
      dVocabOut: size(.d_vocab_out))
    let task = LearningTask(modulus: size(.d_vocab) - 1, trainFraction: 0.5)
    if let problem = Experiment(task: task, model: model).problems().first {
      let shapes = [TensorName.W_E, .W_Q, .W_in, .W_U].map { "\($0.fileName) \(file[$0.fileName]?.shape ?? [])" }
      throw ModelFileError(
        "the shapes (\(shapes.joined(separator: ", "))) are not of such a model: \(problem.message)")
    }
    guard size(.d_head) == model.dHead else {
      throw ModelFileError(
        "blocks.0.attn.W_Q has d_head \(size(.d_head)), but \(model.heads) heads of d_model \(model.dModel) have "
          + "d_head \(model.dHead)")
    }
    return ParameterLayout(modulus: task.modulus, model: model)
  }

  /// What a tensor's axes count, by TransformerLens' names.
  private enum Axis: String { case d_vocab, n_ctx, d_model, n_heads, d_head, d_mlp, d_vocab_out }

  private static func axes(of name: TensorName) -> [Axis] {
    switch name {
    case .W_E: [.d_vocab, .d_model]
    case .W_pos: [.n_ctx, .d_model]
    case .W_Q, .W_K, .W_V: [.n_heads, .d_model, .d_head]
    case .W_O: [.n_heads, .d_head, .d_model]
    case .W_in: [.d_model, .d_mlp]
    case .b_in: [.d_mlp]
    case .W_out: [.d_mlp, .d_model]
    case .b_out: [.d_model]
    case .W_U: [.d_model, .d_vocab_out]
    }
  }

  /// The size of every axis, and the first tensor that has it; all others with that axis must agree.
  private static func sizes(in file: SafeTensors) throws(ModelFileError) -> [Axis: (size: Int, tensor: String)] {
    var sizes: [Axis: (size: Int, tensor: String)] = [:]
    for name in TensorName.allCases {
      guard let tensor = file[name.fileName] else {
        if name == .b_in || name == .b_out { continue }
        throw missing(name, in: file)
      }
      let axes = axes(of: name)
      let meaning = "(\(axes.map(\.rawValue).joined(separator: ", ")))"
      guard tensor.shape.count == axes.count else {
        throw ModelFileError("\(tensor.name) has shape \(tensor.shape), but it should be \(meaning)")
      }
      for (axis, size) in zip(axes, tensor.shape) {
        guard let known = sizes[axis] else {
          sizes[axis] = (size, tensor.name)
          continue
        }
        guard size == known.size else {
          throw ModelFileError(
            "\(tensor.name) has shape \(tensor.shape), which as \(meaning) means \(axis.rawValue) \(size), but "
              + "\(known.tensor) has \(axis.rawValue) \(known.size)")
        }
      }
    }
    return sizes
  }

  private static func missing(_ name: TensorName, in file: SafeTensors) -> ModelFileError {
    let found = file.tensors.isEmpty ? "no tensors" : file.tensors.map(\.name).joined(separator: ", ")
    return ModelFileError(
      "there is no tensor \(name.fileName); this is not a model of modular arithmetic (it has \(found))")
  }

  /// Float32 or float64 values, all finite.
  private static func scalars(of tensor: SafeTensors.Tensor) throws(ModelFileError) -> [Float] {
    let scalars: [Float]
    switch tensor.type {
    case .f32:
      scalars = tensor.bytes.withUnsafeBytes { bytes in
        (0..<bytes.count / 4).map {
          Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
        }
      }
    case .f64:
      scalars = tensor.bytes.withUnsafeBytes { bytes in
        (0..<bytes.count / 8).map {
          let pattern = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
          return Float(Double(bitPattern: pattern))
        }
      }
    default:
      throw ModelFileError(
        "\(tensor.name) is stored as \(tensor.type.rawValue); only F32 and F64 are read, so convert it first")
    }
    guard let bad = scalars.firstIndex(where: { !$0.isFinite }) else { return scalars }
    throw ModelFileError("\(tensor.name) has a value that is not finite, at index \(bad); the model has diverged")
  }

  private static func trainMask(_ tensor: SafeTensors.Tensor, modulus: Int) throws(ModelFileError) -> [Bool] {
    guard tensor.type == .u8 || tensor.type == .bool else {
      throw ModelFileError("train_mask is stored as \(tensor.type.rawValue), but it should be U8, one byte a pair")
    }
    guard tensor.bytes.count == modulus * modulus else {
      throw ModelFileError(
        "train_mask has \(tensor.bytes.count) entries, but the modulus \(modulus) makes \(modulus * modulus) pairs")
    }
    guard tensor.bytes.allSatisfy({ $0 <= 1 }) else {
      throw ModelFileError("train_mask has a value other than 0 and 1")
    }
    return tensor.bytes.map { $0 == 1 }
  }
}

/// Why a file is not a model of this project, in a sentence.
package struct ModelFileError: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }
}
