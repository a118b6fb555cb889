// Spaces by the hundred, from a seeded generator: the order of lines changes nothing, positions give what going over the
// points gives, and rules leave what a plain grid has for which they hold.

import Grokking
import Sweeps
import Testing

@Suite struct SpacePropertyTests {
  private static let axes = [
    "training.weight_decay: [0.3, 1, {value: 3, when: {model.activation: relu}}]",
    "model.activation: [relu, gelu]",
    "training.beta1: {choice: [0.8, 0.7], when: {model.activation: gelu}}",
    "zip: {model.d_model: [32, 64], model.d_mlp: [64, 128]}",
    "seed: {count: 2}",
  ]
  private static let rules = [
    "{training.weight_decay: 0.3, model.activation: gelu}", "{model.d_model: 64, training.beta1: {below: 0.75}}",
    "{not: {any: [{seed: 0}, {training.weight_decay: {at_most: 1}}]}}",
  ]

  /// The same sweep with its lines in another order: axes, rules, blocks and the keys around them.
  private static func text(_ generator: inout SplitMix) -> String {
    func lines(_ parts: [String], _ indent: String, _ generator: inout SplitMix) -> String {
      parts.shuffled(using: &generator).map { "\(indent)\($0)\n" }.joined()
    }
    let blocks = [
      "  - axes:\n" + lines(Self.axes, "      ", &generator),
      "  - points: ["
        + ["{training.weight_decay: 1}", "{training.epochs: 7, training.weight_decay: 0.5}"].shuffled(using: &generator)
        .joined(separator: ", ") + "]\n",
      "  - points: 16\n    method: sobol\n    axes: {task.train_fraction: {uniform: [0.2, 0.6]}, training.beta2: [0.9, 0.95]}\n",
    ]
    let parts = [
      "sweep: shuffled\n", "training: {epochs: 500}\n", "blocks:\n" + blocks.shuffled(using: &generator).joined(),
      "exclude:\n" + lines(Self.rules, "  - ", &generator),
    ]
    return parts.shuffled(using: &generator).joined()
  }

  @Test(arguments: 0..<40)
  func `the order of axes, rules, rows and blocks changes neither ids nor the canonical form`(seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    let one = try SweepFile(text: Self.text(&generator), fileName: "x")
    let other = try SweepFile(text: Self.text(&generator), fileName: "y")
    #expect(one.canonical == other.canonical)
    #expect(one.points.map(\.id).sorted() == other.points.map(\.id).sorted())
    #expect(Set(one.points.map(\.id)).count == one.points.count)
    #expect(other.differences(from: one.canonical) == [])
  }

  @Test func `any position can be asked for without those before it`() throws {
    var generator = SplitMix(state: 3)
    let points = try SweepFile(text: Self.text(&generator), fileName: "x").points
    let all = Array(points)
    for position in points.indices.shuffled(using: &generator) {
      #expect(points[position] == all[position])
      #expect(points.described(at: position).experiment == all[position].experiment)
    }
  }

  @Test(arguments: 0..<30)
  func `rules leave those points of the plain grid for which they hold`(seed: UInt64) throws {
    var generator = SplitMix(state: seed &+ 77)
    let grid = "axes: {training.weight_decay: [1, 2, 3, 4], training.epochs: [1, 2, 3], seed: {count: 3}}\n"
    let (decay, epochs) = (Int.random(in: 1...4, using: &generator), Int.random(in: 1...3, using: &generator))
    let rules = """
      exclude: [{training.weight_decay: {above: \(decay)}, training.epochs: \(epochs)}, {seed: 1, training.weight_decay: \(decay)}]
      require: {any: [{training.epochs: {not: 2}}, {training.weight_decay: {divides: 4}}]}
      """
    let all = try SweepFile(text: grid, fileName: "x").points
    let expected = all.filter { point in
      let (d, e) = (Int(point.experiment.training.weightDecay), point.experiment.training.epochs)
      if d > decay && e == epochs || point.experiment.dataSeed == 1 && d == decay { return false }
      return e != 2 || 4 % d == 0
    }
    #expect(try SweepFile(text: grid + rules, fileName: "x").points.map(\.id) == expected.map(\.id))
  }
}
