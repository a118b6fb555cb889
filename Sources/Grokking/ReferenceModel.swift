// The naive float64 twin of the training step: the truth that the fast path is tested against.
//
// Plain loops over examples, positions and heads, no tables and no merged matrices; slow on purpose. It follows
// `measures.md` section 2 line by line. Only the last position is read out, so only its query is needed.

import Kernels

/// One model in float64 with its forward pass and gradients.
package struct ReferenceModel: Sendable {
  package var weights: Parameters<Double>
  package let activation: Activation

  package init(_ weights: Parameters<Double>, activation: Activation) {
    self.weights = weights
    self.activation = activation
  }

  package init(_ weights: Parameters<Float>, activation: Activation) {
    self.init(
      Parameters(weights.layout, storage: weights.storage.map(Double.init)), activation: activation)
  }

  private var shape: ModelShape { weights.layout.model }
  private var modulus: Int { weights.layout.modulus }

  /// Everything between the tokens and the logits of one example.
  private struct Trace {
    var inputs: [ReferenceVector]  // x at positions 0, 1, 2: (3, d_model)
    var keys: [[ReferenceVector]]  // (heads, 3, d_head)
    var values: [[ReferenceVector]]  // (heads, 3, d_head)
    var queries: [ReferenceVector]  // (heads, d_head)
    var attention: [ReferenceVector]  // (heads, 3)
    var mixed: [ReferenceVector]  // z = Σ attention·values: (heads, d_head)
    var residualMiddle: ReferenceVector  // (d_model)
    var preActivations: ReferenceVector  // (d_mlp)
    var neurons: ReferenceVector  // (d_mlp)
    var residualEnd: ReferenceVector  // (d_model)
    var logits: ReferenceVector  // (d_vocab_out)
  }

  /// Logits of pair (a, b) at `=`: d_vocab_out.
  package func logits(a: Int, b: Int) -> [Double] { trace(a: a, b: b, tensors: Tensors(weights)).logits.scalars }

  /// Mean loss and accuracy over pairs a·p+b.
  package func evaluate(pairs: [Int], labels: [Int32]) -> LossAndAccuracy {
    let tensors = Tensors(weights)
    var (loss, correct) = (0.0, 0)
    for pair in pairs {
      let logits = trace(a: pair / modulus, b: pair % modulus, tensors: tensors).logits.scalars
      let result = CrossEntropy(logits: logits, label: Int(labels[pair]))
      loss += result.loss
      correct += result.isCorrect ? 1 : 0
    }
    return LossAndAccuracy(loss: loss / Double(pairs.count), accuracy: Double(correct) / Double(pairs.count))
  }

  /// Mean loss and accuracy over the pairs, and the gradient of the mean loss.
  package func gradients(pairs: [Int], labels: [Int32]) -> (LossAndAccuracy, Parameters<Double>) {
    let tensors = Tensors(weights)
    var gradients = Tensors(Parameters<Double>(weights.layout))
    var (loss, correct) = (0.0, 0)
    for pair in pairs {
      let (a, b) = (pair / modulus, pair % modulus)
      let trace = trace(a: a, b: b, tensors: tensors)
      let result = CrossEntropy(logits: trace.logits.scalars, label: Int(labels[pair]))
      loss += result.loss
      correct += result.isCorrect ? 1 : 0
      backward(
        trace, logitGradient: ReferenceVector(result.gradient.map { $0 / Double(pairs.count) }),
        tokens: [a, b, modulus],
        tensors: tensors, into: &gradients)
    }
    let count = Double(pairs.count)
    return (
      LossAndAccuracy(loss: loss / count, accuracy: Double(correct) / count), gradients.parameters(weights.layout)
    )
  }

  private func trace(a: Int, b: Int, tensors w: Tensors) -> Trace {
    let (dModel, dHead) = (shape.dModel, shape.dHead)
    let tokens = [a, b, modulus]
    let inputs = (0..<3).map { w[.W_E].row(tokens[$0]) + w[.W_pos].row($0) }
    var (keys, values): ([[ReferenceVector]], [[ReferenceVector]]) = ([], [])
    var (queries, attention, mixed): ([ReferenceVector], [ReferenceVector], [ReferenceVector]) = ([], [], [])
    var residual = inputs[2]
    for head in 0..<shape.heads {
      let rows = head * dModel..<(head + 1) * dModel
      keys.append(inputs.map { w[.W_K].rows(rows).product(from: $0) })
      values.append(inputs.map { w[.W_V].rows(rows).product(from: $0) })
      queries.append(w[.W_Q].rows(rows).product(from: inputs[2]))
      let scores = keys[head].map { $0.dot(queries[head]) / Double(dHead).squareRoot() }
      let exponentials = scores.map { DeterministicMath.exp($0 - scores.max()!) }
      let total = exponentials.reduce(0, +)
      attention.append(ReferenceVector(exponentials.map { $0 / total }))
      var z = ReferenceVector(zeros: dHead)
      for position in 0..<3 { z = z + attention[head].scalars[position] * values[head][position] }
      mixed.append(z)
      residual = residual + w[.W_O].rows(head * dHead..<(head + 1) * dHead).product(from: z)
    }
    var pre = w[.W_in].product(from: residual)
    if shape.biases { pre = pre + w[.b_in].row(0) }
    let neurons = ReferenceVector(pre.scalars.map { activate($0).value })
    var end = residual + w[.W_out].product(from: neurons)
    if shape.biases { end = end + w[.b_out].row(0) }
    return Trace(
      inputs: inputs, keys: keys, values: values, queries: queries, attention: attention, mixed: mixed,
      residualMiddle: residual, preActivations: pre, neurons: neurons, residualEnd: end,
      logits: w[.W_U].product(from: end))
  }

  private func backward(
    _ trace: Trace, logitGradient: ReferenceVector, tokens: [Int], tensors w: Tensors, into gradients: inout Tensors
  ) {
    let (dModel, dHead) = (shape.dModel, shape.dHead)
    gradients[.W_U].addOuter(trace.residualEnd, logitGradient)
    let end = w[.W_U].product(toward: logitGradient)
    gradients[.W_out].addOuter(trace.neurons, end)
    if shape.biases { gradients[.b_out].add(end, toRow: 0) }
    let slopes = trace.preActivations.scalars.map { activate($0).slope }
    let pre = ReferenceVector(zip(w[.W_out].product(toward: end).scalars, slopes).map { $0 * $1 })
    gradients[.W_in].addOuter(trace.residualMiddle, pre)
    if shape.biases { gradients[.b_in].add(pre, toRow: 0) }
    let middle = end + w[.W_in].product(toward: pre)

    var inputs = [ReferenceVector](repeating: ReferenceVector(zeros: dModel), count: 3)
    inputs[2] = middle
    for head in 0..<shape.heads {
      let rows = head * dModel..<(head + 1) * dModel
      let headRows = head * dHead..<(head + 1) * dHead
      gradients[.W_O].addOuter(trace.mixed[head], middle, fromRow: headRows.lowerBound)
      let mixed = w[.W_O].rows(headRows).product(toward: middle)
      let attention = trace.attention[head]
      let attentionGradient = ReferenceVector(trace.values[head].map { $0.dot(mixed) })
      let mean = attention.dot(attentionGradient)
      var query = ReferenceVector(zeros: dHead)
      for position in 0..<3 {
        let score =
          attention.scalars[position] * (attentionGradient.scalars[position] - mean) / Double(dHead).squareRoot()
        let value = attention.scalars[position] * mixed
        gradients[.W_V].addOuter(trace.inputs[position], value, fromRow: rows.lowerBound)
        inputs[position] = inputs[position] + w[.W_V].rows(rows).product(toward: value)
        let key = score * trace.queries[head]
        gradients[.W_K].addOuter(trace.inputs[position], key, fromRow: rows.lowerBound)
        inputs[position] = inputs[position] + w[.W_K].rows(rows).product(toward: key)
        query = query + score * trace.keys[head][position]
      }
      gradients[.W_Q].addOuter(trace.inputs[2], query, fromRow: rows.lowerBound)
      inputs[2] = inputs[2] + w[.W_Q].rows(rows).product(toward: query)
    }
    for position in 0..<3 {
      gradients[.W_E].add(inputs[position], toRow: tokens[position])
      gradients[.W_pos].add(inputs[position], toRow: position)
    }
  }

  /// The activation and its derivative.
  private func activate(_ x: Double) -> (value: Double, slope: Double) {
    switch activation {
    case .relu: return x > 0 ? (x, 1) : (0, 0)
    case .gelu:
      let scale = (2 / Double.pi).squareRoot()
      let tanh = DeterministicMath.tanh(scale * (x + 0.044715 * x * x * x))
      let inner = scale * (1 + 3 * 0.044715 * x * x)
      return (0.5 * x * (1 + tanh), 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * inner)
    }
  }
}
