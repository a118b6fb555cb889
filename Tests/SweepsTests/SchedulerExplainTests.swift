// Why a point is not running, and who is there.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerExplainTests {
  private typealias Samples = MachineSamples

  private func standing(_ bench: SchedulerBench, _ point: Int) -> PointStanding? {
    bench.scheduler.explain(Samples.id(point), at: bench.now)
  }

  @Test func `a pending point says what it waits for`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 5)
    #expect(standing(bench, 3)?.obstacles == [.noWorkers, .pointsBefore(3)])
    #expect(standing(bench, 99) == nil)
    let lease = bench.join(1)!
    #expect(standing(bench, 3)?.obstacles == [.workersBusy(1), .pointsBefore(2)])
    _ = bench.handle(.setSweep("", .paused))
    #expect(standing(bench, 3)?.obstacles == [.sweepsPaused, .workersBusy(1)])
    _ = bench.handle(.setSweep("", .cancelled))
    #expect(standing(bench, 3)?.obstacles.first == .sweepsCancelled)
    _ = bench.handle(.setSweep("", .active))
    _ = bench.say(1, .finished(lease: lease, point: Samples.id(0), Samples.result(0), seconds: 1))
    _ = bench.handle(.storeFailed(Samples.id(0), reason: "full"))
    #expect(standing(bench, 3)?.obstacles.contains(.storeTrouble(seconds: 30)) == true)
    _ = bench.handle(.drain(reason: "asked"))
    #expect(standing(bench, 3)?.obstacles.contains(.leaving) == true)
  }

  @Test func `a running point says with whom, and how far it is`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false, checkpointSeconds: 30), points: 1)
    let lease = bench.join(1)!
    _ = bench.say(1, .progress(lease: lease, Samples.progress(work: 400), epochsPerSecond: 10))
    bench.keep(epoch: 300, lease)
    let running = standing(bench, 0)
    #expect(running?.state == .running)
    #expect(running?.lease == lease && running?.worker == 1 && running?.host == "node-1")
    #expect(running?.progress?.epoch == 400)
    #expect(running?.keptEpoch == 300)
    #expect(running?.obstacles.isEmpty == true)
    #expect(running?.sweeps == [""])
    _ = bench.finish(1, lease, point: 0)
    #expect(standing(bench, 0)?.state == .finished)
    #expect(standing(bench, 0)?.keptEpoch == nil)
  }

  @Test func `a point whose worker is not back yet says so`() {
    var point = Samples.known(1)[0]
    point.openAttempts = [OpenAttempt(lease: LeaseID(3), boot: Samples.boot(9))]
    var bench = SchedulerBench(start: SchedulerStart(points: [point], nextLease: LeaseID(4)))
    _ = bench.tick(for: 20)
    #expect(standing(bench, 0)?.state == .awaited)
    #expect(standing(bench, 0)?.graceSeconds == 40)
  }

  @Test func `a quarantined point says how many attempts count against it`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 1)
    for number in 1...3 {
      let lease = bench.join(number)!
      _ = bench.fail(number, lease, point: 0)
    }
    #expect(standing(bench, 0)?.state == .failed)
    #expect(standing(bench, 0)?.chargedAttempts == 3)
    #expect(standing(bench, 0)?.chargedAttemptsLimit == 3)
  }

  @Test func `the overview lists the workers`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 1)
    let owner = PeerID([7], key: "rack-a")
    _ = bench.handle(.message(from: owner, Samples.hello(1, host: "rack", secondsLeft: 900)))
    _ = bench.handle(.message(from: owner, .ready))
    bench.wait(4)
    let worker = bench.scheduler.overview(at: bench.now).workerList.first
    #expect(worker?.number == 1 && worker?.host == "rack" && worker?.key == "rack-a" && worker?.processID == 101)
    #expect(worker?.lease == LeaseID(1) && worker?.point == Samples.id(0) && worker?.isDraining == false)
    #expect(worker?.secondsLeft == 896)
    #expect(worker?.silentSeconds == 4)
  }

  @Test func `every obstacle is a clause`() {
    let all: [PointObstacle] = [
      .sweepsCancelled, .sweepsPaused, .leaving, .storeTrouble(seconds: 3), .noWorkers, .hostsBarred(["a", "b"]),
      .workersBusy(1), .workersBusy(2), .pointsBefore(1), .pointsBefore(2),
    ]
    #expect(Set(all.map(\.text)).count == all.count)
    #expect(PointObstacle.hostsBarred(["a", "b"]).text == "sent home after failure upon failure: a, b")
  }
}
