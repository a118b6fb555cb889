// What is left to do, of what a coordinator or a store says of its sweeps.

import Results
import Sweeps

extension SlurmWork {
  /// A point of several sweeps counts in each: then a few workers too many may be asked for, never too few.
  package init(_ sweeps: [SweepProgress], workers: [WorkerStatus]? = nil) {
    let active = sweeps.filter { $0.state == .active }
    self.init(
      open: active.reduce(0) { $0 + $1.pending } + sweeps.reduce(0) { $0 + $1.running },
      ended: sweeps.reduce(0) { $0 + $1.finished + $1.failed },
      // A paused sweep is going to be resumed; without any, the first one is going to be submitted.
      isDone: !sweeps.isEmpty
        && sweeps.allSatisfy { sweep in
          switch sweep.state {
          case .active, .paused: sweep.finished + sweep.failed == sweep.total
          case .cancelled: sweep.running == 0
          }
        },
      busyHosts: workers.map { $0.filter { $0.point != nil }.map(\.host) }, workers: workers?.count)
  }
}
