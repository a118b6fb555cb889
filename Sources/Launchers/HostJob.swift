// What is done with one host, step by step, each of which may be the one that was missing. Throws a `HostTrouble`; what
// other hosts do is no business of it.

import Foundation

/// How a host stands after `up`.
package enum HostStart: Hashable, Sendable {
  case started
  /// They were there already.
  case running
  /// They run, but the coordinator has not welcomed them yet; their last words.
  case waiting([String])
}

/// How a host's workers ended.
package enum HostEnd: Hashable, Sendable {
  /// Points and checkpoints were handed over.
  case left
  case killed
  /// None were there.
  case none
}

struct HostJob: Sendable {
  let state: ClusterState
  let folder: ClusterFolder
  let member: ClusterState.Member
  /// One line for each step that changed something.
  let tell: @Sendable (String) -> Void

  private static let scriptSeconds = 60.0
  private static let copySeconds = 1800.0

  private var connection: SSHConnection { SSHConnection(host: member.host, socket: state.socket(of: member)) }
  private var script: RemoteScript { RemoteScript(id: state.id, host: member.host) }

  /// Opens the connection. Whether it was open; until this has come true nothing of ours is there.
  func connect() throws -> Bool {
    if try connection.isOpen { return true }
    try connection.open()
    return false
  }

  /// - Parameters:
  ///   - wasOpen: the connection, as `connect` said.
  ///   - program: what is copied to hosts that want it.
  ///   - version: what has to be there.
  func up(wasOpen: Bool, program: CopiedFile?, version: ProgramVersion) throws -> HostStart {
    let there = try connection.run(script.look, timeoutSeconds: Self.scriptSeconds)
    try checkDisk(there)
    let isAlive = there["alive"] != nil
    if !wasOpen { tell(isAlive ? "connected again; its workers run" : "connected") }
    if state.address == nil {
      guard let place = there["folder"] else { throw HostTrouble.other("its shell named no folder") }
      try tunnel(to: place, isNew: !wasOpen)
    }
    if isAlive {
      try look()
      return .running
    }
    let path = try findProgram(
      copying: member.host.settings.copy == true ? program : nil, version, machine: there["machine"])
    if member.key != nil { try bringJoinFile() }
    return try start(path)
  }

  private func checkDisk(_ there: RemoteAnswer) throws {
    if let words = there["no_disk"] { throw HostTrouble.noDisk(words) }
    guard let least = there.all("free").compactMap({ Int($0) }).min() else { return }
    guard least >= RemoteScript.leastFreeKiB else {
      throw HostTrouble.noDisk("\(least / 1024) MiB are free in its folder or its scratch folder; make room")
    }
  }

  /// - Parameter isNew: whether the connection is: then nobody is left who could use an old socket.
  private func tunnel(to place: String, isNew: Bool) throws {
    let near = place + "/c"
    guard near.utf8.count <= 107 else {
      throw HostTrouble.other("\(near) is too long for a socket; name a shorter folder (folder: …)")
    }
    if isNew { _ = try connection.run(script.removeSocket, timeoutSeconds: Self.scriptSeconds) }
    do {
      try connection.forward(near, to: state.endpoint)
    } catch {
      guard !isNew else { throw error }
      // The connection stands without its tunnel, as after an `up` that was killed between the two: all anew.
      try connection.close()
      try connection.open()
      try tunnel(to: place, isNew: true)
    }
  }

  private func findProgram(copying program: CopiedFile?, _ version: ProgramVersion, machine: String?) throws -> String {
    var there = try connection.run(script.program(copy: program?.sha256), timeoutSeconds: Self.scriptSeconds)
    if let program, there["program"] == nil {
      if let machine, machine != Self.machine {
        throw HostTrouble.brokenProgram("it is \(machine), and the copy would be for \(Self.machine); install it there")
      }
      try send(program, to: script.takeProgram(checksum: program.sha256), "the program")
      tell("copied the program (\(program.bytes >> 20) MiB)")
      there = try connection.run(script.program(copy: program.sha256), timeoutSeconds: Self.scriptSeconds)
    }
    guard let path = there["program"] else {
      throw HostTrouble.noProgram(
        member.host.settings.binary.map { "\($0) is not there" } ?? "not where its shell looks, nor in ~/.local/bin")
    }
    if let words = there["broken"] { throw HostTrouble.brokenProgram("\(path): \(words)") }
    guard let text = there["version"], let its = try? JSONDecoder().decode(ProgramVersion.self, from: Data(text.utf8))
    else { throw HostTrouble.brokenProgram("\(path) does not say its version") }
    if let difference = its.difference(from: version) { throw HostTrouble.otherVersion(difference) }
    return path
  }

