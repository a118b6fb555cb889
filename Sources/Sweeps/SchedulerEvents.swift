// What the coordinator's scheduler is told and what it asks for, as values.
//
// A shell turns sockets, clocks and the store into events, and carries out the directives in their order. Nothing
// here waits, sends or stores.

import Grokking

/// How the net names a peer: the routing id that ROUTER puts before its frames, new with every connection, and the name
/// of the key that it proved to have.
package struct PeerID: Hashable, Sendable {
  package let bytes: [UInt8]
  /// "" where no keys are used.
  package let key: String

  package init(_ bytes: [UInt8], key: String = "") {
    self.bytes = bytes
    self.key = key
  }
}

/// How much a line of the machines matters to people.
package enum LogLevel: String, Hashable, Sendable, CaseIterable {
  case debug
  case info
  case warning
  case error
}

package struct SchedulerConfiguration: Hashable, Sendable {
  /// A lease ends when nothing was heard of its worker for this long. It also ends when the worker talks and its work has
  /// not grown for this long or, if that is longer, for 50 times the slowest step of its point.
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
  /// Workers hand their checkpoints over at most this often; nil: never, as where all share one scratch folder.
  package var checkpointSeconds: Double?
  /// Whether the checkpoints with which censored runs end are kept, so that longer runs go on from there.
  package var keepsCensored: Bool
  /// Whether the final weights of runs are stored with their results.
  package var keepsWeights: Bool
  /// Of all checkpoints that come and go, together.
  package var checkpointBytesPerSecond: Double
  /// Room for kept checkpoints; beyond it, none is taken.
  package var checkpointSpaceBytes: Int
  /// Failures in a row on one host, each of another point, after which the host is barred.
  package var hostFailureLimit: Int
  /// How long, at first; after each trial that fails, twice as long, up to the longest.
  package var barSeconds: Double
  package var longestBarSeconds: Double
  /// Attempts of a point that may end in the silence of a whole host; such ends are not charged.
  package var silentLossLimit: Int
  /// What `SelfTest` has to give on every worker's machine; nil: nobody is asked.
  package var selfTestDigest: String?

  /// - Parameters:
  ///   - progressSeconds: nil means every second, and four times in every lease: reports as rare as leases are short
  ///     would end each of them.
  ///   - graceSeconds: nil means `leaseSeconds`.
  package init(
    leaseSeconds: Double = 60, progressSeconds: Double? = nil, graceSeconds: Double? = nil,
    chargedAttemptsLimit: Int = 3,
    leaveSeconds: Double = 10, storeRetrySeconds: Double = 30, exitWhenDone: Bool = true,
    checkpointSeconds: Double? = nil, keepsCensored: Bool = false, keepsWeights: Bool = false,
    checkpointBytesPerSecond: Double = 64e6,
    checkpointSpaceBytes: Int = 32 << 30, hostFailureLimit: Int = 5,
    barSeconds: Double = 600, longestBarSeconds: Double = 6 * 3600, silentLossLimit: Int = 10,
    selfTestDigest: String? = nil
  ) {
    self.leaseSeconds = leaseSeconds
    self.progressSeconds = progressSeconds ?? min(1, leaseSeconds / 4)
    self.graceSeconds = graceSeconds ?? leaseSeconds
    self.chargedAttemptsLimit = chargedAttemptsLimit
    self.leaveSeconds = leaveSeconds
    self.storeRetrySeconds = storeRetrySeconds
    self.exitWhenDone = exitWhenDone
    self.checkpointSeconds = checkpointSeconds
    self.keepsCensored = keepsCensored
    self.keepsWeights = keepsWeights
    self.checkpointBytesPerSecond = checkpointBytesPerSecond
    self.checkpointSpaceBytes = checkpointSpaceBytes
    self.hostFailureLimit = hostFailureLimit
    self.barSeconds = barSeconds
    self.longestBarSeconds = longestBarSeconds
    self.silentLossLimit = silentLossLimit
    self.selfTestDigest = selfTestDigest
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

/// A sweep as the scheduler sees it: whether its points are handed out, and before which others.
package struct KnownSweep: Hashable, Sendable {
  package var name: String
  package var state: SweepState
  /// Points of higher ones go first.
  package var priority: Int

  package init(name: String, state: SweepState = .active, priority: Int = 0) {
    self.name = name
    self.state = state
    self.priority = priority
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
  /// The first sweep that has it, by its place among `SchedulerStart.sweeps`.
  package var sweep: Int
  /// Further sweeps that have it.
  package var otherSweeps: [Int]

  package init(
    id: PointID, experiment: Experiment, state: State = .pending, chargedAttempts: Int = 0,
    openAttempts: [OpenAttempt] = [], sweep: Int = 0, otherSweeps: [Int] = []
  ) {
    self.id = id
    self.experiment = experiment
    self.state = state
    self.chargedAttempts = chargedAttempts
    self.openAttempts = openAttempts
    self.sweep = sweep
    self.otherSweeps = otherSweeps
  }
}

/// Everything that the store remembers across restarts of the coordinator.
package struct SchedulerStart: Sendable {
  /// In the order in which they are handed out.
  package var points: [KnownPoint]
  /// Boot → number of the worker processes that are `present` or hold an open attempt.
  package var workers: [String: Int64]
  /// Above every worker's number in the store.
  package var nextWorker: Int64
  /// Above every lease in the store: a lease is never used twice.
  package var nextLease: LeaseID
  /// In order of registration; points name them by their places. Never empty.
  package var sweeps: [KnownSweep]
  /// What is kept beside the store, of points that are not terminal.
  package var checkpoints: [KeptCheckpoint]
  /// Finished points that are to be run again and compared, in order.
  package var verifications: [PointID]
  /// Boot → name of the key that the process came with, where one is known: nobody comes back under another key.
  package var keys: [String: String]
  /// Boots of processes that did not say goodbye: they may come back.
  package var present: [String]
  /// How fast machines were so far.
  package var paces: [HostPace]

  package init(
    points: [KnownPoint], workers: [String: Int64] = [:], nextWorker: Int64 = 1, nextLease: LeaseID = LeaseID(1),
    sweeps: [KnownSweep] = [KnownSweep(name: "")], checkpoints: [KeptCheckpoint] = [], verifications: [PointID] = [],
    keys: [String: String] = [:], present: [String] = [], paces: [HostPace] = []
  ) {
    self.points = points
    self.workers = workers
    self.nextWorker = nextWorker
    self.nextLease = nextLease
    self.sweeps = sweeps
    self.checkpoints = checkpoints
    self.verifications = verifications
    self.keys = keys
    self.present = present
    self.paces = paces
  }
}

/// What is known of a machine's speed.
package struct HostPace: Hashable, Sendable {
  package var host: String
  /// Seconds that its latest points took for each that was estimated (`Experiment.estimatedCoreSeconds`), the oldest
  /// first.
  package var ratios: [Double]

  package init(host: String, ratios: [Double]) {
    self.host = host
    self.ratios = ratios
  }
}

/// A worker process as the store remembers it, so that a returning one keeps its number and nobody takes its place.
package struct KnownWorker: Hashable, Sendable {
  package var boot: String
  package var number: Int64
  /// The name of the key that it came with.
  package var key: String

  package init(boot: String, number: Int64, key: String) {
    self.boot = boot
    self.number = number
    self.key = key
  }
}

/// A point's checkpoint beside the store.
package struct KeptCheckpoint: Hashable, Sendable {
  package var point: PointID
  package var contents: CheckpointContents
  /// Whether it is that of an ended run, which the point only borrows: it takes no room of its own.
  package var isLent: Bool

  package init(point: PointID, contents: CheckpointContents, isLent: Bool = false) {
    self.point = point
    self.contents = contents
    self.isLent = isLent
  }
}

/// Workers that an operator speaks of.
package enum WorkerSelection: Hashable, Sendable {
  case number(Int64)
  case host(String)
}

package enum SchedulerEvent: Sendable {
  case message(from: PeerID, WorkerMessage)
  /// A process that the store knows from earlier, and that is about to say hello again: see `Scheduler.knows`.
  case workerKnown(KnownWorker)
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
  /// This peer may not take part any more (its key was revoked), and was told so in these words. By its routing id alone:
  /// its key may have lost its name.
  case peerRefused(PeerID, reason: String)
  /// The supervisor of this machine saw a worker process end; `description` says how ("killed by signal 9").
  case processEnded(boot: String, description: String)
  /// A sweep comes in while this coordinator runs, or comes again with another state or priority. Known points are left as
  /// they are (failed ones that are pending now become so); new ones stand behind all others. `sweep` and `otherSweeps`
  /// of the points do not count: they belong to this one.
  case addSweep(KnownSweep, [KnownPoint], checkpoints: [KeptCheckpoint] = [])
  /// These points are no longer part of the sweep; nobody runs them. They are handed out for their other sweeps, if any.
  case withdraw(sweep: String, [PointID])
  /// Paused, cancelled or active again. Unknown names change nothing.
  case setSweep(String, SweepState)
  case setPriority(sweep: String, Int)
  /// Failed points are pending again, and nothing is held against them. Others are left alone.
  case retry([PointID])
  /// Finished points are run once more, when there is nothing else to do; their results are compared.
  case verify([PointID])
  /// These workers leave after their points.
  case drainWorkers(WorkerSelection)
  /// A barred machine is taken back. Unknown names, and machines that are not barred, change nothing.
  case admitHost(String)
  /// A checkpoint is complete on the shelf and is what the point goes on from.
  case checkpointKept(PointID, CheckpointContents)
  /// What came of a checkpoint could not be kept, or was damaged. What is kept already is untouched.
  case checkpointFailed(PointID, reason: String)
  /// What was kept of a point, at this epoch, can no longer be read and was removed.
  case checkpointLost(PointID, epoch: Int, reason: String)
  /// Grant nothing more; `.finished` when the running points are done.
  case drain(reason: String)
  /// Send everyone home now: workers checkpoint and hand back; `.finished` when they have, or after `leaveSeconds`.
  case shutdown(reason: String)
}

extension SchedulerEvent {
  /// The process that says hello.
  package var greetingBoot: String? {
    if case .message(_, .hello(let hello)) = self { hello.identity.boot } else { nil }
  }

  /// Whether it may end an attempt of another process than the one that speaks, and charge it. A shell hands it over only
  /// when every grant before it is recorded, or has failed: what was never recorded must not be charged.
  package var reportsAnEnd: Bool {
    switch self {
    case .processEnded: true
    case .message(_, .hello(let hello)): hello.predecessor != nil
    default: false
    }
  }
}

/// A worker process, for the store.
package struct WorkerRecord: Hashable, Sendable {
  package var number: Int64
  package var identity: WorkerIdentity
  /// The name of the key that it came with; "" where no keys are used.
  package var key: String

  package init(number: Int64, identity: WorkerIdentity, key: String = "") {
    self.number = number
    self.identity = identity
    self.key = key
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
  /// the grant never arrived) is not charged. `epoch`: how far it came, as far as is known.
  case failed(AttemptClass, reason: String, charged: Bool, epoch: Int? = nil)
  /// Another attempt's result was stored first.
  case superseded(by: LeaseID?)
  /// The point was finished already, and was run again to compare.
  case verified(isEqual: Bool)

  /// `finished`, an `AttemptClass`, `superseded`, `verified` or `differed`.
  package var name: String {
    switch self {
    case .finished: "finished"
    case .verified(let isEqual): isEqual ? "verified" : "differed"
    case .failed(let kind, _, _, _): kind.rawValue
    case .superseded: "superseded"
    }
  }

  /// In words; nil for `finished`.
  package var reason: String? {
    switch self {
    case .finished, .verified: nil
    case .failed(_, let reason, _, _): reason
    case .superseded(let lease?): "the result of \(lease) was stored first"
    case .superseded(nil): "the point already had a result"
    }
  }

  package var isCharged: Bool {
    if case .failed(_, _, true, _) = self { true } else { false }
  }

  /// How far the attempt came; nil when that is not known, and for results, which say it themselves.
  package var epoch: Int? {
    if case .failed(_, _, _, let epoch) = self { epoch } else { nil }
  }
}

/// Why the scheduler is done.
package enum SchedulerEnding: Hashable, Sendable {
  /// Every point is finished, quarantined, or of cancelled sweeps only.
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
  /// Nothing is expected of this worker any more: it left, ended, or fell silent. `recordWorker` brings it back.
  case workerLeft(Int64)
  /// Record the attempt durably, then send `grant(lease, point, experiment, checkpoint)`. When recording fails, do not
  /// send, and answer with `.grantFailed`.
  case grant(AttemptRecord, to: PeerID, Experiment, checkpoint: CheckpointContents? = nil)
  /// Unknown or already ended leases: nothing to do.
  case endAttempt(LeaseID, AttemptEnd)
  /// Commit the result, then answer with `.stored` or `.storeFailed`. `worker` delivered it; the attempt's end follows
  /// after `.stored`.
  case store(point: PointID, lease: LeaseID, RunResult, seconds: Double, worker: Int64)
  /// A second result of a stored point: equal digests prove determinism, different ones are a violation to record.
  case compare(point: PointID, lease: LeaseID, RunResult, worker: Int64)
  /// The point is quarantined.
  case recordFailure(PointID, reason: String)
  /// A second run of a finished point that somebody asked for: compare as `compare` does, record the verification as
  /// done, and end the attempt as `verified`.
  case finishVerification(point: PointID, lease: LeaseID, RunResult, worker: Int64)
  /// The verification of a finished point was given up: record that it is done, without a result.
  case failVerification(PointID, reason: String)
  /// These attempts, which ended and were charged, were not their points' fault after all.
  case refund([LeaseID], reason: String)
  /// The bytes at `offset` of what the shelf misses of a checkpoint.
  case keepChunk(PointID, missing: CheckpointContents, offset: Int, [UInt8])
  /// Every byte of what was missing has come: check it, make it the point's checkpoint, and answer with `checkpointKept`
  /// or `checkpointFailed`. `contents` is all of it, what the shelf had before included.
  case completeCheckpoint(PointID, CheckpointContents)
  /// Nothing of it is needed any more: half transfers too.
  case dropCheckpoint(PointID)
  /// The point has ended, and its checkpoint is where: keep it for runs of the lineage that are longer.
  case keepEnd(PointID, lineage: PointID)
  /// Read what is asked for from the shelf and send it as `chunk`, or `chunkGone` when it is not there.
  case sendChunk(to: PeerID, lease: LeaseID, point: PointID, CheckpointRequest)
  case log(LogLevel, String)
  /// Once, last.
  case finished(SchedulerEnding)
}
