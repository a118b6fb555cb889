// What a coordinator writes while it runs, and what the next one finds.

import Foundation
import Results
import Sweeps
import Testing

@Suite struct AttemptTests {
  private let fixture: StoreFixture
  private let points: [PointID]
  private var store: Store { fixture.store }

  init() throws {
    fixture = try StoreFixture()
    let sweep = Sample.sweep()
    points = sweep.points.map(\.id)
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.recordWorker(Sample.worker(), at: Sample.now)
  }

  private func grant(_ lease: Int64, _ point: Int, worker: Int64 = 1) throws {
    try store.recordGrant(AttemptRecord(lease: LeaseID(lease), point: points[point], worker: worker), at: Sample.now)
  }

  @Test func `an empty store starts with lease 1 and worker 1`() throws {
    let start = try StoreFixture().store.schedulerStart()
    #expect(start.points.isEmpty)
    #expect((start.nextLease, start.nextWorker) == (LeaseID(1), 1))
  }

  @Test func `the next coordinator finds every point, its attempts, and numbers that were never used`() throws {
    try store.recordWorker(Sample.worker(5), at: Sample.now)
    try store.finish(points[0], lease: 1)
    try grant(2, 1)
    try store.endAttempt(LeaseID(2), .failed(.crashed, reason: "signal 11", charged: true), at: Sample.now)
    try grant(3, 1, worker: 5)
    try grant(4, 2)
    try store.endAttempt(LeaseID(4), .failed(.preempted, reason: "walltime", charged: false), at: Sample.now)
    try store.recordFailure(points[3], reason: "bad", at: Sample.now)
    try store.close()

    let start = try Store(path: fixture.path, mode: .open).schedulerStart(sweeps: ["decay"])
    #expect(start.points.map(\.id) == points)
    #expect(start.points.map(\.state) == [.finished, .pending, .pending, .failed])
    #expect(start.points.map(\.chargedAttempts) == [0, 1, 0, 0])
    #expect(start.points[1].openAttempts == [OpenAttempt(lease: LeaseID(3), boot: Sample.worker(5).identity.boot)])
    #expect(start.points[2].openAttempts.isEmpty)
    #expect(start.points[2].experiment == Sample.experiment(weightDecay: 0.3, seed: 0))
    #expect(start.workers == [Sample.worker(1).identity.boot: 1, Sample.worker(5).identity.boot: 5])
    #expect((start.nextLease, start.nextWorker) == (LeaseID(5), 6))
  }

