// Restricted and excluded loss (Nanda et al. 2023, section 5.1; `measures.md` section 5).
//
// Restricted: only the key frequencies' waves and the mean are kept, and the loss shows how far the general solution
// has come. Excluded: exactly those waves are taken away, and the loss shows how much is still memorized. Both are
// over classes 0…p−1. A run takes them at every evaluation, so only what its curve keeps is computed here.

/// The minimal set, taken at every evaluation. Mean cross-entropies in nats.
package struct ProgressMeasures: Hashable, Sendable {
  /// Of Σ_k P_k(L) + mean(L), on the train pairs, the test pairs and all pairs.
  package var restrictedLossTrain: Double
  package var restrictedLossTest: Double
  package var restrictedLoss: Double
  /// Of L − Σ_k P_k(L), on the train pairs.
  package var excludedLoss: Double

  package init(
    restrictedLossTrain: Double, restrictedLossTest: Double, restrictedLoss: Double, excludedLoss: Double
  ) {
    self.restrictedLossTrain = restrictedLossTrain
    self.restrictedLossTest = restrictedLossTest
    self.restrictedLoss = restrictedLoss
    self.excludedLoss = excludedLoss
  }
}

/// The measures of one evaluation.
///
/// - Parameters:
///   - logits: p² × d_vocab_out, row a·p+b.
///   - labels: p².
///   - keyFrequencies: of the final model.
/// - Returns: nil for an operation without waves, for a split without train or test pairs, and when a loss is not finite.
package func progressMeasures(
  logits: [Float], classes dVocabOut: Int, task: LearningTask, split: Split, labels: [Int32], keyFrequencies: [Int]
) -> ProgressMeasures? {
  guard let waves = Waves(of: task.operation, modulus: task.modulus) else { return nil }
  let losses = WaveLosses(logits: logits, classes: dVocabOut, waves: waves, labels: labels)
  let trainPairs = split.trainPairs
  let kept = losses.sums.projection(on: keyFrequencies)
  let (train, test) = losses.restricted(kept: kept, trainMask: split.trainMask)
  guard
    let trainLoss = train.mean, let testLoss = test.mean,
    let excluded = losses.excluded(removed: kept, pairs: trainPairs),
    let all = (train + test).mean,
    [trainLoss, testLoss, all, excluded].allSatisfy(\.isFinite)
  else { return nil }
  return ProgressMeasures(
    restrictedLossTrain: trainLoss, restrictedLossTest: testLoss, restrictedLoss: all, excludedLoss: excluded)
}

/// Excluded loss on train with one frequency removed alone. Each costs as much as all of an evaluation's excluded loss,
/// and a model that has not grokked has many, so they are taken one at a time.
package struct SingleExclusion {
  private let losses: WaveLosses<Float>
  private let trainPairs: [Int]

  /// Parameters as of `progressMeasures`; nil for an operation without waves.
  package init?(logits: [Float], classes dVocabOut: Int, task: LearningTask, split: Split, labels: [Int32]) {
    guard let waves = Waves(of: task.operation, modulus: task.modulus) else { return nil }
    losses = WaveLosses(logits: logits, classes: dVocabOut, waves: waves, labels: labels)
    trainPairs = split.trainPairs
  }

  /// Mean cross-entropy of L − P_k(L) on train; nil without train pairs, and when it is not finite.
  package func loss(without k: Int) -> Double? {
    losses.excluded(removed: losses.sums.projection(on: [k]), pairs: trainPairs).flatMap { $0.isFinite ? $0 : nil }
  }
}

/// Logits of all pairs with their wave sums, and the losses that come of keeping or removing waves.
struct WaveLosses<Scalar: BinaryFloatingPoint & Sendable> {
  /// A sum of losses and how many.
  struct Total {
    var sum = 0.0
    var count = 0
    /// Nil without pairs.
    var mean: Double? { count > 0 ? sum / Double(count) : nil }

    static func + (left: Total, right: Total) -> Total {
      Total(sum: left.sum + right.sum, count: left.count + right.count)
    }
  }

  let logits: [Scalar]
  let classes: Int
  let waves: Waves
  let labels: [Int32]
  let sums: WaveSums

  init(logits: [Scalar], classes: Int, waves: Waves, labels: [Int32]) {
    precondition(labels.count == waves.index.count, "\(labels.count) labels for \(waves.index.count) pairs")
    self.logits = logits
    self.classes = classes
    self.waves = waves
    self.labels = labels
    sums = WaveSums(logits: logits, classes: classes, waves: waves)
  }

  /// Losses of `kept` + mean(L) over the train pairs and over the others.
  ///
  /// All pairs of one s have the same restricted logits, so each (s, label) that occurs is computed once.
  /// - Parameter kept: Σ_k P_k(L) by s, p × p.
  func restricted(kept: Matrix, trainMask: [Bool]) -> (train: Total, test: Total) {
    let p = waves.modulus
    var counts = [(train: Int, test: Int)](repeating: (0, 0), count: p * p)
    for pair in 0..<p * p {
      let cell = waves.index[pair] * p + Int(labels[pair])
      if trainMask[pair] { counts[cell].train += 1 } else { counts[cell].test += 1 }
    }
    var restricted = kept
    restricted.addToRows(sums.means)
    var row = LogitRow(classes: p)
    var (train, test) = (Total(), Total())
    restricted.storage.withUnsafeBytes { bytes in
      let values = bytes.bindMemory(to: Double.self).baseAddress!
      for s in 0..<p {
        row.set(values + s * restricted.vectors * 8)
        for label in 0..<p {
          let count = counts[s * p + label]
          guard count.train + count.test > 0 else { continue }
          let loss = row.loss(label: label).loss
          if count.train > 0 { train = train + Total(sum: loss * Double(count.train), count: count.train) }
          if count.test > 0 { test = test + Total(sum: loss * Double(count.test), count: count.test) }
        }
      }
    }
    return (train, test)
  }

  /// Mean loss of L − `removed` over `pairs`; nil without pairs.
  /// - Parameter removed: waves by s, p × p.
  func excluded(removed: Matrix, pairs: some Collection<Int>) -> Double? {
    var row = LogitRow(classes: waves.modulus)
    var total = Total()
    logits.withUnsafeBufferPointer { logits in
      removed.storage.withUnsafeBytes { bytes in
        let waveRows = bytes.bindMemory(to: Double.self).baseAddress!
        for pair in pairs {
          row.set(
            logits.baseAddress! + pair * classes, minus: waveRows + waves.index[pair] * removed.vectors * 8)
          total.sum += row.loss(label: Int(labels[pair])).loss
          total.count += 1
        }
      }
    }
    return total.mean
  }
}
