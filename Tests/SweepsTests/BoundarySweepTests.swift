// Sweep files with method boundary: what they begin with, how seeds vote, what they grow to, and what is refused.

import Grokking
import Sweeps
import Testing

@Suite struct BoundarySweepTests {
  static let text = """
    sweep: critical
    method: boundary
    axes:
      training.weight_decay: [1, 2]
      task.train_fraction: {boundary: [0.10, 0.90], resolution: 0.01, start: 5}
      seed: {count: 3}
    """

  private func file(_ text: String, _ overrides: [String] = []) throws -> SweepFile {
    try SweepFile(text: text, fileName: "x.yaml", overrides: overrides)
  }

  /// Grokking from a fraction on that depends on weight decay.
  private func vote(_ experiment: Experiment) -> BoundaryVote {
    experiment.task.trainFraction >= (experiment.training.weightDecay == 1 ? 0.345 : 0.215) ? .grokked : .censored
  }

  private func wanted(_ file: SweepFile, _ vote: @escaping (Experiment) -> BoundaryVote?) throws -> [Point] {
    let plan = try #require(file.boundary)
    var experiments: [PointID: Experiment] = [:]
    for point in plan.grid { experiments[point.id] = point.experiment }
    return Array(plan.wanted { experiments[$0].flatMap(vote) }.points)
  }

