// Sampled sweeps: pure functions of their files, prefix by prefix, within their bounds, and evenly spread.

import Grokking
import Sweeps
import Testing

@Suite struct SampledSweepTests {
  private static func text(_ method: String, points: Int, seeds: Int = 2, sampling: Int = 0) -> String {
    """
    sweep: sampled
    method: \(method)
    points: \(points)
    sampling_seed: \(sampling)
    axes:
      training.weight_decay: {log_uniform: [0.1, 10]}
      task.train_fraction: {uniform: [0.2, 0.6]}
      model.d_mlp: {integer: [64, 512]}
      training.beta2: {choice: [0.98, 0.99, 0.999]}
      model.activation: [relu, gelu]
      seed: {count: \(seeds)}
    """
  }

  private func file(_ text: String) throws -> SweepFile { try SweepFile(text: text, fileName: "x.yaml") }

  @Test(arguments: ["sobol", "random"])
  func `more points keep the first ones in their places, seeds and all`(method: String) throws {
    let few = try file(Self.text(method, points: 64)).points.map(\.id)
    let many = try file(Self.text(method, points: 128)).points.map(\.id)
    #expect(few.count == 128 && many.count == 256)
    #expect(Array(many.prefix(128)) == few)
    #expect(Set(many).count == 256)
  }

  @Test(arguments: ["sobol", "random"])
  func `values lie within their bounds and are short decimals`(method: String) throws {
    for point in try file(Self.text(method, points: 500, seeds: 1)).points {
      let (training, task) = (point.experiment.training, point.experiment.task)
      #expect((0.1...10).contains(training.weightDecay))
      #expect(task.trainFraction >= 0.2 && task.trainFraction < 0.6)
      #expect((64...512).contains(point.experiment.model.dMLP))
      #expect([0.98, 0.99, 0.999].contains(training.beta2))
      for value in [training.weightDecay, task.trainFraction] {
        #expect("\(value)".count <= 10, "\(value)")
      }
      // Seven decimals of a span of 0.4: the steps are whole.
      #expect((task.trainFraction * 1e7).rounded() / 1e7 == task.trainFraction)
    }
  }

  @Test(arguments: ["sobol", "random"])
  func `the same file means the same points for ever`(method: String) throws {
    let points = try file(Self.text(method, points: 3, seeds: 1)).points
    #expect(points.map(\.setting) == (method == "sobol" ? Self.frozenSobol : Self.frozenRandom))
  }

  @Test func `the order of keys and another name change nothing, another sampling_seed does`() throws {
    let ordered = try file(Self.text("sobol", points: 16))
    let lines = Self.text("sobol", points: 16).split(separator: "\n").map(String.init)
    let turned = (lines[..<5].reversed().filter { $0 != "axes:" } + ["axes:"] + lines[5...].reversed())
    let shuffled = try file(turned.joined(separator: "\n"))
    #expect(Set(shuffled.points.map(\.id)) == Set(ordered.points.map(\.id)))
    #expect(shuffled.canonical == ordered.canonical)
    let other = try file(Self.text("sobol", points: 16, sampling: 1))
    #expect(Set(other.points.map(\.id)).isDisjoint(with: ordered.points.map(\.id)))
    #expect(other.differences(from: ordered.canonical) == ["sampling_seed: was 0, is 1"])
  }

  @Test func `each axis is spread evenly, a logarithmic one over its decades`() throws {
    let points = try file(Self.text("sobol", points: 512, seeds: 1)).points.map(\.experiment)
    #expect(points.count { $0.training.weightDecay < 1 } == 256)
    #expect(points.count { $0.task.trainFraction < 0.4 } == 256)
    #expect(points.count { $0.model.activation == .gelu } == 256)
    for beta in [0.98, 0.99, 0.999] { #expect((165...176).contains(points.count { $0.training.beta2 == beta })) }
  }

  @Test func `a whole number is drawn by its logarithm too`() throws {
    let text = """
      method: sobol
      points: 256
      axes: {model.d_mlp: {log_uniform: [32, 512]}, task.train_fraction: {uniform: [0.2, 0.6]}}
      """
    let points = try file(text).points
    #expect(points.count == 256)
    #expect(points.allSatisfy { (32...512).contains($0.experiment.model.dMLP) })
    #expect((120...128).contains(points.count { $0.experiment.model.dMLP < 128 }))
  }

  @Test func `samples that come to the same point are one point`() throws {
    let points = try file("method: random\npoints: 100\naxes: {model.d_mlp: {integer: [1, 6]}, seed: {count: 2}}")
      .points
    #expect(points.count == 12)
    #expect(Set(points.map(\.id)).count == 12)
  }

  @Test func `keys that move together are drawn together, and ranges are choices`() throws {
    let text = """
      method: sobol
      points: 32
      axes:
        zip: {model.d_model: [32, 64], model.d_mlp: [128, 256]}
        task.train_fraction: {from: 0.3, to: 0.5, step: 0.1}
        model_seed: [1, 2]
        data_seed: {count: 2}
      """
    let points = try file(text).points
    #expect(points.allSatisfy { $0.experiment.model.dMLP == 4 * $0.experiment.model.dModel })
    #expect(points.count == 2 * 3 * 4)
    #expect(
      points.prefix(4).map { [$0.experiment.modelSeed, $0.experiment.dataSeed] } == [
        [1, 0], [1, 1], [2, 0], [2, 1],
      ])
  }

  @Test func `rules take samples away and bring no others`() throws {
    let all = try file("method: sobol\npoints: 64\naxes: {task.train_fraction: {uniform: [0.2, 0.6]}}").points
    let ruled = try file(
      "method: sobol\npoints: 64\naxes: {task.train_fraction: {uniform: [0.2, 0.6]}}\nexclude: {task.train_fraction: {below: 0.3}}"
    ).points
    #expect(ruled.count == 48)
    #expect(ruled.map(\.id) == all.filter { $0.experiment.task.trainFraction >= 0.3 }.map(\.id))
  }

  @Test func `a million samples are a million points`() throws {
    let text = """
      method: sobol
      points: 1000000
      axes: {training.weight_decay: {log_uniform: [0.1, 10]}, task.train_fraction: {uniform: [0.2, 0.6]}}
      """
    let points = try file(text).points
    #expect(points.count == 1_000_000)
    #expect(points[999_999].experiment != points[0].experiment)
  }

  /// Computed apart from this code, in Python, from what docs/reference/sweep-file.md says.
  private static let frozenSobol = [
    "weight_decay=1.429807 train_fraction=0.3273566 d_mlp=173 beta2=0.98 activation=gelu",
    "weight_decay=0.4722385 train_fraction=0.4283368 d_mlp=451 beta2=0.999 activation=relu",
    "weight_decay=0.1405582 train_fraction=0.2995199 d_mlp=257 beta2=0.99 activation=relu",
  ]
  private static let frozenRandom = [
    "weight_decay=1.697281 train_fraction=0.3470927 d_mlp=211 beta2=0.99 activation=gelu",
    "weight_decay=0.1949648 train_fraction=0.5260562 d_mlp=215 beta2=0.98 activation=gelu",
    "weight_decay=7.151504 train_fraction=0.2353436 d_mlp=493 beta2=0.999 activation=relu",
  ]
}
