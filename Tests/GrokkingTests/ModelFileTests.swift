// Models in files: sizes are inferred, and whatever is not this project's transformer is refused by name.

import Grokking
import Testing

@Suite struct ModelFileTests {
  private func fixture() throws -> SafeTensors { try SafeTensors(parsing: Fixture.bytes("tiny/end.safetensors")) }

  private func problem(_ file: SafeTensors) -> String {
    do {
      let found = try ModelFile(parsing: file.serialized())
      return "no error: \(found.model)"
    } catch {
      return error.message
    }
  }

  /// The tiny fixture with one tensor replaced, added or, with nil, removed.
  private func with(_ name: String, _ change: (SafeTensors.Tensor?) -> SafeTensors.Tensor?) throws -> SafeTensors {
    var file = try fixture()
    let changed = change(file[name])
    file.tensors.removeAll { $0.name == name }
    if let changed { file.tensors.append(changed) }
    return file
  }

  private func floats(_ name: String, _ shape: [Int], _ values: [Float]? = nil) -> SafeTensors.Tensor {
    let values = values ?? [Float](repeating: 0, count: shape.reduce(1, *))
    let bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    return SafeTensors.Tensor(name: name, type: .f32, shape: shape, bytes: bytes)
  }

  @Test func `the fixtures' sizes are inferred from their shapes`() throws {
    let tiny = try Fixture.model("tiny/end.safetensors")
    #expect(tiny.modulus == 7)
    #expect(tiny.model == ModelShape(dModel: 8, heads: 2, dMLP: 16, dVocabOut: 8))
    #expect(tiny.trainMask?.count { $0 } == 24)
    let grokked = try Fixture.model("grokked/end.safetensors")
    #expect(grokked.modulus == 59)
    #expect(grokked.model == ModelShape(dModel: 64, heads: 4, dMLP: 256, dVocabOut: 60))
    #expect(try ModelFile(parsing: Fixture.bytes("tiny/end.safetensors"), activation: .gelu).model.activation == .gelu)
  }

  @Test func `a model that was written is read as it was, bit by bit`() throws {
    for biases in [true, false] {
      for dVocabOut in [5, 6] {
        let shape = ModelShape(dModel: 6, heads: 3, dMLP: 7, biases: biases, dVocabOut: dVocabOut)
        var weights = Parameters<Float>(ParameterLayout(modulus: 5, model: shape))
        var noise = Noise(seed: 7)
        for i in weights.storage.indices { weights.storage[i] = Float(noise.unit() - 0.5) }
        let mask = (0..<25).map { $0 % 3 == 0 }
        let file = ModelFile(weights: weights, trainMask: mask, metadata: ["epoch": "3", "point": "p"])
        let bytes = file.serialized()
        let read = try ModelFile(parsing: bytes)
        #expect(read.weights.layout == weights.layout)
        #expect(read.weights.storage.map(\.bitPattern) == weights.storage.map(\.bitPattern))
        #expect(read.trainMask == mask)
        #expect(read.metadata == file.metadata)
        #expect(read.serialized() == bytes)
      }
    }
  }

  @Test func `a model without a train mask has none`() throws {
    let file = try with("train_mask") { _ in nil }
    #expect(try ModelFile(parsing: file.serialized()).trainMask == nil)
  }

  @Test func `float64 weights are read and rounded to float32`() throws {
    let gradients = try Fixture.model("tiny/gradients.safetensors")
    #expect(gradients.trainMask == nil)
    #expect(gradients.weights.storage.contains { $0 != 0 })
  }

  @Test func `zero biases and buffers of TransformerLens are ignored, other biases refused`() throws {
    var file = try fixture()
    for (name, shape) in [("b_Q", [2, 4]), ("b_K", [2, 4]), ("b_V", [2, 4]), ("b_O", [8])] {
      file.tensors.append(floats("blocks.0.attn.\(name)", shape))
    }
    file.tensors.append(floats("unembed.b_U", [8]))
    file.tensors.append(floats("blocks.0.attn.IGNORE", [], [-.infinity]))
    file.tensors.append(
      .init(name: "blocks.0.attn.mask", type: .bool, shape: [3, 3], bytes: [UInt8](repeating: 1, count: 9)))
    let read = try ModelFile(parsing: file.serialized())
    #expect(read.weights.storage == (try Fixture.model("tiny/end.safetensors")).weights.storage)
    let biased = try with("blocks.0.attn.b_V") { _ in floats("blocks.0.attn.b_V", [2], [0, 0.5]) }
    #expect(problem(biased).contains("blocks.0.attn.b_V is not zero"))
  }

  @Test func `every missing tensor is named`() throws {
    for name in TensorName.allCases.map(\.fileName) {
      let found = problem(try with(name) { _ in nil })
      #expect(found.contains("no \(name)") || found.contains("no tensor \(name)"))
    }
    #expect(problem(SafeTensors()).contains("no tensor embed.W_E"))
  }

  @Test func `every tensor of a wrong shape is named or contradicts the others`() throws {
    for name in TensorName.allCases.map(\.fileName) {
      let taller = problem(
        try with(name) { floats(name, [$0!.shape[0] + 2] + $0!.shape.dropFirst()) })
      #expect(!taller.contains("no error"), "\(name): \(taller)")
      let flat = problem(try with(name) { floats(name, [$0!.shape.reduce(1, *), 1, 1, 1]) })
      #expect(flat.contains(name), "\(flat)")
    }
  }

