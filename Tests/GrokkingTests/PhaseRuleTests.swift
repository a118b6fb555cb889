// The rule for phases on curves made by hand; epochs are 100 apart.

import Grokking
import Testing

@Suite struct PhaseRuleTests {
  private static func evaluations(
    excluded: [Double?], test: [Double], restricted: [Double?]
  ) -> [Evaluation] {
    test.indices.map { place in
      Evaluation(
        epoch: 100 * place, trainLoss: 0.1, testLoss: test[place], trainAccuracy: 1, testAccuracy: 0,
        restrictedLoss: restricted[place], excludedLoss: excluded[place], giniW_E: 0, giniW_L: 0, sumSquaredWeights: 0)
    }
  }

  private static let grokked = Outcome.grokked(memorization: 50, grokking: 550)
  private static let memorized = Outcome.memorized(memorization: 50, censoredAfter: 800)

  /// Excluded loss is lowest at 200; the logarithm of test loss stays within 10 % of its maximum's until 400 and falls steepest from 500
  /// to 600; restricted loss falls by a factor of 10,000, 90 % of it in log by 700.
  private static let excluded: [Double?] = [5, 2, 0.5, 1, 2, 4, 6, 8, 9]
  private static let test: [Double] = [5, 8, 9, 10, 9.5, 5, 0.1, 0.02, 0.01]
  private static let restricted: [Double?] = [5, 5, 5, 4, 1, 0.1, 0.001, 0.00025, 0.0001]

