// Numbers for tests: fixed, of both signs, never round.

import Kernels

enum Samples {
  /// `count` numbers between −2 and 2. Never freed, so that tests may keep nothing but views of it.
  static func buffer(_ count: Int, seed: Int) -> FloatBuffer {
    var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15
    let buffer = FloatBuffer(
      (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-30
      })
    _ = Unmanaged.passRetained(buffer)
    return buffer
  }

  /// A number that the optimizer knows nothing about.
  static func opaque(_ x: Float) -> Float { FloatBuffer([x]).array[0] }
}
