// What people ask of a coordinator while it runs, with the real binary on both sides of the socket.

import Foundation
import TestSupport
import Testing

/// A coordinator that serves one small sweep, and the commands that ask it.
private final class Coordinated {
  /// Six points of some milliseconds.
  static let sweep = """
    sweep: small
    task: {modulus: 7, train_fraction: 0.6}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 40}
    measure: {evaluate_every: 20}
    axes:
      training.weight_decay: [0.5, 1]
      seed: {count: 3}
    """

  let folder: Folder
  let endpoint: String
  let coordinator: Running
  private var workers: [Running] = []

  init(_ sweep: String = Coordinated.sweep, arguments: [String] = []) throws {
    folder = try Folder()
    endpoint = "ipc://\(folder.path("c"))"
    try folder.write(sweep, to: "small.yaml")
    coordinator = try Groksweep.start(
      ["coordinator", "small.yaml", "--store", "s.sqlite", "--bind", endpoint] + arguments, in: folder)
    let coordinator = coordinator
    #expect(waitUntil(180) { coordinator.errors.contains("listening on") }, "\(coordinator.errors)")
  }

  @discardableResult
  func startWorker() throws -> Running {
    let worker = try Groksweep.start(
      ["worker", "--connect", endpoint, "--slots", "1", "--scratch", folder.path("scratch")], in: folder)
    workers.append(worker)
    return worker
  }

  func ask(_ arguments: [String]) throws -> Ended {
    try Groksweep.run(arguments + ["--connect", endpoint], in: folder)
  }

  func status() throws -> [String: Any] {
    let ended = try ask(["status", "--json"])
    #expect(ended.status == 0, "\(ended.errors)")
    return try #require(try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
  }

  /// The sweep's object in `status --json`.
  func standing(_ sweep: String) throws -> [String: Any] {
    let sweeps = try #require(try status()["sweeps"] as? [[String: Any]])
    return try #require(sweeps.first { $0["sweep"] as? String == sweep })
  }

  func query(_ sql: String) throws -> [String] { try folder.query("s.sqlite", sql) }

  func waitForRuns(_ count: Int) throws -> Bool {
    try waitUntil(180) { try query("SELECT count(*) FROM runs") == ["\(count)"] }
  }

  func end() throws {
    for worker in workers { worker.signal(SIGTERM) }
    coordinator.signal(SIGTERM)
    #expect(try coordinator.end(within: 180).status == 0)
    for worker in workers { _ = try worker.end(within: 180) }
  }
}

@Suite struct OperatorCommandTests {
  private static let other = Coordinated.sweep.replacingOccurrences(of: "sweep: small", with: "sweep: other")
    .replacingOccurrences(of: "[0.5, 1]", with: "[2, 3]")
  /// A point of it takes minutes.
  private static let long = Coordinated.sweep.replacingOccurrences(of: "epochs: 40}", with: "epochs: 20000000}")
    .replacingOccurrences(of: "evaluate_every: 20}", with: "evaluate_every: 1000000}")

  @Test func `a submitted sweep is run by the workers that are there, and submitting it again changes nothing`() throws
  {
    let there = try Coordinated()
    try there.startWorker()
    try there.folder.write(Self.other, to: "other.yaml")
    let submitted = try there.ask(["submit", "other.yaml", "--priority", "3"])
    #expect(submitted.status == 0, "\(submitted.errors)")
    #expect(submitted.output == "other: 6 points submitted\n")
    #expect(try there.waitForRuns(12))
    #expect(try there.standing("other")["priority"] as? Int == 3)

    let again = try there.ask(["submit", "other.yaml", "--json"])
    #expect(again.status == 0)
    #expect(again.output == #"{"done":"other: is here already and goes on; 6 points, 6 finished"}"# + "\n")

    let overridden = try there.ask(["submit", "other.yaml", "--set", "training.epochs=60"])
    #expect(overridden.status == 0, "\(overridden.errors)")
    let change = "other: its file was changed: 6 points added, 6 that the file no longer has stay"
    #expect(overridden.output.hasPrefix(change), "\(overridden.output)")
    #expect(overridden.output.contains("training.epochs: was"), "\(overridden.output)")
    #expect(try there.waitForRuns(18))

    try there.folder.write("sweep: typo\ntraining:\n  weight_decya: 1\n", to: "typo.yaml")
    let mistaken = try there.ask(["submit", "typo.yaml"])
    #expect(mistaken.status == 65)
    #expect(mistaken.errors.contains("typo.yaml:3: unknown key \"weight_decya\""), "\(mistaken.errors)")
    #expect(try there.query("SELECT class, count(*) FROM attempts GROUP BY class") == ["finished|18"])
    try there.end()
  }

