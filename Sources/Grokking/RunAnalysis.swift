// The second stage of a run: every evaluation's measures, given the key frequencies of the final model.

import Kernels

/// Works through a run's evaluations one by one, in order of epoch, and then through the final key frequencies.
struct RunAnalysis {
  private let experiment: Experiment
  private let record: RunRecord
  private let split: Split
  private let kernels: KernelPath
  private let labels: [Int32]
  private var evaluations: [Evaluation] = []
  /// Of the final model; nil until its snapshot was read.
  private var finalSpectra: Spectra?
  private var keyFrequencies: [KeyFrequency] = []
  /// Of the final model; nil until it is analysed, and for operations without waves.
  private var exclusion: SingleExclusion?

  init(_ experiment: Experiment, _ record: RunRecord, _ split: Split, _ kernels: KernelPath) {
    self.experiment = experiment
    self.record = record
    self.split = split
    self.kernels = kernels
    labels = experiment.labels
  }

  /// Evaluations that are still to be analysed, and key frequencies as far as they are known.
  var remaining: Int {
    record.taken.count - evaluations.count + (finalSpectra?.keyFrequencies.count ?? 0) - keyFrequencies.count
  }
  var isFinished: Bool { remaining == 0 }

  /// A diverged run has no final model, hence no key frequencies and no measures that need them.
  private var hasFinalModel: Bool { record.divergence == nil }

  /// Analyses the next evaluation, or the next key frequency.
  mutating func advance(reading snapshots: SnapshotStore) throws {
    let index = evaluations.count
    if index == record.taken.count { return addKeyFrequency() }
    let isLast = index == record.taken.count - 1
    let weights = try parameters(index, snapshots)
    let spectra = Spectra(weights: weights)
    if hasFinalModel && finalSpectra == nil {
      finalSpectra = Spectra(weights: try parameters(record.taken.count - 1, snapshots))
    }
    let keys = finalSpectra?.keyFrequencies ?? []
    var measures: ProgressMeasures?
    if hasFinalModel && Waves(of: experiment.task.operation, modulus: experiment.task.modulus) != nil {
      let classes = experiment.model.dVocabOut
      let logits = allLogits(weights: weights, activation: experiment.model.activation, kernels: kernels)
      measures = progressMeasures(
        logits: logits, classes: classes, task: experiment.task, split: split, labels: labels, keyFrequencies: keys)
      if isLast {
        exclusion = SingleExclusion(
          logits: logits, classes: classes, task: experiment.task, split: split, labels: labels)
      }
    }
    let taken = record.taken[index]
    evaluations.append(
      Evaluation(
        epoch: taken.epoch, trainLoss: taken.train.loss, testLoss: taken.test.loss,
        trainAccuracy: taken.train.accuracy, testAccuracy: taken.test.accuracy,
        restrictedLossTrain: measures?.restrictedLossTrain, restrictedLossTest: measures?.restrictedLossTest,
        restrictedLoss: measures?.restrictedLoss, excludedLoss: measures?.excludedLoss,
        giniW_E: gini(spectra.normsW_E), giniW_L: gini(spectra.normsW_L),
        sumSquaredWeights: sumSquaredWeights(weights)))
  }

  private mutating func addKeyFrequency() {
    guard let spectra = finalSpectra else { return }
    let k = spectra.keyFrequencies[keyFrequencies.count]
    keyFrequencies.append(
      KeyFrequency(frequency: k, norm: spectra.normsW_L[k - 1], excludedLoss: exclusion?.loss(without: k)))
    if isFinished { exclusion = nil }
  }

  private func parameters(_ index: Int, _ snapshots: SnapshotStore) throws -> Parameters<Float> {
    let layout = ParameterLayout(experiment)
    let storage = try snapshots.read(index)
    guard storage.count == layout.count else {
      throw RunError(
        "the snapshot of evaluation \(index) holds \(storage.count) weights, not \(layout.count); it is damaged")
    }
    return Parameters(layout, storage: storage)
  }

  /// The evaluation that is analysed next; nil when only key frequencies are left.
  var nextEvaluation: Int? { evaluations.count < record.taken.count ? evaluations.count : nil }

  /// - Precondition: finished.
  /// - Parameter crossings: located.
  func result(_ crossings: [Crossing]) -> RunResult {
    let outcome = record.outcome(crossings, evaluateEvery: experiment.measure.evaluateEvery)
    return RunResult(
      outcome: outcome, epochs: record.lastEpoch, evaluations: evaluations, keyFrequencies: keyFrequencies,
      crossings: crossings, phases: PhaseRule.phases(evaluations, outcome), digests: record.digests.links,
      kernelPath: kernels.rawValue)
  }
}
