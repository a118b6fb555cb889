// One run from start weights to result: training with evaluations, then the replay that locates crossings exactly, then
// the analysis of every evaluation.
//
// The restricted and excluded losses need the key frequencies of the final model, so weights are kept at every
// evaluation and analysed when training is over; from where they would take too much room, the analysis trains once more
// instead. Whoever owns a run calls `advance` until it is finished and decides about time, files and interruption; nothing
// here waits, reads a clock or writes.

import Kernels

/// An experiment being run. Not for use from two threads at once.
package final class Run {
  package let experiment: Experiment
  package let split: Split
  private let trainer: Trainer
  private let snapshots: SnapshotStore
  private let kernels: KernelPath

  private var stage = RunProgress.Stage.training
  private var record: RunRecord
  /// Number of the first evaluation whose weights do not fit below the limit any more.
  private let evaluationsThatFit: Int
  /// Calls of `advance` so far.
  private var work = 0
  /// The weights at the end of training, once the trainer has left it to train something again.
  private var finalWeights: Parameters<Float>?
  // What comes after training, once that is over; each changed only in place, so that no step copies what the steps
  // before it gathered.
  private var replay: Replay?
  private var analysis: RunAnalysis?
  /// Only where not all weights were kept.
  private var regeneration: Regeneration?
  /// Whether all that the record says was kept must be there.
  private let keptIsComplete: Bool
  /// Located; complete after the replay.
  private var crossings: [Crossing] = []

  /// - Parameters:
  ///   - start: weights and split to start from; drawn by the experiment's seeds when nil.
  ///   - snapshotLimit: bytes that the weights of evaluations may take; those beyond, the analysis trains again. The
  ///     result is the same.
  /// - Throws: `RunError` when the experiment cannot be trained or the start does not fit it.
  package init(
    _ experiment: Experiment, from start: Start? = nil, kernels: KernelPath, snapshots: SnapshotStore,
    snapshotLimit: Int = SnapshotStore.limitBytes
  ) throws {
    if let problem = experiment.problems().first { throw RunError("\(problem)") }
    let start = start ?? Start(experiment)
    try start.check(ParameterLayout(experiment))
    self.experiment = experiment
    self.split = start.split
    self.kernels = kernels
    self.snapshots = snapshots
    trainer = Trainer(experiment, start: start, kernels: kernels)
    record = RunRecord(epochs: experiment.training.epochs)
    keptIsComplete = true
    evaluationsThatFit = SnapshotStore.evaluationsThatFit(in: snapshotLimit, experiment)
  }

  /// Goes on where `checkpoint` was taken, with the same bits. `snapshots` must still hold what the run had written.
  ///
  /// - Parameter orShorter: whether the checkpoint may be that of a shorter run, which this one extends.
  /// - Throws: `CheckpointError` when the bytes are damaged or of another experiment or engine.
  package convenience init(
    resuming checkpoint: [UInt8], of experiment: Experiment, orShorter: Bool = false, kernels: KernelPath,
    snapshots: SnapshotStore, snapshotLimit: Int = SnapshotStore.limitBytes
  ) throws {
    let checkpoint = try Checkpoint(parsing: checkpoint)
    if !orShorter { try checkpoint.check(isOf: experiment) }
    try self.init(try checkpoint.belonging(to: experiment), kernels, snapshots, snapshotLimit)
  }

  /// Goes on with the run of `checkpoint` to a later end: the same run as one of `epochs` epochs from the start, with
  /// the same bits. `snapshots` must still hold what the run had written.
  ///
  /// - Parameter afterGrokking: the longer run's `stop.after_grokking`; nil trains to its end.
  /// - Throws: `CheckpointError` when the bytes are damaged or of another engine, or when the run cannot be longer.
  package convenience init(
    extending checkpoint: [UInt8], to epochs: Int, afterGrokking: Int? = nil, kernels: KernelPath,
    snapshots: SnapshotStore, snapshotLimit: Int = SnapshotStore.limitBytes
  ) throws {
    let checkpoint = try Checkpoint(parsing: checkpoint).extended(to: epochs, afterGrokking: afterGrokking)
    try self.init(checkpoint, kernels, snapshots, snapshotLimit)
  }

  private init(
    _ checkpoint: Checkpoint, _ kernels: KernelPath, _ snapshots: SnapshotStore, _ snapshotLimit: Int
  ) throws {
    experiment = checkpoint.experiment
    split = checkpoint.split
    self.kernels = kernels
    self.snapshots = snapshots
    let weights = Parameters(ParameterLayout(experiment), storage: checkpoint.state.weights)
    trainer = Trainer(experiment, start: Start(weights: weights, split: split), kernels: kernels)
    trainer.restore(checkpoint.state)
    record = checkpoint.record
    keptIsComplete = checkpoint.isOfEnd
    record.undoDivergence(weights: checkpoint.state.weights, experiment)
    evaluationsThatFit = SnapshotStore.evaluationsThatFit(in: snapshotLimit, experiment)
    work = record.work
  }

  /// Reads what was kept before the checkpoint that the run goes on from, so that nothing is trained whose end would fail
  /// for want of it. For a run that has not advanced yet.
  ///
  /// - Throws: what the snapshot store throws, and `RunError` for what is not of this model's size.
  package func checkKept() throws {
    try record.check(
      snapshots, holding: ParameterLayout(experiment).count, state: SnapshotStore.partsOfState(experiment),
      isComplete: keptIsComplete)
  }

  /// The present weights, or those that training ended with; of a diverged run, those whose loss is not finite.
  package var weights: Parameters<Float> { finalWeights ?? trainer.weights }

  package var isTraining: Bool { stage == .training }

  package var isFinished: Bool { stage == .analysis && analysis?.isFinished == true }

  package var progress: RunProgress {
    var remaining = 0
    if stage == .training {
      remaining = record.remainingWork(
        evaluateEvery: experiment.measure.evaluateEvery, evaluationsThatFit: evaluationsThatFit)
    } else {
      remaining += replay?.remaining ?? 0
      remaining += analysis?.remaining ?? 0
      remaining += regeneration?.remaining(trainer) ?? 0
    }
    let last = record.taken.last
    return RunProgress(
      stage: stage, epoch: record.epoch, epochs: record.lastEpoch, work: work, totalWork: work + remaining,
      trainLoss: record.latestTrain?.loss, testLoss: last?.test.loss, trainAccuracy: record.latestTrain?.accuracy,
      testAccuracy: last?.test.accuracy)
  }

  /// One epoch, and before it the evaluation that is due; or, when training is over, one epoch that is trained again,
  /// or the analysis of one evaluation or of a part of the final model.
  /// Does nothing once finished.
  ///
  /// - Throws: what the snapshot store throws; nothing has happened then, and the call may be repeated.
  package func advance() throws {
    switch stage {
    case .training:
      if try train() { endTraining() }
      record.work = work + 1
    case .replay:
      leaveEnd()
      try replay?.advance(trainer, reading: snapshots)
      endReplayIfDone()
    case .analysis:
      guard !isFinished else { return }
      if let next = analysis?.nextEvaluation, let first = regeneration?.first, next > first {
        leaveEnd()
        if try regeneration!.advance(trainer, to: record.taken[next].epoch, from: snapshots) { break }
        try analysis?.advance(reading: snapshots.withPresent(trainer, as: next))
      } else {
        try analysis?.advance(reading: snapshots)
      }
    }
    work += 1
  }

  /// Everything needed to go on with the same bits elsewhere, or to a later end, given the same snapshots.
  ///
  /// - Throws: `CheckpointError` once something is being trained again: then the one from the end of training is to be
  ///   used, which repeats what came after it.
  package func checkpoint() throws -> [UInt8] {
    guard isResumable else {
      throw CheckpointError("training is over and its end was left; there is nothing to resume")
    }
    return try Checkpoint(experiment: experiment, split: split, state: trainer.state, record: recordOfCheckpoint)
      .serialized()
  }

  private var recordOfCheckpoint: RunRecord { isTraining ? record : record.beforeLastEvaluation() }

  /// What `checkpoint` needs of the snapshots at this moment.
  package var keptParts: KeptParts { recordOfCheckpoint.keptParts }

  /// To which epoch `checkpoint`, of this experiment or of a shorter one that it extends, was trained, and what of the
  /// snapshots it needs.
  ///
  /// - Throws: `CheckpointError` when the bytes are damaged or of another experiment or engine.
  package static func contents(
    of checkpoint: [UInt8], of experiment: Experiment
  ) throws(CheckpointError) -> (epoch: Int, parts: KeptParts) {
    let checkpoint = try Checkpoint(parsing: checkpoint).belonging(to: experiment)
    return (checkpoint.record.epoch, checkpoint.record.keptParts)
  }

  /// Whether `checkpoint` has what it needs: throughout training, and after it until something is trained again.
  package var isResumable: Bool { finalWeights == nil && !isFinished }

  /// - Throws: `RunError` before the run is finished.
  package func result() throws -> RunResult {
    guard isFinished, let analysis else {
      throw RunError("the run is at epoch \(record.epoch) of \(record.lastEpoch) and has no result yet")
    }
    return analysis.result(crossings)
  }
}

