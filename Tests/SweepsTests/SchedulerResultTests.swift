// Results: once, late, twice, while the store fails; and what is known again after a restart.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerResultTests {
  private typealias Samples = MachineSamples

  private func finished(_ lease: LeaseID, _ point: Int) -> WorkerMessage {
    .finished(lease: lease, point: Samples.id(point), Samples.result(point), seconds: 2)
  }

  @Test func `a result is answered only after the commit`() {
    var bench = SchedulerBench(points: 2)
    let lease = bench.join(1)!
    let store = SchedulerDirective.store(
      point: Samples.id(0), lease: lease, Samples.result(0), seconds: 2, worker: 1)
    let said = bench.say(1, finished(lease, 0))
    #expect(said.first == store)
    #expect(said.sent(to: 1).allSatisfy { if case .receipt = $0 { false } else { true } })
    #expect(bench.say(1, finished(lease, 0)).isEmpty, "said again while it is being stored")
    let receipt = SchedulerDirective.send(to: Samples.peer(1), .receipt(lease: lease, point: Samples.id(0)))
    #expect(bench.handle(.stored(Samples.id(0))) == [receipt, .endAttempt(lease, .finished)])
    #expect(bench.say(1, finished(lease, 0)) == [receipt], "said again after the receipt was lost")
  }

  @Test(arguments: [true, false]) func `final weights go to the store when they are kept`(isKept: Bool) {
    var bench = SchedulerBench(SchedulerConfiguration(keepsWeights: isKept), points: 1)
    let lease = bench.join(1)!
    var weighty = Samples.result(0)
    weighty.finalWeights = [1, 2, 3]
    let said = bench.say(1, .finished(lease: lease, point: Samples.id(0), weighty, seconds: 2))
    let stored = isKept ? weighty : Samples.result(0)
    #expect(said.first == .store(point: Samples.id(0), lease: lease, stored, seconds: 2, worker: 1))
  }

  @Test func `a worker gets its next point with its result, to be written together`() {
    var bench = SchedulerBench(points: 2)
    let lease = bench.join(1)!
    #expect(bench.say(1, finished(lease, 0)).grants.map(\.point) == [Samples.id(1)])
  }

  @Test func `a result from elsewhere says nothing of its bringer's readiness`() {
    var bench = SchedulerBench(points: 3)
    let first = bench.join(1)!
    _ = bench.handle(.processEnded(boot: Samples.boot(1), description: "killed"))
    let second = bench.join(2)!
    #expect(bench.say(2, finished(first, 0)).grants.isEmpty, "brought while it holds \(second)")
  }

  @Test func `a late result from an expired lease is stored once and its rival revoked`() {
    var bench = SchedulerBench(points: 1)
    let first = bench.join(1)!
    _ = bench.tick(for: 61)
    let second = bench.join(2)!
    _ = bench.say(1, Samples.hello(1))
    let store = bench.say(1, finished(first, 0))
    #expect(store.silent.count == 1)
    let stored = bench.handle(.stored(Samples.id(0)))
    #expect(stored.contains(.endAttempt(second, .superseded(by: first))))
    #expect(stored.sent(to: 2).contains(.revoked(lease: second)))
    let late = bench.say(2, finished(second, 0)).silent
    #expect(late.first == .compare(point: Samples.id(0), lease: second, Samples.result(0), worker: 2))
    #expect(late.sent(to: 2) == [.receipt(lease: second, point: Samples.id(0))])
  }

  @Test func `a result for a point that nobody asked for stays with its worker`() {
    var bench = SchedulerBench(points: 1)
    _ = bench.say(1, Samples.hello(1))
    #expect(
      bench.say(1, finished(LeaseID(70), 50)).silent == [
        .send(to: Samples.peer(1), .unwanted(lease: LeaseID(70), point: Samples.id(50)))
      ])
  }

  @Test(arguments: [1, 50])
  func `another store's leftover of the same lease number leaves the worker its lease`(leftover: Int) {
    var bench = SchedulerBench(points: 2)
    let lease = bench.join(1)!
    #expect(!bench.say(1, finished(lease, leftover)).sent(to: 1).contains(.revoked(lease: lease)))
    let progress = WorkerMessage.progress(lease: lease, Samples.progress(work: 5), epochsPerSecond: 1)
    #expect(bench.say(1, progress).silent.isEmpty)
    #expect(bench.finish(1, lease, point: 0).ends == [.finished])
  }

  @Test func `a late result finishes a quarantined point`() {
    var bench = SchedulerBench(points: 2)
    let lease = bench.join(1)!
    _ = bench.say(1, .failed(lease: lease, point: Samples.id(0), .badPoint, reason: "too large"))
    #expect(bench.scheduler.overview(at: bench.now).failed == 1)
    let done = bench.finish(1, lease, point: 0)
    #expect(done.sent(to: 1).contains(.receipt(lease: lease, point: Samples.id(0))))
    let overview = bench.scheduler.overview(at: bench.now)
    #expect((overview.failed, overview.finished, overview.pending) == (0, 1, 1))
  }

  @Test func `a quarantined point stays so when its late result cannot be stored`() {
    for event in [
      SchedulerEvent.storeFailed(Samples.id(0), reason: "full"), .resultRefused(Samples.id(0), reason: "CHECK"),
    ] {
      var bench = SchedulerBench(
        SchedulerConfiguration(exitWhenDone: false), start: SchedulerStart(points: [known(state: .failed)]))
      _ = bench.say(1, Samples.hello(1))
      _ = bench.say(1, finished(LeaseID(3), 0))
      _ = bench.handle(event)
      #expect(bench.scheduler.overview(at: bench.now).failed == 1)
      #expect(bench.say(1, .ready).sent(to: 1) == [.wait])
      #expect(bench.tick(for: 40).grants.isEmpty)
      #expect(bench.finish(1, LeaseID(3), point: 0).sent(to: 1) == [.receipt(lease: LeaseID(3), point: Samples.id(0))])
      #expect(bench.scheduler.overview(at: bench.now).finished == 1)
    }
  }

  @Test func `a store that fails stops the granting until it works again`() {
    var bench = SchedulerBench(points: 3)
    let lease = bench.join(1)!
    _ = bench.say(1, finished(lease, 0))
    let failed = bench.handle(.storeFailed(Samples.id(0), reason: "database or disk is full"))
    #expect(failed.silent.isEmpty, "no receipt")
    // The grant was in the same transaction.
    #expect(bench.handle(.grantFailed(LeaseID(2), reason: "database or disk is full")).silent.isEmpty)
    #expect(bench.say(1, .ready).sent(to: 1) == [.wait])
    #expect(bench.scheduler.overview(at: bench.now).isPaused)
    #expect(bench.say(1, finished(lease, 0)).silent.count == 1, "stored again")
    let stored = bench.handle(.stored(Samples.id(0)))
    #expect(stored.sent(to: 1) == [.receipt(lease: lease, point: Samples.id(0))])
    #expect(stored.grants.map(\.point) == [Samples.id(1)])
  }

  @Test func `a failing store does not stop the granting for ever when no result comes back`() {
    var bench = SchedulerBench(points: 2)
    let lease = bench.join(1)!
    _ = bench.say(1, finished(lease, 0))
    _ = bench.handle(.storeFailed(Samples.id(0), reason: "full"))
    _ = bench.handle(.processEnded(boot: Samples.boot(1), description: "killed"))
    _ = bench.say(2, Samples.hello(2))
    _ = bench.say(2, .ready)
    let resumed = bench.tick(for: 31)
    #expect(resumed.grants.map(\.point) == [Samples.id(0)])
  }

  @Test func `a result that the store refuses is a failed attempt`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    _ = bench.say(1, finished(lease, 0))
    let refused = bench.handle(.resultRefused(Samples.id(0), reason: "CHECK constraint failed"))
    #expect(refused.ends.map(\.name) == ["engine_error"])
    #expect(refused.sent(to: 1) == [.receipt(lease: lease, point: Samples.id(0))])
    #expect(refused.grants.map(\.point) == [Samples.id(0)], "its worker waits")
  }

  @Test func `a grant that cannot be recorded is taken back without charge`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    #expect(bench.handle(.grantFailed(lease, reason: "full")).silent.isEmpty)
    #expect(bench.tick(for: 29).grants.isEmpty)
    _ = bench.say(1, .ready)
    #expect(bench.tick(for: 2).grants.map(\.lease) == [LeaseID(2)])
  }

  @Test func `when every point is terminal everyone is sent home`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    #expect(bench.finish(1, lease, point: 0).sent(to: 1).last == .leave)
    #expect(bench.say(1, .goodbye).last == .finished(.everyPointTerminal))

    var done = SchedulerBench(start: SchedulerStart(points: [known(state: .finished)]))
    #expect(done.handle(.tick) == [.finished(.everyPointTerminal)])
  }

  private func known(
    state: KnownPoint.State = .pending, charged: Int = 0, open: [OpenAttempt] = []
  ) -> KnownPoint {
    KnownPoint(
      id: Samples.id(0), experiment: Samples.experiment(0), state: state, chargedAttempts: charged, openAttempts: open)
  }

  private func restarted(_ point: KnownPoint) -> SchedulerBench {
    SchedulerBench(
      start: SchedulerStart(
        points: [point], workers: [Samples.boot(7): 4], nextWorker: 5, nextLease: LeaseID(12)))
  }

  @Test func `after a restart a worker goes on with the lease that it holds`() {
    let open = OpenAttempt(lease: LeaseID(11), boot: Samples.boot(7))
    var bench = restarted(known(open: [open]))
    #expect(bench.join(8) == nil, "the point is held back for its holder")
    let progress = WorkerMessage.progress(lease: LeaseID(11), Samples.progress(work: 70), epochsPerSecond: 1)
    #expect(bench.say(7, progress).sent(to: 7) == [.sayHello])
    let back = bench.say(7, Samples.hello(7, holding: HeldLease(lease: LeaseID(11), point: Samples.id(0))))
    #expect(back.sent(to: 7) == [.welcome(worker: 4, leaseSeconds: 60, progressSeconds: 1)])
    #expect(bench.say(7, progress).isEmpty)
    #expect(bench.tick(for: 59).ends.isEmpty)
  }

  @Test func `after the grace period the point is granted to others and not charged`() {
    let open = OpenAttempt(lease: LeaseID(11), boot: Samples.boot(7))
    var bench = restarted(known(charged: 2, open: [open]))
    let waited = bench.tick(for: 61)
    #expect(waited.ends.map(\.isCharged) == [false])
    #expect(bench.join(8) == LeaseID(12))
    let held = HeldLease(lease: LeaseID(11), point: Samples.id(0))
    #expect(bench.say(7, Samples.hello(7, holding: held)).sent(to: 7).last == .revoked(lease: LeaseID(11)))
  }

  @Test func `where nobody can come back there is no grace period`() {
    let open = OpenAttempt(lease: LeaseID(11), boot: Samples.boot(7))
    var bench = SchedulerBench(
      SchedulerConfiguration(graceSeconds: 0),
      start: SchedulerStart(points: [known(open: [open])], nextLease: LeaseID(12)))
    #expect(bench.handle(.tick).ends.map(\.isCharged) == [false])
    #expect(bench.join(8) == LeaseID(12))
  }

  @Test func `a grant that was recorded but never sent is said again after the restart`() {
    var bench = restarted(known(open: [OpenAttempt(lease: LeaseID(11), boot: Samples.boot(7))]))
    _ = bench.say(7, Samples.hello(7))
    let grant = CoordinatorMessage.grant(lease: LeaseID(11), point: Samples.id(0), Samples.experiment(0))
    #expect(bench.say(7, .ready).sent(to: 7) == [grant])
  }

  @Test func `attempts that a crash left open on a finished point are ended`() {
    var bench = restarted(known(state: .finished, open: [OpenAttempt(lease: LeaseID(11), boot: Samples.boot(7))]))
    #expect(bench.handle(.tick).ends == [.superseded(by: nil)])
  }

  @Test func `a worker that still holds a point without attempts left does not get it again`() {
    var bench = restarted(known(charged: 3))
    let held = HeldLease(lease: LeaseID(11), point: Samples.id(0))
    let back = bench.say(7, Samples.hello(7, holding: held))
    #expect(back.grants.isEmpty)
    #expect(back.sent(to: 7).last == .revoked(lease: LeaseID(11)))
  }

  @Test func `a point that used up its attempts before the restart is quarantined instead of granted`() {
    var bench = restarted(known(charged: 3))
    _ = bench.say(8, Samples.hello(8))
    let said = bench.say(8, .ready)
    #expect(said.grants.isEmpty)
    #expect(said.contains(.recordFailure(Samples.id(0), reason: "3 attempts failed before this coordinator started")))
  }
}
