// The forward pass in float64 over all pairs, for analysis: logits, neurons and attention.
//
// It uses what training uses (only the last position is read, keys and values are tables of tokens), but nothing of
// training's code or precision. `ReferenceModel` is its naive twin: at the paper's size that takes 1.6 s for all pairs,
// a whole report by this 0.4 s.

import Kernels

/// A model's tables, and its activations for the p pairs of one first operand at a time.
struct DoubleForward {
  /// Activations at `=` for the pairs (a, 0) … (a, p−1).
  struct Rows {
    /// After the activation function; p × d_mlp.
    var neurons: Matrix
    /// p × d_vocab_out.
    var logits: Matrix
    /// What the residual stream around the MLP adds to them; p × d_vocab_out.
    var skipLogits: Matrix
    /// Of each head to a, b and `=`, at (head·3 + position)·p + b.
    var attention: [Double]
  }

  let layout: ParameterLayout
  let activation: Activation
  let W_in: Matrix  // (d_model, d_mlp)
  let W_out: Matrix  // (d_mlp, d_model)
  let W_U: Matrix  // (d_model, d_vocab_out)
  let b_in: [Double]
  let b_out: [Double]
  /// Residual stream at `=` before attention: W_E[p] + W_pos[2].
  let equals: [Double]
  /// Attention score of each token at positions 0, 1 and 2, for each head; [head][position · (p + 1) + token].
  private let scores: [[Double]]
  /// What each head adds to the residual stream for full attention to that token; rows as `scores`, columns d_model.
  let outputs: [Matrix]

  init(_ weights: Parameters<Float>, activation: Activation) {
    layout = weights.layout
    self.activation = activation
    let (p, model) = (layout.modulus, layout.model)
    let (dModel, dHead) = (model.dModel, model.dHead)
    W_in = Matrix(rows: dModel, columns: model.dMLP, of: weights.W_in)
    W_out = Matrix(rows: model.dMLP, columns: dModel, of: weights.W_out)
    W_U = Matrix(rows: dModel, columns: model.dVocabOut, of: weights.W_U)
    b_in = model.biases ? weights.b_in.map(Double.init) : [Double](repeating: 0, count: model.dMLP)
    b_out = model.biases ? weights.b_out.map(Double.init) : [Double](repeating: 0, count: dModel)
    let (W_E, W_pos) = (weights.W_E, weights.W_pos)
    var embedded = Matrix(rows: 3 * (p + 1), columns: dModel)
    for position in 0..<3 {
      for token in 0...p {
        for i in 0..<dModel {
          embedded[position * (p + 1) + token, i] =
            Double(W_E[token * dModel + i]) + Double(W_pos[position * dModel + i])
        }
      }
    }
    equals = embedded.row(2 * (p + 1) + p)
    let (W_Q, W_K, W_V, W_O) = (weights.W_Q, weights.W_K, weights.W_V, weights.W_O)
    var scores: [[Double]] = []
    var outputs: [Matrix] = []
    for head in 0..<model.heads {
      let offset = head * dModel * dHead
      let query =
        Matrix(rows: 1, columns: dModel, of: equals) * Matrix(rows: dModel, columns: dHead, of: W_Q, offset: offset)
      let keys = embedded * Matrix(rows: dModel, columns: dHead, of: W_K, offset: offset)
      let scale = Double(dHead).squareRoot()
      scores.append((keys * query.transposed).transposed.row(0).map { $0 / scale })
      let values = embedded * Matrix(rows: dModel, columns: dHead, of: W_V, offset: offset)
      outputs.append(values * Matrix(rows: dHead, columns: dModel, of: W_O, offset: offset))
    }
    self.scores = scores
    self.outputs = outputs
  }

  func rows(a: Int) -> Rows {
    let (p, model) = (layout.modulus, layout.model)
    var residual = Matrix(rows: p, columns: model.dModel)
    residual.addToRows(equals)
    let attention = attention(a: a)
    for head in 0..<model.heads {
      for b in 0..<p {
        for (position, token) in [a, (p + 1) + b, 2 * (p + 1) + p].enumerated() {
          residual.addRow(of: outputs[head], token, times: attention[(head * 3 + position) * p + b], to: b)
        }
      }
    }
    var neurons = residual * W_in
    neurons.addToRows(b_in)
    activate(&neurons)
    var output = neurons * W_out
    output.addToRows(b_out)
    for row in 0..<p { output.addRow(of: residual, row, times: 1, to: row) }
    return Rows(
      neurons: neurons, logits: output * W_U, skipLogits: residual * W_U, attention: attention)
  }

  /// As in `Rows`.
  func attention(a: Int) -> [Double] {
    let (p, heads) = (layout.modulus, layout.model.heads)
    var attention = [Double](repeating: 0, count: heads * 3 * p)
    for head in 0..<heads {
      let scores = scores[head]
      let (first, third) = (scores[a], scores[2 * (p + 1) + p])
      for b in 0..<p {
        let second = scores[(p + 1) + b]
        let top = max(first, second, third)
        let weights = (
          DeterministicMath.exp(first - top), DeterministicMath.exp(second - top), DeterministicMath.exp(third - top)
        )
        let total = weights.0 + weights.1 + weights.2
        let place = head * 3 * p + b
        attention[place] = weights.0 / total
        attention[place + p] = weights.1 / total
        attention[place + 2 * p] = weights.2 / total
      }
    }
    return attention
  }

  /// What `b_out` adds to every pair's logits; d_vocab_out.
  var biasLogits: [Double] { (Matrix(rows: 1, columns: b_out.count, of: b_out) * W_U).row(0) }

  func activate(_ neurons: inout Matrix) {
    switch activation {
    case .relu:
      for i in neurons.storage.indices {
        neurons.storage[i].replace(with: 0, where: neurons.storage[i] .< 0)
      }
    case .gelu:
      // ½x(1 + tanh(√(2/π)·(x + 0.044715x³))); zero stays zero, so the padding does too.
      for i in neurons.storage.indices {
        for lane in 0..<8 {
          let x = neurons.storage[i][lane]
          let inner = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
          neurons.storage[i][lane] = 0.5 * x * (1 + DeterministicMath.tanh(inner))
        }
      }
    }
  }
}
