// A connected worker and what it does, as it travels to people and as `--json` prints it.

import Grokking
import Sweeps

package struct WorkerStatus: Hashable, Sendable, Codable {
  /// The coordinator's number for it.
  package var worker: Int64
  package var host: String
  package var processID: Int32
  /// The name of its key; "" where no keys are used.
  package var key: String
  /// nil: its coordinator is of a version that did not say.
  package var kernelPath: String?
  /// What it has; nil while it waits.
  package var point: PointID?
  /// Whether the point was finished before, and is run again to compare.
  package var isVerification: Bool
  /// Of the point, as last reported; nil before the first report.
  package var epoch: Int?
  package var epochs: Int?
  package var epochsPerSecond: Double?
  package var trainLoss: Double?
  package var testLoss: Double?
  /// Since the point was granted.
  package var heldSeconds: Double?
  /// Since anything was heard of it.
  package var silentSeconds: Double
  /// Leaves after its point, since somebody wants it to.
  package var isDraining: Bool
  /// Until its process has to be gone; nil: it may stay.
  package var secondsLeft: Double?

  package init(
    worker: Int64, host: String, processID: Int32, key: String = "", kernelPath: String? = nil, point: PointID? = nil,
    isVerification: Bool = false, epoch: Int? = nil, epochs: Int? = nil, epochsPerSecond: Double? = nil,
    trainLoss: Double? = nil, testLoss: Double? = nil, heldSeconds: Double? = nil, silentSeconds: Double,
    isDraining: Bool = false, secondsLeft: Double? = nil
  ) {
    self.worker = worker
    self.host = host
    self.processID = processID
    self.key = key
    self.kernelPath = kernelPath
    self.point = point
    self.isVerification = isVerification
    self.epoch = epoch
    self.epochs = epochs
    self.epochsPerSecond = epochsPerSecond
    self.trainLoss = trainLoss
    self.testLoss = testLoss
    self.heldSeconds = heldSeconds
    self.silentSeconds = silentSeconds
    self.isDraining = isDraining
    self.secondsLeft = secondsLeft
  }

  /// - Parameter running: what it trains.
  package init(_ worker: WorkerStanding, running: RunningPoint?) {
    self.worker = worker.number
    host = worker.host
    processID = worker.processID
    key = worker.key
    kernelPath = worker.kernelPath
    point = worker.point
    isVerification = running?.isVerification ?? false
    epoch = running?.progress?.epoch
    epochs = running?.progress?.epochs
    epochsPerSecond = running?.progress == nil ? nil : running?.epochsPerSecond
    trainLoss = running?.progress?.trainLoss
    testLoss = running?.progress?.testLoss
    heldSeconds = running?.heldSeconds
    silentSeconds = worker.silentSeconds
    isDraining = worker.isDraining
    secondsLeft = worker.secondsLeft
  }

  private enum CodingKeys: String, CodingKey {
    case worker, host, key, point, epoch, epochs
    case processID = "process_id"
    case kernelPath = "kernel_path"
    case isVerification = "is_verification"
    case epochsPerSecond = "epochs_per_second"
    case trainLoss = "train_loss"
    case testLoss = "test_loss"
    case heldSeconds = "held_seconds"
    case silentSeconds = "silent_seconds"
    case isDraining = "is_draining"
    case secondsLeft = "seconds_left"
  }
}

extension SchedulerOverview {
  /// By number.
  package var workerStatuses: [WorkerStatus] {
    let ofWorkers = Dictionary(running.map { ($0.worker, $0) }, uniquingKeysWith: { $1 })
    return workerList.map { WorkerStatus($0, running: ofWorkers[$0.number]) }
  }
}
