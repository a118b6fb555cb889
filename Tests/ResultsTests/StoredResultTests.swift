// A point's first result is kept for good; every later one is compared with it.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct StoredResultTests {
  private let fixture: StoreFixture
  private let points: [PointID]
  private var store: Store { fixture.store }

  init() throws {
    fixture = try StoreFixture()
    let sweep = Sample.sweep()
    points = sweep.points.map(\.id)
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.recordWorker(Sample.worker(1), at: Sample.now)
    try fixture.store.recordWorker(Sample.worker(2), at: Sample.now)
  }

  private func grant(_ lease: Int64, _ point: Int) throws {
    try store.recordGrant(AttemptRecord(lease: LeaseID(lease), point: points[point], worker: 1), at: Sample.now)
  }

  private func deliver(
    _ result: RunResult = Sample.result(), _ point: Int = 0, lease: Int64 = 1, worker: Int64 = 1
  ) throws -> StoreOutcome {
    try store.store(
      result, of: points[point], lease: LeaseID(lease), seconds: 12.5, worker: worker, at: Sample.later(13))
  }

  @Test func `a result is stored whole, with the end of its attempt`() throws {
    try grant(1, 0)
    #expect(try deliver() == .stored)
    #expect(try store.curve(of: points[0]) == Sample.result().evaluations)
    #expect(try fixture.value("SELECT count(*) FROM key_frequencies") == 2)
    #expect(try fixture.value("SELECT count(*) FROM digest") == 2)
    let attempt = try #require(try fixture.rows("SELECT * FROM attempts").first)
    #expect(attempt["class"] == "finished")
    #expect(attempt["epoch"] == 1000)
    #expect(attempt["seconds"] == 13)
    #expect(attempt["delivered"] == 1)
    let run = try #require(try store.runs(of: "decay").first)
    #expect(run.point == points[0])
    #expect(run.experiment == Sample.experiment())
    #expect((run.outcome, run.memorizationEpoch, run.grokkingEpoch, run.grokkingDelay) == ("grokked", 100, 700, 600))
    #expect(run.final == Sample.evaluation(1000))
    #expect((run.keyFrequencyCount, run.seconds, run.worker) == (2, 12.5, 1))
  }

  @Test func `final weights are stored with their result, once, and can be removed`() throws {
    try grant(1, 0)
    var weighty = Sample.result()
    weighty.finalWeights = [1, 0, 255]
    #expect(try deliver(weighty) == .stored)
    weighty.finalWeights = [9]
    #expect(try deliver(weighty) == .alreadyThere(equalDigest: true))
    #expect(try store.finalWeights(of: points[0]) == [1, 0, 255])
    #expect(try store.finalWeights(of: points[1]) == nil)
    let row = try #require(try fixture.rows("SELECT * FROM final_weights").first)
    #expect(row["point"] == points[0].hex && row["byte_count"] == 3 && row["epochs"] == 1000)
    try DatabaseQueue(path: fixture.path).write { try $0.execute(sql: "DELETE FROM run_weights") }
    #expect(try store.finalWeights(of: points[0]) == nil)
    #expect(try store.runs(of: "decay").count == 1)
  }

  @Test func `a result that comes twice is stored once`() throws {
    try grant(1, 0)
    #expect(try deliver() == .stored)
    #expect(try deliver() == .alreadyThere(equalDigest: true))
    #expect(try fixture.value("SELECT count(*) FROM runs") == 1)
    #expect(try store.violationCount() == 0)
    #expect(try store.sweepProgress(of: "decay").finished == 1)
  }

  @Test func `a second result with other bits is a violation, recorded once, and changes nothing`() throws {
    try grant(1, 0)
    _ = try deliver()
    let other = Sample.result(digest: "b")
    #expect(try deliver(other, worker: 2) == .alreadyThere(equalDigest: false))
    #expect(try store.compare(other, of: points[0], worker: 2, at: Sample.now) == false)
    #expect(try store.compare(Sample.result(), of: points[0], worker: 2, at: Sample.now))
    let violation = try #require(try store.violations().first)
    #expect(try store.violationCount() == 1)
    #expect(violation.storedDigest == Sample.digest("a"))
    #expect(violation.otherDigest == Sample.digest("b"))
    #expect(violation.firstDifferentEpoch == 1000)
    #expect(violation.worker == 2)
    #expect(try fixture.value("SELECT digest FROM runs") == Sample.digest("a"))
  }

  @Test func `nothing can be compared with a point that has no result`() throws {
    let error = storeError { _ = try store.compare(Sample.result(), of: points[0], worker: 1, at: Sample.now) }
    #expect(error?.kind == .unknown)
  }

  @Test func `a late result of a lost attempt is stored, and the attempt stays lost`() throws {
    try grant(1, 0)
    try store.endAttempt(LeaseID(1), .failed(.lost, reason: "silent", charged: true), at: Sample.later(5))
    try grant(2, 0)
    #expect(try deliver(lease: 1) == .stored)
    let attempts = try fixture.rows("SELECT lease, class, delivered FROM attempts")
    #expect(attempts.map { $0["class"] as String } == ["lost", "open"])
    #expect(attempts.map { $0["delivered"] as Int } == [1, 0])
    try store.endAttempt(LeaseID(2), .superseded(by: LeaseID(1)), at: Sample.later(14))
    #expect(try store.sweepProgress(of: "decay").running == 0)
  }

  @Test func `a result under a lease of a store since deleted is stored without it`() throws {
    try grant(1, 1)
    #expect(try deliver(lease: 400) == .stored)
    #expect(try deliver(Sample.result(), 2, lease: 1) == .stored)
    #expect(try fixture.value("SELECT count(*) FROM run WHERE lease IS NULL") == 2)
    #expect(try fixture.value("SELECT class FROM attempts WHERE lease = 1") == "open")
  }

  @Test func `a failed point that delivers after all is finished`() throws {
    try store.recordFailure(points[0], reason: "gave up", at: Sample.now)
    #expect(try store.sweepProgress(of: "decay").failed == 1)
    _ = try deliver()
    let progress = try store.sweepProgress(of: "decay")
    #expect((progress.failed, progress.finished, progress.pending) == (0, 1, 3))
    try store.recordFailure(points[0], reason: "too late", at: Sample.now)
    #expect(try store.failures() == [])
    #expect(try store.states(of: [points[0]]) == [.finished])
  }

  @Test func `every outcome can be stored`() throws {
    let outcomes: [Outcome] = [
      .grokked(memorization: 1, grokking: 500), .memorized(memorization: 3, censoredAfter: 1000),
      .unfit(censoredAfter: 1000), .immediate(memorization: nil, grokking: 100),
      .immediate(memorization: 200, grokking: 100), .collapsed(memorization: 5, grokking: 100),
      .diverged(at: 30, memorization: nil, grokking: nil), .diverged(at: 30, memorization: 3, grokking: 20),
    ]
    let sweep = Sample.sweep("outcomes", weightDecays: [5], seeds: outcomes.count)
    _ = try store.register(sweep, at: Sample.now)
    for (index, outcome) in outcomes.enumerated() {
      let result = Sample.result(outcome)
      #expect(
        try store.store(
          result, of: sweep.points[index].id, lease: LeaseID(99), seconds: 1, worker: 1, at: Sample.now) == .stored)
    }
    let runs = try store.runs(of: "outcomes")
    #expect(runs.map(\.outcome) == outcomes.map(\.name))
    #expect(runs.map(\.grokkingEpoch) == outcomes.map(\.grokkingEpoch))
    #expect(runs.map(\.censoredAfter) == outcomes.map(\.censoredAfter))
  }

  @Test func `a run that diverged before its first evaluation has no final measures`() throws {
    var result = Sample.result(.diverged(at: 0, memorization: nil, grokking: nil))
    result.evaluations = []
    result.keyFrequencies = []
    #expect(try deliver(result) == .stored)
    let run = try #require(try store.runs(of: "decay").first)
    #expect(run.final == nil)
    #expect(try fixture.value("SELECT count(*) FROM runs WHERE train_loss IS NULL") == 1)
  }

  @Test func `a result that is not a number is rejected whole`() throws {
    try grant(1, 0)
    var wrong = [Sample.result(), Sample.result(), Sample.result(), Sample.result(), Sample.result()]
    wrong[0].evaluations[1].trainLoss = .nan
    wrong[1].evaluations[1].giniW_E = .infinity
    wrong[2].evaluations[1].testAccuracy = 1.5
    wrong[3].digests[1].digest = "no digest"
    wrong[4].keyFrequencies.append(wrong[4].keyFrequencies[0])
    for result in wrong {
      #expect(storeError { _ = try deliver(result) }?.kind == .rejected)
      #expect(try fixture.value("SELECT count(*) FROM run") == 0)
      #expect(try fixture.value("SELECT count(*) FROM evaluation") == 0)
      #expect(try fixture.value("SELECT class FROM attempts") == "open")
      #expect(try store.states(of: [points[0]]) == [.pending])
    }
    #expect(try deliver() == .stored)
  }

  @Test func `a result of a point that is not here is unknown`() throws {
    let stranger = PointID(of: Sample.experiment(weightDecay: 17))
    let error = storeError {
      _ = try store.store(Sample.result(), of: stranger, lease: LeaseID(1), seconds: 1, worker: 1, at: Sample.now)
    }
    #expect(error?.kind == .unknown)
    #expect(error?.message.contains(stranger.short) == true)
  }
}
