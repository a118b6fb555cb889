// The rule of docs/decisions/0015, one sentence at a time.

import Reports
import Testing

@Suite struct VerdictTests {
  private static func verdict(
    on published: ClosedRange<Double>, values: [Double] = [], notBy: [Double] = [], absent: Int = 0,
    seedFactor: Double = 1
  ) -> Verdict {
    Verdict(
      .number(published),
      Observations(
        values.map(Observation.value) + notBy.map(Observation.notBy) + Array(repeating: .absent, count: absent)),
      seedFactor: seedFactor)
  }

  private static func verdict(
    on published: Double, values: [Double] = [], notBy: [Double] = [], absent: Int = 0, seedFactor: Double = 1
  ) -> Verdict {
    verdict(on: published...published, values: values, notBy: notBy, absent: absent, seedFactor: seedFactor)
  }

  @Test func `a number between our least and greatest is reproduced, the ends included`() {
    for number in [80.0, 100, 160] {
      #expect(Self.verdict(on: number, values: [160, 80, 90]) == .reproduced)
    }
  }

  @Test func `a number within a quarter of our median is reproduced, however close our runs lie together`() {
    #expect(Self.verdict(on: 124, values: [100, 100, 101]) == .reproduced)
    #expect(Self.verdict(on: 81, values: [100]) == .reproduced)
  }

  @Test func `a number outside by no more than the ratio of our range is within seed spread`() {
    // 100 to 200 spans a factor of 2, so 50 to 400 is within.
    for number in [51.0, 99, 390] {
      #expect(Self.verdict(on: number, values: [100, 200, 200]) == .withinSeedSpread, "\(number)")
    }
    for number in [49.0, 410] {
      #expect(Self.verdict(on: number, values: [100, 200, 200]) == .differs, "\(number)")
    }
  }

  @Test func `a row's seed factor widens a narrow range and never narrows a wide one`() {
    #expect(Self.verdict(on: 190, values: [100]) == .differs)
    #expect(Self.verdict(on: 190, values: [100], seedFactor: 2) == .withinSeedSpread)
    #expect(Self.verdict(on: 210, values: [100], seedFactor: 2) == .differs)
    #expect(Self.verdict(on: 800, values: [100, 300], seedFactor: 2) == .withinSeedSpread)
  }

  @Test func `a published range is held against ours by overlap`() {
    #expect(Self.verdict(on: 3...5, values: [5, 6, 7]) == .reproduced)
    #expect(Self.verdict(on: 3...5, values: [7, 7, 7]) == .differs)
    #expect(Self.verdict(on: 3...5, values: [6, 7, 8]) == .withinSeedSpread)
  }

  @Test func `runs that ended before they crossed count as later than the epoch at which they ended`() {
    // One crossed at 500, one had not by 50,000: 20,000 lies between them.
    #expect(Self.verdict(on: 20_000, values: [500], notBy: [50_000]) == .reproduced)
    #expect(Self.verdict(on: 400, values: [500], notBy: [50_000]) == .reproduced)
    #expect(Self.verdict(on: 100, values: [15_000, 20_000], notBy: [25_000]) == .differs)
  }

  @Test func `a number beyond the end of a run that had not crossed is not decided`() {
    #expect(Self.verdict(on: 95_520, values: [30_000], notBy: [40_000]) == .noData)
    #expect(Self.verdict(on: 95_520, notBy: [40_000, 40_000]) == .noData)
    #expect(Self.verdict(on: 95_520, notBy: [40_000, 200_000]) == .noData)
  }

  @Test func `a number that every run has gone past without crossing differs`() {
    #expect(Self.verdict(on: 157, notBy: [50_000, 50_000], seedFactor: 2) == .differs)
  }

  @Test func `without a run that says something there is no data`() {
    #expect(Self.verdict(on: 157) == .noData)
    #expect(Self.verdict(on: 157, absent: 3) == .noData)
    #expect(Verdict(.happens(true), Observations([.absent]), seedFactor: 1) == .noData)
  }

  @Test func `runs that say nothing take no part`() {
    #expect(Self.verdict(on: 100, values: [100], absent: 2) == .reproduced)
  }

  @Test func `what happens or does not is reproduced by all, within seed spread by some, and differs by none`() {
    let all = Observations([.value(900), .value(1000)])
    let some = Observations([.value(900), .notBy(40_000)])
    let none = Observations([.notBy(40_000), .notBy(40_000)])
    #expect(Verdict(.happens(true), all, seedFactor: 1) == .reproduced)
    #expect(Verdict(.happens(true), some, seedFactor: 1) == .withinSeedSpread)
    #expect(Verdict(.happens(true), none, seedFactor: 1) == .differs)
    #expect(Verdict(.happens(false), all, seedFactor: 1) == .differs)
    #expect(Verdict(.happens(false), some, seedFactor: 1) == .withinSeedSpread)
    #expect(Verdict(.happens(false), none, seedFactor: 1) == .reproduced)
  }

  @Test func `the median counts runs that had not crossed as later than all others`() {
    #expect(Observations([.value(3), .value(1), .value(2)]).median == 2)
    #expect(Observations([.value(1), .value(2)]).median == 1)
    #expect(Observations([.value(1), .notBy(9), .value(2)]).median == 2)
    #expect(Observations([.value(1), .notBy(9), .notBy(9)]).median == nil)
    #expect(Observations([]).median == nil)
  }

  @Test func `only reproduced and within seed spread hold`() {
    #expect(Verdict.reproduced.holds && Verdict.withinSeedSpread.holds)
    #expect(!Verdict.differs.holds && !Verdict.noData.holds)
  }
}
