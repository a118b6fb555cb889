// Published rows beside ours: reads the runs of a target's sweeps and judges each row. Trains nothing.

import Grokking
import Results
import Sweeps

/// A target's rows, judged by the runs that a store has.
package struct Reproduction: Sendable {
  /// One published row and what our runs say of it.
  package struct Row: Sendable, Hashable {
    package let published: PublishedRow
    /// Points of the sweeps that the row is about.
    package let points: Int
    /// What the finished ones say.
    package let ours: Observations
    package let verdict: Verdict

    /// Whether this row makes the whole fail.
    package var fails: Bool { published.shouldHold && !verdict.holds }
  }

  package let target: ReproductionTarget
  /// Names of the sweeps in the store.
  package let sweeps: [String]
  package let rows: [Row]
  /// Rows about points that were not chosen.
  package let leftOut: Int
  package let finished: Int
  package let failed: Int
  package let points: Int
  package let sources: [Published.Source]

  /// Every row that should hold does, and every point has a result.
  package var holds: Bool { finished == points && !rows.contains(where: \.fails) }

  /// - Parameter sweeps: registered in `store`.
  package init(
    _ target: ReproductionTarget, _ sweeps: [SweepFile], in store: Store, published: Published = .all
  ) throws {
    self.target = target
    self.sweeps = sweeps.map(\.name)
    let progress = try sweeps.map { try store.sweepProgress(of: $0.name) }
    finished = progress.reduce(0) { $0 + $1.finished }
    failed = progress.reduce(0) { $0 + $1.failed }
    points = progress.reduce(0) { $0 + $1.total }

    let planned = sweeps.flatMap { $0.points.map(\.experiment) }
    let runs = try sweeps.flatMap { try store.runs(of: $0.name) }
    var crossings: [PointID: Int] = [:]
    for crossing in try sweeps.flatMap({ try store.firstCrossings(of: $0.name, .testLoss, 0.1) }) {
      crossings[crossing.point] = crossing.epoch
    }

    let all = published.rows(of: target)
    let asked = all.filter { row in planned.contains(where: row.conditions.holds) }
    rows = asked.map { row in
      let ours = Observations(
        runs.filter { row.conditions.holds(for: $0.experiment) }.map { run in
          run.observation(of: row.measure, testLossCrossing: crossings[run.point])
        })
      return Row(
        published: row, points: planned.count(where: row.conditions.holds), ours: ours,
        verdict: Verdict(row.claim, ours, seedFactor: row.seedFactor))
    }
    leftOut = all.count - asked.count
    sources = published.sources(of: asked)
  }
}

extension RunSummary {
  /// - Parameter testLossCrossing: first epoch with test loss ≤ 0.1; nil when that was never seen.
  fileprivate func observation(of measure: PublishedRow.Measure, testLossCrossing: Int?) -> Observation {
    switch measure {
    case .groks, .grokkingEpoch: epoch(grokkingEpoch)
    case .testLossUnder0_1: epoch(testLossCrossing)
    case .loss: value(final.map(lossOverAllPairs))
    case .restrictedRatio:
      value(final.flatMap { final in final.restrictedLoss.map { $0 / lossOverAllPairs(final) } })
    case .sumSquaredWeights: value(final?.sumSquaredWeights)
    case .keyFrequencyCount: count(keyFrequencyCount)
    }
  }

  /// A run that diverged tells nothing of what it would have crossed later.
  private func epoch(_ crossed: Int?) -> Observation {
    if let crossed { return .value(Double(crossed)) }
    return outcome == "diverged" ? .absent : .notBy(Double(epochs))
  }

  private func value(_ value: Double?) -> Observation {
    guard let value, value.isFinite, outcome != "diverged" else { return .absent }
    return .value(value)
  }

  /// None at all is no number to hold against others on a scale of ratios.
  private func count(_ number: Int?) -> Observation { value(number.flatMap { $0 > 0 ? Double($0) : nil }) }

  /// The mean over train and test pairs together, over all output classes.
  private func lossOverAllPairs(_ final: Evaluation) -> Double {
    let (train, all) = (Double(experiment.trainPairCount), Double(experiment.task.modulus * experiment.task.modulus))
    return (train * final.trainLoss + (all - train) * final.testLoss) / all
  }
}
