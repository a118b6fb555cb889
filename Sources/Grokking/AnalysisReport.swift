// Everything that is measured of one model file, as `groksweep analyze` shows it.
//
// Definitions are those of `docs/reference/measures.md`. What a model does not have is absent, never zero: no restricted
// loss without waves, no train loss without a split. `ModelAnalysis` computes, AnalysisPage.swift words.

import Foundation

/// The measures of one model, in float64.
package struct AnalysisReport: Encodable, Sendable {
  package typealias PairLosses = ModelAnalysis.PairLosses

  package let modulus: Int
  package let model: ModelShape
  package let operation: Operation
  /// The key frequencies; excluded losses are on train.
  package let frequencies: [KeyFrequency]
  /// Nil when the file does not say which pairs were trained on, or when it names none.
  package let train: PairLosses?
  package let test: PairLosses?
  package let all: PairLosses
  /// Whether frequencies are of discrete logarithms, and 0 is left out of what is measured along them.
  package let isLogarithmic: Bool
  /// In the order of `TensorName`.
  package let sumSquaredWeightsByTensor: [(name: TensorName, sum: Double)]
  /// Share of the variance of the logits that the cosines explain; nil without waves.
  package let logitVarianceExplained: Double?
  package let final: FinalMeasures
  /// As its `rankResidual`, without what W_L gives all classes alike; nil likewise.
  package let centeredRankResidual: Double?

  package var keyFrequencies: [Int] { frequencies.map(\.frequency) }
  package var spectra: Spectra { Spectra(normsW_E: final.normsW_E, normsW_L: final.normsW_L) }
  package var sumSquaredWeights: Double { sumSquaredWeightsByTensor.reduce(0) { $0 + $1.sum } }
  package var hasWaves: Bool { logitVarianceExplained != nil }

  /// - Parameters:
  ///   - model: weights, and the train mask if there is one.
  ///   - operation: what the model was trained on.
  ///   - activation: nil takes the model shape's.
  ///   - dataSeed: draws the table of the `random` operation and the noise of labels, and only these need it.
  ///   - labelNoise: the share of train pairs that were trained on with a wrong label.
  ///   - keys: key frequencies to measure with, instead of those of the model's own W_L.
  /// - Throws: `AnalysisError` for frequencies that do not exist, for logits without bounds, and for `random`
  ///   without its seed.
  package init(
    model file: ModelFile, operation: Operation, activation: Activation? = nil, dataSeed: UInt64? = nil,
    labelNoise: Double = 0, keys: [Int]? = nil
  ) throws(AnalysisError) {
    let p = file.modulus
    var shape = file.model
    shape.activation = activation ?? shape.activation
    let circle = Circle(of: operation, modulus: p)
    var checked: [Int]?
    if let keys { checked = try AnalysisReport.checked(keys, circle) }
    guard operation != .random || dataSeed != nil else {
      throw AnalysisError(
        "the random operation's table is drawn from the data seed, which this file does not record; losses need it")
    }
    let task = LearningTask(operation: operation, modulus: p, labelNoise: labelNoise)
    var analysis = ModelAnalysis(
      weights: file.weights, activation: shape.activation, operation: operation,
      labels: task.labels(
        dataSeed: dataSeed ?? 0, trainMask: file.trainMask ?? [Bool](repeating: false, count: p * p)),
      trainMask: file.trainMask, keys: checked)
    while !analysis.isFinished { try analysis.advance() }
    modulus = p
    model = shape
    self.operation = operation
    frequencies = analysis.frequencies
    train = analysis.train
    test = analysis.test
    all = analysis.all
    isLogarithmic = circle.isLogarithmic
    sumSquaredWeightsByTensor = file.weights.layout.tensors.map {
      ($0.name, Grokking.sumSquaredWeights(file.weights, of: $0.name))
    }
    logitVarianceExplained = analysis.logitVarianceExplained
    final = analysis.finalMeasures
    centeredRankResidual = analysis.centeredRankResidual
  }

  private static func checked(_ keys: [Int], _ circle: Circle) throws(AnalysisError) -> [Int] {
    let (sorted, highest) = (keys.sorted(), circle.frequencyCount)
    for (index, key) in sorted.enumerated() {
      guard (1...highest).contains(key) else {
        throw AnalysisError(
          "there is no frequency \(key) at modulus \(circle.modulus); they run from 1 to \(highest)")
      }
      guard index == 0 || sorted[index - 1] != key else { throw AnalysisError("frequency \(key) is given twice") }
    }
    return sorted
  }
}

