// Every error of a sweep file by its exact sentence, and what a right file means.

import Grokking
import Sweeps
import Testing

/// What is said about `text`, a line per problem; "" when nothing is wrong.
func complaints(_ text: String, _ overrides: String...) -> String {
  do {
    _ = try SweepFile(text: text, fileName: "x.yaml", overrides: overrides)
    return ""
  } catch {
    return error.description
  }
}

@Suite struct SweepFileTests {
  @Test func `an example with everything is read`() throws {
    let text = """
      sweep: weight-decay-by-fraction
      preset: paper
      task: {operation: subtract, modulus: 59}
      training: {epochs: 4e4}
      measure: {evaluate_every: 50}
      stop: {after_grokking: null}
      method: grid
      axes:
        training.weight_decay: [0.3, 1.0, 3.0]
        task.train_fraction: {from: 0.2, to: 0.6, step: 0.1}
        seed: {count: 5}
      """
    let file = try SweepFile(text: text, fileName: "configs/x.yaml")
    #expect(file.name == "weight-decay-by-fraction")
    #expect(file.axes == ["training.weight_decay", "task.train_fraction", "seed"])
    #expect(file.points.count == 75)
    let expected = Experiment(
      task: LearningTask(operation: .subtract, modulus: 59, trainFraction: 0.2), model: ModelShape(dVocabOut: 60),
      training: TrainingSettings(weightDecay: 0.3), measure: MeasureSettings(evaluateEvery: 50))
    #expect(file.points[0] == Point(experiment: expected, setting: "weight_decay=0.3 train_fraction=0.2"))
  }

  @Test func `a file without axes is one point, and without a name it is called as its file`() throws {
    let file = try SweepFile(text: "preset: paper", fileName: "configs/main-line.yaml")
    #expect(file.name == "main-line")
    #expect(file.points.map(\.experiment) == [Experiment()])
    #expect(file.points.map(\.setting) == [""])
  }

