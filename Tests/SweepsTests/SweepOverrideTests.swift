// `--set key=value`: replaces what the file says, with the same checks and sentences.

import Grokking
import Sweeps
import Testing

@Suite struct SweepOverrideTests {
  private let text = """
    sweep: base
    training: {weight_decay: 1, epochs: 100}
    axes:
      task.train_fraction: [0.3, 0.4]
      seed: {count: 3}
    """

  private func points(_ overrides: String...) throws -> [Experiment] {
    try SweepFile(text: text, fileName: "x.yaml", overrides: overrides).points.map(\.experiment)
  }

  @Test func `a fixed value replaces a fixed value and an axis`() throws {
    #expect(try points("training.weight_decay=2").allSatisfy { $0.training.weightDecay == 2 })
    let fixed = try points("task.train_fraction=0.5")
    #expect(fixed.count == 3 && fixed.allSatisfy { $0.task.trainFraction == 0.5 })
    #expect(try points("seed=9").map(\.modelSeed) == [9, 9])
    #expect(try points("model.d_vocab_out=p")[0].model.dVocabOut == 113)
  }

  @Test func `an axis replaces an axis in its place and a fixed value at the end`() throws {
    let replaced = try SweepFile(text: text, fileName: "x", overrides: ["axes.task.train_fraction=[0.5, 0.6, 0.7]"])
    #expect(replaced.axes == ["task.train_fraction", "seed"])
    #expect(replaced.points.count == 9)
    let added = try SweepFile(
      text: text, fileName: "x", overrides: ["axes.training.weight_decay={from: 1, to: 2, step: 0.5}", "axes.seed=[4]"])
    #expect(added.axes == ["task.train_fraction", "seed", "training.weight_decay"])
    #expect(added.points.map(\.experiment.training.weightDecay) == [1, 1.5, 2, 1, 1.5, 2])
    #expect(added.points.allSatisfy { $0.experiment.dataSeed == 4 })
  }

  @Test func `name and preset can be set, and the later of two wins`() throws {
    let file = try SweepFile(text: text, fileName: "x", overrides: ["sweep=a", "sweep=b", "preset=transformerlens"])
    #expect(file.name == "b")
    #expect(file.points[0].experiment.model.biases == false)
    #expect(file.points[0].experiment.training.epochs == 100)
  }

  @Test(arguments: [
    ("weight_decya=1", "unknown key \"weight_decya\"; did you mean training.weight_decay?"),
    ("sweeep=a", "unknown key \"sweeep\"; did you mean sweep?"),
    ("training.weight_decay", "lacks a value; write key=value, such as training.weight_decay=2"),
    ("training.weight_decay=", "has no value; write key=value, such as training.weight_decay=2"),
    ("training.weight_decay=much", "weight_decay must be a number, not \"much\""),
    (
      "training.weight_decay=[1, 2]",
      "weight_decay takes one value, not a list; to sweep it, write --set 'axes.training.weight_decay=…'"
    ),
    (
      "axes.training.weight_decay=2",
      "axis training.weight_decay is one value; write a list such as [1, 2], or {from: …, to: …, step: …}, or fix it "
        + "outside axes"
    ),
    ("axes.weight_decay=[1]", "unknown axis \"weight_decay\"; did you mean training.weight_decay?"),
    ("training={epochs: 1}", "sets a whole group; set one key at a time, such as training.epochs=…"),
    ("axes={seed: [1]}", "sets a whole group; set one key at a time, such as axes.seed=[0, 1]"),
    ("model.heads=3", "heads 3 does not divide d_model 128; each head gets d_model / heads dimensions"),
    (
      "training.epochs=[1",
      "is not YAML: did not find expected ',' or ']'"
    ),
    (
      "model_seed=1",
      "model_seed is given beside seed on line 5, which sets it too; keep seed alone, or model_seed and data_seed"
    ),
    ("preset=x", "unknown preset \"x\"; there are paper, transformerlens, clock-and-pizza, small"),
  ])
  func `a wrong one is named as it was typed`(override: String, sentence: String) {
    #expect(complaints(text, override) == "--set \(override): \(sentence)")
  }
}
