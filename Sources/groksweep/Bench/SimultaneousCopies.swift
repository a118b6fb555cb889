// The same training on several cores at the same time, as the workers of one machine do.

import Foundation
import Grokking
import Kernels

/// One thread per core, each with a trainer of its own. Everything mutable is read and written under `condition`.
final class SimultaneousCopies: @unchecked Sendable {
  private let experiment: Experiment
  private let kernels: KernelPath
  private let cores: [Int]
  private let stopwatch: Stopwatch
  private let condition = NSCondition()
  private var ready = 0
  private var seconds: [Double] = []
  private var ended = 0

  private init(_ experiment: Experiment, kernels: KernelPath, cores: [Int], stopwatch: Stopwatch) {
    self.experiment = experiment
    self.kernels = kernels
    self.cores = cores
    self.stopwatch = stopwatch
  }

  /// Seconds per epoch, the mean over the copies, while a copy trains on each of `cores`.
  static func secondsPerEpoch(
    _ experiment: Experiment, kernels: KernelPath, cores: [Int], stopwatch: Stopwatch
  ) -> Double {
    SimultaneousCopies(experiment, kernels: kernels, cores: cores, stopwatch: stopwatch).run()
  }

  private func run() -> Double {
    for core in cores {
      let thread = Thread { [self] in train(on: core) }
      thread.name = "copy on \(core)"
      thread.start()
    }
    return condition.withLock {
      while ended < cores.count { condition.wait() }
      return seconds.reduce(0, +) / Double(seconds.count)
    }
  }

  private func train(on core: Int) {
    Cores.stay(on: core)
    let trainer = Trainer(experiment, start: Start(experiment), kernels: kernels)
    for _ in 0..<2 { _ = trainer.step() }
    condition.withLock {
      ready += 1
      condition.broadcast()
      while ready < cores.count { condition.wait() }
    }
    let mine = stopwatch.secondsPerCall { _ = trainer.step() }
    condition.withLock { seconds.append(mine) }
    // The others are still being timed, and must not have it easier.
    while condition.withLock({ seconds.count < cores.count }) { _ = trainer.step() }
    condition.withLock {
      ended += 1
      condition.broadcast()
    }
  }
}
