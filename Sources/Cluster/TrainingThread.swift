// The thread that trains. Everything between it and the network loop passes through one lock: a job in, notes out.
//
// A real thread, not a task: it computes for hours. It looks at its orders after every epoch, and wakes the network
// loop only for news.

import Foundation
import Grokking
import Kernels
import Sweeps
import ZeroMQ

/// One point to train, in its folder.
struct TrainingJob: Sendable {
  let experiment: Experiment
  let folder: PointFolder
  let kernels: KernelPath
  let checkpointSeconds: Double
  let progressSeconds: Double
  let snapshotLimit: Int
}

/// What the training thread has to say. One of finished, failed, stopped and unwritable ends every job.
enum TrainingNote: Sendable {
  case progress(RunProgress, epochsPerSecond: Double)
  /// On disk, and readable while this value lives.
  case checkpointWritten(OpenCheckpoint)
  /// What lay in the folder is of no use; the run starts over.
  case checkpointUnusable(reason: String)
  case log(LogLevel, String)
  case finished(RunResult, seconds: Double)
  case failed(AttemptClass, reason: String)
  case stopped(epoch: Int)
  /// The scratch space takes no more; whatever the job has there stays.
  case unwritable(epoch: Int, reason: String)
}

/// Safe from any thread: everything mutable is read and written under `condition`.
final class TrainingThread: @unchecked Sendable {
  private enum Order {
    case none
    case stop(checkpoint: Bool)
  }

  private let condition = NSCondition()
  private var job: TrainingJob?
  private var order = Order.none
  private var isLeaving = false
  private var hasEnded = false
  /// At most one progress and one checkpoint among them, the latest.
  private var notes: [TrainingNote] = []
  private let waker: Waker

  /// Starts the thread, which waits for its first job. `waker` is woken whenever there are notes to collect.
  init(waker: Waker) {
    self.waker = waker
    let thread = Thread { [self] in work() }
    thread.name = "training"
    // Deep recursion is nobody's business here; the default of 8 MB would do, this only makes it certain.
    thread.stackSize = 16 << 20
    thread.start()
  }

  /// The thread must have no job.
  func start(_ job: TrainingJob) {
    condition.withLock {
      precondition(self.job == nil, "a job is given to a training thread that has one")
      self.job = job
      order = .none
      condition.broadcast()
    }
  }

  /// Asks for an end soon; without effect when the job has ended already.
  func stop(checkpoint: Bool) {
    condition.withLock { order = .stop(checkpoint: checkpoint) }
  }

  /// Everything said since the last call, in order.
  func collect() -> [TrainingNote] {
    condition.withLock {
      defer { notes = [] }
      return notes
    }
  }

  /// Lets the thread go, stopping its job with a checkpoint, and waits for that, but no longer than `seconds`.
  func end(within seconds: Double) {
    let deadline = Date(timeIntervalSinceNow: seconds)
    condition.withLock {
      isLeaving = true
      order = .stop(checkpoint: true)
      condition.broadcast()
      while !hasEnded, condition.wait(until: deadline) {}
    }
  }

  private func say(_ note: TrainingNote) {
    condition.withLock {
      switch note {
      case .progress: notes.removeAll { if case .progress = $0 { true } else { false } }
      case .checkpointWritten: notes.removeAll { if case .checkpointWritten = $0 { true } else { false } }
      default: break
      }
      notes.append(note)
    }
    waker.wake()
  }

  private func work() {
    nameCurrentThread("training")
    while let job = nextJob() {
      let end = perform(job)
      // The job is over before anybody can read of it: the next one may follow at once.
      condition.withLock { self.job = nil }
      say(end)
    }
    condition.withLock {
      hasEnded = true
      condition.broadcast()
    }
  }

  private func nextJob() -> TrainingJob? {
    condition.withLock {
      while job == nil && !isLeaving { condition.wait() }
      return isLeaving ? nil : job
    }
  }

  private func perform(_ job: TrainingJob) -> TrainingNote {
    if let problem = job.experiment.problems().first { return .failed(.badPoint, reason: "\(problem)") }
    do {
      do {
        return try train(job, resuming: resumed(job))
      } catch let error where error is SealedFileError || error is SnapshotMissing {
        // Damaged leftovers cost the time that they had saved, not the point. Damage without leftovers is real.
        guard job.folder.run.hasCheckpoint else { throw error }
        say(.log(.warning, "starting this point over: \(error)"))
        say(.checkpointUnusable(reason: "\(error)"))
        job.folder.run.remove()
        return try train(job, resuming: nil)
      }
    } catch {
      return .failed(.engineError, reason: "\(error)")
    }
  }