  @Test func `a run that groks has three phases, end to start`() {
    let phases = PhaseRule.phases(
      Self.evaluations(excluded: Self.excluded, test: Self.test, restricted: Self.restricted), Self.grokked)
    #expect(
      phases == [
        Phase(.memorization, start: 0, end: 200), Phase(.circuitFormation, start: 200, end: 400),
        Phase(.cleanup, start: 400, end: 700),
      ])
  }

  @Test func `the plateau of test loss is measured in its logarithm`() {
    // 8 is 80 % of 10, but its logarithm is 90.3 % of that of 10; 7.9 is below.
    for (loss, start) in [(8.0, 500), (7.9, 400)] {
      var test = Self.test
      test[5] = loss
      let curve = Self.evaluations(excluded: Self.excluded, test: test, restricted: Self.restricted)
      #expect(PhaseRule.phases(curve, Self.grokked).last?.start == start)
    }
  }

  @Test func `an evaluation that could not be measured is passed over`() {
    let curve = Self.evaluations(excluded: Self.excluded, test: Self.test, restricted: Self.restricted)
    var spiked = curve
    spiked[3].excludedLoss = nil
    #expect(PhaseRule.phases(spiked, Self.grokked) == PhaseRule.phases(curve, Self.grokked))
  }

  @Test func `without grokking circuit formation has no end`() {
    let phases = PhaseRule.phases(
      Self.evaluations(excluded: Self.excluded, test: Self.test, restricted: Self.restricted), Self.memorized)
    #expect(
      phases == [Phase(.memorization, start: 0, end: 200), Phase(.circuitFormation, start: 200, end: nil)])
  }

  @Test func `a model that memorizes while no evaluation sees excluded loss fall has no phases`() {
    var excluded = Self.excluded
    excluded[0] = 0.1
    let curve = Self.evaluations(excluded: excluded, test: Self.test, restricted: Self.restricted)
    #expect(PhaseRule.phases(curve, Self.grokked).isEmpty)
    #expect(PhaseRule.phases(curve, Self.memorized).isEmpty)
    #expect(PhaseRule.phases(curve, .immediate(memorization: 170, grokking: 150)).isEmpty)
  }

  @Test func `a model that knows its train set from the start has no memorization phase`() {
    var excluded = Self.excluded
    excluded[0] = 0.1
    let curve = Self.evaluations(excluded: excluded, test: Self.test, restricted: Self.restricted)
    #expect(
      PhaseRule.phases(curve, .grokked(memorization: 0, grokking: 550))
        == [Phase(.circuitFormation, start: 0, end: 400), Phase(.cleanup, start: 400, end: 700)])
    #expect(
      PhaseRule.phases(curve, .memorized(memorization: 0, censoredAfter: 800))
        == [Phase(.circuitFormation, start: 0, end: nil)])
  }

  @Test func `a model that generalizes soon has the phases that its excluded loss shows`() {
    // As with most pairs in the train set: test loss falls with train loss.
    let test = [5, 6, 4, 0.1, 0.02, 0.01, 0.01, 0.01, 0.01]
    let restricted = [4.7, 4.6, 1, 0.01, 0.001, 0.001, 0.001, 0.001, 0.001]
    let soon = Outcome.immediate(memorization: 170, grokking: 200)
    let fell = Self.evaluations(excluded: [4.7, 1, 5, 8, 9, 9, 9, 9, 9], test: test, restricted: restricted)
    #expect(
      PhaseRule.phases(fell, soon) == [Phase(.memorization, start: 0, end: 100), Phase(.cleanup, start: 100, end: 400)])
    let neverFell = Self.evaluations(excluded: [4.7, 5, 6, 8, 9, 9, 9, 9, 9], test: test, restricted: restricted)
    #expect(PhaseRule.phases(neverFell, soon).isEmpty)
  }

  @Test func `two evaluations have no border between them, three may have one`() {
    let curve = Self.evaluations(excluded: Self.excluded, test: Self.test, restricted: Self.restricted)
    let apart = [curve[0], curve[2], curve[8]]
    for memorization in [0, 50] {
      let outcome = Outcome.memorized(memorization: memorization, censoredAfter: 800)
      #expect(PhaseRule.phases(Array(curve[..<1]), outcome).isEmpty)
      #expect(PhaseRule.phases(Array(curve[..<2]), outcome).isEmpty)
      #expect(PhaseRule.phases([curve[0], curve[8]], outcome).isEmpty)
      #expect(
        PhaseRule.phases(apart, outcome)
          == [Phase(.memorization, start: 0, end: 200), Phase(.circuitFormation, start: 200, end: nil)])
    }
  }

  @Test func `while excluded loss still falls, memorization has no end`() {
    let falling: [Double?] = [5, 4, 3, 2, 1, 0.9, 0.8, 0.7, 0.6]
    for outcome in [Self.grokked, Self.memorized] {
      let phases = PhaseRule.phases(
        Self.evaluations(excluded: falling, test: Self.test, restricted: Self.restricted), outcome)
      #expect(phases == [Phase(.memorization, start: 0, end: nil)])
    }
  }

  @Test func `without memorization, without waves and without evaluations there are no phases`() {
    let curve = Self.evaluations(excluded: Self.excluded, test: Self.test, restricted: Self.restricted)
    #expect(PhaseRule.phases(curve, .unfit(censoredAfter: 800)).isEmpty)
    #expect(PhaseRule.phases(curve, .immediate(memorization: nil, grokking: 300)).isEmpty)
    let none = [Double?](repeating: nil, count: 9)
    let waveless = Self.evaluations(excluded: none, test: Self.test, restricted: none)
    #expect(PhaseRule.phases(waveless, Self.grokked).isEmpty)
    #expect(PhaseRule.phases([], .diverged(at: 0, memorization: 0, grokking: nil)).isEmpty)
  }

  @Test func `a fall that began before memorization ended leaves memorization alone`() {
    let late: [Double?] = [5, 4, 3, 2, 1, 0.5, 6, 8, 9]
    let phases = PhaseRule.phases(
      Self.evaluations(excluded: late, test: Self.test, restricted: Self.restricted), Self.grokked)
    #expect(phases == [Phase(.memorization, start: 0, end: 500)])
  }

  @Test func `a fall that begins where memorization ends leaves no time for circuit formation`() {
    let at400: [Double?] = [5, 4, 3, 2, 0.5, 1, 6, 8, 9]
    let phases = PhaseRule.phases(
      Self.evaluations(excluded: at400, test: Self.test, restricted: Self.restricted), Self.grokked)
    #expect(phases == [Phase(.memorization, start: 0, end: 400), Phase(.cleanup, start: 400, end: 700)])
  }

  @Test func `cleanup has no end while restricted loss is falling, or when it came back`() {
    for end in [1e-9, 20] {
      var restricted = Self.restricted
      restricted[8] = end
      let phases = PhaseRule.phases(
        Self.evaluations(excluded: Self.excluded, test: Self.test, restricted: restricted), Self.grokked)
      #expect(phases.last == Phase(.cleanup, start: 400, end: nil))
    }
  }

  @Test func `a late spike of test loss does not move cleanup, and losses of zero are no trouble`() {
    let spiked: [Double] = [5, 8, 9, 10, 9.5, 5, 0.1, 0.5, 0]
    let restricted: [Double?] = [5, 5, 5, 4, 1, 0.1, 0.001, 0.0001, 0]
    let phases = PhaseRule.phases(
      Self.evaluations(excluded: Self.excluded, test: spiked, restricted: restricted), Self.grokked)
    #expect(phases[2].start == 400)
  }

  @Test func `the steepest fall is sought after memorization only`() {
    // From 50 to 0.2 at the start, as a model that predicts the most frequent label.
    let test: [Double] = [50, 0.2, 9, 60, 59, 50, 10, 8, 7]
    let phases = PhaseRule.phases(
      Self.evaluations(excluded: Self.excluded, test: test, restricted: Self.restricted), Self.grokked)
    #expect(phases.map(\.start) == [0, 200, 500])
  }
}