// Training.
extension Run {
  /// Trains one epoch; true when that was all, because the last evaluation is taken or a loss is not finite.
  private func train() throws -> Bool {
    var test: LossAndAccuracy?
    if isDue || record.epoch == record.lastEpoch {
      let result = trainer.evaluateTest()
      guard result.loss.isFinite else { return diverge() }
      record.endEarly(after: experiment.stop.afterGrokking, evaluatedNow: result)
      let weights = trainer.weights.storage
      guard weights.allSatisfy(\.isFinite) else { return diverge() }
      // Before the step, so that a snapshot that cannot be written leaves the run where it was.
      try record.keep(
        weights, of: trainer, evaluateEvery: experiment.measure.evaluateEvery, evaluationsThatFit: evaluationsThatFit,
        in: snapshots)
      test = result
    }
    let isLast = record.epoch == record.lastEpoch
    let train = isLast ? trainer.evaluateTrain() : trainer.step()
    guard train.loss.isFinite else { return diverge() }
    record.note(train: train)
    if let test { record.take(train: train, test: test) }
    if isLast {
      if record.digests.links.last?.epoch != record.epoch {
        record.digests.add(epoch: record.epoch, weights: trainer.weights.storage)
      }
      return true
    }
    if test != nil { record.dropStates(in: snapshots) }
    record.epoch += 1
    if record.epoch % WeightDigest.interval == 0 {
      record.digests.add(epoch: record.epoch, weights: trainer.weights.storage)
    }
    return false
  }

  private var isDue: Bool { record.epoch % experiment.measure.evaluateEvery == 0 }

  private func diverge() -> Bool {
    record.divergence = record.epoch
    record.lastEpoch = record.epoch
    record.digests.add(epoch: record.epoch, weights: [])
    return true
  }

  private func endTraining() {
    replay = Replay(record)
    analysis = RunAnalysis(experiment, record, split, kernels)
    regeneration = Regeneration(record)
    stage = .replay
    endReplayIfDone()
  }

  private func endReplayIfDone() {
    guard let located = replay, located.isFinished else { return }
    crossings = located.crossings
    replay = nil
    stage = .analysis
  }

  /// From here on the trainer is not at the end of training any more.
  private func leaveEnd() {
    if finalWeights == nil { finalWeights = trainer.weights }
  }
}

/// Why a run cannot start, or has no result, as a sentence.
package struct RunError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
