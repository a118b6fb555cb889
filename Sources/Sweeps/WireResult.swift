// A result in the first frame of its message: all of it but the curve and the long lists, which are in the second, and the
// final weights, which are the third.

import Grokking

struct WireResult: Codable {
  /// As `Experiment.problems` allows.
  static let maximumEpochs = 100_000_000

  var outcome: WireOutcome
  var epochs: Int
  var keyFrequencies: [KeyFrequency]
  var finalModel: WireFinalModel?
  var crossings: [Crossing]
  var phases: [Phase]
  var kernelPath: String
  var semanticsVersion: Int
  var measureVersion: Int

  private enum CodingKeys: String, CodingKey {
    case outcome, epochs
    case keyFrequencies = "key_frequencies"
    case finalModel = "final_model"
    case crossings, phases
    case kernelPath = "kernel_path"
    case semanticsVersion = "semantics_version"
    case measureVersion = "measure_version"
  }

  /// - Throws: `WireError` for a result that no decoder would take.
  init(_ result: RunResult) throws(WireError) {
    try WireRules.check(result)
    outcome = WireOutcome(result.outcome)
    epochs = result.epochs
    keyFrequencies = result.keyFrequencies
    finalModel = result.finalModel.map(WireFinalModel.init)
    crossings = result.crossings
    phases = result.phases
    kernelPath = WireText.clean(result.kernelPath, limit: WireCodec.maximumNameBytes)
    semanticsVersion = result.semanticsVersion
    measureVersion = result.measureVersion
  }

  /// To be filled in.
  static var blank: WireResult {
    WireResult(
      outcome: WireOutcome(.unfit(censoredAfter: 0)), epochs: 0, keyFrequencies: [], finalModel: nil, crossings: [],
      phases: [], kernelPath: "", semanticsVersion: 0, measureVersion: 0)
  }

  private init(
    outcome: WireOutcome, epochs: Int, keyFrequencies: [KeyFrequency], finalModel: WireFinalModel?,
    crossings: [Crossing], phases: [Phase], kernelPath: String, semanticsVersion: Int, measureVersion: Int
  ) {
    self.outcome = outcome
    self.epochs = epochs
    self.keyFrequencies = keyFrequencies
    self.finalModel = finalModel
    self.crossings = crossings
    self.phases = phases
    self.kernelPath = kernelPath
    self.semanticsVersion = semanticsVersion
    self.measureVersion = measureVersion
  }

  func result(curve frame: [UInt8], weights: [UInt8]?) throws -> RunResult {
    try WireBounds.check(kernelPath, limit: WireCodec.maximumNameBytes, "kernel_path")
    let curve = try WireCurve(
      decoding: frame, epochs: epochs, keyFrequencies: keyFrequencies.map(\.frequency))
    let result = RunResult(
      outcome: try outcome.outcome(), epochs: epochs, evaluations: curve.evaluations, keyFrequencies: keyFrequencies,
      finalModel: try WireFinalModel.join(finalModel, curve), crossings: crossings, phases: phases,
      digests: curve.digests, kernelPath: kernelPath, semanticsVersion: semanticsVersion,
      measureVersion: measureVersion, finalWeights: weights)
    try WireRules.check(result)
    return result
  }
}

/// What is short of the final model; norms, neurons and heads are in the second frame.
struct WireFinalModel: Codable {
  var keyFrequenciesW_E: [Int]
  var keyFrequenciesNeurons: [Int]
  var rankResidual: Double?
  var ablations: [Ablation]

  private enum CodingKeys: String, CodingKey {
    case keyFrequenciesW_E = "key_frequencies_w_e"
    case keyFrequenciesNeurons = "key_frequencies_neurons"
    case rankResidual = "rank_residual"
    case ablations
  }

  init(_ final: FinalMeasures) {
    keyFrequenciesW_E = final.keyFrequenciesW_E
    keyFrequenciesNeurons = final.keyFrequenciesNeurons
    rankResidual = final.rankResidual
    ablations = final.ablations
  }

  /// The final model of both frames.
  static func join(_ short: WireFinalModel?, _ curve: WireCurve) throws(WireError) -> FinalMeasures? {
    guard let short else {
      guard curve.finalNormsW_E.isEmpty, curve.neurons.isEmpty, curve.heads.isEmpty else {
        throw .malformed("the second frame of a result measures a final model that the first does not have")
      }
      return nil
    }
    return FinalMeasures(
      normsW_E: curve.finalNormsW_E, normsW_L: curve.finalNormsW_L, keyFrequenciesW_E: short.keyFrequenciesW_E,
      keyFrequenciesNeurons: short.keyFrequenciesNeurons, neurons: curve.neurons, heads: curve.heads,
      rankResidual: short.rankResidual, ablations: short.ablations)
  }
}

/// {"name": "grokked", "memorization": 140, "grokking": 9300}, with `censored_after` and `at` where they belong.
struct WireOutcome: Codable {
  var name: String
  var memorization: Int?
  var grokking: Int?
  var censoredAfter: Int?
  var at: Int?

  private enum CodingKeys: String, CodingKey {
    case name, memorization, grokking
    case censoredAfter = "censored_after"
    case at
  }

  init(_ outcome: Outcome) {
    name = outcome.name
    memorization = outcome.memorizationEpoch
    grokking = outcome.grokkingEpoch
    switch outcome {
    case .memorized(_, let epoch), .unfit(let epoch): censoredAfter = epoch
    case .diverged(let epoch, _, _): at = epoch
    case .grokked, .immediate, .collapsed: break
    }
  }

  func outcome() throws -> Outcome {
    for epoch in [memorization, grokking, censoredAfter, at] {
      if let epoch { try WireBounds.check(epoch, in: 0...WireResult.maximumEpochs, "outcome") }
    }
    switch (name, memorization, grokking, censoredAfter, at) {
    case ("grokked", let memorization?, let grokking?, nil, nil):
      return .grokked(memorization: memorization, grokking: grokking)
    case ("memorized", let memorization?, nil, let epoch?, nil):
      return .memorized(memorization: memorization, censoredAfter: epoch)
    case ("unfit", nil, nil, let epoch?, nil): return .unfit(censoredAfter: epoch)
    case ("immediate", let memorization, let grokking?, nil, nil):
      return .immediate(memorization: memorization, grokking: grokking)
    case ("collapsed", let memorization, let grokking?, nil, nil):
      return .collapsed(memorization: memorization, grokking: grokking)
    case ("diverged", let memorization, let grokking, nil, let epoch?):
      return .diverged(at: epoch, memorization: memorization, grokking: grokking)
    default:
      throw WireError.malformed(
        "the outcome \"\(WireText.clean(name, limit: 40))\" of a result is unknown or has the wrong epochs with it")
    }
  }
}
