// Results with every measure in them, of any size: what the codec must carry.

import Grokking
import Simulation
import Sweeps

enum FullResults {
  /// A result with everything: `frequencies` is K, of which the lowest `keys` are key.
  static func result(
    frequencies: Int = 5, keys: Int = 2, neurons: Int = 16, heads: Int = 2, evaluations: Int = 3, seed: UInt64 = 1
  ) -> RunResult {
    var random = SimulationRandom(state: seed)
    func number() -> Double { random.unit() * 1e-3 + 1e-9 }
    func numbers(_ count: Int) -> [Double] { (0..<count).map { _ in number() } }
    let names = Array(1...keys)
    let curve = (0..<evaluations).map { row in
      Evaluation(
        epoch: row, trainLoss: number(), testLoss: number(), trainAccuracy: random.unit(), testAccuracy: random.unit(),
        restrictedLossTrain: number(), restrictedLossTest: number(), restrictedLoss: number(), excludedLoss: number(),
        giniW_E: number(), giniW_L: number(), sumSquaredWeights: number(),
        sumSquaredByTensor: TensorName.allCases.map { $0 == .b_in ? nil : number() },
        normsW_E: numbers(frequencies).map(Float.init), normsW_L: numbers(frequencies).map(Float.init),
        logitVarianceExplained: number(), cosineLossTest: number(),
        keyFrequencies: names.map {
          KeyFrequencyMeasures(frequency: $0, excludedLoss: number(), cosineCoefficient: -number())
        })
    }
    let ablations = Ablation.Name.allCases.flatMap { name in
      name == .withoutFrequency
        ? names.map { Ablation(name, frequency: $0, loss: number()) } : [Ablation(name, loss: number())]
    }
    let final = FinalMeasures(
      normsW_E: numbers(frequencies), normsW_L: numbers(frequencies), keyFrequenciesW_E: names,
      keyFrequenciesNeurons: [frequencies],
      neurons: (0..<neurons).map { NeuronFit(frequency: 1 + $0 % frequencies, varianceExplained: number()) },
      heads: (0..<heads).map { _ in HeadMeasures(attention: numbers(3), frequency: 1, varianceExplained: number()) },
      rankResidual: number(), ablations: ablations)
    return RunResult(
      outcome: .grokked(memorization: 0, grokking: evaluations), epochs: evaluations, evaluations: curve,
      keyFrequencies: names.map {
        KeyFrequency(
          frequency: $0, norm: number(), excludedLoss: number(), cosineCoefficient: number(), neurons: 7,
          varianceExplainedU: number(), varianceExplainedV: number())
      },
      finalModel: final,
      crossings: CrossingMeasure.allCases.flatMap { measure in
        measure.thresholds.enumerated().map { place, threshold in
          // The last threshold of each is never crossed, the first of several is sustained.
          let isCrossed = place < measure.thresholds.count - 1
          return Crossing(
            measure: measure, threshold: threshold, first: isCrossed ? place : nil,
            sustained: isCrossed && place == 0 ? 0 : nil)
        }
      },
      phases: [Phase(.memorization, start: 0, end: 1), Phase(.circuitFormation, start: 1, end: nil)],
      digests: [EpochDigest(epoch: evaluations, digest: MachineSamples.id(77).hex)], kernelPath: "avx2")
  }

  /// As of an operation without waves: spectra, neurons and heads, and nothing that needs a wave.
  static var withoutWaves: RunResult {
    var result = result()
    for row in result.evaluations.indices {
      result.evaluations[row].restrictedLossTrain = nil
      result.evaluations[row].restrictedLossTest = nil
      result.evaluations[row].restrictedLoss = nil
      result.evaluations[row].excludedLoss = nil
      result.evaluations[row].logitVarianceExplained = nil
      result.evaluations[row].cosineLossTest = nil
      result.evaluations[row].keyFrequencies = []
    }
    result.keyFrequencies = [KeyFrequency(frequency: 3, norm: 1, excludedLoss: nil, neurons: 2)]
    result.finalModel?.rankResidual = nil
    result.finalModel?.ablations = []
    return result
  }

  /// As of a run that diverged: no final model, no phases, and of the curve what was finite before.
  static var diverged: RunResult {
    var result = withoutWaves
    result.outcome = .diverged(at: 3, memorization: nil, grokking: nil)
    result.keyFrequencies = []
    result.finalModel = nil
    result.crossings = []
    result.phases = []
    return result
  }

  /// Measured at some evaluations only, and with odd numbers in it.
  static var withHoles: RunResult {
    var result = result(evaluations: 20)
    for row in result.evaluations.indices {
      if row % 3 == 0 { result.evaluations[row].keyFrequencies = [] }
      if row % 4 == 0 { (result.evaluations[row].normsW_E, result.evaluations[row].normsW_L) = ([], []) }
      if row % 5 == 0 { result.evaluations[row].sumSquaredByTensor = [] }
      if row % 6 == 0 { result.evaluations[row].normsW_L = [] }
      if row % 7 == 0 { result.evaluations[row].cosineLossTest = nil }
    }
    result.evaluations[1].normsW_E[0] = .leastNonzeroMagnitude
    result.evaluations[1].normsW_L[4] = .greatestFiniteMagnitude
    result.evaluations[2].keyFrequencies[0].cosineCoefficient = -0.0
    return result
  }

  static var all: [RunResult] { [result(), withoutWaves, diverged, withHoles] }
}
