// The second stage of a run: every evaluation's measures, given the key frequencies of the final model, and then all
// that is measured of that model alone.

import Kernels

/// Works through a run's evaluations one by one, in order of epoch, and then through the final model.
struct RunAnalysis {
  private let experiment: Experiment
  private let record: RunRecord
  private let split: Split
  private let kernels: KernelPath
  private let labels: [Int32]
  private let circle: Circle
  /// Nil for operations without waves.
  private let meter: ProgressMeter?
  private var evaluations: [Evaluation] = []
  /// Of the final model; nil until its snapshot was read.
  private var finalSpectra: Spectra?
  /// Of the final model; nil until every evaluation is analysed, and when its logits have no bounds.
  private var model: ModelAnalysis?
  private var isModelMeasurable = true

  init(_ experiment: Experiment, _ record: RunRecord, _ split: Split, _ kernels: KernelPath) {
    self.experiment = experiment
    self.record = record
    self.split = split
    self.kernels = kernels
    labels = experiment.labels(on: split)
    circle = Circle(of: experiment.task.operation, modulus: experiment.task.modulus)
    meter = ProgressMeter(task: experiment.task, split: split, labels: labels)
  }

  /// Steps that are still to be done: one per evaluation, and those of the final model.
  var remaining: Int { record.taken.count - evaluations.count + remainingOfModel }
  var isFinished: Bool { remaining == 0 }

  private var remainingOfModel: Int {
    guard hasFinalModel && isModelMeasurable else { return 0 }
    return model?.remaining ?? ModelAnalysis.steps(modulus: experiment.task.modulus)
  }

  /// A diverged run has no final model, hence no key frequencies and no measures that need them.
  private var hasFinalModel: Bool { record.divergence == nil }

  /// Analyses the next evaluation, or the next part of the final model.
  mutating func advance(reading snapshots: SnapshotStore) throws {
    guard evaluations.count == record.taken.count else { return try analyseEvaluation(snapshots) }
    if model == nil {
      model = ModelAnalysis(
        weights: try parameters(record.taken.count - 1, snapshots), activation: experiment.model.activation,
        operation: experiment.task.operation, labels: labels, trainMask: split.trainMask)
    }
    do {
      try model?.advance()
    } catch {
      // Float32 losses were finite, but float64 sees logits beyond all bounds: there is nothing to measure.
      model = nil
      isModelMeasurable = false
    }
  }

  private mutating func analyseEvaluation(_ snapshots: SnapshotStore) throws {
    let index = evaluations.count
    let weights = try parameters(index, snapshots)
    let spectra = Spectra(weights: weights, around: circle)
    if hasFinalModel && finalSpectra == nil {
      finalSpectra = Spectra(weights: try parameters(record.taken.count - 1, snapshots), around: circle)
    }
    var measures: ProgressMeasures?
    if let meter, let finalSpectra {
      let logits = allLogits(weights: weights, activation: experiment.model.activation, kernels: kernels)
      measures = meter.measures(
        of: logits, classes: experiment.model.dVocabOut, keyFrequencies: finalSpectra.keyFrequencies)
    }
    let taken = record.taken[index]
    evaluations.append(
      Evaluation(
        epoch: taken.epoch, trainLoss: taken.train.loss, testLoss: taken.test.loss,
        trainAccuracy: taken.train.accuracy, testAccuracy: taken.test.accuracy,
        restrictedLossTrain: measures?.restrictedLossTrain, restrictedLossTest: measures?.restrictedLossTest,
        restrictedLoss: measures?.restrictedLoss, excludedLoss: measures?.excludedLoss,
        giniW_E: gini(spectra.normsW_E), giniW_L: gini(spectra.normsW_L),
        sumSquaredWeights: sumSquaredWeights(weights),
        sumSquaredByTensor: TensorName.allCases.map { name in
          weights.layout[name].map { _ in sumSquaredWeights(weights, of: name) }
        },
        normsW_E: RunAnalysis.stored(spectra.normsW_E), normsW_L: RunAnalysis.stored(spectra.normsW_L),
        logitVarianceExplained: measures?.logitVarianceExplained, cosineLossTest: measures?.cosineLossTest,
        keyFrequencies: measures?.keyFrequencies ?? []))
  }

  /// Excluded losses and cosine coefficients are those of the last evaluation, so that a run and the end of its curve
  /// never differ; the rest is of the final model in float64.
  /// Absent altogether when that cannot be measured: how many neurons compute with a frequency is not known then.
  private var keyFrequencies: [KeyFrequency] {
    let last = evaluations.last?.keyFrequencies ?? []
    guard let spectra = finalSpectra, let found = model?.frequencies else { return [] }
    return spectra.keyFrequencies.enumerated().map { i, k in
      KeyFrequency(
        frequency: k, norm: spectra.normsW_L[k - 1], excludedLoss: last.isEmpty ? nil : last[i].excludedLoss,
        cosineCoefficient: last.isEmpty ? nil : last[i].cosineCoefficient, neurons: found[i].neurons,
        varianceExplainedU: found[i].varianceExplainedU, varianceExplainedV: found[i].varianceExplainedV)
    }
  }

  /// In float32, which a curve has room for; empty when a norm is beyond that.
  private static func stored(_ norms: [Double]) -> [Float] {
    let stored = norms.map(Float.init)
    return stored.allSatisfy(\.isFinite) ? stored : []
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
    let keyFrequencies = keyFrequencies
    var evaluations = evaluations
    if keyFrequencies.isEmpty {
      // What an evaluation says by key frequency is of these, one by one.
      for index in evaluations.indices { evaluations[index].keyFrequencies = [] }
    }
    return RunResult(
      outcome: outcome, epochs: record.lastEpoch, evaluations: evaluations, keyFrequencies: keyFrequencies,
      finalModel: model?.finalMeasures, crossings: crossings, phases: PhaseRule.phases(evaluations, outcome),
      digests: record.digests.links, kernelPath: kernels.rawValue)
  }
}
