// How a model's report is computed: one float64 forward pass over all pairs, then sums over its logits and neurons.
//
// 0.4 s at the paper's size on one core of a 2-core Zen 5; logits of all pairs are held at once (8·p²·d_vocab_out bytes).

extension AnalysisReport {
  /// - Parameters:
  ///   - model: weights, and the train mask if there is one.
  ///   - operation: what the model was trained on; not in the file.
  ///   - activation: not in the file either; nil takes the model shape's.
  ///   - dataSeed: draws the table of the `random` operation, and only that operation needs it.
  ///   - keys: key frequencies to measure with, instead of those of the model's own W_L.
  /// - Throws: `AnalysisError` for frequencies that do not exist, for logits without bounds, and for `random`
  ///   without its seed.
  package init(
    model file: ModelFile, operation: Operation, activation: Activation? = nil, dataSeed: UInt64? = nil,
    keys: [Int]? = nil
  ) throws(AnalysisError) {
    let p = file.modulus
    var shape = file.model
    shape.activation = activation ?? shape.activation
    let spectra = Spectra(weights: file.weights)
    let keys = try AnalysisReport.checked(keys ?? spectra.keyFrequencies, modulus: p)
    guard operation != .random || dataSeed != nil else {
      throw AnalysisError(
        "the random operation's table is drawn from the data seed, which this file does not record; losses need it")
    }
    let labels = LearningTask(operation: operation, modulus: p).labels(dataSeed: dataSeed ?? 0)

    let basis = FourierBasis(modulus: p)
    let forward = DoubleForward(file.weights, activation: shape.activation)
    var neurons = NeuronSums(basis: basis, neurons: shape.dMLP)
    var logits = [Double](repeating: 0, count: p * p * shape.dVocabOut)
    var attention = [Double](repeating: 0, count: shape.heads * 3)
    for a in 0..<p {
      let rows = forward.rows(a: a)
      // Squares of these still fit a Double, so every measure below is finite.
      guard rows.neurons.isBounded(by: 1e100), rows.logits.isBounded(by: 1e100) else {
        throw AnalysisError(
          "the model's neurons or logits are not finite or above 1e100; its weights are too large to be analyzed")
      }
      neurons.add(rows.neurons, a: a)
      rows.logits.copyScalars(to: &logits, at: a * p * shape.dVocabOut)
      for (index, share) in rows.attention.enumerated() { attention[index / p] += share }
    }
    let measured = Measured(
      logits: logits, classes: shape.dVocabOut, modulus: p, labels: labels, waves: Waves(of: operation, modulus: p),
      trainMask: file.trainMask, keys: keys)
    self.init(
      modulus: p, model: shape, operation: operation, frequencies: measured.frequencies, train: measured.train,
      test: measured.test, all: measured.all, spectra: spectra,
      sumSquaredWeightsByTensor: file.weights.layout.tensors.map {
        ($0.name, Grokking.sumSquaredWeights(file.weights, of: $0.name))
      },
      logitVarianceExplained: measured.logitVarianceExplained, neurons: neurons.fits(),
      heads: (0..<shape.heads).map { head in
        Head(attention: (0..<3).map { attention[head * 3 + $0] / Double(p * p) })
      })
  }

  private static func checked(_ keys: [Int], modulus p: Int) throws(AnalysisError) -> [Int] {
    let sorted = keys.sorted()
    for (index, key) in sorted.enumerated() {
      guard (1...(p - 1) / 2).contains(key) else {
        throw AnalysisError("there is no frequency \(key) at modulus \(p); they run from 1 to \((p - 1) / 2)")
      }
      guard index == 0 || sorted[index - 1] != key else { throw AnalysisError("frequency \(key) is given twice") }
    }
    return sorted
  }
}

/// What follows from the logits alone.
private struct Measured {
  var train: AnalysisReport.PairLosses?
  var test: AnalysisReport.PairLosses?
  var all: AnalysisReport.PairLosses
  var frequencies: [AnalysisReport.Frequency]
  var logitVarianceExplained: Double?

  init(
    logits: [Double], classes: Int, modulus p: Int, labels: [Int32], waves: Waves?, trainMask: [Bool]?, keys: [Int]
  ) {
    let everyPair = Array(labels.indices)
    let trainPairs = trainMask.map { mask in everyPair.filter { mask[$0] } }
    let testPairs = trainMask.map { mask in everyPair.filter { !mask[$0] } }
    let analysis = waves.map { WaveLosses(logits: logits, classes: classes, waves: $0, labels: labels) }
    let kept = analysis?.sums.projection(on: keys)

    func losses(on pairs: [Int], restricted: Double?) -> AnalysisReport.PairLosses? {
      guard
        let full = meanLoss(logits: logits, classes: classes, firstClasses: classes, labels: labels, pairs: pairs),
        let overP = meanLoss(logits: logits, classes: classes, firstClasses: p, labels: labels, pairs: pairs)
      else { return nil }
      return AnalysisReport.PairLosses(
        pairs: pairs.count, loss: full.loss, accuracy: full.accuracy, lossP: overP.loss, restrictedLoss: restricted,
        excludedLoss: kept.flatMap { analysis?.excluded(removed: $0, pairs: pairs) })
    }
    let mask = trainMask ?? [Bool](repeating: false, count: labels.count)
    let restricted = kept.flatMap { analysis?.restricted(kept: $0, trainMask: mask) }
    train = trainPairs.flatMap { losses(on: $0, restricted: restricted?.train.mean) }
    test = testPairs.flatMap { losses(on: $0, restricted: restricted?.test.mean) }
    guard let all = losses(on: everyPair, restricted: restricted.flatMap { ($0.train + $0.test).mean }) else {
      preconditionFailure("modulus \(p) has no pairs")
    }
    self.all = all

    let coefficients = analysis?.sums.cosineCoefficients(keys)
    frequencies = keys.enumerated().map { index, key in
      AnalysisReport.Frequency(
        frequency: key, cosineCoefficient: coefficients?[index],
        excludedLoss: analysis.flatMap { analysis in
          trainPairs.flatMap { analysis.excluded(removed: analysis.sums.projection(on: [key]), pairs: $0) }
        })
    }
    logitVarianceExplained = coefficients.map {
      Measured.varianceExplained(by: $0, logits: logits, classes: classes, modulus: p)
    }
  }

  /// Share of the variance about the grand mean, classes 0…p−1. The cosines are orthogonal, of mean 0 and mean square ½.
  private static func varianceExplained(
    by coefficients: [Double], logits: [Double], classes: Int, modulus p: Int
  ) -> Double {
    let count = Double(p * p * p)
    var mean = 0.0
    for pair in 0..<p * p { for c in 0..<p { mean += logits[pair * classes + c] / count } }
    var variance = 0.0
    for pair in 0..<p * p {
      for c in 0..<p {
        let deviation = logits[pair * classes + c] - mean
        variance += deviation * deviation / count
      }
    }
    guard variance > 0 else { return 0 }
    return coefficients.reduce(0) { $0 + $1 * $1 / 2 } / variance
  }
}
