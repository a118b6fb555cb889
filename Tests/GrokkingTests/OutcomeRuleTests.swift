import Grokking
import Testing

@Suite struct OutcomeRuleTests {
  /// Test accuracies every 100 epochs, and the outcome.
  private static let table: [(memorization: Int?, accuracies: [Double], divergence: Int?, outcome: Outcome)] = [
    (150, [0, 0.1, 0.2, 0.99, 1], nil, .grokked(memorization: 150, grokking: 300)),
    (150, [0, 0.1, 0.2, 0.98, 0.98], nil, .memorized(memorization: 150, censoredAfter: 400)),
    (nil, [0, 0.1, 0.2, 0.3, 0.3], nil, .unfit(censoredAfter: 400)),
    (200, [0, 0.1, 0.2, 0.99, 1], nil, .immediate(memorization: 200, grokking: 300)),
    (199, [0, 0.1, 0.2, 0.99, 1], nil, .grokked(memorization: 199, grokking: 300)),
    (350, [0, 0.1, 0.2, 0.99, 1], nil, .immediate(memorization: 350, grokking: 300)),
    (nil, [0, 0.1, 0.2, 0.99, 1], nil, .immediate(memorization: nil, grokking: 300)),
    (50, [0, 0.1, 0.2, 0.99, 0.98], nil, .collapsed(memorization: 50, grokking: 300)),
    (50, [0, 1, 0.2, 0.1, 1], nil, .immediate(memorization: 50, grokking: 100)),
    (50, [0, 0.1, 1], 250, .diverged(at: 250, memorization: 50, grokking: 200)),
    (nil, [], 0, .diverged(at: 0, memorization: nil, grokking: nil)),
  ]

  @Test func `every curve has its outcome`() {
    for row in Self.table {
      let outcome = OutcomeRule.outcome(
        memorization: row.memorization, evaluations: Self.evaluations(row.accuracies), lastEpoch: 400,
        evaluateEvery: 100, divergence: row.divergence)
      #expect(outcome == row.outcome)
    }
  }

  @Test func `grokking is sustained when it holds for five more evaluations`() throws {
    #expect(OutcomeRule.sustainedGrokking(Self.evaluations([0, 1, 1, 1, 1, 1])) == nil)
    let sustained = try #require(OutcomeRule.sustainedGrokking(Self.evaluations([0, 1, 1, 1, 1, 1, 1, 0])))
    #expect(sustained.crossing == 100 && sustained.shown == 600)
    let second = try #require(OutcomeRule.sustainedGrokking(Self.evaluations([1, 1, 0, 1, 1, 1, 1, 1, 1])))
    #expect(second.crossing == 300 && second.shown == 800)
    #expect(OutcomeRule.sustainedGrokking([]) == nil)
  }

  private static func evaluations(_ accuracies: [Double]) -> [(epoch: Int, testAccuracy: Double)] {
    accuracies.enumerated().map { ($0.offset * 100, $0.element) }
  }
}
