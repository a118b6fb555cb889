// Everything that is measured of one model alone, in float64 (`docs/reference/measures.md`, "The final model").
//
// Two passes over all pairs, a few first operands at a time, each with a forward pass of its own: the first gathers
// sums over the grid, the second takes losses of what those sums say. Nothing of the size of p²·d_mlp or p²·d_vocab_out
// is ever held, so a worker's memory does not grow at the end of a run.

/// One model's analysis: call `advance` until it is finished, then read.
package struct ModelAnalysis {
  /// Losses over one set of pairs, mean cross-entropy in nats.
  package struct PairLosses: Hashable, Sendable {
    package var pairs: Int
    /// Over all d_vocab_out classes.
    package var loss: Double
    package var accuracy: Double
    /// Over classes 0…p−1.
    package var lossP: Double
    /// Of the key frequencies' waves and the mean alone, of everything but those waves, and of the cosines that
    /// approximate the logits; nil where the operation has no waves, and for products when no pair is without factor 0.
    package var restrictedLoss: Double?
    package var excludedLoss: Double?
    package var cosineLoss: Double?
  }

  package let spectra: Spectra
  /// Of the W_L rule, or those that were asked for; ascending.
  package let keyFrequencies: [Int]

  private let forward: DoubleForward
  private let layout: ParameterLayout
  private let circle: Circle
  private let waves: Waves?
  private let labels: [Int32]
  private let trainMask: [Bool]?
  /// Nil without waves.
  private let directions: KeyDirections?

  // The first pass.
  private var neuronSums: GridSums
  /// Attention to a, one signal per head.
  private var attentionSums: GridSums
  private var logitSums: GridSums
  /// Products of the neurons with u_k and v_k.
  private var directionSums: GridSums
  /// Of each head to a, b and `=`, at head·3 + position, summed over all pairs.
  private var attention: [Double]
  package private(set) var neurons: [NeuronFit] = []
  private var projections: WaveProjections?

  // The second.
  private var altered: AlteredLosses?
  private var overall: Overall

  /// First operands per step: at the paper's size a step takes about as long as the analysis of an evaluation.
  private static let operandsPerStep = 8
  private var done = 0
  private let stepsPerPass: Int

  /// - Parameters:
  ///   - labels: p².
  ///   - keys: key frequencies to measure with, ascending, instead of those of the model's own W_L.
  package init(
    weights: Parameters<Float>, activation: Activation, operation: Operation, labels: [Int32], trainMask: [Bool]?,
    keys: [Int]? = nil
  ) {
    layout = weights.layout
    let (p, model) = (layout.modulus, layout.model)
    waves = Waves(of: operation, modulus: p)
    circle = waves?.circle ?? Circle(of: operation, modulus: p)
    spectra = Spectra(weights: weights, around: circle)
    keyFrequencies = keys ?? spectra.keyFrequencies
    forward = DoubleForward(weights, activation: activation)
    self.labels = labels
    self.trainMask = trainMask
    directions = waves.map { [keyFrequencies] in
      KeyDirections(weights: weights, circle: $0.circle, frequencies: keyFrequencies)
    }
    neuronSums = GridSums(circle: circle, signals: model.dMLP)
    attentionSums = GridSums(circle: circle, signals: model.heads)
    logitSums = GridSums(circle: circle, signals: circle.length)
    directionSums = GridSums(circle: circle, signals: directions?.unit.columns ?? 0)
    attention = [Double](repeating: 0, count: model.heads * 3)
    overall = Overall(classes: model.dVocabOut, modulus: p)
    stepsPerPass = ModelAnalysis.steps(modulus: p) / 2
  }

  /// Calls of `advance` that an analysis takes.
  package static func steps(modulus p: Int) -> Int { 2 * ((p + operandsPerStep - 1) / operandsPerStep) }

  package var remaining: Int { 2 * stepsPerPass - done }
  package var isFinished: Bool { remaining == 0 }

  /// Works through a few first operands.
  ///
  /// - Throws: for neurons or logits without bounds; the analysis cannot go on then.
  package mutating func advance() throws(AnalysisError) {
    guard !isFinished else { return }
    let first = done % stepsPerPass * ModelAnalysis.operandsPerStep
    for a in first..<min(first + ModelAnalysis.operandsPerStep, layout.modulus) {
      if done < stepsPerPass { try gather(a) } else { measure(a) }
    }
    done += 1
    if done == stepsPerPass { prepareSecondPass() }
  }

  private mutating func gather(_ a: Int) throws(AnalysisError) {
    let (p, heads) = (layout.modulus, layout.model.heads)
    let rows = forward.rows(a: a)
    // Squares of these still fit a Double, so every measure is finite.
    guard rows.neurons.isBounded(by: 1e100), rows.logits.isBounded(by: 1e100) else {
      throw AnalysisError(
        "the model's neurons or logits are not finite or above 1e100; its weights are too large to be analyzed")
    }
    neuronSums.add(rows.neurons, a: a)
    logitSums.add(rows.logits.selectingColumns(circle.residues), a: a)
    if let directions { directionSums.add(rows.neurons * directions.unit, a: a) }
    var toFirst = Matrix(rows: p, columns: heads)
    for (index, share) in rows.attention.enumerated() {
      attention[index / p] += share
      if index / p % 3 == 0 { toFirst[index % p, index / p / 3] = share }
    }
    attentionSums.add(toFirst, a: a)
  }

  private mutating func prepareSecondPass() {
    neurons = neuronSums.fits()
    guard let waves, let directions else { return }
    let sums = WaveSums(basis: circle.basis, sums: logitSums.sums(along: waves.direction))
    let projections = sums.projections(keyFrequencies)
    self.projections = projections
    altered = AlteredLosses(
      waves: waves, neurons: neuronSums, fits: neurons, logits: logitSums, projections: projections,
      directions: directions, biasLogits: forward.biasLogits)
  }

  private mutating func measure(_ a: Int) {
    let rows = forward.rows(a: a)
    overall.add(a: a, logits: rows.logits, labels: labels, trainMask: trainMask)
    altered?.add(
      a: a, logits: rows.logits.selectingColumns(circle.residues),
      skip: rows.skipLogits.selectingColumns(circle.residues), neurons: rows.neurons, labels: labels,
      trainMask: trainMask)
  }
}

