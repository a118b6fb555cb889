// The slow twin of every kernel: one element at a time, in the order that the kernels promise, so that tests can ask
// for equal bits. Only exponentials, logarithms and what is made of them are compared within a tolerance.

import CKernels

/// The same operations as `Kernels`, element by element.
package struct NaiveKernels {
  package init() {}

  /// c ← a·b, or c + a·b.
  package func multiply(
    _ a: FloatMatrix, _ b: FloatMatrix, into c: FloatMatrix, accumulating: Bool = false,
    finish: Kernels.Finish = .plain
  ) {
    for row in 0..<c.rows {
      for column in 0..<c.columns {
        var sum = accumulating ? c[row, column] : 0
        for k in 0..<a.columns { sum.addProduct(a[row, k], b[k, column]) }
        switch finish {
        case .plain: c[row, column] = sum
        case .wherePositive(let gate): c[row, column] = gate[row, column] > 0 ? sum : 0
        case .times(let gate): c[row, column] = gate[row, column] * sum
        }
      }
    }
  }

  package func transpose(_ from: FloatMatrix, into to: FloatMatrix) {
    for row in 0..<from.rows { for column in 0..<from.columns { to[column, row] = from[row, column] } }
  }

  package func addColumnSums(of x: FloatMatrix, to sums: FloatMatrix) {
    for row in 0..<x.rows { for column in 0..<x.columns { sums[0, column] += x[row, column] } }
  }

  package func add(row: FloatMatrix, to x: FloatMatrix, into to: FloatMatrix) {
    for index in 0..<x.rows { for column in 0..<x.columns { to[index, column] = x[index, column] + row[0, column] } }
  }

  package func add(_ x: FloatMatrix, _ y: FloatMatrix, into to: FloatMatrix) {
    for row in 0..<x.rows { for column in 0..<x.columns { to[row, column] = x[row, column] + y[row, column] } }
  }

  /// In float64, rounded once.
  package func exponentials(of x: FloatMatrix, minus shift: Float, into to: FloatMatrix) {
    for column in 0..<x.columns {
      let exponent = x[0, column] - shift
      to[0, column] = exponent < -87 ? 0 : Float(DeterministicMath.exp(Double(exponent)))
    }
  }

  package func attention(
    of pairs: TokenPairs, scores0: FloatMatrix, scores1: FloatMatrix, equals: FloatMatrix, raw: Bool,
    into weights0: FloatMatrix, _ weights1: FloatMatrix
  ) {
    for head in 0..<scores0.rows {
      for example in 0..<pairs.count {
        var x = [
          scores0[head, Int(pairs.first[example])], scores1[head, Int(pairs.second[example])], equals[0, head],
        ]
        if raw {
          let most = x.max()!
          x = x.map { $0 - most < -87 ? 0 : Float(DeterministicMath.exp(Double($0 - most))) }
        }
        let total = (x[0] + x[1]) + x[2]
        weights0[head, example] = x[0] / total
        weights1[head, example] = x[1] / total
      }
    }
  }

  package func mix(
    _ pairs: TokenPairs, _ table0: TokenTable, _ table1: TokenTable, constant: FloatMatrix, weights0: FloatMatrix,
    weights1: FloatMatrix, hidden: Int, activation: Kernels.Activating, into out: FloatMatrix
  ) {
    for example in 0..<pairs.count {
      for column in 0..<out.columns {
        var sum = constant[0, column]
        for head in 0..<table0.heads {
          sum.addProduct(weights0[head, example], table0.row(Int(pairs.first[example]), head)[column])
          sum.addProduct(weights1[head, example], table1.row(Int(pairs.second[example]), head)[column])
        }
        out[example, column] =
          column < hidden ? activated(sum, activation, at: (example, column)) : sum
      }
    }
  }

  package func activate(_ x: FloatMatrix, adding shift: FloatMatrix, _ activation: Kernels.Activating) {
    for row in 0..<x.rows {
      for column in 0..<x.columns {
        x[row, column] = activated(x[row, column] + shift[0, column], activation, at: (row, column))
      }
    }
  }

  /// GELU and its derivative in float64, rounded once.
  private func activated(
    _ value: Float, _ activation: Kernels.Activating, at place: (row: Int, column: Int)
  ) -> Float {
    switch activation {
    case .relu: return value < 0 ? 0 : value
    case .gelu(let derivatives):
      let (x, scale) = (Double(value), (2 / Double.pi).squareRoot())
      let tanh = DeterministicMath.tanh(scale * (x + 0.044715 * x * x * x))
      let inner = scale * (1 + 3 * 0.044715 * x * x)
      derivatives[place.row, place.column] = Float(0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * inner)
      return Float(0.5 * x * (1 + tanh))
    }
  }

  package func scatter(_ x: FloatMatrix, weights: FloatMatrix, over runs: TokenRuns, into table: TokenTable) {
    for run in runs.runs {
      for head in 0..<table.heads {
        let row = table.row(Int(run.token), head)
        for example in runs.rows[Int(run.begin)..<Int(run.end)].map(Int.init) {
          for column in 0..<table.width { row[column].addProduct(weights[head, example], x[example, column]) }
        }
      }
    }
  }

  package func dots(_ x: FloatMatrix, with table: TokenTable, over runs: TokenRuns, into dots: FloatMatrix) {
    for run in runs.runs {
      for head in 0..<table.heads {
        let row = table.row(Int(run.token), head)
        for example in runs.rows[Int(run.begin)..<Int(run.end)].map(Int.init) {
          var lanes = [Float](repeating: 0, count: 16)
          for column in 0..<table.width { lanes[column % 16].addProduct(x[example, column], row[column]) }
          dots[head, example] = NaiveKernels.sum(lanes)
        }
      }
    }
  }

  /// The fixed tree over 16 lanes: lane i meets lane i + 8, then i + 4, i + 2, i + 1.
  private static func sum(_ lanes: [Float]) -> Float {
    var lanes = lanes
    for half in [8, 4, 2, 1] { for lane in 0..<half { lanes[lane] += lanes[lane + half] } }
    return lanes[0]
  }

  package func attentionBackward(
    count: Int, weights0: FloatMatrix, weights1: FloatMatrix, gradients0: FloatMatrix, gradients1: FloatMatrix
  ) {
    for head in 0..<weights0.rows {
      for example in 0..<count {
        let (w0, w1) = (weights0[head, example], weights1[head, example])
        let mean = (w1 * gradients1[head, example]).addingProduct(w0, gradients0[head, example])
        gradients0[head, example] = w0 * (gradients0[head, example] - mean)
        gradients1[head, example] = w1 * (gradients1[head, example] - mean)
      }
    }
  }

  /// In float64, rounded once.
  package func crossEntropy(
    _ logits: FloatMatrix, classes: Int, labels: UnsafeBufferPointer<Int32>, gradientScale: Float?,
    losses: UnsafeMutableBufferPointer<Float>, correct: UnsafeMutableBufferPointer<Int32>
  ) {
    for (row, label) in labels.enumerated() {
      let z = (0..<classes).map { Double(logits[row, $0]) }
      let (own, rival) = (z[Int(label)], z.indices.filter { $0 != label }.map { z[$0] }.max() ?? -.infinity)
      let top = max(own, rival)
      let exponentials = z.map { DeterministicMath.exp($0 - top) }
      let others = exponentials.indices.filter { $0 != label }.reduce(0) { $0 + exponentials[$1] }
      let total = others + exponentials[Int(label)]
      losses[row] = Float(
        own == top ? DeterministicMath.log1p(others) : (top - own) + DeterministicMath.log(total))
      correct[row] = own > rival ? 1 : 0
      guard let scale = gradientScale else { continue }
      for column in 0..<logits.columns {
        let share = column < classes ? (column == label ? -others : exponentials[column]) / total : 0
        logits[row, column] = Float(share * Double(scale))
      }
    }
  }

  package func adamW(
    _ step: AdamWStep, count: Int, gradients: FloatBuffer, weights: FloatBuffer, firstMoment: FloatBuffer,
    secondMoment: FloatBuffer
  ) {
    for index in 0..<count {
      let g = gradients.base[index]
      let m = (step.oneMinusBeta1 * g).addingProduct(step.beta1, firstMoment.base[index])
      let v = ((step.oneMinusBeta2 * g) * g).addingProduct(step.beta2, secondMoment.base[index])
      let size = step.epsilon.addingProduct(v.squareRoot(), step.varianceScale)
      firstMoment.base[index] = m
      secondMoment.base[index] = v
      weights.base[index] = weights.base[index] * step.keep - (step.stepSize * m) / size
    }
  }
}

extension NaiveKernels {
  package func prepare(
    _ step: GradientStep, count: Int, weights: FloatBuffer, gradients: FloatBuffer, slow: FloatBuffer?
  ) {
    for index in 0..<count {
      let w = weights.base[index]
      var g = gradients.base[index] + (w > 0 ? step.l1 : w < 0 ? -step.l1 : 0)
      if let slow {
        let h = (step.oneMinusAlpha * g).addingProduct(step.alpha, slow.base[index])
        slow.base[index] = h
        g = g.addingProduct(step.lambda, h)
      }
      gradients.base[index] = g.addingProduct(step.decay, w)
    }
  }

  package func sgd(
    _ step: SGDStep, count: Int, gradients: FloatBuffer, weights: FloatBuffer, velocity: FloatBuffer
  ) {
    for index in 0..<count {
      let v = gradients.base[index].addingProduct(step.momentum, velocity.base[index])
      velocity.base[index] = v
      weights.base[index] = weights.base[index].addingProduct(-step.learningRate, v)
    }
  }
}

extension TokenTable {
  /// The row of one token and head.
  fileprivate func row(_ token: Int, _ head: Int) -> UnsafeMutablePointer<Float> {
    base + (token * heads + head) * width
  }
}
