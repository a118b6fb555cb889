// What the suites of this target start from: a folder of their own, a small sweep, results with known numbers.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps

/// A folder that goes when its test does.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/groksweep-results-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }
  var contents: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// A fresh store in a folder of its own, and a second connection to it as any other program would have.
struct StoreFixture {
  let folder: TemporaryFolder
  let path: String
  let store: Store

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("x.sqlite")
    store = try Store(path: path, mode: .create)
  }

  /// A plain connection with foreign keys on, which knows nothing of `Store`.
  func plain() throws -> DatabaseQueue { try DatabaseQueue(path: path) }

  func rows(_ sql: String) throws -> [Row] { try plain().read { try Row.fetchAll($0, sql: sql) } }
  func value<Value: DatabaseValueConvertible>(_ sql: String, as type: Value.Type = Value.self) throws -> Value? {
    try plain().read { try Value.fetchOne($0, sql: sql) }
  }
}

enum Sample {
  static let now = Date(timeIntervalSince1970: 1_767_225_600)
  static let nowText = "2026-01-01T00:00:00.000Z"
  static func later(_ seconds: Double) -> Date { now.addingTimeInterval(seconds) }

  /// Modulus 7; the seed is the model's.
  static func experiment(weightDecay: Double = 1, seed: UInt64 = 0, epochs: Int = 1000) -> Experiment {
    Experiment(
      task: LearningTask(operation: .add, modulus: 7, trainFraction: 0.5),
      model: ModelShape(dModel: 8, heads: 2, dMLP: 16, activation: .relu, biases: true, dVocabOut: 8),
      training: TrainingSettings(epochs: epochs, weightDecay: weightDecay),
      measure: MeasureSettings(evaluateEvery: 100),
      modelSeed: seed, dataSeed: 1)
  }

  /// weight_decay × seeds, the seed fastest.
  static func sweep(
    _ name: String = "decay", weightDecays: [Double] = [1, 0.3], seeds: Int = 2, canonical: String? = nil
  ) -> SweepRegistration {
    let points = weightDecays.flatMap { weightDecay in
      (0..<seeds).map { seed in
        Point(
          experiment: experiment(weightDecay: weightDecay, seed: UInt64(seed)), setting: "weight_decay=\(weightDecay)")
      }
    }
    let canonical = canonical ?? "\(name) \(weightDecays) \(seeds)"
    return SweepRegistration(
      name: name, canonical: canonical, fileText: "sweep: \(name)\n", axes: ["training.weight_decay", "seed"],
      points: points
    ) { stored in ["it was \"\(stored)\"", "it is \"\(canonical)\""] }
  }

  static func worker(_ number: Int64 = 1) -> WorkerRecord {
    WorkerRecord(
      number: number,
      identity: WorkerIdentity(
        boot: String(format: "%032x", number), host: "node\(number)", processID: 100 + Int32(number), cpu: "Testium 9",
        cores: 4, kernelPath: "avx2", build: "0.1.0"))
  }

  static func digest(_ digit: Character) -> String { String(repeating: String(digit), count: 64) }

  static func evaluation(_ epoch: Int, testAccuracy: Double = 1) -> Evaluation {
    Evaluation(
      epoch: epoch, trainLoss: 0.001, testLoss: 0.002, trainAccuracy: 1, testAccuracy: testAccuracy,
      restrictedLossTrain: 0.003, restrictedLossTest: 0.004, restrictedLoss: 0.0035, excludedLoss: 5.5, giniW_E: 0.6,
      giniW_L: 0.7, sumSquaredWeights: 123.5)
  }

  static func result(
    _ outcome: Outcome = .grokked(memorization: 100, grokking: 700), digest: Character = "a", epochs: Int = 1000
  ) -> RunResult {
    RunResult(
      outcome: outcome, epochs: epochs, evaluations: [evaluation(0, testAccuracy: 0.25), evaluation(epochs)],
      keyFrequencies: [
        KeyFrequency(frequency: 1, norm: 2.5, excludedLoss: 4.5),
        KeyFrequency(frequency: 3, norm: 1.5, excludedLoss: 3),
      ],
      digests: [
        EpochDigest(epoch: 500, digest: Sample.digest("0")), EpochDigest(epoch: epochs, digest: Sample.digest(digest)),
      ],
      kernelPath: "avx2")
  }

