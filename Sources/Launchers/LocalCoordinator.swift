// A cluster's coordinator: the program itself, started in the background on this machine, its words in a log beside the
// store.

import Cluster
import Foundation
import Results
import Sweeps

struct LocalCoordinator {
  /// The program.
  let executable: String
  let folder: ClusterFolder

  /// A coordinator that closes its store and does not end is killed: what it stored stays.
  private static let leaveSeconds = 60.0

  /// The process that coordinates on the store for this cluster: the one written down, or one that a killed `up` had
  /// no time to write down.
  ///
  /// - Throws: `LauncherError` when another one has the store.
  func running(_ state: ClusterState) throws -> ProcessMark? {
    if let known = state.coordinator, known.isAlive { return known }
    guard let holder = try Store.lockHolder(path: folder.store) else { return nil }
    let words = FileManager.default.contents(atPath: "/proc/\(holder.processID)/cmdline") ?? Data()
    if String(decoding: words, as: UTF8.self).split(separator: "\0").contains(Substring(Self.bind(state))) {
      return ProcessMark(holder.processID)
    }
    throw LauncherError(
      "\(folder.store): a coordinator works on it already: process \(holder.processID) on \(holder.host) since "
        + "\(holder.since); give its address with --connect, or stop it first")
  }

  /// Where it listens: at the socket that the tunnels lead to, or on all interfaces at the port of the address.
  static func bind(_ state: ClusterState) -> String {
    guard let address = state.address, let colon = address.lastIndex(of: ":") else { return state.endpoint }
    return (address.contains("[") ? "tcp://[::]" : "tcp://0.0.0.0") + address[colon...]
  }

  func start(_ state: ClusterState, files: [String], overrides: [String]) throws -> ProcessMark {
    let log = open(folder.coordinatorLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard log >= 0 else {
      throw LauncherError("\(folder.coordinatorLog): cannot be written: \(String(cString: strerror(errno)))")
    }
    defer { close(log) }
    var words = ["coordinator"] + files + ["--store", folder.store, "--bind", Self.bind(state)]
    if let keys = state.keys { words += ["--keys", keys] }
    if !overrides.isEmpty { words += ["--set"] + overrides }
    let process = try ChildProcess.start(
      executable, words, streams: ChildProcess.Streams(output: log, errors: log), isDetached: true)
    // A child of ours that has ended stays a zombie until we have; its mark is that of one that ended.
    guard let mark = ProcessMark(process) else { throw ended(logFrom: 0) }
    return mark
  }

  /// How long the log is, in bytes.
  var logSize: Int {
    ((try? FileManager.default.attributesOfItem(atPath: folder.coordinatorLog))?[.size] as? Int) ?? 0
  }

  /// Registering a million points takes half a minute: waits for as long as the process lives.
  func waitUntilListening(_ process: ProcessMark, _ state: ClusterState, logFrom: Int) throws {
    while true {
      guard process.isAlive else { throw ended(logFrom: logFrom) }
      do {
        _ = try client(state, timeoutSeconds: 1).ask(.status)
        return
      } catch is NoCoordinator {
        continue
      }
    }
  }

  /// Asks whoever listens at the cluster's endpoint.
  func client(_ state: ClusterState, timeoutSeconds: Double = 10) throws -> OperatorClient {
    let join = try state.keys.map { _ throws(KeyFileError) in try JoinFile(path: folder.operatorJoin) }
    return try OperatorClient(endpoint: state.endpoint, join: join, timeoutSeconds: timeoutSeconds)
  }

  func stop(_ process: ProcessMark) {
    kill(process.process, SIGTERM)
    let deadline = ContinuousClock.now + .seconds(Self.leaveSeconds)
    while process.isAlive {
      if ContinuousClock.now > deadline { kill(process.process, SIGKILL) }
      usleep(20_000)
    }
  }

  private func ended(logFrom: Int) -> LauncherError {
    let bytes = FileManager.default.contents(atPath: folder.coordinatorLog)?.dropFirst(logFrom) ?? Data()
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(3)
      .map { $0.hasPrefix("groksweep: ") ? $0.dropFirst("groksweep: ".count) : $0 }
    return LauncherError(
      "the coordinator ended: \(lines.isEmpty ? "without a word" : lines.joined(separator: " | "))")
  }
}
