// `doctor` against set-ups that are broken in one way each: each is named in its own words, and nothing else is.

import Foundation
import TestSupport
import Testing
import ZeroMQ

@Suite struct DoctorCommandTests {
  private static let sweep = """
    sweep: tiny
    task: {operation: add, modulus: 7, train_fraction: 0.5}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 200}
    measure: {evaluate_every: 100}
    """

  private struct Report: Decodable {
    struct Check: Decodable {
      let check: String
      let outcome: String
      let says: String
      let fix: String?
    }
    let checks: [Check]
    let problems: Int
    let warnings: Int
  }

  /// What it finds, with its checks of the way to a coordinator.
  private func examine(_ arguments: [String], in folder: Folder) throws -> (report: Report, status: Int32) {
    let ended = try Groksweep.run(["doctor", "--json"] + arguments, in: folder)
    let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
    #expect(ended.status == (report.problems > 0 ? 1 : 0), "\(ended)")
    return (report, ended.status)
  }

  /// Expects one problem, and that it is this.
  private func expectProblem(
    _ check: String, says words: String, fix: String, of arguments: [String], in folder: Folder,
    location: SourceLocation = #_sourceLocation
  ) throws {
    let (report, status) = try examine(arguments, in: folder)
    let problems = report.checks.filter { $0.outcome == "problem" }
    #expect(status == 1 && problems.count == 1, "\(problems)", sourceLocation: location)
    let problem = try #require(problems.first, sourceLocation: location)
    #expect(problem.check == check && problem.says.contains(words), "\(problem)", sourceLocation: location)
    #expect(problem.fix?.contains(fix) == true, "\(problem)", sourceLocation: location)
  }

  /// A folder of keys with these, and their join files.
  private func makeKeys(_ names: [String], role: String = "worker", in folder: Folder) throws {
    for name in names {
      #expect(try Groksweep.run(["keys", "new", name, "--role", role, "--keys", "k"], in: folder).status == 0)
    }
  }

