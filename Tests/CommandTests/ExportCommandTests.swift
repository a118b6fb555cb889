// `groksweep export`, `snapshot` and `merge` as a person uses them: files and words, exit codes, also while a sweep runs.

import Foundation
import TestSupport
import Testing

@Suite struct ExportCommandTests {
  private static let small = """
    sweep: small
    task: {modulus: 7}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 40}
    measure: {evaluate_every: 10}
    axes:
      seed: {count: 2}
    """

  /// A folder with a store of two runs.
  private func folderWithStore() throws -> Folder {
    let folder = try Folder()
    try folder.write(Self.small, to: "small.yaml")
    #expect(try Groksweep.run(["sweep", "small.yaml", "--workers", "1"], in: folder).status == 0)
    return folder
  }

  @Test func `a view goes to stdout as CSV, or as JSON lines where a condition holds`() throws {
    let folder = try folderWithStore()
    let csv = try Groksweep.run(["export", "runs"], in: folder)
    #expect(csv.status == 0)
    #expect(csv.errors.isEmpty)
    let lines = csv.output.components(separatedBy: "\r\n")
    #expect(lines.count == 4 && lines[3].isEmpty)
    #expect(lines[0].hasPrefix("sweep,point,setting,operation,modulus,train_fraction,"))
    #expect(lines[1].hasPrefix("small,"))
    let json = try Groksweep.run(
      ["export", "curves", "--store", "small.sqlite", "--format", "jsonl", "--where", "epoch = 20"], in: folder)
    let objects = try json.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(objects.map { $0["epoch"] as? Int } == [20, 20])
    let losses = try folder.query("small.sqlite", "SELECT train_loss FROM curves WHERE epoch = 20", options: ["-json"])
    #expect(losses.count == 2)
  }

  @Test func `a file is replaced when all is written, and stays when nothing can be`() throws {
    let folder = try folderWithStore()
    try folder.write("old", to: "runs.csv")
    let bad = try Groksweep.run(["export", "runs", "-o", "runs.csv", "--where", "colour = 'red'"], in: folder)
    #expect(bad.status == 65)
    #expect(bad.errors.contains("no such column: colour"), "\(bad.errors)")
    #expect(try String(contentsOfFile: folder.path("runs.csv"), encoding: .utf8) == "old")
    let good = try Groksweep.run(["export", "runs", "-o", "runs.csv"], in: folder)
    #expect(good.status == 0)
    #expect(good.output.isEmpty)
    #expect(good.errors == "runs.csv: 2 rows of runs\n")
    #expect(try String(contentsOfFile: folder.path("runs.csv"), encoding: .utf8).hasPrefix("sweep,point,"))
    #expect(try !folder.names().contains { $0.contains(".new-") })
    let nowhere = try Groksweep.run(["export", "runs", "-o", "absent/runs.csv"], in: folder)
    #expect(nowhere.status == 65)
    #expect(nowhere.errors.contains("there is no folder absent"))
  }

  @Test func `a view or a store that is not there is answered in words`() throws {
    let folder = try folderWithStore()
    let view = try Groksweep.run(["export", "results"], in: folder)
    #expect(view.status == 65)
    #expect(view.errors.contains("there is no view \"results\""), "\(view.errors)")
    #expect(view.errors.contains("predictors, runs, spectra"))
    for arguments in [["export", "runs"], ["snapshot", "-o", "copy.sqlite"]] {
      let store = try Groksweep.run(arguments + ["--store", "absent.sqlite"], in: folder)
      #expect(store.status == 65)
      #expect(store.errors.contains("absent.sqlite: there is no such store"), "\(store.errors)")
    }
    #expect(try Groksweep.run(["export", "runs", "--format", "xlsx"], in: folder).status == 64)
    #expect(try !folder.names().contains("absent.sqlite"))
  }

  @Test func `a name that looks like a URI is a file's name`() throws {
    let folder = try Folder()
    try folder.write(
      "sweep: s\ntask: {modulus: 7}\nmodel: {d_model: 8, heads: 2, d_mlp: 16}\ntraining: {epochs: 2}\n", to: "s.yaml")
    #expect(try Groksweep.run(["sweep", "s.yaml", "--workers", "1"], in: folder).status == 0)
    let made = try Groksweep.run(["snapshot", "--store", "s.sqlite", "-o", "file:abc"], in: folder)
    #expect(made.status == 0, "\(made.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(names.contains("file:abc") && names.allSatisfy { !$0.contains(".new") && $0 != "abc" }, "\(names)")
  }

