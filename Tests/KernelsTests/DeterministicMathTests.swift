// The functions against the C library's, which is accurate but not the same everywhere: within 1e-15 relative.

import Foundation
import Kernels
import Testing

@Suite struct DeterministicMathTests {
  /// Points over the whole range, dense near zero, from a fixed linear congruence.
  private func samples(_ count: Int, from low: Double, to high: Double) -> [Double] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return low + (high - low) * (Double(state >> 11) * 0x1p-53)
    }
  }

  private func relativeError(_ found: Double, _ expected: Double) -> Double {
    found == expected ? 0 : abs(found - expected) / abs(expected)
  }

  private func worst(
    _ points: [Double], of function: (Double) -> Double, against reference: (Double) -> Double
  ) -> Double {
    points.map { relativeError(function($0), reference($0)) }.max() ?? .nan
  }

  @Test func `exp agrees with the C library to 1e-15 over its range`() {
    for (low, high) in [(-708.0, 709.7), (-1, 1), (-40, 0), (-1e-8, 1e-8)] {
      let points = samples(200_000, from: low, to: high)
      #expect(worst(points, of: { DeterministicMath.exp($0) }, against: Foundation.exp) < 4e-16)
    }
  }

  @Test func `exp at the edges is 1, infinity, zero and NaN`() {
    #expect(DeterministicMath.exp(0.0) == 1)
    #expect(DeterministicMath.exp(709.782712893384).isFinite)
    #expect(DeterministicMath.exp(709.79) == .infinity)
    #expect(DeterministicMath.exp(Double.infinity) == .infinity)
    #expect(DeterministicMath.exp(-708.3964185322641) >= Double.leastNormalMagnitude)
    #expect(DeterministicMath.exp(-708.4) == 0)
    #expect(DeterministicMath.exp(-Double.infinity) == 0)
    #expect(DeterministicMath.exp(Double.nan).isNaN)
  }

  @Test func `eight exps at once have the bits of eight single ones`() {
    var points = samples(80_000, from: -745, to: 712) + samples(8_000, from: -1, to: 1)
    points += [0, -0.0, .infinity, -.infinity, .nan, 709.782712893384, -708.3964185322641, -1e300]
    for start in stride(from: 0, to: points.count, by: 8) {
      let eight = SIMD8<Double>(points[start..<start + 8])
      let found = DeterministicMath.exp(eight)
      for lane in 0..<8 {
        let single = DeterministicMath.exp(eight[lane])
        #expect(found[lane].bitPattern == single.bitPattern || (found[lane].isNaN && single.isNaN))
      }
    }
  }

  @Test func `log agrees with the C library to 1e-15, also next to 1`() {
    for (low, high) in [(1e-300, 1e-290), (1e-5, 1), (0.5, 2), (1 - 1e-7, 1 + 1e-7), (1, 1e12), (1e300, 1.7e308)] {
      let points = samples(200_000, from: low, to: high)
      #expect(worst(points, of: DeterministicMath.log, against: Foundation.log) < 4e-16)
    }
    #expect(DeterministicMath.log(1) == 0)
    #expect(DeterministicMath.log(0) == -.infinity)
    #expect(DeterministicMath.log(-1).isNaN)
    #expect(DeterministicMath.log(.infinity) == .infinity)
    let least = Double.leastNonzeroMagnitude
    #expect(relativeError(DeterministicMath.log(least), Foundation.log(least)) < 4e-16)
  }

  @Test func `log1p keeps its relative accuracy down to the smallest numbers`() {
    for (low, high) in [(-0.999, 1.0), (-1e-3, 1e-3), (-1e-10, 1e-10), (1e-20, 1e-18), (1, 1e6), (1e15, 1e17)] {
      let points = samples(200_000, from: low, to: high)
      #expect(worst(points, of: DeterministicMath.log1p, against: Foundation.log1p) < 6e-16)
    }
    #expect(DeterministicMath.log1p(0) == 0)
    #expect(DeterministicMath.log1p(1e-300) == 1e-300)
    #expect(DeterministicMath.log1p(-1) == -.infinity)
    #expect(DeterministicMath.log1p(-2).isNaN)
  }

  @Test func `tanh agrees with the C library to 1e-15 and is odd`() {
    for (low, high) in [(-25.0, 25.0), (-1, 1), (-1e-6, 1e-6)] {
      let points = samples(200_000, from: low, to: high)
      #expect(worst(points, of: DeterministicMath.tanh, against: Foundation.tanh) < 6e-16)
      for point in points.prefix(1000) {
        #expect(DeterministicMath.tanh(-point) == -DeterministicMath.tanh(point))
      }
    }
    #expect(DeterministicMath.tanh(1e300) == 1)
    #expect(DeterministicMath.tanh(.nan).isNaN)
  }

  @Test func `cosine and sine of a turn agree with the C library to 1e-15`() {
    for n in [1, 2, 3, 7, 8, 12, 23, 59, 97, 113, 128, 401, 1024] {
      for k in 0..<n {
        let angle = 2 * Double.pi * Double(k) / Double(n)
        // The C library is given a rounded angle, so near its zeros only the absolute error means something.
        #expect(abs(DeterministicMath.cosine(turn: k, of: n) - cos(angle)) < 1.5e-15)
        #expect(abs(DeterministicMath.sine(turn: k, of: n) - sin(angle)) < 1.5e-15)
      }
      let small = 2 * Double.pi / Double(8 * n)
      #expect(relativeError(DeterministicMath.sine(turn: 1, of: 8 * n), sin(small)) < 6e-16)
    }
  }

  @Test func `symmetries of cosine and sine are exact`() {
    for n in [4, 7, 12, 59, 113, 128] {
      for k in 0..<n {
        let (cosine, sine) = (DeterministicMath.cosine(turn: k, of: n), DeterministicMath.sine(turn: k, of: n))
        #expect(DeterministicMath.cosine(turn: -k, of: n) == cosine)
        #expect(DeterministicMath.cosine(turn: k + 3 * n, of: n) == cosine)
        #expect(DeterministicMath.sine(turn: -k, of: n) == -sine)
        #expect(DeterministicMath.cosine(turn: 2 * k + n, of: 2 * n) == -cosine)
        #expect(DeterministicMath.sine(turn: 2 * k + n, of: 2 * n) == -sine)
        #expect(DeterministicMath.sine(turn: 4 * k + n, of: 4 * n) == cosine)
        #expect(abs(cosine * cosine + sine * sine - 1) < 1e-15)
      }
    }
    #expect(DeterministicMath.cosine(turn: 1, of: 4) == 0)
    #expect(DeterministicMath.sine(turn: 1, of: 4) == 1)
    #expect(DeterministicMath.cosine(turn: 1, of: 2) == -1)
  }
}
