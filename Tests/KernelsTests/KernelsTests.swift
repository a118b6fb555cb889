// Every kernel against its naive twin on every instruction set of this machine: equal bits where the order of the sums
// is promised, close values where a polynomial is involved.

import Kernels
import Testing

@Suite struct KernelsTests {
  static let paths = KernelPath.available

  @Test(arguments: paths) func `products have the twin's bits at every edge of a tile`(_ path: KernelPath) {
    for (m, n, k) in [
      (1, 1, 1), (5, 15, 3), (6, 16, 7), (7, 17, 1), (13, 64, 9), (12, 65, 33), (23, 130, 40), (4, 47, 2),
    ] {
      for (accumulating, transposed) in [(false, false), (true, false), (false, true), (true, true)] {
        let a = Samples.buffer(m * k, seed: 1)
        let b = Samples.buffer(k * (n + 3), seed: 2)
        let gate = Samples.buffer(m * n, seed: 3).matrix(m, n)
        let left = transposed ? a.matrix(k, m).transposed : a.matrix(m, k)
        let right = b.matrix(k, n, stride: n + 3)
        for finish in [Kernels.Finish.plain, .wherePositive(gate), .times(gate)] {
          expectEqualBits(Samples.buffer(m * (n + 5), seed: 4)) { buffer in
            Kernels(path).multiply(
              left, right, into: buffer.matrix(m, n, stride: n + 5), accumulating: accumulating, finish: finish)
          } twin: { buffer in
            NaiveKernels().multiply(
              left, right, into: buffer.matrix(m, n, stride: n + 5), accumulating: accumulating, finish: finish)
          }
        }
      }
    }
  }

  @Test(arguments: paths) func `a product may be gated by what it overwrites`(_ path: KernelPath) {
    let (a, b) = (Samples.buffer(9 * 4, seed: 1).matrix(9, 4), Samples.buffer(4 * 70, seed: 2).matrix(4, 70))
    expectEqualBits(Samples.buffer(9 * 70, seed: 3)) { buffer in
      let c = buffer.matrix(9, 70)
      Kernels(path).multiply(a, b, into: c, finish: .wherePositive(c))
    } twin: { buffer in
      let c = buffer.matrix(9, 70)
      NaiveKernels().multiply(a, b, into: c, finish: .wherePositive(c))
    }
  }

  @Test(arguments: paths) func `sums and transposes have the twin's bits`(_ path: KernelPath) {
    for (rows, columns) in [(1, 1), (3, 15), (17, 16), (16, 33), (40, 81), (5, 200)] {
      let x = Samples.buffer(rows * columns, seed: 5).matrix(rows, columns)
      let y = Samples.buffer(rows * columns, seed: 6).matrix(rows, columns)
      let row = Samples.buffer(columns, seed: 7).matrix(1, columns)
      expectEqualBits(FloatBuffer(rows * columns)) {
        Kernels(path).transpose(x, into: $0.matrix(columns, rows))
      } twin: {
        NaiveKernels().transpose(x, into: $0.matrix(columns, rows))
      }
      expectEqualBits(Samples.buffer(columns, seed: 8)) {
        Kernels(path).addColumnSums(of: x, to: $0.matrix(1, columns))
      } twin: {
        NaiveKernels().addColumnSums(of: x, to: $0.matrix(1, columns))
      }
      expectEqualBits(FloatBuffer(rows * columns)) {
        Kernels(path).add(row: row, to: x, into: $0.matrix(rows, columns))
      } twin: {
        NaiveKernels().add(row: row, to: x, into: $0.matrix(rows, columns))
      }
      expectEqualBits(FloatBuffer(rows * columns)) {
        Kernels(path).add(x, y, into: $0.matrix(rows, columns))
      } twin: {
        NaiveKernels().add(x, y, into: $0.matrix(rows, columns))
      }
    }
  }

