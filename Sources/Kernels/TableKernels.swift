// The Swift face of the kernels that read and write table rows per example: attention, mixing, scattering, the loss.
//
// Tables are [token][head][width] floats; per-example attention weights are [head][example]. Widths are multiples of 16.

import CKernels

/// The examples of one block grouped by a token: who contributes to which table row, in ascending order.
package struct TokenRuns: Sendable {
  let runs: [ck_run]
  let rows: [Int32]

  /// Groups the block's examples by token; within a token they stay in the block's order.
  package init(tokens: some Sequence<Int32>) {
    let order = tokens.enumerated().map { (token: $0.element, row: $0.offset) }
      .sorted { ($0.token, $0.row) < ($1.token, $1.row) }
    var runs: [ck_run] = []
    for (place, entry) in order.enumerated() {
      if runs.isEmpty || runs[runs.count - 1].token != entry.token {
        runs.append(ck_run(token: entry.token, begin: Int32(place), end: Int32(place)))
      }
      runs[runs.count - 1].end += 1
    }
    self.runs = runs
    self.rows = order.map { Int32($0.row) }
  }
}

/// A table of rows of `width` floats, one per token and head.
package struct TokenTable {
  let base: UnsafeMutablePointer<Float>
  package let tokens: Int
  package let heads: Int
  package let width: Int

  package init(_ buffer: FloatBuffer, tokens: Int, heads: Int, width: Int, at offset: Int = 0) {
    precondition(width % 16 == 0, "a table's width of \(width) is no multiple of 16")
    precondition(offset + tokens * heads * width <= buffer.count, "a table larger than its buffer of \(buffer.count)")
    base = buffer.base + offset
    self.tokens = tokens
    self.heads = heads
    self.width = width
  }
}

/// First and second token of the examples of one block.
package struct TokenPairs {
  let first: UnsafePointer<Int32>
  let second: UnsafePointer<Int32>
  package let count: Int

  package init(first: UnsafeBufferPointer<Int32>, second: UnsafeBufferPointer<Int32>) {
    precondition(first.count == second.count && !first.isEmpty, "\(first.count) and \(second.count) tokens of pairs")
    self.first = first.baseAddress!
    self.second = second.baseAddress!
    count = first.count
  }
}

extension Kernels {
  /// Attention of each example to its first and second token, [head][example].
  ///
  /// `scores0`, `scores1` are [head][token] and `equals` [1][head]: exponentials of scores, or raw scores when `raw`,
  /// whose largest of each example is subtracted first.
  package func attention(
    of pairs: TokenPairs, scores0: FloatMatrix, scores1: FloatMatrix, equals: FloatMatrix, raw: Bool,
    into weights0: FloatMatrix, _ weights1: FloatMatrix
  ) {
    let heads = scores0.rows
    precondition(
      scores1.rows == heads && scores1.rowStride == scores0.rowStride && equals.columns == heads
        && weights0.rows == heads && weights1.rows == heads, "attention tables of \(heads) and \(equals.columns) heads")
    precondition(
      weights0.columns >= pairs.count && weights1.rowStride == weights0.rowStride
        && weights1.columns == weights0.columns, "attention of \(pairs.count) examples into \(weights0.columns)")
    c.attention(
      pairs.count, pairs.first, pairs.second, heads, scores0.base, scores1.base, scores0.rowStride, equals.base,
      raw ? 1 : 0, weights0.base, weights1.base, weights0.rowStride)
  }

  /// What `mix` and `activate` make of pre-activations.
  package enum Activating {
    case relu
    /// Writes the derivatives beside, [example][hidden].
    case gelu(derivatives: FloatMatrix)

    /// What the C behind is told, derivatives checked to have room.
    fileprivate func checked(examples: Int, hidden: Int) -> (kind: Int32, derivatives: FloatMatrix?) {
      guard case .gelu(let matrix) = self else { return (Int32(CK_RELU), nil) }
      precondition(
        matrix.columns >= hidden && matrix.rows >= examples && matrix.columnStride == 1,
        "derivatives of \(examples)×\(hidden) into \(matrix.rows)×\(matrix.columns)")
      return (Int32(CK_GELU), matrix)
    }
  }

  /// out[e] ← constant + Σ over heads of weights0[h, e]·table0[first[e], h] + weights1[h, e]·table1[second[e], h], then
  /// the activation on the first `hidden` columns.
  package func mix(
    _ pairs: TokenPairs, _ table0: TokenTable, _ table1: TokenTable, constant: FloatMatrix, weights0: FloatMatrix,
    weights1: FloatMatrix, hidden: Int, activation: Activating, into out: FloatMatrix
  ) {
    let (heads, width) = (table0.heads, table0.width)
    precondition(
      table1.heads == heads && table1.width == width && constant.columns == width && out.columns == width
        && weights0.rows == heads && weights1.rows == heads && weights1.rowStride == weights0.rowStride
        && weights0.columns >= pairs.count && out.rows >= pairs.count,
      "mixing \(pairs.count) examples from tables of \(heads) × \(width) into \(out.rows)×\(out.columns)")
    precondition(hidden % 16 == 0 && hidden <= width, "\(hidden) hidden columns of \(width)")
    let (kind, derivatives) = activation.checked(examples: pairs.count, hidden: hidden)
    c.mix(
      pairs.count, pairs.first, pairs.second, heads, hidden, width, table0.base, table1.base, constant.base,
      weights0.base, weights1.base, weights0.rowStride, kind, out.base, out.rowStride, derivatives?.base,
      derivatives?.rowStride ?? 0)
  }

