// Runs whose evaluations' weights do not all fit: what is kept, how much is trained again, and that it makes no difference.

import Grokking
import Kernels
import Testing

@Suite struct RegenerationTests {
  /// 151 evaluations.
  private static let experiment: Experiment = {
    var experiment = CrossingTests.experiment
    experiment.measure.evaluateEvery = 10
    return experiment
  }()

  private static let straight = Result { try CrossingTests.finish(experiment) }

  /// Bytes of one evaluation's weights.
  private static let size = 4 * ParameterLayout(experiment).count

  /// - Returns: the calls that the analysis took, one for each evaluation, each epoch that was trained again, and each
  ///   part of the final model; and the result.
  private static func finish(_ run: Run) throws -> (analysisCalls: Int, result: RunResult) {
    var calls = 0
    while !run.isFinished {
      if run.progress.stage == .analysis { calls += 1 }
      try run.advance()
    }
    #expect(run.progress.work == run.progress.totalWork)
    return (calls, try run.result())
  }

  /// How many weights fit, and how many epochs are trained again. One less than there are evaluations costs an interval.
  @Test(arguments: [(0, 1500), (1, 1500), (2, 1490), (100, 510), (150, 10), (151, 0), (1000, 0)])
  func `only what does not fit is trained again`(fitting: Int, trainedAgain: Int) throws {
    let shelf = CountingShelf(noting: .weights)
    let limit = fitting * Self.size
    let run = try Run(Self.experiment, kernels: .choose(), snapshots: shelf.store, snapshotLimit: limit)
    #expect(run.progress.totalWork == 1501 + 151 + trainedAgain)
    let (calls, result) = try Self.finish(run)
    #expect(calls == 151 + trainedAgain + ModelAnalysis.steps(modulus: 29))
    #expect(try result == Self.straight.get())
    #expect(shelf.kept.isSuperset(of: Array(0..<min(fitting, 151)).dropLast() + [0, 150]))
    #expect(shelf.kept.count <= fitting + 2 + 16)
  }

  @Test func `a run that stops early trains nothing again, however long it might have been`() throws {
    var experiment = Self.experiment
    experiment.training.epochs = 100_000
    experiment.stop.afterGrokking = 20
    let limit = 150 * Self.size
    let (calls, result) = try Self.finish(
      Run(experiment, kernels: .choose(), snapshots: .inMemory(), snapshotLimit: limit))
    #expect(result.evaluations.count < 150 && result.outcome.grokkingEpoch != nil)
    #expect(calls == result.evaluations.count + ModelAnalysis.steps(modulus: 29))
  }

  /// The shorter run ends before the evaluation from which weights do not fit (60, at epoch 600), at it, and after it.
  @Test(arguments: [595, 600, 601, 605, 610, 745])
  func `a run is extended across the limit`(epochs: Int) throws {
    var short = Self.experiment
    short.training.epochs = epochs
    let limit = 61 * Self.size
    let snapshots = SnapshotStore.inMemory()
    let run = try Run(short, kernels: .choose(), snapshots: snapshots, snapshotLimit: limit)
    while run.isTraining { try run.advance() }
    let end = try run.checkpoint()
    #expect(try Self.finish(run).result == CrossingTests.finish(short))
    for longerLimit in [limit, 0, SnapshotStore.limitBytes] {
      let longer = try Run(
        extending: end, to: 1500, kernels: .choose(), snapshots: snapshots, snapshotLimit: longerLimit)
      let (calls, result) = try Self.finish(longer)
      #expect(try result == Self.straight.get())
      if longerLimit == limit { #expect(calls == 151 + 900 + ModelAnalysis.steps(modulus: 29)) }
    }
  }

  @Test func `nothing of a shorter run's end stays when it is extended`() throws {
    let (straight, extended) = (CountingShelf(noting: .weights), CountingShelf(noting: .weights))
    _ = try CrossingTests.finish(Self.experiment, snapshots: straight.store, snapshotLimit: 0)
    var short = Self.experiment
    short.training.epochs = 1455
    let run = try Run(short, kernels: .choose(), snapshots: extended.store, snapshotLimit: 0)
    while run.isTraining { try run.advance() }
    #expect(extended.kept.contains(146))
    let longer = try Run(
      extending: run.checkpoint(), to: 1500, kernels: .choose(), snapshots: extended.store, snapshotLimit: 0)
    #expect(try Self.finish(longer).result == Self.straight.get())
    #expect(extended.kept == straight.kept)
  }

  @Test func `at the paper's size all weights of 40,000 epochs fit, and no run ever takes 500 MB`() {
    let paper = Experiment()
    let fitting = SnapshotStore.evaluationsThatFit(in: SnapshotStore.limitBytes, paper)
    #expect(fitting > 401)
    let size = 4 * ParameterLayout(paper).count
    // Beside those: the one trained from again, and the last; seventeen states of intervals and one that is being written
    // before another goes, each with weights and two moments; two moments to train from again; a checkpoint of three
    // such lists, its header and split, beside the one that it replaces.
    let most = fitting + 2 + 18 * 3 + 2
    #expect(most * size + 2 * (3 * size + (1 << 18)) < 500_000_000)
  }
}
