// The measures of an evaluation against a naive twin that projects over all pairs, as the definitions are written.

import Foundation
import Grokking
import Testing

@Suite struct ProgressMeasuresTests {
  /// A random problem; the labels are the operation's, or random ones.
  private struct Problem {
    let task: LearningTask
    let classes: Int
    var logits: [Float]
    let split: Split
    let labels: [Int32]

    init(
      _ operation: Grokking.Operation, p: Int, extra: Int = 1, scale: Double = 8, randomLabels: Bool = false,
      seed: UInt64 = 1
    ) {
      var noise = Noise(seed: seed)
      task = LearningTask(operation: operation, modulus: p)
      classes = p + extra
      logits = (0..<p * p * (p + extra)).map { _ in Float((noise.unit() - 0.5) * scale) }
      split = Split(trainMask: (0..<p * p).map { _ in noise.below(3) == 0 }, modulus: p)
      let own = task.labels(dataSeed: 0)
      labels = randomLabels ? own.map { _ in Int32(noise.below(p)) } : own
    }

    func measures(_ keys: [Int]) -> ProgressMeasures? {
      ProgressMeter(task: task, split: split, labels: labels)?
        .measures(of: logits, classes: classes, keyFrequencies: keys)
    }

    /// Residues along the circle, found by trying out generators.
    var residues: [Int] {
      let p = task.modulus
      guard task.operation == .multiply else { return Array(0..<p) }
      for g in 2..<p {
        var powers = [1]
        while let next = powers.last.map({ $0 * g % p }), next != 1 { powers.append(next) }
        if powers.count == p - 1 { return powers }
      }
      return []
    }
    var n: Int { residues.count }

    /// Pairs that count, with s and the place of the label.
    var pairs: [(pair: Int, s: Int, label: Int)] {
      let (p, residues) = (task.modulus, residues)
      return residues.indices.flatMap { i in
        residues.indices.compactMap { j in
          let pair = residues[i] * p + residues[j]
          let s = task.operation == .subtract ? i - j + n : i + j
          return residues.firstIndex(of: Int(labels[pair])).map { (pair, s % n, $0) }
        }
      }
    }

    /// Logits by position in `pairs` and place of the class.
    var rows: [[Double]] {
      let residues = residues
      return pairs.map { entry in residues.map { Double(logits[entry.pair * classes + $0]) } }
    }

    /// Σ_k P_k(L) by inner products over all pairs with the two unit vectors of each frequency.
    func naiveProjection(_ keys: [Int]) -> [[Double]] {
      let (n, pairs, rows) = (n, pairs, rows)
      var result = rows.map { $0.map { _ in 0.0 } }
      for k in keys {
        for wave in [cos, sin] as [(Double) -> Double] {
          var unit = pairs.map { wave(2 * Double.pi * Double(k * $0.s) / Double(n)) }
          let norm = unit.reduce(0) { $0 + $1 * $1 }.squareRoot()
          unit = unit.map { $0 / norm }
          for c in 0..<n {
            let product = unit.indices.reduce(0.0) { $0 + unit[$1] * rows[$1][c] }
            for i in unit.indices { result[i][c] += product * unit[i] }
          }
        }
      }
      return result
    }

    enum Subset { case train, test, all }

    /// Mean cross-entropy of rows by position in `pairs`.
    func naiveLoss(_ rows: [[Double]], _ subset: Subset) -> Double {
      var (sum, count) = (0.0, 0)
      for (i, entry) in pairs.enumerated() {
        let isTrained = split.trainMask[entry.pair]
        guard subset == .all || isTrained == (subset == .train) else { continue }
        let (top, own) = (rows[i].max()!, rows[i][entry.label])
        var others = rows[i]
        others.remove(at: entry.label)
        sum +=
          own == top
          ? log1p(others.reduce(0) { $0 + exp($1 - top) })
          : log(rows[i].reduce(0) { $0 + exp($1 - top) }) + top - own
        count += 1
      }
      return sum / Double(count)
    }

    func cosine(_ k: Int, _ s: Int, _ c: Int) -> Double { cos(2 * Double.pi * Double(k * (s - c)) / Double(n)) }