  @Test func `sweeps come in the order asked for, a shared point once`() throws {
    let other = Sample.sweep("other", weightDecays: [3, 1])
    _ = try store.register(other, at: Sample.now)
    let all = try store.schedulerStart().points.map(\.id)
    #expect(all == points + other.points.prefix(2).map(\.id))
    #expect(try store.schedulerStart(sweeps: ["other"]).points.map(\.id) == other.points.map(\.id))
    #expect(
      try store.schedulerStart(sweeps: ["other", "decay"]).points.map(\.id) == other.points.map(\.id) + points[2...])
  }

  @Test func `a worker that left is remembered, and the next coordinator need not know it from the start`() throws {
    try store.recordWorker(Sample.worker(5), at: Sample.now)
    try store.recordWorkerLeft(5, at: Sample.later(1))
    let boot = Sample.worker(5).identity.boot
    let start = try store.schedulerStart()
    #expect(start.workers[boot] == nil && start.keys[boot] == nil && !start.present.contains(boot))
    #expect(start.nextWorker == 6)
    #expect(try store.knownWorker(boot: boot) == KnownWorker(boot: boot, number: 5, key: Sample.worker(5).key))
    #expect(try store.knownWorker(boot: "nobody") == nil)
    try grant(9, 1, worker: 5)
    #expect(try store.schedulerStart().workers[boot] == 5, "who holds an attempt is known")
  }

  @Test func `a sweep that is not here is unknown, and those that are here are named`() throws {
    let error = storeError { _ = try store.schedulerStart(sweeps: ["dekay"]) }
    #expect(error?.kind == .unknown)
    #expect(error?.message == "there is no sweep \"dekay\" in this store; its sweeps are decay")
  }

  @Test func `a worker that says hello again is brought up to date and keeps its first time`() throws {
    try store.recordWorkerLeft(1, at: Sample.later(5))
    #expect(try fixture.value("SELECT state FROM workers") == "left")
    var again = Sample.worker()
    again.identity.host = "moved"
    try store.recordWorker(again, at: Sample.later(10))
    let row = try #require(try fixture.rows("SELECT * FROM workers").first)
    #expect(row["host"] == "moved")
    #expect(row["state"] == "idle")
    #expect(row["first_seen"] == Sample.nowText)
    #expect(row["last_seen"] == "2026-01-01T00:00:10.000Z")
  }

  @Test func `a lease is used once`() throws {
    try grant(1, 0)
    #expect(storeError { try grant(1, 1) }?.kind == .rejected)
    #expect(storeError { try grant(1, 0) }?.kind == .rejected)
    try store.endAttempt(LeaseID(1), .failed(.lost, reason: "silent", charged: true), at: Sample.now)
    #expect(storeError { try grant(1, 0) }?.kind == .rejected)
  }

  @Test func `an attempt whose end was never written ends when its point is granted again`() throws {
    try grant(1, 0)
    try grant(2, 0)
    let attempts = try fixture.rows("SELECT class, charged, reason FROM attempts")
    #expect(attempts.map { $0["class"] as String } == ["lost", "open"])
    #expect(attempts[0]["charged"] == 0)
    #expect(attempts[0]["reason"] == "its end was not recorded before lease 2 was granted")
  }

  @Test func `a grant to a worker or of a point that is not here is refused`() throws {
    #expect(storeError { try grant(1, 0, worker: 9) }?.kind == .rejected)
    let stranger = PointID(of: Sample.experiment(weightDecay: 17))
    let attempt = AttemptRecord(lease: LeaseID(1), point: stranger, worker: 1)
    #expect(storeError { try store.recordGrant(attempt, at: Sample.now) }?.kind == .unknown)
  }

  @Test func `an attempt ends once`() throws {
    try grant(1, 0)
    try store.endAttempt(LeaseID(1), .failed(.stalled, reason: "no epoch", charged: true), at: Sample.later(2.5))
    try store.endAttempt(LeaseID(1), .finished, at: Sample.later(9))
    try store.endAttempt(LeaseID(77), .finished, at: Sample.later(9))
    let row = try #require(try fixture.rows("SELECT * FROM attempts").first)
    #expect(row["class"] == "stalled")
    #expect(row["reason"] == "no epoch")
    #expect(row["charged"] == 1)
    #expect(row["seconds"] == 2.5)
    #expect(row["delivered"] == 0)
  }

  @Test func `an attempt that was handed back has the epoch that it reached, or the one recorded before`() throws {
    for lease in 1...3 { try grant(Int64(lease), lease - 1) }
    try store.recordProgress([(LeaseID(1), 300), (LeaseID(2), 300)], at: Sample.now)
    func preempted(_ epoch: Int?) -> AttemptEnd { .failed(.preempted, reason: "r", charged: false, epoch: epoch) }
    try store.endAttempt(LeaseID(1), preempted(420), at: Sample.later(1))
    try store.endAttempt(LeaseID(2), preempted(nil), at: Sample.later(1))
    try store.endAttempt(LeaseID(3), preempted(nil), at: Sample.later(1))
    let epochs = try fixture.rows("SELECT epoch FROM attempts").map { $0["epoch"] as Int? }
    #expect(epochs == [420, 300, nil])
  }

  @Test func `every end that the scheduler knows can be written`() throws {
    let ends: [AttemptEnd] =
      AttemptClass.allCases.flatMap { kind in
        [true, false].map { AttemptEnd.failed(kind, reason: "r", charged: $0) }
      } + [.finished, .superseded(by: LeaseID(1)), .superseded(by: nil)]
    for (index, end) in ends.enumerated() {
      let lease = Int64(index + 1)
      try grant(lease, 0)
      try store.endAttempt(LeaseID(lease), end, at: Sample.now)
      #expect(try fixture.value("SELECT class FROM attempt WHERE lease = \(lease)") == end.name)
    }
  }

  @Test func `progress is kept for open attempts and shows that the worker lives`() throws {
    try grant(1, 0)
    try grant(2, 1)
    try store.endAttempt(LeaseID(2), .failed(.lost, reason: "silent", charged: true), at: Sample.now)
    try store.recordProgress([(LeaseID(1), 400), (LeaseID(2), 300)], at: Sample.later(60))
    #expect(try fixture.value("SELECT epoch FROM attempts WHERE lease = 1") == 400)
    #expect(try fixture.value("SELECT epoch FROM attempts WHERE lease = 2", as: Int.self) == nil)
    #expect(try fixture.value("SELECT last_seen FROM workers") == "2026-01-01T00:01:00.000Z")
    #expect(try fixture.value("SELECT state FROM workers") == "running")
  }

  @Test func `failed points are tried again with their attempts refunded`() throws {
    try grant(1, 2)
    try store.endAttempt(LeaseID(1), .failed(.crashed, reason: "signal 9", charged: true), at: Sample.now)
    try store.recordFailure(points[2], reason: "crashed", at: Sample.now)
    try store.recordFailure(points[3], reason: "crashed", at: Sample.now)
    #expect(try store.failures(of: "decay").map(\.reason) == ["crashed", "crashed"])
    #expect(try store.retry(points: [points[0], points[2]]) == [points[2]])
    let start = try store.schedulerStart()
    #expect(start.points.map(\.state) == [.pending, .pending, .pending, .failed])
    #expect(start.points[2].chargedAttempts == 0)
    #expect(try store.retry(sweep: "decay") == [points[3]])
    #expect(try store.failures() == [])
    #expect(try store.sweepProgress(of: "decay").pending == 4)
  }
}
