// What coordinator and workers say to each other, as values. The codec turns them into frames; nobody here sends.
//
// Every message that matters has an answer: hello → welcome or refused, ready → grant or wait, finished → receipt or
// unwanted, failed and handedBack → receipt, fetch → chunk or chunkGone. Whoever gets no answer says it again.
// Checkpoints are only worth saving time with: an offer is answered late, when its turn comes, and a pull is asked again
// or given up.

import Grokking

/// The version of this protocol. Coordinator and workers must agree on it, and on `Engine.semanticsVersion`.
package enum WireProtocol {
  package static let version = 6
}

/// One permission to run one point, until the coordinator's clock ends it. Never used twice, not even after a restart.
package struct LeaseID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  package let number: Int64
  package init(_ number: Int64) { self.number = number }
  package init(from decoder: any Decoder) throws {
    number = try decoder.singleValueContainer().decode(Int64.self)
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(number)
  }
  package static func < (left: LeaseID, right: LeaseID) -> Bool { left.number < right.number }
  package var description: String { "lease \(number)" }
}

/// What a worker process says of itself.
package struct WorkerIdentity: Hashable, Sendable, Codable {
  /// Random, new at every start of the process: 32 hexadecimal digits.
  package var boot: String
  package var host: String
  package var processID: Int32
  /// The processor's name.
  package var cpu: String
  package var cores: Int
  package var kernelPath: String
  /// groksweep's own version, for people.
  package var build: String

  package init(
    boot: String, host: String, processID: Int32, cpu: String, cores: Int, kernelPath: String, build: String
  ) {
    self.boot = boot
    self.host = host
    self.processID = processID
    self.cpu = cpu
    self.cores = cores
    self.kernelPath = kernelPath
    self.build = build
  }
}

/// Why an attempt ended without a result.
package enum AttemptClass: String, Hashable, Sendable, Codable, CaseIterable {
  /// Handed back in good order (signal, walltime): not charged to the point.
  case preempted
  /// The lease ended in silence.
  case lost
  /// The process died.
  case crashed
  case stalled
  case engineError = "engine_error"
  case badPoint = "bad_point"
}

/// The lease that a worker holds when it says hello again.
package struct HeldLease: Hashable, Sendable, Codable {
  package var lease: LeaseID
  package var point: PointID
  package init(lease: LeaseID, point: PointID) {
    self.lease = lease
    self.point = point
  }
}

/// How a worker process introduces itself.
package struct Hello: Hashable, Sendable {
  package var identity: WorkerIdentity
  package var protocolVersion: Int
  package var semanticsVersion: Int
  /// What it trains at this moment.
  package var holding: HeldLease?
  /// How the process ended that had this slot before, if its supervisor saw it end.
  package var predecessor: Predecessor?
  /// Seconds from now after which this process has to be gone, as at the end of an allocation; nil: it may stay.
  package var secondsLeft: Double?
  /// The digest that `SelfTest` gave here; nil when it was not run.
  package var selfTest: String?

  package init(
    _ identity: WorkerIdentity, protocolVersion: Int = WireProtocol.version,
    semanticsVersion: Int = Engine.semanticsVersion, holding: HeldLease? = nil, predecessor: Predecessor? = nil,
    secondsLeft: Double? = nil, selfTest: String? = nil
  ) {
    self.identity = identity
    self.protocolVersion = protocolVersion
    self.semanticsVersion = semanticsVersion
    self.holding = holding
    self.predecessor = predecessor
    self.secondsLeft = secondsLeft
    self.selfTest = selfTest
  }
}

/// A process that ended, as its supervisor saw it.
package struct Predecessor: Hashable, Sendable, Codable {
  package var boot: String
  /// In words: "killed by signal 9 (Killed)".
  package var ending: String
  package init(boot: String, ending: String) {
    self.boot = boot
    self.ending = ending
  }
}

package enum WorkerMessage: Hashable, Sendable {
  case hello(Hello)
  case ready
  case progress(lease: LeaseID, RunProgress, epochsPerSecond: Double)
  /// At least once, until a receipt for the point comes. `seconds` is wall time of training and analysis.
  case finished(lease: LeaseID, point: PointID, RunResult, seconds: Double)
  case failed(lease: LeaseID, point: PointID, AttemptClass, reason: String)
  /// The worker leaves and gives its point back.
  case handedBack(lease: LeaseID, point: PointID, epoch: Int)
  /// There is a checkpoint from which any machine could go on. Answered by `pull`, by `checkpointKept` when the
  /// coordinator has it, or by `chunkGone` when it is not taken (no room, damaged, too slow); not answered while others
  /// come first. Said again with every newer one.
  case offer(lease: LeaseID, point: PointID, CheckpointContents)
  /// What a `pull` asked for.
  case chunk(lease: LeaseID, point: PointID, CheckpointChunk)
  /// What a `pull` asked for is no longer there.
  case chunkGone(lease: LeaseID, point: PointID, epoch: Int)
  /// Wants bytes of the checkpoint that a grant named. Renews the lease as long as it gets on.
  case fetch(lease: LeaseID, point: PointID, CheckpointRequest)
  /// What was fetched of this epoch is damaged, or no run can go on from it: nobody else needs to try. Not answered; who
  /// fetches it next says it again.
  case unreadable(lease: LeaseID, point: PointID, epoch: Int)
  case goodbye
}

package enum CoordinatorMessage: Hashable, Sendable {
  /// `worker` is the coordinator's number for this worker; progress is wanted at least every `progressSeconds`.
  /// Checkpoints are wanted at most every `checkpointSeconds`; nil: not at all. With `keepsCensored`, the one with which a
  /// censored run ended is wanted before its result; with `keepsWeights`, the final weights are wanted with each result.
  case welcome(
    worker: Int64, leaseSeconds: Double, progressSeconds: Double, checkpointSeconds: Double? = nil,
    keepsCensored: Bool = false, keepsWeights: Bool = false)
  /// Will never be welcome: other protocol or engine version, a revoked key. The worker stops with these words.
  case refused(reason: String)
  /// Nobody of this machine is welcome for a while, since it fails point after point. The worker stops with these words;
  /// whoever looks after it may start it again later.
  case barred(reason: String)
  /// The coordinator does not know this peer (it was restarted): say hello first.
  case sayHello
  /// With `checkpoint`, the coordinator keeps one of this point, or of the run that it extends, from which to go on.
  case grant(lease: LeaseID, point: PointID, Experiment, checkpoint: CheckpointContents? = nil)
  /// Nothing to hand out now; a grant follows by itself when there is.
  case wait
  /// The result, failure or hand-back of this point was committed: forget it.
  case receipt(lease: LeaseID, point: PointID)
  /// The lease is not (or no longer) yours: stop training and say ready.
  case revoked(lease: LeaseID)
  /// No sweep here has this point: keep its result for the coordinator that asked for it, and say no more of it.
  case unwanted(lease: LeaseID, point: PointID)
  /// Wants bytes of an offered checkpoint.
  case pull(lease: LeaseID, point: PointID, CheckpointRequest)
  /// All of the offered checkpoint of this epoch is kept, or a later one is.
  case checkpointKept(lease: LeaseID, point: PointID, epoch: Int)
  /// What a `fetch` asked for.
  case chunk(lease: LeaseID, point: PointID, CheckpointChunk)
  /// What a `fetch` asked for is not there: train without it. Or what an `offer` of this epoch offered is not taken, so
  /// that nobody needs to wait for that.
  case chunkGone(lease: LeaseID, point: PointID, epoch: Int)
  /// The sweep is over: leave.
  case leave
}
