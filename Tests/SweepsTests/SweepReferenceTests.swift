// docs/reference/sweep-file.md and docs/how-to/sweep-files.md against the reader: every example is read, and gives as
// many points as it says. Blocks with a name behind the language are the files that others include.

import Foundation
import Sweeps
import Testing

@Suite struct SweepReferenceTests {
  private struct Example {
    let name: String?
    let text: String
  }

  private static func examples(_ page: String) throws -> [Example] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "docs/\(page)"), encoding: .utf8)
    return text.matches(of: /```(?:yaml|csv)([^\n]*)\n([\s\S]*?)```/).map { match in
      let name = match.1.trimmingCharacters(in: .whitespaces)
      return Example(name: name.isEmpty ? nil : name, text: String(match.2))
    }
  }

  @Test(arguments: ["reference/sweep-file.md", "how-to/sweep-files.md"])
  func `every example gives as many points as it says`(page: String) throws {
    let examples = try Self.examples(page)
    var files: [String: String] = [:]
    for example in examples { if let name = example.name { files[name] = example.text } }
    let found = files
    let read = examples.filter { $0.name == nil }
    #expect(read.count >= 8)
    for example in read {
      let file = try SweepFile(text: example.text, fileName: "example.yaml") { name in
        found[name].map { .bytes(Array($0.utf8)) } ?? .unreadable("no such file")
      }
      let said = try #require(example.text.firstMatch(of: /^# (\d+) points/), "\(example.text)")
      #expect(file.points.count == Int(said.1), "\(example.text)")
    }
  }

  @Test func `every key of a sweep file stands in the reference`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "docs/reference/sweep-file.md"), encoding: .utf8)
    let words = ["include", "method", "points", "sampling_seed", "axes", "zip", "when", "exclude", "require", "blocks"]
    for word in words + [
      "uniform", "log_uniform", "integer", "choice", "above", "at_most", "divides", "csv", "boundary", "resolution",
      "start",
    ] {
      #expect(page.contains("`\(word)`") || page.contains("{\(word):") || page.contains("`{\(word)"), "\(word)")
    }
  }
}