// What a finished analysis says.
extension ModelAnalysis {
  /// - Precondition: finished, as for all that follows.
  package var finalMeasures: FinalMeasures {
    precondition(isFinished, "\(remaining) steps of the analysis are still to be done")
    return FinalMeasures(
      normsW_E: spectra.normsW_E, normsW_L: spectra.normsW_L,
      keyFrequenciesW_E: Spectra.keyFrequencies(norms: spectra.normsW_E),
      keyFrequenciesNeurons: (1...max(1, circle.frequencyCount)).filter { neuronCount(at: $0) > 0 }, neurons: neurons,
      heads: heads, rankResidual: directions?.residual, ablations: altered?.ablations ?? [])
  }

  /// The key frequencies; each one's excluded loss is on train, and absent without a split.
  package var frequencies: [KeyFrequency] {
    let cosines = projections?.cosineCoefficients
    let explained = waves.map {
      directionSums.varianceExplained(byRows: keyFrequencies.flatMap { [2 * $0 - 1, 2 * $0] }, along: $0.direction)
    }
    return keyFrequencies.enumerated().map { i, k in
      KeyFrequency(
        frequency: k, norm: spectra.normsW_L[k - 1], excludedLoss: altered?.excludedAlone[i].train.mean,
        cosineCoefficient: cosines?[i], neurons: neuronCount(at: k), varianceExplainedU: explained?[2 * i],
        varianceExplainedV: explained?[2 * i + 1])
    }
  }

  /// Share of the variance of the logits on the circle that the key frequencies' cosines explain; nil without waves.
  package var logitVarianceExplained: Double? {
    projections.map { varianceExplained(by: $0.cosineCoefficients, of: logitSums.variance) }
  }

  /// As `FinalMeasures.rankResidual`, without what W_L gives all classes alike.
  package var centeredRankResidual: Double? { directions?.centeredResidual }

  /// Nil without a split, or when it leaves no such pair.
  package var train: PairLosses? { losses(\.train) }
  package var test: PairLosses? { losses(\.test) }
  package var all: PairLosses {
    guard let all = losses(\.all) else { preconditionFailure("modulus \(layout.modulus) has no pairs") }
    return all
  }

  /// Neurons over 85 % whose best frequency is k.
  private func neuronCount(at k: Int) -> Int { neurons.count { $0.varianceExplained > 0.85 && $0.frequency == k } }

  private var heads: [HeadMeasures] {
    attentionSums.fits().enumerated().map { head, fit in
      HeadMeasures(
        attention: (0..<3).map { attention[head * 3 + $0] / Double(layout.modulus * layout.modulus) },
        frequency: fit.frequency, varianceExplained: fit.varianceExplained)
    }
  }

  private func losses(_ set: KeyPath<SplitTotals, PairTotal>) -> PairLosses? {
    guard
      let loss = overall.losses[keyPath: set].mean, let lossP = overall.lossesP[keyPath: set].mean,
      let accuracy = overall.correct[keyPath: set].mean
    else { return nil }
    return PairLosses(
      pairs: overall.losses[keyPath: set].count, loss: loss, accuracy: accuracy, lossP: lossP,
      restrictedLoss: altered?.restricted[keyPath: set].mean, excludedLoss: altered?.excluded[keyPath: set].mean,
      cosineLoss: cosineLosses?[keyPath: set].mean)
  }

  private var cosineLosses: SplitTotals? {
    guard let waves, let projections else { return nil }
    let losses = projections.cosineLosses(projections.cosineCoefficients)
    var totals = SplitTotals()
    let (places, n) = (waves.places(ofLabels: labels), circle.length)
    for (position, pair) in waves.pairs.enumerated() {
      guard let place = places[position] else { continue }
      totals.add(losses[(waves.index[position] - place + n) % n], isTrained: trainMask.map { $0[pair] })
    }
    return totals
  }
}

/// Losses of the model as it is over all pairs, over all classes and over 0…p−1.
private struct Overall {
  private(set) var losses = SplitTotals()
  private(set) var lossesP = SplitTotals()
  /// 1 for every right answer.
  private(set) var correct = SplitTotals()
  private var row: LogitRow
  private var rowP: LogitRow
  private let modulus: Int

  init(classes: Int, modulus: Int) {
    self.modulus = modulus
    row = LogitRow(classes: classes)
    rowP = LogitRow(classes: modulus)
  }

  mutating func add(a: Int, logits: Matrix, labels: [Int32], trainMask: [Bool]?) {
    for b in 0..<modulus {
      let pair = a * modulus + b
      let isTrained = trainMask.map { $0[pair] }
      row.set { logits.storage[b * logits.vectors + $0] }
      let (loss, isCorrect) = row.loss(label: Int(labels[pair]))
      losses.add(loss, isTrained: isTrained)
      correct.add(isCorrect ? 1 : 0, isTrained: isTrained)
      rowP.set { logits.storage[b * logits.vectors + $0] }
      lossesP.add(rowP.loss(label: Int(labels[pair])).loss, isTrained: isTrained)
    }
  }
}
