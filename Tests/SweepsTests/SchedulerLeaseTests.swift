// The two clocks of a lease, and what its end says about the point.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerLeaseTests {
  private typealias Samples = MachineSamples

  private func progress(_ lease: LeaseID, _ work: Int) -> WorkerMessage {
    .progress(lease: lease, Samples.progress(work: work), epochsPerSecond: 1)
  }

  /// The paper's width at modulus 331: an epoch takes more than a second, so 50 of them take longer than a lease.
  private var largePoint: KnownPoint {
    KnownPoint(
      id: Samples.id(0),
      experiment: Experiment(task: LearningTask(modulus: 997), model: ModelShape(dVocabOut: 998)))
  }

  @Test func `a whole host gone silent does not charge its points`() {
    var bench = SchedulerBench(points: 2)
    bench.join(1, host: "rack")
    bench.join(2, host: "rack")
    let ends = bench.tick(for: 61).ends
    #expect(ends.map(\.name) == ["lost", "lost"])
    #expect(ends.allSatisfy { !$0.isCharged })
  }

  @Test func `a worker that falls silent beside others that go on is charged to its point`() {
    var bench = SchedulerBench(points: 2)
    bench.join(1, host: "rack")
    let other = bench.join(2, host: "rack")!
    var ends: [AttemptEnd] = []
    for work in 1...7 {
      ends += bench.tick(for: 10).ends
      _ = bench.say(2, progress(other, work))
    }
    #expect(ends.map(\.name) == ["lost"])
    #expect(ends.map(\.isCharged) == [true])
  }

  @Test func `a link that comes back gives every worker behind it the chance to speak`() {
    var bench = SchedulerBench(points: 2)
    let first = bench.join(1, host: "rack")!
    let second = bench.join(2, host: "rack")!
    #expect(bench.tick(for: 59).ends.isEmpty)
    _ = bench.say(1, progress(first, 5))
    #expect(bench.tick(for: 20).ends.isEmpty, "the second had no chance before")
    _ = bench.say(2, progress(second, 5))
    #expect(bench.tick(for: 30).ends.isEmpty)
  }

  @Test func `a worker that stays silent after its host came back is not charged to its point`() {
    var bench = SchedulerBench(points: 2)
    let first = bench.join(1, host: "rack")!
    bench.join(2, host: "rack")
    var ends = bench.tick(for: 50).ends
    for work in 1...7 {
      _ = bench.say(1, progress(first, work))
      ends += bench.tick(for: 10).ends
    }
    #expect(ends == ends.filter { !$0.isCharged })
    #expect(ends.count == 1)
  }

  @Test func `silent losses have a limit of their own`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false, silentLossLimit: 3), points: 1)
    var all: [SchedulerDirective] = []
    for worker in 1...3 {
      #expect(bench.join(worker) != nil)
      all += bench.tick(for: 61)
    }
    #expect(all.ends.allSatisfy { !$0.isCharged })
    #expect(all.failures == [Samples.id(0)])
    #expect(bench.join(4) == nil)
  }

  @Test func `a slow point may stand still for longer than a lease while its worker talks`() {
    var bench = SchedulerBench(start: SchedulerStart(points: [largePoint]))
    let lease = bench.join(1)!
    var ends: [AttemptEnd] = []
    for _ in 0..<12 {
      ends += bench.tick(for: 10).ends
      _ = bench.say(1, progress(lease, 0))
    }
    #expect(ends.isEmpty)
    let step = largePoint.experiment.estimatedMultiplyAddsOfEvaluation / CostModel.multiplyAddsPerSecond
    #expect(50 * step > 120)
    for _ in 0..<Int(5 * step) {
      ends += bench.tick(for: 10).ends
      _ = bench.say(1, progress(lease, 0))
    }
    #expect(ends.map(\.name) == ["stalled"], "but not for ever")
  }

  @Test func `a slow point is lost as soon as any other when its worker falls silent`() {
    var bench = SchedulerBench(start: SchedulerStart(points: [largePoint]))
    bench.join(1)
    #expect(bench.tick(for: 61).ends.map(\.name) == ["lost"])
  }

  @Test func `the first word after a silence is not yet the proof of a stall`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    #expect(bench.tick(for: 58).ends.isEmpty)
    _ = bench.say(1, Samples.hello(1, holding: HeldLease(lease: lease, point: Samples.id(0))))
    #expect(bench.tick(for: 5).ends.isEmpty)
    #expect(bench.say(1, progress(lease, 900)).isEmpty)
    #expect(bench.tick(for: 50).ends.isEmpty)
  }

  @Test func `a supervisor's report ends the lease of the process before at once`() {
    var bench = SchedulerBench(points: 1)
    bench.join(1, host: "rack")
    let report = Predecessor(boot: Samples.boot(1), ending: "killed by signal 9 (Killed)")
    let said = bench.say(2, Samples.hello(2, host: "rack", predecessor: report))
    #expect(
      said.ends == [
        .failed(.crashed, reason: "the worker process ended: killed by signal 9 (Killed)", charged: true)
      ])
    #expect(bench.say(2, .ready).grants.map(\.point) == [Samples.id(0)])
    #expect(bench.say(1, .ready).sent(to: 1) == [.sayHello])
    #expect(bench.say(2, Samples.hello(2, host: "rack", predecessor: report)).ends.isEmpty, "said again")
  }

  @Test func `nobody ends the lease of another machine's or another key's process`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1, host: "rack")!
    let report = Predecessor(boot: Samples.boot(1), ending: "killed")
    #expect(bench.say(2, Samples.hello(2, host: "elsewhere", predecessor: report)).ends.isEmpty)
    let stranger = PeerID([1, 2, 3], key: "mallory")
    let said = bench.handle(.message(from: stranger, Samples.hello(3, host: "rack", predecessor: report)))
    #expect(said.ends.isEmpty)
    #expect(bench.say(1, progress(lease, 1)).isEmpty)
  }

  @Test func `a process that comes back under another key is refused`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    let stranger = PeerID([1, 2, 3], key: "mallory")
    let said = bench.handle(.message(from: stranger, Samples.hello(1)))
    #expect(
      said.silent == [
        .send(
          to: stranger, .refused(reason: "this process is known under the key \"\" and came with \"mallory\""))
      ])
    #expect(bench.say(1, progress(lease, 1)).isEmpty, "the first one keeps its lease")
  }

  @Test func `the store's memory of keys holds after a restart`() {
    var bench = SchedulerBench(
      start: SchedulerStart(
        points: Samples.known(1), workers: [Samples.boot(1): 4], nextWorker: 5, keys: [Samples.boot(1): "rack-a"]))
    #expect(bench.say(1, Samples.hello(1)).refusal(of: 1) != nil)
    let owner = PeerID([4], key: "rack-a")
    #expect(
      !bench.handle(.message(from: owner, Samples.hello(1))).contains {
        if case .send(_, .refused) = $0 { true } else { false }
      })
  }
}
