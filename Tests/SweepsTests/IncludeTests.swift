// Files that include others, and the one text that holds them all.

import Sweeps
import Testing

@Suite struct IncludeTests {
  private let files = [
    "configs/x.yaml": "sweep: s\ninclude: [base/common.yaml]\npoints: {csv: pilot.csv}\n",
    "configs/base/common.yaml": "include: ../deep.yaml\ntask: {operation: subtract}\n",
    "configs/deep.yaml": "task: {operation: multiply, modulus: 59}\naxes: {seed: {count: 2}}",
    "configs/pilot.csv": "training.weight_decay\n1\n2\n",
  ]

  private func read(_ name: String, _ files: [String: String]) throws(SweepFileError) -> SweepFile {
    try SweepFile(text: files[name] ?? "", fileName: name) { found in
      files[found].map { .bytes(Array($0.utf8)) } ?? .unreadable("no such file")
    }
  }

  private func words(_ name: String, _ files: [String: String]) -> String {
    do {
      _ = try read(name, files)
      return ""
    } catch {
      return error.description
    }
  }

  @Test func `names begin where the naming file is, and the nearer word counts`() throws {
    let points = try read("configs/x.yaml", files).points
    #expect(points.count == 4)
    #expect(points.allSatisfy { $0.experiment.task.operation == .subtract && $0.experiment.task.modulus == 59 })
  }

  @Test func `the text of a file that includes others means the same where those are not`() throws {
    let here = try read("configs/x.yaml", files)
    let elsewhere = try SweepFile(text: here.text, fileName: "saved.yaml")
    #expect(elsewhere.points.map(\.id) == here.points.map(\.id))
    #expect(elsewhere.canonical == here.canonical && elsewhere.name == "s")
    #expect(elsewhere.text == here.text)
    #expect(here.text.hasPrefix("#@ 3 lines of configs/x.yaml\nsweep: s\n"))
    let windows = files.mapValues { $0.replacing("\n", with: "\r\n") }
    let carried = try SweepFile(text: try read("configs/x.yaml", windows).text, fileName: "saved.yaml")
    #expect(carried.points.map(\.id) == here.points.map(\.id))
    let alone = "#@ a comment of its own\nsweep: s\nseed: 1\n"
    #expect(try SweepFile(text: alone, fileName: "x").text == alone)
  }

  @Test func `problems of a bundle stand on the lines of its files`() throws {
    let text = try read("configs/x.yaml", files).text.replacing("modulus: 59", with: "modulo: 59")
    let error = #expect(throws: SweepFileError.self) { try SweepFile(text: text, fileName: "received") }
    #expect(
      error?.description
        == "configs/deep.yaml:1: unknown key \"modulo\" in task; did you mean modulus?")
  }

  @Test func `a damaged bundle is refused where it is damaged`() {
    #expect(complaints("#@ 9 lines of x.yaml\nseed: 1\n").hasPrefix("x.yaml:1: this bundle is damaged"))
    #expect(complaints("#@ 1 lines of x.yaml\nseed: 1\nseed: 2\n").hasPrefix("x.yaml:3: this bundle is damaged"))
    #expect(
      complaints("#@ 1 lines of x.yaml\ninclude: y.yaml\n") == "x.yaml:1: y.yaml is not among the files of this bundle")
  }

  @Test func `a circle of includes names its files`() {
    let circle = [
      "a.yaml": "include: b/b.yaml", "b/b.yaml": "include: c.yaml", "b/c.yaml": "seed: 1\ninclude: ../a.yaml",
    ]
    #expect(
      words("a.yaml", circle)
        == "b/c.yaml:2: files include each other in a circle: a.yaml → b/b.yaml → b/c.yaml → a.yaml; remove one include"
    )
    #expect(
      words("./a.yaml", ["./a.yaml": "include: a.yaml"])
        == "./a.yaml:1: files include each other in a circle: a.yaml → a.yaml; remove one include")
  }

  @Test func `files that include others twice, over and over, are refused and do not take for ever`() {
    var files = ["f30.yaml": "seed: 1"]
    for level in 0..<30 { files["f\(level).yaml"] = "include: [f\(level + 1).yaml, f\(level + 1).yaml]" }
    #expect(words("f0.yaml", files).contains("files are included more than 256 times in all; put them together"))
  }

  @Test func `problems of an included file name it`() {
    #expect(
      words("a.yaml", ["a.yaml": "include: b.yaml\nseed: x", "b.yaml": "task:\n  modulus: 2\n  modulo: 1"]) == """
        a.yaml:2: seed must be a whole number from 0 to 9007199254740991, not "x"
        b.yaml:2: modulus 2 is impossible; it must be a whole number from 3 to 1024
        b.yaml:3: unknown key "modulo" in task; did you mean modulus?
        """)
    #expect(words("a.yaml", ["a.yaml": "include: b.yaml"]) == "a.yaml:1: b.yaml: no such file")
    #expect(
      words("a.yaml", ["a.yaml": "include: b.yaml", "b.yaml": ""])
        == "b.yaml: is empty; an included file has keys such as preset, training and axes")
    #expect(
      words("a.yaml", ["a.yaml": "include: {a: b}"]).contains("include names files, such as include: common.yaml"))
    #expect(words("a.yaml", ["a.yaml": "include: b.yaml", "b.yaml": "a: {"]).hasPrefix("b.yaml:1: is not YAML"))
    #expect(
      words(
        "a.yaml", ["a.yaml": "include: b.yaml\ntraining: {epochs: 5}", "b.yaml": "axes: {training.epochs: [1, 2]}"])
        == "", "a fixed value replaces an included axis")
  }
}
