// A coordinator here and workers on other machines over ssh: started, added to, looked at and ended. Hosts are worked on
// side by side; one that fails is named, and stops none of the others.
//
// By default nothing listens on the network: each host's connection carries a tunnel between two sockets that only
// their owners may use, so ssh says who comes in. With an address, workers connect to that by themselves, with keys.

import Cluster
import Foundation
import Results
import Sweeps

package struct SSHCluster: Sendable {
  let folder: ClusterFolder
  /// The program: the coordinator's, and what is copied.
  let executable: String
  let version: ProgramVersion
  /// A line for everything that happens: whose, and what.
  let tell: @Sendable (_ who: String, _ words: String) -> Void

  package init(
    folder: ClusterFolder, executable: String, version: ProgramVersion,
    tell: @escaping @Sendable (_ who: String, _ words: String) -> Void
  ) {
    self.folder = folder
    self.executable = executable
    self.version = version
    self.tell = tell
    LocalCommand.keepOpenFilesFromChildren()
  }

  /// How workers reach the coordinator, and which one.
  package struct Way: Hashable, Sendable {
    /// What workers connect to by themselves; nil: tunnels.
    package var address: String?
    /// A coordinator that runs already; nil: one is started.
    package var connect: String?
    package var hasKeys: Bool

    package init(address: String? = nil, connect: String? = nil, hasKeys: Bool) {
      self.address = address
      self.connect = connect
      self.hasKeys = hasKeys
    }
  }

  /// A sweep file that was read without an error.
  package struct Sweep: Sendable {
    package let file: String
    /// With all that it includes.
    package let text: String

    package init(file: String, text: String) {
      self.file = file
      self.text = text
    }
  }

  package struct Started: Sendable {
    package let host: String
    package let outcome: Result<HostStart, HostTrouble>
  }

  package struct Ended: Sendable {
    package let host: String
    package let outcome: Result<HostEnd, HostTrouble>
  }

  // MARK: up

  /// Starts what does not run, mends what is broken, leaves alone what is well: of the hosts of the file, and of those
  /// that were added.
  ///
  /// - Parameter copies: whether all get a copy of the program, whatever the file says.
  /// - Throws: when nothing can be started at all; then nothing is.
  package func up(
    _ hosts: HostsFile, sweeps: [Sweep], overrides: [String], way: Way, copies: Bool
  ) throws -> [Started] {
    let lock = try folder.locked()
    defer { withExtendedLifetime(lock) {} }
    let before = try folder.read()
    var state = try before.map { try renewed($0, way) } ?? newState(way)
    state.defaults = hosts.defaults
    for host in hosts.hosts { state.join(host, isAdded: false) }
    let names = Set(hosts.hosts.map(\.name) + state.members.filter(\.isAdded).map(\.host.name))
    for member in state.members where !names.contains(member.host.name) {
      tell(member.host.name, "is not in the file of hosts; its workers are left as they are")
    }
    do {
      if before == nil { folder.setLogsAside() }
      try folder.write(state)
      try makeSocketFolder(state)
      try makeKeys(&state)
      try folder.write(state)
      try startCoordinator(&state, sweeps, overrides)
    } catch {
      if before == nil { removeLocal(state) }
      throw error
    }
    return try start(names, state, copies: copies)
  }

  /// One more host, or one of those that are there once more.
  package func add(_ host: ClusterHost, copies: Bool) throws -> Started {
    let (lock, existing) = try lockedState()
    defer { withExtendedLifetime(lock) {} }
    var state = existing
    if state.ownsCoordinator, try coordinator.running(state) == nil {
      throw LauncherError("the cluster's coordinator has ended; start it again with: groksweep cluster up")
    }
    var host = host
    host.settings = host.settings.completed(by: state.defaults)
    state.join(host, isAdded: true)
    try makeKeys(&state)
    try folder.write(state)
    return try start([host.name], state, copies: copies)[0]
  }

  /// Written down first as touched, all of them: this process may be killed at any moment.
  private func start(_ names: Set<String>, _ state: ClusterState, copies: Bool) throws -> [Started] {
    let wanted = state.members.filter { names.contains($0.host.name) }.map { member in
      var member = member
      if copies { member.host.settings.copy = true }
      return member
    }
    let program = try wanted.contains { $0.host.settings.copy == true } ? CopiedFile(path: executable) : nil
    var begun = state
    begun.touch { names.contains($0.host.name) }
    try folder.write(begun)
    let outcomes = inParallel(wanted) { member in
      let job = job(member, state)
      let connected = attempt { try job.connect() }
      let outcome = connected.flatMap { wasOpen in
        attempt { try job.up(wasOpen: wasOpen, program: program, version: version) }
      }
      return (host: member.host.name, isTouched: !connected.isFailure, outcome: outcome)
    }
    let touched = Set(outcomes.filter(\.isTouched).map(\.host))
    begun = state
    begun.touch { touched.contains($0.host.name) }
    try folder.write(begun)
    return outcomes.map { Started(host: $0.host, outcome: $0.outcome) }
  }

  private func newState(_ way: Way) -> ClusterState {
    let id = String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
    // Short, whatever TMPDIR says: a socket's path has at most 107 bytes.
    let sockets = "/tmp/groksweep-ssh-\(id)"
    return ClusterState(
      id: id, sockets: sockets,
      endpoint: Self.endpoint(way, sockets), address: way.address,
      keys: way.hasKeys ? KeyFolder.path(besides: folder.store) : nil, coordinator: nil,
      ownsCoordinator: way.connect == nil, defaults: HostSettings())
  }

  /// The cluster that is there, after this machine was started anew as well.
  private func renewed(_ state: ClusterState, _ way: Way) throws -> ClusterState {
    var state = state
    guard way.address == state.address, way.hasKeys == (state.keys != nil),
      (way.connect == nil) == state.ownsCoordinator
    else {
      throw LauncherError(
        "\(folder.path): this cluster was started otherwise (--address, --keys or --connect); end it first with: "
          + "groksweep cluster down", isBadInput: true)
    }
    state.endpoint = Self.endpoint(way, state.sockets)
    return state
  }

  private static func endpoint(_ way: Way, _ sockets: String) -> String {
    if let connect = way.connect { return connect }
    guard let address = way.address, let colon = address.lastIndex(of: ":") else { return "ipc://\(sockets)/c" }
    return (address.contains("[") ? "tcp://[::1]" : "tcp://127.0.0.1") + address[colon...]
  }

  /// It goes when this machine is started anew. Somebody else's of that name is never used.
  private func makeSocketFolder(_ state: ClusterState) throws {
    var status = stat()
    guard mkdir(state.sockets, 0o700) == 0 || errno == EEXIST, lstat(state.sockets, &status) == 0,
      status.st_mode & (S_IFMT | 0o777) == S_IFDIR | 0o700, status.st_uid == geteuid()
    else {
      throw LauncherError("\(state.sockets): this private folder cannot be made; remove what is in its place")
    }
  }

  // MARK: down

  /// Ends everything: the workers, which hand over what they have, then the coordinator if it is the cluster's own, the
  /// connections, the keys. What cannot be reached stays written down, for the next time.
  ///
  /// - Parameters:
  ///   - forgets: whether what cannot be reached is given up instead.
  ///   - keepsCopies: whether copies of the program stay on their hosts.
  package func down(forgets: Bool, keepsCopies: Bool) throws -> [Ended] {
    let (lock, existing) = try lockedState()
    defer { withExtendedLifetime(lock) {} }
    var state = existing
    try makeSocketFolder(state)
    let (members, ended) = (state.members, state)
    let outcomes = inParallel(members) { member in
      Ended(
        host: member.host.name,
        outcome: member.isTouched ? attempt { try job(member, ended).down(keepsCopies: keepsCopies) } : .success(.none))
    }
    if state.ownsCoordinator, let process = try? coordinator.running(state) {
      coordinator.stop(process)
      tell("coordinator", "stopped")
    }
    state.coordinator = nil
    _ = inParallel(members) { job($0, ended).close() }
    for member in members {
      if let key = member.key { revoke(key, state) }
      unlink(folder.join(of: member))
    }
    let failed = Set(zip(members, outcomes).filter { $0.1.outcome.isFailure }.map(\.0.host.name))
    state.members = members.filter { failed.contains($0.host.name) }
    if failed.isEmpty || forgets { removeLocal(state) } else { try folder.write(state) }
    return outcomes
  }

  /// What is on this machine of a cluster that has ended, or has never begun.
  func removeLocal(_ state: ClusterState) {
    revokeAll(state)
    try? FileManager.default.removeItem(atPath: state.sockets)
    folder.removeState()
  }

  // MARK: all of them

  func existing() throws -> ClusterState {
    guard let state = try folder.read() else { throw noCluster }
    return state
  }

  /// For commands that change it. Where no cluster is, nothing is made, and what an `up` made that was killed before it had
  /// written anything down is removed.
  private func lockedState() throws -> (lock: FolderLock, state: ClusterState) {
    guard access(folder.path, F_OK) == 0 else { throw noCluster }
    let lock = try folder.locked()
    guard let state = try folder.read() else {
      folder.removeState()
      throw noCluster
    }
    return (lock, state)
  }

  private var noCluster: LauncherError {
    LauncherError(
      "\(folder.path): no cluster is up for this store; start one with: groksweep cluster up", isBadInput: true)
  }

  func job(_ member: ClusterState.Member, _ state: ClusterState) -> HostJob {
    HostJob(state: state, folder: folder, member: member) { tell(member.host.name, $0) }
  }
}

extension ClusterState {
  /// Takes the host up, or what is now said of it.
  fileprivate mutating func join(_ host: ClusterHost, isAdded: Bool) {
    if let place = members.firstIndex(where: { $0.host.name == host.name }) {
      members[place].host = host
    } else {
      members.append(
        Member(
          host: host, number: (members.map(\.number).max() ?? 0) + 1, key: nil, isTouched: false,
          isAdded: isAdded))
    }
  }

  fileprivate mutating func touch(where isMeant: (Member) -> Bool) {
    for place in members.indices where isMeant(members[place]) { members[place].isTouched = true }
  }
}

extension Result {
  fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}
