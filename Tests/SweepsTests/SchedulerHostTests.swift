// Machines that fail: sent home with words, and their attempts refunded.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerHostTests {
  private typealias Samples = MachineSamples

  private func bench(points: Int, hostFailureLimit: Int = 3) -> SchedulerBench {
    SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false, hostFailureLimit: hostFailureLimit), points: points)
  }

  /// Worker 1 of the host "bad" takes and fails whatever it is given, at most `times`; everything that was said.
  private func failAll(_ bench: inout SchedulerBench, times: Int) -> [SchedulerDirective] {
    var all = bench.say(1, Samples.hello(1, host: "bad"))
    for _ in 0..<times {
      let said = bench.say(1, .ready)
      all += said
      guard let grant = said.grants.first else { break }
      all += bench.say(1, .failed(lease: grant.lease, point: grant.point, .engineError, reason: "nonsense"))
    }
    return all
  }

  @Test func `failures of one point after the other send the machine home and are refunded`() {
    var bench = bench(points: 10)
    let all = failAll(&bench, times: 10)
    #expect(all.grants.map(\.point) == [0, 1, 2].map(Samples.id), "what failed goes elsewhere first")
    #expect(all.refunds == [[LeaseID(1), LeaseID(2), LeaseID(3)]])
    #expect(all.failures.isEmpty)
    let reason = all.refusal(of: 1)
    #expect(
      reason
        == "3 points in a row failed on bad and none was finished there, so it is the machine or its build, not the "
        + "points; the last: engine_error: nonsense")
    #expect(bench.say(1, .ready).sent(to: 1) == [.sayHello])
    #expect(bench.say(2, Samples.hello(2, host: "bad")).refusal(of: 2) == reason, "later ones hear the same words")
    #expect(bench.scheduler.overview(at: bench.now).barredHosts.map(\.host) == ["bad"])
    for point in 0..<3 { #expect(bench.scheduler.explain(Samples.id(point), at: bench.now)?.chargedAttempts == 0) }
    #expect(bench.join(3, host: "good") != nil)
  }

  @Test func `whoever reports the failure that sends its machine home is not taken either`() {
    var bench = bench(points: 10)
    for number in 1...3 { #expect(bench.join(number, host: "bad") != nil) }
    func successor(of number: Int) -> [SchedulerDirective] {
      let report = Predecessor(boot: Samples.boot(number), ending: "killed by signal 9 (Killed)")
      return bench.say(number + 3, Samples.hello(number + 3, host: "bad", predecessor: report))
    }
    for number in 1...2 { #expect(successor(of: number).refusal(of: number + 3) == nil) }
    let last = successor(of: 3)
    #expect(last.refunds.count == 1)
    #expect((4...6).allSatisfy { last.refusal(of: $0) != nil }, "those before it, and itself")
    #expect(bench.scheduler.overview(at: bench.now).workers == 0)
  }

  @Test func `the other workers of a machine that is sent home give their points back`() {
    var bench = bench(points: 10)
    bench.join(7, host: "bad")
    let all = failAll(&bench, times: 10)
    #expect(all.refusal(of: 7) != nil)
    #expect(all.ends.last == .failed(.preempted, reason: "bad was sent home", charged: false))
    #expect(bench.scheduler.overview(at: bench.now).workers == 0)
    #expect(bench.scheduler.overview(at: bench.now).pending == 10)
  }

  @Test func `a finished point ends the row`() {
    var bench = bench(points: 10)
    _ = failAll(&bench, times: 2)
    let grant = bench.say(1, .ready).grants[0]
    _ = bench.finish(1, grant.lease, point: 2)
    #expect(failAll(&bench, times: 2).refunds.isEmpty)
  }

  @Test func `one point that fails again and again is the point's fault`() {
    var bench = bench(points: 1, hostFailureLimit: 2)
    let all = failAll(&bench, times: 5)
    #expect(all.failures == [Samples.id(0)])
    #expect(all.refunds.isEmpty)
    #expect(all.refusal(of: 1) == nil)
  }

  @Test func `the failure that completes the row quarantines nobody`() {
    // With one attempt allowed, each point's failure would quarantine it.
    var bench = SchedulerBench(
      SchedulerConfiguration(chargedAttemptsLimit: 2, exitWhenDone: false, hostFailureLimit: 2),
      start: SchedulerStart(
        points: (0..<2).map {
          KnownPoint(id: Samples.id($0), experiment: Samples.experiment($0), chargedAttempts: $0)
        }))
    let all = failAll(&bench, times: 2)
    #expect(all.refunds == [[LeaseID(1), LeaseID(2)]])
    #expect(all.failures.isEmpty)
    #expect(bench.scheduler.explain(Samples.id(1), at: bench.now)?.chargedAttempts == 1)
  }

  @Test func `failures on several machines are no row`() {
    var bench = bench(points: 10)
    var all: [SchedulerDirective] = []
    for number in 1...5 {
      let lease = bench.join(number, host: "node-\(number)")!
      all += bench.fail(number, lease, point: 0)
    }
    #expect(all.refunds.isEmpty)
  }

  @Test func `a machine that computes wrongly gets no points`() {
    var bench = SchedulerBench(SchedulerConfiguration(selfTestDigest: SelfTest.digest), points: 1)
    let wrong = bench.say(1, Samples.hello(1, host: "bad", selfTest: String(repeating: "0", count: 64)))
    #expect(wrong.refusal(of: 1)?.hasPrefix("this machine computes wrongly: its self-test gave 000000000000") == true)
    let none = bench.say(2, Samples.hello(2, host: "old"))
    #expect(none.refusal(of: 2)?.hasPrefix("this machine computes wrongly: its self-test was not run") == true)
    #expect(bench.say(3, Samples.hello(3, host: "good", selfTest: SelfTest.digest)).refusal(of: 3) == nil)
  }

  @Test func `a worker that is refused again and again makes few lines`() {
    var bench = SchedulerBench(SchedulerConfiguration(selfTestDigest: SelfTest.digest), points: 1)
    let said = (0..<1000).flatMap { _ in bench.say(1, Samples.hello(1, host: "bad")) }
    #expect(said.lines.count == 10)
    #expect(said.silent.count == 1000, "but it is always answered")
  }

  @Test func `drained workers end their points and leave, and later ones of the host are served`() {
    var bench = bench(points: 10)
    let lease = bench.join(1, host: "rack")!
    bench.join(2, host: "other")
    #expect(bench.handle(.drainWorkers(.host("rack"))).silent.isEmpty)
    #expect(bench.scheduler.overview(at: bench.now).workerList.map(\.isDraining) == [true, false])
    _ = bench.finish(1, lease, point: 0)
    #expect(bench.say(1, .ready).sent(to: 1) == [.leave])
    #expect(bench.join(3, host: "rack") != nil)
    _ = bench.handle(.drainWorkers(.number(2)))
    _ = bench.say(2, .failed(lease: LeaseID(2), point: Samples.id(1), .engineError, reason: "x"))
    #expect(bench.say(2, .ready).sent(to: 2) == [.leave])
  }

  @Test func `a drained worker that waits leaves at once`() {
    var bench = bench(points: 0)
    bench.join(1)
    #expect(bench.handle(.drainWorkers(.number(1))).sent(to: 1) == [.leave])
  }
}
