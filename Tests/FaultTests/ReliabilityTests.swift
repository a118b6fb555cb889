// The page that promises what is survived names only code and tests that there are.

import Foundation
import Testing

@Suite struct ReliabilityTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test func `every type and every suite of docs/explanation/reliability.md is there`() throws {
    let page = try String(
      contentsOf: Self.root.appending(path: "docs/explanation/reliability.md"), encoding: .utf8)
    let sources = try ["Sources", "Tests"].flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: folder).path)
        .filter { $0.hasSuffix(".swift") }
        .map { try String(contentsOf: Self.root.appending(path: "\(folder)/\($0)"), encoding: .utf8) }
    }
    let names = Set(page.matches(of: /`([A-Z][A-Za-z]+)`/).map { String($0.1) }).filter { $0 != $0.uppercased() }
    #expect(names.count > 30)
    for name in names.sorted() {
      let declaration = try Regex("(struct|class|enum) \(name)\\b")
      #expect(sources.contains { $0.contains(declaration) }, "nothing is called \(name)")
    }
  }
}
