// Keys as a person uses them: made, listed, revoked, and carried to a worker.

import Foundation
import TestSupport
import Testing

@Suite struct KeysCommandTests {
  private func sweepFile(in folder: Folder) throws {
    try folder.write(
      """
      sweep: tiny
      task: {operation: add, modulus: 7, train_fraction: 0.5}
      model: {d_model: 8, heads: 2, d_mlp: 16}
      training: {epochs: 200}
      measure: {evaluate_every: 100}
      axes: {seed: {count: 3}}
      """, to: "tiny.yaml")
  }

  /// The address that a coordinator printed.
  private func address(of coordinator: Running) throws -> String {
    #expect(waitUntil(180) { coordinator.errors.contains("listening on ") })
    let line = try #require(coordinator.errors.split(separator: "\n").first { $0.contains("listening on ") })
    return String(try #require(line.firstMatch(of: /listening on ([^;]*);/)).1)
  }

  @Test func `a worker with a join file runs a sweep, and one with a revoked key stops with 77`() throws {
    let folder = try Folder()
    try sweepFile(in: folder)
    let made = try Groksweep.run(["keys", "new", "lab2", "--store", "tiny.sqlite"], in: folder)
    #expect(made.status == 0 && made.output == "lab2.join\n", "\(made)")
    #expect(try folder.names().contains("tiny.keys"))
    _ = try Groksweep.run(["keys", "new", "old", "--store", "tiny.sqlite"], in: folder)
    let revoked = try Groksweep.run(["keys", "revoke", "old", "--keys", "tiny.keys"], in: folder)
    #expect(revoked.status == 0 && revoked.output.hasPrefix("old: revoked on 2"), "\(revoked)")

    let coordinator = try Groksweep.start(
      [
        "coordinator", "tiny.yaml", "--store", "tiny.sqlite", "--bind", "tcp://127.0.0.1:0", "--keys", "tiny.keys",
        "--exit-when-done",
      ], in: folder)
    let address = try address(of: coordinator)
    let refused = try Groksweep.run(
      ["worker", "--connect", address, "--join", "old.join", "--slots", "1"], in: folder)
    #expect(refused.status == 77)
    #expect(refused.errors.contains("does not let the key \"old\" in"), "\(refused)")
    let bare = try Groksweep.run(["worker", "--connect", address, "--slots", "1"], in: folder)
    #expect(bare.status == 77)
    #expect(bare.errors.contains("asks for a key; give --join FILE"), "\(bare)")

    let worker = try Groksweep.run(["worker", "--connect", address, "--join", "lab2.join", "--slots", "1"], in: folder)
    #expect(worker.status == 0, "\(worker)")
    let end = try coordinator.end(within: 180)
    #expect(end.status == 0, "\(end)")
    #expect(end.errors.contains("key \"old\""))
    #expect(try folder.query("tiny.sqlite", "SELECT count(*) FROM runs") == ["3"])
  }

  @Test func `what may not be done says what to do instead`() throws {
    let folder = try Folder()
    try sweepFile(in: folder)
    let open = try Groksweep.run(
      ["coordinator", "tiny.yaml", "--store", "tiny.sqlite", "--bind", "tcp://0.0.0.0:0"], in: folder)
    #expect(open.status == 77 && open.errors.contains("--keys DIR") && open.errors.contains("--insecure"), "\(open)")
    #expect(try folder.names().contains("tiny.sqlite") == false)
    let missing = try Groksweep.run(
      ["coordinator", "tiny.yaml", "--store", "tiny.sqlite", "--bind", "tcp://0.0.0.0:0", "--keys", "none"], in: folder)
    #expect(missing.status == 65 && missing.errors.contains("no such folder of keys"), "\(missing)")
    #expect(try folder.names().contains("tiny.sqlite") == false)
    let far = try Groksweep.run(["worker", "--connect", "tcp://192.0.2.1:5555"], in: folder)
    #expect(far.status == 77 && far.errors.contains("--join FILE"), "\(far)")

    _ = try Groksweep.run(["keys", "new", "boss", "--role", "operator", "--keys", "k"], in: folder)
    let twice = try Groksweep.run(["keys", "new", "boss", "--keys", "k", "-o", "other.join"], in: folder)
    #expect(twice.status == 65 && twice.errors.contains("has a key named \"boss\" already"), "\(twice)")
    #expect(try folder.names().contains("other.join") == false)
    let boss = try Groksweep.run(["worker", "--connect", "tcp://127.0.0.1:1", "--join", "boss.join"], in: folder)
    #expect(boss.status == 77 && boss.errors.contains("a key of an operator"), "\(boss)")
    chmod(folder.path("boss.join"), 0o644)
    let wide = try Groksweep.run(["worker", "--connect", "tcp://127.0.0.1:1", "--join", "boss.join"], in: folder)
    #expect(wide.status == 65 && wide.errors.contains("others may read or write it"), "\(wide)")
  }

  @Test func `keys are listed with their names, roles and dates`() throws {
    let folder = try Folder()
    _ = try Groksweep.run(["keys", "new", "b", "--role", "reader", "--keys", "k"], in: folder)
    _ = try Groksweep.run(["keys", "new", "a", "--keys", "k"], in: folder)
    _ = try Groksweep.run(["keys", "revoke", "b", "--keys", "k"], in: folder)
    let list = try Groksweep.run(["keys", "list", "--keys", "k", "--json"], in: folder)
    let lines = list.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.contains(#""name":"a""#) == true && lines.first?.contains(#""role":"worker""#) == true)
    #expect(lines.first?.contains("revoked") == false)
    #expect(lines.last?.contains(#""name":"b""#) == true && lines.last?.contains(#""revoked":"2"#) == true)
    #expect(try Groksweep.run(["keys", "list", "--keys", "none"], in: folder).status == 65)
  }
}
