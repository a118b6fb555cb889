// Workers that have to be gone by a certain time: they get what fits.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerDeadlineTests {
  private typealias Samples = MachineSamples

  /// Point 0 takes hours, point 1 well under a second.
  private func bench(checkpointSeconds: Double? = nil, quick: Bool = true) -> SchedulerBench {
    let slow = KnownPoint(id: Samples.id(0), experiment: Experiment(training: TrainingSettings(epochs: 2_000_000)))
    let short = KnownPoint(id: Samples.id(1), experiment: Samples.experiment(1))
    return SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false, checkpointSeconds: checkpointSeconds),
      start: SchedulerStart(points: quick ? [slow, short] : [slow]))
  }

  @Test func `a worker with a deadline gets the first point that fits, others the first`() {
    var bench = bench()
    let said = bench.say(1, Samples.hello(1, host: "slurm", secondsLeft: 600)) + bench.say(1, .ready)
    #expect(said.grants.map(\.point) == [Samples.id(1)])
    #expect((bench.say(2, Samples.hello(2)) + bench.say(2, .ready)).grants.map(\.point) == [Samples.id(0)])
  }

  @Test func `when none fits and checkpoints stay at home, it is told to leave`() {
    var bench = bench(quick: false)
    let said = bench.say(1, Samples.hello(1, host: "slurm", secondsLeft: 600)) + bench.say(1, .ready)
    #expect(said.sent(to: 1).last == .leave)
    #expect(
      said.lines.last
        == "worker 1 (slurm, process 101) is told to leave: no point is done in the 600 s that it has left")
    let again = bench.say(1, .ready)
    #expect(again == [.send(to: Samples.peer(1), .leave)], "said once, answered always")
  }

  @Test func `when checkpoints travel, a point that does not fit is begun`() {
    var bench = bench(checkpointSeconds: 30, quick: false)
    #expect(bench.join(1, host: "slurm", secondsLeft: 600) != nil)
    var late = self.bench(checkpointSeconds: 30, quick: false)
    #expect(late.join(1, host: "slurm", secondsLeft: 80) == nil, "under three checkpoints are left")
  }

  @Test func `nothing is granted in the last half minute`() {
    var bench = bench()
    #expect(bench.join(1, host: "slurm", secondsLeft: 29) == nil)
    bench.wait(100)
    #expect(bench.join(2, host: "slurm", secondsLeft: 60) == LeaseID(1))
  }

  @Test func `what a host needed for its points decides what fits there`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 4)
    let estimate = Samples.experiment(0).estimatedCoreSeconds
    let lease = bench.join(1, host: "slow")!
    // A hundred times as long as it should take.
    let result = WorkerMessage.finished(
      lease: lease, point: Samples.id(0), Samples.result(0), seconds: 100 * estimate)
    _ = bench.say(1, result)
    _ = bench.handle(.stored(Samples.id(0)))
    #expect(bench.join(2, host: "slow", secondsLeft: 30 + 50 * estimate) == nil)
    #expect(bench.join(3, host: "slow", secondsLeft: 30 + 150 * estimate) == LeaseID(3))
  }

  @Test func `a kept checkpoint makes a point fit that would not from the start`() {
    let slow = KnownPoint(id: Samples.id(0), experiment: Samples.experiment(0))
    let estimate = slow.experiment.estimatedCoreSeconds
    var bench = SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false),
      start: SchedulerStart(
        points: [slow], checkpoints: [KeptCheckpoint(point: Samples.id(0), contents: Samples.contents(epoch: 900))]))
    #expect(bench.join(1, host: "slurm", secondsLeft: 30 + 0.9 * estimate) == LeaseID(1))
    var bare = SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false), start: SchedulerStart(points: [slow]))
    #expect(bare.join(1, host: "slurm", secondsLeft: 30 + 0.9 * estimate) == nil)
  }
}