  /// `result` with every measure in it: modulus 7, so three frequencies, of which 1 and 3 are key.
  static func measured(
    _ outcome: Outcome = .grokked(memorization: 100, grokking: 700), epochs: Int = 1000
  ) -> RunResult {
    var result = result(outcome, epochs: epochs)
    for row in result.evaluations.indices {
      let epoch = Double(result.evaluations[row].epoch)
      result.evaluations[row].sumSquaredByTensor = (0..<11).map { $0 == 9 ? nil : Double($0) + epoch }
      // Numbers whose shortest decimals look unlike each other.
      result.evaluations[row].normsW_E = [0.1, 1e-12, 3.4028235e38]
      result.evaluations[row].normsW_L = [1 / 3, 16_777_216, Float(epoch)]
      result.evaluations[row].logitVarianceExplained = 0.95
      result.evaluations[row].cosineLossTest = 0.25
      result.evaluations[row].keyFrequencies = [
        KeyFrequencyMeasures(frequency: 1, excludedLoss: 4 + epoch, cosineCoefficient: -0.5),
        KeyFrequencyMeasures(frequency: 3, excludedLoss: 2 + epoch, cosineCoefficient: 0.1 + 0.2),
      ]
    }
    for place in result.keyFrequencies.indices {
      result.keyFrequencies[place].cosineCoefficient = 40.5
      result.keyFrequencies[place].neurons = 2 * place + 1
      result.keyFrequencies[place].varianceExplainedU = 0.93
      result.keyFrequencies[place].varianceExplainedV = 0.98
    }
    result.finalModel = FinalMeasures(
      normsW_E: [0.1 + 0.2, 1e-300, 5], normsW_L: [1 / 3, 2, 3], keyFrequenciesW_E: [3],
      keyFrequenciesNeurons: [1, 2, 3],
      neurons: [0.9, 0.85, 0.86, 0, 1].enumerated().map {
        NeuronFit(frequency: $0.offset % 3 + 1, varianceExplained: $0.element)
      },
      heads: [
        HeadMeasures(attention: [0.25, 0.5, 0.25], frequency: 2, varianceExplained: 0.75),
        HeadMeasures(attention: [1, 0, 0], frequency: 1, varianceExplained: 0),
      ],
      rankResidual: 0.0055,
      ablations: [
        Ablation(.original, loss: 0.5), Ablation(.neuronPolynomials, loss: 0.25),
        Ablation(.withoutFrequency, frequency: 1, loss: 4), Ablation(.withoutFrequency, frequency: 3, loss: 2),
        Ablation(.noSkip, loss: 0.5),
      ])
    result.crossings = CrossingMeasure.allCases.flatMap { measure in
      measure.thresholds.map { threshold in
        let isLow = measure == .testLoss ? threshold > 0.5 : threshold < 0.9
        return Crossing(measure: measure, threshold: threshold, first: isLow ? 650 : nil, sustained: isLow ? 700 : nil)
      }
    }
    result.phases = [
      Phase(.memorization, start: 0, end: 200), Phase(.circuitFormation, start: 200, end: 600),
      Phase(.cleanup, start: 600, end: nil),
    ]
    result.measureVersion = 2
    return result
  }

  /// As of an operation without waves: nothing that needs one.
  static var withoutWaves: RunResult {
    var result = measured()
    for row in result.evaluations.indices {
      result.evaluations[row].restrictedLossTrain = nil
      result.evaluations[row].restrictedLossTest = nil
      result.evaluations[row].restrictedLoss = nil
      result.evaluations[row].excludedLoss = nil
      result.evaluations[row].logitVarianceExplained = nil
      result.evaluations[row].cosineLossTest = nil
      result.evaluations[row].keyFrequencies = []
    }
    for place in result.keyFrequencies.indices {
      result.keyFrequencies[place].excludedLoss = nil
      result.keyFrequencies[place].cosineCoefficient = nil
      result.keyFrequencies[place].varianceExplainedU = nil
      result.keyFrequencies[place].varianceExplainedV = nil
    }
    result.finalModel?.rankResidual = nil
    result.finalModel?.ablations = []
    result.phases = []
    return result
  }

  /// As of a run that diverged at epoch 30: what was measured before, and no final model.
  static var diverged: RunResult {
    var result = withoutWaves
    result.outcome = .diverged(at: 30, memorization: nil, grokking: nil)
    result.keyFrequencies = []
    result.finalModel = nil
    return result
  }
}

extension Store {
  /// Grants `point` under `lease` to worker 1 and stores `result` for it.
  @discardableResult
  func finish(
    _ point: PointID, lease: Int64, _ result: RunResult = Sample.result(), seconds: Double = 10
  ) throws -> StoreOutcome {
    try recordWorker(Sample.worker(), at: Sample.now)
    try recordGrant(AttemptRecord(lease: LeaseID(lease), point: point, worker: 1), at: Sample.now)
    return try store(
      result, of: point, lease: LeaseID(lease), seconds: seconds, worker: 1, at: Sample.later(seconds))
  }
}

/// The error that `body` throws, when it is one of the store's.
func storeError(_ body: () throws -> Void) -> StoreError? {
  do {
    try body()
    return nil
  } catch {
    return error as? StoreError
  }
}
