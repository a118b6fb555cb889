// Everything that the store knows of one point: what `groksweep explain` tells.

import GRDB
import Grokking
import Sweeps

package struct PointStory: Sendable, Codable, Hashable {
  /// A sweep that the point belongs to.
  package struct Membership: Sendable, Codable, Hashable {
    package let sweep: String
    package let state: SweepState
    package let priority: Int
    /// Of the point in the sweep, from 0.
    package let position: Int
    package let setting: String
  }

  /// A lease that was granted for the point, as in the view `attempts`.
  package struct Attempt: Sendable, Codable, Hashable {
    package let lease: LeaseID
    package let worker: Int64
    package let host: String
    /// `open` while it is not over.
    package let kind: String
    package let reason: String?
    package let isCharged: Bool
    /// Why it counts no longer; nil when it still does, or never did.
    package let refunded: String?
    package let epoch: Int?
    /// ISO-8601, UTC.
    package let started: String
    package let ended: String?

    enum CodingKeys: String, CodingKey {
      case lease, worker, host
      case kind = "class"
      case reason
      case isCharged = "charged"
      case refunded, epoch, started, ended
    }
  }

  /// What became of the point.
  package struct Result: Sendable, Codable, Hashable {
    /// `Outcome.name`.
    package let outcome: String
    package let grokkingEpoch: Int?
    package let epochs: Int
    package let seconds: Double
    package let worker: Int64
    package let host: String
    package let digest: String
    /// ISO-8601, UTC.
    package let stored: String

    enum CodingKeys: String, CodingKey {
      case outcome
      case grokkingEpoch = "grokking_epoch"
      case epochs, seconds, worker, host, digest, stored
    }
  }

  /// A second run of the point that was asked for, as in the view `verifications`.
  package struct Verification: Sendable, Codable, Hashable {
    /// `requested`, `equal`, `different` or `failed`.
    package let state: String
    package let requested: String
    package let requestedBy: String?
    package let done: String?
    package let reason: String?
    package let host: String?

    enum CodingKeys: String, CodingKey {
      case state, requested
      case requestedBy = "requested_by"
      case done, reason, host
    }
  }

  package let id: PointID
  package let experiment: Experiment
  package let state: PointState
  /// Why it was set aside.
  package let failure: String?
  /// In order of registration.
  package let sweeps: [Membership]
  /// In order of their leases.
  package let attempts: [Attempt]
  package let result: Result?
  package let verifications: [Verification]
  /// Second results with other bits.
  package let violations: Int

  enum CodingKeys: String, CodingKey {
    case id = "point"
    case experiment, state, failure, sweeps, attempts, result, verifications, violations
  }
}

extension KnownPoint.State: Codable {}

extension Store {
  /// Throws `StoreError.Kind.unknown` for a point that is not here.
  package func story(of point: PointID) throws -> PointStory {
    try read { database in
      let number = try number(of: point, in: database)
      func rows(_ sql: String) throws -> [Row] { try Row.fetchAll(database, sql: sql, arguments: [number]) }
      let row = try rows(
        "SELECT state, failure, \(ExperimentColumns.list(of: "point")) FROM point WHERE number = ?")[0]
      return PointStory(
        id: point, experiment: try ExperimentColumns.experiment(row, from: 2, path: path),
        state: PointState(rawValue: row[0])!, failure: row[1],
        sweeps: try rows(
          """
          SELECT sweep.name, sweep.state, sweep.priority, sweep_point.position, setting.label
          FROM sweep_point
          JOIN sweep ON sweep.number = sweep_point.sweep
          JOIN setting ON setting.sweep = sweep_point.sweep AND setting.position = sweep_point.setting
          WHERE sweep_point.point = ? ORDER BY sweep.number
          """
        ).map {
          PointStory.Membership(
            sweep: $0[0], state: SweepState(rawValue: $0[1])!, priority: $0[2], position: $0[3], setting: $0[4])
        },
        attempts: try rows(
          """
          SELECT lease, worker, host, coalesce(class, 'open'), reason, charged, refunded, epoch, started, ended
          FROM attempt JOIN worker ON worker.number = attempt.worker WHERE point = ? ORDER BY lease
          """
        ).map {
          PointStory.Attempt(
            lease: LeaseID($0[0]), worker: $0[1], host: $0[2], kind: $0[3], reason: $0[4], isCharged: $0[5],
            refunded: $0[6], epoch: $0[7], started: $0[8], ended: $0[9])
        },
        result: try rows(
          """
          SELECT outcome, grokking_epoch, epochs, seconds, worker, host, digest, stored
          FROM run JOIN worker ON worker.number = run.worker WHERE point = ?
          """
        ).first.map {
          PointStory.Result(
            outcome: $0[0], grokkingEpoch: $0[1], epochs: $0[2], seconds: $0[3], worker: $0[4], host: $0[5],
            digest: $0[6], stored: $0[7])
        },
        verifications: try Row.fetchAll(
          database,
          sql: "SELECT state, requested, requested_by, done, reason, host FROM verifications WHERE point = ?",
          arguments: [point.hex]
        ).map {
          PointStory.Verification(
            state: $0[0], requested: $0[1], requestedBy: $0[2], done: $0[3], reason: $0[4], host: $0[5])
        },
        violations: try Int.fetchOne(
          database, sql: "SELECT count(*) FROM violation WHERE point = ?", arguments: [number]) ?? 0)
    }
  }
}
