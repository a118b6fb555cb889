// When the rest will be done, and how sure that is.

import Grokking
import Sweeps
import Testing

@Suite struct RemainingTimeTests {
  private typealias Samples = MachineSamples

  /// Of one point, as `CostModel` has it.
  private let estimate = Samples.experiment(0).estimatedCoreSeconds

  private func remaining(_ bench: SchedulerBench) -> RemainingTime? {
    bench.scheduler.overview(at: bench.now).remaining
  }

  private func isNear(_ value: Double?, _ wanted: Double) -> Bool {
    value.map { abs($0 / wanted - 1) < 1e-2 } ?? false
  }

  /// A worker brings the result of its point in `ratio` times the estimate, and gets the next.
  private func finish(_ bench: inout SchedulerBench, _ lease: LeaseID, point: Int, ratio: Double) -> LeaseID? {
    let said = bench.say(
      1, .finished(lease: lease, point: Samples.id(point), Samples.result(point), seconds: ratio * estimate))
    _ = bench.handle(.stored(Samples.id(point)))
    return said.grants.first?.lease
  }

  @Test func `before a result, the workers' own rates say how long the rest takes`() {
    var bench = SchedulerBench(points: 3)
    #expect(remaining(bench) == nil, "no worker")
    let lease = bench.join(1)!
    #expect(remaining(bench) == nil, "no rate")
    // Twice as slow as estimated: 0.6 of a point and two more, at two estimates each.
    let rate = 0.5 / Samples.experiment(0).estimatedCoreSecondsOfEpoch
    _ = bench.say(1, .progress(lease: lease, Samples.progress(work: 400), epochsPerSecond: rate))
    #expect(isNear(remaining(bench)?.seconds, 2.6 * 2 * estimate))
  }

  @Test func `results say how long a point takes, and more workers share the rest`() {
    var bench = SchedulerBench(points: 9)
    // Runs that stop after grokking take a quarter of their estimate.
    _ = finish(&bench, bench.join(1)!, point: 0, ratio: 0.25)
    #expect(isNear(remaining(bench)?.seconds, 8 * 0.25 * estimate))
    _ = bench.join(2)
    #expect(isNear(remaining(bench)?.seconds, 8 * 0.25 * estimate / 2))
  }

  @Test func `the last points take as long as the longest of them, however many workers there are`() {
    var bench = SchedulerBench(points: 2)
    _ = finish(&bench, bench.join(1)!, point: 0, ratio: 1)
    for worker in 2...9 { _ = bench.join(worker) }
    #expect(isNear(remaining(bench)?.seconds, estimate))
  }

  @Test func `the range narrows as results come, and is wider where they differ`() {
    func range(_ ratios: [Double]) -> Double {
      var bench = SchedulerBench(points: 100)
      var lease = bench.join(1)!
      for (point, ratio) in ratios.enumerated() { lease = finish(&bench, lease, point: point, ratio: ratio)! }
      let rest = remaining(bench)!
      #expect(rest.low < rest.seconds && rest.seconds < rest.high)
      return rest.high / rest.low
    }
    let (one, ten) = (range([1]), range(Array(repeating: 1, count: 10)))
    #expect(ten < one)
    #expect(range([0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5, 0.5, 1.5]) > ten)
  }

  @Test func `when nothing is left, nothing is to go`() {
    var bench = SchedulerBench(SchedulerConfiguration(exitWhenDone: false), points: 1)
    _ = finish(&bench, bench.join(1)!, point: 0, ratio: 1)
    #expect(remaining(bench) == RemainingTime(seconds: 0, low: 0, high: 0))
  }

  @Test func `what the store knows of a machine's speed counts from the start`() {
    var bench = SchedulerBench(
      start: SchedulerStart(
        points: Samples.known(4),
        paces: [HostPace(host: "node-1", ratios: [3, 3]), HostPace(host: "node-2", ratios: [1])]))
    _ = bench.join(1, host: "node-1")
    #expect(isNear(remaining(bench)?.seconds, 4 * 3 * estimate))
  }
}
