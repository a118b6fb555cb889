// How a cluster stands: what each host says, beside what the coordinator says of it. Changes nothing, and needs no lock.

import Cluster
import Foundation
import Results
import Sweeps

/// As `cluster status --json` prints it.
package struct HostReport: Hashable, Sendable, Codable {
  /// `working`, `waiting` (no connection between its workers and the coordinator), `idle` (no workers), or `unreachable`.
  package enum Standing: String, Hashable, Sendable, Codable {
    case working, waiting, idle, unreachable
  }

  package let host: String
  package let standing: Standing
  /// nil: it was reached.
  package let trouble: String?
  /// What the machine calls itself.
  package let machine: String?
  /// Whether the connection in the background, and so the tunnel, stands.
  package let isConnected: Bool
  /// As asked for; nil: one per core.
  package let slots: Int?
  /// Worker processes that live there.
  package let processes: Int
  /// Those of them that the coordinator knows, and those that have a point.
  package let known: Int
  package let training: Int
  /// Since the coordinator last heard any of them.
  package let silentSeconds: Double?
  /// Of its log, where something is not as it should be.
  package let lastLines: [String]

  private enum CodingKeys: String, CodingKey {
    case host, standing, trouble, machine, slots, processes, known, training
    case isConnected = "is_connected"
    case silentSeconds = "silent_seconds"
    case lastLines = "last_lines"
  }
}

package struct ClusterReport: Sendable {
  package let endpoint: String
  /// nil with `coordinatorTrouble`.
  package let coordinator: CoordinatorStatus?
  package let coordinatorTrouble: String?
  package let hosts: [HostReport]
}

extension SSHCluster {
  package func status() throws -> ClusterReport {
    let state = try existing()
    let coordinator: Result<CoordinatorStatus, HostTrouble> = attempt {
      let reply = try self.coordinator.client(state).ask(.status)
      guard case .answer(let text) = reply else { throw HostTrouble.other("the coordinator does not tell: \(reply)") }
      return try JSONDecoder().decode(CoordinatorStatus.self, from: Data(text.utf8))
    }
    let status = try? coordinator.get()
    let hosts = inParallel(state.members) { member in
      let job = job(member, state)
      let isConnected = job.isConnected
      return report(of: member, isConnected: isConnected, attempt { try job.look() }, status)
    }
    var trouble: String?
    if case .failure(let failure) = coordinator { trouble = failure.description }
    return ClusterReport(
      endpoint: state.endpoint, coordinator: status, coordinatorTrouble: trouble, hosts: hosts)
  }

  private func report(
    of member: ClusterState.Member, isConnected: Bool, _ seen: Result<RemoteAnswer, HostTrouble>,
    _ status: CoordinatorStatus?
  ) -> HostReport {
    let there = try? seen.get()
    let processes = there?.all("worker").compactMap { Int32($0) } ?? []
    let own = (status?.workers ?? []).filter { $0.host == there?["host"] && processes.contains($0.processID) }
    let standing: HostReport.Standing =
      there == nil ? .unreachable : processes.isEmpty ? .idle : own.isEmpty ? .waiting : .working
    var trouble: String?
    if case .failure(let failure) = seen { trouble = failure.description }
    return HostReport(
      host: member.host.name, standing: standing, trouble: trouble, machine: there?["host"], isConnected: isConnected,
      slots: member.host.settings.slots, processes: processes.count, known: own.count,
      training: own.count { $0.point != nil }, silentSeconds: own.map(\.silentSeconds).min(),
      lastLines: standing == .working ? [] : there?.all("last") ?? [])
  }
}
