// Work that consists of fused multiply-adds alone, for measuring what share of the possible the other kernels reach.

import CKernels

/// Independent fused multiply-adds on registers, in the instruction set of one kernel path. Whoever times them has a
/// core's peak.
package struct PeakArithmetic {
  private static let chains = 12
  private static let lanes = 16

  private let kernels: Kernels
  private let values: FloatBuffer

  /// - Precondition: this machine can run `path`; see `KernelPath.choose`.
  package init(_ path: KernelPath) {
    kernels = Kernels(path)
    // Chains that start differently, and the two factors of x ← x + 1/2 · 1/2. Rounding ends the growth at 2^22.
    let starts = (0..<PeakArithmetic.chains * PeakArithmetic.lanes).map { Float($0) }
    values = FloatBuffer(starts + [0.5, 0.5])
  }

  /// Runs `rounds` of every chain.
  ///
  /// - Returns: how many multiply-adds that were; each is two floating-point operations.
  package func run(rounds: Int) -> Int {
    withExtendedLifetime(values) { kernels.c.peak(rounds, values.base) }
  }

  /// The chains' present values, lane by lane; a narrow instruction set uses fewer of them.
  package var sums: [Float] { Array(values.array.prefix(PeakArithmetic.chains * PeakArithmetic.lanes)) }
}
