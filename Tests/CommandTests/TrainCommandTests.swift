// `train` and `analyze` against the fixtures, through the command line alone.

import Foundation
import Grokking
import TestSupport
import Testing

@Suite struct TrainCommandTests {
  private struct Expected: Decodable {
    struct Config: Decodable {
      let p: Int
      let op: String
      let d_model: Int
      let n_heads: Int
      let d_mlp: Int
      let train_fraction: Double
      let weight_decay: Double
    }
    struct Losses: Decodable {
      let epoch: Int
      let train_loss: Double
      let test_loss: Double
    }
    let config: Config
    let curve: [Losses]
  }

  @Test(arguments: ["tiny", "small", "quadratic"])
  func `train reproduces a fixture's curve over its first 30 epochs`(name: String) throws {
    let folder = try Folder()
    let fixture = Groksweep.fixtures.appending(path: name)
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: fixture.appending(path: "expected.json")))
    let config = expected.config
    try folder.write(
      """
      sweep: fixture
      task: {operation: \(config.op), modulus: \(config.p), train_fraction: \(config.train_fraction)}
      model: {d_model: \(config.d_model), heads: \(config.n_heads), d_mlp: \(config.d_mlp)}
      training: {weight_decay: \(config.weight_decay)}
      """, to: "fixture.yaml")
    let ended = try Groksweep.run(
      [
        "train", "fixture.yaml", "--start", fixture.appending(path: "start.safetensors").path, "--epochs", "30",
        "--evaluate-every", "1", "--json",
      ], in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    let lines = ended.output.split(separator: "\n")
    #expect(lines.count == 32)
    for (line, losses) in zip(lines.dropLast(), expected.curve) {
      let ours = try JSONDecoder().decode(Expected.Losses.self, from: Data(line.utf8))
      #expect(ours.epoch == losses.epoch)
      #expect(abs(ours.train_loss / losses.train_loss - 1) < 1e-4)
      #expect(abs(ours.test_loss / losses.test_loss - 1) < 1e-4)
    }
    #expect(lines.last?.contains("\"outcome\"") == true)
  }

  @Test func `analyze gives the measures of the grokked fixture`() throws {
    let folder = try Folder()
    let fixture = Groksweep.fixtures.appending(path: "grokked")
    let ended = try Groksweep.run(
      ["analyze", fixture.appending(path: "end.safetensors").path, "--json"], in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    let ours = try #require(
      try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
    let file = try JSONSerialization.jsonObject(with: Data(contentsOf: fixture.appending(path: "expected.json")))
    let theirs = try #require((file as? [String: Any])?["measures_of_end"] as? [String: Any])
    #expect(ours["key_frequencies"] as? [Int] == theirs["key_frequencies"] as? [Int])
    var compared = 0
    for name in theirs.keys.sorted() where name.contains("loss") && theirs[name] is NSNumber {
      let value = try #require(ours[name] as? Double, "\(name) is missing")
      let expected = try #require(theirs[name] as? Double)
      #expect(abs(value / expected - 1) < 1e-3, "\(name): \(value), expected \(expected)")
      compared += 1
    }
    #expect(compared == 12)
    for name in ["gini_W_E", "gini_W_L", "sum_squared_weights", "logit_fve"] {
      let value = try #require(ours[name] as? Double, "\(name) is missing")
      let expected = try #require(theirs[name] as? Double)
      #expect(abs(value / expected - 1) < 1e-4, "\(name): \(value), expected \(expected)")
    }
  }

  @Test func `weights that train saved are read by analyze and give the same losses`() throws {
    let folder = try Folder()
    try folder.write(
      "sweep: s\ntask: {modulus: 7}\nmodel: {d_model: 8, heads: 2, d_mlp: 16}\ntraining: {epochs: 50}\n", to: "s.yaml")
    let trained = try Groksweep.run(["train", "s.yaml", "--save", "w.safetensors", "--json"], in: folder)
    #expect(trained.status == 0, "\(trained.errors)")
    let analyzed = try Groksweep.run(["analyze", "w.safetensors", "--json"], in: folder)
    #expect(analyzed.status == 0, "\(analyzed.errors)")
    let lines = trained.output.split(separator: "\n").map { Data($0.utf8) }
    let last = try #require(try JSONSerialization.jsonObject(with: lines[lines.count - 2]) as? [String: Any])
    let report = try #require(try JSONSerialization.jsonObject(with: Data(analyzed.output.utf8)) as? [String: Any])
    for name in ["train_loss", "test_loss"] {
      let (ours, theirs) = (try #require(last[name] as? Double), try #require(report[name] as? Double))
      #expect(abs(ours / theirs - 1) < 1e-5, "\(name): \(ours) and \(theirs)")
    }
  }

  /// The JSON objects that `train --json` prints for a tiny run of 50 epochs.
  private static func lines(_ changes: [String], in folder: Folder) throws -> [[String: Any]] {
    try folder.write(
      "sweep: s\ntask: {modulus: 7}\nmodel: {d_model: 8, heads: 2, d_mlp: 16}\ntraining: {epochs: 50}\n", to: "s.yaml")
    let ended = try Groksweep.run(["train", "s.yaml", "--json", "--set"] + changes, in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    return try ended.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func `squares are summed under the tensors' names`() throws {
    let folder = try Folder()
    let lines = try Self.lines(["model.biases=false"], in: folder)
    let sums = try #require(lines[0]["sum_squared_weights_by_tensor"] as? [String: Double])
    let names = ["mlp.W_in", "mlp.W_out", "attn.W_K", "attn.W_O", "attn.W_Q", "attn.W_V"].map { "blocks.0." + $0 }
    #expect(sums.keys.sorted() == (names + ["embed.W_E", "pos_embed.W_pos", "unembed.W_U"]).sorted())
    let sum = try #require(lines[0]["sum_squared_weights"] as? Double)
    #expect(abs(sums.keys.sorted().reduce(0) { $0 + sums[$1]! } / sum - 1) < 1e-6)
  }

  @Test func `what a run does not have is absent from its lines`() throws {
    let folder = try Folder()
    let waves = try Self.lines(["task.operation=add"], in: folder)
    let none = try Self.lines(["task.operation=x2xyy2"], in: folder)
    let diverged = try Self.lines(["training.learning_rate=1e18"], in: folder)
    #expect(diverged.last?["outcome"] as? String == "diverged" && diverged.count > 1)
    for (lines, hasWaves) in [(waves, true), (none, false), (diverged, false)] {
      for line in lines.dropLast() {
        for key in ["key_frequencies", "logit_fve", "restricted_loss"] {
          #expect((line[key] != nil) == hasWaves, "\(key)")
        }
      }
    }
    let models = [waves, none, diverged].map { $0.last?["final_model"] as? [String: Any] }
    #expect(models[0]?["ablations"] != nil && models[0]?["rank_residual"] != nil)
    #expect(models[1]?["neurons"] != nil && models[1]?["ablations"] == nil && models[1]?["rank_residual"] == nil)
    #expect(models[2] == nil && diverged.last?["key_frequencies"] == nil)
  }

  @Test func `weights of a run that diverged are called that when they are saved and when they are read`() throws {
    let folder = try Folder()
    try folder.write("sweep: s\ntask: {modulus: 7}\nmodel: {d_model: 8, heads: 2, d_mlp: 16}\n", to: "s.yaml")
    let trained = try Groksweep.run(
      ["train", "s.yaml", "--set", "training.learning_rate=1e18", "--save", "w.safetensors"], in: folder)
    #expect(trained.errors.contains("w.safetensors: of a run that diverged at epoch"), "\(trained.errors)")
    let bytes = try Data(contentsOf: Groksweep.fixtures.appending(path: "tiny/end.safetensors"))
    var file = try ModelFile(parsing: [UInt8](bytes))
    file.metadata["outcome"] = "diverged"
    try Data(file.serialized()).write(to: folder.url.appending(path: "d.safetensors"))
    let analyzed = try Groksweep.run(["analyze", "d.safetensors"], in: folder)
    #expect(analyzed.status == 0 && analyzed.errors.contains("d.safetensors: its run diverged"), "\(analyzed.errors)")
  }

  @Test func `a result is printed although its weights cannot be written`() throws {
    let folder = try Folder()
    try folder.write("sweep: s\ntask: {modulus: 7}\nmodel: {d_model: 8, heads: 2, d_mlp: 16}\n", to: "s.yaml")
    // The folder is there when the command begins and gone when it wants to write.
    try FileManager.default.createDirectory(atPath: folder.path("gone"), withIntermediateDirectories: true)
    let training = try Groksweep.start(
      ["train", "s.yaml", "--epochs", "20000", "--keep", "kept", "--save", "gone/w.safetensors"], in: folder)
    #expect(waitUntil(180) { FileManager.default.fileExists(atPath: folder.path("kept/checkpoint")) })
    try FileManager.default.removeItem(atPath: folder.path("gone"))
    let ended = try training.end(within: 180)
    #expect(ended.status == 1 && ended.output.contains("digest"), "\(ended.errors)")
    #expect(ended.errors.contains("gone/w.safetensors: cannot be written: check that its folder"), "\(ended.errors)")
  }

  @Test func `analyze writes the logits of all pairs as a tensor that others can read`() throws {
    let folder = try Folder()
    let fixture = Groksweep.fixtures.appending(path: "small/end.safetensors").path
    let ended = try Groksweep.run(["analyze", fixture, "--save-logits", "l.safetensors", "--json"], in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    let file = try SafeTensors(parsing: [UInt8](Data(contentsOf: folder.url.appending(path: "l.safetensors"))))
    let logits = try #require(file["logits"])
    #expect(logits.shape == [529, 24])
    #expect(logits.type == .f32 && logits.bytes.count == 4 * 529 * 24)
  }

  @Test func `analyze takes the operation from a file's own metadata, and says when it has to assume one`() throws {
    let folder = try Folder()
    try folder.write(
      "sweep: s\ntask: {operation: multiply, modulus: 7}\nmodel: {d_model: 8, heads: 2, d_mlp: 16}\n"
        + "training: {epochs: 5}\n", to: "s.yaml")
    #expect(try Groksweep.run(["train", "s.yaml", "--save", "w.safetensors"], in: folder).status == 0)
    let own = try Groksweep.run(["analyze", "w.safetensors"], in: folder)
    #expect(own.output.contains("p 7, multiply") && own.errors.isEmpty, "\(own.errors)")
    let fixture = Groksweep.fixtures.appending(path: "tiny/end.safetensors").path
    let foreign = try Groksweep.run(["analyze", fixture], in: folder)
    #expect(foreign.output.contains("p 7, add") && foreign.errors.contains("add is assumed"))
    let told = try Groksweep.run(["analyze", fixture, "--operation", "subtract"], in: folder)
    #expect(told.output.contains("p 7, subtract") && told.errors.isEmpty)
    // Exponents modulo 6 have two frequencies, residues modulo 7 three.
    #expect(try Groksweep.run(["analyze", fixture, "--operation", "subtract", "--keys", "3"], in: folder).status == 0)
    let beyond = try Groksweep.run(["analyze", "w.safetensors", "--keys", "1,3"], in: folder)
    #expect(beyond.status == 64 && beyond.errors.contains("whole numbers from 1 to 2"), "\(beyond.errors)")
  }
}
