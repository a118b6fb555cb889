// The measures of a whole model by their definitions: plain loops over the grid, no sums shared, nothing tabulated.
//
// Slow on purpose, for models of a few residues. It shares only the weights with what it is the twin of.

import Foundation
import Grokking

struct NaiveAnalysis {
  /// Everything at `=` for one pair.
  struct Activations {
    var attention: [[Double]]  // (heads, 3)
    var residual: [Double]  // before the MLP: (d_model)
    var neurons: [Double]  // (d_mlp)
    var logits: [Double]  // (d_vocab_out)
  }

  let weights: Parameters<Float>
  let activation: Activation
  let residues: [Int]
  /// −1 for differences.
  let sign: Int
  /// By i·n + j, for the residues at places i and j.
  let grid: [Activations]
  let labels: [Int]

  /// - Parameter labels: p²
  init(_ weights: Parameters<Float>, activation: Activation, residues: [Int], sign: Int, labels: [Int32]) {
    self.weights = weights
    self.activation = activation
    self.residues = residues
    self.sign = sign
    grid = residues.flatMap { a in
      residues.map { b in NaiveAnalysis.activations(weights, activation, tokens: [a, b, weights.layout.modulus]) }
    }
    let p = weights.layout.modulus
    self.labels = residues.flatMap { a in
      residues.map { b in residues.firstIndex(of: Int(labels[a * p + b]))! }
    }
  }

  var n: Int { residues.count }
  var model: ModelShape { weights.layout.model }

  private static func activations(
    _ weights: Parameters<Float>, _ activation: Activation, tokens: [Int]
  ) -> Activations {
    let model = weights.layout.model
    let (d, m, dHead) = (model.dModel, model.dMLP, model.dHead)
    let W = { (name: TensorName, index: Int) in Double(weights[name][index]) }
    let x = (0..<3).map { position in
      (0..<d).map { W(.W_E, tokens[position] * d + $0) + W(.W_pos, position * d + $0) }
    }
    func head(_ name: TensorName, _ h: Int, _ vector: [Double]) -> [Double] {
      (0..<dHead).map { e in (0..<d).reduce(0.0) { $0 + vector[$1] * W(name, (h * d + $1) * dHead + e) } }
    }
    var (residual, attention) = (x[2], [[Double]]())
    for h in 0..<model.heads {
      let query = head(.W_Q, h, x[2])
      let scores = x.map { key in
        exp(zip(query, head(.W_K, h, key)).reduce(0.0) { $0 + $1.0 * $1.1 } / Double(dHead).squareRoot())
      }
      let shares = scores.map { $0 / scores.reduce(0, +) }
      attention.append(shares)
      for (share, value) in zip(shares, x) {
        let value = head(.W_V, h, value)
        for i in 0..<d {
          residual[i] += share * (0..<dHead).reduce(0.0) { $0 + value[$1] * W(.W_O, (h * dHead + $1) * d + i) }
        }
      }
    }
    let neurons = (0..<m).map { j in
      let input = (0..<d).reduce(model.biases ? W(.b_in, j) : 0) { $0 + residual[$1] * W(.W_in, $1 * m + j) }
      switch activation {
      case .relu: return max(0, input)
      case .gelu: return 0.5 * input * (1 + tanh((2 / Double.pi).squareRoot() * (input + 0.044715 * pow(input, 3))))
      }
    }
    var found = Activations(attention: attention, residual: residual, neurons: neurons, logits: [])
    found.logits = NaiveAnalysis.logits(weights, neurons: neurons, residual: residual)
    return found
  }

  /// All d_vocab_out of them.
  private static func logits(_ weights: Parameters<Float>, neurons: [Double], residual: [Double]) -> [Double] {
    let (model, W_out, W_U) = (weights.layout.model, weights.W_out, weights.W_U)
    let out = (0..<model.dModel).map { i in
      let bias = model.biases ? Double(weights.b_out[i]) : 0
      return neurons.indices.reduce(residual[i] + bias) { $0 + neurons[$1] * Double(W_out[$1 * model.dModel + i]) }
    }
    return (0..<model.dVocabOut).map { c in
      out.indices.reduce(0.0) { $0 + out[$1] * Double(W_U[$1 * model.dVocabOut + c]) }
    }
  }

  // Losses.

  /// Classes of the residues, in their order.
  func onCircle(_ logits: [Double]) -> [Double] { residues.map { logits[$0] } }

  /// Mean cross-entropy over the grid of logits by pair and place of the class.
  func loss(_ logits: [[Double]]) -> Double {
    var sum = 0.0
    for (row, label) in zip(logits, labels) {
      let top = row.max()!
      sum += log(row.reduce(0) { $0 + exp($1 - top) }) + top - row[label]
    }
    return sum / Double(labels.count)
  }

  func loss(neurons: [[Double]], keepingSkip: Bool = true) -> Double {
    loss(
      zip(grid, neurons).map { pair, neurons in
        let residual = keepingSkip ? pair.residual : pair.residual.map { _ in 0 }
        return onCircle(NaiveAnalysis.logits(weights, neurons: neurons, residual: residual))
      })
  }

  var originalLogits: [[Double]] { grid.map { onCircle($0.logits) } }
  var originalNeurons: [[Double]] { grid.map(\.neurons) }

