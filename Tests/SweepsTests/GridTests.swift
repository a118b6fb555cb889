// Axes: lists, exact ranges, counts; their order, their limits, and every way to get one wrong.

import Grokking
import Sweeps
import Testing

@Suite struct GridTests {
  private func values(_ axis: String) throws -> [Double] {
    try SweepFile(text: "axes: {training.weight_decay: \(axis)}", fileName: "x").points.map {
      $0.experiment.training.weightDecay
    }
  }

  @Test func `ranges are exact decimals with their end`() throws {
    #expect(try values("{from: 0.2, to: 0.6, step: 0.1}") == [0.2, 0.3, 0.4, 0.5, 0.6])
    #expect(try values("{from: 0, to: 1, step: 0.25}") == [0, 0.25, 0.5, 0.75, 1])
    #expect(try values("{from: 0.2, to: 0.65, step: 0.1}") == [0.2, 0.3, 0.4, 0.5, 0.6])
    #expect(try values("{from: 1e-3, to: 3e-3, step: .001}") == [0.001, 0.002, 0.003])
    #expect(try values("{from: 5, to: 5, step: 1}") == [5])
    let fine = try values("{from: 0.001, to: 1, step: 0.001}")
    #expect(fine == (1...1000).map { Double("\($0)e-3")! })
  }

