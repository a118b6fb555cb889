// Spaces that are no plain grids: axes that move together, lists of points, conditions, rules, blocks.

import Grokking
import Sweeps
import Testing

@Suite struct SpaceTests {
  private func file(_ text: String, _ files: [String: String] = [:]) throws -> SweepFile {
    try SweepFile(text: text, fileName: "x.yaml") { name in
      files[name].map { .bytes(Array($0.utf8)) } ?? .unreadable("no such file")
    }
  }

  private func settings(_ text: String, _ files: [String: String] = [:]) throws -> [String] {
    try file(text, files).points.map(\.setting)
  }

  @Test func `zipped keys move together and are crossed with the rest`() throws {
    let text = """
      axes:
        task.train_fraction: [0.3, 0.4]
        zip:
          model.d_model: [64, 128]
          model.d_mlp: {from: 256, to: 512, step: 256}
      """
    #expect(
      try settings(text) == [
        "train_fraction=0.3 d_model=64 d_mlp=256", "train_fraction=0.3 d_model=128 d_mlp=512",
        "train_fraction=0.4 d_model=64 d_mlp=256", "train_fraction=0.4 d_model=128 d_mlp=512",
      ])
  }

  @Test func `several zips are several axes, and a seed can move with a value`() throws {
    let text = """
      axes:
        zip:
          - {model.d_model: [64, 128], model.heads: [2, 4]}
          - {training.weight_decay: [1, 2, 1], model_seed: [7, 8, 9]}
      """
    let points = try file(text).points
    #expect(points.count == 6)
    #expect(points.map(\.experiment.modelSeed) == [7, 8, 9, 7, 8, 9])
    #expect(points[1].setting == "d_model=64 heads=2 weight_decay=2")
  }

  @Test func `listed points are crossed with the axes and keep what they do not say`() throws {
    let text = """
      training: {weight_decay: 5}
      points:
        - {training.weight_decay: 1, task.train_fraction: 0.4}
        - {task.train_fraction: 0.5}
        - {task.train_fraction: 0.5, training.weight_decay: 5}
      axes: {seed: {count: 2}}
      """
    let points = try file(text).points
    #expect(points.map(\.experiment.training.weightDecay) == [1, 1, 5, 5])
    #expect(points.map(\.experiment.task.trainFraction) == [0.4, 0.4, 0.5, 0.5])
    #expect(points.map(\.experiment.dataSeed) == [0, 1, 0, 1])
  }

  @Test func `a CSV file gives the same points as the same list in the sweep file`() throws {
    let csv =
      "\u{feff}training.weight_decay, task.operation\r\n# the pilot\r\n1,add\r\n\r\n\"0.5\",\"subtract\"\r\n,multiply"
    let listed = """
      points:
        - {task.operation: subtract, training.weight_decay: 0.5}
        - {task.operation: multiply}
        - {training.weight_decay: 1, task.operation: add}
      """
    let fromFile = try file("points: {csv: pilot.csv}", ["pilot.csv": csv])
    let inline = try file(listed)
    #expect(
      fromFile.points.map(\.setting) == [
        "weight_decay=1 operation=add", "weight_decay=0.5 operation=subtract", "operation=multiply",
      ])
    #expect(fromFile.canonical == inline.canonical)
    #expect(Set(fromFile.points.map(\.id)) == Set(inline.points.map(\.id)))
  }

  @Test func `an axis exists only where its condition holds`() throws {
    let text = """
      axes:
        training.beta1: {choice: [0.8, 0.7], when: {model.activation: gelu}}
        model.activation: [relu, gelu]
        seed: {count: 2}
      """
    let points = try file(text).points
    #expect(
      points.map(\.setting) == [
        "activation=relu", "activation=relu", "beta1=0.8 activation=gelu", "beta1=0.8 activation=gelu",
        "beta1=0.7 activation=gelu", "beta1=0.7 activation=gelu",
      ])
    #expect(points.map(\.experiment.training.beta1) == [0.9, 0.9, 0.8, 0.8, 0.7, 0.7])
    let fixed = try file("training: {beta1: 0.5}\n" + text).points
    #expect(fixed[0].experiment.training.beta1 == 0.5 && fixed[2].experiment.training.beta1 == 0.8)
  }

  @Test func `a value exists only where its condition holds, and conditions can look at conditional axes`() throws {
    let text = """
      axes:
        task.operation: [add, subtract, multiply]
        training.weight_decay:
          - 1
          - {value: 2, when: {task.operation: subtract}}
        training.beta1: {choice: [0.8, 0.7], when: {training.weight_decay: 2}}
      """
    #expect(
      try settings(text) == [
        "operation=add weight_decay=1", "operation=subtract weight_decay=1",
        "operation=subtract weight_decay=2 beta1=0.8", "operation=subtract weight_decay=2 beta1=0.7",
        "operation=multiply weight_decay=1",
      ])
  }

  @Test func `where no value exists the key keeps its fixed value`() throws {
    let text = """
      training: {weight_decay: 9}
      axes:
        task.operation: [add, subtract]
        training.weight_decay: [{value: 2, when: {task.operation: subtract}}]
      """
    #expect(try file(text).points.map(\.experiment.training.weightDecay) == [9, 2])
  }

  @Test func `drawn values can have conditions too`() throws {
    let text = """
      method: sobol
      points: 64
      axes:
        model.activation: [relu, gelu]
        training.beta1: {uniform: [0.5, 0.8], when: {model.activation: gelu}}
        training.weight_decay: [1, {value: 2, when: {model.activation: relu}}]
      """
    for point in try file(text).points {
      let isGelu = point.experiment.model.activation == .gelu
      #expect((point.experiment.training.beta1 < 0.8) == isGelu)
      #expect(!isGelu || point.experiment.training.weightDecay == 1)
    }
  }

  @Test(arguments: [
    ("exclude: {training.weight_decay: 3}", [1, 2]),
    ("exclude: {training.weight_decay: [1, 2]}", [3]),
    ("exclude: [{training.weight_decay: 1}, {training.weight_decay: 3}]", [2]),
    ("exclude: {any: [{training.weight_decay: 1}, {training.weight_decay: 3}]}", [2]),
    ("exclude: {all: [{training.weight_decay: {above: 1}}, {training.weight_decay: {below: 3}}]}", [1, 3]),
    ("exclude: {training.weight_decay: {above: 1, below: 3}}", [1, 3]),
    ("exclude: {training.weight_decay: {at_least: 2, at_most: 3}}", [1]),
    ("exclude: {not: {training.weight_decay: 2}}", [2]),
    ("exclude: {training.weight_decay: {not: 2}}", [2]),
    ("exclude: {training.weight_decay: {not: [1, 2]}}", [1, 2]),
    ("require: {training.weight_decay: {at_least: 2}}", [2, 3]),
    ("require: [{training.weight_decay: {at_least: 2}}, {training.weight_decay: {below: 3}}]", [2]),
    ("require: {training.weight_decay: {divides: 4}}", [1, 2]),
    ("require: {training.weight_decay: {divides: model.d_model}}", [1, 2]),
    ("exclude: {training.weight_decay: {above: training.beta1}, task.operation: add}\nrequire: {seed: 0}", []),
    ("require: {model.d_vocab_out: p+1}\nexclude: {training.weight_decay: 1}", [2, 3]),
    ("exclude: {stop.after_grokking: null, training.weight_decay: 1}", [2, 3]),
    ("exclude: {model.biases: true, training.weight_decay: 1}", [2, 3]),
    ("exclude: {model_seed: data_seed, training.weight_decay: 1}", [2, 3]),
  ])
  func `rules leave out what they say`(rules: String, left: [Double]) throws {
    let text = "axes: {training.weight_decay: [1, 2, 3]}\n" + rules
    if left.isEmpty {
      #expect(complaints(text).contains("no point is left of 3"))
    } else {
      #expect(try file(text).points.map(\.experiment.training.weightDecay) == left)
    }
  }

  @Test func `blocks have what the file has in common, and say otherwise where they do`() throws {
    let text = """
      training: {epochs: 500, weight_decay: 2}
      axes: {seed: {count: 2}}
      blocks:
        - axes: {task.train_fraction: [0.3, 0.4]}
        - training: {epochs: 600}
          preset: small
          axes: {training.weight_decay: [1, 3], seed: [9]}
      """
    let points = try file(text).points
    #expect(points.map(\.experiment.training.epochs) == [500, 500, 500, 500, 600, 600])
    #expect(points.map(\.experiment.training.weightDecay) == [2, 2, 2, 2, 1, 3])
    #expect(points.map(\.experiment.dataSeed) == [0, 1, 0, 1, 9, 9])
    #expect(points[4].experiment.task.modulus == 53)
    #expect(try file(text).axes == ["task.train_fraction", "seed", "training.weight_decay"])
  }

  @Test func `points of overlapping blocks are there once, under one setting whatever block they are of`() throws {
    let text = """
      blocks:
        - axes: {training.weight_decay: [1, 2], seed: [0, 1]}
        - axes: {task.train_fraction: [0.3, 0.4], seed: [1, 2]}
      """
    let points = try file(text).points
    #expect(
      points.map { "\($0.setting) \($0.experiment.dataSeed)" } == [
        "weight_decay=1 train_fraction=0.3 0", "weight_decay=1 train_fraction=0.3 1",
        "weight_decay=2 train_fraction=0.3 0", "weight_decay=2 train_fraction=0.3 1",
        "weight_decay=1 train_fraction=0.3 2", "weight_decay=1 train_fraction=0.4 1",
        "weight_decay=1 train_fraction=0.4 2",
      ])
    #expect(Set(points.map(\.id)).count == points.count)
  }

  @Test func `a block of its own, a file without blocks and an include mean the same points`() throws {
    let plain = "sweep: s\ntraining: {epochs: 500}\naxes: {training.weight_decay: [1, 2], seed: {count: 2}}"
    let block = "sweep: s\nblocks: [{training: {epochs: 500}, axes: {training.weight_decay: [1, 2], seed: {count: 2}}}]"
    let included = "sweep: s\ninclude: common.yaml\naxes: {training.weight_decay: [2, 1]}"
    let files = ["common.yaml": "sweep: other\naxes: {seed: [0, 1]}\ntraining: {epochs: 500, weight_decay: 7}"]
    let sweeps = [try file(plain), try file(block), try file(included, files)]
    #expect(Set(sweeps.map(\.canonical)).count == 1)
    #expect(sweeps.allSatisfy { Set($0.points.map(\.id)) == Set(sweeps[0].points.map(\.id)) })
    #expect(sweeps[0].canonical.contains("\"method\":\"grid\",\"sweep\":\"s\""), "as it was before there were blocks")
  }

  @Test func `an override reaches every block`() throws {
    let text = """
      sweep: s
      blocks:
        - {training: {epochs: 500}, axes: {training.weight_decay: [1, 2]}}
        - {training: {epochs: 600}, axes: {task.train_fraction: [0.3, 0.4]}}
      """
    func points(_ overrides: String...) throws -> [Experiment] {
      try SweepFile(text: text, fileName: "x", overrides: overrides).points.map(\.experiment)
    }
    #expect(try points("training.epochs=9").allSatisfy { $0.training.epochs == 9 })
    #expect(try points("axes.training.weight_decay=[4]").map(\.training.weightDecay) == [4, 4, 4])
    #expect(try points("seed=3").allSatisfy { $0.dataSeed == 3 })
    #expect(
      complaints(text, "method=random")
        == "--set method=random: the file has blocks, each with its own method; change it there")
    let sampled = "method: sobol\npoints: 4\naxes: {training.weight_decay: {uniform: [0, 1]}}"
    #expect(try SweepFile(text: sampled, fileName: "x", overrides: ["points=8"]).points.count == 8)
  }
}
