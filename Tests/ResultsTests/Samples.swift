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
