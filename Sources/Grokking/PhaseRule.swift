// The three phases of a run's curve (Nanda et al. 2023, section 5.2, where they are drawn by eye). The rule is ours:
// docs/reference/measures.md, section "Phases". All epochs are those of evaluations.

import Kernels

/// A pure function of the evaluations and the outcome.
package enum PhaseRule {
  /// Test loss counts as not having fallen yet while its logarithm is within this share of that of its running maximum.
  static let plateau = 0.1
  /// Cleanup is over when this share of restricted loss's fall, in log, is done.
  static let fallen = 0.9
  /// Losses below are taken as this, so that logarithms exist: nats that mean nothing any more.
  static let smallestLoss = 1e-12

  /// A border is an evaluation with another on either side.
  static let fewestEvaluations = 3

  /// Those that happened, in order; none for a run that never memorized, where there are no waves, and where evaluations
  /// lie too far apart to tell. Evaluations whose excluded or restricted loss could not be measured are passed over.
  package static func phases(_ evaluations: [Evaluation], _ outcome: Outcome) -> [Phase] {
    let evaluations = evaluations.filter { $0.excludedLoss != nil && $0.restrictedLoss != nil }
    let excluded = evaluations.compactMap(\.excludedLoss)
    let restricted = evaluations.compactMap(\.restrictedLoss)
    guard let memorization = outcome.memorizationEpoch, evaluations.count >= fewestEvaluations else { return [] }
    let epochs = evaluations.map(\.epoch)
    let last = evaluations.count - 1
    let learned = lowest(excluded)
    guard learned < last else { return [Phase(.memorization, start: epochs[0], end: nil)] }
    // The train set was learned later than excluded loss was lowest, so no evaluation saw where memorization ended.
    if learned == 0 && memorization > epochs[0] { return [] }
    // A train set that is known at evaluation 0 leaves no time for memorization.
    var phases = learned > 0 ? [Phase(.memorization, start: epochs[0], end: epochs[learned])] : []
    guard outcome.grokkingEpoch != nil else {
      return phases + [Phase(.circuitFormation, start: epochs[learned], end: nil)]
    }
    // A fall that began while excluded loss was still falling leaves no border between the circuit's two phases.
    let fall = startOfFall(evaluations.map(\.testLoss), epochs, from: learned)
    guard fall >= learned else { return phases }
    if fall > learned { phases.append(Phase(.circuitFormation, start: epochs[learned], end: epochs[fall])) }
    let end = endOfFall(restricted, from: fall)
    return phases + [Phase(.cleanup, start: epochs[fall], end: end.map { epochs[$0] })]
  }

  /// The first place of the lowest number.
  private static func lowest(_ losses: [Double]) -> Int {
    losses.indices.reduce(0) { losses[$1] < losses[$0] ? $1 : $0 }
  }

  /// The last evaluation at which test loss was still on its plateau, at or before the steepest fall per epoch of its
  /// logarithm from evaluation `from` on.
  private static func startOfFall(_ losses: [Double], _ epochs: [Int], from: Int) -> Int {
    var (steepest, slope) = (from, Double.infinity)
    for place in from..<losses.count - 1 {
      let change = (logarithm(losses[place + 1]) - logarithm(losses[place])) / Double(epochs[place + 1] - epochs[place])
      if change < slope { (steepest, slope) = (place, change) }
    }
    var (start, highest) = (0, 0.0)
    for place in 0...steepest {
      highest = max(highest, losses[place])
      let top = logarithm(highest)
      if logarithm(losses[place]) >= top - plateau * abs(top) { start = place }
    }
    return start
  }

  /// The first evaluation from `from` on at which restricted loss has done most of its fall to its last value; nil
  /// when that is the last evaluation itself, or when it has not fallen.
  private static func endOfFall(_ losses: [Double], from: Int) -> Int? {
    let (start, final) = (logarithm(losses[from]), logarithm(losses[losses.count - 1]))
    guard final < start else { return nil }
    let goal = start - fallen * (start - final)
    return losses[from..<losses.count - 1].firstIndex { logarithm($0) <= goal }
  }

  private static func logarithm(_ loss: Double) -> Double { DeterministicMath.log(max(loss, smallestLoss)) }
}