  @Test func `a snapshot of a store to which a sweep writes is sound, and replaces nothing`() throws {
    let folder = try Folder()
    try folder.write(
      Self.small.replacingOccurrences(of: "{count: 2}", with: "{count: 60}")
        .replacingOccurrences(of: "epochs: 40", with: "epochs: 4000"), to: "long.yaml")
    let sweep = try Groksweep.start(["sweep", "long.yaml", "--store", "s.sqlite", "--workers", "1"], in: folder)
    let began = waitUntil(60) { (try? folder.query("s.sqlite", "SELECT count(*) > 2 FROM runs")) == ["1"] }
    #expect(began)
    let made = try Groksweep.run(["snapshot", "--store", "s.sqlite", "-o", "copy.sqlite"], in: folder)
    #expect(made.status == 0, "\(made.errors)")
    let exported = try Groksweep.run(["export", "curves", "--store", "s.sqlite", "-o", "curves.csv"], in: folder)
    #expect(exported.status == 0, "\(exported.errors)")
    #expect(try folder.query("copy.sqlite", "PRAGMA integrity_check") == ["ok"])
    #expect(try folder.query("copy.sqlite", "SELECT count(*) > 2 FROM runs") == ["1"])
    let again = try Groksweep.run(["snapshot", "--store", "s.sqlite", "-o", "copy.sqlite"], in: folder)
    #expect(again.status == 65)
    #expect(again.errors.contains("copy.sqlite: is there already"), "\(again.errors)")
    sweep.signal(SIGINT)
    _ = try sweep.end(within: 60)
  }

  @Test func `two stores become one, and what they share stands there once`() throws {
    let folder = try folderWithStore()
    try folder.write(
      Self.small.replacingOccurrences(of: "sweep: small", with: "sweep: more")
        .replacingOccurrences(of: "{count: 2}", with: "{count: 3}"), to: "more.yaml")
    #expect(try Groksweep.run(["sweep", "more.yaml", "--workers", "1"], in: folder).status == 0)
    let merged = try Groksweep.run(["merge", "small.sqlite", "more.sqlite", "-o", "both.sqlite"], in: folder)
    #expect(merged.status == 0, "\(merged.errors)")
    #expect(
      merged.output.contains("more.sqlite: 1 sweep, 1 point and 1 run added; 2 runs there already, with equal bits"))
    #expect(
      try folder.query("both.sqlite", "SELECT sweep, count(*) FROM runs GROUP BY sweep") == ["more|3", "small|2"])
    // A sweep goes on with it, and has nothing to do.
    let sweep = try Groksweep.run(["sweep", "more.yaml", "--store", "both.sqlite", "--workers", "1"], in: folder)
    #expect(sweep.status == 0)
    #expect(try folder.query("both.sqlite", "SELECT count(*) FROM attempts") == ["5"])
    let into = try Groksweep.run(["merge", "more.sqlite", "--into", "small.sqlite", "--json"], in: folder)
    #expect(into.status == 0)
    #expect(into.output.contains("\"runs\":1"), "\(into.output)")
    #expect(try folder.query("small.sqlite", "SELECT count(*) FROM runs") == ["5"])
  }

  @Test func `stores that cannot be merged are left as they are`() throws {
    let folder = try folderWithStore()
    try folder.write(Self.small.replacingOccurrences(of: "epochs: 40", with: "epochs: 50"), to: "other.yaml")
    #expect(
      try Groksweep.run(["sweep", "other.yaml", "--store", "other.sqlite", "--workers", "1"], in: folder).status == 0)
    let before = try folder.names()
    let refused = try Groksweep.run(["merge", "small.sqlite", "other.sqlite", "-o", "both.sqlite"], in: folder)
    #expect(refused.status == 65)
    #expect(refused.errors.contains("the sweep \"small\" is another one there"), "\(refused.errors)")
    #expect(refused.errors.contains("training.epochs: was 40, is 50"), "\(refused.errors)")
    #expect(try folder.names() == before)
    let exists = try Groksweep.run(["merge", "small.sqlite", "other.sqlite", "-o", "other.sqlite"], in: folder)
    #expect(exists.status == 65)
    #expect(exists.errors.contains("other.sqlite: is there already"))
    #expect(try Groksweep.run(["merge", "small.sqlite", "other.sqlite"], in: folder).status == 64)
    #expect(try Groksweep.run(["merge", "small.sqlite", "-o", "both.sqlite"], in: folder).status == 64)
    let absent = try Groksweep.run(["merge", "small.sqlite", "--into", "absent.sqlite"], in: folder)
    #expect(absent.status == 65)
    #expect(try folder.names() == before)
  }
}
