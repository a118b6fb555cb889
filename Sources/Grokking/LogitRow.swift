// Cross-entropy of one row of logits, exact down to the smallest losses.
//
// A plain log-softmax loses losses under 1e-16 even in float64, by subtracting from 1. Here the label's own term is
// left out of the sum instead: loss = log1p(Σ_{j≠y} exp(z_j − z_y)) when y is the largest (`measures.md` section 3).

import Kernels

/// Room for one row of logits, padded with −infinity to whole vectors of eight.
struct LogitRow {
  let classes: Int
  private var storage: [SIMD8<Double>]

  init(classes: Int) {
    precondition(classes >= 1, "a row without classes")
    self.classes = classes
    storage = [SIMD8<Double>](repeating: SIMD8(repeating: -.infinity), count: (classes + 7) / 8)
  }

  /// Sets the row to the first `classes` of `logits`.
  mutating func set<Scalar: BinaryFloatingPoint>(_ logits: UnsafePointer<Scalar>) {
    let classes = classes
    storage.withUnsafeMutableBytes { bytes in
      let row = bytes.bindMemory(to: Double.self).baseAddress!
      for c in 0..<classes { row[c] = Double(logits[c]) }
    }
  }

  /// Sets the row eight classes at a time; what `eight` gives beyond the last class is not read.
  @inline(__always)
  mutating func set(_ eight: (Int) -> SIMD8<Double>) {
    for vector in storage.indices { storage[vector] = eight(vector) }
    for lane in stride(from: classes & 7, to: 8, by: 1) where classes & 7 > 0 {
      storage[storage.count - 1][lane] = -.infinity
    }
  }

  /// Cross-entropy against `label`, and whether the label's logit is above all others.
  mutating func loss(label: Int) -> (loss: Double, isCorrect: Bool) {
    let top = greatest
    let own = storage[label >> 3][label & 7]
    guard own >= top else { return ((top - own) + DeterministicMath.log(sumOfExponentials(minus: top)), false) }
    storage[label >> 3][label & 7] = -.infinity
    let others = sumOfExponentials(minus: top)
    // Another logit is as large only if the others' sum reaches 1; a NaN compares as false and is no answer.
    let isCorrect = others < 1 || (others >= 1 && greatest < top)
    storage[label >> 3][label & 7] = own
    return (DeterministicMath.log1p(others), isCorrect)
  }

  private var greatest: Double {
    var greatest = storage[0]
    for vector in storage.dropFirst() { greatest = pointwiseMax(greatest, vector) }
    return greatest.max()
  }

  /// Σ exp(z − top), in eight lanes and then over one fixed tree.
  private func sumOfExponentials(minus top: Double) -> Double {
    var sum = SIMD8<Double>.zero
    for vector in storage { sum += DeterministicMath.exp(vector - top) }
    let four = sum.lowHalf + sum.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }
}

/// Mean cross-entropy and accuracy of `pairs`, over the first `firstClasses` of each row's `classes` logits.
///
/// - Parameters:
///   - logits: p² × `classes`, row a·p+b.
///   - labels: p².
///   - pairs: rows to average over; nil when empty.
package func lossAndAccuracy(
  logits: [Float], classes: Int, firstClasses: Int, labels: [Int32], pairs: [Int]
) -> LossAndAccuracy? {
  meanLoss(logits: logits, classes: classes, firstClasses: firstClasses, labels: labels, pairs: pairs)
}

/// As `lossAndAccuracy`, of either precision.
func meanLoss<Scalar: BinaryFloatingPoint>(
  logits: [Scalar], classes: Int, firstClasses: Int, labels: [Int32], pairs: some Collection<Int>
) -> LossAndAccuracy? {
  guard !pairs.isEmpty else { return nil }
  var row = LogitRow(classes: firstClasses)
  var (total, correct) = (0.0, 0)
  logits.withUnsafeBufferPointer { logits in
    for pair in pairs {
      precondition((pair + 1) * classes <= logits.count, "pair \(pair) has no logits")
      row.set(logits.baseAddress! + pair * classes)
      let (loss, isCorrect) = row.loss(label: Int(labels[pair]))
      total += loss
      correct += isCorrect ? 1 : 0
    }
  }
  return LossAndAccuracy(loss: total / Double(pairs.count), accuracy: Double(correct) / Double(pairs.count))
}