  private func bringJoinFile() throws {
    let file = try CopiedFile(path: folder.join(of: member))
    let there = try connection.run(script.joinChecksum, timeoutSeconds: Self.scriptSeconds)
    guard there["sha256"] != file.sha256 else { return }
    try send(file, to: script.takeJoin(checksum: file.sha256), "the join file")
    tell("copied its join file")
  }

  private func send(_ file: CopiedFile, to script: String, _ what: String) throws {
    let answer = try connection.send(file.path, to: script, timeoutSeconds: Self.copySeconds)
    guard let sum = answer["sha256"] else { throw HostTrouble.badCopy("\(what) could not be written there") }
    guard sum == file.sha256 else {
      throw HostTrouble.badCopy("\(what) arrived with SHA-256 \(sum.prefix(12))… instead of \(file.sha256.prefix(12))…")
    }
  }

  private func start(_ program: String) throws -> HostStart {
    let text = script.start(
      program: program, address: state.address, hasKeys: member.key != nil, logFrom: logSize)
    let patience = Double(RemoteScript.lockSeconds + RemoteScript.startSeconds)
    let answer = try connection.run(text, timeoutSeconds: Self.scriptSeconds + patience)
    keepLog(answer)
    if answer["busy"] != nil {
      throw HostTrouble.other("another `up` is still starting its workers; give the same command again")
    }
    if answer["running"] != nil { return .running }
    if answer["started"] != nil { return .started }
    if answer["waiting"] != nil { return .waiting(answer.all("last")) }
    throw HostTrouble.workersEnded(answer.all("last"))
  }

  /// What is there, and the rest of the log.
  @discardableResult
  func look() throws -> RemoteAnswer {
    let answer = try connection.run(script.status(logFrom: logSize), timeoutSeconds: Self.scriptSeconds)
    keepLog(answer)
    return answer
  }

  var isConnected: Bool { (try? connection.isOpen) ?? false }

  /// Workers hand over what they have, so the tunnel is mended first where that can be done.
  ///
  /// - Parameter keepsCopies: whether copies of the program stay there.
  func down(keepsCopies: Bool) throws -> HostEnd {
    let wasOpen = try connect()
    let there = try connection.run(script.status(logFrom: logSize), timeoutSeconds: Self.scriptSeconds)
    keepLog(there)
    if there["alive"] != nil, state.address == nil {
      let look = try connection.run(script.look, timeoutSeconds: Self.scriptSeconds)
      if let place = look["folder"] { try? tunnel(to: place, isNew: !wasOpen) }
    }
    let answer = try connection.run(
      script.stop(logFrom: logSize, keepsCopies: keepsCopies),
      timeoutSeconds: Double(RemoteScript.leaveSeconds) + Self.scriptSeconds)
    if let processes = answer["remains"] {
      throw HostTrouble.other("processes \(processes) there do not end; end them by hand")
    }
    keepLog(answer)
    if answer["removed"] != nil { tell("removed the copied program") }
    if answer["killed"] != nil { return .killed }
    return answer["left"] != nil ? .left : .none
  }

  func close() { try? connection.close() }

  private var logSize: Int {
    ((try? FileManager.default.attributesOfItem(atPath: folder.log(of: member)))?[.size] as? Int) ?? 0
  }

  private func keepLog(_ answer: RemoteAnswer) { folder.append(answer.log, toLogOf: member) }

  /// As `uname -m` says it.
  private static let machine: String = {
    var names = utsname()
    uname(&names)
    return withUnsafeBytes(of: &names.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }()
}
