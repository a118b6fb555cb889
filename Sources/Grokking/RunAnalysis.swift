// The second stage of a run: every evaluation's measures, given the key frequencies of the final model.

import Kernels

/// Works through a run's evaluations one by one, in order of epoch.
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

  init(_ experiment: Experiment, _ record: RunRecord, _ split: Split, _ kernels: KernelPath) {
    self.experiment = experiment
    self.record = record
    self.split = split
    self.kernels = kernels
    labels = experiment.labels
  }

  /// Evaluations that are still to be analysed.
  var remaining: Int { record.taken.count - evaluations.count }
  var isFinished: Bool { remaining == 0 }

  /// A diverged run has no final model, hence no key frequencies and no measures that need them.
  private var hasFinalModel: Bool { record.divergence == nil }

  /// Analyses the next evaluation.
  mutating func advance(reading snapshots: SnapshotStore) throws {
    let index = evaluations.count
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
        let excluded = excludedLossByFrequency(
          logits: logits, classes: classes, task: experiment.task, split: split, labels: labels, keyFrequencies: keys)
        setKeyFrequencies(keys, excluded)
      }
    } else if isLast {
      setKeyFrequencies(keys, nil)
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

  private mutating func setKeyFrequencies(_ keys: [Int], _ excluded: [Double]?) {
    keyFrequencies = keys.enumerated().map { place, k in
      KeyFrequency(frequency: k, norm: finalSpectra!.normsW_L[k - 1], excludedLoss: excluded?[place])
    }
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

  /// - Precondition: finished.
  var result: RunResult {
    RunResult(
      outcome: OutcomeRule.outcome(
        memorization: record.memorization, evaluations: record.testAccuracies, lastEpoch: record.lastEpoch,
        evaluateEvery: experiment.measure.evaluateEvery, divergence: record.divergence),
      epochs: record.lastEpoch, evaluations: evaluations, keyFrequencies: keyFrequencies,
      digests: record.digests.links, kernelPath: kernels.rawValue)
  }
}
