// The keys of a cluster: made with it in the store's folder of keys, and revoked with its end.

import Cluster
import Foundation

extension SSHCluster {
  /// One for each host, so that each can be revoked, and one for us.
  func makeKeys(_ state: inout ClusterState) throws {
    guard let path = state.keys else { return }
    let keys = KeyFolder(path: path)
    try keys.create()
    if access(folder.operatorJoin, F_OK) != 0 {
      _ = try makeKey(keys, "\(state.id)-operator", .operator, to: folder.operatorJoin, address: nil)
    }
    for place in state.members.indices {
      let join = folder.join(of: state.members[place])
      guard state.members[place].key == nil || access(join, F_OK) != 0 else { continue }
      // One that nobody wrote down is nobody's.
      unlink(join)
      state.members[place].key = try makeKey(
        keys, "\(state.id)-\(state.members[place].host.name)", .worker, to: join, address: state.address)
    }
  }

  /// Names are never given again, so a second key of a host has a number behind its name. Returns the name.
  private func makeKey(
    _ keys: KeyFolder, _ name: String, _ role: Role, to path: String, address: String?
  ) throws -> String {
    let known = Set(try keys.read().cards.map(\.name))
    var free = name
    var number = 2
    while known.contains(free) {
      free = "\(name)-\(number)"
      number += 1
    }
    let join = try keys.add(name: free, role: role, address: address, at: Date())
    do {
      try join.write(to: path)
    } catch {
      keys.remove(name: free)
      throw error
    }
    return free
  }

  func revoke(_ name: String, _ state: ClusterState) {
    guard let path = state.keys else { return }
    _ = try? KeyFolder(path: path).revoke(name: name, at: Date())
  }

  /// Those too that nobody had time to write down: their names begin with the cluster's.
  func revokeAll(_ state: ClusterState) {
    guard let path = state.keys, let cards = try? KeyFolder(path: path).read().cards else { return }
    for card in cards where card.revoked == nil && card.name.hasPrefix("\(state.id)-") { revoke(card.name, state) }
  }
}