  // Projections of signals over the grid.

  func wave(_ function: (Double) -> Double, _ k: Int, _ x: Int) -> Double {
    function(2 * Double.pi * Double(k * x) / Double(n))
  }

  /// Orthogonal projection on the functions (i, j) → f, one after the other; they are orthogonal to each other.
  private func projection(_ signal: [Double], _ functions: [(Int, Int) -> Double]) -> [Double] {
    var result = signal.map { _ in 0.0 }
    for function in functions {
      let values = signal.indices.map { function($0 / n, $0 % n) }
      let norm = values.reduce(0) { $0 + $1 * $1 }
      let product = zip(values, signal).reduce(0) { $0 + $1.0 * $1.1 } / norm
      for i in result.indices { result[i] += product * values[i] }
    }
    return result
  }

  private func factors(_ k: Int) -> [(Int) -> Double] {
    [{ _ in 1 }, { wave(cos, k, $0) }, { wave(sin, k, $0) }]
  }

  /// On the 3 × 3 blocks of some frequencies, the constant once.
  func blocks(_ signal: [Double], _ frequencies: [Int]) -> [Double] {
    var functions: [(Int, Int) -> Double] = [{ _, _ in 1 }]
    for k in frequencies {
      for (u, f) in factors(k).enumerated() {
        for (v, g) in factors(k).enumerated() where u + v > 0 { functions.append { f($0) * g($1) } }
      }
    }
    return projection(signal, functions)
  }

  /// On the cos and sin of s at some frequencies.
  func sWaves(_ signal: [Double], _ frequencies: [Int], mean: Bool) -> [Double] {
    var functions: [(Int, Int) -> Double] = mean ? [{ _, _ in 1 }] : []
    for k in frequencies {
      functions.append { wave(cos, k, $0 + sign * $1) }
      functions.append { wave(sin, k, $0 + sign * $1) }
    }
    return projection(signal, functions)
  }

  /// Share of the variance of a signal that an approximation with the same mean explains.
  func share(_ signal: [Double], _ approximation: [Double]) -> Double {
    let mean = signal.reduce(0, +) / Double(signal.count)
    let variance = signal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    guard variance > 1e-24 else { return 0 }
    return 1 - zip(signal, approximation).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / variance
  }

  /// Share that one function of s explains.
  func share(_ signal: [Double], _ function: @escaping (Double) -> Double, _ k: Int) -> Double {
    share(signal, projection(signal, [{ _, _ in 1 }, { wave(function, k, $0 + sign * $1) }]))
  }

  /// Column by column of a list of rows.
  static func columns(_ rows: [[Double]], _ change: ([Double]) -> [Double]) -> [[Double]] {
    let changed = rows[0].indices.map { column in change(rows.map { $0[column] }) }
    return rows.indices.map { row in changed.map { $0[row] } }
  }

  // W_L and its directions.

  /// d_mlp × n
  var W_L: [[Double]] {
    (0..<model.dMLP).map { neuron in
      residues.map { c in
        (0..<model.dModel).reduce(0.0) {
          $0 + Double(weights.W_out[neuron * model.dModel + $1]) * Double(weights.W_U[$1 * model.dVocabOut + c])
        }
      }
    }
  }

  /// u_k or v_k: W_L times the unit cosine or sine.
  func direction(_ function: (Double) -> Double, _ k: Int) -> [Double] {
    let unit = (0..<n).map { wave(function, k, $0) }
    let norm = unit.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return W_L.map { row in zip(row, unit).reduce(0) { $0 + $1.0 * $1.1 } / norm }
  }

  /// ‖W − Σ cos u + sin v‖ / ‖W‖ of W_L or what differs from it by a constant for each neuron.
  func rankResidual(_ frequencies: [Int], of W: [[Double]]) -> Double {
    var rest = W
    let whole = rest.joined().reduce(0) { $0 + $1 * $1 }
    for k in frequencies {
      for function in [cos, sin] as [(Double) -> Double] {
        let unit = (0..<n).map { wave(function, k, $0) }
        let norm = unit.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for (neuron, u) in direction(function, k).enumerated() {
          for c in 0..<n { rest[neuron][c] -= u * unit[c] / norm }
        }
      }
    }
    return (rest.joined().reduce(0) { $0 + $1 * $1 } / whole).squareRoot()
  }

  /// Neurons projected on the span of all u_k, v_k.
  func onDirections(_ neurons: [[Double]], _ frequencies: [Int]) -> [[Double]] {
    var basis: [[Double]] = []
    for k in frequencies {
      for function in [cos, sin] as [(Double) -> Double] {
        var vector = direction(function, k)
        let before = vector.reduce(0) { $0 + $1 * $1 }
        for _ in 0..<3 {
          for other in basis {
            let product = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
            vector = zip(vector, other).map { $0 - product * $1 }
          }
        }
        let left = vector.reduce(0) { $0 + $1 * $1 }
        if left > 1e-18 * before { basis.append(vector.map { $0 / left.squareRoot() }) }
      }
    }
    return neurons.map { row in
      basis.reduce(row.map { _ in 0.0 }) { sum, unit in
        let product = zip(row, unit).reduce(0) { $0 + $1.0 * $1.1 }
        return zip(sum, unit).map { $0 + product * $1 }
      }
    }
  }
}
