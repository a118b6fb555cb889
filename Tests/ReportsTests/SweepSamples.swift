// Sweeps in stores, with runs of known numbers, that the suites of sweep figures draw.

import Foundation
import Grokking
import Results
import Sweeps

/// A store in a folder of its own, which goes when the test does.
final class SweepStore {
  let store: Store
  private let folder: URL
  private var leases: Int64 = 0

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "groksweep-reports-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    store = try Store(path: folder.appending(path: "x.sqlite").path, mode: .create)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  static let now = Date(timeIntervalSince1970: 1_767_225_600)

  static var experiment: Experiment {
    Experiment(
      task: LearningTask(operation: .add, modulus: 7, trainFraction: 0.5),
      model: ModelShape(dModel: 8, heads: 2, dMLP: 16, activation: .relu, biases: true, dVocabOut: 8),
      training: TrainingSettings(epochs: 1000), measure: MeasureSettings(evaluateEvery: 100))
  }

  /// One point for each of `settings` and seed; a setting's name says in what it differs from the first.
  @discardableResult
  func register(
    _ settings: [Experiment], axes: [String] = [], seeds: Int = 2, dataSeeds: Int? = nil, name: String = "decay"
  ) throws -> [Point] {
    let points = settings.flatMap { setting in
      (0..<seeds).flatMap { seed in
        (0..<(dataSeeds ?? 1)).map { dataSeed in
          var experiment = setting
          experiment.modelSeed = UInt64(seed)
          experiment.dataSeed = UInt64(dataSeeds == nil ? seed : dataSeed)
          return Point(
            experiment: experiment,
            setting: settings.count > 1
              ? setting.settingWords(unlike: settings[0]).isEmpty
                ? "the first" : setting.settingWords(unlike: settings[0]) : "")
        }
      }
    }
    let registration = SweepRegistration(
      name: name, canonical: "{}", fileText: "sweep: \(name)\n", axes: axes, points: points
    ) { _ in [] }
    _ = try store.register(registration, at: Self.now)
    return points
  }

  func finish(_ point: Point, _ result: RunResult, seconds: Double = 10) throws {
    leases += 1
    let identity = WorkerIdentity(
      boot: String(repeating: "0", count: 32), host: "node<1>", processID: 100, cpu: "Testium 9", cores: 4,
      kernelPath: "avx2", build: "0.1.0")
    try store.recordWorker(WorkerRecord(number: 1, identity: identity), at: Self.now)
    try store.recordGrant(AttemptRecord(lease: LeaseID(leases), point: point.id, worker: 1), at: Self.now)
    _ = try store.store(
      result, of: point.id, lease: LeaseID(leases), seconds: seconds, worker: 1,
      at: Self.now.addingTimeInterval(seconds))
  }

  /// Of 1000 epochs, with `evaluations` evaluations and nothing else.
  static func result(_ outcome: Outcome, epochs: Int = 1000, evaluations: Int = 11) -> RunResult {
    RunResult(
      outcome: outcome, epochs: epochs,
      evaluations: (0..<evaluations).map { index in
        let epoch = index * epochs / max(evaluations - 1, 1)
        let left = max(0, 1 - Double(epoch) / Double(outcome.grokkingEpoch ?? 10 * epochs))
        return Evaluation(
          epoch: epoch, trainLoss: 1 / Double(1 + epoch), testLoss: 0.001 + 5 * left, trainAccuracy: 1,
          testAccuracy: 1 - left, giniW_E: 0.5 - 0.1 * left, giniW_L: 0.6 - 0.1 * left,
          sumSquaredWeights: 100 + 50 * left)
      }, keyFrequencies: [],
      digests: [EpochDigest(epoch: epochs, digest: String(repeating: "a", count: 64))], kernelPath: "avx2")
  }

  static func grokked(_ epoch: Int) -> RunResult { result(.grokked(memorization: 100, grokking: epoch)) }
  static var censored: RunResult { result(.memorized(memorization: 100, censoredAfter: 1000)) }

  /// Weight decays × train fractions.
  static func grid(_ decays: [Double], _ fractions: [Double]) -> [Experiment] {
    decays.flatMap { decay in
      fractions.map { fraction in
        var experiment = experiment
        experiment.training.weightDecay = decay
        experiment.task.trainFraction = fraction
        return experiment
      }
    }
  }
}
