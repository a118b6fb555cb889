// Which frequencies the weights themselves use: norms, key frequencies, and how unequal they are.
//
// `measures.md` section 5; the rule for key frequencies is this project's own, since the paper says only "nontrivial".

/// The norm of each frequency's (cos, sin) pair in the embedding and in the map from neurons to logits.
package struct Spectra: Hashable, Sendable {
  /// Of W_E, rows of the residues on the circle, along the tokens; entry k−1 is frequency k, K entries.
  package var normsW_E: [Double]
  /// Of W_L = W_out·W_U, classes on the circle, along the classes; as `normsW_E`.
  package var normsW_L: [Double]

  package init(normsW_E: [Double], normsW_L: [Double]) {
    self.normsW_E = normsW_E
    self.normsW_L = normsW_L
  }

  /// - Parameter circle: of the operation that the weights were trained on.
  package init(weights: Parameters<Float>, around circle: Circle) {
    let model = weights.layout.model
    let waves = circle.basis.waves
    // Without the row of `=`, and for products without that of 0.
    let W_E = Matrix(rows: circle.modulus, columns: model.dModel, of: weights.W_E).selectingRows(circle.residues)
    normsW_E = FourierBasis.power(of: waves * W_E).map { $0.squareRoot() }
    // waves·(W_out·W_U)ᵀ = (waves·W_Uᵀ)·W_outᵀ, which is less work than forming W_L.
    let W_U = Matrix(rows: model.dModel, columns: model.dVocabOut, of: weights.W_U)
    let W_out = Matrix(rows: model.dMLP, columns: model.dModel, of: weights.W_out)
    let coefficients = (waves * W_U.transposed.selectingRows(circle.residues)) * W_out.transposed  // 2K × d_mlp
    normsW_L = FourierBasis.power(of: coefficients).map { $0.squareRoot() }
  }

  /// Those whose W_L norm exceeds a quarter of the largest, ascending; none when all norms are zero.
  package var keyFrequencies: [Int] { Spectra.keyFrequencies(norms: normsW_L) }

  /// The same rule on any K norms; the TransformerLens demo applies it to those of W_E.
  package static func keyFrequencies(norms: [Double]) -> [Int] {
    let threshold = (norms.max() ?? 0) / 4
    return norms.indices.filter { norms[$0] > threshold }.map { $0 + 1 }
  }
}

/// Gini coefficient of norms ≥ 0: 0 when all are equal, towards 1 when few carry everything.
///
/// With norms ascending, 1 − 2·Σ xᵢ/‖x‖₁·(K − i + ½)/K for i = 1…K (Hurley & Rickard 2009). 0 when all are zero or
/// there is none.
package func gini(_ norms: [Double]) -> Double {
  let sorted = norms.sorted()
  let total = sorted.reduce(0, +)
  guard total > 0 else { return 0 }
  let count = Double(sorted.count)
  var weighted = 0.0
  for (index, norm) in sorted.enumerated() {
    weighted += norm / total * ((count - Double(index + 1) + 0.5) / count)
  }
  return 1 - 2 * weighted
}

/// Σ w² over every tensor, biases included.
package func sumSquaredWeights(_ weights: Parameters<Float>) -> Double {
  weights.layout.tensors.reduce(0) { $0 + sumSquaredWeights(weights, of: $1.name) }
}

/// Σ w² over one tensor; 0 for a bias of a model without biases.
package func sumSquaredWeights(_ weights: Parameters<Float>, of name: TensorName) -> Double {
  guard let tensor = weights.layout[name] else { return 0 }
  return weights.storage[tensor.range].reduce(0) { $0 + Double($1) * Double($1) }
}
