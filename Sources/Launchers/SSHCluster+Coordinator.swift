// The coordinator of a cluster, as `up` finds it: running, or to be started; and its sweeps.

import Cluster
import Sweeps

extension SSHCluster {
  var coordinator: LocalCoordinator { LocalCoordinator(executable: executable, folder: folder) }

  func startCoordinator(_ state: inout ClusterState, _ sweeps: [Sweep], _ overrides: [String]) throws {
    guard state.ownsCoordinator else { return try submit(sweeps, overrides, state) }
    if let process = try coordinator.running(state) {
      state.coordinator = process
      try folder.write(state)
      tell("coordinator", "runs already, process \(process.process)")
      return try submit(sweeps, overrides, state)
    }
    let logFrom = coordinator.logSize
    let process = try coordinator.start(state, files: sweeps.map(\.file), overrides: overrides)
    state.coordinator = process
    do {
      try folder.write(state)
      try coordinator.waitUntilListening(process, state, logFrom: logFrom)
    } catch {
      coordinator.stop(process)
      throw error
    }
    tell("coordinator", "started, process \(process.process); groksweep status --connect \(state.endpoint)")
  }

  private func submit(_ sweeps: [Sweep], _ overrides: [String], _ state: ClusterState) throws {
    let client = try coordinator.client(state, timeoutSeconds: 300)
    // Also without a sweep: a coordinator that does not answer is told before any host is touched.
    let requests =
      sweeps.isEmpty
      ? [OperatorRequest.status]
      : sweeps.map { .submit(name: $0.file, text: $0.text, overrides: overrides, priority: nil) }
    for request in requests {
      switch try client.ask(request) {
      case .done(let words): tell("coordinator", words)
      case .answer: break
      case .failed(let words, let isBadInput): throw LauncherError(words, isBadInput: isBadInput)
      case .notAllowed(let words): throw NotLetIn(description: words)
      }
    }
  }
}