  @Test func `nothing of a paused sweep is handed out until it is resumed`() throws {
    let there = try Coordinated()
    let paused = try there.ask(["pause", "small"])
    #expect(paused.status == 0 && paused.output == "small: paused; 6 points are left\n", "\(paused)")
    #expect(try there.standing("small")["state"] as? String == "paused")
    try there.startWorker()
    // The worker is served: it gets the points of the other sweep, and none of this one.
    try there.folder.write(Self.other, to: "other.yaml")
    #expect(try there.ask(["submit", "other.yaml"]).status == 0)
    #expect(try there.waitForRuns(6))
    #expect(try there.query("SELECT DISTINCT sweep FROM runs") == ["other"])
    let point = try #require(
      try there.query("SELECT id FROM point WHERE state = 'pending' ORDER BY number LIMIT 1").first)
    let explained = try there.ask(["explain", String(point.prefix(12))])
    #expect(explained.output.contains("its sweeps are paused (small)"), "\(explained.output)\(explained.errors)")
    let resumed = try there.ask(["resume", "small"])
    #expect(resumed.status == 0 && resumed.output == "small: goes on; 6 points are left\n", "\(resumed)")
    #expect(try there.waitForRuns(12))
    try there.end()
  }

  @Test func `a cancelled sweep is stopped in the middle of a point, and can be brought back`() throws {
    let there = try Coordinated(Self.long)
    try there.startWorker()
    let open = "SELECT count(*) FROM attempts WHERE class = 'open'"
    #expect(try waitUntil(180) { try there.query(open) == ["1"] })
    #expect(try there.ask(["cancel", "small"]).status == 0)
    #expect(try waitUntil(180) { try there.query(open) == ["0"] })
    #expect(try there.query("SELECT count(*) FROM attempts WHERE charged = 1") == ["0"])
    #expect(try there.standing("small")["state"] as? String == "cancelled")
    let resumed = try there.ask(["resume", "small"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try waitUntil(180) { try there.query(open) == ["1"] })
    try there.end()
  }

  @Test func `a drained worker leaves after its point and the coordinator goes on`() throws {
    let there = try Coordinated(arguments: [])
    let worker = try there.startWorker()
    #expect(try there.waitForRuns(6))
    let number = try #require((try there.status()["workers"] as? [[String: Any]])?.first?["worker"] as? Int)
    let unknown = try there.ask(["drain", "nowhere"])
    #expect(unknown.status == 65)
    #expect(unknown.errors.contains("no connected worker has the number or host nowhere; there are 1 workers on"))
    let drained = try there.ask(["drain", "\(number)"])
    #expect(drained.status == 0 && drained.output.contains("worker \(number) on"), "\(drained)")
    #expect(try worker.end(within: 180).status == 0)
    #expect(try waitUntil(180) { (try there.status()["workers"] as? [Any])?.isEmpty == true })
    try there.end()
  }

  @Test func `explain tells of a point that waits, that is trained and that is finished`() throws {
    let there = try Coordinated(Self.long)
    let id = try #require(try there.query("SELECT id FROM point ORDER BY number LIMIT 1").first)
    let waiting = try there.ask(["explain", String(id.prefix(10))])
    #expect(waiting.status == 0, "\(waiting.errors)")
    #expect(
      waiting.output.hasPrefix("Point \(id)\n  number 0 of sweep small (weight_decay=0.5)\n"), "\(waiting.output)")
    #expect(waiting.output.contains("It is not running: no worker is connected"))
    try there.startWorker()
    #expect(try waitUntil(180) { try there.ask(["explain", id]).output.contains("at epoch") })
    let running = try there.ask(["explain", id]).output
    #expect(running.contains("Worker 1 on ") && running.contains(" of 20000000") && running.contains("not over yet"))
    let json = try there.ask(["explain", id, "--json"])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect((object["story"] as? [String: Any])?["point"] as? String == id)
    #expect((object["now"] as? [String])?.isEmpty == false)
    let page = try there.ask(["status"])
    #expect(page.output.contains(id.prefix(12)) && page.output.contains("/20,000,000"), "\(page.output)")

    try there.folder.write(Self.other, to: "other.yaml")
    #expect(try there.ask(["submit", "other.yaml"]).status == 0)
    #expect(try there.ask(["cancel", "small"]).status == 0)
    #expect(try there.waitForRuns(6))
    let done = try #require(try there.query("SELECT point FROM runs LIMIT 1").first)
    let finished = try there.ask(["explain", String(done.prefix(12))]).output
    #expect(finished.contains("Finished: ") && finished.contains("after 40 epochs"), "\(finished)")
    try there.end()
  }

  @Test func `verify through a coordinator runs a finished point again and records that it is equal`() throws {
    let there = try Coordinated()
    try there.startWorker()
    #expect(try there.waitForRuns(6))
    let runs = "SELECT point, digest, worker, seconds FROM runs ORDER BY point"
    let before = try there.query(runs)
    let asked = try there.ask(["verify", "--where", "weight_decay < 0.7"])
    #expect(asked.status == 0, "\(asked.errors)")
    #expect(asked.output.hasPrefix("3 points will be run again and compared"), "\(asked.output)")
    let states = "SELECT state, count(*) FROM verifications GROUP BY state"
    #expect(try waitUntil(180) { try there.query(states) == ["equal|3"] })
    #expect(try there.query(runs) == before)
    let wrong = try there.ask(["verify", "--where", "weight_dcay < 0.7"])
    #expect(wrong.status == 65 && wrong.errors.contains("weight_dcay"), "\(wrong)")
    try there.end()
  }

  @Test func `verify and audit run points of a store here, and tell when a digest differs`() throws {
    let folder = try Folder()
    try folder.write(Coordinated.sweep, to: "small.yaml")
    #expect(
      try Groksweep.run(["sweep", "small.yaml", "--store", "s.sqlite", "--workers", "2"], in: folder).status == 0)
    let runs = "SELECT point, digest, worker, seconds FROM runs ORDER BY point"
    let before = try folder.query("s.sqlite", runs)
    let point = try #require(before.first).prefix(12)
    let verified = try Groksweep.run(["verify", String(point), "--store", "s.sqlite"], in: folder)
    #expect(verified.status == 0, "\(verified.errors)")
    #expect(verified.output == "1 of 1 point gave the same bits again\n")
    let audited = try Groksweep.run(["audit", "100%", "--seed", "1", "--store", "s.sqlite", "--json"], in: folder)
    #expect(audited.status == 0, "\(audited.errors)")
    let report = try #require(try JSONSerialization.jsonObject(with: Data(audited.output.utf8)) as? [String: Any])
    #expect(report["equal"] as? Int == 6 && report["different"] as? Int == 0)
    #expect(try folder.query("s.sqlite", runs) == before)
    #expect(try folder.query("s.sqlite", "SELECT state, count(*) FROM verifications GROUP BY state") == ["equal|7"])

    // The store refuses to change a run; somebody who can write the file can take that away and put it back.
    let guardOfRuns = try folder.query(
      "s.sqlite", "SELECT sql FROM sqlite_schema WHERE name = 'run_is_never_changed'"
    ).joined(separator: "\n")
    let forged = String(repeating: "ab", count: 32)
    let shell = try Running(
      "/usr/bin/env",
      [
        "sqlite3", folder.path("s.sqlite"),
        """
        BEGIN; DROP TRIGGER run_is_never_changed;
        UPDATE run SET digest = '\(forged)' WHERE point = (SELECT number FROM point WHERE id LIKE '\(point)%');
        \(guardOfRuns); COMMIT;
        """,
      ], in: folder)
    #expect(try shell.end(within: 180).status == 0)
    let different = try Groksweep.run(["verify", String(point), "--store", "s.sqlite"], in: folder)
    #expect(different.status == 1)
    #expect(different.output.hasPrefix("0 of 1 point gave the same bits again, 1 gave others\n"), "\(different.output)")
    #expect(try folder.query("s.sqlite", "SELECT count(*) FROM violations") == ["1"])
    let explained = try Groksweep.run(["explain", String(point), "--store", "s.sqlite"], in: folder)
    #expect(
      explained.output.contains("other bits") && explained.output.contains("the same bits"), "\(explained.output)")
    #expect(try folder.names().filter { $0.contains("verify") || $0.contains("again") }.isEmpty)
  }

  @Test func `a failed point tells why it was set aside, and retry brings it back`() throws {
    let folder = try Folder()
    try folder.write(Coordinated.sweep, to: "small.yaml")
    let submitted = try Groksweep.run(["submit", "small.yaml", "--store", "s.sqlite"], in: folder)
    #expect(submitted.status == 0 && submitted.output == "small: 6 points submitted\n", "\(submitted)")
    let id = try #require(try folder.query("s.sqlite", "SELECT id FROM point ORDER BY number LIMIT 1").first)
    let shell = try Running(
      "/usr/bin/env",
      [
        "sqlite3", folder.path("s.sqlite"),
        "UPDATE point SET state = 'failed', failure = 'it took three workers down' WHERE id = '\(id)'",
      ], in: folder)
    #expect(try shell.end(within: 180).status == 0)
    let explained = try Groksweep.run(["explain", String(id.prefix(8)), "--store", "s.sqlite"], in: folder)
    #expect(explained.status == 0, "\(explained.errors)")
    #expect(explained.output.contains("Set aside: it took three workers down."), "\(explained.output)")
    #expect(explained.output.contains("groksweep retry \(id.prefix(12))"))
    let retried = try Groksweep.run(["retry", String(id.prefix(8)), "--store", "s.sqlite"], in: folder)
    #expect(retried.status == 0 && retried.output.contains("1 failed point will be run again"), "\(retried)")
    let again = try Groksweep.run(["retry", String(id.prefix(8)), "--store", "s.sqlite"], in: folder)
    #expect(again.status == 65 && again.errors.contains("has not failed"), "\(again)")
    #expect(try folder.query("s.sqlite", "SELECT DISTINCT state FROM point") == ["pending"])
  }

  @Test func `wrong names, wrong places and a store in use are refused in words`() throws {
    let there = try Coordinated()
    let cases: [(arguments: [String], status: Int32, words: String)] = [
      (["pause", "smal"], 65, "there is no sweep \"smal\" in this store; its sweeps are small"),
      (["explain", "zz"], 65, "there is no point zz"),
      (["verify", "zz"], 65, "there is no point zz"),
      (["retry", "--sweep", "smal"], 65, "there is no sweep \"smal\""),
      (["audit", "200%"], 64, "200%"),
      (["drain", "7"], 65, "no workers are connected"),
    ]
    for row in cases {
      let ended = try there.ask(row.arguments)
      #expect(ended.status == row.status && ended.errors.contains(row.words), "\(row.arguments): \(ended.errors)")
      #expect(ended.output.isEmpty)
    }
    let inUse = try Groksweep.run(["pause", "small", "--store", "s.sqlite"], in: there.folder)
    #expect(inUse.status == 1)
    #expect(inUse.errors.contains("another coordinator is using this store: process"), "\(inUse.errors)")
    #expect(inUse.errors.contains("--connect"))
    let reading = try Groksweep.run(["status", "--store", "s.sqlite"], in: there.folder)
    #expect(reading.status == 0)
    for arguments in [["pause", "small"], ["pause", "small", "--store", "s.sqlite", "--connect", there.endpoint]] {
      let ended = try Groksweep.run(arguments, in: there.folder)
      #expect(ended.status == 64 && ended.errors.contains("--connect"), "\(ended.errors)")
    }
    try there.end()
    let gone = try there.ask(["status", "--timeout", "0.3"])
    #expect(gone.status == 69)
    #expect(gone.errors.contains("no coordinator at \(there.endpoint)"), "\(gone.errors)")
  }
}
