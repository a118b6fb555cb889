// A coordinator with keys, an honest worker, and everybody else who might come by: each is turned away with a line in the
// log, and the sweep's numbers are those of a sweep that nobody disturbed.

import Cluster
import Foundation
import Logging
import Sweeps
import Testing
import ZeroMQ

@Suite(.serialized) struct AttackTests {
  /// A sweep behind keys.
  private struct Siege {
    let fixture: Fixture
    let folder: KeyFolder
    let honest: JoinFile

    init(points: Int = 3, epochs: Int = 2000) throws {
      fixture = try Fixture(points: points, epochs: epochs)
      folder = KeyFolder(path: fixture.folder + "/keys")
      try folder.create()
      honest = try folder.add(name: "honest", role: .worker, at: Date())
    }

    func key(_ name: String, _ role: Role = .worker) throws -> JoinFile {
      try folder.add(name: name, role: role, at: Date())
    }

    /// Runs the sweep with an honest worker until every point is finished and `attack`, which is called again and again
    /// with the coordinator's address, says that all has happened that should.
    func hold(on endpoint: String = "tcp://127.0.0.1:0", _ attack: @escaping (String) throws -> Bool) throws {
      let listener = try CoordinatorShell.listen(
        on: endpoint, keys: Keys(folder, logger: fixture.logger), logger: fixture.logger)
      let interrupt = try Interrupt()
      let shell = try CoordinatorShell(
        store: fixture.store, sweeps: ["tiny"],
        CoordinatorShell.Configuration(
          endpoint: listener.endpoint,
          scheduler: SchedulerConfiguration(leaseSeconds: 5, progressSeconds: 0.01, exitWhenDone: false),
          overviewSeconds: 0.01),
        listener: listener, interrupt: interrupt, logger: fixture.logger)
      let worker = try fixture.worker(at: listener.endpoint, join: honest)
      let deadline = fixture.deadline
      var (isOver, failure): (Bool, (any Error)?) = (false, nil)
      shell.onOverview = { overview in
        do { isOver = try isOver || attack(listener.endpoint) } catch { failure = error }
        let isDone = isOver && overview.finished == overview.total
        if isDone || failure != nil || ContinuousClock.now > deadline { interrupt.request(SIGTERM) }
      }
      let end = try shell.run()
      if let failure { throw failure }
      #expect(isOver, "not everything happened; the log: \(fixture.lines.all)")
      #expect(end.overview.finished == fixture.points.count)
      #expect(try worker.end().code == 0)
      #expect(
        try fixture.store.runs(of: "tiny").map(\.digest) == fixture.points.map { try Fixture.digest(of: $0) })
      #expect(try fixture.store.violationCount() == 0)
    }

