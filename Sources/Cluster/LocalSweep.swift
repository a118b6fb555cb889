// `groksweep sweep`: a coordinator and N worker processes of this machine, over a socket in a private folder. The same
// shells, scheduler and sessions as on many machines; nothing is decided here.

import Foundation
import Logging
import Results
import Sweeps

package struct LocalSweep {
  package struct Configuration: Sendable {
    /// Worker processes, at least 1; no more are started than there are points left.
    package var workers: Int
    /// This program.
    package var executable: String
    /// Further arguments of `worker`.
    package var workerArguments: [String]
    /// Where checkpoints survive an interruption; removed when every point is terminal.
    package var scratch: String
    /// All share one scratch folder, so nobody hands checkpoints over (`checkpointSeconds` is nil).
    package var scheduler: SchedulerConfiguration
    package var overviewSeconds: Double

    package init(
      workers: Int, executable: String, workerArguments: [String] = [], scratch: String,
      scheduler: SchedulerConfiguration = SchedulerConfiguration(graceSeconds: 0), overviewSeconds: Double = 0.5
    ) {
      self.workers = workers
      self.executable = executable
      self.workerArguments = workerArguments
      self.scratch = scratch
      self.scheduler = scheduler
      self.overviewSeconds = overviewSeconds
    }
  }

  package let configuration: Configuration

  package init(_ configuration: Configuration) { self.configuration = configuration }

  /// Runs `sweeps` (registered; nil: all of the store) until every point is terminal or `interrupt` says stop. When it
  /// returns or throws, no worker process is left.
  package func run(
    store: Store, sweeps: [String]? = nil, interrupt: Interrupt, logger: Logger,
    onOverview: ((SchedulerOverview) -> Void)? = nil
  ) throws -> CoordinatorEnd {
    let scratch = try ScratchFolder(root: configuration.scratch)
    let folder = try SocketFolder()
    defer { folder.remove() }

    let coordinator = try CoordinatorShell(
      store: store, sweeps: sweeps,
      CoordinatorShell.Configuration(
        endpoint: folder.endpoint, scheduler: configuration.scheduler,
        overviewSeconds: configuration.overviewSeconds),
      interrupt: interrupt, logger: logger)
    coordinator.onOverview = onOverview
    let open = coordinator.scheduler.overview(at: .now)
    // A sweep that grows has work for more than it begins with.
    let most = coordinator.boundaries.isEmpty ? open.total - open.finished - open.failed : configuration.workers
    let workers = LocalWorkers(
      count: max(1, min(configuration.workers, most)),
      executable: configuration.executable, logger: logger,
      arguments: { [endpoint = coordinator.endpoint] in workerArguments($0, endpoint: endpoint) })
    coordinator.localWorkers = workers
    // Workers that were told to leave do so at once; one that has only just started was told nothing yet.
    defer { workers.stop(graceSeconds: 2) }

    let end = try coordinator.run()
    workers.stop(graceSeconds: 2)
    if end.ending == .everyPointTerminal { scratch.removeLeftovers() }
    return end
  }

  private func workerArguments(_ start: WorkerStart, endpoint: String) -> [String] {
    ["worker", "--connect", endpoint, "--scratch", configuration.scratch] + start.options
      + configuration.workerArguments
  }
}