  @Test func `shapes that cannot be such a model say which`() throws {
    #expect(problem(try with("pos_embed.W_pos") { _ in floats("pos_embed.W_pos", [4, 8]) }).contains("n_ctx 4"))
    #expect(problem(try with("unembed.W_U") { _ in floats("unembed.W_U", [8, 9]) }).contains("d_vocab_out 9"))
    #expect(problem(try with("embed.W_E") { _ in floats("embed.W_E", [0, 8]) }).contains("modulus -1"))
    #expect(problem(try attention(heads: 3, dHead: 2)).contains("heads 3 does not divide d_model 8"))
    #expect(
      problem(try attention(heads: 2, dHead: 3))
        == "blocks.0.attn.W_Q has d_head 3, but 2 heads of d_model 8 have d_head 4")
  }

  /// The tiny fixture, d_model 8, with heads of other sizes.
  private func attention(heads: Int, dHead: Int) throws -> SafeTensors {
    var file = try fixture()
    file.tensors.removeAll { $0.name.hasPrefix("blocks.0.attn.W_") }
    for name in ["W_Q", "W_K", "W_V"] { file.tensors.append(floats("blocks.0.attn.\(name)", [heads, 8, dHead])) }
    file.tensors.append(floats("blocks.0.attn.W_O", [heads, dHead, 8]))
    return file
  }

  @Test(arguments: [
    (
      "blocks.0.mlp.W_in", [16, 8],
      "blocks.0.mlp.W_in has shape [16, 8], which as (d_model, d_mlp) means d_model 16, but embed.W_E has d_model 8"
    ),
    (
      "blocks.0.mlp.W_out", [8, 16],
      "blocks.0.mlp.W_out has shape [8, 16], which as (d_mlp, d_model) means d_mlp 8, but blocks.0.mlp.W_in has d_mlp 16"
    ),
    (
      "blocks.0.mlp.b_in", [8],
      "blocks.0.mlp.b_in has shape [8], which as (d_mlp) means d_mlp 8, but blocks.0.mlp.W_in has d_mlp 16"
    ),
    (
      "blocks.0.attn.W_O", [2, 8, 4],
      "blocks.0.attn.W_O has shape [2, 8, 4], which as (n_heads, d_head, d_model) means d_head 8, but blocks.0.attn.W_Q "
        + "has d_head 4"
    ),
    ("blocks.0.mlp.W_in", [16], "blocks.0.mlp.W_in has shape [16], but it should be (d_model, d_mlp)"),
  ])
  func `a tensor of a transposed or wrong shape is held against the first with the same axis`(
    name: String, shape: [Int], sentence: String
  ) throws {
    #expect(problem(try with(name) { _ in floats(name, shape) }) == sentence)
  }

  @Test func `other architectures are refused by the tensor that shows it`() throws {
    for name in ["blocks.1.attn.W_Q", "ln_final.w", "blocks.0.ln1.b", "weights"] {
      #expect(problem(try with(name) { _ in floats(name, [2]) }).contains("a tensor \"\(name)\""))
    }
  }

  @Test func `values that are not finite are refused by the tensor's name`() throws {
    for value in [Float.nan, .infinity, -.infinity] {
      let file = try with("blocks.0.mlp.b_in") { _ in
        floats("blocks.0.mlp.b_in", [16], [0, 0, value] + [Float](repeating: 0, count: 13))
      }
      #expect(problem(file).contains("blocks.0.mlp.b_in has a value that is not finite, at index 2"))
    }
    // Finite in float64, not in float32.
    let huge = try with("blocks.0.mlp.b_out") { _ in
      .init(
        name: "blocks.0.mlp.b_out", type: .f64, shape: [8],
        bytes: [0, 0, 0, 0, 0, 0, 0xF0, 0x7E] + [UInt8](repeating: 0, count: 56))
    }
    #expect(problem(huge).contains("blocks.0.mlp.b_out has a value that is not finite, at index 0"))
  }

  @Test func `other number types ask to be converted`() throws {
    let half = try with("embed.W_E") { _ in
      .init(name: "embed.W_E", type: .bf16, shape: [8, 8], bytes: [UInt8](repeating: 0, count: 128))
    }
    #expect(problem(half).contains("embed.W_E is stored as BF16; only F32 and F64 are read"))
  }

  @Test func `a train mask of the wrong type, size or values is refused`() throws {
    #expect(problem(try with("train_mask") { _ in floats("train_mask", [49]) }).contains("stored as F32"))
    let short = try with("train_mask") { _ in
      .init(name: "train_mask", type: .u8, shape: [48], bytes: [UInt8](repeating: 0, count: 48))
    }
    #expect(problem(short).contains("train_mask has 48 entries, but the modulus 7 makes 49 pairs"))
    let grey = try with("train_mask") { _ in
      .init(name: "train_mask", type: .u8, shape: [49], bytes: [UInt8](repeating: 2, count: 49))
    }
    #expect(problem(grey).contains("other than 0 and 1"))
  }

  @Test func `a file that is no safetensors file keeps that reason`() {
    #expect(throws: ModelFileError.self) { try ModelFile(parsing: Array("half a model".utf8)) }
    #expect(throws: ModelFileError.self) { try ModelFile(parsing: []) }
  }

  @Test func `no damage to a model's file makes the reader trap`() throws {
    var noise = Noise(seed: 113)
    let original = try Fixture.bytes("tiny/end.safetensors")
    for _ in 0..<20_000 {
      guard let read = try? ModelFile(parsing: noise.damaged(original)) else { continue }
      #expect(read.weights.storage.allSatisfy { $0.isFinite })
    }
  }
}