    /// α_k one by one, as the inner product with the wave over its squared norm.
    func naiveCosineCoefficient(_ k: Int) -> Double {
      var (product, norm) = (0.0, 0.0)
      for (entry, row) in zip(pairs, rows) {
        for c in 0..<n {
          let wave = cosine(k, entry.s, c)
          product += wave * row[c]
          norm += wave * wave
        }
      }
      return product / norm
    }
  }

  private func agrees(_ found: Double?, _ expected: Double) -> Bool {
    guard let found else { return false }
    return abs(found - expected) <= 1e-12 * abs(expected)
  }

  private static let cases: [(p: Int, extra: Int, keys: [Int])] = [
    (3, 1, [1]), (7, 0, [1, 3]), (8, 1, [2]), (11, 1, [1, 2, 3, 4, 5]), (12, 1, []), (13, 0, [6]),
  ]

  private func compare(_ problem: Problem, _ keys: [Int]) throws {
    let rows = problem.rows
    let means = (0..<problem.n).map { c in rows.reduce(0) { $0 + $1[c] } / Double(rows.count) }
    func without(_ keys: [Int]) -> [[Double]] {
      zip(rows, problem.naiveProjection(keys)).map { row, wave in zip(row, wave).map { $0 - $1 } }
    }
    let restricted = problem.naiveProjection(keys).map { row in zip(row, means).map { $0 + $1 } }
    let found = try #require(problem.measures(keys))
    #expect(agrees(found.restrictedLossTrain, problem.naiveLoss(restricted, .train)))
    #expect(agrees(found.restrictedLossTest, problem.naiveLoss(restricted, .test)))
    #expect(agrees(found.restrictedLoss, problem.naiveLoss(restricted, .all)))
    #expect(agrees(found.excludedLoss, problem.naiveLoss(without(keys), .train)))
    #expect(found.keyFrequencies.map(\.frequency) == keys)
    let cosines = keys.map { problem.naiveCosineCoefficient($0) }
    for (entry, alpha) in zip(found.keyFrequencies, cosines) {
      #expect(agrees(entry.excludedLoss, problem.naiveLoss(without([entry.frequency]), .train)))
      #expect(abs(entry.cosineCoefficient - alpha) < 1e-13 * problem.rows.joined().map { abs($0) }.max()!)
    }
    let approximation = problem.pairs.map { entry in
      (0..<problem.n).map { c in zip(keys, cosines).reduce(0.0) { $0 + $1.1 * problem.cosine($1.0, entry.s, c) } }
    }
    #expect(agrees(found.cosineLossTest, problem.naiveLoss(approximation, .test)))
    let all = Array(rows.joined())
    let mean = all.reduce(0, +) / Double(all.count)
    let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let left = zip(all, approximation.joined()).reduce(0) { $0 + ($1.0 - mean - $1.1) * ($1.0 - mean - $1.1) }
    #expect(abs(found.logitVarianceExplained - (1 - left / variance)) < 1e-12)
  }

  @Test(arguments: [Grokking.Operation.add, .subtract], [false, true])
  func `every measure agrees with projections over all pairs`(
    operation: Grokking.Operation, randomLabels: Bool
  ) throws {
    for (p, extra, keys) in Self.cases {
      try compare(Problem(operation, p: p, extra: extra, randomLabels: randomLabels, seed: UInt64(p)), keys)
    }
  }

  @Test func `products are measured around the circle of exponents, without pairs and classes of 0`() throws {
    for (p, extra, keys) in [(5, 1, [1]), (7, 0, [1, 2]), (11, 1, [1, 3, 4]), (13, 1, [])] {
      var problem = Problem(.multiply, p: p, extra: extra, seed: UInt64(p))
      #expect(problem.n == p - 1 && problem.pairs.count == (p - 1) * (p - 1))
      try compare(problem, keys)
      let found = problem.measures(keys)
      for pair in 0..<p * p {
        for c in 0..<problem.classes where pair / p == 0 || pair % p == 0 || c == 0 || c == p {
          problem.logits[pair * problem.classes + c] = 1e6
        }
      }
      #expect(problem.measures(keys) == found)
    }
  }

