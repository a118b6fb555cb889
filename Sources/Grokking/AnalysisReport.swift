// Everything that is measured of one model, as `groksweep analyze` shows it.
//
// Definitions are those of `measures.md` section 5. What a model does not have is absent, never zero: no restricted
// loss without waves, no train loss without a split. Computed by AnalysisReportMeasures.swift.

import Foundation

/// The measures of one model, in float64.
package struct AnalysisReport: Encodable, Sendable {
  /// Losses over one set of pairs, mean cross-entropy in nats.
  package struct PairLosses: Hashable, Sendable {
    package var pairs: Int
    /// Over all d_vocab_out classes.
    package var loss: Double
    package var accuracy: Double
    /// Over classes 0…p−1.
    package var lossP: Double
    /// Of the key frequencies' waves and the mean alone; nil where the operation has no waves.
    package var restrictedLoss: Double?
    /// Of everything but the key frequencies' waves; nil where the operation has no waves.
    package var excludedLoss: Double?
  }

  /// One key frequency.
  package struct Frequency: Hashable, Sendable {
    package var frequency: Int
    /// α in L ≈ Σ α·cos(2πk(a ± b − c)/p); nil where the operation has no waves.
    package var cosineCoefficient: Double?
    /// On the train pairs, with this frequency alone removed; nil without waves or without a split.
    package var excludedLoss: Double?
  }

  /// One attention head.
  package struct Head: Hashable, Sendable {
    /// Mean attention from `=` to a, b and `=`, over all pairs.
    package var attention: [Double]
  }

  package let modulus: Int
  package let model: ModelShape
  package let operation: Operation
  package let frequencies: [Frequency]
  /// Nil when the file does not say which pairs were trained on, or when it names none.
  package let train: PairLosses?
  package let test: PairLosses?
  package let all: PairLosses
  package let spectra: Spectra
  /// In the order of `TensorName`.
  package let sumSquaredWeightsByTensor: [(name: TensorName, sum: Double)]
  /// Share of the variance of the logits, classes 0…p−1, that the cosines explain; nil without waves.
  package let logitVarianceExplained: Double?
  let neurons: [NeuronFit]
  package let heads: [Head]

  package var keyFrequencies: [Int] { frequencies.map(\.frequency) }
  package var sumSquaredWeights: Double { sumSquaredWeightsByTensor.reduce(0) { $0 + $1.sum } }
  /// Neurons of whose variance one frequency explains more than 85 %.
  package var neuronsOver85: Int { neurons.count { $0.varianceExplained > 0.85 } }

  init(
    modulus: Int, model: ModelShape, operation: Operation, frequencies: [Frequency], train: PairLosses?,
    test: PairLosses?, all: PairLosses, spectra: Spectra, sumSquaredWeightsByTensor: [(name: TensorName, sum: Double)],
    logitVarianceExplained: Double?, neurons: [NeuronFit], heads: [Head]
  ) {
    self.modulus = modulus
    self.model = model
    self.operation = operation
    self.frequencies = frequencies
    self.train = train
    self.test = test
    self.all = all
    self.spectra = spectra
    self.sumSquaredWeightsByTensor = sumSquaredWeightsByTensor
    self.logitVarianceExplained = logitVarianceExplained
    self.neurons = neurons
    self.heads = heads
  }

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

  package func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    func put(_ value: some Encodable, _ name: String) throws {
      try object.encode(value, forKey: Key(stringValue: name))
    }
    try put(modulus, "p")
    try put(operation, "operation")
    try put(model.dModel, "d_model")
    try put(model.heads, "heads")
    try put(model.dMLP, "d_mlp")
    try put(model.activation, "activation")
    try put(model.biases, "biases")
    try put(model.dVocabOut, "d_vocab_out")
    try put(Engine.measureVersion, "measure_version")
    for (split, losses) in [("train", train), ("test", test), ("all", all)] {
      guard let losses else { continue }
      try put(losses.pairs, "\(split)_pairs")
      try put(losses.loss, "\(split)_loss")
      try put(losses.lossP, "\(split)_loss_p")
      try put(losses.accuracy, "\(split)_accuracy")
      if let loss = losses.restrictedLoss { try put(loss, "restricted_loss_\(split)") }
      if let loss = losses.excludedLoss { try put(loss, "excluded_loss_\(split)") }
    }
    try put(keyFrequencies, "key_frequencies")
    if logitVarianceExplained != nil {
      try put(frequencies.compactMap(\.cosineCoefficient), "logit_cosine_coefficients")
      try put(logitVarianceExplained, "logit_fve")
    }
    if train != nil, logitVarianceExplained != nil {
      var byFrequency = object.nestedContainer(
        keyedBy: Key.self, forKey: Key(stringValue: "excluded_loss_by_frequency"))
      for entry in frequencies {
        try byFrequency.encodeIfPresent(entry.excludedLoss, forKey: Key(stringValue: String(entry.frequency)))
      }
    }
    try put(spectra.normsW_E, "norms_W_E")
    try put(spectra.normsW_L, "norms_W_L")
    try put(gini(spectra.normsW_E), "gini_W_E")
    try put(gini(spectra.normsW_L), "gini_W_L")
    try put(sumSquaredWeights, "sum_squared_weights")
    var byTensor = object.nestedContainer(
      keyedBy: Key.self, forKey: Key(stringValue: "sum_squared_weights_by_tensor"))
    for entry in sumSquaredWeightsByTensor {
      try byTensor.encode(entry.sum, forKey: Key(stringValue: entry.name.fileName))
    }
    try put(neurons.map(\.frequency), "neuron_frequency")
    try put(neurons.map(\.varianceExplained), "neuron_fve")
    try put(neuronsOver85, "neurons_over_85")
    for (position, name) in ["a", "b", "equals"].enumerated() {
      try put(heads.map { $0.attention[position] }, "attention_to_\(name)")
    }
  }
}

/// Why a model cannot be analyzed, in a sentence.
package struct AnalysisError: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }
}
