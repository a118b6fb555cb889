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
      let scalars = try ModelFile.scalars(of: try ModelFile.tensor(tensor.name, shape: tensor.shape, in: file))
      weights.storage.replaceSubrange(tensor.range, with: scalars)
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

  /// The sizes that W_E, W_Q, W_in and W_U show; all others are checked against them.
  private static func layout(of file: SafeTensors, activation: Activation) throws(ModelFileError) -> ParameterLayout {
    let W_E = try extents(.W_E, ["d_vocab", "d_model"], in: file)
    let W_Q = try extents(.W_Q, ["n_heads", "d_model", "d_head"], in: file)
    let W_in = try extents(.W_in, ["d_model", "d_mlp"], in: file)
    let W_U = try extents(.W_U, ["d_model", "d_vocab_out"], in: file)
    let W_pos = try extents(.W_pos, ["n_ctx", "d_model"], in: file)
    let (modulus, dModel, heads) = (W_E[0] - 1, W_E[1], W_Q[0])
    guard W_pos[0] == 3 else {
      throw ModelFileError("pos_embed.W_pos has n_ctx \(W_pos[0]), but the inputs a, b and = take 3 positions")
    }
    let hasBias = [TensorName.b_in, .b_out].map { file[$0.fileName] != nil }
    guard hasBias[0] == hasBias[1] else {
      let (present, absent): (TensorName, TensorName) = hasBias[0] ? (.b_in, .b_out) : (.b_out, .b_in)
      throw ModelFileError("there is \(present.fileName) but no \(absent.fileName); a model has both or neither")
    }
    let model = ModelShape(
      dModel: dModel, heads: heads, dMLP: W_in[1], activation: activation, biases: hasBias[0], dVocabOut: W_U[1])
    let task = LearningTask(modulus: modulus, trainFraction: 0.5)
    if let problem = Experiment(task: task, model: model).problems().first {
      throw ModelFileError(
        "the shapes (embed.W_E \(W_E), W_Q \(W_Q), W_in \(W_in), unembed.W_U \(W_U)) are not of such a model: "
          + problem.message)
    }
    return ParameterLayout(modulus: modulus, model: model)
  }

  private static func extents(
    _ name: TensorName, _ meaning: [String], in file: SafeTensors
  ) throws(ModelFileError) -> [Int] {
    guard let tensor = file[name.fileName] else { throw missing(name, in: file) }
    guard tensor.shape.count == meaning.count else {
      throw ModelFileError(
        "\(name.fileName) has shape \(tensor.shape), but it should be (\(meaning.joined(separator: ", ")))")
    }
    return tensor.shape
  }

  private static func missing(_ name: TensorName, in file: SafeTensors) -> ModelFileError {
    let found = file.tensors.isEmpty ? "no tensors" : file.tensors.map(\.name).joined(separator: ", ")
    return ModelFileError(
      "there is no tensor \(name.fileName); this is not a model of modular arithmetic (it has \(found))")
  }

  private static func tensor(
    _ name: TensorName, shape: [Int], in file: SafeTensors
  ) throws(ModelFileError) -> SafeTensors.Tensor {
    guard let tensor = file[name.fileName] else { throw missing(name, in: file) }
    guard tensor.shape == shape else {
      throw ModelFileError("\(name.fileName) has shape \(tensor.shape), but the other tensors ask for \(shape)")
    }
    return tensor
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
