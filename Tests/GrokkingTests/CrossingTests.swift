// Crossings located exactly, against a curve with the test set evaluated at every epoch.

import Grokking
import Kernels
import Testing

@Suite struct CrossingTests {
  /// Memorizes and groks within a few hundred epochs, crossing every threshold.
  static let experiment = Experiment(
    task: LearningTask(modulus: 29, trainFraction: 0.7),
    model: ModelShape(dModel: 48, heads: 4, dMLP: 128, dVocabOut: 30),
    training: TrainingSettings(epochs: 1500, weightDecay: 2))

  /// Crosses thresholds again and again: at this learning rate accuracy flickers, and one of the three loses it.
  static func flickering(learningRate: Double, beta2: Double) -> Experiment {
    var experiment = experiment
    experiment.training = TrainingSettings(epochs: 400, learningRate: learningRate, weightDecay: 0.5, beta2: beta2)
    experiment.measure.evaluateEvery = 10
    return experiment
  }

  /// Train and test at every epoch from 0 to the end, or to another.
  struct DenseCurve {
    let points: [(train: LossAndAccuracy, test: LossAndAccuracy)]

    init(_ experiment: Experiment, from start: Start? = nil, to end: Int? = nil) throws {
      let trainer = Trainer(experiment, start: start ?? Start(experiment), kernels: try .choose())
      points = (0...(end ?? experiment.training.epochs)).map { _ in
        let test = trainer.evaluateTest()
        return (train: trainer.step(), test: test)
      }
    }

    func holds(_ crossing: Crossing, at epoch: Int) -> Bool {
      switch crossing.measure {
      case .trainAccuracy: points[epoch].train.accuracy >= crossing.threshold
      case .testAccuracy: points[epoch].test.accuracy >= crossing.threshold
      case .testLoss: points[epoch].test.loss <= crossing.threshold
      }
    }

    /// The definition, word by word.
    func crossing(_ crossing: Crossing, evaluatedAt epochs: [Int]) -> Crossing {
      let held = epochs.map { holds(crossing, at: $0) }
      var expected = Crossing(measure: crossing.measure, threshold: crossing.threshold)
      if let seen = held.firstIndex(of: true) {
        expected.first = ((seen == 0 ? 0 : epochs[seen - 1] + 1)...epochs[seen]).first { holds(crossing, at: $0) }
      }
      if crossing.measure == .trainAccuracy { expected.first = points.indices.first { holds(crossing, at: $0) } }
      if let sustained = held.indices.first(where: { $0 + 5 < held.count && !held[$0...$0 + 5].contains(false) }) {
        let before = sustained == 0 ? -1 : epochs[sustained - 1]
        expected.sustained = (before + 1...epochs[sustained]).first { start in
          (start...epochs[sustained]).allSatisfy { holds(crossing, at: $0) }
        }
      }
      return expected
    }
  }

  private static let dense = Result { try DenseCurve(experiment) }

  static func finish(
    _ experiment: Experiment, snapshots: SnapshotStore = .inMemory(), snapshotLimit: Int = SnapshotStore.limitBytes
  ) throws -> RunResult {
    let run = try Run(experiment, kernels: .choose(), snapshots: snapshots, snapshotLimit: snapshotLimit)
    while !run.isFinished { try run.advance() }
    return try run.result()
  }

