// Bad input as a person meets it: the exit code, the words, and that nothing is left behind.

import Foundation
import TestSupport
import Testing

@Suite struct ErrorTests {
  private static let valid = """
    sweep: small
    task: {modulus: 7}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 40}
    axes:
      seed: {count: 2}
    """

  @Test func `a mistyped key ends with 65, the file, the line and a suggestion, and leaves no store`() throws {
    let folder = try Folder()
    try folder.write("sweep: typo\ntraining:\n  weight_decya: 1\n", to: "typo.yaml")
    let ended = try Groksweep.run(["sweep", "typo.yaml"], in: folder)
    #expect(ended.status == 65)
    #expect(
      ended.errors.contains("typo.yaml:3: unknown key \"weight_decya\" in training; did you mean weight_decay?"),
      "\(ended.errors)")
    #expect(try folder.names() == ["typo.yaml"])
  }

  @Test func `a missing sweep file ends with 65`() throws {
    let folder = try Folder()
    let ended = try Groksweep.run(["sweep", "absent.yaml"], in: folder)
    #expect(ended.status == 65)
    #expect(ended.errors.contains("absent.yaml: no such file"))
  }

  @Test func `an unknown flag ends with 64`() throws {
    let folder = try Folder()
    try folder.write(Self.valid, to: "small.yaml")
    let ended = try Groksweep.run(["sweep", "small.yaml", "--wrokers", "2"], in: folder)
    #expect(ended.status == 64)
    #expect(ended.errors.contains("--wrokers"))
    #expect(try folder.names() == ["small.yaml"])
  }

  @Test func `a store that is another program's database is refused and left as it is`() throws {
    let folder = try Folder()
    try folder.write(Self.valid, to: "small.yaml")
    let made = try Running(
      "/usr/bin/env", ["sqlite3", folder.path("other.sqlite"), "CREATE TABLE t(x)"], in: folder
    ).end(within: 180)
    #expect(made.status == 0)
    let before = try Data(contentsOf: folder.url.appending(path: "other.sqlite"))
    let ended = try Groksweep.run(["sweep", "small.yaml", "--store", "other.sqlite"], in: folder)
    #expect(ended.status == 65)
    #expect(ended.errors.contains("not a groksweep store"), "\(ended.errors)")
    #expect(try Data(contentsOf: folder.url.appending(path: "other.sqlite")) == before)
  }

  @Test func `a store that is no database is refused and left as it is`() throws {
    let folder = try Folder()
    try folder.write(Self.valid, to: "small.yaml")
    try folder.write("my diary, more than a page header of a database would be", to: "diary.sqlite")
    let ended = try Groksweep.run(["sweep", "small.yaml", "--store", "diary.sqlite"], in: folder)
    #expect(ended.status == 65)
    #expect(ended.errors.contains("diary.sqlite"))
    #expect(try String(contentsOfFile: folder.path("diary.sqlite"), encoding: .utf8).hasPrefix("my diary"))
  }

  @Test func `a sweep file that changed after it was started says what differs and loses nothing`() throws {
    let folder = try Folder()
    try folder.write(Self.valid, to: "small.yaml")
    #expect(try Groksweep.run(["sweep", "small.yaml", "--workers", "1"], in: folder).status == 0)
    try folder.write(Self.valid.replacingOccurrences(of: "epochs: 40", with: "epochs: 50"), to: "small.yaml")
    let plan = try Groksweep.run(["plan", "small.yaml"], in: folder)
    let words = "2 points added, 2 that the file no longer has stay (finished, failed or running)"
    #expect(
      plan.output.contains("The store knows this sweep with another file. Applying this one: \(words)"), "\(plan)")
    #expect(plan.output.contains("training.epochs: was 40, is 50"), "\(plan)")
    let ended = try Groksweep.run(["sweep", "small.yaml", "--workers", "1"], in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(ended.errors.contains("its file was changed: \(words)"), "\(ended.errors)")
    #expect(ended.errors.contains("training.epochs: was 40, is 50"), "\(ended.errors)")
    #expect(try folder.query("small.sqlite", "SELECT count(*), min(epochs), max(epochs) FROM runs") == ["4|40|50"])
    // And back: nothing is run twice.
    try folder.write(Self.valid, to: "small.yaml")
    #expect(try Groksweep.run(["sweep", "small.yaml", "--workers", "1"], in: folder).status == 0)
    #expect(try folder.query("small.sqlite", "SELECT count(*) FROM attempts") == ["4"])
  }

  @Test func `an old store is brought up to date by the command that its refusal names, and keeps its runs`() throws {
    let folder = try Folder()
    let fixture = Groksweep.fixtures.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "ResultsTests/Fixtures/schema-1.sqlite")
    try FileManager.default.copyItem(at: fixture, to: folder.url.appending(path: "old.sqlite"))
    let text = try folder.query("old.sqlite", "SELECT file_text FROM sweep WHERE name = 'frozen'")
    try folder.write(text.joined(separator: "\n"), to: "frozen.yaml")
    let runs = "SELECT point, outcome, digest FROM runs"
    let before = try folder.query("old.sqlite", runs)
    let point = try #require(before.first).prefix(12)
    let reading = [
      ["status", "--store", "old.sqlite"], ["plan", "frozen.yaml", "--store", "old.sqlite"],
      ["extend", String(point), "--store", "old.sqlite", "--epochs", "500"],
    ]
    for arguments in reading {
      let refused = try Groksweep.run(arguments, in: folder)
      #expect(refused.status == 65, "\(arguments): \(refused.errors)")
      #expect(refused.errors.contains("`groksweep retry --store old.sqlite` brings it up to date"))
      #expect(refused.errors.contains("older versions can then no longer open it"))
    }
    let migrated = try Groksweep.run(["retry", "--store", "old.sqlite"], in: folder)
    #expect(migrated.status == 0, "\(migrated.errors)")
    #expect(migrated.errors.contains("old.sqlite: brought up to date, from schema 1 to 5"), "\(migrated.errors)")
    #expect(try Groksweep.run(["retry", "--store", "old.sqlite"], in: folder).errors.isEmpty)
    #expect(try folder.query("old.sqlite", runs) == before)
    for arguments in reading {
      let read = try Groksweep.run(arguments, in: folder)
      #expect(read.status == 0, "\(arguments): \(read.errors)")
    }
    // Its sweep was computed by another engine: what is there stays, and what to do is what helps.
    let swept = try Groksweep.run(["sweep", "frozen.yaml", "--store", "old.sqlite"], in: folder)
    #expect(swept.status == 65)
    #expect(swept.errors.contains("the sweep \"frozen\" was started with engine semantics 1"), "\(swept.errors)")
    #expect(swept.errors.contains("give the sweep another name or choose another --store"))
    #expect(!swept.errors.contains("undo") && !swept.errors.contains("othing was written"))
    #expect(try folder.query("old.sqlite", runs) == before)
  }

  @Test func `a file that could not be written is refused before anything is trained or analysed`() throws {
    let folder = try Folder()
    try folder.write(Self.valid, to: "small.yaml")
    try FileManager.default.createDirectory(atPath: folder.path("there"), withIntermediateDirectories: true)
    let model = Groksweep.fixtures.appending(path: "tiny/end.safetensors").path
    // So many epochs that training them would not end.
    let train = ["train", "small.yaml", "--epochs", "1000000"]
    let cases: [(arguments: [String], words: String)] = [
      (train + ["--save", "none/x.safetensors"], "none/x.safetensors: there is no folder none; make it first"),
      (train + ["--save", "there"], "there: is a folder; name a file"),
      (train + ["--save", "new/"], "new/: names a folder; name a file"),
      (train + ["--save", "small.yaml/x"], "small.yaml/x: small.yaml is not a folder"),
      (train + ["--save", "/dev/null"], "/dev/null: is not a regular file"),
      (train + ["--save", ""], "the name of the file to write is empty"),
      (train + ["--keep", "small.yaml"], "small.yaml: is a file; name a folder"),
      (train + ["--keep", "small.yaml/kept"], "small.yaml/kept: this folder cannot be made"),
      (["extend", "kept", "--epochs", "9", "--save", "there"], "there: is a folder; name a file"),
      (["extend", "small.yaml", "--epochs", "9"], "small.yaml: is a file; name a folder"),
      (["analyze", model, "--save-logits", "none/l"], "none/l: there is no folder none; make it first"),
      (["analyze", model, "--save-logits", "there"], "there: is a folder; name a file"),
    ]
    for row in cases {
      let ended = try Groksweep.run(row.arguments, in: folder)
      #expect(ended.status == 65 && ended.errors.contains(row.words), "\(row.arguments): \(ended.errors)")
      #expect(ended.output.isEmpty && !ended.errors.contains("NSCocoa"))
    }
    #expect(try folder.names() == ["small.yaml", "there"])
  }

  @Test func `a coordinator on an address that others can reach is refused`() throws {
    let folder = try Folder()
    try folder.write(Self.valid, to: "small.yaml")
    let ended = try Groksweep.run(
      ["coordinator", "small.yaml", "--store", "s.sqlite", "--bind", "tcp://0.0.0.0:5555"], in: folder)
    #expect(ended.status == 77)
    #expect(ended.errors.contains("give --keys DIR; or say --insecure"), "\(ended.errors)")
    #expect(try folder.names() == ["small.yaml"])
  }

  @Test func `a safetensors file that is cut short, lies, or holds no model is refused in words`() throws {
    let folder = try Folder()
    let whole = try Data(contentsOf: Groksweep.fixtures.appending(path: "tiny/start.safetensors"))
    try whole.prefix(whole.count / 2).write(to: folder.url.appending(path: "half.safetensors"))
    try Data([255, 255, 255, 255, 255, 255, 255, 127, 123]).write(to: folder.url.appending(path: "lie.safetensors"))
    let header = Array("{}      ".utf8)
    try Data([UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header).write(
      to: folder.url.appending(path: "empty.safetensors"))
    for name in ["half.safetensors", "lie.safetensors", "empty.safetensors", "absent.safetensors"] {
      let ended = try Groksweep.run(["analyze", name], in: folder)
      #expect(ended.status == 65, "\(name): \(ended.errors)")
      #expect(ended.errors.hasPrefix("groksweep: \(name): "), "\(ended.errors)")
      #expect(ended.output.isEmpty)
    }
  }

  @Test func `start weights of other shapes than the experiment's are refused with both shapes`() throws {
    let folder = try Folder()
    try folder.write(Self.valid, to: "small.yaml")
    let start = Groksweep.fixtures.appending(path: "small/start.safetensors").path
    let ended = try Groksweep.run(["train", "small.yaml", "--start", start], in: folder)
    #expect(ended.status == 65)
    #expect(ended.errors.contains("modulus 23") && ended.errors.contains("modulus 7"), "\(ended.errors)")
  }

  @Test func `status of a missing store ends with 65 and creates nothing`() throws {
    let folder = try Folder()
    let ended = try Groksweep.run(["status", "--store", "absent.sqlite"], in: folder)
    #expect(ended.status == 65)
    #expect(try folder.names() == [])
  }

  @Test func `a kernel path that does not exist is refused by name`() throws {
    let folder = try Folder()
    try folder.write(Self.valid, to: "small.yaml")
    let ended = try Groksweep.run(
      ["train", "small.yaml"], in: folder, environment: ["GROKSWEEP_KERNELS": "mmx"])
    #expect(ended.status == 77)
    #expect(ended.errors.contains("mmx") && ended.errors.contains("avx2"), "\(ended.errors)")
  }
}
