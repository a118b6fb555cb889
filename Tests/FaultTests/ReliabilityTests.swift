// The page that promises what is survived names only code and tests that there are.

import Foundation
import Testing

@Suite struct ReliabilityTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test func `every type and every suite of docs/explanation/reliability.md is there`() throws {
    let page = try String(
      contentsOf: Self.root.appending(path: "docs/explanation/reliability.md"), encoding: .utf8)
    let declared = try ["Sources", "Tests"].flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: folder).path)
        .filter { $0.hasSuffix(".swift") }
        .flatMap { try Self.types(in: Self.root.appending(path: "\(folder)/\($0)")) }
    }
    let names = Set(page.matches(of: /`([A-Z][A-Za-z]+)`/).map { String($0.1) }).filter { $0 != $0.uppercased() }
    #expect(names.count > 30)
    #expect(names.subtracting(declared).sorted() == [])
  }

  private static func types(in file: URL) throws -> [String] {
    let words = try String(contentsOf: file, encoding: .utf8).split { !($0.isLetter || $0.isNumber || $0 == "_") }
    return zip(words, words.dropFirst()).compactMap { word, next in
      ["struct", "class", "enum"].contains(word) ? String(next) : nil
    }
  }
}
