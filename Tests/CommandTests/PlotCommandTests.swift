// `groksweep plot` and `report` as a person uses them: files of every kind, and sentences where there is nothing to draw.

import Foundation
import TestSupport
import Testing

@Suite struct PlotCommandTests {
  private static let small = """
    sweep: small
    task: {modulus: 7}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 40}
    measure: {evaluate_every: 10}
    axes:
      seed: {count: 2}
    """

  /// A folder with a store of two runs, and the id of the first.
  private func folderWithStore() throws -> (Folder, point: String) {
    let folder = try Folder()
    try folder.write(Self.small, to: "small.yaml")
    #expect(try Groksweep.run(["sweep", "small.yaml", "--workers", "1"], in: folder).status == 0)
    return (folder, try #require(try folder.query("small.sqlite", "SELECT point FROM runs LIMIT 1").first))
  }

  private func bytes(_ folder: Folder, _ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: folder.path(name)))
  }

  @Test func `a figure goes to stdout or to a file as SVG, and its data to CSV`() throws {
    let (folder, point) = try folderWithStore()
    let shown = try Groksweep.run(["plot", "losses", "--point", String(point.prefix(8))], in: folder)
    #expect(shown.status == 0 && shown.output.hasPrefix("<svg ") && shown.output.hasSuffix("</svg>\n"))
    let dark = ["plot", "losses", "--point", point, "--theme", "dark", "-o", "losses.svg"]
    let written = try Groksweep.run(dark, in: folder)
    #expect(written.status == 0 && written.output.isEmpty)
    #expect(written.errors.hasPrefix("losses.svg: losses of point \(point.prefix(12))"))
    #expect(try String(decoding: bytes(folder, "losses.svg"), as: UTF8.self).contains("#16181c"))
    #expect(try Groksweep.run(["plot", "losses", "--point", point, "-o", "losses.csv"], in: folder).status == 0)
    let csv = try String(decoding: bytes(folder, "losses.csv"), as: UTF8.self).components(separatedBy: "\r\n")
    #expect(csv[0] == "epoch,train_loss,test_loss" && csv.count == 7 && csv[5].hasPrefix("40,"))
  }

  @Test func `a picture that stdout cannot take is an error, and one that nobody reads is not`() throws {
    let (folder, point) = try folderWithStore()
    let plot = "'\(Groksweep.path)' plot losses --point \(point)"
    let full = try Running("/bin/sh", ["-c", "\(plot) > /dev/full"], in: folder).end(within: 60)
    #expect(full.status == 1 && full.errors.contains("stdout cannot be written: no space left"), "\(full.errors)")
    let closed = try Running("/bin/sh", ["-c", "{ \(plot); echo $? >&2; } | true"], in: folder).end(within: 60)
    // Silently: by SIGPIPE, as every other tool, or because all was written before.
    #expect(["0\n", "141\n"].contains(closed.errors), "\(closed.errors)")
    let unnamed = try Groksweep.run(["plot", "losses", "--point", point, "-o", ""], in: folder)
    #expect(unnamed.status == 65 && unnamed.errors.contains("the name of the file to write is empty"))
  }

  @Test func `PNG and PDF come from rsvg-convert, and without it a sentence`() throws {
    let (folder, point) = try folderWithStore()
    // A path without the program.
    let without = try Groksweep.run(
      ["plot", "losses", "--point", point, "-o", "losses.png"], in: folder, environment: ["PATH": folder.path("none")])
    #expect(without.status == 1 && without.errors.contains("apt install librsvg2-bin"))
    #expect(try !folder.names().contains("losses.png"))
    guard try Running("/usr/bin/env", ["sh", "-c", "command -v rsvg-convert"], in: folder).end(within: 20).status == 0
    else { return }
    for (kind, opening) in [("png", [0x89, 0x50, 0x4E, 0x47]), ("pdf", Array("%PDF".utf8))] as [(String, [UInt8])] {
      #expect(try Groksweep.run(["plot", "ablations", "--point", point, "-o", "x.\(kind)"], in: folder).status == 0)
      #expect(try bytes(folder, "x.\(kind)").starts(with: opening), "\(kind)")
    }
  }

  @Test func `the final weights of a point are in its store, and those of another point are refused`() throws {
    let (folder, point) = try folderWithStore()
    let drawn = try Groksweep.run(["plot", "attention", "--point", point], in: folder)
    #expect(drawn.status == 0 && drawn.errors.isEmpty && drawn.output.contains("Head 1"))
    let kept = "kept.safetensors"
    let written = try Groksweep.run(["weights", point, "-o", kept], in: folder)
    #expect(written.status == 0 && written.errors.contains("the final weights of point \(point.prefix(12))"))
    #expect(try Groksweep.run(["train", "small.yaml", "--point", point, "--save", "again"], in: folder).status == 0)
    #expect(try bytes(folder, kept) == bytes(folder, "again"), "those that train --save writes")
    let other = try #require(try folder.query("small.sqlite", "SELECT point FROM runs").last)
    let refused = try Groksweep.run(["plot", "attention", "--point", other, "--weights", kept], in: folder)
    #expect(refused.status == 65 && refused.errors.contains("these are the weights of point \(point.prefix(12))"))
  }

  @Test func `a store without weights says how to have them, and verify brings them`() throws {
    let (folder, _) = try folderWithStore()
    let sweep = ["sweep", "small.yaml", "--no-weights", "--store", "bare.sqlite", "--workers", "1"]
    #expect(try Groksweep.run(sweep, in: folder).status == 0)
    let point = try #require(try folder.query("bare.sqlite", "SELECT point FROM runs").first)
    let named = ["--store", "bare.sqlite", "--point", point]
    let advice = "`groksweep verify \(point.prefix(12)) --store bare.sqlite` runs it again"
    let report = try Groksweep.run(["report", "-o", "bare.html"] + named, in: folder)
    #expect(report.status == 0)
    let onPage = "<code>groksweep verify \(point.prefix(12)) --store bare.sqlite</code> runs it again"
    #expect(try String(decoding: bytes(folder, "bare.html"), as: UTF8.self).contains(onPage))
    let absent = try Groksweep.run(["plot", "attention", "-o", "a.svg"] + named, in: folder)
    #expect(absent.status == 1 && absent.output.isEmpty && absent.errors.contains(advice), "\(absent.errors)")
    #expect(try !folder.names().contains("a.svg"))
    let none = try Groksweep.run(["weights", point, "--store", "bare.sqlite", "-o", "w"], in: folder)
    #expect(none.status == 1 && none.errors.contains(advice))
    #expect(try Groksweep.run(["verify", point, "--store", "bare.sqlite", "--workers", "1"], in: folder).status == 0)
    let drawn = try Groksweep.run(["plot", "attention"] + named, in: folder)
    #expect(drawn.status == 0 && drawn.output.contains("Head 1"))
  }

  @Test func `names that are not there are answered with those that are`() throws {
    let (folder, point) = try folderWithStore()
    let list = try Groksweep.run(["plot", "--list"], in: folder)
    #expect(list.status == 0 && list.output.contains("  embedding-spectrum "))
    let near = try Groksweep.run(["plot", "loses", "--point", point], in: folder)
    #expect(near.status == 64 && near.errors.contains("there is no figure \"loses\"; did you mean losses?"))
    let ending = try Groksweep.run(["plot", "losses", "--point", point, "-o", "x.gif"], in: folder)
    #expect(ending.status == 64 && ending.errors.contains(".svg, .png, .pdf or .csv"))
    let nowhere = try Groksweep.run(["plot", "losses", "--point", "00000000"], in: folder)
    #expect(nowhere.status == 65 && nowhere.errors.contains("there is no point 00000000"))
    let unnamed = try Groksweep.run(["plot", "losses"], in: folder)
    #expect(unnamed.status == 64 && unnamed.errors.contains("--point"))
    let store = try Groksweep.run(["plot", "losses", "--point", point, "--store", "none.sqlite"], in: folder)
    #expect(store.status == 65 && store.errors.contains("none.sqlite"))
  }

  @Test func `a report is one page that needs nothing else`() throws {
    let (folder, point) = try folderWithStore()
    let report = try Groksweep.run(["report", "--point", point, "-o", "run.html"], in: folder)
    #expect(report.status == 0 && report.errors.hasPrefix("run.html: the run of point \(point.prefix(12))"))
    let page = try String(decoding: bytes(folder, "run.html"), as: UTF8.self)
    #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("id=\"figure-losses\"") && page.contains("</html>"))
    #expect(page.contains("id=\"figure-attention\"") && !page.contains("--no-weights"))
    let store = try Groksweep.run(["report", "--point", point, "-o", "small.sqlite"], in: folder)
    #expect(store.status == 65 && store.errors.contains("would be lost"))
  }
}
