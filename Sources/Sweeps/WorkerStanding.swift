// A connected worker as the scheduler sees it at a moment: for people.

import Grokking

package struct WorkerStanding: Hashable, Sendable, Codable {
  /// The coordinator's number for it.
  package var worker: Int64
  package var host: String
  package var processID: Int32
  /// The name of its key; "" where no keys are used.
  package var key: String
  /// What it has; nil while it waits.
  package var point: PointID?
  /// Of the running point, as last reported; nil before the first report.
  package var epoch: Int?
  package var epochs: Int?
  package var epochsPerSecond: Double?
  package var trainLoss: Double?
  package var testLoss: Double?
  /// Since the point was granted.
  package var heldSeconds: Double?
  /// Since anything was heard of it.
  package var silentSeconds: Double

  package init(
    worker: Int64, host: String, processID: Int32, key: String = "", point: PointID? = nil, epoch: Int? = nil,
    epochs: Int? = nil, epochsPerSecond: Double? = nil, trainLoss: Double? = nil, testLoss: Double? = nil,
    heldSeconds: Double? = nil, silentSeconds: Double
  ) {
    self.worker = worker
    self.host = host
    self.processID = processID
    self.key = key
    self.point = point
    self.epoch = epoch
    self.epochs = epochs
    self.epochsPerSecond = epochsPerSecond
    self.trainLoss = trainLoss
    self.testLoss = testLoss
    self.heldSeconds = heldSeconds
    self.silentSeconds = silentSeconds
  }

  private enum CodingKeys: String, CodingKey {
    case worker, host, key, point, epoch, epochs
    case processID = "process_id"
    case epochsPerSecond = "epochs_per_second"
    case trainLoss = "train_loss"
    case testLoss = "test_loss"
    case heldSeconds = "held_seconds"
    case silentSeconds = "silent_seconds"
  }
}

extension Scheduler {
  /// Of all workers that said hello, by number. Takes time in proportion to them, not to the points.
  package func workerStandings(at time: MonotonicInstant) -> [WorkerStanding] {
    workerNumbers.elements.compactMap { number in
      guard let worker = workers[number] else { return nil }
      var standing = WorkerStanding(
        worker: number, host: worker.identity.host, processID: worker.identity.processID, key: worker.peer.key,
        silentSeconds: max(0, time.seconds(since: worker.lastHeard)))
      guard let lease = worker.lease, let attempt = attempts[lease] else { return standing }
      standing.point = points[attempt.position].id
      standing.heldSeconds = max(0, time.seconds(since: attempt.since))
      guard let progress = attempt.progress else { return standing }
      standing.epoch = progress.epoch
      standing.epochs = progress.epochs
      standing.epochsPerSecond = attempt.epochsPerSecond
      standing.trainLoss = progress.trainLoss
      standing.testLoss = progress.testLoss
      return standing
    }
  }
}
