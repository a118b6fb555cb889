// What pictures of one model are made of: values over the grid of all pairs, in float64 where they are computed and
// float32 where they are kept (Nanda et al. 2023, figures 3 to 5).
//
// `ModelAnalysis` gathers sums and keeps nothing of the size of the grid; here such grids are the point, so only those
// that are asked for are kept. Operands are in the order of their places around the operation's circle, so that for
// products, too, waves look like waves; a product's pairs with a factor 0 have no place and are left out.

/// Grids of one model, n × n each, entry first·n + second by the places of the operands.
package struct ModelMaps: Sendable {
  package struct Neuron: Sendable {
    /// Among the d_mlp.
    package let number: Int
    /// After the activation function; n².
    package let activations: [Float]
    /// Share of its variance that each frequency's 3 × 3 block explains; K.
    package let shares: [Double]
  }

  /// Where W_E puts the tokens in the plane of one frequency's cosine and sine.
  package struct TokenCircle: Sendable {
    package let frequency: Int
    /// Along the directions of the cosine and the sine, unit vectors of d_model; n each, in the order of places.
    package let x: [Double]
    package let y: [Double]
    /// Of W_E's squared norm about its mean over the tokens, the share that lies in the frequency's waves.
    package let share: Double
  }

  /// n: the operation's circle is as long.
  package let length: Int
  /// The residue at each place: 0…p−1 in order, or powers of the primitive root.
  package let residues: [Int]
  package let neurons: [Neuron]
  /// Of each head from `=` to the first operand; heads × n².
  package let attention: [[Float]]
  /// Norm over classes of the logits' coefficient at each pair of rows of the Fourier basis; n².
  package let logitNorms: [Double]
  /// How many of the n classes that norm is over: fewer where n is so large that all would take minutes.
  package let logitClasses: Int
  /// One per frequency asked for.
  package let circles: [TokenCircle]

  /// - Parameters:
  ///   - neurons: numbers of those to keep.
  ///   - frequencies: of the circles.
  /// - Throws: `AnalysisError` for logits or neurons without bounds.
  package init(
    weights: Parameters<Float>, activation: Activation, operation: Operation, neurons numbers: [Int],
    frequencies: [Int]
  ) throws(AnalysisError) {
    let layout = weights.layout
    let circle = Circle(of: operation, modulus: layout.modulus)
    let (n, heads) = (circle.length, layout.model.heads)
    let classes = ModelMaps.classes(circle)
    let forward = GridForward(DoubleForward(weights, activation: activation), classes: classes)
    var sums = GridSums(circle: circle, signals: numbers.count)
    var activations = numbers.map { _ in [Float](repeating: 0, count: n * n) }
    var attention = [[Float]](repeating: [Float](repeating: 0, count: n * n), count: heads)
    // Logits of each first operand, already transformed along the second; n × classes each.
    var transformed: [Matrix] = []
    for (first, a) in circle.residues.enumerated() {
      let rows = forward.rows(a: a)
      guard rows.logits.isBounded(by: 1e100), rows.neurons.isBounded(by: 1e100) else {
        throw AnalysisError(
          "the model's neurons or logits are not finite or above 1e100; its weights are too large to be drawn")
      }
      let chosen = rows.neurons.selectingColumns(numbers)
      sums.add(chosen, a: a)
      for (second, b) in circle.residues.enumerated() {
        let entry = first * n + second
        for index in numbers.indices { activations[index][entry] = Float(chosen[b, index]) }
        for head in 0..<heads { attention[head][entry] = Float(rows.attention[head * 3 * layout.modulus + b]) }
      }
      transformed.append(circle.basis.rows * rows.logits.selectingRows(circle.residues))
    }
    length = n
    residues = circle.residues
    self.attention = attention
    let shares = sums.shares()
    neurons = numbers.indices.map { Neuron(number: numbers[$0], activations: activations[$0], shares: shares[$0]) }
    logitClasses = classes.count
    logitNorms = ModelMaps.norms(transformed, circle.basis)
    circles = ModelMaps.circles(weights, circle, frequencies)
  }

  /// The classes whose logits are transformed: all, or as many at equal distances as take about a second.
  private static func classes(_ circle: Circle) -> [Int] {
    let n = circle.length
    let affordable = max(8, 1_500_000_000 / (2 * n * n * n))
    guard affordable < n else { return circle.residues }
    return (0..<affordable).map { circle.residues[$0 * n / affordable] }
  }

  /// - Parameter transformed: per first operand, coefficients along the second by classes.
  private static func norms(_ transformed: [Matrix], _ basis: FourierBasis) -> [Double] {
    let n = basis.modulus
    var norms = [Double](repeating: 0, count: n * n)
    for second in 0..<n {
      var column = Matrix(rows: n, columns: transformed[0].columns)
      for (first, matrix) in transformed.enumerated() { column.addRow(of: matrix, second, times: 1, to: first) }
      let coefficients = basis.rows * column
      for first in 0..<n {
        norms[first * n + second] = coefficients.row(first).reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
    }
    return norms
  }

  private static func circles(_ weights: Parameters<Float>, _ circle: Circle, _ frequencies: [Int]) -> [TokenCircle] {
    let model = weights.layout.model
    let W_E = Matrix(rows: circle.modulus, columns: model.dModel, of: weights.W_E).selectingRows(circle.residues)
    let powers = FourierBasis.power(of: circle.basis.waves * W_E)
    let all = circle.basis.rows * W_E
    // The basis is complete: all rows but the constant one hold what there is about the mean.
    var total = 0.0
    for row in 1..<circle.length { total += all.row(row).reduce(0) { $0 + $1 * $1 } }
    return frequencies.map { k in
      let directions = circle.basis.waves(of: [k]) * W_E  // 2 × d_model
      let places = W_E * directions.transposed  // n × 2
      func along(_ column: Int) -> [Double] {
        let length = directions.row(column).reduce(0) { $0 + $1 * $1 }.squareRoot()
        return (0..<circle.length).map { length > 0 ? places[$0, column] / length : 0 }
      }
      return TokenCircle(frequency: k, x: along(0), y: along(1), share: total > 0 ? powers[k - 1] / total : 0)
    }
  }
}
