// The curve behind the median, against numbers that are known by hand.

import Results
import Testing

@Suite struct KaplanMeierTests {
  @Test func `the share falls where runs do it, by those who are still there`() {
    // Four runs: one at 100, one left at 150, one at 200, one left at 300.
    let times = KaplanMeier(events: [200, 100], censored: [300, 150])
    #expect(times.steps.map(\.epoch) == [100, 200])
    #expect(times.steps.map { ($0.share * 1000).rounded() } == [750, 375])
    #expect(times.median == 200)
  }

  @Test func `intervals are those of ln(−ln S), hold the share, and lie between none and all`() throws {
    let times = KaplanMeier(events: [100, 200, 300, 400, 500, 600], censored: [450, 900])
    for step in times.steps {
      let (low, high) = (try #require(step.low), try #require(step.high))
      #expect(0 <= low && low < step.share && step.share < high && high <= 1)
    }
    // One of two at risk: S = 1/2, Greenwood's sum 1/2, so the ends are 2^(−e^(±1.96·√½ / ln 2)).
    let half = try #require(KaplanMeier(events: [10], censored: [20]).steps.first)
    #expect(abs(try #require(half.low) - 0.00598) < 1e-4)
    #expect(abs(try #require(half.high) - 0.91042) < 1e-4)
  }

  @Test func `when the last run has done it, the share is zero and has no interval`() {
    let times = KaplanMeier(events: [10, 20], censored: [])
    #expect(times.steps.map(\.share) == [0.5, 0] || abs(times.steps[0].share - 0.5) < 1e-12)
    #expect(times.steps[1].low == nil && times.steps[1].high == nil)
    #expect(KaplanMeier(events: [], censored: [5]).steps.isEmpty)
  }
}