  /// A coordinator and its address.
  private func coordinate(_ arguments: [String], in folder: Folder) throws -> (Running, String) {
    try folder.write(Self.sweep, to: "tiny.yaml")
    let coordinator = try Groksweep.start(
      ["coordinator", "tiny.yaml", "--store", "tiny.sqlite"] + arguments, in: folder)
    #expect(waitUntil(180) { coordinator.errors.contains("listening on ") })
    let line = try #require(coordinator.errors.split(separator: "\n").first { $0.contains("listening on ") })
    return (coordinator, String(try #require(line.firstMatch(of: /listening on ([^;]*);/)).1))
  }

  private func end(_ coordinator: Running) throws {
    coordinator.signal(SIGTERM)
    #expect(try coordinator.end(within: 180).status == 0)
  }

  @Test func `a sound set-up has no problem, with the key of a worker, of a reader and without keys`() throws {
    let folder = try Folder()
    try makeKeys(["lab2"], in: folder)
    try makeKeys(["eye"], role: "reader", in: folder)
    let (locked, address) = try coordinate(["--bind", "tcp://127.0.0.1:0", "--keys", "k"], in: folder)
    for join in ["lab2.join", "eye.join"] {
      let (report, status) = try examine(["--connect", address, "--join", join, "--slots", "1"], in: folder)
      #expect(status == 0, "\(report.checks.filter { $0.outcome == "problem" })")
      #expect(report.checks.filter { $0.outcome == "skipped" && $0.check != "memory" }.isEmpty, "\(report.checks)")
      let way = report.checks.map(\.check).suffix(7)
      #expect(way == ["join_file", "address", "name", "port", "zeromq", "key", "versions"])
      #expect(report.checks.last?.says.contains("both sides have protocol") == true, "\(report.checks)")
    }
    // It joined nothing.
    #expect(try folder.query("tiny.sqlite", "SELECT count(*) FROM workers") == ["0"])
    let store = try examine(["--store", "tiny.sqlite", "--slots", "1"], in: folder).report
    #expect(store.checks.contains { $0.check == "store" && $0.says.contains("coordinates") }, "\(store.checks)")
    try end(locked)

    let (open, endpoint) = try coordinate(["--bind", "tcp://[::1]:0"], in: folder)
    let (report, status) = try examine(["--connect", endpoint, "--slots", "1"], in: folder)
    #expect(status == 0, "\(report.checks)")
    #expect(report.checks.contains { $0.check == "port" && $0.says.hasSuffix("(IPv6)") }, "\(report.checks)")
    let page = try Groksweep.run(["doctor", "--connect", endpoint, "--slots", "1"], in: folder)
    #expect(page.output.contains("ok       self-test"), "\(page)")
    // A worker finds it there too.
    let worker = try Groksweep.start(["worker", "--connect", endpoint, "--slots", "1"], in: folder)
    #expect(try waitUntil(180) { try folder.query("tiny.sqlite", "SELECT count(*) FROM runs") == ["1"] })
    worker.signal(SIGTERM)
    _ = try worker.end(within: 180)
    try end(open)
  }

  @Test func `nothing listens on the port`() throws {
    let folder = try Folder()
    let port = try freePort()
    try expectProblem(
      "port", says: "cannot reach 127.0.0.1:\(port) (refused)", fix: "nothing listens there",
      of: ["--connect", "tcp://127.0.0.1:\(port)"], in: folder)
    // A worker says the same, once for all its slots, and keeps trying.
    let worker = try Groksweep.start(["worker", "--connect", "tcp://127.0.0.1:\(port)", "--slots", "3"], in: folder)
    let words = "cannot reach 127.0.0.1:\(port) (refused), trying on"
    #expect(waitUntil(180) { worker.errors.contains(words) }, "\(worker.errors)")
    #expect(worker.isRunning)
    worker.signal(SIGTERM)
    let ended = try worker.end(within: 180)
    #expect(ended.errors.components(separatedBy: words).count == 2, "\(ended)")
    let status = try Groksweep.run(["status", "--connect", "tcp://127.0.0.1:\(port)"], in: folder)
    #expect(status.status == 69 && status.errors.contains("(refused)"), "\(status)")
  }

  @Test func `no machine has the name`() throws {
    let folder = try Folder()
    let (report, status) = try examine(["--connect", "tcp://no-such-machine.invalid:5555", "--insecure"], in: folder)
    let problems = report.checks.filter { $0.outcome == "problem" }
    #expect(status == 1 && problems.map(\.check) == ["name"], "\(problems)")
    // Where no name service answers, that is said in place of it.
    let words = ["no-such-machine.invalid: name not found", "no-such-machine.invalid: no answer about the name"]
    #expect(words.contains(problems.first?.says ?? ""), "\(problems)")
  }

  @Test func `what listens there is not ZeroMQ`() throws {
    let folder = try Folder()
    let server = try OtherServer(says: "SSH-2.0-OpenSSH_9.9\r\n")
    try expectProblem(
      "zeromq", says: "is not ZeroMQ; it says \"SSH-2.0-OpenSSH_9.9\"", fix: "another program",
      of: ["--connect", server.endpoint], in: folder)
    // A worker says so too, with a key and without, and keeps trying.
    try makeKeys(["lab2"], in: folder)
    for further in [[], ["--join", "lab2.join"]] {
      let worker = try Groksweep.start(
        ["worker", "--connect", server.endpoint, "--slots", "1"] + further, in: folder)
      let words = "what listens at 127.0.0.1:\(server.port) is not ZeroMQ; it says \"SSH-2.0-OpenSSH_9.9\", trying on"
      #expect(waitUntil(180) { worker.errors.contains(words) || !worker.isRunning }, "\(worker.errors)")
      #expect(worker.isRunning)
      worker.signal(SIGTERM)
      let ended = try worker.end(within: 180)
      #expect(ended.status == 0 && ended.errors.components(separatedBy: words).count == 2, "\(ended)")
      #expect(!ended.errors.contains("asks for a key") && !ended.errors.contains("has another key"), "\(ended)")
    }
    let status = try Groksweep.run(["status", "--connect", server.endpoint], in: folder)
    #expect(status.status == 69 && status.errors.contains("is not ZeroMQ"), "\(status)")
  }

  @Test func `the coordinator has no keys and a join file is given, and the reverse`() throws {
    let folder = try Folder()
    try makeKeys(["lab2"], in: folder)
    let (open, endpoint) = try coordinate(["--bind", "tcp://127.0.0.1:0"], in: folder)
    try expectProblem(
      "zeromq", says: "speaks ZeroMQ without keys", fix: "--keys",
      of: ["--connect", endpoint, "--join", "lab2.join"], in: folder)
    try end(open)
    let (locked, address) = try coordinate(["--bind", "tcp://127.0.0.1:0", "--keys", "k"], in: folder)
    try expectProblem("zeromq", says: "asks for a key", fix: "--join FILE", of: ["--connect", address], in: folder)
    try end(locked)
  }

  @Test func `the key was revoked, or the join file is of another coordinator`() throws {
    let folder = try Folder()
    try makeKeys(["lab2", "old"], in: folder)
    #expect(try Groksweep.run(["keys", "revoke", "old", "--keys", "k"], in: folder).status == 0)
    #expect(try Groksweep.run(["keys", "new", "stray", "--keys", "other"], in: folder).status == 0)
    let (coordinator, address) = try coordinate(["--bind", "tcp://127.0.0.1:0", "--keys", "k"], in: folder)
    try expectProblem(
      "key", says: "the key \"old\" is not let in", fix: "a new join file",
      of: ["--connect", address, "--join", "old.join"], in: folder)
    try expectProblem(
      "key", says: "another key than the join file says", fix: "a new join file",
      of: ["--connect", address, "--join", "stray.join"], in: folder)
    try end(coordinator)
  }

  @Test func `others may read the join file`() throws {
    let folder = try Folder()
    try makeKeys(["lab2"], in: folder)
    chmod(folder.path("lab2.join"), 0o644)
    try expectProblem(
      "join_file", says: "others may read or write it", fix: "see what it says",
      of: ["--connect", "tcp://127.0.0.1:1", "--join", "lab2.join"], in: folder)
  }

  @Test func `the scratch folder is a file, and the store's folder is not there`() throws {
    let folder = try Folder()
    try folder.write("", to: "file")
    try expectProblem("scratch", says: "it is a file", fix: "--scratch", of: ["--scratch", "file"], in: folder)
    try expectProblem(
      "store", says: "takes no folders", fix: "make the folder", of: ["--store", "none/s.sqlite"], in: folder)
    try folder.write("not a store, and longer than nothing", to: "text.sqlite")
    let (report, status) = try examine(["--store", "text.sqlite"], in: folder)
    #expect(status == 1 && report.checks.contains { $0.check == "store" && $0.outcome == "problem" }, "\(report)")
  }

  @Test func `a folder that was not there is not there afterwards`() throws {
    let folder = try Folder()
    #expect(try examine(["--scratch", "new/with/folders", "--slots", "1"], in: folder).status == 0)
    #expect(try folder.names().contains("new") == false)
    try FileManager.default.createDirectory(atPath: folder.path("old"), withIntermediateDirectories: false)
    #expect(try examine(["--scratch", "old/new", "--slots", "1"], in: folder).status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("old")).isEmpty)
  }

  @Test func `a socket of this machine is not there, is none, or is nobody's any more`() throws {
    let folder = try Folder()
    let path = folder.path("c")
    func expect(_ words: String, _ fix: String) throws {
      try expectProblem("port", says: words, fix: fix, of: ["--connect", "ipc://\(path)"], in: folder)
    }
    try expect("there is no socket \(path)", "is the coordinator running")
    try folder.write("", to: "c")
    try expect("\(path) is no socket", "the address that the coordinator printed")
    try FileManager.default.removeItem(atPath: path)
    let (coordinator, address) = try coordinate(["--bind", "ipc://\(path)"], in: folder)
    let report = try examine(["--connect", address, "--slots", "1"], in: folder).report
    #expect(report.problems == 0 && report.checks.map(\.check).suffix(4) == ["port", "zeromq", "key", "versions"])
    coordinator.signal(SIGKILL)
    _ = try coordinator.end(within: 180)
    try expect("nobody listens at \(path) any more", "is the coordinator running")
  }

  @Test(
    arguments: [
      ("the worker speaks protocol 6, the coordinator protocol 99; use the same build", "speaks protocol 99"),
      (
        "the worker's engine has semantics version 0, the coordinator's 77, so their numbers differ",
        "engine semantics 77"
      ),
    ])
  func `the coordinator is of another version`(reason: String, words: String) throws {
    let folder = try Folder()
    let coordinator = try RefusingCoordinator(reason: reason)
    try expectProblem(
      "versions", says: words, fix: "the same build", of: ["--connect", coordinator.endpoint], in: folder)
  }

  @Test func `more slots than cores are a warning`() throws {
    let folder = try Folder()
    let (report, status) = try examine(["--slots", "1024"], in: folder)
    #expect(status == 0 && report.warnings > 0)
    let cores = try #require(report.checks.first { $0.check == "cores" })
    #expect(cores.outcome == "warning" && cores.fix?.contains("--slots ") == true, "\(cores)")
  }

  /// Nobody has it at this moment.
  private func freePort() throws -> UInt16 {
    let server = try OtherServer(says: "")
    return server.port
  }
}

/// Listens on a port of this machine, says one thing to everybody and waits for them to go.
private final class OtherServer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let words: String

  init(says words: String) throws {
    self.words = words
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, length)
        _ = listen(descriptor, 16)
        _ = getsockname(descriptor, $0, &length)
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    guard !words.isEmpty else { return }
    Thread { [descriptor, words] in
      while true {
        let peer = accept(descriptor, nil, nil)
        guard peer >= 0 else { return }
        Thread {
          _ = words.withCString { send(peer, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
          var buffer = [UInt8](repeating: 0, count: 256)
          while read(peer, &buffer, buffer.count) > 0 {}
          close(peer)
        }.start()
      }
    }.start()
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  var endpoint: String { "tcp://127.0.0.1:\(port)" }
}

/// Refuses everybody with the same words, in a protocol that nobody speaks.
private final class RefusingCoordinator {
  let endpoint: String
  private let waker: Waker
  private let thread: Thread

  init(reason: String) throws {
    let router = try Socket(behind: Door(openIn: try Context(), note: { _ in }))
    endpoint = try router.bind("tcp://127.0.0.1:0")
    let waker = try Waker()
    self.waker = waker
    let body = try JSONSerialization.data(withJSONObject: ["groksweep": 99, "type": "refused", "reason": reason])
    let served = Served(router: router, body: [UInt8](body))
    let thread = Thread {
      while !Thread.current.isCancelled {
        try? Poller.wait([served.router], waker: waker, timeout: .seconds(10))
        while let received = try? served.router.receive() {
          _ = try? served.router.send([received.frames[0], served.body])
        }
      }
    }
    self.thread = thread
    thread.start()
  }

  deinit {
    thread.cancel()
    waker.wake()
  }

  /// Handed to the thread, which alone uses it from then on.
  private final class Served: @unchecked Sendable {
    let router: Socket
    let body: [UInt8]
    init(router: Socket, body: [UInt8]) { (self.router, self.body) = (router, body) }
  }
}
