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
  /// Finished before, and run again to compare.
  package var isVerification: Bool
}

/// A worker that said hello and is not known to be gone.
package struct WorkerStanding: Hashable, Sendable {
  package var number: Int64
  package var host: String
  package var processID: Int32
  /// The name of its key; "" where none are used.
  package var key: String
  package var kernelPath: String
  package var lease: LeaseID?
  package var point: PointID?
  /// Leaves after its point, since an operator wants it to.
  package var isDraining: Bool
  /// Until its process has to be gone; nil: it may stay.
  package var secondsLeft: Double?
  /// Since it was last heard.
  package var silentSeconds: Double

  package init(
    number: Int64, host: String, processID: Int32, key: String, kernelPath: String, lease: LeaseID? = nil,
    point: PointID? = nil, isDraining: Bool, secondsLeft: Double? = nil, silentSeconds: Double
  ) {
    self.number = number
    self.host = host
    self.processID = processID
    self.key = key
    self.kernelPath = kernelPath
    self.lease = lease
    self.point = point
    self.isDraining = isDraining
    self.secondsLeft = secondsLeft
    self.silentSeconds = silentSeconds
  }
}

/// A machine that nobody is taken from.
package struct BarredHost: Hashable, Sendable {
  package var host: String
  package var reason: String
  /// Until it is tried again.
  package var secondsLeft: Double
}

/// A sweep and its points; those of several sweeps count in each.
package struct SweepStanding: Hashable, Sendable {
  package var name: String
  package var state: SweepState
  package var priority: Int
  package var total: Int
  package var finished: Int
  package var failed: Int
  /// Not handed out, whatever the state of the sweep.
  package var pending: Int

  package init(name: String, state: SweepState, priority: Int, total: Int, finished: Int, failed: Int, pending: Int) {
    self.name = name
    self.state = state
    self.priority = priority
    self.total = total
    self.finished = finished
    self.failed = failed
    self.pending = pending
  }
}

package struct SchedulerOverview: Hashable, Sendable {
  package var total: Int
  package var finished: Int
  /// Quarantined.
  package var failed: Int
  /// Not handed out, of active sweeps.
  package var pending: Int
  /// Not handed out, since their sweeps are paused.
  package var paused: Int
  /// Not handed out, and never, since all their sweeps are cancelled.
  package var cancelled: Int
  /// Handed out before this coordinator started, their workers not back yet.
  package var awaited: Int
  /// Finished points that are to be run again, and those that are now.
  package var verifications: Int
  /// In order of their leases.
  package var running: [RunningPoint]
  package var workers: Int
  package var waitingWorkers: Int
  /// In order of their numbers.
  package var workerList: [WorkerStanding]
  /// In the order in which they appeared.
  package var barredHosts: [BarredHost]
  /// In order of registration.
  package var sweeps: [SweepStanding]
  /// Checkpoints beside the store.
  package var keptCheckpoints: Int
  package var keptCheckpointBytes: Int
  /// nil while there are no workers, or nothing is known of their speed.
  package var remaining: RemainingTime?
  /// Of all running points together.
  package var epochsPerSecond: Double
  /// Whether the store's trouble keeps points from being handed out.
  package var isPaused: Bool

  package init(
    total: Int, finished: Int, failed: Int, pending: Int, paused: Int, cancelled: Int, awaited: Int, verifications: Int,
    running: [RunningPoint], workers: Int, waitingWorkers: Int, workerList: [WorkerStanding], barredHosts: [BarredHost],
    sweeps: [SweepStanding], keptCheckpoints: Int, keptCheckpointBytes: Int, remaining: RemainingTime? = nil,
    epochsPerSecond: Double, isPaused: Bool
  ) {
    self.total = total
    self.finished = finished
    self.failed = failed
    self.pending = pending
    self.paused = paused
    self.cancelled = cancelled
    self.awaited = awaited
    self.verifications = verifications
    self.running = running
    self.workers = workers
    self.waitingWorkers = waitingWorkers
    self.workerList = workerList
    self.barredHosts = barredHosts
    self.sweeps = sweeps
    self.keptCheckpoints = keptCheckpoints
    self.keptCheckpointBytes = keptCheckpointBytes
    self.remaining = remaining
    self.epochsPerSecond = epochsPerSecond
    self.isPaused = isPaused
  }
}

extension Scheduler {
  /// Takes time in proportion to the workers and sweeps, not to the points.
  package func overview(at time: MonotonicInstant) -> SchedulerOverview {
    var running: [RunningPoint] = []
    var awaited = 0
    for lease in leases.elements {
      guard let attempt = attempts[lease] else { continue }
      if attempt.phase == .awaited { awaited += 1 }
      guard attempt.phase == .running, let number = attempt.worker, let worker = workers[number] else { continue }
      running.append(
        RunningPoint(
          point: points[attempt.position].id, lease: lease, worker: number, host: worker.identity.host,
          progress: attempt.progress, epochsPerSecond: attempt.epochsPerSecond,
          heldSeconds: time.seconds(since: attempt.since), isVerification: attempt.isVerification))
    }
    let all = points.total
    let active = points.tally(.active)
    return SchedulerOverview(
      total: points.count - points.withdrawn.all, finished: all.finished, failed: all.failed, pending: active.pending,
      paused: points.tally(.paused).pending, cancelled: points.tally(.cancelled).pending - points.withdrawn.pending,
      awaited: awaited,
      verifications: verifications.count, running: running, workers: workerNumbers.count,
      waitingWorkers: workerNumbers.elements.count { workers[$0]?.isWaiting == true },
      workerList: workerNumbers.elements.compactMap { workers[$0].map { standing(of: $0, at: time) } },
      barredHosts: barredHosts(at: time),
      sweeps: sweepStandings, keptCheckpoints: shelf.kept.count, keptCheckpointBytes: shelf.keptBytes,
      remaining: remainingTime(),
      epochsPerSecond: running.reduce(0) { $0 + $1.epochsPerSecond },
      isPaused: grantingPausedUntil.map { time < $0 } ?? false)
  }

  /// In the order in which they appeared.
  package func barredHosts(at time: MonotonicInstant) -> [BarredHost] {
    hosts.compactMap { host in
      guard let bar = host.bar, time < bar.until else { return nil }
      return BarredHost(host: host.name, reason: bar.reason, secondsLeft: bar.until.seconds(since: time))
    }
  }

  private func standing(of worker: ConnectedWorker, at time: MonotonicInstant) -> WorkerStanding {
    WorkerStanding(
      number: worker.number, host: worker.identity.host, processID: worker.identity.processID, key: worker.peer.key,
      kernelPath: worker.identity.kernelPath, lease: worker.lease,
      point: worker.lease.flatMap { attempts[$0] }.map { points[$0.position].id }, isDraining: worker.isDraining,
      secondsLeft: worker.departure.map { max(0, $0.seconds(since: time)) },
      silentSeconds: max(0, time.seconds(since: worker.lastHeard)))
  }

  private var sweepStandings: [SweepStanding] {
    points.sweeps.sweeps.indices.map { place in
      let sweep = points.sweeps.sweeps[place]
      let tally = points.tally(sweep: place)
      return SweepStanding(
        name: sweep.name, state: sweep.state, priority: sweep.priority, total: tally.all, finished: tally.finished,
        failed: tally.failed, pending: tally.pending)
    }
  }
}
