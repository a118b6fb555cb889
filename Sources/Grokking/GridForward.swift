// The forward pass of pictures: all neurons and some classes' logits of all pairs, in float64 and through tables.
//
// Everything between a head's value of a token and the neurons is linear, so each token and head has one row of
// pre-activations, and a pair mixes twelve of them (four heads, three positions), as training's `FoldedModel` does in float32. At
// p = 401 that is a seventh of the work of `DoubleForward`, which multiplies every pair's residual stream out for
// all classes. Sums are taken in another order, so the last bits differ, which no picture shows; measures never come from here.

/// A model's tables for some classes.
struct GridForward {
  /// Activations at `=` for the pairs (a, 0) … (a, p−1).
  struct Rows {
    /// After the activation function; p × d_mlp.
    var neurons: Matrix
    /// p × classes, in the order in which they were asked for.
    var logits: Matrix
    /// As in `DoubleForward.Rows`.
    var attention: [Double]
  }

  private let forward: DoubleForward
  /// Of each head the rows of all tokens at position 0, then at position 1, then of `=`: what full attention adds to
  /// pre-activations; heads·(2p + 1) × d_mlp.
  private let inward: Matrix
  /// The same for the logits, past the MLP; heads·(2p + 1) × classes.
  private let outward: Matrix
  /// W_out·W_U; d_mlp × classes.
  private let merged: Matrix
  /// What does not depend on the pair: d_mlp, and classes.
  private let constants: (neurons: Matrix, logits: Matrix)

  /// - Parameter classes: whose logits are wanted.
  init(_ forward: DoubleForward, classes: [Int]) {
    self.forward = forward
    let (p, dModel) = (forward.layout.modulus, forward.layout.model.dModel)
    var rows = Matrix(rows: forward.outputs.count * (2 * p + 1), columns: dModel)
    for (head, outputs) in forward.outputs.enumerated() {
      let tokens = Array(0..<p) + Array(p + 1..<2 * p + 1) + [2 * (p + 1) + p]
      for (place, token) in tokens.enumerated() {
        rows.addRow(of: outputs, token, times: 1, to: head * (2 * p + 1) + place)
      }
    }
    let W_U = forward.W_U.selectingColumns(classes)
    inward = rows * forward.W_in
    outward = rows * W_U
    merged = forward.W_out * W_U
    var neurons = Matrix(rows: 1, columns: dModel, of: forward.equals) * forward.W_in
    neurons.addToRows(forward.b_in)
    let stream = zip(forward.equals, forward.b_out).map { $0 + $1 }
    constants = (neurons, Matrix(rows: 1, columns: dModel, of: stream) * W_U)
  }

  func rows(a: Int) -> Rows {
    let attention = forward.attention(a: a)
    var neurons = mix(inward, from: constants.neurons, attention, a: a)
    forward.activate(&neurons)
    var logits = mix(outward, from: constants.logits, attention, a: a)
    let products = neurons * merged
    for place in logits.storage.indices { logits.storage[place] += products.storage[place] }
    return Rows(neurons: neurons, logits: logits, attention: attention)
  }

  /// `constant` plus every pair's weighted rows of `table`; p rows.
  private func mix(_ table: Matrix, from constant: Matrix, _ attention: [Double], a: Int) -> Matrix {
    let (p, heads, vectors) = (forward.layout.modulus, forward.layout.model.heads, table.vectors)
    var result = Matrix(rows: p, columns: table.columns)
    table.storage.withUnsafeBufferPointer { table in
      result.storage.withUnsafeMutableBufferPointer { result in
        for b in 0..<p {
          let row = UnsafeMutableBufferPointer(rebasing: result[b * vectors..<(b + 1) * vectors])
          for v in 0..<vectors { row[v] = constant.storage[v] }
          for head in 0..<heads {
            let (first, share) = (head * (2 * p + 1), head * 3 * p + b)
            let toA = table.baseAddress! + (first + a) * vectors
            let toB = table.baseAddress! + (first + p + b) * vectors
            let toEquals = table.baseAddress! + (first + 2 * p) * vectors
            let shares = (attention[share], attention[share + p], attention[share + 2 * p])
            for v in 0..<vectors {
              row[v] += toA[v] * shares.0 + toB[v] * shares.1 + toEquals[v] * shares.2
            }
          }
        }
      }
    }
    return result
  }
}
