// Sweeps enter the store once, whatever is run how often.

import Foundation
import Grokking
import Results
import Sweeps
import Testing

@Suite struct RegistrationTests {
  @Test func `a new sweep is registered with its points, settings and file`() throws {
    let fixture = try StoreFixture()
    let registration = try fixture.store.register(Sample.sweep(), at: Sample.now)
    #expect(registration.isNew)
    #expect((registration.total, registration.pending, registration.finished) == (4, 4, 0))
    #expect(try fixture.value("SELECT file_text FROM sweep") == "sweep: decay\n")
    #expect(try fixture.value("SELECT axes FROM sweep") == #"["training.weight_decay","seed"]"#)
    #expect(try fixture.value("SELECT created FROM sweep") == Sample.nowText)
    #expect(try fixture.value("SELECT count(*) FROM setting") == 2)
  }

  @Test func `the same sweep again writes nothing and goes on`() throws {
    let fixture = try StoreFixture()
    let sweep = Sample.sweep()
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.finish(sweep.points[0].id, lease: 1)
    let again = try fixture.store.register(sweep, at: Sample.later(60))
    #expect(!again.isNew)
    #expect((again.total, again.pending, again.finished, again.sharedFinished) == (4, 3, 1, 0))
    #expect(try fixture.value("SELECT created FROM sweep") == Sample.nowText)
    #expect(try fixture.value("SELECT count(*) FROM point") == 4)
  }

  @Test func `a sweep of another engine is not continued`() throws {
    let fixture = try StoreFixture()
    _ = try fixture.store.register(Sample.sweep(), at: Sample.now)
    try fixture.plain().write { try $0.execute(sql: "UPDATE sweep SET semantics_version = 0") }
    let error = storeError { _ = try fixture.store.register(Sample.sweep(), at: Sample.now) }
    #expect(error?.kind == .sweepChanged)
    #expect(error?.message.contains("engine semantics 0") == true)
    #expect(error?.message.contains("Its finished runs stay") == true)
    #expect(error?.message.contains("undo") == false && error?.message.contains("was changed") == false)
    let changed = storeError { _ = try fixture.store.register(Sample.sweep(weightDecays: [3]), at: Sample.now) }
    #expect(changed?.message.contains("it was changed as well:") == true)
    #expect(changed?.message.contains("undo") == false)
  }

  @Test func `points that another sweep finished are finished, and count in both`() throws {
    let fixture = try StoreFixture()
    let first = Sample.sweep("first", weightDecays: [1, 0.3])
    _ = try fixture.store.register(first, at: Sample.now)
    try fixture.store.finish(first.points[0].id, lease: 1, seconds: 20)
    let second = Sample.sweep("second", weightDecays: [3, 1])
    let registration = try fixture.store.register(second, at: Sample.now)
    #expect((registration.pending, registration.finished, registration.sharedFinished) == (3, 1, 1))
    #expect(try fixture.value("SELECT count(*) FROM point") == 6)
    // And one that is finished later counts in both, too.
    try fixture.store.finish(first.points[1].id, lease: 2, seconds: 40)
    #expect(try fixture.store.sweepProgress().map(\.finished) == [2, 2])
    #expect(try fixture.rows("SELECT finished_seconds FROM sweep").map { $0[0] as Double } == [60, 60])
    #expect(try fixture.rows("SELECT sweep, point FROM runs").count == 4)
  }

  @Test func `a point twice in one sweep is refused, and nothing of the sweep remains`() throws {
    let fixture = try StoreFixture()
    let sweep = Sample.sweep()
    let doubled = SweepRegistration(
      name: "doubled", canonical: "", fileText: "", axes: [], points: sweep.points + [sweep.points[0]]
    ) { _ in [] }
    #expect(storeError { _ = try fixture.store.register(doubled, at: Sample.now) }?.kind == .rejected)
    #expect(try fixture.store.sweepNames() == [])
    #expect(try fixture.value("SELECT count(*) FROM point") == 0)
  }

  @Test func `experiments come back as they went in`() throws {
    let fixture = try StoreFixture()
    let odd = Experiment(
      task: LearningTask(operation: .x2xyy2, modulus: 113, trainFraction: 0.1 + 0.2),
      model: ModelShape(dModel: 48, heads: 3, dMLP: 7, activation: .gelu, biases: false, dVocabOut: 113),
      training: TrainingSettings(
        epochs: 12_345, learningRate: 1e-3 / 3, weightDecay: 0, beta1: 0, beta2: 0.999, epsilon: 1e-300, warmupEpochs: 0
      ),
      measure: MeasureSettings(evaluateEvery: 7), stop: StopSettings(afterGrokking: 500),
      modelSeed: 1 << 53 - 1, dataSeed: 9)
    func sweep(_ name: String, _ experiment: Experiment) -> SweepRegistration {
      SweepRegistration(
        name: name, canonical: name, fileText: "", axes: [], points: [Point(experiment: experiment, setting: "")]
      ) { _ in [] }
    }
    _ = try fixture.store.register(sweep("odd", odd), at: Sample.now)
    #expect(try fixture.store.schedulerStart().points.map(\.experiment) == [odd])
  }

  @Test func `a plan learns which of its points are known`() throws {
    let fixture = try StoreFixture()
    let sweep = Sample.sweep()
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.finish(sweep.points[0].id, lease: 1)
    try fixture.store.recordFailure(sweep.points[1].id, reason: "broke", at: Sample.now)
    let unknown = PointID(of: Sample.experiment(weightDecay: 17))
    #expect(
      try fixture.store.states(of: sweep.points.prefix(3).map(\.id) + [unknown]) == [.finished, .failed, .pending, nil])
  }
}
