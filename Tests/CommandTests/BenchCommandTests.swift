// `bench`: that it measures everything that it promises. How fast this machine is, is nobody's promise here.

import Foundation
import TestSupport
import Testing

@Suite struct BenchCommandTests {
  @Test func `bench engine prints one object with every key and only positive numbers`() throws {
    let folder = try Folder()
    let ended = try Groksweep.run(["bench", "engine", "--json", "--seconds", "0.2", "--shape", "p31"], in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(ended.errors.isEmpty)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
    try expectPositive(
      report,
      keys: [
        "cores", "engine_semantics", "rounds", "seconds_per_turn", "fma_peak_gflop_per_second",
        "fma_peak_gflop_per_second_median", "ms_per_epoch", "ms_per_epoch_min", "ms_at_fma_peak", "times_fma_peak",
        "peak_resident_bytes", "percent_of_core",
      ])
    for key in ["build", "cpu", "kernel_path"] { #expect((report[key] as? String)?.isEmpty == false, "\(key)") }
    #expect(report["load_average_before"] is NSNumber)
    let shapes = try #require(report["shapes"] as? [[String: Any]])
    #expect(shapes.compactMap { $0["name"] as? String } == ["paper", "p31"])
    for shape in shapes {
      try expectPositive(
        shape,
        keys: [
          "modulus", "train_fraction", "train_pairs", "d_model", "heads", "d_mlp", "d_vocab_out", "ms_per_epoch",
          "ms_per_epoch_min", "gflop_per_epoch", "gflop_per_second", "percent_of_peak",
        ])
      #expect(shape["activation"] as? String == "relu")
      #expect(shape["plan"] as? String == "tables, merged")
      #expect(shape["biases"] as? Bool == true)
    }
    #expect(shapes[0]["ms_per_epoch"] as? Double == report["ms_per_epoch"] as? Double)
    // The design's number for the paper's shape.
    #expect(abs(try #require(shapes[0]["gflop_per_epoch"] as? Double) - 1.70) < 0.01)
    let phases = try #require(report["phases"] as? [String: Any])
    let names = ["tables", "gather", "products", "loss", "scatter", "parameter_gradients", "adamw"].map { $0 + "_ms" }
    #expect(phases.keys.sorted() == names.sorted())
    try expectPositive(phases, keys: names)
    try expectPositive(
      try #require(report["evaluation"] as? [String: Any]),
      keys: ["ms", "test_ms", "logits_ms", "measures_ms", "evaluate_every", "percent_of_run"])
    // Null on a machine with one core.
    let twoAtOnce = try #require(report["two_at_once"])
    if !(twoAtOnce is NSNull) {
      try expectPositive(try #require(twoAtOnce as? [String: Any]), keys: ["ms_per_epoch", "ratio"])
    }
  }

  @Test func `bench engine's page names the machine, the shapes and the phases`() throws {
    let folder = try Folder()
    let ended = try Groksweep.run(["bench", "engine", "--seconds", "0.1", "--shape", "p31"], in: folder)
    #expect(ended.status == 0, "\(ended.errors)")
    for word in ["FMA peak", "paper", "p31", "of peak", "products", "AdamW", "An evaluation", "Memory"] {
      #expect(ended.output.contains(word), "\(word) is missing")
    }
    #expect(!ended.output.contains("p401"))
  }

  @Test func `a shape that does not exist is refused with those that do`() throws {
    let ended = try Groksweep.run(["bench", "engine", "--shape", "huge"], in: Folder())
    #expect(ended.status == 64)
    #expect(ended.errors.contains("huge") && ended.errors.contains("paper-gelu"))
    #expect(ended.output.isEmpty)
  }

  private func expectPositive(_ object: [String: Any], keys: [String]) throws {
    for key in keys {
      let value = try #require(object[key] as? Double, "\(key) is missing")
      #expect(value > 0 && value.isFinite, "\(key) is \(value)")
    }
  }
}
