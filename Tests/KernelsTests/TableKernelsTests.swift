// The kernels on tables and the loss against their naive twins.

import Kernels
import Testing

@Suite struct TableKernelsTests {
  static let paths = KernelPath.available
  /// Heads, width of a row, hidden columns of it.
  static let shapes = [(1, 16, 16), (2, 80, 64), (3, 32, 16), (4, 144, 96), (7, 208, 112)]
  private static let tokens = 5
  private static let count = 23

  /// First and second tokens of 23 examples.
  private static let first = (0..<count).map { Int32($0 * 3 % tokens) }
  private static let second = (0..<count).map { Int32($0 * $0 % tokens) }

  private static func withPairs(_ body: (TokenPairs) -> Void) {
    first.withUnsafeBufferPointer { first in
      second.withUnsafeBufferPointer { second in body(TokenPairs(first: first, second: second)) }
    }
  }

  @Test(arguments: paths, shapes) func `mixing rows has the twin's bits with ReLU`(
    _ path: KernelPath, _ shape: (heads: Int, width: Int, hidden: Int)
  ) {
    let (fast, slow) = mixed(path, shape, activation: .relu)
    #expect(fast.map(\.bitPattern) == slow.map(\.bitPattern))
  }

  @Test(arguments: paths, shapes) func `mixing rows with GELU is close to the twin, derivatives too`(
    _ path: KernelPath, _ shape: (heads: Int, width: Int, hidden: Int)
  ) {
    let derivatives = (FloatBuffer(Self.count * shape.hidden), FloatBuffer(Self.count * shape.hidden))
    let fast = mixed(path, shape, activation: .gelu(derivatives: derivatives.0.matrix(Self.count, shape.hidden))).fast
    let slow = mixed(path, shape, activation: .gelu(derivatives: derivatives.1.matrix(Self.count, shape.hidden))).slow
    for (value, wanted) in zip(fast + derivatives.0.array, slow + derivatives.1.array) {
      #expect(abs(value - wanted) <= 2e-6 * max(1, abs(wanted)))
    }
  }

  private func mixed(
    _ path: KernelPath, _ shape: (heads: Int, width: Int, hidden: Int), activation: Kernels.Activating
  ) -> (fast: [Float], slow: [Float]) {
    let (heads, width) = (shape.heads, shape.width)
    let tables = [1, 2].map { Samples.buffer(Self.tokens * heads * width, seed: $0) }
    let table0 = TokenTable(tables[0], tokens: Self.tokens, heads: heads, width: width)
    let table1 = TokenTable(tables[1], tokens: Self.tokens, heads: heads, width: width)
    let constant = Samples.buffer(width, seed: 3).matrix(1, width)
    let weights = [4, 5].map { Samples.buffer(heads * Self.count, seed: $0).matrix(heads, Self.count) }
    let (fast, slow) = (FloatBuffer(Self.count * width), FloatBuffer(Self.count * width))
    Self.withPairs { pairs in
      Kernels(path).mix(
        pairs, table0, table1, constant: constant, weights0: weights[0], weights1: weights[1], hidden: shape.hidden,
        activation: activation, into: fast.matrix(Self.count, width))
      NaiveKernels().mix(
        pairs, table0, table1, constant: constant, weights0: weights[0], weights1: weights[1], hidden: shape.hidden,
        activation: activation, into: slow.matrix(Self.count, width))
    }
    return (fast.array, slow.array)
  }

  @Test(arguments: paths, [(1, 16), (5, 48), (23, 144)]) func `activating finished rows agrees with the twin`(
    _ path: KernelPath, _ shape: (rows: Int, columns: Int)
  ) {
    let (rows, columns) = shape
    let shift = Samples.buffer(columns, seed: 2).matrix(1, columns)
    func activated(_ body: (FloatMatrix) -> Void) -> [Float] {
      // Gaps between the rows, which must stay as they are.
      let x = FloatBuffer(Samples.buffer(rows * (columns + 5), seed: 1).array)
      body(x.matrix(rows, columns, stride: columns + 5))
      return x.array
    }
    let fast = activated { Kernels(path).activate($0, adding: shift, .relu) }
    let slow = activated { NaiveKernels().activate($0, adding: shift, .relu) }
    #expect(fast.map(\.bitPattern) == slow.map(\.bitPattern))
    let slopes = (FloatBuffer(rows * (columns + 3)), FloatBuffer(rows * (columns + 3)))
    func gelu(_ slopes: FloatBuffer) -> Kernels.Activating {
      .gelu(derivatives: slopes.matrix(rows, columns, stride: columns + 3))
    }
    let fastGELU = activated { Kernels(path).activate($0, adding: shift, gelu(slopes.0)) }
    let slowGELU = activated { NaiveKernels().activate($0, adding: shift, gelu(slopes.1)) }
    for (value, wanted) in zip(fastGELU + slopes.0.array, slowGELU + slopes.1.array) {
      #expect(abs(value - wanted) <= 2e-6 * max(1, abs(wanted)))
    }
  }

