// `train --keep` and `extend` as a person uses them: longer runs are the runs that go straight through.

import Foundation
import TestSupport
import Testing

@Suite struct ExtendCommandTests {
  private static let file = """
    sweep: small
    task: {modulus: 13, train_fraction: 0.6}
    model: {d_model: 16, heads: 2, d_mlp: 32}
    training: {epochs: 1250, weight_decay: 0.5}
    """

  private static func folder() throws -> Folder {
    let folder = try Folder()
    try folder.write(file, to: "small.yaml")
    return folder
  }

  /// The lines that the command prints with --json, without the seconds of the last.
  private static func lines(_ arguments: [String], in folder: Folder) throws -> [String] {
    let ended = try Groksweep.run(arguments + ["--json"], in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    return ended.output.split(separator: "\n").map { String($0).replacing(/"seconds":[^,}]+/, with: "") }
  }

  @Test(arguments: [555, 600]) func `a kept run is extended to the lines and weights of one that goes straight through`(
    epochs: Int
  ) throws {
    let folder = try Self.folder()
    let straight = try Self.lines(["train", "small.yaml", "--save", "straight.safetensors"], in: folder)
    let short = try Self.lines(["train", "small.yaml", "--epochs", "\(epochs)", "--keep", "kept"], in: folder)
    #expect(short.last != straight.last)
    let longer = try Self.lines(["extend", "kept", "--epochs", "1250", "--save", "longer.safetensors"], in: folder)
    #expect(longer == straight)
    let weights = try ["straight", "longer"].map {
      try Data(contentsOf: folder.url.appending(path: $0 + ".safetensors"))
    }
    #expect(weights[0] == weights[1])
    // The folder keeps the longer run; asked for the same end again, it shows it again.
    #expect(try Self.lines(["extend", "kept", "--epochs", "1250"], in: folder) == straight)
    #expect(try Self.lines(["train", "small.yaml", "--keep", "kept"], in: folder) == straight)
  }

