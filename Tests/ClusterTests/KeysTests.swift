// The folder of keys on a real disk: what is in it, who may read it, and what a running coordinator makes of changes.

import Cluster
import Foundation
import Sweeps
import Testing
import ZeroMQ

@Suite struct KeysTests {
  private let root: String
  private let folder: KeyFolder
  private let lines = Lines()

  init() throws {
    root = "/tmp/gsk-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    folder = KeyFolder(path: root + "/s.keys")
    try folder.create()
  }

  private func remove() { try? FileManager.default.removeItem(atPath: root) }

  private func mode(_ path: String) throws -> Int {
    var status = stat()
    try #require(lstat(path, &status) == 0)
    return Int(status.st_mode & 0o777)
  }

  private func add(_ name: String, _ role: Role = .worker) throws -> JoinFile {
    try folder.add(name: name, role: role, at: Date(timeIntervalSince1970: 1_800_000_000))
  }

  @Test func `the folder is the owner's alone, and so is every file in it`() throws {
    defer { remove() }
    let join = try add("lab2")
    try join.write(to: root + "/lab2.join")
    #expect(try mode(folder.path) == 0o700)
    for file in ["/s.keys/server.key", "/s.keys/lab2.key", "/lab2.join"] { #expect(try mode(root + file) == 0o600) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["lab2.key", "server.key"])
    // The client's secret is in its join file only.
    let card = try String(contentsOfFile: folder.path + "/lab2.key", encoding: .utf8)
    #expect(!card.contains(join.keys.secretKey.secretText))
    #expect(try JoinFile(path: root + "/lab2.join") == join)
  }

  @Test func `a key keeps its name, role and dates, and its name is never given again`() throws {
    defer { remove() }
    let join = try add("lab2", .reader)
    #expect(join.role == .reader && join.name == "lab2")
    #expect(try folder.read().cards.map(\.name) == ["lab2"])
    let card = try folder.revoke(name: "lab2", at: Date(timeIntervalSince1970: 1_800_000_060))
    #expect(card.created == "2027-01-15T08:00:00Z" && card.revoked == "2027-01-15T08:01:00Z")
    // A second time changes nothing.
    #expect(try folder.revoke(name: "lab2", at: Date()) == card)
    let error = #expect(throws: KeyFileError.self) { try add("lab2") }
    #expect(error?.description.contains("has a key named \"lab2\" already") == true)
    #expect(throws: KeyFileError.self) { try folder.revoke(name: "nobody", at: Date()) }
  }

  @Test func `making keys twice makes the coordinator's key once`() throws {
    defer { remove() }
    let server = try folder.read().server
    try folder.create()
    #expect(try folder.read().server == server)
    #expect(try add("a").server == server.publicKey)
  }

  @Test(arguments: ["", ".", "..", "../x", "a/b", "server", "Server", "-x", ".hidden", "naïve", "a b", "a\n"])
  func `what could be a path, a flag or the coordinator's own is no name`(name: String) throws {
    defer { remove() }
    #expect(!KeyName.isValid(name))
    #expect(throws: KeyFileError.self) { try add(name) }
    #expect(throws: KeyFileError.self) { try folder.revoke(name: name, at: Date()) }
  }

  @Test func `a join file is never written over another file`() throws {
    defer { remove() }
    let path = root + "/precious"
    try Data("data".utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: KeyFileError.self) { try add("lab2").write(to: path) }
    #expect(error?.description == "\(path): is already there and is not overwritten; choose another name")
    #expect(FileManager.default.contents(atPath: path) == Data("data".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: root).sorted() == ["precious", "s.keys"])
  }

  @Test func `a file that others may read is refused with what to do`() throws {
    defer { remove() }
    let path = root + "/lab2.join"
    try add("lab2").write(to: path)
    for (file, check) in [
      (path, { _ = try JoinFile(path: path) }), (folder.path + "/server.key", { _ = try self.folder.read() }),
      (folder.path + "/lab2.key", { _ = try self.folder.read() }),
    ] as [(String, () throws -> Void)] {
      chmod(file, 0o640)
      let error = #expect(throws: KeyFileError.self) { try check() }
      #expect(error?.description.hasPrefix("\(file): others may read or write it") == true)
      #expect(error?.description.hasSuffix("chmod 600 \(file)") == true)
      chmod(file, 0o600)
      #expect(throws: Never.self) { try check() }
    }
    chmod(folder.path, 0o755)
    let error = #expect(throws: KeyFileError.self) { try folder.read() }
    #expect(
      error?.description == "\(folder.path): others may look into it or write there; run: chmod 700 \(folder.path)")
  }

