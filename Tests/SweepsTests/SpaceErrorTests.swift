// Every way to get a space wrong, by its exact sentence.

import Sweeps
import Testing

@Suite struct SpaceErrorTests {
  private static let axes = "axes: {training.weight_decay: [1, 2, 3]}\n"

  @Test(arguments: [
    (
      "method: sobol\npoints: 0\naxes: {training.weight_decay: {uniform: [0, 1]}}",
      "x.yaml:2: points must be at least 1, not 0"
    ),
    (
      "method: sobol\npoints: 10000000\naxes: {training.weight_decay: {uniform: [0, 1]}}",
      "x.yaml:2: points: 10000000 are too many; a sweep may have at most 1000000"
    ),
    (
      "method: random\naxes: {training.weight_decay: {uniform: [0, 1]}}",
      "x.yaml:1: method random needs a number of points, such as points: 64"
    ),
    (
      "method: sobol\npoints: 4\naxes: {seed: {count: 3}}",
      "x.yaml:1: method sobol has nothing to draw: no axis but seeds; add one, or remove method"
    ),
    (
      "method: sobol\npoints: [{training.weight_decay: 1}]\naxes: {training.beta1: {uniform: [0, 1]}}",
      "x.yaml:2: points lists points, but method sobol draws them; write points: 64, or remove method"
    ),
    (
      "sampling_seed: 3\naxes: {training.beta1: [0.5]}",
      "x.yaml:1: sampling_seed is given, but the method is grid; write method: sobol or random, or remove it"
    ),
    (
      "method: sobol\npoints: 500000\naxes:\n  training.beta1: {uniform: [0, 1]}\n  seed: {count: 3}",
      "x.yaml:3: the axes make 500000 samples × 3 points; a sweep may have at most 1000000"
    ),
    (
      "method: sobol\npoints: 4\naxes:\n  training.weight_decay: {log_uniform: [0, 1]}",
      "x.yaml:4: axis training.weight_decay: log_uniform needs bounds above 0, not 0, whose logarithm does not exist; write "
        + "uniform, or raise it"
    ),
    (
      "method: sobol\npoints: 4\naxes:\n  training.weight_decay: {uniform: [2, 1]}",
      "x.yaml:4: axis training.weight_decay: uniform from 2 to 1 holds nothing; exchange the bounds"
    ),
    (
      "method: sobol\npoints: 4\naxes:\n  training.weight_decay: {uniform: [2, 2]}",
      "x.yaml:4: axis training.weight_decay: uniform from 2 to 2 holds nothing; fix training.weight_decay outside axes, or "
        + "widen it"
    ),
    (
      "method: sobol\npoints: 4\naxes:\n  training.weight_decay: {uniform: [2]}",
      "x.yaml:4: axis training.weight_decay: uniform takes two bounds, such as {uniform: [1, 10]}"
    ),
    (
      "method: sobol\npoints: 4\naxes:\n  training.epochs: {uniform: [2, 9]}",
      "x.yaml:4: axis training.epochs: uniform draws fractions, and epochs is a whole number; write integer"
    ),
    (
      "method: sobol\npoints: 4\naxes:\n  training.epochs: {integer: [2, 9.5]}",
      "x.yaml:4: axis training.epochs: a bound of integer must be a whole number, not 9.5"
    ),
    (
      "method: sobol\npoints: 4\naxes:\n  task.operation: {uniform: [2, 9]}",
      "x.yaml:4: axis task.operation: uniform draws numbers; write a list of values (one of add, subtract, multiply, "
        + "x2xyy2, random)"
    ),
    (
      "method: sobol\npoints: 4\naxes:\n  training.beta1: [0.5, 0.6]\n  seed: {integer: [0, 9]}",
      "x.yaml:5: axis seed: a seed is not drawn but crossed with the samples; write {count: 5} or a list"
    ),
    (
      "axes:\n  training.epochs: {choice: [1], from: 2}",
      "x.yaml:2: axis training.epochs is both choice and from; keep one"
    ),
    (
      "axes:\n  training.epochs: {choice: 1}",
      "x.yaml:2: axis training.epochs: choice takes a list, such as {choice: [1, 2]}"
    ),
  ])
  func `a wrong sample is refused with what would be right`(text: String, sentence: String) {
    #expect(complaints(text) == sentence)
  }

  @Test func `sobol over more axes than it has dimensions is refused`() {
    // There are fewer keys than dimensions, so that only a list of every key could come near.
    #expect(SobolSequence.maximumDimensions == 32)
  }