  @Test(arguments: paths) func `what is not a number survives its activation`(_ path: KernelPath) {
    let (shift, slopes) = (FloatBuffer(16), FloatBuffer(16))
    for activation in [Kernels.Activating.relu, .gelu(derivatives: slopes.matrix(1, 16))] {
      let x = FloatBuffer(16)
      x.base[3] = .nan
      x.base[5] = .infinity
      Kernels(path).activate(x.matrix(1, 16), adding: shift.matrix(1, 16), activation)
      #expect(x.array[3].isNaN && !x.array[5].isFinite)
    }
    withExtendedLifetime((shift, slopes)) {}
  }

  @Test(arguments: paths, shapes) func `scattering rows and dotting them have the twin's bits`(
    _ path: KernelPath, _ shape: (heads: Int, width: Int, hidden: Int)
  ) {
    let (heads, width) = (shape.heads, shape.width)
    let x = Samples.buffer(Self.count * width, seed: 1).matrix(Self.count, width)
    let weights = Samples.buffer(heads * Self.count, seed: 2).matrix(heads, Self.count)
    let runs = TokenRuns(tokens: Self.second)
    let start = Samples.buffer(Self.tokens * heads * width, seed: 3).array
    let (fast, slow) = (FloatBuffer(start), FloatBuffer(start))
    let (fastTable, slowTable) = (
      TokenTable(fast, tokens: Self.tokens, heads: heads, width: width),
      TokenTable(slow, tokens: Self.tokens, heads: heads, width: width)
    )
    Kernels(path).scatter(x, weights: weights, over: runs, into: fastTable)
    NaiveKernels().scatter(x, weights: weights, over: runs, into: slowTable)
    #expect(fast.array.map(\.bitPattern) == slow.array.map(\.bitPattern))

    let dots = [FloatBuffer(heads * Self.count), FloatBuffer(heads * Self.count)]
    Kernels(path).dots(x, with: fastTable, over: runs, into: dots[0].matrix(heads, Self.count))
    NaiveKernels().dots(x, with: fastTable, over: runs, into: dots[1].matrix(heads, Self.count))
    #expect(dots[0].array.map(\.bitPattern) == dots[1].array.map(\.bitPattern))
  }