  @Test(arguments: [1, 2, 10, 37, 100, 400, 1499, 10_000])
  func `every crossing is the one found by evaluating at every epoch`(evaluateEvery: Int) throws {
    var experiment = Self.experiment
    experiment.measure.evaluateEvery = evaluateEvery
    let result = try Self.finish(experiment)
    let epochs = result.evaluations.map(\.epoch)
    #expect(epochs == Array(Set(stride(from: 0, to: 1500, by: evaluateEvery) + [1500])).sorted())
    #expect(
      result.crossings.map(\.measure) == [.trainAccuracy] + Array(repeating: .testAccuracy, count: 5)
        + Array(repeating: .testLoss, count: 3))
    for crossing in result.crossings {
      #expect(crossing == (try Self.dense.get().crossing(crossing, evaluatedAt: epochs)))
    }
    #expect(result.crossings.allSatisfy { $0.first != nil })
    let grokking = result.crossings.first { $0.measure == .testAccuracy && $0.threshold == 0.99 }
    #expect(result.outcome.grokkingEpoch == grokking?.first)
    #expect(result.outcome.memorizationEpoch == result.crossings[0].first)
  }

  @Test(arguments: [(0.02, 0.999, 10), (0.05, 0.98, 10), (0.05, 0.999, 10), (0.05, 0.999, 7), (0.05, 0.98, 3)])
  func `so it is where accuracy flickers`(learningRate: Double, beta2: Double, evaluateEvery: Int) throws {
    var experiment = Self.flickering(learningRate: learningRate, beta2: beta2)
    experiment.measure.evaluateEvery = evaluateEvery
    let (result, dense) = (try Self.finish(experiment), try DenseCurve(experiment))
    let epochs = result.evaluations.map(\.epoch)
    for crossing in result.crossings { #expect(crossing == dense.crossing(crossing, evaluatedAt: epochs)) }
    // Or this would test no more than the other one does.
    #expect(result.crossings.contains { $0.first != nil && $0.first != $0.sustained })
  }

  @Test func `first crossings do not depend on how often a run was evaluated`() throws {
    let first = try [1, 10, 100].map { evaluateEvery in
      var experiment = Self.experiment
      experiment.measure.evaluateEvery = evaluateEvery
      return try Self.finish(experiment).crossings.map(\.first)
    }
    #expect(first[0] == first[1] && first[1] == first[2])
  }

  @Test func `a run that diverges has the crossings that it lived to see`() throws {
    var experiment = Self.experiment
    experiment.training.learningRate = 1e18
    experiment.measure.evaluateEvery = 2
    let result = try Self.finish(experiment)
    guard case .diverged = result.outcome else {
      Issue.record("\(result.outcome)")
      return
    }
    #expect(result.crossings.count == 9 && result.crossings.allSatisfy { $0.sustained == nil })
    #expect(result.phases.isEmpty)
    #expect(result.ending(of: experiment) == .diverged)
  }

  @Test func `a watch tells first, present and sustained crossings apart`() throws {
    var watch = try #require(ThresholdWatch.all.first { $0.measure == .testLoss && $0.threshold == 0.1 })
    let losses = [3, 0.1, 0.2, 0.05, 0.04, 0.03, 0.02, 0.01, 0.01, 0.5, 0.1]
    var states: [[Int?]] = []
    for loss in losses {
      let test = LossAndAccuracy(loss: loss, accuracy: 0)
      watch.look(train: test, test: test)
      states.append([watch.first, watch.since, watch.sustained])
    }
    #expect(states[0] == [nil, nil, nil] && states[1] == [1, 1, nil] && states[2] == [1, nil, nil])
    #expect(states[7] == [1, 3, nil] && states[8] == [1, 3, 3] && states[9] == [1, nil, 3])
    #expect(states[10] == [1, 10, 3])
  }

  @Test func `states are kept only where an interval starts that may be replayed`() throws {
    let shelf = CountingShelf(noting: .firstMoment)
    var experiment = Self.experiment
    experiment.measure.evaluateEvery = 10
    let result = try Self.finish(experiment, snapshots: shelf.store)
    #expect(shelf.most <= 17)
    // All is proven by then: what stays are the starts of the intervals that were replayed.
    let epochs = result.crossings.dropFirst().flatMap { [$0.first, $0.sustained] }.compactMap { $0 }
    #expect(shelf.kept == Set(epochs.map { ($0 - 1) / 10 }))
    experiment.measure.evaluateEvery = 1
    let untouched = CountingShelf(noting: .firstMoment)
    _ = try Self.finish(experiment, snapshots: untouched.store)
    #expect(untouched.most == 0)
  }
}
