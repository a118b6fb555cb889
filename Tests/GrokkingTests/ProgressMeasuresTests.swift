// Restricted and excluded loss against a naive twin that projects over all p² pairs, as the definition is written.

import Foundation
import Grokking
import Testing

@Suite struct ProgressMeasuresTests {
  /// A random problem; the labels are the operation's, or random ones.
  private struct Problem {
    let task: LearningTask
    let classes: Int
    let logits: [Float]
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
      labels = (0..<p * p).map { pair in
        if randomLabels { return Int32(noise.below(p)) }
        let (a, b) = (pair / p, pair % p)
        return Int32(operation == .add ? (a + b) % p : (a - b + p) % p)
      }
    }

    func measures(_ keys: [Int]) -> ProgressMeasures? {
      progressMeasures(
        logits: logits, classes: classes, task: task, split: split, labels: labels, keyFrequencies: keys)
    }

    /// Σ_k P_k(L), p² × p, by inner products over all pairs with the two unit vectors of each frequency.
    func naiveProjection(_ keys: [Int]) -> [[Double]] {
      let p = task.modulus
      var result = [[Double]](repeating: [Double](repeating: 0, count: p), count: p * p)
      for k in keys {
        for wave in [cos, sin] as [(Double) -> Double] {
          var unit = (0..<p * p).map { pair in
            let s = task.operation == .add ? pair / p + pair % p : pair / p - pair % p
            return wave(2 * Double.pi * Double(k * s) / Double(p))
          }
          let norm = unit.reduce(0) { $0 + $1 * $1 }.squareRoot()
          unit = unit.map { $0 / norm }
          for c in 0..<p {
            let product = (0..<p * p).reduce(0.0) { $0 + unit[$1] * Double(logits[$1 * classes + c]) }
            for pair in 0..<p * p { result[pair][c] += product * unit[pair] }
          }
        }
      }
      return result
    }

    func naiveLoss(_ rows: [[Double]], _ pairs: [Int]) -> Double {
      pairs.reduce(0.0) { total, pair in
        let top = rows[pair].max()!
        let sum = rows[pair].reduce(0) { $0 + exp($1 - top) }
        return total + log(sum) + top - rows[pair][Int(labels[pair])]
      } / Double(pairs.count)
    }

    var rows: [[Double]] {
      (0..<task.modulus * task.modulus).map { pair in
        (0..<task.modulus).map { Double(logits[pair * classes + $0]) }
      }
    }
  }

  private func agrees(_ found: Double?, _ expected: Double) -> Bool {
    guard let found else { return false }
    return abs(found - expected) <= 1e-12 * abs(expected)
  }

  @Test(arguments: [Grokking.Operation.add, .subtract], [false, true])
  func `losses agree with the projection over all pairs`(operation: Grokking.Operation, randomLabels: Bool) {
    for (p, extra, keys) in [
      (3, 1, [1]), (7, 0, [1, 3]), (8, 1, [2]), (11, 1, [1, 2, 3, 4, 5]), (12, 1, []), (13, 0, [6]),
    ] {
      let problem = Problem(operation, p: p, extra: extra, randomLabels: randomLabels, seed: UInt64(p))
      let projection = problem.naiveProjection(keys)
      let rows = problem.rows
      let means = (0..<p).map { c in rows.reduce(0) { $0 + $1[c] } / Double(p * p) }
      let restricted = projection.map { row in zip(row, means).map { $0 + $1 } }
      let excluded = zip(rows, projection).map { row, wave in zip(row, wave).map { $0 - $1 } }
      let found = problem.measures(keys)
      let (train, test) = (problem.split.trainPairs, problem.split.testPairs)
      #expect(agrees(found?.restrictedLossTrain, problem.naiveLoss(restricted, train)))
      #expect(agrees(found?.restrictedLossTest, problem.naiveLoss(restricted, test)))
      #expect(agrees(found?.restrictedLoss, problem.naiveLoss(restricted, Array(0..<p * p))))
      #expect(agrees(found?.excludedLoss, problem.naiveLoss(excluded, train)))
    }
  }

  @Test func `excluded loss by frequency removes one frequency at a time`() throws {
    let problem = Problem(.add, p: 11)
    let exclusion = try #require(
      SingleExclusion(
        logits: problem.logits, classes: problem.classes, task: problem.task, split: problem.split,
        labels: problem.labels))
    for k in [2, 5] {
      let loss = try #require(exclusion.loss(without: k))
      let excluded = zip(problem.rows, problem.naiveProjection([k])).map { zip($0, $1).map { $0 - $1 } }
      #expect(agrees(loss, problem.naiveLoss(excluded, problem.split.trainPairs)))
      #expect(agrees(problem.measures([k])?.excludedLoss, loss))
    }
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
    let problem = Problem(operation, p: 13)
    let logits = cosineLogits(problem, keys: [2, 5], scale: 6)
    let found = try #require(
      progressMeasures(
        logits: logits, classes: problem.classes, task: problem.task, split: problem.split, labels: problem.labels,
        keyFrequencies: [2, 5]))
    let full = try #require(
      lossAndAccuracy(
        logits: logits, classes: problem.classes, firstClasses: 13, labels: problem.labels,
        pairs: Array(problem.labels.indices)))
    #expect(full.accuracy == 1)
    #expect(abs(found.restrictedLoss - full.loss) < 1e-6 * full.loss)
    #expect(abs(found.excludedLoss - log(13)) < 1e-5)
    // Another frequency's projection has nothing to take.
    let other = try #require(
      progressMeasures(
        logits: logits, classes: problem.classes, task: problem.task, split: problem.split, labels: problem.labels,
        keyFrequencies: [3]))
    #expect(abs(other.restrictedLoss - log(13)) < 1e-5)
  }

  @Test func `operations without waves have no such losses`() {
    for operation in [Grokking.Operation.multiply, .x2xyy2, .random] {
      #expect(Waves(of: operation, modulus: 7) == nil)
      #expect(Problem(operation, p: 7).measures([1]) == nil)
    }
    #expect(Waves(of: .subtract, modulus: 5)?.index[1] == 4)
    #expect(Waves(of: .add, modulus: 5)?.index[24] == 3)
  }

  @Test func `logits that are not finite have no such losses`() {
    let problem = Problem(.add, p: 5)
    var logits = problem.logits
    logits[3] = .nan
    #expect(
      progressMeasures(
        logits: logits, classes: problem.classes, task: problem.task, split: problem.split, labels: problem.labels,
        keyFrequencies: [1]) == nil)
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