  @Test func `presets are what their sources say`() throws {
    let demo = try SweepFile(text: "preset: transformerlens", fileName: "x").points[0].experiment
    #expect(!demo.model.biases && demo.model.dVocabOut == 113 && demo.training.warmupEpochs == 0)
    #expect(demo.training.epochs == 25_000 && demo.training.weightDecay == 1 && demo.task.trainFraction == 0.3)
    for preset in Preset.all { #expect(preset.experiment.problems().isEmpty, "\(preset.name)") }
  }

  @Test func `the output vocabulary follows the modulus as the preset or the file says`() throws {
    func sizes(_ text: String) throws -> [Int] {
      try SweepFile(text: text, fileName: "x").points.map(\.experiment.model.dVocabOut)
    }
    #expect(try sizes("axes: {task.modulus: [23, 29]}") == [24, 30])
    #expect(try sizes("{preset: transformerlens, axes: {task.modulus: [23, 29]}}") == [23, 29])
    #expect(try sizes("{model: {d_vocab_out: p}, task: {modulus: 23}}") == [23])
    #expect(try sizes("{model: {d_vocab_out: 24}, task: {modulus: 23}}") == [24])
    #expect(try sizes("axes: {model.d_vocab_out: [p, p+1], task.modulus: [23, 29]}") == [23, 29, 24, 30])
  }

  @Test func `seed sets both seeds, and each can be its own axis`() throws {
    func seeds(_ text: String) throws -> [[UInt64]] {
      try SweepFile(text: text, fileName: "x").points.map { [$0.experiment.modelSeed, $0.experiment.dataSeed] }
    }
    #expect(try seeds("seed: 7") == [[7, 7]])
    #expect(try seeds("axes: {seed: {count: 2, from: 10}}") == [[10, 10], [11, 11]])
    #expect(try seeds("{model_seed: 3, axes: {data_seed: [0, 1]}}") == [[3, 0], [3, 1]])
    #expect(try seeds("seed: 9007199254740991") == [[9_007_199_254_740_991, 9_007_199_254_740_991]])
  }

  @Test func `an axis replaces a preset's value, but not one that the file fixes`() {
    #expect(complaints("axes: {training.weight_decay: [1, 2]}") == "")
    #expect(
      complaints("training:\n  weight_decay: 1\naxes:\n  training.weight_decay: [1, 2]")
        == "x.yaml:4: training.weight_decay is an axis here and fixed on line 2; keep one")
    #expect(
      complaints("seed: 1\naxes:\n  data_seed: [1, 2]")
        == "x.yaml:3: data_seed is given beside seed on line 1, which sets it too; keep seed alone, or model_seed and data_seed"
    )
  }

  @Test(arguments: [
    ("training:\n  weight_decya: 1", "x.yaml:2: unknown key \"weight_decya\" in training; did you mean weight_decay?"),
    (
      "stop: {foo: 1}", "x.yaml:1: unknown key \"foo\" in stop; stop has after_grokking"
    ),
    ("model: {epochs: 1}", "x.yaml:1: unknown key \"epochs\" in model; it belongs in training"),
    ("weight_decay: 1", "x.yaml:1: unknown key \"weight_decay\"; did you mean weight_decay below training?"),
    ("training.epochs: 1", "x.yaml:1: unknown key \"training.epochs\"; write epochs below training"),
    ("trainign: {epochs: 1}", "x.yaml:1: unknown key \"trainign\"; did you mean training?"),
    (
      "points: 64",
      "x.yaml:1: points: 64 asks for samples, but the method is grid; write method: sobol or random, or list points"
    ),
    (
      "zzzzzzzz: 1",
      "x.yaml:1: unknown key \"zzzzzzzz\"; a sweep file has sweep, include, preset, method, points, sampling_seed, "
        + "task, model, training, measure, stop, seed, model_seed, data_seed, axes, exclude, require, blocks"
    ),
    ("[a, b]: 1", "x.yaml:1: a key must be a word, not a list"),
    ("axes:\n  weight_decay: [1]", "x.yaml:2: unknown axis \"weight_decay\"; did you mean training.weight_decay?"),
    ("axes: {training.epohcs: [1]}", "x.yaml:1: unknown axis \"training.epohcs\"; did you mean training.epochs?"),
    (
      "axes: {qqqqq: [1]}",
      "x.yaml:1: unknown axis \"qqqqq\"; keys are written with their group, such as training.weight_decay"
    ),
  ])
  func `an unknown key is named with what was probably meant`(text: String, sentence: String) {
    #expect(complaints(text) == sentence)
  }

  @Test(arguments: [
    ("training: {epochs: many}", "x.yaml:1: epochs must be a whole number, not \"many\""),
    ("training: {epochs: 1.5}", "x.yaml:1: epochs must be a whole number, not 1.5"),
    ("training: {epochs: 1_000}", "x.yaml:1: epochs must be a whole number, not \"1_000\""),
    ("training: {epochs: 0x10}", "x.yaml:1: epochs must be a whole number, not \"0x10\""),
    ("training: {epochs: true}", "x.yaml:1: epochs must be a whole number, not true"),
    ("training: {epochs: \"100\"}", "x.yaml:1: epochs must be a whole number, not the text \"100\"; remove the quotes"),
    ("training: {epochs: \"lots\"}", "x.yaml:1: epochs must be a whole number, not the text \"lots\""),
    (
      "training:\n  epochs: [1, 2]",
      "x.yaml:2: epochs takes one value, not a list; to sweep it, write training.epochs under axes"
    ),
    (
      "training:\n  epochs: {from: 1}",
      "x.yaml:2: epochs takes one value, not a mapping; to sweep it, write training.epochs under axes"
    ),
    ("training:\n  epochs:\n", "x.yaml:2: epochs has no value; it must be a whole number"),
    ("training: {epochs: 99999999999999999999}", "x.yaml:1: epochs 99999999999999999999 is too large"),
    ("training: {epsilon: 1e999}", "x.yaml:1: epsilon 1e999 is too large"),
    ("training: {epsilon: 1e-999}", "x.yaml:1: epsilon 1e-999 is too small to be told from 0"),
    (
      "training: {epsilon: 1e-300}",
      "x.yaml:1: epsilon 1e-300 must be at least 1e-30: what is smaller is next to nothing in float32"
    ),
    ("training: {epsilon: .inf}", "x.yaml:1: epsilon must be a number, not \".inf\""),
    ("training: {epsilon: nan}", "x.yaml:1: epsilon must be a number, not \"nan\""),
    ("model: {biases: yes}", "x.yaml:1: biases must be true or false, not \"yes\""),
    ("model: {activation: rleu}", "x.yaml:1: activation must be one of relu, gelu, not \"rleu\"; did you mean relu?"),
    (
      "task: {operation: divide}",
      "x.yaml:1: operation must be one of add, subtract, multiply, x2xyy2, random, not \"divide\""
    ),
    ("model: {d_vocab_out: p+2}", "x.yaml:1: d_vocab_out must be p, p+1 or a whole number, not \"p+2\""),
    (
      "stop: {after_grokking: soon}", "x.yaml:1: after_grokking must be a whole number, or null for never, not \"soon\""
    ),
    (
      "training: {batch_size: full}",
      "x.yaml:1: batch_size must be a whole number, or null for all train pairs, not \"full\""
    ),
    (
      "training: {batch_size: 0}",
      "x.yaml:1: batch_size 0 must be at least 1; without it a step trains on all train pairs"
    ),
    (
      "training: {optimizer: adma}",
      "x.yaml:1: optimizer must be one of adamw, adam, sgd, not \"adma\"; did you mean adam?"
    ),
    ("training: {schedule: linear}", "x.yaml:1: schedule must be one of constant, cosine, not \"linear\""),
    (
      "training: {epochs: 10, schedule: cosine}",
      "x.yaml:1: schedule cosine begins after warmup_epochs 10, and the run has 10 epochs: its rates would be those of "
        + "constant; train for longer, or lower warmup_epochs"
    ),
    (
      "task: {label_noise: 0.0002}",
      "x.yaml:1: label_noise 0.0002 of 3830 train pairs replaces no label; write 0, or at least 1/3830"
    ),
    ("training: {momentum: 1}", "x.yaml:1: momentum 1.0 must lie in [0, 1)"),
    ("training: {l1: -1}", "x.yaml:1: l1 -1.0 must be 0 or more"),
    (
      "training: {grokfast_lambda: -2}",
      "x.yaml:1: grokfast_lambda -2.0 must be 0 or more; 0 leaves gradients as they are"
    ),
    ("training: {grokfast_alpha: 1}", "x.yaml:1: grokfast_alpha 1.0 must lie in [0, 1)"),
    (
      "task: {label_noise: 30}",
      "x.yaml:1: label_noise 30.0 is impossible; it is a share of the train pairs, from 0 to 1"
    ),
    (
      "model: {initialization_scale: 0}",
      "x.yaml:1: initialization_scale 0.0 must lie between 0.000001 and 1000000"
    ),
    ("seed: -1", "x.yaml:1: seed -1 is impossible; it must be a whole number from 0 to 9007199254740991"),
    (
      "seed: 9007199254740992",
      "x.yaml:1: seed 9007199254740992 is impossible; it must be a whole number from 0 to 9007199254740991"
    ),
    ("training: 7", "x.yaml:1: training must be a mapping of keys, not \"7\""),
    ("training:\nseed: 1", "x.yaml:1: training is empty; indent its keys below it, or remove it"),
    ("axes:\nseed: 1", "x.yaml:1: axes is empty; indent its keys below it, or remove it"),
    ("axes: [1]", "x.yaml:1: axes must be a mapping of keys to lists or ranges"),
    ("preset: papr", "x.yaml:1: unknown preset \"papr\"; did you mean paper?"),
    (
      "preset: nothing",
      "x.yaml:1: unknown preset \"nothing\"; there are paper, transformerlens, clock-and-pizza, small"
    ),
    ("preset: [paper]", "x.yaml:1: preset must be a name, not a list"),
    (
      "method: sobol",
      "x.yaml:1: method sobol needs a number of points, such as points: 64\n"
        + "x.yaml:1: method sobol has nothing to draw: no axis but seeds; add one, or remove method"
    ),
    ("method: gird", "x.yaml:1: unknown method \"gird\"; did you mean grid?"),
    (
      "sweep: a/b",
      "x.yaml:1: sweep name \"a/b\" cannot name a file; a name has up to 100 letters, digits, '-', '_' and '.', and begins "
        + "with a letter or digit"
    ),
    ("sweep:", "x.yaml:1: sweep has no value; it must be a name"),
    (
      "training: {epochs: !!int 5}", "x.yaml:1: the tag tag:yaml.org,2002:int has no meaning in a sweep file; remove it"
    ),
  ])
  func `a value of the wrong type is refused with what would be right`(text: String, sentence: String) {
    #expect(complaints(text) == sentence)
  }

  @Test(arguments: [
    ("task:\n  modulus: 2", "x.yaml:2: modulus 2 is impossible; it must be a whole number from 3 to 1024"),
    (
      "task: {modulus: 1000000000000000}",
      "x.yaml:1: modulus 1000000000000000 is impossible; it must be a whole number from 3 to 1024"
    ),
    (
      "task: {train_fraction: 1.5}",
      "x.yaml:1: train_fraction 1.5 is impossible; it must lie between 0 and 1, both excluded"
    ),
    (
      "model:\n  d_mlp: 64\n  d_model: 126",
      "x.yaml:3: heads 4 does not divide d_model 126; each head gets d_model / heads dimensions"
    ),
    (
      "axes:\n  model.heads:\n    - 4\n    - 3\n  seed: {count: 5}",
      "x.yaml:4: heads 3 does not divide d_model 128; each head gets d_model / heads dimensions (5 of 10 points)"
    ),
    (
      "axes:\n  model.heads: [2, 3]\n  model.d_model: [32, 48]",
      "x.yaml:2: heads 3 does not divide d_model 32; each head gets d_model / heads dimensions "
        + "(1 of 4 points, first heads=3 d_model=32)"
    ),
    (
      "model: {d_vocab_out: 114}\naxes:\n  task.modulus: [113, 59]",
      "x.yaml:1: d_vocab_out 114 must be the modulus 59 or one more (write p or p+1) (1 of 2 points)"
    ),
    (
      "axes: {model.d_vocab_out: [p+1, 114]}",
      "x.yaml:1: axis model.d_vocab_out: p+1 and 114 are the same for modulus 113; keep one"
    ),
    ("training: {learning_rate: 0}", "x.yaml:1: learning_rate 0.0 must be above 0"),
  ])
  func `an impossible experiment is refused where its cause stands`(text: String, sentence: String) {
    #expect(complaints(text) == sentence)
  }

  @Test(arguments: ["0e-9223372036854775808", "0e9223372036854775807", "0e-99999999999999999999"])
  func `a zero with a monstrous exponent is refused in a range`(zero: String) {
    #expect(
      complaints("axes: {training.weight_decay: {from: \(zero), to: 1, step: 1}}")
        == "x.yaml:1: axis training.weight_decay: from \(zero) has too many digits for an exact range")
  }

  @Test func `a value that cannot be read is not blamed for what it would have caused`() {
    #expect(
      complaints("model:\n  d_model: big\n  heads: 3") == "x.yaml:2: d_model must be a whole number, not \"big\"")
  }

  @Test func `all problems are told at once in the order of the file, up to twenty`() {
    let wrong = complaints("axes:\n  seed: []\ntraining:\n  epochs: no\n  beta1: 2", "weight_decya=1")
    #expect(
      wrong == """
        x.yaml:2: axis seed is empty; write a list such as [0, 1], or {count: 5}
        x.yaml:4: epochs must be a whole number, not "no"
        x.yaml:5: beta1 2.0 must lie in [0, 1)
        --set weight_decya=1: unknown key "weight_decya"; did you mean training.weight_decay?
        """)
    let many = complaints((0..<50).map { "k\($0)zzzzzz: 1" }.joined(separator: "\n")).split(separator: "\n")
    #expect(many.count == 21)
    #expect(many.last == "x.yaml: and 30 more problems")
  }

  @Test func `an error carries its first line and message`() {
    let error = #expect(throws: SweepFileError.self) {
      try SweepFile(text: "seed: 1\nmethod: x", fileName: "a.yaml")
    }
    #expect(error?.file == "a.yaml")
    #expect(error?.line == 2)
    #expect(error?.message == "unknown method \"x\"; there are grid, random, sobol, boundary")
  }

  @Test func `a file's name that cannot name a sweep asks for one`() {
    let error = #expect(throws: SweepFileError.self) { try SweepFile(text: "seed: 1", fileName: "my sweep.yaml") }
    #expect(
      error?.description
        == "my sweep.yaml: the file's name makes a bad sweep name, \"my sweep\"; add a key sweep; a name has up to 100 "
        + "letters, digits, '-', '_' and '.', and begins with a letter or digit")
  }
}
