// What the coordinator's scheduler is told and what it asks for, as values.
//
// A shell turns sockets, clocks and the store into events, and carries out the directives in their order. Nothing
// here waits, sends or stores.

import Grokking

/// How the net names a peer: the routing id that ROUTER puts before its frames. New with every connection.
package struct PeerID: Hashable, Sendable {
  package let bytes: [UInt8]
  package init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// How much a line of the machines matters to people.
package enum LogLevel: String, Hashable, Sendable, CaseIterable {
  case debug
  case info
  case warning
  case error
}

package struct SchedulerConfiguration: Hashable, Sendable {
  /// A lease ends when its work has not grown for this long.
  package var leaseSeconds: Double
  /// Workers report at least this often.
  package var progressSeconds: Double
  /// After a restart, points with open attempts wait this long for their holders. 0 where no holder can come back,
  /// as in a local sweep whose workers died with their coordinator.
  package var graceSeconds: Double
  /// Attempts that may be charged to a point; with the last one it is quarantined.
  package var chargedAttemptsLimit: Int
  /// How long workers that were told to leave may take to hand back.
  package var leaveSeconds: Double
  /// After a store failed, nothing is granted until a store succeeds or this long has passed.
  package var storeRetrySeconds: Double
  /// Whether everyone is sent home, and `.finished` said, once every point is terminal.
  package var exitWhenDone: Bool

  /// - Parameter graceSeconds: nil means `leaseSeconds`.
  package init(
    leaseSeconds: Double = 60, progressSeconds: Double = 1, graceSeconds: Double? = nil, chargedAttemptsLimit: Int = 3,
    leaveSeconds: Double = 10, storeRetrySeconds: Double = 30, exitWhenDone: Bool = true
  ) {
    self.leaseSeconds = leaseSeconds
    self.progressSeconds = progressSeconds
    self.graceSeconds = graceSeconds ?? leaseSeconds
    self.chargedAttemptsLimit = chargedAttemptsLimit
    self.leaveSeconds = leaveSeconds
    self.storeRetrySeconds = storeRetrySeconds
    self.exitWhenDone = exitWhenDone
  }
}

/// An attempt that the store has a beginning but no end of.
package struct OpenAttempt: Hashable, Sendable {
  package var lease: LeaseID
  /// Of the worker process that held it.
  package var boot: String

  package init(lease: LeaseID, boot: String) {
    self.lease = lease
    self.boot = boot
  }
}

/// A point as the store knows it when the coordinator starts, or when points are added.
package struct KnownPoint: Hashable, Sendable {
  package enum State: String, Hashable, Sendable { case pending, finished, failed }
  package var id: PointID
  package var experiment: Experiment
  package var state: State
  /// Ended attempts that count against the point.
  package var chargedAttempts: Int
  package var openAttempts: [OpenAttempt]

  package init(
    id: PointID, experiment: Experiment, state: State = .pending, chargedAttempts: Int = 0,
    openAttempts: [OpenAttempt] = []
  ) {
    self.id = id
    self.experiment = experiment
    self.state = state
    self.chargedAttempts = chargedAttempts
    self.openAttempts = openAttempts
  }
}

/// Everything that the store remembers across restarts of the coordinator.
package struct SchedulerStart: Sendable {
  /// In the order in which they are handed out.
  package var points: [KnownPoint]
  /// Boot → number of every worker process ever recorded, so that a returning one keeps its number.
  package var workers: [String: Int64]
  /// Above every worker's number in the store.
  package var nextWorker: Int64
  /// Above every lease in the store: a lease is never used twice.
  package var nextLease: LeaseID

  package init(
    points: [KnownPoint], workers: [String: Int64] = [:], nextWorker: Int64 = 1, nextLease: LeaseID = LeaseID(1)
  ) {
    self.points = points
    self.workers = workers
    self.nextWorker = nextWorker
    self.nextLease = nextLease
  }
}

package enum SchedulerEvent: Sendable {
  case message(from: PeerID, WorkerMessage)
  /// Frames arrived that are no message.
  case undecodable(from: PeerID, WireError)
  /// Time passed: at `nextDeadline` or earlier, as often as the shell likes.
  case tick
  /// The result of the last `.store` of this point is committed.
  case stored(PointID)
  /// It is not, and will not be by itself.
  case storeFailed(PointID, reason: String)
  /// The store is well but will never take this result (it breaks a constraint): the attempt failed.
  case resultRefused(PointID, reason: String)
  /// The `.grant` with this lease could not be recorded; it was not sent.
  case grantFailed(LeaseID, reason: String)
  /// A send came back: nobody has this routing id any more.
  case unreachable(PeerID)
  /// The supervisor of this machine saw a worker process end; `description` says how ("killed by signal 9").
  case processEnded(boot: String, description: String)
  /// Known ids are left as they are; new ones stand behind all others.
  case addPoints([KnownPoint])
  /// Grant nothing more; `.finished` when the running points are done.
  case drain(reason: String)
  /// Send everyone home now: workers checkpoint and hand back; `.finished` when they have, or after `leaveSeconds`.
  case shutdown(reason: String)
}

/// A worker process, for the store.
package struct WorkerRecord: Hashable, Sendable {
  package var number: Int64
  package var identity: WorkerIdentity

  package init(number: Int64, identity: WorkerIdentity) {
    self.number = number
    self.identity = identity
  }
}

/// The beginning of an attempt, for the store.
package struct AttemptRecord: Hashable, Sendable {
  package var lease: LeaseID
  package var point: PointID
  package var worker: Int64

  package init(lease: LeaseID, point: PointID, worker: Int64) {
    self.lease = lease
    self.point = point
    self.worker = worker
  }
}

/// The end of an attempt, for the store. An attempt ends once.
package enum AttemptEnd: Hashable, Sendable {
  case finished
  /// `charged`: counts against the point. A loss that says nothing about the point (the coordinator was restarted,
  /// the grant never arrived) is not charged.
  case failed(AttemptClass, reason: String, charged: Bool)
  /// Another attempt's result was stored first.
  case superseded(by: LeaseID?)

  /// `finished`, an `AttemptClass`, or `superseded`.
  package var name: String {
    switch self {
    case .finished: "finished"
    case .failed(let kind, _, _): kind.rawValue
    case .superseded: "superseded"
    }
  }

  /// In words; nil for `finished`.
  package var reason: String? {
    switch self {
    case .finished: nil
    case .failed(_, let reason, _): reason
    case .superseded(let lease?): "the result of \(lease) was stored first"
    case .superseded(nil): "the point already had a result"
    }
  }

  package var isCharged: Bool {
    if case .failed(_, _, true) = self { true } else { false }
  }
}

/// Why the scheduler is done.
package enum SchedulerEnding: Hashable, Sendable {
  /// Every point is finished or quarantined.
  case everyPointTerminal
  /// Drained: what was running is done, points are left.
  case drained
  /// Shut down. `stillHeld` points were not handed back in time; their attempts stay open in the store.
  case shutDown(stillHeld: Int)
}

package enum SchedulerDirective: Hashable, Sendable {
  case send(to: PeerID, CoordinatorMessage)
  /// Insert or update by number.
  case recordWorker(WorkerRecord)
  /// Record the attempt durably, then send `grant(lease, point, experiment)`. When recording fails, do not send, and
  /// answer with `.grantFailed`.
  case grant(AttemptRecord, to: PeerID, Experiment)
  /// Unknown or already ended leases: nothing to do.
  case endAttempt(LeaseID, AttemptEnd)
  /// Commit the result, then answer with `.stored` or `.storeFailed`. `worker` delivered it; the attempt's end follows
  /// after `.stored`.
  case store(point: PointID, lease: LeaseID, RunResult, seconds: Double, worker: Int64)
  /// A second result of a stored point: equal digests prove determinism, different ones are a violation to record.
  case compare(point: PointID, lease: LeaseID, RunResult, worker: Int64)
  /// The point is quarantined.
  case recordFailure(PointID, reason: String)
  case log(LogLevel, String)
  /// Once, last.
  case finished(SchedulerEnding)
}
