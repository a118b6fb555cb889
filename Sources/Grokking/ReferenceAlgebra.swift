// The few vector operations that the float64 twin is written in; nobody else uses them.

/// A vector that adds and scales; an array's `+` would join.
struct ReferenceVector: Sendable {
  var scalars: [Double]

  init(_ scalars: [Double]) { self.scalars = scalars }
  init(zeros count: Int) { scalars = [Double](repeating: 0, count: count) }

  /// Σ x·y, ascending.
  func dot(_ other: ReferenceVector) -> Double {
    var sum = 0.0
    for index in scalars.indices { sum += scalars[index] * other.scalars[index] }
    return sum
  }

  static func + (x: ReferenceVector, y: ReferenceVector) -> ReferenceVector {
    ReferenceVector(x.scalars.indices.map { x.scalars[$0] + y.scalars[$0] })
  }

  static func * (factor: Double, x: ReferenceVector) -> ReferenceVector {
    ReferenceVector(x.scalars.map { factor * $0 })
  }
}

/// One tensor as a matrix of its last dimension, for the twin.
struct ReferenceTensor: Sendable {
  var scalars: [Double]
  let columns: Int

  func row(_ index: Int) -> ReferenceVector {
    ReferenceVector(Array(scalars[index * columns..<(index + 1) * columns]))
  }

  func rows(_ range: Range<Int>) -> Slice {
    Slice(scalars: scalars[range.lowerBound * columns..<range.upperBound * columns], columns: columns)
  }

  func product(from x: ReferenceVector) -> ReferenceVector { rows(0..<scalars.count / columns).product(from: x) }
  func product(toward g: ReferenceVector) -> ReferenceVector { rows(0..<scalars.count / columns).product(toward: g) }

  /// Adds x·gᵀ to the rows from `first` on.
  mutating func addOuter(_ x: ReferenceVector, _ g: ReferenceVector, fromRow first: Int = 0) {
    let columns = columns
    scalars.withUnsafeMutableBufferPointer { scalars in
      for (index, value) in x.scalars.enumerated() {
        for column in 0..<columns { scalars[(first + index) * columns + column] += value * g.scalars[column] }
      }
    }
  }

  mutating func add(_ g: ReferenceVector, toRow row: Int) {
    for column in 0..<columns { scalars[row * columns + column] += g.scalars[column] }
  }

  /// Some rows of a tensor, without a copy.
  struct Slice {
    let scalars: ArraySlice<Double>
    let columns: Int

    /// y_j = Σ_i x_i·W[i, j]
    func product(from x: ReferenceVector) -> ReferenceVector {
      var result = [Double](repeating: 0, count: columns)
      scalars.withUnsafeBufferPointer { w in
        for (row, value) in x.scalars.enumerated() {
          for column in 0..<columns { result[column] += value * w[row * columns + column] }
        }
      }
      return ReferenceVector(result)
    }

    /// y_i = Σ_j W[i, j]·g_j
    func product(toward g: ReferenceVector) -> ReferenceVector {
      scalars.withUnsafeBufferPointer { w in
        ReferenceVector(
          (0..<w.count / columns).map { row in
            var sum = 0.0
            for column in 0..<columns { sum += w[row * columns + column] * g.scalars[column] }
            return sum
          })
      }
    }
  }
}

/// All tensors of a model, each in an array of its own.
struct Tensors: Sendable {
  private var tensors: [ReferenceTensor?]

  init(_ parameters: Parameters<Double>) {
    tensors = TensorName.allCases.map { name in
      parameters.layout[name].map { ReferenceTensor(scalars: parameters[name], columns: $0.shape.last!) }
    }
  }

  /// Traps for a bias of a model without biases.
  subscript(_ name: TensorName) -> ReferenceTensor {
    get { tensors[TensorName.allCases.firstIndex(of: name)!]! }
    _modify { yield &tensors[TensorName.allCases.firstIndex(of: name)!]! }
  }

  func parameters(_ layout: ParameterLayout) -> Parameters<Double> {
    var parameters = Parameters<Double>(layout)
    for tensor in layout.tensors { parameters[tensor.name] = self[tensor.name].scalars }
    return parameters
  }
}
