// One run from start weights to result: training with evaluations, then the replay that locates crossings exactly, then
// the analysis of every evaluation.
//
// The restricted and excluded losses need the key frequencies of the final model, so weights are kept at every
// evaluation and analysed when training is over; where they would take too much room, the analysis trains the run once
// more instead. Whoever owns a run calls `advance` until it is finished and decides about time, files and interruption;
// nothing here waits, reads a clock or writes.

import Kernels

/// An experiment being run. Not for use from two threads at once.
package final class Run {
  package let experiment: Experiment
  package let split: Split
  private let trainer: Trainer
  private let snapshots: SnapshotStore
  private let kernels: KernelPath

  private enum Stage {
    case training
    case replay(Replay, then: RunAnalysis)
    case analysis(RunAnalysis)
  }
  private var stage = Stage.training
  private var record: RunRecord
  /// Calls of `advance` so far.
  private var work = 0
  /// The weights at the end of training, once the trainer has left it to train something again.
  private var finalWeights: Parameters<Float>?
  /// Whether the trainer is on its second way from the start.
  private var isRegenerating = false
  /// Located; complete after the replay.
  private var crossings: [Crossing] = []

  /// - Parameters:
  ///   - start: weights and split to start from; drawn by the experiment's seeds when nil.
  ///   - snapshotLimit: bytes that the weights of all evaluations may take; beyond, the analysis trains them again. The
  ///     result is the same.
  /// - Throws: `RunError` when the experiment cannot be trained or the start does not fit it.
  package init(
    _ experiment: Experiment, from start: Start? = nil, kernels: KernelPath, snapshots: SnapshotStore,
    snapshotLimit: Int = SnapshotStore.limitBytes
  ) throws {
    if let problem = experiment.problems().first { throw RunError("\(problem)") }
    let start = start ?? Start(experiment)
    try Run.check(start, ParameterLayout(experiment))
    self.experiment = experiment
    self.split = start.split
    self.kernels = kernels
    self.snapshots = snapshots
    trainer = Trainer(experiment, start: start, kernels: kernels)
    record = RunRecord(epochs: experiment.training.epochs)
    record.regenerates = SnapshotStore.exceeds(snapshotLimit, experiment)
  }

  /// Goes on where `checkpoint` was taken, with the same bits. `snapshots` must still hold what the run had written.
  ///
  /// - Throws: `CheckpointError` when the bytes are damaged or of another experiment or engine.
  package convenience init(
    resuming checkpoint: [UInt8], of experiment: Experiment, kernels: KernelPath, snapshots: SnapshotStore,
    snapshotLimit: Int = SnapshotStore.limitBytes
  ) throws {
    let checkpoint = try Checkpoint(parsing: checkpoint)
    guard checkpoint.experiment == experiment else {
      throw CheckpointError("the checkpoint is of another experiment; start this one from its beginning")
    }
    try self.init(checkpoint, kernels, snapshots, snapshotLimit)
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
    if let epoch = checkpoint.record.divergence {
      throw CheckpointError("the run diverged at epoch \(epoch): a loss was no longer finite, so it cannot go on")
    }
    experiment = checkpoint.experiment
    split = checkpoint.split
    self.kernels = kernels
    self.snapshots = snapshots
    let weights = Parameters(ParameterLayout(experiment), storage: checkpoint.state.weights)
    trainer = Trainer(experiment, start: Start(weights: weights, split: split), kernels: kernels)
    trainer.restore(checkpoint.state)
    record = checkpoint.record
    // What was not kept before cannot be kept now.
    record.regenerates = record.regenerates || SnapshotStore.exceeds(snapshotLimit, experiment)
    work = record.work
  }

  /// The present weights, or those that training ended with; of a diverged run, those whose loss is not finite.
  package var weights: Parameters<Float> { finalWeights ?? trainer.weights }

  package var isTraining: Bool { if case .training = stage { true } else { false } }

  package var isFinished: Bool {
    if case .analysis(let analysis) = stage { analysis.isFinished } else { false }
  }

  package var progress: RunProgress {
    let stage: RunProgress.Stage
    let remaining: Int
    switch self.stage {
    case .training:
      stage = .training
      remaining = record.remainingWork(evaluateEvery: experiment.measure.evaluateEvery)
    case .replay(let replay, let analysis):
      stage = .replay
      remaining = replay.remaining + analysis.remaining + remainingRegeneration
    case .analysis(let analysis):
      stage = .analysis
      remaining = analysis.remaining + remainingRegeneration
    }
    let last = record.taken.last
    return RunProgress(
      stage: stage, epoch: record.epoch, epochs: record.lastEpoch, work: work, totalWork: work + remaining,
      trainLoss: record.latestTrain?.loss, testLoss: last?.test.loss, trainAccuracy: record.latestTrain?.accuracy,
      testAccuracy: last?.test.accuracy)
  }

  /// One epoch, and before it the evaluation that is due; or, when training is over, one epoch that is trained again,
  /// or the analysis of one evaluation or of one key frequency.
  /// Does nothing once finished.
  ///
  /// - Throws: what the snapshot store throws; nothing has happened then, and the call may be repeated.
  package func advance() throws {
    switch stage {
    case .training:
      if try train() { endTraining() }
      record.work = work + 1
    case .replay(var replay, let analysis):
      leaveEnd()
      try replay.advance(trainer, reading: snapshots)
      crossings = replay.crossings
      stage = replay.isFinished ? .analysis(analysis) : .replay(replay, then: analysis)
    case .analysis(var analysis):
      guard !analysis.isFinished else { return }
      if try regenerate(for: analysis) { break }
      let present = record.regenerates ? analysis.nextEvaluation : nil
      try analysis.advance(reading: present.map(snapshotsAndPresent) ?? snapshots)
      stage = .analysis(analysis)
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
    let record = isTraining ? record : record.beforeLastEvaluation()
    return try Checkpoint(experiment: experiment, split: split, state: trainer.state, record: record).serialized()
  }

  /// Whether `checkpoint` has what it needs: throughout training, and after it until something is trained again.
  package var isResumable: Bool { finalWeights == nil && !isFinished }

  /// The epoch at which a loss was not finite.
  package var divergence: Int? { record.divergence }

  /// - Throws: `RunError` before the run is finished.
  package func result() throws -> RunResult {
    guard case .analysis(let analysis) = stage, analysis.isFinished else {
      throw RunError("the run is at epoch \(record.epoch) of \(record.lastEpoch) and has no result yet")
    }
    return analysis.result(crossings)
  }

  private static func check(_ start: Start, _ layout: ParameterLayout) throws(RunError) {
    guard start.weights.layout == layout, start.split.modulus == layout.modulus else {
      throw RunError("the start weights or the split are of another modulus or shape than the experiment")
    }
    guard start.weights.storage.allSatisfy(\.isFinite) else {
      throw RunError("the start weights hold a number that is not finite")
    }
    let trained = start.split.trainMask.count(where: { $0 })
    guard trained > 0 && trained < start.split.trainMask.count else {
      throw RunError(
        "the split has \(trained) train pairs of \(start.split.trainMask.count); both sets need at least one")
    }
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
      try keep(weights)
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
    if test != nil { dropStates() }
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
    let (replay, analysis) = (Replay(record), RunAnalysis(experiment, record, split, kernels))
    crossings = replay.crossings
    stage = replay.isFinished ? .analysis(analysis) : .replay(replay, then: analysis)
  }

  /// Keeps the weights of the evaluation that is being taken, for the analysis, and its moments too where the interval
  /// that starts here may have to be replayed.
  private func keep(_ weights: [Float]) throws {
    let number = record.taken.count
    let isLast = record.epoch == record.lastEpoch
    let startsInterval = !isLast && experiment.measure.evaluateEvery > 1 && !record.isSettled
    if !record.regenerates || number == 0 || isLast || startsInterval { try snapshots.write(.weights, number, weights) }
    guard startsInterval else { return }
    let moments = trainer.moments
    try snapshots.write(.firstMoment, number, moments.first)
    try snapshots.write(.secondMoment, number, moments.second)
    if record.keptStates.last != number { record.keptStates.append(number) }
  }

  /// Removes the moments (and, where the analysis trains again, the weights) of evaluations at which no interval starts
  /// that may have to be replayed.
  ///
  /// What is removed is needed never more, also by a run that resumes from a checkpoint before this evaluation: it comes
  /// through the same evaluations, and an interval without a crossing, or with one that was lost again, stays so. A run
  /// that ends at an odd epoch removes nothing there, since a longer one does not evaluate that epoch.
  private func dropStates() {
    var needed = record.intervalStarts
    if !record.isSettled { needed.append(record.taken.count - 1) }
    for number in record.keptStates where !needed.contains(number) {
      snapshots.remove(.firstMoment, number)
      snapshots.remove(.secondMoment, number)
      if record.regenerates && number > 0 { snapshots.remove(.weights, number) }
    }
    record.keptStates.removeAll { !needed.contains($0) }
  }
}

// What is trained again.
extension Run {
  /// From here on the trainer is not at the end of training any more.
  private func leaveEnd() {
    if finalWeights == nil { finalWeights = trainer.weights }
  }

  /// Brings the trainer to the next evaluation to be analysed, one epoch a call and from the start at first; false when
  /// there is nothing to train again, because it is there or weights were kept.
  private func regenerate(for analysis: RunAnalysis) throws -> Bool {
    guard record.regenerates, let next = analysis.nextEvaluation else { return false }
    if !isRegenerating {
      let start = try snapshots.read(.weights, 0)
      let zeros = [Float](repeating: 0, count: start.count)
      guard start.count == trainer.layout.count else {
        throw RunError("what was kept of the start is not of this model's size; it is damaged")
      }
      leaveEnd()
      trainer.restore(Trainer.State(epoch: 0, weights: start, firstMoment: zeros, secondMoment: zeros))
      isRegenerating = true
    }
    guard trainer.epoch < record.taken[next].epoch else { return false }
    _ = trainer.step()
    return true
  }

  private var remainingRegeneration: Int {
    guard record.regenerates, let last = record.taken.last else { return 0 }
    return isRegenerating ? last.epoch - trainer.epoch : last.epoch
  }

  /// The trainer's weights as those of evaluation `number`; all others as they were kept.
  private func snapshotsAndPresent(as number: Int) -> SnapshotStore {
    var store = snapshots
    store.read = { [snapshots, trainer] part, index in
      part == .weights && index == number ? trainer.weights.storage : try snapshots.read(part, index)
    }
    return store
  }
}

/// Why a run cannot start, or has no result, as a sentence.
package struct RunError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