  /// The run that an earlier process of this machine left, or that came from another one; nil without one. All that it
  /// needs is read before it goes on, so that nothing is trained whose end would fail for want of it.
  private func resumed(_ job: TrainingJob) -> (run: Run, seconds: Double)? {
    do {
      guard let kept = try job.folder.run.readCheckpoint() else {
        job.folder.run.remove()
        return nil
      }
      let run = try Run(
        resuming: kept.run, of: job.experiment, orShorter: true, kernels: job.kernels,
        snapshots: job.folder.run.snapshots, snapshotLimit: job.snapshotLimit)
      try run.checkKept()
      say(.log(.info, "point \(job.folder.point.short) goes on from its checkpoint at epoch \(run.progress.epoch)"))
      return (run, kept.seconds)
    } catch {
      say(.log(.warning, "its checkpoint cannot be used, so point \(job.folder.point.short) starts over: \(error)"))
      say(.checkpointUnusable(reason: "\(error)"))
      job.folder.run.remove()
      return nil
    }
  }

  private func train(_ job: TrainingJob, resuming resumed: (run: Run, seconds: Double)?) throws -> TrainingNote {
    let start = MonotonicInstant.now
    let began = start.advanced(bySeconds: -(resumed?.seconds ?? 0))
    let run =
      try resumed?.run
      ?? Run(
        job.experiment, kernels: job.kernels, snapshots: job.folder.run.snapshots, snapshotLimit: job.snapshotLimit)
    var saved: Int?
    var nextReport = start
    var nextCheckpoint = start.advanced(bySeconds: job.checkpointSeconds)
    var counted = (at: start, epoch: run.progress.epoch)
    var rate = 0.0
    while !run.isFinished {
      if case .stop(let checkpoint) = condition.withLock({ order }) {
        if checkpoint { save(run, job, since: began, &saved) } else { job.folder.run.remove() }
        return .stopped(epoch: run.progress.epoch)
      }
      let now = MonotonicInstant.now
      if now >= nextReport {
        let progress = run.progress
        let seconds = now.seconds(since: counted.at)
        if progress.epoch > counted.epoch, seconds > 0 {
          rate = Double(progress.epoch - counted.epoch) / seconds
          counted = (now, progress.epoch)
        }
        say(.progress(progress, epochsPerSecond: progress.stage == .training ? rate : 0))
        nextReport = now.advanced(bySeconds: job.progressSeconds)
      }
      if now >= nextCheckpoint {
        save(run, job, since: began, &saved)
        nextCheckpoint = MonotonicInstant.now.advanced(bySeconds: job.checkpointSeconds)
      }
      let wasTraining = run.isTraining
      do {
        try run.advance()
      } catch let error as ScratchUnwritable {
        return .unwritable(epoch: run.progress.epoch, reason: "\(error)")
      }
      // What comes after training is short and starts again from here.
      if wasTraining && !run.isTraining { save(run, job, since: began, &saved) }
    }
    var result = try run.result()
    attachWeights(of: run, to: &result, job)
    // What cannot be sent would be said again for ever; this way the point fails, with words.
    try WireCodec.check(result)
    return .finished(result, seconds: MonotonicInstant.now.seconds(since: began))
  }

  /// A run without a final model has none to show. Weights too large to be sent are not worth the result.
  private func attachWeights(of run: Run, to result: inout RunResult, _ job: TrainingJob) {
    guard result.finalModel != nil else { return }
    do {
      let file = try ModelFile(of: run, result, point: job.folder.point).serialized()
      guard file.count <= WireCodec.maximumFrameBytes else {
        return say(
          .log(
            .warning,
            "the final weights of point \(job.folder.point.short) are not kept: they take \(file.count >> 20) MiB, and at most "
              + "\(WireCodec.maximumFrameBytes >> 20) can be sent"))
      }
      result.finalWeights = file
    } catch {
      say(.log(.warning, "the final weights of point \(job.folder.point.short) are not kept: \(error)"))
    }
  }

  /// A checkpoint that cannot be written costs time after a crash, not the run.
  ///
  /// - Parameter saved: the epoch of the last one; it is not written twice, since somebody may be reading it.
  private func save(_ run: Run, _ job: TrainingJob, since began: MonotonicInstant, _ saved: inout Int?) {
    let epoch = run.progress.epoch
    guard run.isResumable, saved != epoch else { return }
    let files = job.folder.run
    do {
      let seconds = MonotonicInstant.now.seconds(since: began)
      try files.writeCheckpoint(try run.checkpoint(), seconds: seconds)
      saved = epoch
    } catch {
      say(.log(.warning, "no checkpoint of point \(job.folder.point.short) at epoch \(epoch): \(error)"))
      return
    }
    do {
      say(
        .checkpointWritten(
          try OpenCheckpoint(files, epoch: epoch, parts: run.keptParts, experiment: job.experiment)))
    } catch {
      say(.log(.warning, "the checkpoint of point \(job.folder.point.short) is for this machine only: \(error)"))
    }
  }
}
