import Sweeps
import Testing

@Suite struct CoordinatorCountsTests {
  @Test func `epochs are counted from the first report of an attempt to its end, and never backwards`() {
    var counts = CoordinatorCounts()
    counts.reached(500, LeaseID(1))
    #expect(counts.epochs == 0)
    counts.reached(700, LeaseID(1))
    counts.reached(650, LeaseID(1))
    counts.reached(10, LeaseID(2))
    #expect(counts.epochs == 200)
    counts.ended(LeaseID(1), "finished", epoch: 1000)
    counts.ended(LeaseID(2), "lost")
    #expect(counts.epochs == 500)
    counts.reached(5, LeaseID(2))
    #expect(counts.epochs == 500)
  }

  @Test func `attempts are counted by how they ended, in the order of their first`() {
    var counts = CoordinatorCounts()
    for (lease, kind) in ["finished", "lost", "finished", "crashed", "lost", "finished"].enumerated() {
      counts.ended(LeaseID(Int64(lease)), kind)
    }
    #expect(counts.attempts.map(\.kind) == ["finished", "lost", "crashed"])
    #expect(counts.attempts.map(\.count) == [3, 2, 1])
  }

  @Test func `durations fall into the first bound that holds them, and longer ones count in the total only`() {
    var durations = DurationCounts()
    for seconds in [0.001, 0.0011, 9.9, 10, 11, -1] { durations.add(seconds: seconds) }
    #expect(durations.total == 6)
    #expect(durations.counts[0] == 2 && durations.counts[1] == 1 && durations.counts.last == 2)
    #expect(abs(durations.seconds - 30.9021) < 1e-9)
  }
}
