// Sweeps with states and priorities, and points that belong to several.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerSweepTests {
  private typealias Samples = MachineSamples

  private func known(_ numbers: [Int], sweep: Int = 0, others: [Int] = []) -> [KnownPoint] {
    numbers.map {
      KnownPoint(id: Samples.id($0), experiment: Samples.experiment($0), sweep: sweep, otherSweeps: others)
    }
  }

  /// Points 0 and 1 of the first sweep, 2 of both, 3 and 4 of the second.
  private func bench(_ first: SweepState = .active, _ second: SweepState = .active, priority: Int = 0) -> SchedulerBench
  {
    SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false),
      start: SchedulerStart(
        points: known([0, 1]) + known([2], others: [1]) + known([3, 4], sweep: 1),
        sweeps: [
          KnownSweep(name: "first", state: first), KnownSweep(name: "second", state: second, priority: priority),
        ]))
  }

  /// The points that workers 1 to 5 get, in order.
  private func order(_ bench: SchedulerBench) -> [PointID] {
    var bench = bench
    return (1...5).flatMap { number in
      (bench.say(number, Samples.hello(number)) + bench.say(number, .ready)).grants.map(\.point)
    }
  }

  @Test func `sweeps of equal priority go in the order of registration`() {
    #expect(order(bench()) == [0, 1, 2, 3, 4].map(Samples.id))
  }

  @Test func `points of the sweep with the higher priority go first, those of both sweeps among them`() {
    #expect(order(bench(priority: 5)) == [2, 3, 4, 0, 1].map(Samples.id))
    #expect(order(bench(priority: -5)) == [0, 1, 2, 3, 4].map(Samples.id))
  }

  @Test func `a point of a paused and an active sweep is handed out, with the order of the active one`() {
    #expect(order(bench(.paused)) == [2, 3, 4].map(Samples.id))
    #expect(order(bench(.active, .cancelled, priority: 9)) == [0, 1, 2].map(Samples.id))
  }

  @Test func `pausing leaves what runs alone, and resuming goes on`() {
    var bench = bench()
    let lease = bench.join(1)!
    let paused = bench.handle(.setSweep("first", .paused)) + bench.handle(.setSweep("second", .paused))
    #expect(paused.silent.isEmpty)
    #expect(bench.join(2) == nil)
    #expect(bench.finish(1, lease, point: 0).ends == [.finished])
    #expect(bench.scheduler.overview(at: bench.now).paused == 4)
    let resumed = bench.handle(.setSweep("second", .active))
    #expect(resumed.grants.map(\.point) == [Samples.id(2), Samples.id(3)], "one for each that waits")
  }

  @Test func `cancelling stops what no other sweep wants, and charges nothing`() {
    var bench = bench()
    let leases = (1...4).map { bench.join($0)! }
    let cancelled = bench.handle(.setSweep("first", .cancelled))
    #expect(
      cancelled.ends == [
        .failed(.preempted, reason: "cancelled by an operator", charged: false),
        .failed(.preempted, reason: "cancelled by an operator", charged: false),
      ])
    #expect(cancelled.sent(to: 1) == [.revoked(lease: leases[0])])
    #expect(cancelled.sent(to: 2) == [.revoked(lease: leases[1])])
    #expect(cancelled.sent(to: 3).isEmpty, "its point is of the second sweep too")
    let overview = bench.scheduler.overview(at: bench.now)
    #expect((overview.cancelled, overview.pending, overview.running.count) == (2, 1, 2))
    #expect(bench.say(1, .ready).grants.map(\.point) == [Samples.id(4)])
    #expect(bench.say(2, .ready).sent(to: 2) == [.wait])
    #expect(bench.handle(.setSweep("first", .active)).grants.map(\.point) == [Samples.id(0)], "nothing is forgotten")
  }

  @Test func `a result that comes after the cancelling is taken`() {
    var bench = bench()
    let lease = bench.join(1)!
    _ = bench.handle(.setSweep("first", .cancelled))
    #expect(bench.finish(1, lease, point: 0).sent(to: 1).contains(.receipt(lease: lease, point: Samples.id(0))))
    #expect(bench.scheduler.overview(at: bench.now).finished == 1)
  }

  @Test func `a worker that comes back with a cancelled point is told to stop, and with a paused one goes on`() {
    for (state, goesOn) in [(SweepState.cancelled, false), (.paused, true)] {
      var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), start: SchedulerStart(points: known([0])))
      let lease = bench.join(1)!
      _ = bench.handle(.setSweep("", state))
      _ = bench.tick(for: 61)
      let back = bench.say(1, Samples.hello(1, holding: HeldLease(lease: lease, point: Samples.id(0))))
      #expect(back.grants.count == (goesOn ? 1 : 0))
      #expect(back.sent(to: 1).contains(.revoked(lease: lease)) == !goesOn)
    }
  }

  @Test func `points that nobody wants any more keep nobody waiting`() {
    var bench = SchedulerBench(start: SchedulerStart(points: known([0, 1])))
    let lease = bench.join(1)!
    _ = bench.finish(1, lease, point: 0)
    let cancelled = bench.handle(.setSweep("", .cancelled)).sent(to: 1)
    #expect(cancelled == [.revoked(lease: LeaseID(2)), .leave])
    #expect(bench.say(1, .goodbye).last == .finished(.everyPointTerminal))
  }

  @Test func `paused points are waited for`() {
    var bench = SchedulerBench(start: SchedulerStart(points: known([0])))
    #expect(bench.handle(.setSweep("", .paused)).silent.isEmpty)
    #expect(!bench.scheduler.isFinished)
  }

  @Test func `open attempts of cancelled sweeps are not awaited after a restart`() {
    var point = known([0])[0]
    point.openAttempts = [OpenAttempt(lease: LeaseID(4), boot: Samples.boot(1))]
    var bench = SchedulerBench(
      start: SchedulerStart(
        points: [point], nextLease: LeaseID(5), sweeps: [KnownSweep(name: "gone", state: .cancelled)]))
    #expect(bench.handle(.tick).ends.map(\.isCharged) == [false])
    #expect(bench.scheduler.overview(at: bench.now).awaited == 0)
  }

  @Test func `a sweep that comes with higher priority overtakes, and shares the points that are known`() {
    var bench = bench()
    let added = bench.handle(.addSweep(KnownSweep(name: "urgent", priority: 1), known([4, 7])))
    #expect(added.silent.isEmpty)
    #expect(order(bench) == [4, 7, 0, 1, 2].map(Samples.id))
    let urgent = bench.scheduler.overview(at: bench.now).sweeps.last
    #expect(urgent?.total == 2 && urgent?.pending == 2)
    _ = bench.handle(.setPriority(sweep: "urgent", -1))
    #expect(order(bench) == [0, 1, 2, 3, 4].map(Samples.id))
  }

  @Test func `points that a sweep's changed file has no longer are not handed out, but for their other sweeps`() {
    var bench = bench()
    _ = bench.handle(.addSweep(KnownSweep(name: "urgent", priority: 1), known([4, 7])))
    let all = bench.scheduler.overview(at: bench.now).total
    _ = bench.handle(.withdraw(sweep: "first", [0, 2].map(Samples.id)))
    #expect(order(bench) == [4, 7, 1, 2, 3].map(Samples.id))
    _ = bench.handle(.withdraw(sweep: "urgent", [Samples.id(4)]))
    #expect(order(bench) == [7, 1, 2, 3, 4].map(Samples.id))
    _ = bench.handle(.withdraw(sweep: "second", [Samples.id(4)]))
    #expect(order(bench) == [7, 1, 2, 3].map(Samples.id))
    let overview = bench.scheduler.overview(at: bench.now)
    #expect(overview.total == all - 2 && overview.cancelled == 0)
    #expect(bench.scheduler.explain(Samples.id(4), at: bench.now)?.obstacles.first == .withdrawn)
    // And back again.
    _ = bench.handle(.addSweep(KnownSweep(name: "urgent", priority: 1), known([4])))
    #expect(order(bench).first == Samples.id(4))
  }

  @Test func `when all that is left is withdrawn, the coordinator is done`() {
    var bench = SchedulerBench(start: SchedulerStart(points: known([0, 1])))
    let lease = bench.join(1)!
    #expect(bench.handle(.withdraw(sweep: "", [Samples.id(1)])).silent.isEmpty)
    #expect(bench.finish(1, lease, point: 0).sent(to: 1).last == .leave)
  }

  @Test func `a sweep that comes while everyone is sent home is served`() {
    var bench = SchedulerBench(start: SchedulerStart(points: known([0])))
    let lease = bench.join(1)!
    #expect(bench.finish(1, lease, point: 0).sent(to: 1).last == .leave)
    _ = bench.handle(.addSweep(KnownSweep(name: "late"), known([1])))
    #expect(bench.join(2) != nil)
  }

  @Test func `a failed point is tried again when people want it, with nothing held against it`() {
    var bench = bench()
    let lease = bench.join(1)!
    _ = bench.say(1, .failed(lease: lease, point: Samples.id(0), .badPoint, reason: "too large"))
    #expect(bench.scheduler.overview(at: bench.now).failed == 1)
    _ = bench.handle(.retry([Samples.id(0), Samples.id(1), Samples.id(99)]))
    #expect(bench.scheduler.overview(at: bench.now).failed == 0)
    #expect(bench.say(1, .ready).grants.map(\.point) == [Samples.id(0)])
    #expect(bench.scheduler.explain(Samples.id(0), at: bench.now)?.chargedAttempts == 0)
  }

  @Test func `pausing a sweep that nobody knows changes nothing`() {
    var bench = bench()
    #expect(bench.handle(.setSweep("other", .paused)).isEmpty)
    #expect(order(bench) == [0, 1, 2, 3, 4].map(Samples.id))
  }
}
