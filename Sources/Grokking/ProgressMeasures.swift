// Restricted and excluded loss and the cosines that approximate the logits (Nanda et al. 2023, sections 4.2 and 5.1;
// `measures.md` section 5), at every evaluation of a run.
//
// Restricted: only the key frequencies' waves and the mean are kept, and the loss shows how far the general solution
// has come. Excluded: exactly those waves are taken away, and the loss shows how much is still memorized. Both are over
// the classes on the circle: 0…p−1, for products 1…p−1.

/// What one evaluation's logits say, given the key frequencies. Mean cross-entropies in nats.
package struct ProgressMeasures: Hashable, Sendable {
  /// Of Σ_k P_k(L) + mean(L), on the train pairs, the test pairs and all pairs.
  package var restrictedLossTrain: Double
  package var restrictedLossTest: Double
  package var restrictedLoss: Double
  /// Of L − Σ_k P_k(L), on the train pairs.
  package var excludedLoss: Double
  /// Share of the logits' variance that Σ_k α_k·cos(2πk(s−c)/n) explains, and its loss on the test pairs.
  package var logitVarianceExplained: Double
  package var cosineLossTest: Double
  /// One per key frequency, in their order.
  package var keyFrequencies: [KeyFrequencyMeasures]
}

extension ProgressMeasures {
  var isFinite: Bool {
    let whole = [
      restrictedLossTrain, restrictedLossTest, restrictedLoss, excludedLoss, logitVarianceExplained, cosineLossTest,
    ]
    return whole.allSatisfy(\.isFinite)
      && keyFrequencies.allSatisfy { $0.excludedLoss.isFinite && $0.cosineCoefficient.isFinite }
  }
}

/// Takes the measures of one task's evaluations; prepared once for all of them.
package struct ProgressMeter: Sendable {
  private let waves: Waves
  /// Of each of the waves' pairs, in their order: the place of its label; 0 for a pair that no measure counts.
  private let labels: [Int]
  /// Positions, among the waves' pairs, of the trained pairs of each s.
  private let trainedBySum: [[Int]]
  /// How many train and test pairs have s and a label at place x, at s·n+x.
  private let trainCounts: [Int]
  private let testCounts: [Int]

  /// - Parameter labels: p². A pair whose label has no place on the circle counts nowhere.
  /// - Returns: nil for an operation without waves.
  package init?(task: LearningTask, split: Split, labels: [Int32]) {
    guard let waves = Waves(of: task.operation, modulus: task.modulus) else { return nil }
    precondition(split.modulus == task.modulus, "a split mod \(split.modulus) for p = \(task.modulus)")
    let n = waves.circle.length
    self.waves = waves
    let places = waves.places(ofLabels: labels)
    self.labels = places.map { $0 ?? 0 }
    var trained = [[Int]](repeating: [], count: n)
    var (trainCounts, testCounts) = ([Int](repeating: 0, count: n * n), [Int](repeating: 0, count: n * n))
    for (position, s) in waves.index.enumerated() {
      guard let place = places[position] else { continue }
      let cell = s * n + place
      if split.trainMask[waves.pairs[position]] {
        trained[s].append(position)
        trainCounts[cell] += 1
      } else {
        testCounts[cell] += 1
      }
    }
    trainedBySum = trained
    self.trainCounts = trainCounts
    self.testCounts = testCounts
  }

  /// - Parameters:
  ///   - logits: p² × `classes`, row a·p+b.
  ///   - classes: d_vocab_out.
  ///   - keyFrequencies: of the final model.
  /// - Returns: nil for a split without train or test pairs on the circle, and when a measure is not finite.
  package func measures(of logits: [Float], classes dVocabOut: Int, keyFrequencies: [Int]) -> ProgressMeasures? {
    let logits = WaveLogits(logits, classes: dVocabOut, waves: waves)
    let projections = logits.sums.projections(keyFrequencies)
    let cosines = projections.cosineCoefficients
    let restricted = restricted(to: projections, means: logits.sums.means)
    let exclusion = Exclusion(of: projections, from: logits, labels: labels, bySum: trainedBySum)
    let alone = exclusion.alone.compactMap(\.mean)
    guard
      let train = restricted.train.mean, let test = restricted.test.mean,
      let all = (restricted.train + restricted.test).mean, let excluded = exclusion.together.mean,
      let cosineLoss = cosineLossOnTest(projections.cosineLosses(cosines)).mean
    else { return nil }
    let measures = ProgressMeasures(
      restrictedLossTrain: train, restrictedLossTest: test, restrictedLoss: all, excludedLoss: excluded,
      logitVarianceExplained: varianceExplained(by: cosines, of: logits.variance), cosineLossTest: cosineLoss,
      keyFrequencies: keyFrequencies.indices.map { i in
        KeyFrequencyMeasures(
          frequency: keyFrequencies[i], excludedLoss: alone[i], cosineCoefficient: cosines[i])
      })
    return measures.isFinite ? measures : nil
  }

  /// Losses of the waves alone plus the mean.
  ///
  /// All pairs of one s have the same restricted logits, so each (s, label) that occurs is computed once.
  private func restricted(
    to projections: WaveProjections, means: [Double]
  ) -> (train: PairTotal, test: PairTotal) {
    let n = waves.circle.length
    var logits = projections.sum
    logits.addToRows(means)
    var row = LogitRow(classes: n)
    var (train, test) = (PairTotal(), PairTotal())
    for s in 0..<n {
      row.set { logits.storage[s * logits.vectors + $0] }
      for label in 0..<n {
        let cell = s * n + label
        guard trainCounts[cell] + testCounts[cell] > 0 else { continue }
        let loss = row.loss(label: label).loss
        train.add(loss, times: trainCounts[cell])
        test.add(loss, times: testCounts[cell])
      }
    }
    return (train, test)
  }

  /// - Parameter losses: by d = s − label.
  private func cosineLossOnTest(_ losses: [Double]) -> PairTotal {
    let n = waves.circle.length
    var total = PairTotal()
    for s in 0..<n {
      for label in 0..<n { total.add(losses[(s - label + n) % n], times: testCounts[s * n + label]) }
    }
    return total
  }
}

