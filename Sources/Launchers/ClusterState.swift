// What a cluster consists of, and where that is written down: a folder beside the store, for the commands that come later.
//
//   S.cluster/               0700
//   S.cluster/state.json     the hosts, the coordinator's process, where it listens; there as long as anything may be left
//   S.cluster/HOST.join      0600  a host's key, with keys
//   S.cluster/operator.join  0600  ours
//   S.cluster/coordinator.log, S.cluster/HOST.log   kept after the end
//
// It is written before anything is started, so that `down` can end whatever a killed `up` began.

import Cluster
import Foundation

/// A process of this machine, not to be confused with a later one of the same number.
package struct ProcessMark: Hashable, Sendable, Codable {
  package let process: Int32
  /// Ticks between the start of the machine and its own, as /proc has them.
  let since: String

  /// nil when there is no such process, or it has ended and only waits to be taken note of.
  init?(_ process: Int32) {
    guard let since = Self.since(of: process) else { return nil }
    self.process = process
    self.since = since
  }

  package var isAlive: Bool { Self.since(of: process) == since }

  private static func since(of process: Int32) -> String? {
    guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let end = stat.lastIndex(of: ")")
    else { return nil }
    // Its name, in parentheses, may hold anything; its state is the first field after it.
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z" else { return nil }
    return String(fields[19])
  }
}

package struct ClusterState: Hashable, Sendable, Codable {
  struct Member: Hashable, Sendable, Codable {
    var host: ClusterHost
    /// Its connection's; never given again in this cluster.
    let number: Int
    /// The name of its key; nil without keys.
    var key: String?
    /// Whether anything of ours may be there: it was connected to once, or nobody can say.
    var isTouched: Bool
    /// Named by `add`, not by the file of hosts.
    var isAdded: Bool
  }

  /// Eight hexadecimal digits, in the names of what it has on other machines.
  let id: String
  /// Of this machine: short, open to this user only; sockets of ssh, and the coordinator's.
  let sockets: String
  /// Where the coordinator is reached from here.
  var endpoint: String
  /// What workers connect to; nil: the tunnel of their host's connection.
  var address: String?
  /// The coordinator's folder of keys; nil: none are used.
  var keys: String?
  /// nil: it was there before the cluster, and stays.
  var coordinator: ProcessMark?
  var ownsCoordinator: Bool
  /// For hosts that are added.
  var defaults: HostSettings
  var members: [Member] = []

  /// The member of that name, or with that address.
  func member(named name: String) -> Member? { members.first { $0.host.name == name } }

  func socket(of member: Member) -> String { "\(sockets)/\(member.number)" }
}

package struct ClusterFolder: Sendable {
  package let path: String
  /// The store's path, absolute.
  package let store: String

  /// Nothing is read or made yet.
  package init(besides store: String) {
    let absolute = URL(fileURLWithPath: store).path
    self.store = absolute
    path = (absolute.hasSuffix(".sqlite") ? String(absolute.dropLast(7)) : absolute) + ".cluster"
  }

  package var coordinatorLog: String { path + "/coordinator.log" }
  var operatorJoin: String { path + "/operator.join" }
  func join(of member: ClusterState.Member) -> String { "\(path)/\(member.host.name).join" }
  func log(of member: ClusterState.Member) -> String { "\(path)/\(member.host.name).log" }
  private var stateFile: String { path + "/state.json" }

  /// One command at a time: held as long as the value lives.
  func locked() throws -> FolderLock {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw LauncherError("\(path): cannot be made: \(String(cString: strerror(errno)).lowercased())")
    }
    guard let lock = try FolderLock.take(path) else {
      throw LauncherError("\(path): another `groksweep cluster` command is at work on this cluster; wait for its end")
    }
    return lock
  }

  /// nil where no cluster is.
  package func read() throws -> ClusterState? {
    guard let data = FileManager.default.contents(atPath: stateFile) else {
      guard access(stateFile, F_OK) != 0 else { throw LauncherError("\(stateFile): cannot be read (permission?)") }
      return nil
    }
    do {
      return try JSONDecoder().decode(ClusterState.self, from: data)
    } catch {
      throw LauncherError(
        "\(stateFile): is damaged, or of another version of groksweep; end the cluster with the version that started it",
        isBadInput: true)
    }
  }

  func write(_ state: ClusterState) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    do {
      try encoder.encode(state).write(to: URL(fileURLWithPath: stateFile), options: .atomic)
    } catch {
      throw LauncherError("\(stateFile): cannot be written: \((error as NSError).localizedDescription)")
    }
  }

  /// Logs of hosts begin anew with a cluster, as they do there: how much of one was fetched is told by its size.
  func setLogsAside() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    where name.hasSuffix(".log") && name != "coordinator.log" {
      rename("\(path)/\(name)", "\(path)/\(name).1")
    }
  }

  /// Everything but the logs: also what a killed `up` left half written.
  func removeState() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names.sorted() where !name.hasSuffix(".log") { unlink(path + "/" + name) }
    rmdir(path)
  }

  func append(_ text: String, toLogOf member: ClusterState.Member) {
    guard !text.isEmpty else { return }
    let descriptor = open(log(of: member), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: Data(text.utf8))
  }
}