  /// x[e, j] ← activation(x[e, j] + shift[j]), in place; `x` has whole vectors of 16 columns, `shift` one row of them.
  package func activate(_ x: FloatMatrix, adding shift: FloatMatrix, _ activation: Activating) {
    precondition(
      x.columns % 16 == 0 && shift.rows == 1 && shift.columns == x.columns,
      "activating \(x.rows)×\(x.columns), or not whole vectors, with a shift of \(shift.rows)×\(shift.columns)")
    precondition(x.columnStride == 1 && shift.columnStride == 1, "a transposed view to activate")
    let (kind, derivatives) = activation.checked(examples: x.rows, hidden: x.columns)
    c.activate(
      x.rows, x.columns, x.base, x.rowStride, shift.base, kind, derivatives?.base, derivatives?.rowStride ?? 0)
  }

  /// table[token, h] += Σ over the token's examples, ascending, of weights[h, e]·x[e].
  package func scatter(_ x: FloatMatrix, weights: FloatMatrix, over runs: TokenRuns, into table: TokenTable) {
    check(x, weights, runs, table)
    c.scatter(
      runs.runs.count, runs.runs, runs.rows, table.heads, table.width, weights.base, weights.rowStride, x.base,
      x.rowStride, table.base)
  }

  /// dots[h, e] ← table[token of e, h] · x[e].
  package func dots(_ x: FloatMatrix, with table: TokenTable, over runs: TokenRuns, into dots: FloatMatrix) {
    check(x, dots, runs, table)
    c.dots(
      runs.runs.count, runs.runs, runs.rows, table.heads, table.width, table.base, x.base, x.rowStride, dots.base,
      dots.rowStride)
  }

  private func check(_ x: FloatMatrix, _ perHead: FloatMatrix, _ runs: TokenRuns, _ table: TokenTable) {
    precondition(
      x.columns == table.width && perHead.rows == table.heads && runs.rows.count <= x.rows
        && runs.rows.count <= perHead.columns,
      "\(runs.rows.count) examples of \(x.rows)×\(x.columns) with a table of \(table.heads) × \(table.width)")
  }

  /// Gradients of attention weights, relative to the third position's, become gradients of scores, in place.
  package func attentionBackward(
    count: Int, weights0: FloatMatrix, weights1: FloatMatrix, gradients0: FloatMatrix, gradients1: FloatMatrix
  ) {
    for matrix in [weights1, gradients0, gradients1] {
      precondition(
        matrix.rows == weights0.rows && matrix.rowStride == weights0.rowStride && matrix.columns >= count,
        "attention gradients of differing shapes")
    }
    c.attention_backward(
      count, weights0.rows, weights0.base, weights1.base, gradients0.base, gradients1.base, weights0.rowStride)
  }

  /// Cross-entropy of each row over its first `classes` columns. With a gradient scale the logits are replaced by
  /// scale·∂loss/∂logit, zero in the columns behind.
  ///
  /// - Parameters:
  ///   - losses: nats, one per row.
  ///   - correct: 1 where the label's logit is above all others, else 0.
  package func crossEntropy(
    _ logits: FloatMatrix, classes: Int, labels: UnsafeBufferPointer<Int32>, gradientScale: Float?,
    losses: UnsafeMutableBufferPointer<Float>, correct: UnsafeMutableBufferPointer<Int32>
  ) {
    let count = labels.count
    precondition(
      logits.rows >= count && logits.columns % 16 == 0 && (1...logits.columns).contains(classes)
        && logits.columns - classes < 16, "\(classes) classes of \(count) rows in \(logits.rows)×\(logits.columns)")
    precondition(losses.count >= count && correct.count >= count, "losses of \(count) rows into \(losses.count)")
    guard count > 0 else { return }
    c.cross_entropy(
      count, classes, logits.base, logits.rowStride, labels.baseAddress, gradientScale == nil ? 0 : 1,
      gradientScale ?? 0, losses.baseAddress, correct.baseAddress)
  }
}

extension Kernels {
  /// table[h, token of e] += gradients[h, e], examples ascending; the first or second token of each pair.
  package func addScores(_ gradients: FloatMatrix, of pairs: TokenPairs, first: Bool, to table: FloatMatrix) {
    precondition(
      gradients.rows == table.rows && gradients.columns >= pairs.count,
      "score gradients of \(pairs.count) examples in \(gradients.rows)×\(gradients.columns)")
    let tokens = first ? pairs.first : pairs.second
    for head in 0..<table.rows {
      let (from, to) = (gradients.base + head * gradients.rowStride, table.base + head * table.rowStride)
      for example in 0..<pairs.count { to[Int(tokens[example])] += from[example] }
    }
  }
}