/// A sum of losses and how many.
struct PairTotal: Hashable {
  private(set) var sum = 0.0
  private(set) var count = 0
  /// Nil without pairs.
  var mean: Double? { count > 0 ? sum / Double(count) : nil }

  mutating func add(_ loss: Double, times: Int = 1) {
    guard times > 0 else { return }
    sum += loss * Double(times)
    count += times
  }

  static func + (left: PairTotal, right: PairTotal) -> PairTotal {
    var total = left
    total.sum += right.sum
    total.count += right.count
    return total
  }
}

/// One evaluation's logits around a circle.
struct WaveLogits {
  /// Row i is the i-th pair of the waves, `stride` apart; the first n are its classes in order of their places.
  let scalars: [Float]
  let stride: Int
  let sums: WaveSums
  /// Over all of the waves' pairs and classes, about their grand mean.
  let variance: Double

  /// - Parameter logits: p² × `classes`, row a·p+b.
  init(_ logits: [Float], classes: Int, waves: Waves) {
    let (circle, n) = (waves.circle, waves.circle.length)
    precondition(
      logits.count == circle.modulus * circle.modulus * classes && classes >= circle.modulus,
      "\(logits.count) logits for p = \(circle.modulus)")
    let scalars =
      circle.isLogarithmic
      ? waves.pairs.flatMap { pair in circle.residues.map { logits[pair * classes + $0] } } : logits
    let stride = circle.isLogarithmic ? n : classes
    var sums = Matrix(rows: n, columns: n)
    // By class, of the logits less the first one: the variance of logits far from zero stays exact.
    let origin = Double(scalars[0])
    var squares = [Double](repeating: 0, count: n)
    let vectors = sums.vectors
    sums.storage.withUnsafeMutableBytes { bytes in
      let sums = bytes.bindMemory(to: Double.self).baseAddress!
      squares.withUnsafeMutableBufferPointer { squares in
        scalars.withUnsafeBufferPointer { scalars in
          for (position, s) in waves.index.enumerated() {
            let (row, sum) = (scalars.baseAddress! + position * stride, sums + s * vectors * 8)
            let squares = squares.baseAddress!
            for x in 0..<n {
              let value = Double(row[x])
              sum[x] += value
              squares[x] += (value - origin) * (value - origin)
            }
          }
        }
      }
    }
    (self.scalars, self.stride) = (scalars, stride)
    self.sums = WaveSums(basis: circle.basis, sums: sums)
    let shift = self.sums.means.reduce(0, +) / Double(n) - origin
    variance = squares.reduce(0, +) / Double(n * n * n) - shift * shift
  }
}
