// What is read from a store, as values for reports, the command line and JSON.

import Grokking
import Sweeps

/// A sweep's points by state: pending + running + finished + failed = total.
package struct SweepProgress: Sendable, Codable, Hashable {
  package let sweep: String
  package let pending: Int
  /// Points with an open attempt. After a coordinator died, its attempts stay open until the next one starts.
  package let running: Int
  package let finished: Int
  package let failed: Int
  package let total: Int
  /// Mean seconds of a run × points left / points running; nil while none has finished or none runs.
  package let etaSeconds: Double?
  package let state: SweepState
  package let priority: Int
  /// It searches where the outcome changes and is not at its end: `total` and what is left may grow.
  package let isRefining: Bool

  package init(
    sweep: String, pending: Int, running: Int, finished: Int, failed: Int, total: Int, etaSeconds: Double?,
    state: SweepState, priority: Int, isRefining: Bool
  ) {
    self.sweep = sweep
    self.pending = pending
    self.running = running
    self.finished = finished
    self.failed = failed
    self.total = total
    self.etaSeconds = etaSeconds
    self.state = state
    self.priority = priority
    self.isRefining = isRefining
  }

  enum CodingKeys: String, CodingKey {
    case sweep, pending, running, finished, failed, total
    case etaSeconds = "eta_seconds"
    case state, priority
    case isRefining = "refining"
  }
}

/// When the runs of one setting grokked, seeds folded; see the view `grokking_times`.
package struct GrokkingTime: Sendable, Codable, Hashable {
  package let sweep: String
  /// The swept values without seeds; empty when only seeds are swept.
  package let setting: String
  package let points: Int
  /// Finished points: `grokked` + `censored`.
  package let runs: Int
  /// Runs with an observed grokking epoch, whatever became of them after.
  package let grokked: Int
  package let censored: Int
  package let immediate: Int
  package let collapsed: Int
  package let diverged: Int
  /// Kaplan and Meier's; nil when more than half of the runs, as far as is estimated, have not grokked.
  package let medianGrokkingEpoch: Int?
  /// Ends of its 95 % interval; nil where the runs do not bound it.
  package let medianLow: Int?
  package let medianHigh: Int?
  package let minGrokkingEpoch: Int?
  package let maxGrokkingEpoch: Int?
  package let medianMemorizationEpoch: Int?

  enum CodingKeys: String, CodingKey {
    case sweep, setting, points, runs, grokked, censored, immediate, collapsed, diverged
    case medianGrokkingEpoch = "median_grokking_epoch"
    case medianLow = "median_low"
    case medianHigh = "median_high"
    case minGrokkingEpoch = "min_grokking_epoch"
    case maxGrokkingEpoch = "max_grokking_epoch"
    case medianMemorizationEpoch = "median_memorization_epoch"
  }
}

/// A finished point of a sweep: a row of the view `runs`.
package struct RunSummary: Sendable, Codable, Hashable {
  package let sweep: String
  package let point: PointID
  package let setting: String
  package let experiment: Experiment
  /// `Outcome.name`.
  package let outcome: String
  package let memorizationEpoch: Int?
  package let grokkingEpoch: Int?
  package let censoredAfter: Int?
  /// The last evaluation, without spectra and without measures of single frequencies; nil for a run that diverged
  /// before its first.
  package let final: Evaluation?
  /// Nil for a run that diverged, which has no final model.
  package let keyFrequencyCount: Int?
  /// Epochs trained.
  package let epochs: Int
  package let seconds: Double
  package let worker: Int64
  package let digest: String
  package let kernelPath: String
  package let measureVersion: Int

  package var grokkingDelay: Int? {
    guard let memorizationEpoch, let grokkingEpoch else { return nil }
    return grokkingEpoch - memorizationEpoch
  }

  enum CodingKeys: String, CodingKey {
    case sweep, point, setting, experiment, outcome
    case memorizationEpoch = "memorization_epoch"
    case grokkingEpoch = "grokking_epoch"
    case censoredAfter = "censored_after"
    case final
    case keyFrequencyCount = "key_frequency_count"
    case epochs, seconds, worker, digest
    case kernelPath = "kernel_path"
    case measureVersion = "measure_version"
  }
}

/// A quarantined point and why.
package struct FailedPoint: Sendable, Codable, Hashable {
  package let id: PointID
  package let reason: String

  enum CodingKeys: String, CodingKey {
    case id = "point"
    case reason
  }
}

/// A second result of a finished point that had other bits.
package struct Violation: Sendable, Codable, Hashable {
  package let point: PointID
  package let storedDigest: String
  package let otherDigest: String
  /// Where the chained digests part; nil when only their number differs.
  package let firstDifferentEpoch: Int?
  /// Who delivered the other result.
  package let worker: Int64
  /// ISO-8601, UTC.
  package let recorded: String

  enum CodingKeys: String, CodingKey {
    case point
    case storedDigest = "stored_digest"
    case otherDigest = "other_digest"
    case firstDifferentEpoch = "first_different_epoch"
    case worker, recorded
  }
}

/// The whole store in numbers. Points that sweeps share count once.
package struct StoreSummary: Sendable, Codable, Hashable {
  package let schemaVersion: Int
  package let sweeps: Int
  package let points: Int
  package let pending: Int
  package let running: Int
  package let finished: Int
  package let failed: Int
  package let attempts: Int
  package let workers: Int
  package let violations: Int

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case sweeps, points, pending, running, finished, failed, attempts, workers, violations
  }
}
