// Seeded stories of a whole cluster. A seed that failed is to become a test of its own.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerSimulationTests {
  private func story(_ seed: UInt64, poison: Int? = nil, faultySeconds: Double = 300) -> SimulatedCluster {
    let cluster = SimulatedCluster(
      seed: seed, points: 12, workers: 4, faultySeconds: faultySeconds, poison: poison)
    cluster.run(patience: 2000)
    if cluster.violations.isEmpty { cluster.checkEnd() }
    return cluster
  }

  @Test func `a sweep without faults ends with every result and one attempt a point`() {
    let cluster = story(1, faultySeconds: 0)
    #expect(cluster.violations.isEmpty)
    #expect(cluster.ending == .everyPointTerminal)
    #expect(cluster.store.results.count == 12)
    #expect(cluster.store.attempts.count == 12)
  }

  @Test func `whatever the faults, every point ends once and right`() {
    for seed in UInt64(1)...150 {
      let cluster = story(seed)
      #expect(cluster.violations.isEmpty, "seed \(seed): \(cluster.violations)")
      if !cluster.violations.isEmpty { return }
    }
  }

  @Test func `a point that kills its workers is quarantined and the others end`() {
    for seed in UInt64(1)...50 {
      let cluster = story(seed, poison: 3)
      #expect(cluster.violations.isEmpty, "seed \(seed): \(cluster.violations)")
      #expect(cluster.store.failures[3] != nil, "seed \(seed)")
      if !cluster.violations.isEmpty { return }
    }
  }

  /// Seed 10400 with one worker: its run hung before the first report, and its coordinator forgot it.
  @Test func `a worker that hangs from the start comes back`() {
    let cluster = SimulatedCluster(seed: 10_400, points: 7, workers: 1, faultySeconds: 400, poison: nil)
    cluster.run(patience: 2000)
    if cluster.violations.isEmpty { cluster.checkEnd() }
    #expect(cluster.violations.isEmpty)
  }

  @Test func `one seed tells one story`() {
    let first = story(77)
    let second = story(77)
    #expect(first.handled == second.handled)
    #expect(first.now == second.now)
    #expect(first.store.attempts.count == second.store.attempts.count)
  }
}