  @Test(arguments: paths) func `exponentials are good to a few units in the last place`(_ path: KernelPath) {
    let count = 20_001
    let x = FloatBuffer((0..<count).map { Float($0) * -0.005 })
    let result = FloatBuffer(count)
    Kernels(path).exponentials(of: x.matrix(1, count), minus: 0, into: result.matrix(1, count))
    let expected = FloatBuffer(count)
    NaiveKernels().exponentials(of: x.matrix(1, count), minus: 0, into: expected.matrix(1, count))
    for (value, wanted) in zip(result.array, expected.array) { #expect(abs(value - wanted) <= wanted * 3e-7) }
    #expect(result.array[0] == 1 && result.array[count - 1] == 0)
  }

  @Test(arguments: paths) func `an AdamW step has the twin's bits`(_ path: KernelPath) {
    let step = AdamWStep(
      learningRate: 1e-3, weightDecay: 1, beta1: 0.9, beta2: 0.98, beta1Power: 0.81, beta2Power: 0.9604, epsilon: 1e-8)
    for count in [1, 16, 77] {
      func run(_ body: (FloatBuffer, FloatBuffer, FloatBuffer, FloatBuffer) -> Void) -> [UInt32] {
        let (gradients, weights) = (Samples.buffer(count, seed: 1), Samples.buffer(count, seed: 2))
        let (first, second) = (
          Samples.buffer(count, seed: 3), FloatBuffer(Samples.buffer(count, seed: 4).array.map(abs))
        )
        body(gradients, weights, first, second)
        return (weights.array + first.array + second.array).map(\.bitPattern)
      }
      let fast = run {
        Kernels(path).adamW(step, count: count, gradients: $0, weights: $1, firstMoment: $2, secondMoment: $3)
      }
      let twin = run {
        NaiveKernels().adamW(step, count: count, gradients: $0, weights: $1, firstMoment: $2, secondMoment: $3)
      }
      #expect(fast == twin)
    }
  }

  @Test(arguments: paths) func `prepared gradients and SGD steps have the twin's bits`(_ path: KernelPath) {
    let steps = [
      GradientStep(l1: 0.01, alpha: 0.98, lambda: 2, decay: 0.5), GradientStep(l1: 0, alpha: 0, lambda: 5, decay: 0),
      GradientStep(l1: 0.3, alpha: 0.5, lambda: 0, decay: 0),
    ]
    let sgd = SGDStep(learningRate: 1e-3, momentum: 0.9)
    for count in [1, 16, 77] {
      for (number, step) in steps.enumerated() {
        func run(
          _ prepare: (FloatBuffer, FloatBuffer, FloatBuffer?) -> Void,
          _ move: (FloatBuffer, FloatBuffer, FloatBuffer) -> Void
        ) -> [UInt32] {
          let (gradients, weights) = (Samples.buffer(count, seed: 1), Samples.buffer(count, seed: 2))
          let (slow, velocity) = (Samples.buffer(count, seed: 3), Samples.buffer(count, seed: 4))
          weights.base[0] = 0
          prepare(weights, gradients, number == 2 ? nil : slow)
          move(gradients, weights, velocity)
          return (weights.array + gradients.array + slow.array + velocity.array).map(\.bitPattern)
        }
        let fast = run {
          Kernels(path).prepare(step, count: count, weights: $0, gradients: $1, slow: $2)
        } _: {
          Kernels(path).sgd(sgd, count: count, gradients: $0, weights: $1, velocity: $2)
        }
        let twin = run {
          NaiveKernels().prepare(step, count: count, weights: $0, gradients: $1, slow: $2)
        } _: {
          NaiveKernels().sgd(sgd, count: count, gradients: $0, weights: $1, velocity: $2)
        }
        #expect(fast == twin)
      }
    }
  }

  @Test func `tiny numbers are zero inside a training step and themselves again behind it`() {
    let tiny = Samples.opaque(Float.leastNormalMagnitude) / 4
    let inside = Kernels.flushingTinyToZero { Samples.opaque(Float.leastNormalMagnitude) / Samples.opaque(4) }
    #expect(inside == 0)
    #expect(tiny > 0 && Samples.opaque(Float.leastNormalMagnitude) / 4 == tiny)
  }

  private func expectEqualBits(
    _ start: FloatBuffer, kernel: (FloatBuffer) -> Void, twin: (FloatBuffer) -> Void,
    location: SourceLocation = #_sourceLocation
  ) {
    let (fast, slow) = (FloatBuffer(start.array), FloatBuffer(start.array))
    kernel(fast)
    twin(slow)
    #expect(fast.array.map(\.bitPattern) == slow.array.map(\.bitPattern), sourceLocation: location)
  }
}
