// What is told to people who ask: how everything stands, and the story of a point. Values only, as they travel and as
// `--json` prints them.

import GRDB
import Grokking
import Sweeps

/// How a running coordinator stands.
package struct CoordinatorStatus: Sendable, Codable, Hashable {
  /// The store's path, as the coordinator was given it.
  package var store: String
  /// The process that coordinates.
  package var coordinator: LockHolder?
  /// In order of registration.
  package var sweeps: [SweepProgress]
  /// By number.
  package var workers: [WorkerStatus]
  /// Machines that nobody is taken from, after failure upon failure there.
  package var barredHosts: [Barred]
  /// Attempts that went wrong lately, the last first.
  package var failures: [RecentFailure]
  package var verifications: VerificationCounts
  package var violations: Int
  /// Points whose workers are waited for after a restart.
  package var awaited: Int
  /// For all sweeps together, by the workers that are there now; nil without any, or before their speed is known.
  package var etaSeconds: Double?
  /// The range in which it probably ends (`RemainingTime`).
  package var etaLowSeconds: Double?
  package var etaHighSeconds: Double?
  /// Whether the store's trouble keeps points from being handed out.
  package var isPaused: Bool
  /// What the coordinator speaks and computes; nil: it is of a version that did not say.
  package var protocolVersion: Int?
  package var engineSemantics: Int?

  package init(
    store: String, coordinator: LockHolder?, sweeps: [SweepProgress], workers: [WorkerStatus],
    barredHosts: [Barred], failures: [RecentFailure], verifications: VerificationCounts, violations: Int, awaited: Int,
    remaining: RemainingTime?, isPaused: Bool
  ) {
    self.store = store
    self.coordinator = coordinator
    self.sweeps = sweeps
    self.workers = workers
    self.barredHosts = barredHosts
    self.failures = failures
    self.verifications = verifications
    self.violations = violations
    self.awaited = awaited
    etaSeconds = remaining?.seconds
    etaLowSeconds = remaining?.low
    etaHighSeconds = remaining?.high
    self.isPaused = isPaused
    protocolVersion = WireProtocol.version
    engineSemantics = Engine.semanticsVersion
  }

  package var remaining: RemainingTime? {
    guard let etaSeconds else { return nil }
    return RemainingTime(
      seconds: etaSeconds, low: etaLowSeconds ?? etaSeconds, high: etaHighSeconds ?? etaSeconds)
  }

  enum CodingKeys: String, CodingKey {
    case store, coordinator, sweeps, workers, failures, verifications, violations, awaited
    case barredHosts = "barred_hosts"
    case etaSeconds = "eta_seconds"
    case etaLowSeconds = "eta_low_seconds"
    case etaHighSeconds = "eta_high_seconds"
    case isPaused = "is_paused"
    case protocolVersion = "protocol_version"
    case engineSemantics = "engine_semantics"
  }

  package struct Barred: Sendable, Codable, Hashable {
    package var host: String
    package var reason: String
    /// Until it is tried again.
    package var secondsLeft: Double

    package init(host: String, reason: String, secondsLeft: Double) {
      self.host = host
      self.reason = reason
      self.secondsLeft = secondsLeft
    }

    enum CodingKeys: String, CodingKey {
      case host, reason
      case secondsLeft = "seconds_left"
    }
  }
}

/// An attempt that ended without a result.
package struct RecentFailure: Sendable, Codable, Hashable {
  package let point: PointID
  package let worker: Int64
  package let host: String
  /// An `AttemptClass`, or `differed`.
  package let kind: String
  package let reason: String?
  /// ISO-8601, UTC.
  package let ended: String

  package init(point: PointID, worker: Int64, host: String, kind: String, reason: String?, ended: String) {
    self.point = point
    self.worker = worker
    self.host = host
    self.kind = kind
    self.reason = reason
    self.ended = ended
  }

  enum CodingKeys: String, CodingKey {
    case point, worker, host
    case kind = "class"
    case reason, ended
  }
}

/// Finished points that were to be run once more, by what came of it.
package struct VerificationCounts: Sendable, Codable, Hashable {
  package var requested: Int
  package var equal: Int
  package var different: Int
  package var failed: Int

  package init(requested: Int = 0, equal: Int = 0, different: Int = 0, failed: Int = 0) {
    self.requested = requested
    self.equal = equal
    self.different = different
    self.failed = failed
  }
}

/// Why a point stands where it stands, and its story so far.
package struct PointExplanation: Sendable, Codable, Hashable {
  package var story: PointStory
  /// Sentences about the present: why it is not running, or who runs it. Empty when its end says it all.
  package var now: [String]

  package init(story: PointStory, now: [String]) {
    self.story = story
    self.now = now
  }
}

extension Store {
  /// The last attempts that ended in a failure, the last first; points handed back in good order are none.
  package func recentFailures(_ count: Int) throws -> [RecentFailure] {
    try read { database in
      // Backwards over the leases, which grow with time: only as many attempts are looked at as it takes.
      try Row.fetchAll(
        database,
        sql: """
          SELECT point.id, attempt.worker, worker.host, attempt.class, attempt.reason, attempt.ended
          FROM (
            SELECT lease, point, worker, class, reason, ended FROM attempt
            WHERE lease > (SELECT max(lease) FROM attempt) - 10000
              AND class NOT IN ('finished', 'preempted', 'superseded', 'verified')
            ORDER BY lease DESC LIMIT ?
          ) AS attempt
          CROSS JOIN point ON point.number = attempt.point
          CROSS JOIN worker ON worker.number = attempt.worker
          ORDER BY attempt.lease DESC
          """,
        arguments: [count]
      ).map {
        RecentFailure(
          point: try PointID(stored: $0[0], path: path), worker: $0[1], host: $0[2], kind: $0[3], reason: $0[4],
          ended: $0[5])
      }
    }
  }

  package func verificationCounts() throws -> VerificationCounts {
    try read { database in
      let row = try Row.fetchOne(
        database,
        sql: """
          SELECT count(*) FILTER (WHERE done IS NULL), count(*) FILTER (WHERE equal = 1),
            count(*) FILTER (WHERE equal = 0), count(*) FILTER (WHERE done IS NOT NULL AND equal IS NULL)
          FROM verification
          """)!
      return VerificationCounts(requested: row[0], equal: row[1], different: row[2], failed: row[3])
    }
  }
}

extension StoreError {
  /// Somebody wants a point tried again that has not failed.
  package static func notFailed(_ point: PointID, path: String) -> StoreError {
    StoreError(
      .unknown, path, "point \(point.short) has not failed; `groksweep explain \(point.short)` tells how it stands")
  }
}
