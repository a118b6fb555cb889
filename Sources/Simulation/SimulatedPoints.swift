// The points of a simulated sweep: tiny experiments that are never trained, with results that everybody knows.

import Grokking
import Sweeps

struct SimulatedPoints {
  let ids: [PointID]
  let experiments: [Experiment]
  /// Steps of training until the result is there; each is `epochsOfStep` epochs.
  let steps: [Int]
  private let numbers: [PointID: Int]

  static let epochsOfStep = 100

  init(count: Int, random: inout SimulationRandom) {
    ids = (0..<count).map { Self.id($0) }
    steps = (0..<count).map { _ in random.within(4...24) }
    experiments = steps.enumerated().map { Self.experiment($0, steps: $1) }
    numbers = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
  }

  var count: Int { ids.count }

  func number(of id: PointID) -> Int? { numbers[id] }

  /// The number is in the first eight digits, for whoever reads a story.
  static func id(_ number: Int) -> PointID {
    let digits = String(number, radix: 16)
    let padded = String(repeating: "0", count: 8 - digits.count) + digits
    return PointID(hex: padded + String(repeating: "0", count: 56))!
  }

  static func experiment(_ number: Int, steps: Int) -> Experiment {
    Experiment(
      task: LearningTask(modulus: 5), model: ModelShape(dModel: 2, heads: 1, dMLP: 2, dVocabOut: 6),
      training: TrainingSettings(epochs: steps * epochsOfStep), measure: MeasureSettings(evaluateEvery: epochsOfStep),
      modelSeed: UInt64(number))
  }

  /// What the point gives on every machine that computes rightly.
  func result(_ number: Int) -> RunResult {
    let epochs = experiments[number].training.epochs
    let evaluations = [0, epochs].map {
      Evaluation(
        epoch: $0, trainLoss: 2, testLoss: 3, trainAccuracy: 1, testAccuracy: 0.5, giniW_E: 0.3, giniW_L: 0.4,
        sumSquaredWeights: Double(number))
    }
    return RunResult(
      outcome: .memorized(memorization: 1, censoredAfter: epochs), epochs: epochs, evaluations: evaluations,
      keyFrequencies: [], digests: [EpochDigest(epoch: epochs, digest: ids[number].hex)], kernelPath: "avx2")
  }

  func progress(_ number: Int, step: Int) -> RunProgress {
    let epochs = experiments[number].training.epochs
    let epoch = step * Self.epochsOfStep
    return RunProgress(stage: .training, epoch: epoch, epochs: epochs, work: epoch, totalWork: epochs, trainLoss: 0.5)
  }

  /// What a checkpoint after `step` steps consists of: weights of every evaluation so far, moments of every fourth.
  func contents(_ number: Int, step: Int, extraBytes: Int) -> CheckpointContents {
    let numbers = SnapshotStore.numbersOfPart(experiments[number])
    return CheckpointContents(
      epoch: step * Self.epochsOfStep, checkpointBytes: SealedSize.header + 3 * 4 * numbers + 64 + extraBytes,
      partBytes: SealedSize.header + 4 * numbers, weights: Array(0...step),
      moments: Array(stride(from: 0, through: step, by: 4)))
  }
}