  @Test(arguments: paths) func `attention and its backward pass agree with the twin`(_ path: KernelPath) {
    let heads = 3
    let scores = [1, 2].map { Samples.buffer(heads * Self.tokens, seed: $0).matrix(heads, Self.tokens) }
    let equals = Samples.buffer(heads, seed: 3).matrix(1, heads)
    func weights(_ body: (FloatMatrix, FloatMatrix) -> Void) -> [Float] {
      let buffers = (FloatBuffer(heads * Self.count), FloatBuffer(heads * Self.count))
      body(buffers.0.matrix(heads, Self.count), buffers.1.matrix(heads, Self.count))
      return buffers.0.array + buffers.1.array
    }
    Self.withPairs { pairs in
      let fast = weights {
        Kernels(path).attention(
          of: pairs, scores0: scores[0], scores1: scores[1], equals: equals, raw: true, into: $0, $1)
      }
      let slow = weights {
        NaiveKernels().attention(
          of: pairs, scores0: scores[0], scores1: scores[1], equals: equals, raw: true, into: $0, $1)
      }
      for (value, wanted) in zip(fast, slow) { #expect(abs(value - wanted) <= 1e-6 * wanted) }
    }
    let given = [4, 5].map { Samples.buffer(heads * Self.count, seed: $0).matrix(heads, Self.count) }
    func gradients(_ body: (FloatMatrix, FloatMatrix) -> Void) -> [UInt32] {
      let buffers = (Samples.buffer(heads * Self.count, seed: 6), Samples.buffer(heads * Self.count, seed: 7))
      body(buffers.0.matrix(heads, Self.count), buffers.1.matrix(heads, Self.count))
      return (buffers.0.array + buffers.1.array).map(\.bitPattern)
    }
    let fast = gradients {
      Kernels(path).attentionBackward(
        count: Self.count, weights0: given[0], weights1: given[1], gradients0: $0, gradients1: $1)
    }
    let slow = gradients {
      NaiveKernels().attentionBackward(
        count: Self.count, weights0: given[0], weights1: given[1], gradients0: $0, gradients1: $1)
    }
    #expect(fast == slow)
  }

  /// From hopeless to certain: losses from about 100 down to 1e-9 and less. A difference of logits of 30 in float32 is
  /// itself known to 1e-6 only.
  @Test(arguments: paths) func `cross-entropy keeps its relative precision at every size of loss`(_ path: KernelPath) {
    for classes in [3, 16, 17, 114] {
      let columns = (classes + 15) / 16 * 16
      let count = 40
      let start = Samples.buffer(count * columns, seed: 9)
      let labels = (0..<count).map { Int32($0 * 7 % classes) }
      for row in 0..<count { start.base[row * columns + Int(labels[row])] += Float(row) * 3.3 - 100 }
      func run(
        _ body: (
          FloatMatrix, UnsafeBufferPointer<Int32>, UnsafeMutableBufferPointer<Float>,
          UnsafeMutableBufferPointer<Int32>
        ) -> Void
      ) -> (losses: [Float], correct: [Int32], gradients: [Float]) {
        let logits = FloatBuffer(start.array)
        var losses = [Float](repeating: 0, count: count)
        var correct = [Int32](repeating: 0, count: count)
        labels.withUnsafeBufferPointer { labels in
          losses.withUnsafeMutableBufferPointer { losses in
            correct.withUnsafeMutableBufferPointer { correct in
              body(logits.matrix(count, columns), labels, losses, correct)
            }
          }
        }
        return (losses, correct, logits.array)
      }
      let fast = run {
        Kernels(path).crossEntropy($0, classes: classes, labels: $1, gradientScale: 0.5, losses: $2, correct: $3)
      }
      let slow = run {
        NaiveKernels().crossEntropy($0, classes: classes, labels: $1, gradientScale: 0.5, losses: $2, correct: $3)
      }
      #expect(fast.correct == slow.correct)
      #expect(slow.losses.min()! < 1e-8 && slow.losses.max()! > 90)
      for (value, wanted) in zip(fast.losses, slow.losses) {
        #expect(abs(value - wanted) <= 2e-6 * wanted, "\(value) for \(wanted)")
      }
      for (value, wanted) in zip(fast.gradients, slow.gradients) {
        #expect(abs(value - wanted) <= 2e-6 * abs(wanted) + 1e-37, "\(value) for \(wanted)")
      }
      let silent = run {
        Kernels(path).crossEntropy($0, classes: classes, labels: $1, gradientScale: nil, losses: $2, correct: $3)
      }
      #expect(silent.losses == fast.losses && silent.gradients == start.array)
    }
  }

  @Test(arguments: paths) func `a loss is not finite when a logit is not`(_ path: KernelPath) {
    for bad in [Float.nan, .infinity] {
      for place in [0, 2] {
        let logits = FloatBuffer(16)
        logits.base[place] = bad
        var (loss, correct): (Float, Int32) = (0, 0)
        [Int32(2)].withUnsafeBufferPointer { labels in
          withUnsafeMutablePointer(to: &loss) { loss in
            withUnsafeMutablePointer(to: &correct) { correct in
              Kernels(path).crossEntropy(
                logits.matrix(1, 16), classes: 3, labels: labels, gradientScale: nil,
                losses: UnsafeMutableBufferPointer(start: loss, count: 1),
                correct: UnsafeMutableBufferPointer(start: correct, count: 1))
            }
          }
        }
        #expect(!loss.isFinite, "\(bad) at \(place)")
      }
    }
  }
}
