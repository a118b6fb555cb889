// A thousand workers and a hundred thousand points: no event may depend on how many there are.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerScaleTests {
  private typealias Samples = MachineSamples

  @Test func `a thousand workers finish a hundred thousand points of ten sweeps`() {
    let count = 100_000
    let workers = 1000
    var bench = SchedulerBench(
      start: SchedulerStart(
        points: (0..<count).map {
          KnownPoint(id: Samples.id($0), experiment: Samples.experiment($0), sweep: $0 % 10)
        }, sweeps: (0..<10).map { KnownSweep(name: "sweep \($0)", priority: $0 % 3) }))
    var held: [AttemptRecord] = []
    for worker in 1...workers {
      _ = bench.say(worker, Samples.hello(worker, host: "node-\(worker % 50)"))
      held += bench.say(worker, .ready).grants
    }
    var finished = 0
    while !held.isEmpty, finished <= count {
      var next: [AttemptRecord] = []
      for record in held {
        let worker = Int(record.worker)
        let said = WorkerMessage.finished(
          lease: record.lease, point: record.point, Samples.result(0), seconds: 1)
        next += bench.say(worker, said).grants
        _ = bench.handle(.stored(record.point))
        finished += 1
      }
      _ = bench.tick(for: 1)
      held = next
    }
    #expect(finished == count)
    #expect(bench.scheduler.overview(at: bench.now).finished == count)
  }

  @Test func `giving a point back, pausing and asking why cost the same among a hundred thousand`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 100_000)
    _ = bench.say(1, Samples.hello(1))
    for round in 0..<20_000 {
      guard let grant = bench.say(1, .ready).grants.first else {
        Issue.record("no grant in round \(round)")
        return
      }
      _ = bench.say(1, .handedBack(lease: grant.lease, point: grant.point, epoch: 0))
      if round % 10 == 0 {
        _ = bench.handle(.setSweep("", .paused))
        _ = bench.handle(.setSweep("", .active))
        #expect(bench.scheduler.explain(Samples.id(99_999), at: bench.now)?.obstacles.last == .pointsBefore(99_999))
      }
    }
  }
}