  @Test func `logits too far apart for a product of exponentials take the plain way to the same losses`() throws {
    for scale in [400.0, 700, 1500, 1e5] {
      try compare(Problem(.add, p: 7, scale: scale, randomLabels: true), [1, 2])
    }
    // One pair alone is far out, the others are not.
    var problem = Problem(.add, p: 11)
    let pair = problem.split.trainPairs[3]
    problem.logits[pair * problem.classes + 2] = 600
    try compare(problem, [2, 5])
    // Waves too large for it under logits that are close together cannot be: both come of the same logits.
    let waves = cosineLogits(problem, keys: [2], scale: 320)
    problem.logits = waves
    try compare(problem, [2])
  }

  @Test func `losses far below 1 keep their digits when a frequency is removed`() throws {
    var problem = Problem(.add, p: 11)
    problem.logits = cosineLogits(problem, keys: [1, 2, 3, 4], scale: 12)
    let found = try #require(problem.measures([1, 2, 3, 4, 5]))
    // Frequency 5 carries nothing, so the loss without it is the model's.
    let own = lossAndAccuracy(
      logits: problem.logits, classes: 12, firstClasses: 11, labels: problem.labels, pairs: problem.split.trainPairs)
    let loss = try #require(own).loss
    #expect(loss < 1e-15 && loss > 0)
    #expect(abs(found.keyFrequencies[4].excludedLoss - loss) < 1e-5 * loss)
  }

  /// Logits that are waves of a+b (or a−b) minus c, as a grokked model's.
  private func cosineLogits(_ problem: Problem, keys: [Int], scale: Double) -> [Float] {
    let p = problem.task.modulus
    return (0..<p * p).flatMap { pair in
      (0..<problem.classes).map { c in
        Float(
          keys.reduce(0.0) {
            $0 + scale * cos(2 * Double.pi * Double($1 * (Int(problem.labels[pair]) - c)) / Double(p))
          })
      }
    }
  }

