// The whole path with real processes: sweep, query with sqlite3, kill things in the middle, compare digests.

import Foundation
import TestSupport
import Testing

@Suite struct SweepCommandTests {
  /// Six points that take a moment each: two settings, three seeds.
  private static let sweep = """
    sweep: small
    task: {modulus: 11, train_fraction: 0.6}
    model: {d_model: 16, heads: 2, d_mlp: 32}
    training: {epochs: 300}
    measure: {evaluate_every: 50}
    axes:
      training.weight_decay: [0.5, 1]
      seed: {count: 3}
    """

  /// Long enough, at some tens of microseconds an epoch, to be killed in the middle.
  private static let slow = sweep.replacingOccurrences(of: "epochs: 300", with: "epochs: 30000")
    .replacingOccurrences(of: "evaluate_every: 50", with: "evaluate_every: 5000")

  private static let digests = "SELECT point, digest, outcome, grokking_epoch FROM runs ORDER BY point"

  @Test func `a sweep runs every point once, answers sqlite3, and gives the same digests again`() throws {
    let folder = try Folder()
    try folder.write(Self.sweep, to: "small.yaml")
    let first = try Groksweep.run(["sweep", "small.yaml", "--workers", "2"], in: folder)
    #expect(first.status == 0, "\(first.errors)")
    #expect(
      try folder.query("small.sqlite", "SELECT count(*), count(DISTINCT point), min(epochs) FROM runs") == ["6|6|300"])
    #expect(
      try folder.query("small.sqlite", "SELECT setting, runs FROM grokking_times") == [
        "weight_decay=0.5|3", "weight_decay=1|3",
      ])
    #expect(try folder.query("small.sqlite", "SELECT DISTINCT class FROM attempts") == ["finished"])
    #expect(try folder.query("small.sqlite", "SELECT count(*) FROM curves") == ["42"])
    let digests = try folder.query("small.sqlite", Self.digests)

    let again = try Groksweep.run(["sweep", "small.yaml", "--workers", "2"], in: folder)
    #expect(again.status == 0)
    #expect((again.output + again.errors).contains("already finished"), "\(again.output)\(again.errors)")
    #expect(try folder.query("small.sqlite", "SELECT count(*) FROM attempts") == ["6"])

    for name in try folder.names() where name.hasPrefix("small.sqlite") {
      try FileManager.default.removeItem(atPath: folder.path(name))
    }
    #expect(try Groksweep.run(["sweep", "small.yaml", "--workers", "1"], in: folder).status == 0)
    #expect(try folder.query("small.sqlite", Self.digests) == digests)
  }

  @Test func `a worker killed in the middle costs an attempt and changes no digest`() throws {
    let undisturbed = try Folder()
    try undisturbed.write(Self.slow, to: "small.yaml")
    #expect(try Groksweep.run(["sweep", "small.yaml"], in: undisturbed).status == 0)

    let folder = try Folder()
    try folder.write(Self.slow, to: "small.yaml")
    let endpoint = "ipc://\(folder.path("c"))"
    let coordinator = try Groksweep.start(
      [
        "coordinator", "small.yaml", "--store", "s.sqlite", "--bind", endpoint, "--exit-when-done",
        "--lease-seconds", "2",
      ], in: folder)
    let worker = try Groksweep.start(["worker", "--connect", endpoint, "--slots", "1"], in: folder)
    let trained = waitUntil(180) {
      FileManager.default.fileExists(atPath: folder.path("s.sqlite"))
        && (try? folder.query("s.sqlite", "SELECT count(*) FROM runs")) == ["1"]
    }
    #expect(trained, "\(coordinator.errors)\(worker.errors)")
    // The process that trains, not the one that looks after it.
    let child = try #require(try Self.children(of: worker.processID).first)
    kill(child, SIGKILL)
    let ended = try coordinator.end(within: 180)
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(try worker.end(within: 180).status == 0)
    #expect(worker.errors.contains("killed by signal 9"), "\(worker.errors)")
    let classes = try folder.query("s.sqlite", "SELECT class, count(*) FROM attempts GROUP BY class ORDER BY class")
    #expect(classes == ["crashed|1", "finished|6"] || classes == ["finished|6", "lost|1"])
    #expect(try folder.query("s.sqlite", Self.digests) == undisturbed.query("small.sqlite", Self.digests))
  }

  private static func children(of process: Int32) throws -> [Int32] {
    try String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8).split(separator: " ")
      .compactMap { Int32($0) }
  }

  @Test func `a killed coordinator takes up where it stopped, and its worker never notices`() throws {
    let folder = try Folder()
    try folder.write(Self.slow, to: "small.yaml")
    let endpoint = "ipc://\(folder.path("c"))"
    let arguments = [
      "coordinator", "small.yaml", "--store", "s.sqlite", "--bind", endpoint, "--exit-when-done", "--lease-seconds",
      "5",
    ]
    let first = try Groksweep.start(arguments, in: folder)
    let worker = try Groksweep.start(["worker", "--connect", endpoint, "--slots", "1"], in: folder)
    let trained = waitUntil(180) {
      FileManager.default.fileExists(atPath: folder.path("s.sqlite"))
        && (try? folder.query("s.sqlite", "SELECT count(*) FROM runs")) == ["1"]
    }
    #expect(trained, "\(first.errors)\(worker.errors)")
    first.signal(SIGKILL)
    _ = try first.end(within: 180)
    let second = try Groksweep.start(arguments, in: folder)
    let ended = try second.end(within: 180)
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(try worker.end(within: 180).status == 0)
    #expect(try folder.query("s.sqlite", "SELECT count(*), count(DISTINCT point) FROM runs") == ["6|6"])
    #expect(try folder.query("s.sqlite", "SELECT count(*) FROM attempts WHERE class IS NULL") == ["0"])
  }

  @Test func `Ctrl-C ends with 130, says how to go on, and the same command finishes the sweep`() throws {
    let folder = try Folder()
    try folder.write(Self.slow, to: "small.yaml")
    let running = try Groksweep.start(["sweep", "small.yaml", "--workers", "1"], in: folder)
    let trained = waitUntil(180) {
      FileManager.default.fileExists(atPath: folder.path("small.sqlite"))
        && (try? folder.query("small.sqlite", "SELECT count(*) FROM runs")) == ["1"]
    }
    #expect(trained, "\(running.errors)")
    running.signal(SIGINT)
    let ended = try running.end(within: 180)
    #expect(ended.status == 130, "\(ended.errors)")
    #expect(ended.errors.contains("groksweep sweep small.yaml"), "\(ended.errors)")
    #expect(try Groksweep.run(["sweep", "small.yaml"], in: folder).status == 0)
    #expect(try folder.query("small.sqlite", "SELECT count(*), count(DISTINCT point) FROM runs") == ["6|6"])
  }

  @Test func `a second Ctrl-C ends a sweep at once, with words, and the same command finishes it`() throws {
    let folder = try Folder()
    try folder.write(Self.slow, to: "small.yaml")
    let running = try Groksweep.start(["sweep", "small.yaml", "--workers", "1"], in: folder)
    let granted = waitUntil(180) {
      FileManager.default.fileExists(atPath: folder.path("small.sqlite"))
        && (try? folder.query("small.sqlite", "SELECT count(*) FROM attempts")) == ["1"]
    }
    #expect(granted, "\(running.errors)")
    // Both wait for a process that stands still: it finds them at the same moment.
    for signal in [SIGSTOP, SIGINT, SIGTERM, SIGCONT] { running.signal(signal) }
    let ended = try running.end(within: 180)
    #expect(ended.status == 130, "\(ended.errors)")
    #expect(ended.errors.contains("a second signal: ended at once"), "\(ended.errors)")
    #expect(try Groksweep.run(["sweep", "small.yaml"], in: folder).status == 0)
    #expect(try folder.query("small.sqlite", "SELECT count(*), count(DISTINCT point) FROM runs") == ["6|6"])
  }

  @Test func `workers of several slots that are told to leave checkpoint and hand their points back`() throws {
    let folder = try Folder()
    try folder.write(Self.slow.replacingOccurrences(of: "epochs: 30000", with: "epochs: 3000000"), to: "small.yaml")
    let endpoint = "ipc://\(folder.path("c"))"
    let coordinator = try Groksweep.start(
      ["coordinator", "small.yaml", "--store", "s.sqlite", "--bind", endpoint], in: folder)
    let workers = try Groksweep.start(
      ["worker", "--connect", endpoint, "--slots", "2", "--scratch", folder.path("scratch")], in: folder)
    let granted = waitUntil(180) {
      FileManager.default.fileExists(atPath: folder.path("s.sqlite"))
        && (try? folder.query("s.sqlite", "SELECT count(*) FROM attempts")) == ["2"]
    }
    #expect(granted, "\(coordinator.errors)\(workers.errors)")
    workers.signal(SIGTERM)
    #expect(try workers.end(within: 180).status == 0)
    #expect(
      try folder.query("s.sqlite", "SELECT class, count(*) FROM attempts GROUP BY class") == ["preempted|2"],
      "\(coordinator.errors)\(workers.errors)")
    coordinator.signal(SIGTERM)
    #expect(try coordinator.end(within: 180).status == 0)
    #expect(!FileManager.default.fileExists(atPath: folder.path("c")))
  }

  @Test func `a second coordinator on the same port is told that the port is in use`() throws {
    let folder = try Folder()
    try folder.write(Self.slow, to: "small.yaml")
    let first = try Groksweep.start(
      ["coordinator", "small.yaml", "--store", "a.sqlite", "--bind", "tcp://127.0.0.1:0"], in: folder)
    #expect(waitUntil(180) { first.errors.contains("listening on tcp://") }, "\(first.errors)")
    let address = String(try #require(first.errors.firstMatch(of: /listening on ([^;]*);/)).1)
    let second = try Groksweep.run(
      ["coordinator", "small.yaml", "--store", "b.sqlite", "--bind", address], in: folder)
    #expect(second.status == 1)
    #expect(second.errors.contains("in use"), "\(second.errors)")
    #expect(try folder.names().allSatisfy { !$0.hasPrefix("b.sqlite") })
    first.signal(SIGTERM)
    _ = try first.end(within: 180)
  }

  @Test func `a second coordinator on the same store is told who holds it`() throws {
    let folder = try Folder()
    try folder.write(Self.slow, to: "small.yaml")
    let first = try Groksweep.start(
      ["coordinator", "small.yaml", "--store", "s.sqlite", "--bind", "ipc://\(folder.path("a"))"], in: folder)
    #expect(waitUntil(180) { first.errors.contains("ipc://") }, "\(first.errors)")
    let second = try Groksweep.run(["sweep", "small.yaml", "--store", "s.sqlite"], in: folder)
    #expect(second.status == 1)
    #expect(second.errors.contains("\(first.processID)"), "\(second.errors)")
    first.signal(SIGTERM)
    _ = try first.end(within: 180)
  }

  @Test func `a worker that finds no coordinator says so and stops on SIGTERM`() throws {
    let folder = try Folder()
    let worker = try Groksweep.start(
      ["worker", "--connect", "ipc://\(folder.path("nobody"))", "--slots", "1"], in: folder)
    #expect(waitUntil(180) { worker.errors.contains("nobody") }, "\(worker.errors)")
    worker.signal(SIGTERM)
    #expect(try worker.end(within: 180).status == 0)
  }

  @Test func `status and plan say how far a sweep is, for people and as JSON`() throws {
    let folder = try Folder()
    try folder.write(Self.sweep, to: "small.yaml")
    let before = try Groksweep.run(["plan", "small.yaml", "--json"], in: folder)
    #expect(before.status == 0)
    #expect(before.output.split(separator: "\n").count == 6)
    #expect(try folder.names().allSatisfy { !$0.hasSuffix(".sqlite") })
    #expect(try Groksweep.run(["sweep", "small.yaml"], in: folder).status == 0)
    let after = try Groksweep.run(["plan", "small.yaml", "--json"], in: folder)
    #expect(after.output.split(separator: "\n").allSatisfy { $0.contains("\"state\":\"finished\"") })
    let status = try Groksweep.run(["status", "--store", "small.sqlite"], in: folder)
    #expect(status.status == 0)
    #expect(status.output.contains("6 of 6 points finished"), "\(status.output)")
    let json = try Groksweep.run(["status", "--json"], in: folder)
    let line = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any], "\(json.output)\(json.errors)")
    #expect(line["finished"] as? Int == 6)
    #expect((line["grokking_times"] as? [Any])?.count == 2)
  }

  @Test func `failed points make a sweep end with 1 until they are retried`() throws {
    let folder = try Folder()
    try folder.write(Self.sweep, to: "small.yaml")
    let coordinator = try Groksweep.start(
      ["coordinator", "small.yaml", "--store", "small.sqlite", "--bind", "ipc://\(folder.path("c"))"], in: folder)
    #expect(waitUntil(180) { coordinator.errors.contains("ipc://") }, "\(coordinator.errors)")
    coordinator.signal(SIGTERM)
    #expect(try coordinator.end(within: 180).status == 0)
    let spoiled = try Running(
      "/usr/bin/env",
      [
        "sqlite3", folder.path("small.sqlite"),
        "UPDATE point SET state = 'failed', failure = 'set aside by a test' WHERE number <= 2",
      ], in: folder
    ).end(within: 180)
    #expect(spoiled.status == 0, "\(spoiled.errors)")

    let first = try Groksweep.run(["sweep", "small.yaml"], in: folder)
    #expect(first.status == 1)
    #expect(first.output.contains("set aside by a test"), "\(first.output)")
    #expect(try folder.query("small.sqlite", "SELECT count(*) FROM runs") == ["4"])
    let retried = try Groksweep.run(["retry", "--store", "small.sqlite"], in: folder)
    #expect(retried.output.contains("2 failed points will be run again"), "\(retried.output)\(retried.errors)")
    #expect(try Groksweep.run(["sweep", "small.yaml"], in: folder).status == 0)
    #expect(try folder.query("small.sqlite", "SELECT count(*) FROM runs") == ["6"])
  }
}