  @Test func `a training that was interrupted goes on with the same command, or to another end`() throws {
    let folder = try Self.folder()
    let straight = try Self.lines(["train", "small.yaml", "--epochs", "20000"], in: folder)
    let training = try Groksweep.start(["train", "small.yaml", "--epochs", "20000", "--keep", "kept"], in: folder)
    #expect(
      waitUntil(180) {
        FileManager.default.fileExists(atPath: folder.path("kept/snapshot-000002")) || !training.isRunning
      })
    training.signal(SIGINT)
    let ended = try training.end(within: 180)
    #expect(ended.status == 130 && ended.errors.contains("Interrupted at epoch"), "\(ended.errors)")
    #expect(ended.output.isEmpty)
    #expect(try Self.lines(["extend", "kept", "--epochs", "20000"], in: folder) == straight)
  }

  @Test func `a run that began with someone's weights is extended from these`() throws {
    let folder = try Self.folder()
    _ = try Self.lines(["train", "small.yaml", "--epochs", "40", "--save", "start.safetensors"], in: folder)
    let own = ["train", "small.yaml", "--start", "start.safetensors"]
    let straight = try Self.lines(own + ["--epochs", "300"], in: folder)
    _ = try Self.lines(own + ["--epochs", "250", "--keep", "kept"], in: folder)
    let other = try Groksweep.run(["train", "small.yaml", "--epochs", "250", "--keep", "kept"], in: folder)
    #expect(other.status == 65 && other.errors.contains("from other start weights"), "\(other.errors)")
    let longer = try Self.lines(["extend", "kept", "--epochs", "300", "--save", "end.safetensors"], in: folder)
    #expect(longer == straight)
    // It is no point of a sweep.
    let bytes = try Data(contentsOf: folder.url.appending(path: "end.safetensors"))
    #expect(!String(decoding: bytes.prefix(4000), as: UTF8.self).contains("\"point\""))
  }

  @Test func `a point of a store is trained longer from its start`() throws {
    let folder = try Self.folder()
    let swept = try Groksweep.run(
      ["sweep", "small.yaml", "--workers", "1", "--set", "training.epochs=150"], in: folder)
    #expect(swept.status == 0, "\(swept.errors)")
    let point = try #require(try folder.query("small.sqlite", "SELECT point FROM runs").first)
    let straight = try Self.lines(["train", "small.yaml", "--epochs", "250"], in: folder)
    let extend = ["extend", String(point.prefix(10)), "--store", "small.sqlite", "--epochs"]
    let first = try Groksweep.run(extend + ["250", "--keep", "kept"], in: folder)
    #expect(
      first.status == 0 && first.errors.contains("nothing was kept of point \(point.prefix(12))"), "\(first.errors)")
    #expect(try Self.lines(extend + ["250", "--keep", "kept"], in: folder) == straight)
    let longest = try Self.lines(extend + ["350", "--keep", "kept"], in: folder)
    #expect(try Self.lines(["train", "small.yaml", "--epochs", "350"], in: folder) == longest)
    let cases: [(arguments: [String], words: String)] = [
      (extend + ["150"], "trained for 150 epochs already"),
      (["extend", "ffff0000", "--store", "small.sqlite", "--epochs", "250"], "no point ffff0000"),
      (["extend", "%", "--store", "small.sqlite", "--epochs", "250"], "no point %"),
      (["extend", "ff", "--store", "none.sqlite", "--epochs", "250"], "none.sqlite: no such store"),
    ]
    let nameless = try Groksweep.run(["extend", "", "--store", "small.sqlite", "--epochs", "250"], in: folder)
    #expect(nameless.status == 64 && nameless.errors.contains("the run's name is empty"), "\(nameless.errors)")
    for row in cases {
      let ended = try Groksweep.run(row.arguments, in: folder)
      #expect(ended.status == 65 && ended.errors.contains(row.words), "\(row.arguments): \(ended.errors)")
    }
  }

  @Test func `what cannot be extended is refused in words and left alone`() throws {
    let folder = try Self.folder()
    _ = try Self.lines(["train", "small.yaml", "--epochs", "120", "--keep", "kept"], in: folder)
    let set = ["--set", "training.learning_rate=1e18"]
    let diverged = try Groksweep.run(["train", "small.yaml", "--keep", "diverged"] + set, in: folder)
    #expect(diverged.status == 0 && diverged.output.contains("diverged"), "\(diverged.errors)")
    try FileManager.default.createDirectory(atPath: folder.path("empty"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: folder.path("kept"), toPath: folder.path("damaged"))
    var bytes = try Data(contentsOf: folder.url.appending(path: "damaged/checkpoint"))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: folder.url.appending(path: "damaged/checkpoint"))
    let cases: [(arguments: [String], status: Int32, words: String)] = [
      (["extend", "kept", "--epochs", "100"], 65, "kept: the run was trained for 120 epochs already"),
      (["extend", "kept", "--epochs", "0"], 65, "epochs 0 must lie between"),
      (["extend", "diverged", "--epochs", "9999"], 65, "diverged: the run diverged at epoch"),
      (["extend", "damaged", "--epochs", "9999"], 65, "damaged/checkpoint: is damaged"),
      (["extend", "empty", "--epochs", "9999"], 65, "empty: no run is kept here"),
      (["extend", "nowhere", "--epochs", "9999"], 65, "nowhere: no such folder"),
      (["extend", "kept", "--epochs", "9999", "--keep", "other"], 64, "--keep goes with --store"),
      (["extend", "kept"], 64, "--epochs"),
      (["train", "small.yaml", "--keep", "kept"], 65, "kept: the checkpoint is of another experiment"),
      (["train", "small.yaml", "--keep", "."], 65, "holds other files"),
    ]
    let before = try FileManager.default.contentsOfDirectory(atPath: folder.path("kept")).sorted()
    for row in cases {
      let ended = try Groksweep.run(row.arguments, in: folder)
      #expect(ended.status == row.status && ended.errors.contains(row.words), "\(row.arguments): \(ended.errors)")
      #expect(ended.output.isEmpty && !ended.errors.contains("going on"), "\(row.arguments): \(ended.errors)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("kept")).sorted() == before)
  }

  @Test(arguments: ["snapshot-000000", "snapshot-000001", "first-moment-000001", "second-moment-000001"])
  func `a kept folder with a damaged or missing file is refused before it is touched`(name: String) throws {
    let folder = try Self.folder()
    _ = try Self.lines(["train", "small.yaml", "--epochs", "120", "--keep", "kept"], in: folder)
    let checkpoint = try Data(contentsOf: folder.url.appending(path: "kept/checkpoint"))
    let file = folder.url.appending(path: "kept/" + name)
    let whole = try Data(contentsOf: file)
    var flipped = whole
    flipped[flipped.count / 2] ^= 1
    for damage in [flipped, whole.prefix(whole.count / 2), nil] {
      if let damage { try damage.write(to: file) } else { try FileManager.default.removeItem(at: file) }
      let ended = try Groksweep.run(["extend", "kept", "--epochs", "1000000"], in: folder)
      #expect(ended.status == 65 && ended.output.isEmpty, "\(ended.errors)")
      #expect(ended.errors.contains("groksweep: kept"), "\(ended.errors)")
      #expect(ended.errors.contains("remove the folder to train this run from its start"), "\(ended.errors)")
      #expect(!ended.errors.contains("going on"))
    }
    #expect(try Data(contentsOf: folder.url.appending(path: "kept/checkpoint")) == checkpoint)
    try whole.write(to: file)
    let straight = try Self.lines(["train", "small.yaml"], in: folder)
    #expect(try Self.lines(["extend", "kept", "--epochs", "1250"], in: folder) == straight)
  }

  @Test func `where it goes on is said only when there is something to train`() throws {
    let folder = try Self.folder()
    let train = ["train", "small.yaml", "--epochs", "120", "--keep", "kept"]
    #expect(try Groksweep.run(train, in: folder).errors.isEmpty)
    #expect(try Groksweep.run(train, in: folder).errors.isEmpty)
    let longer = try Groksweep.run(["extend", "kept", "--epochs", "130"], in: folder)
    #expect(longer.errors == "kept: going on from epoch 120\n")
  }
}
