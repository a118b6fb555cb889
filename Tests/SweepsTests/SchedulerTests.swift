// Handing out points and ending attempts, with a clock that the tests turn.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerTests {
  private typealias Samples = MachineSamples

  @Test func `a worker that says hello and ready gets the first point`() {
    var bench = SchedulerBench(points: 2)
    let hello = bench.say(1, Samples.hello(1)).silent
    #expect(
      hello == [
        .recordWorker(WorkerRecord(number: 1, identity: Samples.identity(1))),
        .send(to: Samples.peer(1), .welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1)),
      ])
    let attempt = AttemptRecord(lease: LeaseID(1), point: Samples.id(0), worker: 1)
    #expect(bench.say(1, .ready).silent == [.grant(attempt, to: Samples.peer(1), Samples.experiment(0))])
  }

  @Test func `an unknown peer is asked to say hello`() {
    var bench = SchedulerBench(points: 1)
    #expect(bench.say(1, .ready) == [.send(to: Samples.peer(1), .sayHello)])
    #expect(bench.say(1, .goodbye).isEmpty)
  }

  @Test func `another protocol or engine version is refused in words`() {
    var bench = SchedulerBench(points: 1)
    let old = bench.handle(.undecodable(from: Samples.peer(1), .otherVersion(7))).sent(to: 1)
    #expect(
      old == [
        .refused(
          reason: "the worker speaks protocol 7, the coordinator protocol \(WireProtocol.version); "
            + "use the same build of groksweep on both sides")
      ])
    let engine = bench.say(
      2,
      .hello(Hello(Samples.identity(2), semanticsVersion: 99)))
    guard case .refused(let reason)? = engine.sent(to: 2).first else {
      Issue.record("not refused: \(engine)")
      return
    }
    #expect(reason.contains("semantics version 99"))
    #expect(bench.say(2, .ready) == [.send(to: Samples.peer(2), .sayHello)])
  }

  @Test func `a flood of frames that are no message makes few lines`() {
    var bench = SchedulerBench(points: 1)
    let lines = (0..<1000).flatMap { _ in bench.handle(.undecodable(from: Samples.peer(1), .malformed("noise"))) }
    #expect(lines.count == 10)
    #expect(lines.last == .log(.warning, "dropped a message (512 so far): noise"))
  }

  @Test func `a worker that left and came back waits behind those that stayed`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    for number in 2...3 {
      _ = bench.say(number, Samples.hello(number))
      _ = bench.say(number, .ready)
    }
    _ = bench.say(2, .goodbye)
    _ = bench.say(2, Samples.hello(2))
    _ = bench.say(2, .ready)
    let back = bench.say(1, .handedBack(lease: lease, point: Samples.id(0), epoch: 1))
    #expect(back.grants.map(\.worker) == [3])
  }

  @Test func `ready said twice gets the same lease again`() {
    var bench = SchedulerBench(points: 3)
    let lease = bench.join(1)
    let again = bench.say(1, .ready)
    #expect(again.grants.isEmpty)
    #expect(again.sent(to: 1) == [.grant(lease: lease!, point: Samples.id(0), Samples.experiment(0))])
  }

  @Test func `a worker that waits is granted a point as soon as one comes back`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    _ = bench.say(2, Samples.hello(2))
    #expect(bench.say(2, .ready) == [.send(to: Samples.peer(2), .wait)])
    let back = bench.say(1, .handedBack(lease: lease, point: Samples.id(0), epoch: 12))
    #expect(back.ends == [.failed(.preempted, reason: "handed back at epoch 12", charged: false, epoch: 12)])
    #expect(back.sent(to: 1) == [.receipt(lease: lease, point: Samples.id(0))])
    #expect(back.grants == [AttemptRecord(lease: LeaseID(2), point: Samples.id(0), worker: 2)])
  }

  @Test func `an attempt that ends without a result says how far it came, as far as that is known`() {
    var bench = SchedulerBench(points: 3)
    let leases = (1...3).map { bench.join($0)! }
    for (worker, lease) in zip(1...2, leases) {
      _ = bench.say(worker, .progress(lease: lease, Samples.progress(work: 70), epochsPerSecond: 10))
    }
    #expect(bench.say(1, .handedBack(lease: leases[0], point: Samples.id(0), epoch: 90)).ends.map(\.epoch) == [90])
    #expect(bench.say(2, .goodbye).ends.map(\.epoch) == [70])
    #expect(bench.say(3, .goodbye).ends.map(\.epoch) == [nil], "it never said anything")
  }

  @Test func `progress renews a lease and its echo does not`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    for work in 1...3 {
      _ = bench.tick(for: 40)
      let said = bench.say(1, .progress(lease: lease, Samples.progress(work: work), epochsPerSecond: 10))
      #expect(said.isEmpty, "renewed at work \(work)")
    }
    var last: [SchedulerDirective] = []
    for _ in 0..<7 {
      last += bench.tick(for: 10)
      last += bench.say(1, .progress(lease: lease, Samples.progress(work: 3), epochsPerSecond: 0))
    }
    #expect(last.ends.map(\.name) == ["stalled"])
    #expect(last.sent(to: 1).contains(.revoked(lease: lease)))
  }

  @Test func `silence ends a lease, and the point goes first to the next worker`() {
    var bench = SchedulerBench(points: 3)
    let lease = bench.join(1)!
    let lost = bench.tick(for: 61)
    #expect(lost.ends.map(\.name) == ["lost"])
    #expect(lost.ends.first?.isCharged == false, "nothing else was heard of its host")
    #expect(
      bench.say(1, .progress(lease: lease, Samples.progress(work: 9), epochsPerSecond: 1)).sent(to: 1) == [.sayHello])
    _ = bench.say(2, Samples.hello(2))
    #expect(bench.say(2, .ready).grants.map(\.point) == [Samples.id(0)])
  }

  @Test func `a worker whose lease ended unheard goes on under a new one when nobody has its point`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    _ = bench.tick(for: 61)
    let back = bench.say(1, Samples.hello(1, holding: HeldLease(lease: lease, point: Samples.id(0))))
    #expect(back.grants == [AttemptRecord(lease: LeaseID(2), point: Samples.id(0), worker: 1)])
  }

  @Test func `the third charged attempt quarantines a point with its reason`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 1)
    var all: [SchedulerDirective] = []
    for worker in 1...3 {
      #expect(bench.join(worker) != nil)
      all += bench.handle(.processEnded(boot: Samples.boot(worker), description: "killed by signal 9"))
    }
    #expect(all.ends.map(\.name) == ["crashed", "crashed", "crashed"])
    let failures = all.filter { if case .recordFailure = $0 { true } else { false } }
    #expect(
      failures == [
        .recordFailure(
          Samples.id(0),
          reason: "3 attempts failed; the last: crashed: the worker process ended: killed by signal 9")
      ])
    #expect(bench.join(4) == nil)
    #expect(bench.scheduler.overview(at: bench.now).failed == 1)
  }

  @Test func `a bad point is quarantined at once and handing back never counts`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 1)
    for _ in 0..<5 {
      let lease = bench.join(1)!
      _ = bench.say(1, .handedBack(lease: lease, point: Samples.id(0), epoch: 1))
    }
    let lease = bench.join(1)!
    let bad = bench.say(1, .failed(lease: lease, point: Samples.id(0), .badPoint, reason: "too large"))
    #expect(bad.contains(.recordFailure(Samples.id(0), reason: "bad_point: too large")))
    let again = bench.say(1, .failed(lease: lease, point: Samples.id(0), .badPoint, reason: "too large"))
    #expect(again.silent == [.send(to: Samples.peer(1), .receipt(lease: lease, point: Samples.id(0)))])
  }

  @Test func `waking up after a suspension ends no lease`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    _ = bench.tick(for: 50)
    bench.wait(3600)
    #expect(bench.handle(.tick).ends.isEmpty)
    #expect(bench.tick(for: 50).ends.isEmpty)
    #expect(bench.say(1, .progress(lease: lease, Samples.progress(work: 1), epochsPerSecond: 1)).isEmpty)
    #expect(bench.tick(for: 61).ends.map(\.name) == ["lost"])
  }

  @Test func `the same process on another connection keeps its number and lease`() {
    var bench = SchedulerBench(points: 2)
    let lease = bench.join(1)!
    let moved = PeerID([9, 9, 9])
    let held = HeldLease(lease: lease, point: Samples.id(0))
    let said = bench.handle(.message(from: moved, Samples.hello(1, holding: held)))
    #expect(said.silent == [.send(to: moved, .welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1))])
    #expect(bench.say(1, .ready).sent(to: 1) == [.sayHello])
    let progress = WorkerMessage.progress(lease: lease, Samples.progress(work: 1), epochsPerSecond: 1)
    #expect(bench.handle(.message(from: moved, progress)).isEmpty)
  }

  @Test func `a worker that was gone before its grant arrived does not charge the point`() {
    var bench = SchedulerBench(points: 1)
    bench.join(1)
    let gone = bench.handle(.unreachable(Samples.peer(1)))
    #expect(gone.ends.map(\.isCharged) == [false])
    #expect(bench.join(2) != nil)
  }

  @Test func `draining lets running points end and shutting down asks for them`() {
    var bench = SchedulerBench(points: 3)
    let lease = bench.join(1)!
    #expect(bench.handle(.drain(reason: "asked")).ends.isEmpty)
    let done = bench.finish(1, lease, point: 0)
    #expect(done.sent(to: 1) == [.leave, .receipt(lease: lease, point: Samples.id(0)), .leave])
    #expect(bench.say(1, .goodbye).last == .finished(.drained))
    #expect(bench.scheduler.isFinished)

    var other = SchedulerBench(points: 3)
    let held = other.join(1)!
    #expect(other.handle(.shutdown(reason: "interrupted")).sent(to: 1) == [.leave])
    _ = other.say(1, .handedBack(lease: held, point: Samples.id(0), epoch: 5))
    #expect(other.say(1, .goodbye).last == .finished(.shutDown(stillHeld: 0)))

    var deaf = SchedulerBench(points: 3)
    deaf.join(1)
    _ = deaf.handle(.shutdown(reason: "interrupted"))
    #expect(deaf.tick(for: 11).last == .finished(.shutDown(stillHeld: 1)))
  }

  @Test func `a coordinator with nothing left to do stays for the workers of the one before, to send them home`() {
    var done = Samples.known(1)
    done[0].state = .finished
    let start = SchedulerStart(
      points: done, workers: [Samples.boot(1): 1, Samples.boot(2): 2, Samples.boot(3): 3], nextWorker: 4,
      present: [Samples.boot(1), Samples.boot(2)])
    var bench = SchedulerBench(start: start)
    #expect(bench.handle(.tick).silent.isEmpty)
    #expect(bench.say(1, Samples.hello(1)).sent(to: 1).last == .leave)
    #expect(bench.say(1, .goodbye).silent == [.workerLeft(1)], "the other one is still to come")
    #expect(bench.tick(for: 14).silent.isEmpty)
    #expect(bench.tick(for: 1) == [.workerLeft(2), .finished(.everyPointTerminal)], "and does not")

    var both = SchedulerBench(start: start)
    for worker in 1...2 { _ = both.say(worker, Samples.hello(worker)) }
    _ = both.say(1, .goodbye)
    #expect(both.say(2, .goodbye).last == .finished(.everyPointTerminal))

    var local = SchedulerBench(SchedulerConfiguration(graceSeconds: 0), start: start)
    #expect(local.handle(.tick).last == .finished(.everyPointTerminal), "nobody can come back")
    var asked = SchedulerBench(start: start)
    #expect(asked.handle(.shutdown(reason: "interrupted")).last == .finished(.everyPointTerminal))
  }

  @Test func `a worker whose key is revoked gives its point to others at once, and it costs nothing`() {
    var bench = SchedulerBench(points: 1)
    let peer = PeerID([7], key: "node-7")
    _ = bench.handle(.message(from: peer, Samples.hello(1)))
    let lease = bench.handle(.message(from: peer, .ready)).grants[0].lease
    _ = bench.say(2, Samples.hello(2))
    _ = bench.say(2, .ready)
    let refused = bench.handle(.peerRefused(PeerID([7]), reason: "its key was revoked"))
    #expect(
      refused.ends == [
        .failed(
          .preempted, reason: "worker 1 (node-1, process 101) is not taken any more: its key was revoked",
          charged: false)
      ])
    #expect(refused.grants == [AttemptRecord(lease: LeaseID(lease.number + 1), point: Samples.id(0), worker: 2)])
    #expect(bench.handle(.peerRefused(PeerID([7]), reason: "its key was revoked")).isEmpty)
  }

  @Test func `points added later are granted behind all others and known ones are left alone`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 1)
    #expect(bench.join(1) == LeaseID(1))
    _ = bench.say(2, Samples.hello(2))
    _ = bench.say(2, .ready)
    let added = bench.handle(.addSweep(KnownSweep(name: "more"), Samples.known(2)))
    #expect(added.grants.map(\.point) == [Samples.id(1)])
    #expect(bench.scheduler.overview(at: bench.now).total == 2)
  }

  @Test func `the overview says who trains what`() {
    var bench = SchedulerBench(points: 3)
    let lease = bench.join(1)!
    bench.wait(5)
    _ = bench.say(1, .progress(lease: lease, Samples.progress(work: 400), epochsPerSecond: 100))
    let overview = bench.scheduler.overview(at: bench.now)
    #expect(overview.total == 3 && overview.pending == 2 && overview.workers == 1)
    #expect(overview.running.map(\.host) == ["node-1"])
    #expect(overview.running.first?.progress?.epoch == 400)
  }

  @Test func `a hundred thousand points make no event slow`() {
    var bench = SchedulerBench(points: 100_000)
    _ = bench.say(1, Samples.hello(1))
    var said = bench.say(1, .ready)
    for point in 0..<100_000 {
      guard let lease = said.grants.first?.lease else {
        Issue.record("no grant for point \(point)")
        return
      }
      if point % 1000 == 999 {
        _ = bench.say(1, .handedBack(lease: lease, point: Samples.id(point), epoch: 0))
        _ = bench.say(1, .ready)
        said = bench.finish(1, LeaseID(lease.number + 1), point: point)
      } else {
        said = bench.finish(1, lease, point: point)
      }
    }
    #expect(bench.scheduler.overview(at: bench.now).finished == 100_000)
  }
}