    /// A warning that has all of these in it.
    func warned(_ words: String...) -> Bool {
      fixture.lines.all.contains { line in line.hasPrefix("warning: ") && words.allSatisfy(line.contains) }
    }
  }

  /// An attack by a worker of ours, until it has ended with code 77 and these words, and the coordinator's log has one of those.
  private func repel(
    _ siege: Siege, with join: JoinFile?, says words: String, log: String...
  ) throws {
    var attacker: WorkerOnThread?
    var end: WorkerEnd?
    try siege.hold { endpoint in
      if attacker == nil { attacker = try siege.fixture.worker(at: endpoint, join: join) }
      end = try end ?? attacker?.endIfOver()
      return end != nil && log.contains(where: siege.fixture.lines.contains)
    }
    #expect(end?.code == 77)
    #expect(end?.reason?.contains(words) == true, "\(String(describing: end))")
  }

  @Test func `a worker with an unknown key is refused and stops with words`() throws {
    let siege = try Siege()
    let keys = try CurveKeyPair.generate()
    let join = JoinFile(name: "made-up", role: .worker, keys: keys, server: siege.honest.server)
    try repel(
      siege, with: join, says: "does not let the key \"made-up\" in: it is not known there, or was revoked",
      log: "warning: refused 127.0.0.1, key \(keys.publicKey): it is not known here")
  }

  @Test func `a worker with a revoked key is refused and stops with words`() throws {
    let siege = try Siege()
    let join = try siege.key("old")
    let card = try siege.folder.revoke(name: "old", at: Date())
    try repel(
      siege, with: join, says: "was revoked",
      log: "refused 127.0.0.1, \(card.title): it was revoked on \(card.revoked ?? "never")")
  }

  @Test func `a worker without a key is refused and stops with words`() throws {
    // It hangs up by itself when it is greeted with keys, perhaps before the coordinator has asked from where it came.
    try repel(
      try Siege(), with: nil, says: "asks for a key; give --join FILE", log: "warning: turned away 127.0.0.1:",
      "warning: turned away somebody (who had gone before saying from where)")
  }

  @Test func `a worker that waited long for its coordinator hears the same words when it is not let in`() throws {
    let siege = try Siege()
    let worker = try siege.fixture.worker()
    let deadline = siege.fixture.deadline
    while !siege.fixture.lines.contains("nobody answers at"), ContinuousClock.now < deadline {
      try Poller.wait([], timeout: .milliseconds(5))
    }
    var end: WorkerEnd?
    try siege.hold(on: siege.fixture.endpoint) { _ in
      end = try end ?? worker.endIfOver()
      return end != nil
    }
    #expect(end?.code == 77)
    #expect(end?.reason?.contains("asks for a key; give --join FILE") == true, "\(String(describing: end))")
  }

  @Test func `a worker that knows another coordinator's key stops with words`() throws {
    let siege = try Siege()
    let other = try CurveKeyPair.generate().publicKey
    let join = JoinFile(name: "honest", role: .worker, keys: siege.honest.keys, server: other)
    try repel(siege, with: join, says: "has another key than the join file says", log: "is sealed for another key")
  }

  @Test func `a key that is revoked while its worker trains is refused from the next frame on`() throws {
    let siege = try Siege(points: 2, epochs: Fixture.longEpochs)
    let join = try siege.key("doomed")
    var (doomed, end): (WorkerOnThread?, WorkerEnd?)
    var isRevoked = false
    try siege.hold { endpoint in
      if doomed == nil { doomed = try siege.fixture.worker(at: endpoint, join: join) }
      let welcomed = siege.fixture.lines.all.count { $0.contains("welcome as worker") }
      if !isRevoked, welcomed == 2 {
        _ = try siege.folder.revoke(name: "doomed", at: Date())
        isRevoked = true
      }
      end = try end ?? doomed?.endIfOver()
      return end != nil && siege.warned("key \"doomed\"", "is sent away while connected: its key was revoked")
    }
    #expect(end?.reason?.contains("its key was revoked") == true)
    #expect(siege.fixture.lines.all.count { $0.contains("is sent away while connected") } == 1)
  }

  @Test func `a reader's and an operator's key take no points`() throws {
    let siege = try Siege()
    var stray: [WorkerOnThread] = []
    var ends: [WorkerEnd] = []
    let joins = [try siege.key("looker", .reader), try siege.key("boss", .operator)]
    try siege.hold { endpoint in
      if stray.isEmpty { stray = try joins.map { try siege.fixture.worker(at: endpoint, join: $0) } }
      ends = try stray.compactMap { try $0.endIfOver() }
      return ends.count == 2
    }
    #expect(ends.allSatisfy { $0.reason?.contains("only a worker may take points") == true })
    #expect(siege.warned("the key \"looker\" is a key of a reader"))
    #expect(siege.warned("the key \"boss\" is a key of an operator"))
    #expect(try siege.fixture.store.summary().workers == 1)
  }

  @Test func `garbage on the port is turned away`() throws {
    let siege = try Siege()
    var peers: [RawPeer] = []
    try siege.hold { endpoint in
      if peers.isEmpty {
        let port = try RawPeer.port(of: endpoint)
        let http = Array("GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n".utf8)
        for bytes in [
          http, [UInt8](repeating: 0xFF, count: 100), (0..<200).map { UInt8($0) }, [UInt8](repeating: 0, count: 64),
        ] {
          let peer = try RawPeer(port: port)
          peer.send(bytes)
          peers.append(peer)
        }
      }
      return siege.warned("turned away", "what it sent is not ZeroMQ") && siege.warned("does not speak with keys")
    }
  }

  @Test func `five hundred silent connections keep nobody out`() throws {
    let siege = try Siege(points: 4)
    var crowd: [RawPeer] = []
    try siege.hold { endpoint in
      let port = try RawPeer.port(of: endpoint)
      while crowd.count < 500 { crowd.append(try RawPeer(port: port)) }
      return siege.warned("cut off 127.0.0.1:", "more than 256 connections had not said who they are")
    }
    #expect(
      siege.fixture.lines.all.count { $0.contains("had not said who they are") } < 20,
      "one line for each would be too many")
  }

  @Test func `frames that are played again are turned away, on the same connection and on another`() throws {
    let siege = try Siege()
    var proxy: RecordingProxy?
    var second: WorkerOnThread?
    var (hasReplayed, other): (Bool, RawPeer?)
    (hasReplayed, other) = (false, nil)
    let join = try siege.key("recorded")
    try siege.hold { endpoint in
      let port = try RawPeer.port(of: endpoint)
      if proxy == nil {
        let new = try RecordingProxy(to: port)
        proxy = new
        second = try siege.fixture.worker(at: new.endpoint, join: join)
      }
      if !hasReplayed, siege.fixture.lines.all.count(where: { $0.contains("welcome as worker") }) == 2 {
        hasReplayed = true
        other = try RawPeer(port: port)
        other?.send(proxy?.recorded ?? [])
        proxy?.replay()
      }
      return siege.warned("carried a message that was changed or played again")
        && siege.warned("turned away", "another connection's played again")
    }
    proxy?.end()
    second?.interrupt.request(SIGTERM)
    _ = try second?.end()
    withExtendedLifetime(other) {}
  }

  @Test func `an address that others can reach needs keys, or says each time that it has none`() throws {
    let lines = Lines()
    #expect(throws: EndpointRefused.self) { try CoordinatorShell.listen(on: "tcp://0.0.0.0:0", logger: lines.logger) }
    let open = try CoordinatorShell.listen(on: "tcp://0.0.0.0:0", isInsecure: true, logger: lines.logger)
    #expect(lines.contains("warning: \(open.endpoint) is open to everybody who can reach it, unencrypted"))
    let siege = try Siege()
    let keys = try Keys(siege.folder, logger: lines.logger)
    _ = try CoordinatorShell.listen(on: "tcp://0.0.0.0:0", keys: keys, logger: lines.logger)
    #expect(lines.all.count == 1)
  }
}

extension WorkerOnThread {
  /// How it ended, if it has.
  func endIfOver() throws -> WorkerEnd? { isOver ? try end() : nil }
}
