// Losses on train of the logits without their waves: of each frequency alone, and of all together.
//
// A model that has not grokked has dozens of key frequencies, and a plain pass over all logits for each of them would
// cost more than the evaluation. But exp(z − r) = exp(z)·exp(−r), and what is removed depends on the pair only through
// s: with E[i, c] = exp(z_ic − z_iy) for the pairs i of one s, F[c, k] = exp(−r_kc), and the label's own term left out,
//
//   loss_ik = log(1 + Σ_{c≠y} E[i, c]·F[c, k] / F[y, k]),
//
// one matrix product for all frequencies at once, and exponentials once per pair and once per (s, k). Nothing is
// subtracted from 1, so losses stay exact however small (`measures.md` section 3). Factors outside e^±300 and e^±150
// could overflow together; rows and waves that large take the plain way.

import Kernels

/// Losses without all the frequencies at once, and without each alone.
struct Exclusion {
  private(set) var together = PairTotal()
  /// In the order of the frequencies.
  private(set) var alone: [PairTotal]

  /// Limits on |z_c − z_y| and on |r|; e^(300 + 150 + 150) is still far below the greatest number.
  fileprivate static let widest = (row: 300.0, wave: 150.0)

  /// - Parameters:
  ///   - labels: places of the labels, by position among the waves' pairs.
  ///   - positions: of the pairs to measure, for each s.
  init(of projections: WaveProjections, from logits: WaveLogits, labels: [Int], bySum positions: [[Int]]) {
    let (n, count) = (projections.waves.columns, projections.frequencies.count)
    alone = [PairTotal](repeating: PairTotal(), count: count)
    let waves = RemovedWaves(projections)
    var row = LogitRow(classes: n)
    for s in 0..<n where !positions[s].isEmpty {
      let removed = waves.removed(at: s)
      let isSmall = removed.isBounded(by: Exclusion.widest.wave)
      var factors = removed
      for i in factors.storage.indices { factors.storage[i] = DeterministicMath.exp(-factors.storage[i]) }
      var exponentials = Matrix(rows: positions[s].count, columns: n)
      let isNarrow = positions[s].enumerated().map { i, position in
        exponentials.setExponentials(i, of: logits, at: position, label: labels[position]) && isSmall
      }
      let others = exponentials * factors  // pairs of s × (frequencies, and all together)
      for (i, position) in positions[s].enumerated() {
        let label = labels[position]
        for column in 0...count {
          let loss: Double
          if isNarrow[i] {
            loss = DeterministicMath.log1p(others[i, column] / factors[label, column])
          } else {
            row.set(logits, position, minus: removed, column: column)
            loss = row.loss(label: label).loss
          }
          if column < count { alone[column].add(loss) } else { together.add(loss) }
        }
      }
    }
  }
}

/// What is removed from the logits, by s.
private struct RemovedWaves {
  let waves: Matrix
  /// Coefficients of cos and sin over n, transposed: n × (frequencies + 1), the last column zero.
  let cosines: Matrix
  let sines: Matrix

  init(_ projections: WaveProjections) {
    let (n, count) = (projections.waves.columns, projections.frequencies.count)
    waves = projections.waves
    var (cosines, sines) = (Matrix(rows: n, columns: count + 1), Matrix(rows: n, columns: count + 1))
    for k in 0..<count {
      for x in 0..<n {
        cosines[x, k] = projections.coefficients[2 * k, x] / Double(n)
        sines[x, k] = projections.coefficients[2 * k + 1, x] / Double(n)
      }
    }
    (self.cosines, self.sines) = (cosines, sines)
  }

  /// n rows, a column for each frequency and a last one for their sum.
  func removed(at s: Int) -> Matrix {
    let (count, vectors) = (cosines.columns - 1, cosines.vectors)
    var (cosine, sine) = (Matrix(rows: 1, columns: count + 1), Matrix(rows: 1, columns: count + 1))
    for k in 0..<count { (cosine[0, k], sine[0, k]) = (waves[2 * k, s], waves[2 * k + 1, s]) }
    var removed = Matrix(rows: cosines.rows, columns: count + 1)
    for x in 0..<removed.rows {
      for v in 0..<vectors {
        let i = x * vectors + v
        removed.storage[i] = cosines.storage[i] * cosine.storage[v] + sines.storage[i] * sine.storage[v]
      }
    }
    removed.storage.withUnsafeMutableBytes { bytes in
      let scalars = bytes.bindMemory(to: Double.self)
      for x in 0..<cosines.rows {
        var sum = 0.0
        for k in 0..<count { sum += scalars[x * vectors * 8 + k] }
        scalars[x * vectors * 8 + count] = sum
      }
    }
    return removed
  }
}

extension Matrix {
  /// Row i ← exp(z − z_y), and 0 at y itself; false, with nothing of use in the row, when a difference is too large.
  fileprivate mutating func setExponentials(_ i: Int, of logits: WaveLogits, at position: Int, label: Int) -> Bool {
    let (columns, vectors) = (columns, vectors)
    let (low, high) = storage.withUnsafeMutableBytes { bytes in
      let row = bytes.bindMemory(to: Double.self).baseAddress! + i * vectors * 8
      return logits.scalars.withUnsafeBufferPointer { scalars in
        let z = scalars.baseAddress! + position * logits.stride
        let own = z[label]
        for x in 0..<columns { row[x] = Double(z[x]) - Double(own) }
        var (low, high) = (z[0], z[0])
        for x in 1..<columns { (low, high) = (min(low, z[x]), max(high, z[x])) }
        return (Double(low) - Double(own), Double(high) - Double(own))
      }
    }
    guard low >= -Exclusion.widest.row && high <= Exclusion.widest.row else { return false }
    for vector in i * vectors..<(i + 1) * vectors { storage[vector] = DeterministicMath.exp(storage[vector]) }
    self[i, label] = 0
    return true
  }
}

extension LogitRow {
  /// Sets the row to one pair's logits less one column of `removed`.
  fileprivate mutating func set(_ logits: WaveLogits, _ position: Int, minus removed: Matrix, column: Int) {
    let differences = (0..<classes).map {
      Double(logits.scalars[position * logits.stride + $0]) - removed[$0, column]
    }
    differences.withUnsafeBufferPointer { set($0.baseAddress!) }
  }
}
