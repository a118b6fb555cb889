// Machines that fail: sent home with words for a while, their attempts refunded, and tried again.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerHostTests {
  private typealias Samples = MachineSamples

  private func bench(points: Int, hostFailureLimit: Int = 3) -> SchedulerBench {
    SchedulerBench(
      SchedulerConfiguration(
        exitWhenDone: false, hostFailureLimit: hostFailureLimit, barSeconds: 600, longestBarSeconds: 1800),
      points: points)
  }

  /// Worker `number` of "bad" comes and fails what it gets; everything that was said.
  private func failOnce(_ bench: inout SchedulerBench, _ number: Int) -> [SchedulerDirective] {
    var all = bench.say(number, Samples.hello(number, host: "bad")) + bench.say(number, .ready)
    for grant in all.grants {
      all += bench.say(number, .failed(lease: grant.lease, point: grant.point, .engineError, reason: "nonsense"))
    }
    return all
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
    let reason = all.bar(of: 1)
    #expect(
      reason
        == "3 points in a row failed on bad and none was finished there, so it is the machine or its build, not the "
        + "points; the last: engine_error: nonsense. Nobody from there is taken for another 10 minutes")
    #expect(bench.say(1, .ready).sent(to: 1) == [.sayHello])
    #expect(bench.say(2, Samples.hello(2, host: "bad")).bar(of: 2) == reason, "later ones hear the same words")
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
    for number in 1...2 { #expect(successor(of: number).bar(of: number + 3) == nil) }
    let last = successor(of: 3)
    #expect(last.refunds.count == 1)
    #expect((4...6).allSatisfy { last.bar(of: $0) != nil }, "those before it, and itself")
    #expect(bench.scheduler.overview(at: bench.now).workers == 0)
  }

  @Test func `the other workers of a machine that is sent home give their points back`() {
    var bench = bench(points: 10)
    bench.join(7, host: "bad")
    let all = failAll(&bench, times: 10)
    #expect(all.bar(of: 7) != nil)
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
    #expect(all.bar(of: 1) == nil)
  }

  @Test func `after its time a barred machine gets one point, and is like any other when that is finished`() {
    var bench = bench(points: 10)
    _ = failAll(&bench, times: 3)
    bench.wait(599)
    #expect(bench.say(2, Samples.hello(2, host: "bad")).bar(of: 2)?.hasSuffix("for another 1 s") == true)
    bench.wait(1)
    let trial = bench.join(2, host: "bad")
    #expect(bench.join(3, host: "bad") == nil, "one attempt at a time")
    #expect(bench.join(4, host: "good") != nil)
    let lease = trial!
    #expect(bench.scheduler.overview(at: bench.now).barredHosts.isEmpty)
    let done = bench.finish(2, lease, point: 3)
    #expect(done.grants.count == 2, "both of its workers have something to do now")
    #expect(failAll(&bench, times: 2).refunds.isEmpty, "a new row begins")
  }

  @Test func `a machine that fails its trial is barred for twice as long, up to a limit, and the point pays for it`() {
    var bench = bench(points: 10)
    _ = failAll(&bench, times: 3)
    for (number, seconds) in [(2, 600.0), (3, 1200), (4, 1800), (5, 1800)] {
      bench.wait(seconds - 1)
      #expect(bench.say(number, Samples.hello(number, host: "bad")).bar(of: number) != nil)
      bench.wait(1)
      let all = failOnce(&bench, number)
      #expect(all.grants.map(\.point) == [Samples.id(number + 1)], "not what failed there already")
      #expect(all.refunds.isEmpty)
      #expect(all.bar(of: number)?.contains("what it was tried with failed too: engine_error: nonsense") == true)
      #expect(bench.scheduler.explain(Samples.id(number + 1), at: bench.now)?.chargedAttempts == 1)
    }
  }

  @Test func `a sweep whose only machine is barred ends by itself once the machine is well`() {
    var bench = SchedulerBench(SchedulerConfiguration(hostFailureLimit: 3, barSeconds: 600), points: 3)
    #expect(failAll(&bench, times: 3).bar(of: 1) != nil)
    bench.wait(600)
    var all: [SchedulerDirective] = []
    var lease = bench.join(2, host: "bad")
    for point in [0, 1, 2] {
      guard let held = lease else { break }
      let said = bench.finish(2, held, point: point)
      lease = said.grants.first?.lease
      all += said
    }
    #expect(all.sent(to: 2).contains(.leave))
  }

  @Test func `a sweep of points that fail everywhere ends although its only machine is barred again and again`() {
    var bench = bench(points: 3)
    var failures = failAll(&bench, times: 3).failures
    for number in 2..<40 where failures.count < 3 {
      bench.wait(1800)
      failures += failOnce(&bench, number).failures
    }
    #expect(failures.count == 3)
  }

  @Test func `a trial that ends without a verdict is followed by another one`() {
    var bench = bench(points: 10)
    _ = failAll(&bench, times: 3)
    bench.wait(600)
    let lease = bench.join(2, host: "bad")!
    bench.join(3, host: "bad")
    let back = bench.say(2, .handedBack(lease: lease, point: Samples.id(3), epoch: 7))
    #expect(back.grants.map(\.worker).count == 1)
    #expect(bench.scheduler.overview(at: bench.now).barredHosts.isEmpty)
  }

  @Test func `a machine that an operator admits is taken at once and without a trial`() {
    var bench = bench(points: 10)
    _ = failAll(&bench, times: 3)
    _ = bench.handle(.admitHost("bad"))
    #expect(bench.join(2, host: "bad") != nil)
    #expect(bench.join(3, host: "bad") != nil)
    #expect(bench.handle(.admitHost("nobody")).isEmpty)
  }

  @Test func `a barred machine has to pass its self-test like any other`() {
    var bench = SchedulerBench(
      SchedulerConfiguration(hostFailureLimit: 1, barSeconds: 600, selfTestDigest: SelfTest.digest), points: 3)
    _ = bench.say(1, Samples.hello(1, host: "bad", selfTest: SelfTest.digest))
    let grant = bench.say(1, .ready).grants[0]
    #expect(bench.fail(1, grant.lease, point: 0).bar(of: 1) != nil)
    bench.wait(600)
    #expect(bench.say(2, Samples.hello(2, host: "bad", selfTest: nil)).refusal(of: 2) != nil)
    #expect(bench.say(3, Samples.hello(3, host: "bad", selfTest: SelfTest.digest)).refusal(of: 3) == nil)
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
