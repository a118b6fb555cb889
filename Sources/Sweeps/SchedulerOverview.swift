// How the sweep stands at a moment, for a live display and for `status`.

import Grokking

/// A point that a worker trains now.
package struct RunningPoint: Hashable, Sendable {
  package var point: PointID
  package var lease: LeaseID
  package var worker: Int64
  package var host: String
  /// As last reported; nil before the first report.
  package var progress: RunProgress?
  package var epochsPerSecond: Double
  /// Since the grant.
  package var heldSeconds: Double
}

package struct SchedulerOverview: Hashable, Sendable {
  package var total: Int
  package var finished: Int
  /// Quarantined.
  package var failed: Int
  /// Not handed out.
  package var pending: Int
  /// Handed out before this coordinator started, their workers not back yet.
  package var awaited: Int
  /// In order of their leases.
  package var running: [RunningPoint]
  package var workers: Int
  package var waitingWorkers: Int
  /// Epochs of all points that are not terminal, as many of them as the results so far needed, less what running points
  /// have trained.
  package var remainingEpochs: Int
  /// Of all running points together.
  package var epochsPerSecond: Double
  /// Whether the store's trouble keeps points from being handed out.
  package var isPaused: Bool

  /// At the present rate; nil without one. Unequal model sizes make it wrong, and before the first result so does
  /// early stopping.
  package var remainingSeconds: Double? {
    if remainingEpochs == 0 { return 0 }
    return epochsPerSecond > 0 ? Double(remainingEpochs) / epochsPerSecond : nil
  }
}

extension Scheduler {
  /// Takes time in proportion to the workers, not to the points.
  package func overview(at time: MonotonicInstant) -> SchedulerOverview {
    var running: [RunningPoint] = []
    var awaited = 0
    var epochsOfRunning = 0
    for lease in leases.elements {
      guard let attempt = attempts[lease] else { continue }
      if attempt.phase == .awaited { awaited += 1 }
      guard attempt.phase == .running, let number = attempt.worker, let worker = workers[number] else { continue }
      let epochs = points[attempt.position].experiment.training.epochs
      epochsOfRunning += min(max(attempt.progress?.epoch ?? 0, 0), epochs)
      running.append(
        RunningPoint(
          point: points[attempt.position].id, lease: lease, worker: number, host: worker.identity.host,
          progress: attempt.progress, epochsPerSecond: attempt.epochsPerSecond,
          heldSeconds: time.seconds(since: attempt.since)))
    }
    let share = allowedEpochs > 0 ? Double(trainedEpochs) / Double(allowedEpochs) : 1
    return SchedulerOverview(
      total: points.count, finished: points.finishedCount, failed: points.failedCount, pending: points.pendingCount,
      awaited: awaited, running: running, workers: workerNumbers.count,
      waitingWorkers: workerNumbers.elements.count { workers[$0]?.isWaiting == true },
      remainingEpochs: max(0, Int(share * Double(points.openEpochs)) - epochsOfRunning),
      epochsPerSecond: running.reduce(0) { $0 + $1.epochsPerSecond },
      isPaused: grantingPausedUntil.map { time < $0 } ?? false)
  }
}
