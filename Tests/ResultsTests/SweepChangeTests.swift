// A sweep's file that comes again with other values.

import Foundation
import Grokking
import Results
import Sweeps
import Testing

@Suite struct SweepChangeTests {
  /// decay over 1 and 0.3 with two seeds: point 0 finished, point 1 failed, point 2 running, point 3 waiting.
  private func mixed() throws -> (StoreFixture, SweepRegistration) {
    let fixture = try StoreFixture()
    let sweep = Sample.sweep()
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.finish(sweep.points[0].id, lease: 1)
    try fixture.store.recordFailure(sweep.points[1].id, reason: "it does not fit", at: Sample.now)
    try fixture.store.recordGrant(
      AttemptRecord(lease: LeaseID(7), point: sweep.points[2].id, worker: 1), at: Sample.now)
    return (fixture, sweep)
  }

  private func members(_ fixture: StoreFixture) throws -> [String] {
    try fixture.rows(
      """
      SELECT point.id FROM sweep_point JOIN point ON point.number = sweep_point.point ORDER BY sweep_point.position
      """
    ).map { $0[0] }
  }

  @Test func `values that come bring their points, and those that were there stay as they are`() throws {
    let (fixture, sweep) = try mixed()
    let wider = Sample.sweep(weightDecays: [3, 1, 0.3])
    #expect(try fixture.store.change(by: wider) == SweepChange(added: 2, withdrawn: 0, retained: 0))
    #expect(try members(fixture).count == 4, "asking changes nothing")
    let registration = try fixture.store.register(wider, at: Sample.later(60))
    #expect(registration.change == SweepChange(added: 2, withdrawn: 0, retained: 0))
    #expect(registration.differences.count == 2)
    #expect((registration.total, registration.finished, registration.failed) == (6, 1, 1))
    #expect(try members(fixture) == wider.points.map(\.id.hex))
    #expect(try fixture.store.states(of: sweep.points.map(\.id)) == [.finished, .failed, .pending, .pending])
    #expect(try fixture.store.change(by: wider) == nil)
    #expect(try fixture.store.register(wider, at: Sample.later(61)).change == nil)
  }

  @Test func `values that go take along only what nobody has run`() throws {
    let (fixture, sweep) = try mixed()
    let other = Sample.sweep(weightDecays: [3])
    let registration = try fixture.store.register(other, at: Sample.later(60))
    #expect(registration.change == SweepChange(added: 2, withdrawn: 1, retained: 3))
    #expect(registration.withdrawn == [sweep.points[3].id])
    #expect(try members(fixture) == (other.points + sweep.points[..<3]).map(\.id.hex))
    #expect((registration.total, registration.pending, registration.finished, registration.failed) == (5, 3, 1, 1))
    let progress = try fixture.store.sweepProgress(of: "decay")
    #expect((progress.pending, progress.running, progress.finished, progress.failed) == (2, 1, 1, 1))
    #expect(try fixture.value("SELECT count(*) FROM runs WHERE sweep = 'decay'") == 1, "no result is lost")
    let start = try fixture.store.schedulerStart()
    #expect(Set(start.points.map(\.id)) == Set((other.points + sweep.points[..<3]).map(\.id)))
  }

  @Test func `points of an earlier search with other fixed values say so, and are no neighbours of the new ones`()
    throws
  {
    let fixture = try StoreFixture()
    func search(epochs: Int, _ fractions: [Double]) -> SweepRegistration {
      let points = fractions.map { fraction in
        var experiment = Experiment()
        (experiment.task.trainFraction, experiment.training.epochs) = (fraction, epochs)
        return Point(experiment: experiment, setting: "train_fraction=\(fraction)")
      }
      return SweepRegistration(
        name: "search", canonical: #"{"epochs":\#(epochs),"method":"boundary"}"#, fileText: "sweep: search",
        axes: ["task.train_fraction", "seed"], points: points, differences: { _ in ["epochs"] })
    }
    for (epochs, fractions) in [(100, [0.3, 0.5]), (200, [0.4]), (300, [0.6])] {
      let sweep = search(epochs: epochs, fractions)
      _ = try fixture.store.register(sweep, at: Sample.now)
      for point in sweep.points {
        try fixture.store.recordFailure(point.id, reason: "so that it stays", at: Sample.now)
      }
    }
    #expect(
      try fixture.rows("SELECT label FROM setting ORDER BY label").map { $0[0] as String } == [
        "train_fraction=0.3 epochs=100", "train_fraction=0.4 epochs=200", "train_fraction=0.5 epochs=100",
        "train_fraction=0.6",
      ])
  }

  @Test func `what comes back goes on with its history`() throws {
    let (fixture, sweep) = try mixed()
    _ = try fixture.store.register(Sample.sweep(weightDecays: [3]), at: Sample.later(60))
    let registration = try fixture.store.register(sweep, at: Sample.later(120))
    #expect(registration.change == SweepChange(added: 1, withdrawn: 2, retained: 0))
    #expect(try members(fixture) == sweep.points.map(\.id.hex))
    #expect(try fixture.store.sweepProgress(of: "decay").finished == 1)
  }

  @Test func `a point of two sweeps leaves one of them`() throws {
    let (fixture, sweep) = try mixed()
    _ = try fixture.store.register(Sample.sweep("other"), at: Sample.now)
    _ = try fixture.store.register(Sample.sweep(weightDecays: [1]), at: Sample.later(60))
    #expect(try fixture.store.sweepProgress().map(\.total) == [3, 4])
    try fixture.store.finish(sweep.points[3].id, lease: 9)
    #expect(try fixture.store.sweepProgress().map(\.finished) == [1, 2])
  }

  @Test func `runs of a changed fixed value are not folded with those of the new one`() throws {
    let fixture = try StoreFixture()
    func sweep(epochs: Int) -> SweepRegistration {
      let points = (0..<2).map { seed in
        Point(experiment: Sample.experiment(weightDecay: 1, seed: UInt64(seed), epochs: epochs), setting: "decay=1")
      }
      return SweepRegistration(
        name: "long", canonical: "\(epochs)", fileText: "", axes: ["seed"], points: points, differences: { _ in [] })
    }
    let short = sweep(epochs: 1000)
    _ = try fixture.store.register(short, at: Sample.now)
    try fixture.store.finish(short.points[0].id, lease: 1)
    _ = try fixture.store.register(sweep(epochs: 2000), at: Sample.later(60))
    let times = try fixture.store.grokkingTimes(of: "long")
    #expect(times.map(\.setting) == ["decay=1", "decay=1 epochs=1000"])
    #expect(times.map(\.points) == [2, 1])
    #expect(times.map(\.runs) == [0, 1])
  }
}
