// One run from start weights to result: training with evaluations, then the analysis of every evaluation.
//
// The restricted and excluded losses need the key frequencies of the final model, so weights are kept at every
// evaluation and analysed when training is over. Whoever owns a run calls `advance` until it is finished and decides
// about time, files and interruption; nothing here waits, reads a clock or writes.

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
    case analysis(RunAnalysis)
  }
  private var stage = Stage.training
  private var record: RunRecord
  /// Calls of `advance` so far.
  private var work = 0

  /// - Parameter start: weights and split to start from; drawn by the experiment's seeds when nil.
  /// - Throws: `RunError` when the experiment cannot be trained or the start does not fit it.
  package init(
    _ experiment: Experiment, from start: Start? = nil, kernels: KernelPath, snapshots: SnapshotStore
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
  }

  /// Goes on where `checkpoint` was taken, with the same bits. `snapshots` must still hold what the run had written.
  ///
  /// - Throws: `CheckpointError` when the bytes are damaged or of another experiment or engine.
  package init(
    resuming checkpoint: [UInt8], of experiment: Experiment, kernels: KernelPath, snapshots: SnapshotStore
  ) throws {
    let checkpoint = try Checkpoint(parsing: checkpoint, of: experiment)
    let weights = Parameters(ParameterLayout(experiment), storage: checkpoint.state.weights)
    self.experiment = experiment
    self.split = checkpoint.split
    self.kernels = kernels
    self.snapshots = snapshots
    trainer = Trainer(experiment, start: Start(weights: weights, split: checkpoint.split), kernels: kernels)
    trainer.restore(checkpoint.state)
    record = checkpoint.record
    work = record.work
  }

  /// The present weights; of a diverged run, those whose loss is not finite.
  package var weights: Parameters<Float> { trainer.weights }

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
    case .analysis(let analysis):
      stage = .analysis
      remaining = analysis.remaining
    }
    let last = record.taken.last
    return RunProgress(
      stage: stage, epoch: record.epoch, epochs: record.lastEpoch, work: work, totalWork: work + remaining,
      trainLoss: record.latestTrain?.loss, testLoss: last?.test.loss, trainAccuracy: record.latestTrain?.accuracy,
      testAccuracy: last?.test.accuracy)
  }

  /// One epoch, and before it the evaluation that is due; or, when training is over, the analysis of one evaluation
  /// or of a part of the final model.
  /// Does nothing once finished.
  ///
  /// - Throws: what the snapshot store throws; nothing has happened then, and the call may be repeated.
  package func advance() throws {
    switch stage {
    case .training:
      if try train() { stage = .analysis(RunAnalysis(self.experiment, record, split, kernels)) }
      work += 1
      record.work = work
    case .analysis(var analysis):
      guard !analysis.isFinished else { return }
      try analysis.advance(reading: snapshots)
      stage = .analysis(analysis)
      work += 1
    }
  }

  /// Trains one epoch; true when that was all, because the last evaluation is taken or a loss is not finite.
  private func train() throws -> Bool {
    var test: LossAndAccuracy?
    if record.epoch % experiment.measure.evaluateEvery == 0 || record.epoch == record.lastEpoch {
      let result = trainer.evaluateTest()
      guard result.loss.isFinite else { return diverge() }
      record.endEarly(after: experiment.stop.afterGrokking, evaluatedNow: result.accuracy)
      test = result
    }
    let weights = test == nil ? nil : trainer.weights.storage
    if let weights, !weights.allSatisfy(\.isFinite) { return diverge() }
    // Before the step, so that a snapshot that cannot be written leaves the run where it was.
    if let weights { try snapshots.write(record.taken.count, weights) }
    let isLast = record.epoch == record.lastEpoch
    let train = isLast ? trainer.evaluateTrain() : trainer.step()
    guard train.loss.isFinite else { return diverge() }
    if record.memorization == nil && train.accuracy >= OutcomeRule.accuracy { record.memorization = record.epoch }
    record.latestTrain = train
    if let test { record.taken.append(RunRecord.Taken(epoch: record.epoch, train: train, test: test)) }
    if isLast {
      if record.digests.links.last?.epoch != record.epoch {
        record.digests.add(epoch: record.epoch, weights: trainer.weights.storage)
      }
      return true
    }
    record.epoch += 1
    if record.epoch % WeightDigest.interval == 0 {
      record.digests.add(epoch: record.epoch, weights: trainer.weights.storage)
    }
    return false
  }

  private func diverge() -> Bool {
    record.divergence = record.epoch
    record.lastEpoch = record.epoch
    record.digests.add(epoch: record.epoch, weights: [])
    return true
  }

  /// Everything needed to go on with the same bits elsewhere, given the same snapshots.
  ///
  /// - Throws: `CheckpointError` once training is over; the analysis is short and starts again from the last one.
  package func checkpoint() throws -> [UInt8] {
    guard case .training = stage else { throw CheckpointError("training is over; there is nothing to resume") }
    return try Checkpoint(experiment: experiment, split: split, state: trainer.state, record: record).serialized()
  }

  /// - Throws: `RunError` before the run is finished.
  package func result() throws -> RunResult {
    guard case .analysis(let analysis) = stage, analysis.isFinished else {
      throw RunError("the run is at epoch \(record.epoch) of \(record.lastEpoch) and has no result yet")
    }
    return analysis.result
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

/// Why a run cannot start, or has no result, as a sentence.
package struct RunError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
