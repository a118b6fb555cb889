// One host's connection: a master of OpenSSH in the background, which everything else goes through. Whose keys are
// believed and how a host is found is left to the user's ssh configuration; nothing is ever asked (BatchMode).

import Foundation
import Sweeps

struct SSHConnection: Sendable {
  let host: ClusterHost
  /// Where the master listens for us.
  let socket: String

  /// Those of the user's configuration; our own is asked for by itself.
  private static let withoutForwardings = ["-o", "ClearAllForwardings=yes"]
  private static let connectSeconds = 60.0
  /// For words to a master on this machine.
  private static let controlSeconds = 30.0

  /// The beginning of every command. Of two equal options ssh takes the first: ours first where they must hold, and last
  /// where the user's count.
  private var words: [String] {
    var words = [
      "ssh", "-a", "-x", "-T", "-o", "BatchMode=yes", "-o", "ControlPath=\(socket)", "-o", "RemoteCommand=none",
      "-o", "PermitLocalCommand=no",
    ]
    words += host.settings.sshOptions ?? []
    words += ["-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"]
    if let user = host.settings.user { words += ["-l", user] }
    if let port = host.settings.port { words += ["-p", "\(port)"] }
    return words
  }

  /// Whether the master lives, and says so.
  var isOpen: Bool { get throws { try control("check").isDone } }

  /// Starts the master; it stays when this process ends.
  func open() throws {
    // A master that was killed leaves its socket, which keeps the next one from listening.
    unlink(socket)
    let ended = try LocalCommand.run(
      words + Self.withoutForwardings
        + ["-M", "-N", "-f", "-o", "ControlMaster=yes", "-o", "ControlPersist=yes", "--", host.address],
      timeoutSeconds: Self.connectSeconds)
    guard ended.isDone else {
      throw HostTrouble(ofSSH: ended.ending == nil ? nil : ended.errors, Self.connectSeconds)
    }
  }

  /// Has a socket of that path there lead to `endpoint` here. Twice is as good as once.
  ///
  /// - Parameter endpoint: `ipc://PATH` or `tcp://HOST:PORT`.
  func forward(_ path: String, to endpoint: String) throws {
    let ended = try control("forward", ["-R", "\(path):\(endpoint.dropFirst("tcp://".count))"])
    guard ended.isDone else {
      throw HostTrouble(ofSSH: ended.ending == nil ? nil : ended.errors, Self.controlSeconds)
    }
  }

  /// Ends the master, if it lives.
  func close() throws {
    _ = try control("exit")
    unlink(socket)
  }

  /// What a script for `sh` says there: through the master, or through a connection of its own where there is none.
  func run(_ script: String, timeoutSeconds: Double) throws -> RemoteAnswer {
    try answer("exec sh -s", .text(script), timeoutSeconds)
  }

  /// As `run`, for a script in one line, which finds the file on its stdin.
  func send(_ file: String, to script: String, timeoutSeconds: Double) throws -> RemoteAnswer {
    try answer(ShellWords.line(["exec", "sh", "-c", script]), .file(file), timeoutSeconds)
  }

  private func answer(_ command: String, _ input: LocalCommand.Input, _ seconds: Double) throws -> RemoteAnswer {
    let ended = try LocalCommand.run(
      words + Self.withoutForwardings + ["-o", "ControlMaster=no", "--", host.address, command], input: input,
      timeoutSeconds: seconds)
    guard ended.ending != nil, ended.ending != .exited(code: 255) else {
      throw HostTrouble(ofSSH: ended.ending == nil ? nil : ended.errors, seconds)
    }
    let answer = RemoteAnswer(ended.output)
    guard answer.isWhole else {
      let last = ended.errors.split(whereSeparator: \.isNewline).last ?? "nothing was said"
      throw HostTrouble.other("its shell did not do as it was told: \(last)")
    }
    return answer
  }

  private func control(_ command: String, _ further: [String] = []) throws -> LocalCommand.Ended {
    try LocalCommand.run(
      words + ["-O", command] + further + ["--", host.address], timeoutSeconds: Self.controlSeconds)
  }
}