// As JSON: the names of the fixtures' expected.json, and for the rest those of a run's result.
extension AnalysisReport {
  /// The report as JSON text, keys sorted, one to a line.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// Keys of an object whose names are data.
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private typealias Object = KeyedEncodingContainer<Key>

  package func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try encodeModel(&object)
    for (split, losses) in [("train", train), ("test", test), ("all", all)] {
      if let losses { try encode(losses, of: split, &object) }
    }
    try encodeFrequencies(&object)
    try put(final.neurons.map(\.frequency), "neuron_frequency", &object)
    try put(final.neurons.map(\.varianceExplained), "neuron_fve", &object)
    try put(final.neuronsOver85, "neurons_over_85", &object)
    for (position, name) in ["a", "b", "equals"].enumerated() {
      try put(final.heads.map { $0.attention[position] }, "attention_to_\(name)", &object)
    }
    try put(final.heads.map(\.frequency), "head_frequency", &object)
    try put(final.heads.map(\.varianceExplained), "head_fve", &object)
    if let residual = final.rankResidual { try put(residual, "rank_residual", &object) }
    if let residual = centeredRankResidual { try put(residual, "rank_residual_centered", &object) }
    if hasWaves { try put(final.ablations, "ablations", &object) }
  }

  private func put(_ value: some Encodable, _ name: String, _ object: inout Object) throws {
    try object.encode(value, forKey: Key(stringValue: name))
  }

  private func encodeModel(_ object: inout Object) throws {
    try put(modulus, "p", &object)
    try put(operation, "operation", &object)
    try put(model.dModel, "d_model", &object)
    try put(model.heads, "heads", &object)
    try put(model.dMLP, "d_mlp", &object)
    try put(model.activation, "activation", &object)
    try put(model.biases, "biases", &object)
    try put(model.dVocabOut, "d_vocab_out", &object)
    try put(Engine.measureVersion, "measure_version", &object)
    try put(sumSquaredWeights, "sum_squared_weights", &object)
    var byTensor = object.nestedContainer(
      keyedBy: Key.self, forKey: Key(stringValue: "sum_squared_weights_by_tensor"))
    for entry in sumSquaredWeightsByTensor {
      try byTensor.encode(entry.sum, forKey: Key(stringValue: entry.name.fileName))
    }
  }

  private func encode(_ losses: PairLosses, of split: String, _ object: inout Object) throws {
    try put(losses.pairs, "\(split)_pairs", &object)
    try put(losses.loss, "\(split)_loss", &object)
    try put(losses.lossP, "\(split)_loss_p", &object)
    try put(losses.accuracy, "\(split)_accuracy", &object)
    if let loss = losses.restrictedLoss { try put(loss, "restricted_loss_\(split)", &object) }
    if let loss = losses.excludedLoss { try put(loss, "excluded_loss_\(split)", &object) }
    if let loss = losses.cosineLoss { try put(loss, "cosine_loss_\(split)", &object) }
  }

  private func encodeFrequencies(_ object: inout Object) throws {
    try put(final.normsW_E, "norms_W_E", &object)
    try put(final.normsW_L, "norms_W_L", &object)
    try put(gini(final.normsW_E), "gini_W_E", &object)
    try put(gini(final.normsW_L), "gini_W_L", &object)
    try put(keyFrequencies, "key_frequencies", &object)
    try put(final.keyFrequenciesW_E, "key_frequencies_w_e", &object)
    try put(final.keyFrequenciesNeurons, "key_frequencies_neurons", &object)
    try put(frequencies.map(\.neurons), "key_frequency_neurons", &object)
    if let share = logitVarianceExplained {
      try put(share, "logit_fve", &object)
      try put(frequencies.compactMap(\.cosineCoefficient), "logit_cosine_coefficients", &object)
      try put(frequencies.compactMap(\.varianceExplainedU), "fve_u", &object)
      try put(frequencies.compactMap(\.varianceExplainedV), "fve_v", &object)
    }
    if train?.excludedLoss != nil {
      var byFrequency = object.nestedContainer(
        keyedBy: Key.self, forKey: Key(stringValue: "excluded_loss_by_frequency"))
      for entry in frequencies {
        try byFrequency.encodeIfPresent(entry.excludedLoss, forKey: Key(stringValue: String(entry.frequency)))
      }
    }
  }
}

/// Why a model cannot be analyzed, in a sentence.
package struct AnalysisError: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }
}
