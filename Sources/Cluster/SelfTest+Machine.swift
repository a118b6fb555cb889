// The self-test on this machine's processor.

import Grokking
import Kernels
import Sweeps

extension SelfTest {
  /// What this machine gives.
  ///
  /// - Throws: whatever the engine does; nothing can be expected of such a machine.
  package static func run(_ kernels: KernelPath) throws -> String {
    let run = try Run(experiment, kernels: kernels, snapshots: .inMemory())
    while !run.isFinished { try run.advance() }
    return try run.result().digest
  }
}