  @Test func `order is row-major in the file's order, values as written`() throws {
    let text = "axes:\n  seed: [5, 4]\n  training.weight_decay: [3, 1]\n  task.train_fraction: [0.5, 0.4]"
    let points = try SweepFile(text: text, fileName: "x").points
    #expect(points.map(\.experiment.dataSeed) == [5, 5, 5, 5, 4, 4, 4, 4])
    #expect(
      points.prefix(4).map(\.setting) == [
        "weight_decay=3 train_fraction=0.5", "weight_decay=3 train_fraction=0.4", "weight_decay=1 train_fraction=0.5",
        "weight_decay=1 train_fraction=0.4",
      ])
  }

  @Test func `words, switches and nulls can be swept`() throws {
    let text = """
      axes:
        task.operation: [add, multiply]
        model.biases: [true, false]
        stop.after_grokking: [null, 500]
        model.d_vocab_out: [p, p+1]
      """
    let points = try SweepFile(text: text, fileName: "x").points
    #expect(points.count == 16)
    #expect(points[0].setting == "operation=add biases=true after_grokking=null d_vocab_out=p")
    #expect(points[15].setting == "operation=multiply biases=false after_grokking=500 d_vocab_out=p+1")
    #expect(points[2].experiment.stop.afterGrokking == 500)
  }

  @Test(arguments: [
    (
      "training.weight_decay: []",
      "axis training.weight_decay is empty; write a list such as [1, 2], or {from: …, to: …, step: …}"
    ),
    ("seed:", "axis seed is empty; write a list such as [0, 1], or {count: 5}"),
    ("task.operation: add", "axis task.operation is one value; write a list, or fix it outside axes"),
    ("training.weight_decay: [1, 2, 1.0]", "axis training.weight_decay has the value 1 twice; keep one"),
    ("training.epochs: [1, x]", "a value of axis training.epochs must be a whole number, not \"x\""),
    ("training.epochs: [1, [2]]", "a value of axis training.epochs takes one value, not a list"),
    ("seed: [-1]", "a value of axis seed -1 is impossible; it must be a whole number from 0 to 9007199254740991"),
    ("seed: {count: 0}", "axis seed: count must be at least 1"),
    ("seed: {count: -5}", "axis seed: count must be at least 1"),
    ("seed: {count: few}", "axis seed: count must be a whole number, not \"few\""),
    ("seed: {count: 1000001}", "axis seed has 1000001 values; a sweep may have at most 1000000 points"),
    ("seed: {count: 5, from: -2}", "axis seed: a seed is a whole number from 0 to 9007199254740991"),
    (
      "seed: {count: 5, step: 2}",
      "axis seed has both count and step; write {count: 5}, {count: 5, from: 10} or {from: …, to: …, step: …}"
    ),
    ("seed: {coutn: 5}", "unknown key \"coutn\" in axis seed; did you mean count?"),
    (
      "training.epochs: {count: 5}",
      "axis training.epochs cannot be a count, only seeds can; write a list or {from: …, to: …, step: …}"
    ),
    ("training.epochs: {from: 1, to: 5}", "axis training.epochs lacks step; a range is {from: …, to: …, step: …}"),
    ("training.epochs: {}", "axis training.epochs lacks from and to and step; a range is {from: …, to: …, step: …}"),
    (
      "training.weight_decay: {from: 1, to: 5, setp: 1}",
      "unknown key \"setp\" in axis training.weight_decay; did you mean step?"
    ),
    (
      "training.weight_decay: {from: 0, to: 1, step: 0}",
      "axis training.weight_decay: step 0 must be above 0; a range goes up from its first value"
    ),
    (
      "training.weight_decay: {from: 0, to: 1, step: -0.1}",
      "axis training.weight_decay: step -0.1 must be above 0; a range goes up from its first value"
    ),
    (
      "training.weight_decay: {from: 1, to: 0, step: 0.1}",
      "axis training.weight_decay: steps of 0.1 up from 1 never reach 0; exchange from and to"
    ),
    (
      "training.epochs: {from: 1, to: 2, step: 0.5}",
      "axis training.epochs: step must be a whole number, not 0.5"
    ),
    (
      "training.weight_decay: {from: 0, to: 1e9, step: 1}",
      "axis training.weight_decay has 1000000001 values; a sweep may have at most 1000000 points"
    ),
    (
      "training.weight_decay: {from: 1e-30, to: 1e30, step: 1}",
      "axis training.weight_decay: from, to and step are too far apart for an exact range; write a list"
    ),
    (
      "training.weight_decay: {from: 0.12345678901234567890123, to: 1, step: 1}",
      "axis training.weight_decay: from 0.12345678901234567890123 has too many digits for an exact range"
    ),
    (
      "training.weight_decay: {log_uniform: [0.1, 1]}",
      "axis training.weight_decay is a distribution (log_uniform), of which a grid has no values; write method: sobol and "
        + "points: 64, or a list or {from: …, to: …, step: …}"
    ),
    (
      "model.biases: {from: 0, to: 1, step: 1}",
      "axis model.biases cannot be a range; write a list of values (true or false)"
    ),
  ])
  func `a wrong axis is refused with what would be right`(axis: String, sentence: String) {
    #expect(complaints("axes:\n  \(axis)\n") == "x.yaml:2: \(sentence)")
  }

  @Test func `equal values on different lines name both`() {
    #expect(
      complaints("axes:\n  seed:\n    - 1\n    - 2\n    - 1\n")
        == "x.yaml:5: axis seed has the value 1 twice (also on line 3); keep one")
  }

  @Test func `a million points are read at once and more are refused without being made`() throws {
    let million = "axes: {model_seed: {count: 1000}, data_seed: {count: 1000}}"
    let file = try SweepFile(text: million, fileName: "x")
    #expect(file.points.count == 1_000_000)
    #expect(file.points[999_999].experiment.modelSeed == 999)
    #expect(
      complaints(
        "seed: 1\naxes:\n  training.weight_decay: {from: 1, to: 1000, step: 1}\n  model.d_mlp: {from: 1, to: 1001, step: 1}"
      )
        == "x.yaml:2: the axes make 1000 × 1001 points; a sweep may have at most 1000000")
    let huge = [
      "training.weight_decay", "training.epsilon", "training.learning_rate", "training.beta1", "training.beta2",
    ]
    .map { "\($0): {from: 1, to: 1000000, step: 1}" }.joined(separator: ", ")
    #expect(complaints("axes: {\(huge)}").hasPrefix("x.yaml:1: the axes make 1000000 × 1000000 × "))
  }
}
