// The end of a sweep, when less and less is left to hand out: how many slots still have work.

import Grokking
import Sweeps
import Testing

@Suite struct TailTests {
  /// Moduli, widths, shares of pairs and budgets that differ: the costliest point takes nineteen times the cheapest.
  private static let mixed = """
    sweep: mixed
    preset: small
    axes:
      zip:
        task.modulus: [23, 31, 41, 53, 67]
        training.epochs: [20000, 15000, 10000, 10000, 8000]
      model.d_mlp: [64, 128, 256]
      task.train_fraction: [0.3, 0.45, 0.6]
      seed: {count: 10}
    """

  /// Plays the sweep with the real scheduler. A point takes its estimated seconds, times the speed of its machine, times
  /// what is not foreseen: many stop early.
  ///
  /// - Returns: the share of the last tenth of the makespan that slots spent on points.
  private func busyInLastTenth(_ experiments: [Experiment], slots: Int, seed: UInt64) -> Double {
    var bench = SchedulerBench(
      SchedulerConfiguration(leaseSeconds: 100_000_000, exitWhenDone: false),
      start: SchedulerStart(
        points: experiments.enumerated().map { KnownPoint(id: MachineSamples.id($0.offset), experiment: $0.element) }))
    var random = SplitMix(state: seed)
    let slowness = (0..<slots).map { _ in Double.random(in: 1...2, using: &random) }
    let surprise = experiments.map { _ in Double.random(in: 0.3...1, using: &random) }

    struct Running {
      var until: Double
      var lease: LeaseID
      var point: PointID
    }
    var running: [Running?] = []
    var spans: [(from: Double, until: Double)] = []
    var now = 0.0
    func take(_ said: [SchedulerDirective], _ slot: Int) -> Running? {
      guard let grant = said.grants.first else { return nil }
      let number = Int(grant.point.hex.suffix(8), radix: 16)!
      let until = now + experiments[number].estimatedCoreSeconds * slowness[slot] * surprise[number]
      spans.append((now, until))
      return Running(until: until, lease: grant.lease, point: grant.point)
    }
    for slot in 0..<slots {
      running.append(take(bench.say(slot, MachineSamples.hello(slot)) + bench.say(slot, .ready), slot))
    }
    while let slot = running.indices.filter({ running[$0] != nil })
      .min(by: { running[$0]!.until < running[$1]!.until })
    {
      let ended = running[slot]!
      bench.wait(ended.until - now)
      now = ended.until
      let number = Int(ended.point.hex.suffix(8), radix: 16)!
      let said = bench.say(
        slot, .finished(lease: ended.lease, point: ended.point, MachineSamples.result(number), seconds: 1))
      running[slot] = take(said + bench.handle(.stored(ended.point)), slot)
    }
    #expect(spans.count == experiments.count)
    let tenth = 0.9 * now
    return spans.reduce(0) { $0 + max(0, $1.until - max(tenth, $1.from)) } / (Double(slots) * 0.1 * now)
  }

  @Test(arguments: [2, 8, 20])
  func `over a mixed sweep the last tenth of the time keeps four fifths of the slots busy`(slots: Int) throws {
    let experiments = try SweepFile(text: Self.mixed, fileName: "mixed.yaml").points.map(\.experiment)
    let costs = experiments.map(\.estimatedCoreSeconds)
    let spread = costs.max()! / costs.min()!
    let shares = (1...20).map { busyInLastTenth(experiments, slots: slots, seed: UInt64($0)) }.sorted()
    #expect(spread > 15)
    #expect(shares[0] >= 0.8, "busy in the last tenth, by seed: \(shares)")
  }
}
