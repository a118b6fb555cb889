// A coordinator here and workers on other machines over ssh: started, added to, looked at and ended. Hosts are worked on
// side by side; one that fails is named, and stops none of the others.
//
// By default nothing listens on the network: each host's connection carries a tunnel between two sockets that only
// their owners may use, so ssh says who comes in. With an address, workers connect to that by themselves, with keys.

import Cluster
import Foundation
import Results
import Sweeps
import Synchronization

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
  }

  /// How workers reach the coordinator, and which one.
  package struct Way: Hashable, Sendable {
    /// What workers connect to by themselves; nil: tunnels.
    package var address: String?
    /// A coordinator that runs already; nil: one is started.
    package var connect: String?
    package var hasKeys: Bool
    /// The join file of an operator, for a coordinator that runs already and wants one.
    package var join: String?

    package init(address: String? = nil, connect: String? = nil, hasKeys: Bool, join: String? = nil) {
      self.address = address
      self.connect = connect
      self.hasKeys = hasKeys
      self.join = join
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

  /// Starts what does not run, mends what is broken, leaves alone what is well.
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
    for host in hosts.hosts { state.join(host) }
    for member in state.members where !hosts.hosts.contains(where: { $0.name == member.host.name }) {
      tell(member.host.name, "is not in the file of hosts; its workers are left as they are")
    }
    do {
      try makeKeys(&state)
      try folder.write(state)
      try startCoordinator(&state, sweeps, overrides)
    } catch {
      if before == nil { removeLocal(state) }
      throw error
    }
    let names = Set(hosts.hosts.map(\.name))
    return try start(names, state, copies: copies)
  }

  /// One more host, or one of those that are there once more.
  package func add(_ host: ClusterHost, copies: Bool) throws -> Started {
    let lock = try folder.locked()
    defer { withExtendedLifetime(lock) {} }
    var state = try existing()
    if state.ownsCoordinator, try coordinator.running(state) == nil {
      throw LauncherError("the cluster's coordinator has ended; start it again with: groksweep cluster up")
    }
    var host = host
    host.settings = host.settings.completed(by: state.defaults)
    state.join(host)
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

  private func newState(_ way: Way) throws -> ClusterState {
    let sockets = try Self.makeSocketFolder()
    return ClusterState(
      id: String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16), sockets: sockets,
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
    if access(state.sockets, W_OK) != 0 { state.sockets = try Self.makeSocketFolder() }
    state.endpoint = Self.endpoint(way, state.sockets)
    return state
  }

  private static func endpoint(_ way: Way, _ sockets: String) -> String {
    if let connect = way.connect { return connect }
    guard let address = way.address, let colon = address.lastIndex(of: ":") else { return "ipc://\(sockets)/c" }
    return (address.contains("[") ? "tcp://[::1]" : "tcp://127.0.0.1") + address[colon...]
  }

  /// Short, whatever TMPDIR says: a socket's path has at most 107 bytes.
  private static func makeSocketFolder() throws -> String {
    var template = Array("/tmp/groksweep-ssh-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw LauncherError("no private folder can be made in /tmp: \(String(cString: strerror(errno)))")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: keys

  /// One for each host, so that each can be revoked, and one for us.
  private func makeKeys(_ state: inout ClusterState) throws {
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

  private func revoke(_ name: String, _ state: ClusterState) {
    guard let path = state.keys else { return }
    _ = try? KeyFolder(path: path).revoke(name: name, at: Date())
  }

  // MARK: the coordinator

  var coordinator: LocalCoordinator { LocalCoordinator(executable: executable, folder: folder) }

  private func startCoordinator(_ state: inout ClusterState, _ sweeps: [Sweep], _ overrides: [String]) throws {
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

  // MARK: down

  /// Ends everything: the workers, which hand over what they have, then the coordinator if it is the cluster's own, the
  /// connections, the keys. What cannot be reached stays written down, for the next time.
  package func down() throws -> [Ended] {
    let lock = try folder.locked()
    defer { withExtendedLifetime(lock) {} }
    var state = try existing()
    // After this machine was started anew.
    if access(state.sockets, W_OK) != 0 { state.sockets = try Self.makeSocketFolder() }
    let (members, ended) = (state.members, state)
    let outcomes = inParallel(members) { member in
      Ended(
        host: member.host.name,
        outcome: member.isTouched ? attempt { try job(member, ended).down() } : .success(.none))
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
    if failed.isEmpty { removeLocal(state) } else { try folder.write(state) }
    return outcomes
  }

  /// What is on this machine of a cluster that has ended, or has never begun.
  private func removeLocal(_ state: ClusterState) {
    if let keys = state.keys, let own = try? JoinFile(path: folder.operatorJoin) {
      _ = try? KeyFolder(path: keys).revoke(name: own.name, at: Date())
    }
    for member in state.members {
      if let key = member.key { revoke(key, state) }
      unlink(folder.join(of: member))
    }
    try? FileManager.default.removeItem(atPath: state.sockets)
    folder.removeState()
  }

  // MARK: all of them

  func existing() throws -> ClusterState {
    guard let state = try folder.read() else {
      throw LauncherError(
        "\(folder.path): no cluster is up for this store; start one with: groksweep cluster up", isBadInput: true)
    }
    return state
  }

  func job(_ member: ClusterState.Member, _ state: ClusterState) -> HostJob {
    HostJob(state: state, folder: folder, member: member) { tell(member.host.name, $0) }
  }
}

extension ClusterState {
  /// Takes the host up, or what is now said of it.
  fileprivate mutating func join(_ host: ClusterHost) {
    if let place = members.firstIndex(where: { $0.host.name == host.name }) {
      members[place].host = host
    } else {
      members.append(Member(host: host, number: (members.map(\.number).max() ?? 0) + 1, key: nil, isTouched: false))
    }
  }

  fileprivate mutating func touch(where isMeant: (Member) -> Bool) {
    for place in members.indices where isMeant(members[place]) { members[place].isTouched = true }
  }
}

extension Result {
  fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }
}

/// Whatever goes wrong at a host is that host's trouble.
func attempt<Value>(_ body: () throws -> Value) -> Result<Value, HostTrouble> {
  do {
    return .success(try body())
  } catch let trouble as HostTrouble {
    return .failure(trouble)
  } catch {
    return .failure(.other("\(error)"))
  }
}

/// `body` of each item, in their order, many at a time: nearly all of it is waiting for other machines.
func inParallel<Item: Sendable, Value: Sendable>(
  _ items: [Item], most: Int = 64, _ body: @escaping @Sendable (Item) -> Value
) -> [Value] {
  let results = Mutex<[Value?]>(Array(repeating: nil, count: items.count))
  let next = Atomic(0)
  let group = DispatchGroup()
  withoutActuallyEscaping(body) { body in
    for _ in 0..<min(most, items.count) {
      group.enter()
      Thread.detachNewThread {
        defer { group.leave() }
        while true {
          let place = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard place < items.count else { return }
          let value = body(items[place])
          results.withLock { $0[place] = value }
        }
      }
    }
    group.wait()
  }
  return results.withLock { $0.map { $0! } }
}