  @Test func `it begins with the coarse values, all seeds of each`() throws {
    let file = try file(Self.text)
    #expect(file.points.count == 30)
    #expect(
      file.points.prefix(4).map(\.setting) == [
        "weight_decay=1 train_fraction=0.1", "weight_decay=1 train_fraction=0.1", "weight_decay=1 train_fraction=0.1",
        "weight_decay=1 train_fraction=0.3",
      ])
    let plan = try #require(file.boundary)
    #expect(plan.gridCount == 2 * 81 * 3 && plan.searchCount == 2)
    #expect(plan.mostPointsForOneChange == 2 * 10 * 3 && plan.mostPoints == 2 * 25 * 3)
    #expect(file.axes == ["training.weight_decay", "task.train_fraction", "seed"])
  }

  @Test func `each combination is searched for itself, to the resolution`() throws {
    let points = try wanted(file(Self.text), vote)
    #expect(points.count <= 60)
    let settings = Set(points.map(\.setting))
    for edge in ["1 train_fraction=0.34", "1 train_fraction=0.35", "2 train_fraction=0.21", "2 train_fraction=0.22"] {
      #expect(settings.contains("weight_decay=\(edge)"), "\(edge)")
    }
    // In the order of the grid, all seeds of a value.
    let grid = try #require(try file(Self.text).boundary).grid.map(\.id)
    #expect(points.map(\.id) == grid.filter(Set(points.map(\.id)).contains))
    #expect(points.count == 3 * settings.count)
  }

  @Test func `at least half of the seeds decide, failed ones have no vote, and a value waits for all of its seeds`()
    throws
  {
    let file = try file(Self.text, ["axes.training.weight_decay=[1]", "axes.seed={count: 2}"])
    // Below 0.5 one of two seeds groks, which is half; so there is no change but below 0.2.
    let halves = try wanted(file) {
      $0.task.trainFraction < 0.195 || ($0.task.trainFraction < 0.5 && $0.modelSeed == 0) ? .censored : .grokked
    }
    #expect(halves.contains { $0.setting == "weight_decay=1 train_fraction=0.2" })
    #expect(!halves.contains { $0.setting == "weight_decay=1 train_fraction=0.4" })
    // The seed that would have said otherwise failed.
    let failed = try wanted(file) { $0.modelSeed == 1 ? .failed : $0.task.trainFraction < 0.5 ? .censored : .grokked }
    #expect(failed.contains { $0.setting == "weight_decay=1 train_fraction=0.49" })
    let waiting = try wanted(file) { $0.modelSeed == 1 ? nil : $0.task.trainFraction < 0.5 ? .censored : .grokked }
    #expect(waiting.map(\.id) == file.points.map(\.id))
  }

  @Test func `a value of which every seed failed is said, and its cells are left`() throws {
    let file = try file(Self.text, ["axes.training.weight_decay=[1]"])
    let plan = try #require(file.boundary)
    let wanted = plan.wanted { id in
      let fraction = plan.grid.first { $0.id == id }?.experiment.task.trainFraction ?? 0
      return fraction == 0.3 ? .failed : fraction < 0.4 ? .censored : .grokked
    }
    #expect(wanted.undecided == ["weight_decay=1 train_fraction=0.3"])
    #expect(wanted.points.map(\.id) == file.points.map(\.id))
  }

  @Test func `without seeds each value has one vote, and two searched axes make a plane`() throws {
    let file = try file(
      """
      method: boundary
      axes:
        training.epochs: {boundary: [1000, 3000], resolution: 100, start: 3}
        task.train_fraction: {boundary: [0.2, 0.6], resolution: 0.02, start: 3}
      """)
    #expect(file.points.count == 9)
    #expect(file.boundary?.gridCount == 21 * 21 && file.boundary?.mostPointsForOneChange == nil)
    let points = try wanted(file) { Double($0.training.epochs) * $0.task.trainFraction > 700 ? .grokked : .censored }
    #expect(points.count < 150)
    #expect(points.contains { $0.setting == "epochs=2000 train_fraction=0.36" })
  }

  @Test func `rules leave values out, which are then not asked for`() throws {
    let file = try file(Self.text + "\nexclude: {task.train_fraction: {below: 0.2}}")
    #expect(file.points.count == 24)
    #expect(try wanted(file, vote).allSatisfy { $0.experiment.task.trainFraction >= 0.2 })
  }

  @Test func `what a store keeps reads as the same sweep, overrides and all`() throws {
    let overrides = ["training.epochs=500", "axes.seed=[7, 8]", "sweep=short"]
    let file = try file(Self.text, overrides)
    #expect(file.text == Self.text)
    let again = try SweepFile(text: file.storedText, fileName: "other.yaml")
    #expect(again.canonical == file.canonical && again.points.map(\.id) == file.points.map(\.id))
    #expect(again.storedText == file.storedText && again.text == file.storedText)
    let further = try SweepFile(text: file.storedText, fileName: "other.yaml", overrides: ["training.epochs=600"])
    #expect(further.points.allSatisfy { $0.experiment.training.epochs == 600 })
    #expect(try self.file(Self.text).storedText == Self.text)
  }

  @Test func `another resolution or start is another search`() throws {
    let file = try file(Self.text)
    #expect(file.canonical.contains(#""method":"boundary""#))
    let finer = try self.file(Self.text.replacing("resolution: 0.01", with: "resolution: 0.005"))
    #expect(finer.canonical != file.canonical)
    #expect(finer.differences(from: file.canonical).count == 1)
    let spelled = try self.file(
      Self.text.replacing("[0.10, 0.90]", with: "[0.1, 9e-1]").replacing(", start: 5", with: ""))
    #expect(spelled.canonical == file.canonical)
  }

  @Test(arguments: [
    (
      "task.train_fraction: {boundary: [0.1, 0.9], resolution: 0.03}",
      "steps of 0.03 up from 0.1 do not meet 0.9; end at 0.88, or choose a resolution that divides the range"
    ),
    ("task.train_fraction: {boundary: [0.1, 0.9], resolution: 2}", "steps of 2 up from 0.1 do not meet 0.9"),
    ("task.train_fraction: {boundary: [0.9, 0.1], resolution: 0.1}", "0.9 is not below 0.1"),
    ("task.train_fraction: {boundary: [0.1, 0.5, 0.9], resolution: 0.1}", "boundary takes two values"),
    ("task.train_fraction: {boundary: [0.1, 0.9]}", "lacks resolution"),
    ("task.train_fraction: {resolution: 0.1}", "lacks boundary"),
    ("task.train_fraction: {boundary: [0.1, 0.9], resolution: 0}", "must be above 0"),
    ("task.train_fraction: {boundary: [0.1, 0.9], resolution: 0.1, start: 10}", "begins with 2 to 9 of its 9 values"),
    ("task.train_fraction: {boundary: [0.1, 0.9], resolution: 0.1, start: 1}", "start 1 is impossible"),
    ("task.train_fraction: {boundary: [0.1, 0.9], resolution: 0.1, step: 1}", "is both searched and has step"),
    (
      "task.train_fraction: {boundary: [0.1, 0.9], resolution: 0.1, when: {training.epochs: 5}}",
      "is searched, so it exists everywhere"
    ),
    ("model.activation: {boundary: [relu, gelu], resolution: 1}", "axis model.activation cannot be searched"),
    ("model.heads: {boundary: [1, 4], resolution: 0.5}", "resolution"),
    ("task.train_fraction: {boundary: [0.5, 1.5], resolution: 0.5}", "train_fraction 1.5 is impossible"),
    ("task.train_fraction: [0.1, 0.2]", "method boundary has nothing to search"),
    ("seed: {boundary: [0, 8], resolution: 1}", "seeds are not searched, they vote"),
  ])
  func `what cannot be searched is refused in words`(axis: String, words: String) {
    let error = #expect(throws: SweepFileError.self) { try file("method: boundary\naxes:\n  \(axis)\n") }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    #expect(error?.line == 3 || words.contains("nothing to search") || words.contains("impossible"))
  }

  @Test func `four searched axes, other methods, zips and blocks are refused`() {
    let four = """
      method: boundary
      axes:
        task.train_fraction: {boundary: [0.1, 0.3], resolution: 0.1}
        training.epochs: {boundary: [1, 3], resolution: 1}
        training.weight_decay: {boundary: [1, 3], resolution: 1}
        training.beta1: {boundary: [0.1, 0.3], resolution: 0.1}
      """
    func problem(_ text: String) -> String {
      (#expect(throws: SweepFileError.self) { try file(text) })?.description ?? ""
    }
    #expect(problem(four).contains("x.yaml:6: axis training.beta1 is searched, and so are 3 others"))
    let axis = "task.train_fraction: {boundary: [0.1, 0.3], resolution: 0.1}"
    #expect(problem("axes:\n  \(axis)").contains("is searched, but the method is grid; write method: boundary"))
    #expect(
      problem("method: sobol\npoints: 4\naxes:\n  training.weight_decay: {uniform: [1, 2]}\n  \(axis)")
        .contains("is searched, but the method is sobol"))
    #expect(problem("method: boundary\npoints: 4\naxes:\n  \(axis)").contains("but the method is boundary"))
    #expect(
      problem("method: boundary\naxes:\n  zip:\n    training.epochs: [1, 2, 3]\n    \(axis)").contains(
        "in zip is searched"))
    #expect(
      problem("blocks:\n  - method: boundary\n    axes: {\(axis)}\n  - axes: {training.epochs: [5]}")
        .contains("method boundary stands alone"))
    #expect(
      problem("method: boundary\naxes:\n  \(axis)\nexclude: {task.train_fraction: {below: 0.4}}").contains("no point"))
  }
}
