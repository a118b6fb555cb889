// Finished points that are run again to compare.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerVerificationTests {
  private typealias Samples = MachineSamples

  private func bench(exitWhenDone: Bool = false) -> SchedulerBench {
    SchedulerBench(SchedulerConfiguration(exitWhenDone: exitWhenDone), points: 2)
  }

  private func result(_ lease: LeaseID, _ point: Int = 0) -> WorkerMessage {
    .finished(lease: lease, point: Samples.id(point), Samples.result(point), seconds: 2)
  }

  @Test func `a verification waits until there is nothing else to do, and ends with a comparison`() {
    var bench = bench()
    let lease = bench.join(1)!
    #expect(bench.finish(1, lease, point: 0).grants.map(\.point) == [Samples.id(1)], "the pending point")
    #expect(bench.handle(.verify([Samples.id(0), Samples.id(1)])).isEmpty, "and only of finished points")
    let third = bench.say(3, Samples.hello(3)) + bench.say(3, .ready)
    #expect(third.grants == [AttemptRecord(lease: LeaseID(3), point: Samples.id(0), worker: 2)])
    let done = bench.say(3, result(LeaseID(3)))
    #expect(
      done == [
        .finishVerification(point: Samples.id(0), lease: LeaseID(3), Samples.result(0), worker: 2),
        .send(to: Samples.peer(3), .receipt(lease: LeaseID(3), point: Samples.id(0))),
        .send(to: Samples.peer(3), .wait),
      ])
    #expect(bench.say(3, .ready).sent(to: 3) == [.wait])
    let again = bench.say(3, result(LeaseID(3)))
    #expect(again.sent(to: 3) == [.receipt(lease: LeaseID(3), point: Samples.id(0))], "the receipt was lost")
  }

  @Test func `another machine than the one that delivered is preferred`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 1)
    let lease = bench.join(1, host: "one")!
    _ = bench.finish(1, lease, point: 0)
    _ = bench.say(1, .ready)
    #expect(bench.join(2, host: "two") == nil)
    #expect(bench.handle(.verify([Samples.id(0)])).grants.map(\.worker) == [2])

    var alone = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 1)
    let first = alone.join(1, host: "one")!
    _ = alone.finish(1, first, point: 0)
    _ = alone.say(1, .ready)
    #expect(alone.handle(.verify([Samples.id(0)])).grants.map(\.worker) == [1], "any is better than none")
  }

  @Test func `a failed verification is tried again and then given up, and the point stays finished`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 1)
    let lease = bench.join(1)!
    _ = bench.finish(1, lease, point: 0)
    _ = bench.say(1, .ready)
    var all = bench.handle(.verify([Samples.id(0)]))
    for _ in 0..<5 {
      guard let grant = all.last(where: { if case .grant = $0 { true } else { false } }),
        case .grant(let record, _, _, _) = grant
      else { break }
      _ = bench.say(1, .failed(lease: record.lease, point: Samples.id(0), .engineError, reason: "nonsense"))
      let next = bench.say(1, .ready)
      if next.grants.isEmpty { break }
      all += next
    }
    #expect(all.grants.count == 3)
    let overview = bench.scheduler.overview(at: bench.now)
    #expect((overview.finished, overview.failed, overview.verifications) == (1, 0, 0))
    #expect(bench.scheduler.explain(Samples.id(0), at: bench.now)?.chargedAttempts == 0)
  }

  @Test func `a sweep is not done before its verifications are`() {
    var bench = SchedulerBench(
      start: SchedulerStart(
        points: [KnownPoint(id: Samples.id(0), experiment: Samples.experiment(0), state: .finished)],
        verifications: [Samples.id(0)]))
    #expect(bench.handle(.tick).isEmpty)
    let lease = bench.join(1)!
    #expect(bench.scheduler.overview(at: bench.now).running.map(\.isVerification) == [true])
    #expect(bench.say(1, result(lease)).sent(to: 1).last == .leave)
  }

  @Test func `a worker goes on with a verification after the coordinator was restarted`() {
    let open = OpenAttempt(lease: LeaseID(11), boot: Samples.boot(7))
    var bench = SchedulerBench(
      start: SchedulerStart(
        points: [
          KnownPoint(
            id: Samples.id(0), experiment: Samples.experiment(0), state: .finished, openAttempts: [open])
        ], workers: [Samples.boot(7): 4], nextWorker: 5, nextLease: LeaseID(12), verifications: [Samples.id(0)]))
    #expect(bench.join(8) == nil)
    let held = HeldLease(lease: LeaseID(11), point: Samples.id(0))
    let back = bench.say(7, Samples.hello(7, holding: held))
    #expect(!back.sent(to: 7).contains(.revoked(lease: LeaseID(11))))
    #expect(
      bench.say(7, result(LeaseID(11))).contains(
        .finishVerification(point: Samples.id(0), lease: LeaseID(11), Samples.result(0), worker: 4)))
  }

  @Test func `no checkpoint is used or kept for a verification`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false, checkpointSeconds: 30), points: 1)
    let lease = bench.join(1)!
    _ = bench.finish(1, lease, point: 0)
    let grant = bench.handle(.verify([Samples.id(0)]))
    guard case .grant(let record, _, _, nil)? = grant.first else {
      Issue.record("not granted without a checkpoint: \(grant)")
      return
    }
    let offer = WorkerMessage.offer(
      lease: record.lease, point: Samples.id(0), Samples.contents(epoch: 500))
    // Answered, so that a worker that leaves does not wait for it to be taken.
    #expect(
      bench.say(1, offer).silent == [
        .send(to: Samples.peer(1), .chunkGone(lease: record.lease, point: Samples.id(0), epoch: 500))
      ])
  }
}