  @Test(arguments: [
    (
      "axes:\n  zip: {training.beta1: [0.1, 0.2], training.beta2: [0.2]}",
      "x.yaml:2: training.beta2 has 1 value, but training.beta1, with which it moves, has 2; give both as many"
    ),
    (
      "axes:\n  zip: [1]",
      "x.yaml:2: zip is a mapping of keys to lists of one length, such as {model.d_model: [64, 128], model.d_mlp: [256, 512]}"
    ),
    (
      "axes:\n  zip: {training.beta1: [0.1, 0.2]}",
      "x.yaml:2: zip needs two keys or more that move together; write a single one as an axis"
    ),
    (
      "axes:\n  zip: {training.beta1: [0.1], beta2: [0.2]}",
      "x.yaml:2: unknown key \"beta2\" in zip; did you mean training.beta2?"
    ),
    ("zip: {training.beta1: [0.1]}", "x.yaml:1: unknown key \"zip\"; write zip under axes"),
    (
      "axes:\n  training.beta1: [0.1]\n  zip: {training.beta1: [0.1, 0.2], training.beta2: [0.2, 0.3]}",
      "x.yaml:3: training.beta1 is an axis here and on line 2 again; keep one"
    ),
    ("points: []", "x.yaml:1: points is empty; list points such as {training.weight_decay: 1}, or remove it"),
    ("points: [3]", "x.yaml:1: a point is a mapping of keys to values, such as {training.weight_decay: 1}"),
    (
      "points: [{weight_decay: 3}]",
      "x.yaml:1: unknown key \"weight_decay\" in points; did you mean training.weight_decay?"
    ),
    ("points: [{training.epochs: x}]", "x.yaml:1: epochs of a point must be a whole number, not \"x\""),
    (
      "points: {file: x.csv}",
      "x.yaml:1: points is a number of samples, a list of points, or a file of them: {csv: points.csv}"
    ),
    ("points: {csv: x.csv}", "x.yaml:1: x.csv: is not at hand here"),
    (
      "training: {weight_decay: 1}\npoints: [{training.weight_decay: 1}, {training.weight_decay: 3}]",
      "x.yaml:2: training.weight_decay is an axis here and fixed on line 1; keep one"
    ),
    (
      "blocks:\n  - axes: {seed: [1]}\n    sweep: x",
      "x.yaml:3: sweep belongs at the left margin, not in a block"
    ),
    ("blocks: 3", "x.yaml:1: blocks is a list of mappings, each with its own axes, such as - axes: {…}"),
    ("blocks: [3]", "x.yaml:1: a block is a mapping of keys such as training and axes, not \"3\""),
    (
      "method: sobol\npoints: 3\nblocks: [{axes: {seed: [1]}}]",
      "x.yaml:1: method has no effect here: the file has blocks, and each says how its points are made; move it into a block"
        + "\nx.yaml:1: method sobol has nothing to draw: no axis but seeds; add one, or remove method\n"
        + "x.yaml:2: points has no effect here: the file has blocks, and each says how its points are made; move it into a block"
    ),
  ])
  func `wrong rows and blocks are refused with what would be right`(text: String, sentence: String) {
    #expect(complaints(text) == sentence)
  }

