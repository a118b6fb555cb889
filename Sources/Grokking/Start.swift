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

extension Start {
  /// - Throws: when nothing of `layout` can be trained from here.
  func check(_ layout: ParameterLayout) throws(RunError) {
    guard weights.layout == layout, split.modulus == layout.modulus else {
      throw RunError("the start weights or the split are of another modulus or shape than the experiment")
    }
    guard weights.storage.allSatisfy(\.isFinite) else {
      throw RunError("the start weights hold a number that is not finite")
    }
    let trained = split.trainMask.count(where: { $0 })
    guard trained > 0 && trained < split.trainMask.count else {
      throw RunError("the split has \(trained) train pairs of \(split.trainMask.count); both sets need at least one")
    }
  }
}

extension Parameters where Scalar == Float {
  /// Normal with mean 0 and standard deviation 1/√d_model (W_U: 1/√d_vocab), biases 0 (`measures.md` section 2). Each
  /// tensor has its own stream, so its start does not depend on another's shape. All are multiplied by the experiment's
  /// scale before they are rounded.
  package static func start(of experiment: Experiment) -> Parameters<Float> {
    let layout = ParameterLayout(experiment)
    var weights = Parameters<Float>(layout)
    for tensor in layout.tensors where tensor.name != .b_in && tensor.name != .b_out {
      let fan = tensor.name == .W_U ? experiment.task.modulus + 1 : experiment.model.dModel
      let deviation = 1 / Double(fan).squareRoot() * experiment.model.initializationScale
      var stream = RandomStream(seed: experiment.modelSeed, stream: "start/\(tensor.name.rawValue)")
      for place in tensor.range { weights.storage[place] = Float(stream.normal() * deviation) }
    }
    return weights
  }
}
