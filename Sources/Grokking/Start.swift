// Where a run starts from: weights drawn by the model seed and a split drawn by the data seed, or someone's own.

/// Start weights and split of one run.
package struct Start: Sendable {
  package var weights: Parameters<Float>
  package var split: Split

  package init(weights: Parameters<Float>, split: Split) {
    self.weights = weights
    self.split = split
  }

  package init(_ experiment: Experiment) {
    self.init(weights: .start(of: experiment), split: Split(experiment: experiment))
  }
}

extension Parameters where Scalar == Float {
  /// Normal with mean 0 and standard deviation 1/√d_model (W_U: 1/√d_vocab), biases 0 (`measures.md` section 2). Each
  /// tensor has its own stream, so its start does not depend on another's shape.
  package static func start(of experiment: Experiment) -> Parameters<Float> {
    let layout = ParameterLayout(experiment)
    var weights = Parameters<Float>(layout)
    for tensor in layout.tensors where tensor.name != .b_in && tensor.name != .b_out {
      let fan = tensor.name == .W_U ? experiment.task.modulus + 1 : experiment.model.dModel
      let deviation = 1 / Double(fan).squareRoot()
      var stream = RandomStream(seed: experiment.modelSeed, stream: "start/\(tensor.name.rawValue)")
      for place in tensor.range { weights.storage[place] = Float(stream.normal() * deviation) }
    }
    return weights
  }
}
