// Many writes in one transaction.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct BatchTests {
  private let fixture: StoreFixture
  private let points: [PointID]
  private var store: Store { fixture.store }

  init() throws {
    fixture = try StoreFixture()
    let sweep = Sample.sweep()
    points = sweep.points.map(\.id)
    _ = try fixture.store.register(sweep, at: Sample.now)
  }

  private func grant(_ lease: Int64, _ point: Int, worker: Int64 = 1) -> StoreWrite {
    .grant(AttemptRecord(lease: LeaseID(lease), point: points[point], worker: worker))
  }

  private func result(_ lease: Int64, _ point: Int, _ result: RunResult = Sample.result()) -> StoreWrite {
    .result(result, of: points[point], lease: LeaseID(lease), seconds: 1, worker: 1)
  }

  private func words(_ outcomes: [WriteOutcome]) -> [String] {
    outcomes.map { outcome in
      switch outcome {
      case .written: "written"
      case .stored(.stored): "stored"
      case .stored(.alreadyThere(let isEqual)): isEqual ? "there, equal" : "there, different"
      case .compared(let isEqual): isEqual ? "equal" : "different"
      case .refused(let error): "\(error.kind)"
      }
    }
  }

  @Test func `a batch is carried out in order, in one transaction`() throws {
    let before = try fixture.plain()
    let outcomes = try store.commit(
      [
        .worker(Sample.worker()), grant(1, 0), grant(2, 1), grant(3, 2), result(1, 0), result(1, 0),
        result(9, 0, Sample.result(digest: "b")), .comparison(Sample.result(), with: points[0], worker: 1),
        .end(LeaseID(2), .failed(.crashed, reason: "signal 9", charged: true)), .failure(points[1], reason: "poison"),
        .end(LeaseID(3), .failed(.stalled, reason: "silence", charged: true)),
        .refund(LeaseID(3), reason: "the host was barred"), .workerLeft(1),
      ], at: Sample.now)
    #expect(
      words(outcomes) == [
        "written", "written", "written", "written", "stored", "there, equal", "there, different", "equal", "written",
        "written", "written", "written", "written",
      ])
    #expect(try store.schedulerStart().points.map(\.state) == [.finished, .failed, .pending, .pending])
    #expect(try store.schedulerStart().points.map(\.chargedAttempts) == [0, 1, 0, 0])
    #expect(try fixture.value("SELECT refunded FROM attempts WHERE lease = 3") == "the host was barred")
    #expect(try fixture.value("SELECT state FROM workers") == "left")
    #expect(try store.violationCount() == 1)
    // Another program sees all of it or nothing; this one sees all.
    #expect(try before.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM attempts") } == 3)
  }

  @Test func `a write that is refused takes nothing along and leaves nothing behind`() throws {
    var broken = Sample.measured()
    broken.evaluations[1].trainLoss = .nan
    let stranger = PointID(of: Sample.experiment(weightDecay: 17))
    let outcomes = try store.commit(
      [
        .worker(Sample.worker()), grant(1, 0), grant(2, 1), result(1, 0, broken), grant(1, 2), grant(3, 3, worker: 7),
        .failure(stranger, reason: "?"), result(2, 1),
      ], at: Sample.now)
    #expect(
      words(outcomes)
        == ["written", "written", "written", "rejected", "rejected", "rejected", "unknown", "stored"])
    #expect(try store.schedulerStart().points.map(\.state) == [.pending, .finished, .pending, .pending])
    #expect(
      try fixture.rows("SELECT lease, class FROM attempts").map { $0["class"] as String } == ["open", "finished"])
    #expect(try fixture.value("SELECT count(*) FROM evaluation") == 2)
    #expect(try fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  @Test func `an empty batch is no transaction`() throws {
    #expect(try store.commit([], at: Sample.now).isEmpty)
  }

  @Test func `a batch gives the same store as its writes one by one`() throws {
    let other = try StoreFixture()
    _ = try other.store.register(Sample.sweep(), at: Sample.now)
    for point in points.indices { try other.store.finish(points[point], lease: Int64(point + 1), Sample.measured()) }
    _ = try store.commit(
      [.worker(Sample.worker())] + points.indices.map { grant(Int64($0 + 1), $0) }, at: Sample.now)
    _ = try store.commit(
      points.indices.map {
        .result(Sample.measured(), of: points[$0], lease: LeaseID(Int64($0 + 1)), seconds: 10, worker: 1)
      }, at: Sample.later(10))
    for table in try fixture.rows("SELECT name FROM sqlite_schema WHERE type = 'table'").map({ $0[0] as String }) {
      #expect(try fixture.rows("SELECT * FROM \(table)") == (try other.rows("SELECT * FROM \(table)")), "\(table)")
    }
  }
}
