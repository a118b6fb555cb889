// `groksweep report` and `plot` of sweeps as a person uses them: pages, files, and sentences where there is nothing to draw.

import Foundation
import TestSupport
import Testing

@Suite struct ReportCommandTests {
  private static let small = """
    sweep: small
    task: {modulus: 7}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 40}
    measure: {evaluate_every: 10}
    axes:
      training.weight_decay: [0.5, 1]
      task.train_fraction: [0.4, 0.6]
      seed: {count: 2}
    """

  private func folderWithStore() throws -> Folder {
    let folder = try Folder()
    try folder.write(Self.small, to: "small.yaml")
    #expect(try Groksweep.run(["sweep", "small.yaml", "--workers", "1"], in: folder).status == 0)
    return folder
  }

  private func text(_ folder: Folder, _ name: String) throws -> String {
    try String(contentsOf: folder.url.appending(path: name), encoding: .utf8)
  }

  @Test func `without a name the report is of the store's only sweep`() throws {
    let folder = try folderWithStore()
    let report = try Groksweep.run(["report", "-o", "report.html"], in: folder)
    #expect(report.status == 0 && report.errors == "report.html: the sweep small, with 8 runs\n", "\(report.errors)")
    let page = try text(folder, "report.html")
    #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
    for name in ["phase-diagram", "survival", "outcomes", "test-losses", "predictors", "seed-spread", "machines"] {
      #expect(page.contains("id=\"figure-\(name)\""), "\(name)")
    }
    #expect(page.contains("0 of 8 finished runs grokked."))
    let unknown = try Groksweep.run(["report", "--sweep", "smal", "-o", "x.html"], in: folder)
    #expect(
      unknown.status == 65 && unknown.errors.contains("there is no sweep \"smal\" in this store; its sweeps are small"))
    #expect(try !folder.names().contains("x.html"))
  }

  @Test func `of several sweeps one has to be named`() throws {
    let folder = try folderWithStore()
    try folder.write(
      Self.small.replacingOccurrences(of: "sweep: small", with: "sweep: more"), to: "more.yaml")
    #expect(
      try Groksweep.run(["sweep", "more.yaml", "--store", "small.sqlite", "--workers", "1"], in: folder).status == 0)
    let asked = try Groksweep.run(["report", "-o", "report.html"], in: folder)
    #expect(
      asked.status == 64 && asked.errors.contains("has 2 sweeps: small, more; name one with --sweep"), "\(asked.errors)"
    )
    #expect(try Groksweep.run(["report", "--sweep", "more", "-o", "report.html"], in: folder).status == 0)
    #expect(try text(folder, "report.html").contains("<h1>Sweep more</h1>"))
    let both = try Groksweep.run(["report", "--sweep", "more", "--point", "00", "-o", "x.html"], in: folder)
    #expect(both.status == 64)
  }

  @Test func `figures of a sweep are drawn as those of a run, and each is refused for the other`() throws {
    let folder = try folderWithStore()
    let shown = try Groksweep.run(["plot", "phase-diagram"], in: folder)
    #expect(shown.status == 0 && shown.output.hasPrefix("<svg ") && shown.output.contains("weight_decay"))
    #expect(try Groksweep.run(["plot", "survival", "-o", "s.csv"], in: folder).status == 0)
    #expect(try text(folder, "s.csv").hasPrefix("runs_of,epoch,not_yet_grokked,low,high\r\n"))
    let absent = try Groksweep.run(["plot", "predictors", "-o", "p.csv"], in: folder)
    #expect(absent.status == 1 && absent.output.isEmpty)
    #expect(absent.errors.hasPrefix("groksweep: predictors of the sweep small: No run of this sweep has grokked"))
    #expect(try !folder.names().contains("p.csv"))
    let critical = try Groksweep.run(["plot", "critical-values"], in: folder)
    #expect(critical.status == 1 && critical.output.isEmpty)
    #expect(critical.errors.contains("does not search where the outcome changes"))
    let run = try Groksweep.run(["plot", "losses", "--sweep", "small"], in: folder)
    #expect(run.status == 64 && run.errors.contains("losses is a figure of one run: name it with --point"))
    let sweep = try Groksweep.run(["plot", "survival", "--point", "00"], in: folder)
    #expect(sweep.status == 64 && sweep.errors.contains("survival is a figure of a sweep"))
    let list = try Groksweep.run(["plot", "--list"], in: folder)
    #expect(list.output.contains("Of a sweep:") && list.output.contains("  phase-diagram "))
    let near = try Groksweep.run(["plot", "phase-diagramm"], in: folder)
    #expect(near.status == 64 && near.errors.contains("did you mean phase-diagram?"))
  }

  @Test func `a phase diagram has the axes that were asked for, in plots and in reports`() throws {
    let folder = try folderWithStore()
    let turned = ["--x", "weight_decay", "--y", "train_fraction"]
    #expect(try Groksweep.run(["plot", "phase-diagram", "-o", "p.csv"] + turned, in: folder).status == 0)
    #expect(try text(folder, "p.csv").hasPrefix("weight_decay,train_fraction,points,"))
    #expect(try Groksweep.run(["report", "-o", "report.html"] + turned, in: folder).status == 0)
    #expect(try text(folder, "report.html").contains("data-x-title=\"weight_decay\""))
    let unknown = try Groksweep.run(["report", "--x", "weight_deacy", "-o", "x.html"], in: folder)
    #expect(unknown.status == 65, "\(unknown.errors)")
    #expect(
      unknown.errors.contains(
        "did you mean weight_decay? what it sweeps is training.weight_decay, task.train_fraction"))
    #expect(try !folder.names().contains("x.html"))
    let other = try Groksweep.run(["plot", "survival"] + turned, in: folder)
    #expect(other.status == 64 && other.errors.contains("--x and --y are the axes of phase-diagram"))
    let run = try Groksweep.run(["report", "--point", "00", "-o", "x.html"] + turned, in: folder)
    #expect(run.status == 64 && run.errors.contains("a run has none"))
  }

  @Test func `an empty, a newer, a foreign and an absent store are answered in a sentence`() throws {
    let folder = try folderWithStore()
    func shell(_ store: String, _ sql: String) throws {
      #expect(
        try Running("/usr/bin/env", ["sqlite3", folder.path(store), sql], in: folder).end(within: 60).status == 0)
    }
    try FileManager.default.copyItem(atPath: folder.path("small.sqlite"), toPath: folder.path("newer.sqlite"))
    try shell("newer.sqlite", "PRAGMA user_version = 99")
    try shell("foreign.sqlite", "CREATE TABLE t(x)")
    try shell("small.sqlite", "VACUUM INTO '\(folder.path("empty.sqlite"))'")
    try shell(
      "empty.sqlite",
      """
      PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE type = 'trigger'; PRAGMA writable_schema = RESET;
      DELETE FROM sweep_point; DELETE FROM setting; DELETE FROM sweep
      """)
    for (store, words) in [
      ("newer.sqlite", "newer"), ("foreign.sqlite", "not a groksweep store"), ("absent.sqlite", "no such store"),
      ("empty.sqlite", "the store has no sweeps yet"),
    ] {
      let report = try Groksweep.run(["report", "--store", store, "-o", "x.html"], in: folder)
      #expect(report.status == 65 && report.errors.contains(words), "\(store): \(report.status) \(report.errors)")
    }
    #expect(try !folder.names().contains("x.html"))
  }

  @Test func `a report can be written while the sweep runs`() throws {
    let folder = try Folder()
    try folder.write(
      Self.small.replacingOccurrences(of: "{count: 2}", with: "{count: 60}")
        .replacingOccurrences(of: "epochs: 40", with: "epochs: 4000"), to: "long.yaml")
    let sweep = try Groksweep.start(["sweep", "long.yaml", "--store", "s.sqlite", "--workers", "1"], in: folder)
    let began = waitUntil(60) { (try? folder.query("s.sqlite", "SELECT count(*) > 2 FROM runs")) == ["1"] }
    #expect(began)
    let report = try Groksweep.run(["report", "--store", "s.sqlite", "-o", "report.html"], in: folder)
    #expect(report.status == 0, "\(report.errors)")
    #expect(try text(folder, "report.html").contains("of 240 points are finished."))
    sweep.signal(SIGINT)
    _ = try sweep.end(within: 60)
  }
}
