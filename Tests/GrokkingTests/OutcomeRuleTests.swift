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
      let grokking = row.accuracies.firstIndex { $0 >= 0.99 }.map { 100 * $0 }
      let outcome = OutcomeRule.outcome(
        memorization: row.memorization, grokking: grokking, finalTestAccuracy: row.accuracies.last, lastEpoch: 400,
        evaluateEvery: 100, divergence: row.divergence)
      #expect(outcome == row.outcome)
    }
  }
}