  @Test(arguments: [
    ("", "p.csv: is empty; its first line names keys, such as training.weight_decay,seed"),
    ("training.weight_decay\n", "p.csv:1: is the only line; write a line for each point below it"),
    ("weight_decay\n1", "p.csv:1: unknown key \"weight_decay\" in the header; did you mean training.weight_decay?"),
    (
      "training.weight_decay;seed\n1;2",
      "p.csv:1: unknown key \"training.weight_decay;seed\" in the header; columns are separated by commas"
    ),
    ("seed,seed\n1,2", "p.csv:1: the header has seed twice; remove a column"),
    (
      "seed,training.epochs\n1,2\n\n3\n",
      "p.csv:4: has 1 cell, but the header on line 1 has 2; a cell may be empty, but its comma may not be missing"
    ),
    ("seed\nx\n", "p.csv:2: seed must be a whole number from 0 to 9007199254740991, not \"x\""),
    ("seed\n\"1\n", "p.csv:2: a quote is opened and not closed; add a \""),
    ("seed\n\"1\"2\n", "p.csv:2: something stands behind a closing quote; put the whole cell in quotes"),
    (
      "task.modulus,model.heads\n59,4\n59,3\n2,4\n",
      "p.csv:3: heads 3 does not divide d_model 128; each head gets d_model / heads dimensions (1 of 3 points)\n"
        + "p.csv:4: modulus 2 is impossible; it must be a whole number from 3 to 1024 (1 of 3 points)"
    ),
  ])
  func `a wrong CSV file is refused with its line`(csv: String, sentence: String) {
    let error = #expect(throws: SweepFileError.self) {
      try SweepFile(text: "points: {csv: p.csv}", fileName: "x.yaml") { _ in .bytes(Array(csv.utf8)) }
    }
    #expect(error?.description == sentence)
  }

  @Test(arguments: [
    (
      "exclude: {weight_decay: 1}",
      "x.yaml:2: unknown key \"weight_decay\" in exclude; did you mean training.weight_decay?"
    ),
    ("exclude: 3", "x.yaml:2: exclude is a mapping of keys to values, such as {training.weight_decay: {above: 1}}"),
    ("exclude: []", "x.yaml:2: exclude is empty; write a condition below it, or remove it"),
    ("exclude: {anny: []}", "x.yaml:2: unknown key \"anny\" in exclude; did you mean any?"),
    ("exclude: {any: 3}", "x.yaml:2: any in exclude takes a list of conditions, such as [{seed: 0}, {seed: 1}]"),
    (
      "require: {training.weight_decay: {abov: 3}}",
      "x.yaml:2: unknown comparison \"abov\" of training.weight_decay in require; did you mean above?"
    ),
    (
      "require: {training.weight_decay: {}}",
      "x.yaml:2: training.weight_decay in require is compared with nothing; write a value, a list, or {above: …}"
    ),
    (
      "require: {training.weight_decay: {above: 3, below: 1}}",
      "x.yaml:2: training.weight_decay in require can never be above 3 and below 1; correct one of them"
    ),
    (
      "require: {training.weight_decay: {above: 1, at_most: 1}}",
      "x.yaml:2: training.weight_decay in require can never be above 1 and at most 1; correct one of them"
    ),
    (
      "require: {training.weight_decay: []}",
      "x.yaml:2: training.weight_decay in require is one of an empty list; write a value in it"
    ),
    (
      "require: {training.weight_decay: much}",
      "x.yaml:2: training.weight_decay in require must be a number, not \"much\""
    ),
    (
      "require: {task.operation: {above: 1}}",
      "x.yaml:2: task.operation in require cannot be above anything: it is one of add, subtract, multiply, x2xyy2, random; "
        + "write a value or a list"
    ),
    (
      "require: {training.weight_decay: task.operation}",
      "x.yaml:2: training.weight_decay in require cannot be compared with task.operation, which is one of add, subtract, "
        + "multiply, x2xyy2, random"
    ),
    (
      "exclude:\n  - {training.weight_decay: {above: 1}}\nrequire: {training.weight_decay: {above: 1}}",
      "x.yaml:3: no point is left of 3: exclude on line 3 takes 2, require on line 4 takes 1; together they contradict the "
        + "axes, or each other; relax a rule, or widen an axis"
    ),
    (
      "exclude: {training.weight_decay: {above: 0}}",
      "x.yaml:2: no point is left of 3: exclude on line 2 takes 3; relax a rule, or widen an axis"
    ),
  ])
  func `a wrong rule is refused with what would be right`(rule: String, sentence: String) {
    #expect(complaints(Self.axes + rule) == sentence)
  }

  @Test(arguments: [
    (
      "training.beta1: {choice: [0.1, 0.2], when: {training.beta3: 1}}",
      "x.yaml:2: unknown key \"training.beta3\" in when of axis training.beta1; did you mean training.beta1?"
    ),
    (
      "training.beta1: {choice: [0.1, 0.2], when: {training.beta2: 0.3}}\n  training.beta2: {choice: [0.3], when: {training.beta1: 1}}",
      "x.yaml:2: the conditions of training.beta1, training.beta2 look at each other in a circle; remove one of them"
    ),
    (
      "training.beta1: {choice: [0.1, 0.2], when: {training.beta1: 0.1}}",
      "x.yaml:2: when of training.beta1 looks at training.beta1 itself; write the condition over other keys"
    ),
    (
      "training.beta1: {choice: [0.1, 0.2], when: {task.operation: random}}",
      "x.yaml:2: axis training.beta1 exists at no point, since its condition never holds; correct when, or remove the axis"
    ),
    (
      "training.beta1:\n    - 0.1\n    - {value: 0.2, when: {task.operation: random}}",
      "x.yaml:4: the value 0.2 of axis training.beta1 exists at no point, since its condition never holds; correct when, or "
        + "remove it"
    ),
    (
      "training.beta1: [{value: 0.2, wen: {seed: 1}}]",
      "x.yaml:2: unknown key \"wen\" in a value of axis training.beta1; it takes value and when"
    ),
  ])
  func `a wrong condition is refused with what would be right`(axis: String, sentence: String) {
    #expect(complaints("axes:\n  \(axis)") == sentence)
  }

  @Test func `more combinations than can be tried are refused without trying`() {
    let text = "axes:\n  model_seed: {count: 100000}\n  data_seed: {count: 100000}\nexclude: {model_seed: data_seed}"
    #expect(
      complaints(text)
        == "x.yaml:1: the axes make 100000 × 100000 combinations; at most 5000000 can be tried against rules and conditions; "
        + "make axes shorter, or several blocks")
  }

  @Test func `impossible samples are counted, and the first is named`() {
    let text = "method: sobol\npoints: 64\naxes:\n  model.heads: [1, 3]\n  model.d_mlp: {integer: [64, 512]}"
    #expect(
      complaints(text).hasPrefix(
        "x.yaml:4: heads 3 does not divide d_model 128; each head gets d_model / heads dimensions (32 of 64 points, first heads=3 d_mlp="
      ))
  }
}
