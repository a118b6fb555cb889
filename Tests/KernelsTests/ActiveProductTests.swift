// Products that leave out zeros: the same bits as the products that do not.

import Kernels
import Testing

@Suite struct ActiveProductTests {
  /// Half zeros of either sign, as a ReLU leaves them.
  private func halfZero(_ count: Int, seed: Int) -> FloatBuffer {
    let buffer = Samples.buffer(count, seed: seed)
    for index in 0..<count where buffer.base[index] < 0 { buffer.base[index] = index % 3 == 0 ? -0.0 : 0 }
    return buffer
  }

  @Test(arguments: KernelPath.available) func `leaving out zeros changes no bit`(_ path: KernelPath) {
    for (m, k) in [(1, 1), (3, 15), (17, 64), (16, 65), (40, 130), (33, 200)] {
      for n in [16, 48, 80, 112, 128, 144, 272, 416] {
        for transposed in [false, true] {
          let a = halfZero(m * k, seed: m + k)
          let left = transposed ? a.matrix(k, m).transposed : a.matrix(m, k)
          let right = Samples.buffer(k * (n + 3), seed: n).matrix(k, n, stride: n + 3)
          let start = Samples.buffer(m * (n + 5), seed: 4).array
          let (fast, slow) = (FloatBuffer(start), FloatBuffer(start))
          Kernels(path).multiplyActive(left, right, addingTo: fast.matrix(m, n, stride: n + 5))
          NaiveKernels().multiply(
            left, right, into: slow.matrix(m, n, stride: n + 5), accumulating: true, finish: .plain)
          #expect(fast.array.map(\.bitPattern) == slow.array.map(\.bitPattern), "\(m) × \(k) · \(k) × \(n)")
        }
      }
    }
  }

  @Test(arguments: KernelPath.available) func `what is not a number is never left out`(_ path: KernelPath) {
    let left = Samples.buffer(3, seed: 2)
    left.assign([0, .nan, 0])
    let right = Samples.buffer(3 * 16, seed: 1).matrix(3, 16)
    for left in [left.matrix(1, 3), left.matrix(3, 1).transposed] {
      let sums = Samples.buffer(16, seed: 3)
      Kernels(path).multiplyActive(left, right, addingTo: sums.matrix(1, 16))
      #expect(sums.array.filter(\.isNaN).count == 16)
    }
  }

  @Test(arguments: KernelPath.available) func `transposing moves every element, in squares and at the edges`(
    _ path: KernelPath
  ) {
    for (rows, columns) in [(16, 16), (32, 48), (33, 50), (15, 64), (114, 512)] {
      let from = Samples.buffer(rows * (columns + 1), seed: rows).matrix(rows, columns, stride: columns + 1)
      let to = Samples.buffer(columns * (rows + 2), seed: 2).matrix(columns, rows, stride: rows + 2)
      Kernels(path).transpose(from, into: to)
      var wrong = 0
      for row in 0..<rows {
        for column in 0..<columns where to[column, row] != from[row, column] { wrong += 1 }
      }
      #expect(wrong == 0)
    }
  }

  @Test(arguments: KernelPath.available) func `a product longer than the cache is deep has the twin's bits`(
    _ path: KernelPath
  ) {
    let (m, k, n) = (13, 300, 70)
    let (left, right) = (Samples.buffer(m * k, seed: 1).matrix(m, k), Samples.buffer(k * n, seed: 2).matrix(k, n))
    for accumulating in [false, true] {
      let start = Samples.buffer(m * n, seed: 3).array
      for gated in [false, true] {
        let (fast, slow) = (FloatBuffer(start), FloatBuffer(start))
        let (c, twin) = (fast.matrix(m, n), slow.matrix(m, n))
        defer { withExtendedLifetime((fast, slow)) {} }
        Kernels(path).multiply(
          left, right, into: c, accumulating: accumulating, finish: gated ? .wherePositive(c) : .plain)
        NaiveKernels().multiply(
          left, right, into: twin, accumulating: accumulating, finish: gated ? .wherePositive(twin) : .plain)
        #expect(fast.array.map(\.bitPattern) == slow.array.map(\.bitPattern))
      }
    }
  }
}
