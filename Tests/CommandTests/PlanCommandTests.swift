// `plan`, and `submit` of what several files make: the real binary, files on disk.

import Foundation
import TestSupport
import Testing

@Suite struct PlanCommandTests {
  private static let main = """
    sweep: assembled
    include: base/common.yaml
    points: {csv: pilot.csv}
    """
  private static let common = """
    task: {modulus: 7, train_fraction: 0.6}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 40}
    measure: {evaluate_every: 20}
    axes: {seed: {count: 2}}
    """

  private func folder() throws -> Folder {
    let folder = try Folder()
    try FileManager.default.createDirectory(atPath: folder.path("in/base"), withIntermediateDirectories: true)
    try folder.write(Self.main, to: "in/assembled.yaml")
    try folder.write(Self.common, to: "in/base/common.yaml")
    try folder.write("training.weight_decay\n1\n2\n1\n", to: "in/pilot.csv")
    return folder
  }

  @Test func `a file is planned with what lies beside it, wherever the command runs`() throws {
    let folder = try folder()
    let planned = try Groksweep.run(["plan", "in/assembled.yaml"], in: folder)
    #expect(planned.status == 0, "\(planned.errors)")
    #expect(planned.output.hasPrefix("assembled: 4 points, 0 finished, 4 to run"), "\(planned.output)")
    let lines = try Groksweep.run(["plan", folder.path("in/assembled.yaml"), "--json"], in: folder)
    #expect(lines.output.split(separator: "\n").count == 4)
    #expect(try folder.names() == ["in"])
  }

  @Test func `a missing or wrong file beside it is named with its line, and nothing is written`() throws {
    let folder = try folder()
    try folder.write("training.weight_decay\n1,2\n", to: "in/pilot.csv")
    let wrong = try Groksweep.run(["plan", "in/assembled.yaml"], in: folder)
    #expect(wrong.status == 65)
    #expect(wrong.errors.contains("in/pilot.csv:2: has 2 cells, but the header on line 1 has 1"), "\(wrong.errors)")
    try FileManager.default.removeItem(atPath: folder.path("in/pilot.csv"))
    let missing = try Groksweep.run(["sweep", "in/assembled.yaml"], in: folder)
    #expect(missing.status == 65)
    #expect(missing.errors == "groksweep: in/assembled.yaml:3: in/pilot.csv: no such file\n", "\(missing.errors)")
    try folder.write("include: ../assembled.yaml", to: "in/base/common.yaml")
    let circle = try Groksweep.run(["plan", "in/assembled.yaml"], in: folder)
    #expect(circle.errors.contains("in/assembled.yaml → in/base/common.yaml → in/assembled.yaml"), "\(circle.errors)")
    #expect(try folder.names() == ["in"])
  }

  @Test func `a coordinator gets a file with all that it includes, and its store keeps it`() throws {
    let folder = try folder()
    try folder.write(Self.common, to: "first.yaml")
    let endpoint = "ipc://\(folder.path("c"))"
    let coordinator = try Groksweep.start(
      ["coordinator", "first.yaml", "--store", "s.sqlite", "--bind", endpoint], in: folder)
    #expect(waitUntil(30) { coordinator.errors.contains("listening on") }, "\(coordinator.errors)")
    let submitted = try Groksweep.run(["submit", "in/assembled.yaml", "--connect", endpoint], in: folder)
    #expect(submitted.status == 0, "\(submitted.errors)")
    #expect(submitted.output == "assembled: 4 points submitted\n")
    coordinator.signal(SIGTERM)
    _ = try coordinator.end(within: 30)
    // What the store keeps is a sweep file of the same points, without the files that it came from.
    let kept = try folder.query("s.sqlite", "SELECT file_text FROM sweep WHERE name = 'assembled'")
    let other = try Folder()
    try other.write(kept.joined(separator: "\n") + "\n", to: "kept.yaml")
    let again = try Groksweep.run(["plan", "kept.yaml", "--store", folder.path("s.sqlite"), "--json"], in: other)
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.output.split(separator: "\n").count == 4)
    #expect(!again.output.contains("\"state\":\"new\""))
  }

  @Test func `a list too long for a message is refused before it is sent, with what to do`() throws {
    let folder = try folder()
    let rows = (0..<60_000).map { "\(Double($0) / 1000)\n" }.joined()
    try folder.write("training.weight_decay\n" + rows, to: "in/pilot.csv")
    let submitted = try Groksweep.run(
      ["submit", "in/assembled.yaml", "--connect", "ipc://\(folder.path("none"))"], in: folder)
    #expect(submitted.status == 65)
    #expect(
      submitted.errors.contains("more than a message may have; give it to `groksweep coordinator`"),
      "\(submitted.errors)")
  }
}
