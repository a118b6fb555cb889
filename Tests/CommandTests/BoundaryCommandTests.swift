// `plan` and `sweep` of a search, and `extend --where`: the real binary.

import Foundation
import TestSupport
import Testing

@Suite struct BoundaryCommandTests {
  private static let search = """
    sweep: search
    task: {modulus: 7}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 40}
    measure: {evaluate_every: 20}
    method: boundary
    axes:
      training.weight_decay: [1, 2]
      task.train_fraction: {boundary: [0.10, 0.90], resolution: 0.01, start: 5}
      seed: {count: 3}
    """

  private func folder(_ text: String = search) throws -> Folder {
    let folder = try Folder()
    try folder.write(text, to: "search.yaml")
    return folder
  }

  @Test func `plan says what a search begins with, the whole grid, and the most that it takes`() throws {
    let planned = try Groksweep.run(["plan", "search.yaml"], in: folder())
    #expect(planned.status == 0, "\(planned.errors)")
    #expect(planned.output.hasPrefix("search: 30 points, 0 finished, 30 to run"), "\(planned.output)")
    #expect(
      planned.output.contains(
        """
        2 searches for where the outcome changes. These are 30 points of the 486 that the whole grid has at this \
        resolution; refining takes at most 60 points when the outcome changes once in each search, and at most 150 points (31 %) whatever comes.
        """), "\(planned.output)")
  }

  @Test func `what cannot be searched is refused with its line, and nothing is written`() throws {
    let folder = try folder(Self.search.replacing("resolution: 0.01", with: "resolution: 0.03"))
    let refused = try Groksweep.run(["sweep", "search.yaml"], in: folder)
    #expect(refused.status == 65)
    #expect(
      refused.errors.hasPrefix(
        "groksweep: search.yaml:9: axis task.train_fraction: steps of 0.03 up from 0.10 do not meet 0.90; end at 0.88"),
      "\(refused.errors)")
    #expect(try folder.names() == ["search.yaml"])
  }

  @Test func `a search runs to its end, and again has nothing to do`() throws {
    let folder = try folder()
    let ran = try Groksweep.run(
      ["sweep", "search.yaml", "--workers", "2", "--set", "axes.seed=[0]", "axes.training.weight_decay=[1]"], in: folder
    )
    #expect(ran.status == 0, "\(ran.errors)")
    let kept = try folder.query("search.sqlite", "SELECT file_text FROM sweep")
    #expect(kept.joined(separator: "\n").hasSuffix("#@ set \"axes.training.weight_decay=[1]\""), "\(kept)")
    // Every stretch of the start whose ends differ has a boundary, to the resolution.
    let sides = try folder.query(
      "search.sqlite",
      "SELECT train_fraction, grokking_epoch IS NOT NULL FROM runs ORDER BY train_fraction")
    let changes = zip(sides, sides.dropFirst()).filter { $0.last != $1.last }
    let boundaries = try folder.query("search.sqlite", "SELECT round(100 * (high - low)) FROM boundaries")
    #expect(boundaries.count == changes.count)
    #expect(boundaries.allSatisfy { $0 == "1.0" })
    let again = try Groksweep.run(
      ["sweep", "search.yaml", "--set", "axes.seed=[0]", "axes.training.weight_decay=[1]"], in: folder)
    #expect(again.status == 0 && again.errors.contains("already finished"), "\(again.errors)")
  }

  private static let short = """
    sweep: short
    task: {modulus: 7, train_fraction: 0.6}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 40}
    measure: {evaluate_every: 20}
    axes:
      training.weight_decay: [1, 2]
      seed: {count: 2}
    """

  @Test func `runs of a store are extended as a sweep of their own, which goes on when asked again`() throws {
    let folder = try Folder()
    try folder.write(Self.short, to: "short.yaml")
    #expect(try Groksweep.run(["sweep", "short.yaml", "--workers", "2"], in: folder).status == 0)
    let extend = [
      "extend", "--where", "weight_decay = 2", "--store", "short.sqlite", "--epochs", "100", "--workers", "1",
    ]
    let longer = try Groksweep.run(extend, in: folder)
    #expect(longer.status == 0, "\(longer.errors)")
    #expect(longer.errors.contains("2 points to 100 epochs, each from its start"), "\(longer.errors)")
    #expect(longer.output.hasPrefix("short-extended-100-359f45: 2 of 2 points finished"), "\(longer.output)")
    #expect(
      try folder.query(
        "short.sqlite",
        "SELECT weight_decay, model_seed, max_epochs FROM runs WHERE sweep = 'short-extended-100-359f45'")
        == ["2.0|0|100", "2.0|1|100"])
    let again = try Groksweep.run(extend, in: folder)
    #expect(again.status == 0 && again.errors.contains("all 2 points already finished"), "\(again.errors)")
    // The first evaluations are those of the shorter runs, in every bit.
    #expect(
      try folder.query(
        "short.sqlite",
        """
        SELECT count(*) FROM runs AS a JOIN runs AS b USING (weight_decay, model_seed)
        JOIN curves AS c ON c.point = a.point JOIN curves AS d ON d.point = b.point AND d.epoch = c.epoch
        WHERE a.sweep = 'short' AND b.sweep = 'short-extended-100-359f45' AND c.epoch < 40 AND c.test_loss = d.test_loss
        """) == ["4"])
  }

  @Test func `censored runs go on from where they ended, when that is kept, and give what they give from their start`()
    throws
  {
    let folder = try Folder()
    try folder.write(Self.short, to: "short.yaml")
    let swept = try Groksweep.run(["sweep", "short.yaml", "--workers", "2", "--keep-censored"], in: folder)
    #expect(swept.status == 0 && swept.errors.contains("how 4 censored runs ended"), "\(swept.errors)")
    let ended = try FileManager.default.contentsOfDirectory(atPath: folder.path("short.checkpoints/ended")).sorted()
    #expect(ended.count == 4)
    // One of them is damaged, and one is gone.
    let damaged = folder.path("short.checkpoints/ended/\(ended[0])/weights-1")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: damaged))
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: URL(fileURLWithPath: damaged))
    try FileManager.default.removeItem(atPath: folder.path("short.checkpoints/ended/\(ended[1])"))

    let extend = ["extend", "--where", "censored", "--store", "short.sqlite", "--epochs"]
    let longer = try Groksweep.run(extend + ["90", "--workers", "2", "--keep-censored"], in: folder)
    #expect(longer.status == 0, "\(longer.errors)")
    #expect(longer.errors.contains("3 from where a shorter one ended, 1 from the start"), "\(longer.errors)")
    let straight = try Groksweep.run(
      ["sweep", "short.yaml", "--store", "straight.sqlite", "--set", "training.epochs=90"], in: folder)
    #expect(straight.status == 0, "\(straight.errors)")
    let runs = "SELECT point, digest FROM runs WHERE max_epochs = 90 ORDER BY point"
    #expect(try folder.query("short.sqlite", runs) == folder.query("straight.sqlite", runs))
    #expect(try folder.query("short.sqlite", runs).count == 4)

    let longest = try Groksweep.run(extend + ["200"], in: folder)
    #expect(longest.status == 0 && longest.errors.contains("each from where a shorter one ended"), "\(longest.errors)")
  }

  @Test func `what cannot be extended is said`() throws {
    let folder = try Folder()
    try folder.write(Self.short, to: "short.yaml")
    #expect(try Groksweep.run(["sweep", "short.yaml", "--workers", "2"], in: folder).status == 0)
    func refused(_ arguments: [String]) throws -> (status: Int32, errors: String) {
      let ended = try Groksweep.run(["extend"] + arguments, in: folder)
      return (Int32(ended.status), ended.errors)
    }
    let none = try refused(["--where", "weight_decay = 5", "--store", "short.sqlite", "--epochs", "100"])
    #expect(none.status == 65 && none.errors.contains("no finished point fulfils"), "\(none.errors)")
    let done = try refused(["--where", "1", "--store", "short.sqlite", "--epochs", "40"])
    #expect(
      done.status == 65 && done.errors.contains("all 4 points that --where means had 40 epochs"), "\(done.errors)")
    let wrong = try refused(["--where", "wieght_decay = 5", "--store", "short.sqlite", "--epochs", "100"])
    #expect(wrong.status == 65 && wrong.errors.contains("no such column"), "\(wrong.errors)")
    let both = try refused(["3f", "--where", "1", "--store", "short.sqlite", "--epochs", "100"])
    #expect(both.status == 64 && both.errors.contains("not both"), "\(both.errors)")
    #expect(try refused(["--where", "1", "--epochs", "100"]).status == 64)
  }
}
