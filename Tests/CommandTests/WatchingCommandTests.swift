// What other programs watch: `status --json`, logs as JSON, and Prometheus' page.

import Foundation
import TestSupport
import Testing

@Suite struct WatchingCommandTests {
  private static let sweep = """
    sweep: small
    task: {modulus: 7, train_fraction: 0.6}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 40}
    measure: {evaluate_every: 20}
    axes: {seed: {count: 3}}
    """

  private func object(_ line: some StringProtocol) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
  }

  /// A coordinator of one small sweep and the words that it said before it listened.
  private func coordinate(_ arguments: [String], in folder: Folder) throws -> Running {
    try folder.write(Self.sweep, to: "small.yaml")
    let coordinator = try Groksweep.start(
      ["coordinator", "small.yaml", "--store", "s.sqlite", "--bind", "ipc://\(folder.path("c"))"] + arguments,
      in: folder)
    #expect(waitUntil(180) { coordinator.errors.contains("listening on ") }, "\(coordinator.errors)")
    return coordinator
  }

  private func end(_ coordinator: Running) throws -> Ended {
    coordinator.signal(SIGTERM)
    let ended = try coordinator.end(within: 180)
    #expect(ended.status == 0, "\(ended)")
    return ended
  }

  @Test func `the keys of status --json are those of the reference`() throws {
    let folder = try Folder()
    let coordinator = try coordinate([], in: folder)
    let worker = try Groksweep.start(
      ["worker", "--connect", "ipc://\(folder.path("c"))", "--slots", "1"], in: folder)
    #expect(try waitUntil(180) { try folder.query("s.sqlite", "SELECT count(*) FROM runs") == ["3"] })
    let live = try object(
      Groksweep.run(["status", "--connect", "ipc://\(folder.path("c"))", "--json"], in: folder).output)
    #expect(
      Set(live.keys).isSubset(of: [
        "store", "coordinator", "sweeps", "workers", "barred_hosts", "failures", "verifications", "violations",
        "awaited",
        "is_paused", "eta_seconds", "eta_low_seconds", "eta_high_seconds", "protocol_version", "engine_semantics",
      ]), "\(live.keys)")
    let sweep = try #require((live["sweeps"] as? [[String: Any]])?.first)
    #expect(
      Set(sweep.keys).union(["eta_seconds"]) == [
        "sweep", "state", "priority", "total", "pending", "running", "finished", "failed", "eta_seconds", "refining",
      ])
    let status = try #require((live["workers"] as? [[String: Any]])?.first)
    #expect(
      Set(status.keys).isSuperset(of: [
        "worker", "host", "process_id", "key", "kernel_path", "is_verification", "silent_seconds", "is_draining",
      ]), "\(status.keys)")
    worker.signal(SIGTERM)
    _ = try worker.end(within: 180)
    _ = try end(coordinator)

    let stored = try object(Groksweep.run(["status", "--store", "s.sqlite", "--json"], in: folder).output)
    #expect(
      Set(stored.keys).union(["eta_seconds"]) == [
        "sweep", "total", "pending", "running", "finished", "failed", "eta_seconds", "grokking_times", "failures",
      ], "\(stored.keys)")
    for page in [live, stored] { try expectSnakeCase(page) }
  }

  private func expectSnakeCase(_ value: Any) throws {
    if let list = value as? [Any] { for item in list { try expectSnakeCase(item) } }
    guard let fields = value as? [String: Any] else { return }
    for (key, value) in fields {
      #expect(key.firstMatch(of: /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/) != nil, "\(key)")
      try expectSnakeCase(value)
    }
  }

  @Test func `with --log-format json every line of stderr is an object with time, level and message`() throws {
    let folder = try Folder()
    let coordinator = try coordinate(["--log-format", "json"], in: folder)
    let worker = try Groksweep.start(
      ["worker", "--connect", "ipc://\(folder.path("c"))", "--slots", "1", "--log-format", "json"], in: folder)
    #expect(try waitUntil(180) { try folder.query("s.sqlite", "SELECT count(*) FROM runs") == ["3"] })
    worker.signal(SIGTERM)
    let said = [try worker.end(within: 180), try end(coordinator)]
    for ended in said {
      #expect(!ended.errors.isEmpty)
      for line in ended.errors.split(separator: "\n") {
        let fields = try object(line)
        #expect(
          (fields["time"] as? String)?.firstMatch(of: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) != nil, "\(line)")
        #expect(
          ["info", "warning", "error"].contains(fields["level"] as? String) && fields["message"] is String, "\(line)")
      }
    }
    let joined = try object(#require(said[1].errors.split(separator: "\n").first { $0.contains(" joined: ") }))
    #expect(joined["worker"] as? Int == 1)
    let welcome = try object(#require(said[0].errors.split(separator: "\n").first { $0.contains("welcome as worker") }))
    #expect(welcome["worker"] as? Int == 1 && welcome["process_id"] is Int && welcome["host"] is String)
  }

  @Test(
    arguments: [
      (["worker", "--connect", "tcp://192.0.2.1:1"], 77), (["worker", "--join", "none.join"], 65),
      (["coordinator", "none.yaml", "--store", "s.sqlite", "--bind", "ipc:///tmp/none"], 65),
      (["coordinator", "--store", "s.sqlite", "--bind", "tcp://192.0.2.1:1"], 77), (["sweep", "none.yaml"], 65),
    ] as [([String], Int32)])
  func `with --log-format json what ends a command before its log begins is an object too`(
    command: [String], status: Int32
  ) throws {
    let ended = try Groksweep.run(command + ["--log-format", "json"], in: Folder())
    #expect(ended.status == status, "\(ended)")
    let lines = ended.errors.split(separator: "\n")
    #expect(!lines.isEmpty)
    for line in lines { #expect(try object(line)["level"] as? String == "error", "\(line)") }
  }

  @Test func `--log-level leaves out what is better`() throws {
    let folder = try Folder()
    let coordinator = try coordinate(["--log-level", "error"], in: folder)
    let worker = try Groksweep.start(
      ["worker", "--connect", "ipc://\(folder.path("c"))", "--slots", "1", "--log-level", "error"], in: folder)
    #expect(try waitUntil(180) { try folder.query("s.sqlite", "SELECT count(*) FROM runs") == ["3"] })
    worker.signal(SIGTERM)
    #expect(try worker.end(within: 180).errors == "")
    #expect(try !end(coordinator).errors.contains(" joined: "))
  }

  @Test func `the page for Prometheus counts what was done, and only this machine may read it`() throws {
    let folder = try Folder()
    let coordinator = try coordinate(["--metrics", "127.0.0.1:0"], in: folder)
    let address = try #require(coordinator.errors.firstMatch(of: /metrics at (http:\S+)/)).1
    let worker = try Groksweep.start(
      ["worker", "--connect", "ipc://\(folder.path("c"))", "--slots", "1"], in: folder)
    var page = ""
    let isDone = try waitUntil(180) {
      page = try Running("/usr/bin/env", ["curl", "-sS", String(address)], in: folder).end(within: 60).output
      return page.contains("groksweep_results_total 3\n")
    }
    #expect(isDone, "\(page)")
    for line in [
      #"groksweep_points{sweep="small",state="finished"} 3"#, #"groksweep_attempts_total{class="finished"} 3"#,
      "groksweep_machines 1", "# TYPE groksweep_store_commit_seconds histogram",
    ] { #expect(page.contains("\(line)\n"), "\(line) is missing:\n\(page)") }
    worker.signal(SIGTERM)
    _ = try worker.end(within: 180)
    _ = try end(coordinator)

    for (address, status, words) in [
      ("0.0.0.0:0", Int32(77), "--metrics-open"), ("nonsense", 64, "127.0.0.1:9464"),
      ("lab2:9464", 77, "--metrics-open"),
    ] {
      let refused = try Groksweep.run(
        ["coordinator", "--store", "t.sqlite", "--bind", "ipc://\(folder.path("d"))", "--metrics", address], in: folder)
      #expect(refused.status == status && refused.errors.contains(words), "\(refused)")
    }
    #expect(try folder.names().contains("t.sqlite") == false)
  }
}
