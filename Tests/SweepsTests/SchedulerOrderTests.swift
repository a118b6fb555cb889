// Who comes first among points that cost more and less.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerOrderTests {
  private typealias Samples = MachineSamples

  /// A point of `epochs` epochs; the sample's other values.
  private func point(_ number: Int, epochs: Int) -> KnownPoint {
    var experiment = Samples.experiment(number)
    experiment.training.epochs = epochs
    return KnownPoint(id: Samples.id(number), experiment: experiment)
  }

  private func bench(_ epochs: [Int], checkpointSeconds: Double? = nil) -> SchedulerBench {
    SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false, checkpointSeconds: checkpointSeconds),
      start: SchedulerStart(points: epochs.enumerated().map { point($0.offset, epochs: $0.element) }))
  }

  /// The numbers of the points in the order in which one worker after the other gets them.
  private func order(_ bench: SchedulerBench, _ count: Int) -> [Int] {
    var bench = bench
    return (1...count).flatMap { worker in
      (bench.say(worker, Samples.hello(worker)) + bench.say(worker, .ready)).grants
        .map { grant in (0..<count).first { Samples.id($0) == grant.point }! }
    }
  }

  @Test func `the costly go first, and equals in the sweep's order`() {
    let epochs = [1_000, 64_000, 1_000, 8_000, 64_000, 8_000]
    #expect(order(bench(epochs), 6) == [1, 4, 3, 5, 0, 2])
  }

  @Test func `a cheap sweep of higher priority overtakes a costly one`() {
    let cheap = (0..<2).map { number in
      var known = point(number, epochs: 1_000)
      known.sweep = 1
      return known
    }
    let bench = SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false),
      start: SchedulerStart(
        points: cheap + [point(2, epochs: 64_000)],
        sweeps: [KnownSweep(name: "costly"), KnownSweep(name: "urgent", priority: 1)]))
    #expect(order(bench, 3) == [0, 1, 2])
  }

  @Test func `a worker with a deadline gets the costliest point that it can finish, past any number that it cannot`() {
    // Three hundred that do not fit: more than are ever looked at one by one.
    let epochs = Array(repeating: 2_000_000, count: 300) + [1_000, 16_000, 1_000]
    var bench = bench(epochs)
    let middle = point(301, epochs: 16_000).experiment.estimatedCoreSeconds
    #expect(
      (bench.say(1, Samples.hello(1, host: "slurm", secondsLeft: 30 + 2 * middle)) + bench.say(1, .ready))
        .grants.map(\.point) == [Samples.id(301)])
  }

  @Test func `two thousand points of eight costs go from the costliest to the cheapest, equals in the sweep's order`() {
    var random = SplitMix(state: 7)
    let epochs = (0..<2_000).map { _ in 1_000 << Int.random(in: 0..<8, using: &random) }
    var bench = bench(epochs)
    _ = bench.say(1, Samples.hello(1))
    var said = bench.say(1, .ready)
    var granted: [Int] = []
    while let grant = said.grants.first, granted.count < epochs.count {
      let number = Int(grant.point.hex.suffix(8), radix: 16)!
      granted.append(number)
      said = bench.say(
        1, .finished(lease: grant.lease, point: grant.point, Samples.result(number), seconds: 1))
      _ = bench.handle(.stored(grant.point))
    }
    #expect(granted == epochs.indices.sorted { (-epochs[$0], $0) < (-epochs[$1], $1) })
  }
}