  @Test(arguments: [Grokking.Operation.add, .subtract])
  func `logits made of key waves are kept whole, and nothing is left when they are removed`(
    operation: Grokking.Operation
  ) throws {
    var problem = Problem(operation, p: 13)
    problem.logits = cosineLogits(problem, keys: [2, 5], scale: 6)
    let found = try #require(problem.measures([2, 5]))
    let full = try #require(
      lossAndAccuracy(
        logits: problem.logits, classes: problem.classes, firstClasses: 13, labels: problem.labels,
        pairs: Array(problem.labels.indices)))
    #expect(full.accuracy == 1)
    #expect(abs(found.restrictedLoss - full.loss) < 1e-6 * full.loss)
    #expect(abs(found.excludedLoss - log(13)) < 1e-5)
    #expect(abs(found.cosineLossTest - full.loss) < 1e-6 * full.loss)
    #expect(abs(found.logitVarianceExplained - 1) < 1e-6)
    #expect(found.keyFrequencies.allSatisfy { abs($0.cosineCoefficient - 6) < 1e-6 })
    // Another frequency's projection has nothing to take.
    let other = try #require(problem.measures([3]))
    #expect(abs(other.restrictedLoss - log(13)) < 1e-5)
    #expect(other.logitVarianceExplained < 1e-6)
  }

  @Test func `operations without waves have no such losses`() {
    for (operation, p) in [
      (Grokking.Operation.x2xyy2, 7), (.random, 7), (.multiply, 8), (.multiply, 9), (.multiply, 3),
    ] {
      #expect(Waves(of: operation, modulus: p) == nil)
      #expect(Problem(operation, p: p).measures([1]) == nil)
    }
    #expect(Waves(of: .subtract, modulus: 5)?.index[1] == 4)
    #expect(Waves(of: .add, modulus: 5)?.index[24] == 3)
  }

  @Test func `the circle of products runs through the powers of the smallest primitive root`() throws {
    #expect(Circle(of: .multiply, modulus: 7).residues == [1, 3, 2, 6, 4, 5])
    #expect(Circle(of: .multiply, modulus: 31).residues.prefix(4) == [1, 3, 9, 27])
    #expect(Circle(of: .multiply, modulus: 31).frequencyCount == 14)
    #expect(Circle(of: .multiply, modulus: 12).residues == Array(0..<12))
    #expect(Circle(of: .multiply, modulus: 3).residues == [0, 1, 2])
    let waves = try #require(Waves(of: .multiply, modulus: 7))
    #expect(waves.pairs.count == 36 && !waves.pairs.contains { $0 < 7 || $0 % 7 == 0 })
    // 3·2 = 3¹·3² = 3³ = 6.
    #expect(waves.index[try #require(waves.pairs.firstIndex(of: 3 * 7 + 2))] == 3)
  }

  @Test func `logits that are not finite, and splits without train or test pairs, have no such losses`() {
    for value in [Float.nan, .infinity, -.infinity] {
      var problem = Problem(.add, p: 5)
      problem.logits[3] = value
      #expect(problem.measures([1]) == nil)
      problem.logits[3] = 0
      problem.logits[(problem.split.trainPairs[0]) * problem.classes + 1] = value
      #expect(problem.measures([1]) == nil)
    }
    let problem = Problem(.add, p: 5)
    for isTrained in [true, false] {
      let meter = ProgressMeter(
        task: problem.task, split: Split(trainMask: [Bool](repeating: isTrained, count: 25), modulus: 5),
        labels: problem.labels)
      #expect(meter?.measures(of: problem.logits, classes: 6, keyFrequencies: [1]) == nil)
    }
    // Trained on nothing but products with a factor 0.
    let product = Problem(.multiply, p: 7)
    let split = Split(trainMask: (0..<49).map { $0 < 7 }, modulus: 7)
    let meter = ProgressMeter(task: product.task, split: split, labels: product.labels)
    #expect(meter != nil && meter?.measures(of: product.logits, classes: 8, keyFrequencies: [1]) == nil)
  }

  @Test func `losses far below the resolution of float64 next to 1 are exact`() throws {
    for gap in [1.0, 20, 40, 100, 700] {
      let logits: [Float] = [0, Float(gap), 0, 0]
      let found = try #require(lossAndAccuracy(logits: logits, classes: 4, firstClasses: 4, labels: [1], pairs: [0]))
      #expect(abs(found.loss - log1p(3 * exp(-gap))) <= 1e-15 * found.loss)
      #expect(found.accuracy == 1)
      let wrong = try #require(lossAndAccuracy(logits: logits, classes: 4, firstClasses: 4, labels: [2], pairs: [0]))
      #expect(abs(wrong.loss - (gap + log1p(3 * exp(-gap)))) <= 1e-15 * wrong.loss)
      #expect(wrong.accuracy == 0)
    }
  }

  @Test func `a tie is no answer, and classes left out do not count`() throws {
    let logits: [Float] = [1, 1, 0, 9]
    func measured(_ label: Int32, _ first: Int) -> LossAndAccuracy? {
      lossAndAccuracy(logits: logits, classes: 4, firstClasses: first, labels: [label], pairs: [0])
    }
    #expect(measured(0, 3)?.accuracy == 0)
    #expect(measured(1, 3)?.accuracy == 0)
    #expect(measured(1, 3)?.loss == measured(0, 3)?.loss)
    #expect(measured(0, 1)?.accuracy == 1)
    #expect(measured(3, 4)?.accuracy == 1)
    #expect(measured(0, 4)?.accuracy == 0)
    let close = lossAndAccuracy(logits: [1, 0.9, 0.9], classes: 3, firstClasses: 3, labels: [0], pairs: [0])
    #expect(close?.accuracy == 1)
    #expect(lossAndAccuracy(logits: logits, classes: 4, firstClasses: 4, labels: [0], pairs: []) == nil)
  }

  @Test func `a loss that is not finite is not a correct answer`() throws {
    let found = try #require(
      lossAndAccuracy(logits: [.nan, 0], classes: 2, firstClasses: 2, labels: [0], pairs: [0]))
    #expect(found.loss.isNaN)
    #expect(found.accuracy == 0)
  }
}
