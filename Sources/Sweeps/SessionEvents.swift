// What a worker's session is told and what it asks for, as values.

import Grokking

package struct SessionConfiguration: Hashable, Sendable {
  package var identity: WorkerIdentity
  /// Hello is said again this often until there is an answer.
  package var helloSeconds: Double
  /// So is ready, while waiting.
  package var readySeconds: Double
  /// So are results, failures and hand-backs, until their receipt.
  package var resendSeconds: Double
  /// The training thread gets this long to stop when it is asked to; one that hangs ends the process.
  package var stopSeconds: Double
  /// A leaving worker's hand-back and unsent results get this long for their receipts.
  package var handBackSeconds: Double
  /// Before that, its checkpoint gets this long to be handed over, but not more than half a lease.
  package var handOverSeconds: Double
  /// A checkpoint that is fetched and does not get on for this long is given up.
  package var fetchSeconds: Double
  /// From the session's start: by then this process has to be gone; nil: it may stay.
  package var lifetimeSeconds: Double?
  /// How the process before it in this slot ended.
  package var predecessor: Predecessor?
  /// What `SelfTest` gave here.
  package var selfTest: String?

  package init(
    identity: WorkerIdentity, helloSeconds: Double = 2, readySeconds: Double = 10, resendSeconds: Double = 5,
    stopSeconds: Double = 30, handBackSeconds: Double = 5, handOverSeconds: Double = 20,
    fetchSeconds: Double = 60, lifetimeSeconds: Double? = nil, predecessor: Predecessor? = nil, selfTest: String? = nil
  ) {
    self.identity = identity
    self.helloSeconds = helloSeconds
    self.readySeconds = readySeconds
    self.resendSeconds = resendSeconds
    self.stopSeconds = stopSeconds
    self.handBackSeconds = handBackSeconds
    self.handOverSeconds = handOverSeconds
    self.fetchSeconds = fetchSeconds
    self.lifetimeSeconds = lifetimeSeconds
    self.predecessor = predecessor
    self.selfTest = selfTest
  }

  /// Before the end of its lifetime, a process leaves this early: time to hand over and to hand back, and to write it all
  /// down; but never more than a quarter of a short life.
  var marginSeconds: Double { min(handOverSeconds + handBackSeconds + 10, (lifetimeSeconds ?? 0) / 4) }
}

/// A result on this worker's disk that no receipt came for yet.
package struct UnsentResult: Hashable, Sendable {
  package var lease: LeaseID
  package var point: PointID
  package var result: RunResult
  /// Wall time of training and analysis.
  package var seconds: Double

  package init(lease: LeaseID, point: PointID, result: RunResult, seconds: Double) {
    self.lease = lease
    self.point = point
    self.result = result
    self.seconds = seconds
  }

  var held: HeldLease { HeldLease(lease: lease, point: point) }
}

package enum SessionEvent: Sendable {
  /// The socket is there: say hello.
  case start
  /// Found in the scratch folder; before `.start`.
  case unsentResults([UnsentResult])
  case message(CoordinatorMessage)
  case undecodable(WireError)
  /// Time passed: at `nextDeadline` or earlier.
  case tick
  /// From the training thread; as often as it likes, the session thins it out.
  case progress(RunProgress, epochsPerSecond: Double)
  case runFinished(RunResult, seconds: Double)
  case runFailed(AttemptClass, reason: String)
  /// Training stopped as asked, at this epoch.
  case runStopped(epoch: Int)
  /// The run under way has a new checkpoint on disk.
  case checkpointWritten(CheckpointContents)
  /// Answers `prepare`, before any other event: what of the granted checkpoint is to be fetched; nil: nothing, since the scratch folder has this
  /// one or a later one.
  case prepared(missing: CheckpointContents?)
  /// What was fetched could not be kept: train without it.
  case fetchFailed(reason: String)
  /// What was fetched is damaged, or the run under way found that it cannot go on from what it was given, and starts over.
  case checkpointUnusable(reason: String)
  /// A signal, or a reason of this machine's for leaving. The first: hand back and leave with this code, and these words
  /// for people. The second: leave now.
  case interrupt(exitCode: Int32, reason: String? = nil)
}

/// One of runFinished, runFailed or runStopped follows every `startTraining`, and only one run is under way at a time.
package enum SessionDirective: Hashable, Sendable {
  case send(WorkerMessage)
  /// Look what of this checkpoint the point's scratch folder has, and answer with `prepared`.
  case prepare(LeaseID, PointID, Experiment, CheckpointContents)
  /// Fetched bytes, at `offset` of what is missing: write them, or answer with `fetchFailed`. The last ones complete the
  /// checkpoint.
  case keepChunk(PointID, missing: CheckpointContents, offset: Int, [UInt8])
  /// Give up what was fetched so far.
  case dropFetched(PointID)
  /// Read what is asked for from the run's files and send it as `chunk`, or `chunkGone` when it is not there.
  case sendChunk(LeaseID, PointID, CheckpointRequest)
  case startTraining(LeaseID, PointID, Experiment)
  /// Ask the training thread to stop soon. It answers with `.runStopped`, or with `.runFinished`/`.runFailed` when it
  /// was done already; both are right.
  case stopTraining(checkpoint: Bool)
  /// Write it to disk, now: the directives that follow send it.
  case keepResult(UnsentResult)
  /// There is a receipt: remove it from disk.
  case forgetResult(LeaseID, PointID)
  case log(LogLevel, String)
  /// Last: end the process with this code; `reason` is for stderr.
  case exit(code: Int32, reason: String?)
}