  @Test(arguments: [
    "", "{}", "not json", "{\"public_key\":\"x\",\"secret_key\":\"y\"}", String(repeating: "a", count: 20_000),
  ])
  func `damaged files are named`(text: String) throws {
    defer { remove() }
    try add("lab2").write(to: root + "/lab2.join")
    for path in [root + "/lab2.join", folder.path + "/lab2.key", folder.path + "/server.key"] {
      let whole = try #require(FileManager.default.contents(atPath: path))
      try write(text, to: path)
      let error = #expect(throws: KeyFileError.self) {
        if path.hasSuffix("join") { _ = try JoinFile(path: path) } else { _ = try folder.read() }
      }
      #expect(error?.path == path)
      try write(String(decoding: whole, as: UTF8.self), to: path)
    }
    #expect(try folder.read().cards.count == 1)
  }

  @Test func `a join file whose keys do not belong together is damaged`() throws {
    defer { remove() }
    let (first, second) = (try add("a"), try add("b"))
    try first.write(to: root + "/a.join")
    let text = try String(contentsOfFile: root + "/a.join", encoding: .utf8)
    let mixed = text.replacingOccurrences(of: first.keys.secretKey.secretText, with: second.keys.secretKey.secretText)
    try write(mixed, to: root + "/a.join")
    let error = #expect(throws: KeyFileError.self) { try JoinFile(path: root + "/a.join") }
    #expect(error?.description.contains("do not belong together") == true)
    #expect(error?.description.contains(second.keys.secretKey.secretText) == false)
  }

  @Test func `a symbolic link is no file of keys`() throws {
    defer { remove() }
    try add("lab2").write(to: root + "/lab2.join")
    symlink(root + "/lab2.join", root + "/link")
    let error = #expect(throws: KeyFileError.self) { try JoinFile(path: root + "/link") }
    #expect(error?.description.contains("it is a symbolic link") == true)
  }

  @Test func `a coordinator needs a folder with every file in order to start`() throws {
    defer { remove() }
    let missing = KeyFolder(path: root + "/none")
    let error = #expect(throws: KeyFileError.self) { try Keys(missing, logger: lines.logger) }
    #expect(error?.description.contains("groksweep keys new NAME --keys \(root)/none") == true)
    _ = try add("lab2")
    try write("damaged", to: folder.path + "/lab2.key")
    #expect(throws: KeyFileError.self) { try Keys(folder, logger: lines.logger) }
  }

  @Test func `new and revoked keys are seen while the coordinator runs`() throws {
    defer { remove() }
    let keys = try Keys(folder, logger: lines.logger)
    let join = try add("lab2")
    try until { keys.standing(of: join.keys.publicKey.text) != .unknown }
    guard case .valid(let card) = keys.standing(of: join.keys.publicKey.text) else {
      Issue.record("not valid")
      return
    }
    #expect(card.name == "lab2")
    let revoked = try folder.revoke(name: "lab2", at: Date())
    try until { keys.standing(of: join.keys.publicKey.text) == .revoked(revoked) }
    #expect(lines.all.isEmpty)
  }

  @Test func `a key whose file is spoilt while the coordinator runs is let in by nobody until it is mended`() throws {
    defer { remove() }
    let (first, second) = (try add("a"), try add("b"))
    let keys = try Keys(folder, logger: lines.logger)
    func standing(_ join: JoinFile) -> Keys.Standing { keys.standing(of: join.keys.publicKey.text) }
    func isValid(_ join: JoinFile) -> Bool { if case .valid = standing(join) { true } else { false } }
    func isUnclear(_ join: JoinFile) -> Bool { if case .unclear = standing(join) { true } else { false } }
    #expect(isValid(first) && isValid(second))

    chmod(folder.path + "/a.key", 0o644)
    try until { isUnclear(first) }
    #expect(isValid(second))
    #expect(lines.contains("error: \(folder.path)/a.key: others may read or write it"))
    chmod(folder.path + "/a.key", 0o600)
    try until { isValid(first) }

    chmod(folder.path, 0o777)
    try until { isUnclear(first) && isUnclear(second) }
    #expect(lines.contains("nobody is let in until that is mended"))
    chmod(folder.path, 0o700)
    try until { isValid(first) && isValid(second) }

    // Another key of its own would make it another coordinator.
    let server = try #require(FileManager.default.contents(atPath: folder.path + "/server.key"))
    unlink(folder.path + "/server.key")
    try folder.create()
    try until { isUnclear(first) }
    unlink(folder.path + "/server.key")
    try write(String(decoding: server, as: UTF8.self), to: folder.path + "/server.key")
    try until { isValid(first) }

    unlink(folder.path + "/a.key")
    try until { standing(first) == .unknown }
  }

  @Test func `the folder of a store has its name`() {
    #expect(KeyFolder.path(besides: "/a/wd.sqlite") == "/a/wd.keys")
    #expect(KeyFolder.path(besides: "wd.db") == "wd.db.keys")
  }

  @Test func `roles say what may be asked`() {
    let identity = WorkerIdentity(
      boot: String(repeating: "a", count: 32), host: "h", processID: 1, cpu: "c", cores: 1, kernelPath: "avx2",
      build: "b")
    let hello = InboundMessage.worker(.hello(Hello(identity)))
    let (status, submit) = (
      InboundMessage.request(.status, number: 1),
      InboundMessage.request(.submit(name: "", text: "", overrides: [], priority: nil), number: 1)
    )
    #expect([hello, status, submit].map(Role.worker.permits) == [true, false, false])
    #expect([hello, status, submit].map(Role.operator.permits) == [false, true, true])
    #expect([hello, status, submit].map(Role.reader.permits) == [false, true, false])
  }

  private func write(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try #require(descriptor >= 0)
    let bytes = Array(text.utf8)
    #expect(Foundation.write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
  }

  private func until(_ condition: () -> Bool) throws {
    let deadline = ContinuousClock.now + Fixture.patience
    while !condition() {
      try #require(ContinuousClock.now < deadline)
      try Poller.wait([], timeout: .milliseconds(5))
    }
  }
}
