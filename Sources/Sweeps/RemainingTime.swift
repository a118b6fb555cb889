// How long the rest will take, with the range in which it probably ends.
//
// The estimated cost of a point, times what points took so far for each estimated second (the pace), gives the work that
// is left; the workers that are there, each as fast as its host was, share it. What makes the estimate wrong is how much
// single points differ from the pace (runs that stop after grokking above all) and how few of them it was learned from.

import Foundation
import Grokking

/// Seconds until nothing is left to do, with the limits of a range that holds 19 times in 20 where points vary as those
/// did that are finished.
package struct RemainingTime: Hashable, Sendable {
  package var seconds: Double
  package var low: Double
  package var high: Double

  package init(seconds: Double, low: Double, high: Double) {
    self.seconds = seconds
    self.low = low
    self.high = high
  }
}

/// What points took, for each second that was estimated for them: mean and spread over all results.
struct PaceStatistics: Hashable, Sendable {
  private(set) var count = 0
  private(set) var mean = 0.0
  private var squares = 0.0

  /// Before anything was measured, points are assumed to vary by half of their mean; weighs as one result.
  private static let assumedVariance = 0.25

  mutating func add(_ ratio: Double) {
    count += 1
    let difference = ratio - mean
    mean += difference / Double(count)
    squares += difference * (ratio - mean)
  }

  /// Of one point's ratio, over the square of the mean.
  var relativeVariance: Double {
    guard count > 0, mean > 0 else { return Self.assumedVariance }
    return (Self.assumedVariance + squares / (mean * mean)) / Double(count)
  }
}

extension Experiment {
  /// Of one core at the assumed speed, the evaluations spread over all epochs.
  package var estimatedCoreSecondsOfEpoch: Double {
    (estimatedMultiplyAdds + estimatedMultiplyAddsOfEvaluation / Double(measure.evaluateEvery))
      / CostModel.multiplyAddsPerSecond
  }
}

extension Scheduler {
  /// Of everything that is to be trained for active sweeps, by the workers that are there now; 0 when nothing is, nil
  /// while there are no workers, or nothing is known of their speed.
  func remainingTime() -> RemainingTime? {
    var (work, squares, longest) = (0.0, 0.0, 0.0)
    var reports: (sum: Double, count: Int) = (0, 0)
    for lease in leases.elements {
      guard let attempt = attempts[lease], !attempt.isVerification,
        attempt.phase == .running || attempt.phase == .awaited
      else { continue }
      let entry = points[attempt.position]
      let epochs = entry.experiment.training.epochs
      let done = Double(min(max(attempt.progress?.epoch ?? 0, 0), epochs)) / Double(epochs)
      let left = Double(entry.coreSeconds) * (1 - done)
      work += left
      squares += left * left
      longest = max(longest, left * (attempt.host.flatMap { hosts[$0].pace } ?? 1))
      if attempt.epochsPerSecond > 0 {
        reports.sum += 1 / (attempt.epochsPerSecond * entry.experiment.estimatedCoreSecondsOfEpoch)
        reports.count += 1
      }
    }
    work += Double(points.tally(.active).pendingMicroseconds) / 1e6
    squares += points.pendingSquaredSeconds
    guard work > 0 else { return RemainingTime(seconds: 0, low: 0, high: 0) }

    // Until a point is finished, the workers' own reports tell their speed, though not who will stop early.
    guard let usual = pace ?? (reports.count > 0 ? reports.sum / Double(reports.count) : nil) else { return nil }
    let speed = workerNumbers.elements.reduce(0.0) { sum, number in
      guard let worker = workers[number], !worker.isLeaving, worker.lease != nil || worker.isWaiting else { return sum }
      return sum + 1 / (hosts[worker.host].pace ?? usual)
    }
    guard speed > 0 else { return nil }
    if let next = points.nextPending() { longest = max(longest, Double(points[next.position].coreSeconds) * usual) }

    let seconds = max(work / speed, longest)
    let variance =
      ratios.relativeVariance * (min(1, squares / (work * work)) + 1 / Double(max(ratios.count, 1)))
    let factor = exp(1.96 * variance.squareRoot())
    return RemainingTime(seconds: seconds, low: seconds / factor, high: seconds * factor)
  }
}
