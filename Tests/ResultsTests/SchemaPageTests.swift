// docs/reference/schema.md against a real store: every query prints what stands beside it, by the sqlite3 shell and by
// GRDB, and its diagram has every view and names its columns.

import Foundation
import GRDB
import Results
import Testing

@Suite struct SchemaPageTests {
  private let folder: TemporaryFolder
  private let path: String
  private let page: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("questions.sqlite")
    let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    try FileManager.default.copyItem(atPath: fixtures.appending(path: "schema-3.sqlite").path, toPath: path)
    try Store(path: path, mode: .open).close()
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    page = try String(contentsOf: root.appending(path: "docs/reference/schema.md"), encoding: .utf8)
  }

  /// Each question's title, query, and lines of output.
  private var questions: [(title: String, sql: String, output: [String])] {
    page.matches(of: #/### \d+\. ([^\n]*)\n[\s\S]*?```sql\n([\s\S]*?)\n```\n\n```text\n([\s\S]*?)\n```/#).map {
      (String($0.1), String($0.2), $0.3.components(separatedBy: "\n"))
    }
  }

  @Test func `there are twenty questions at least, and none without an answer`() {
    #expect(questions.count >= 20)
    #expect(questions.count == page.matches(of: #/\n### /#).count)
    for question in questions { #expect(question.output.count >= 3, "\(question.title)") }
  }

  @Test func `the sqlite3 shell prints every answer`() throws {
    for question in questions {
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      shell.arguments = ["sqlite3", "-readonly", "-header", "-column", path, question.sql]
      let output = Pipe()
      shell.standardOutput = output
      try shell.run()
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      shell.waitUntilExit()
      #expect(shell.terminationStatus == 0, "\(question.title)")
      #expect(Self.trimmed(text) == question.output, "\(question.title)\n\(text)")
    }
  }

  @Test func `GRDB reads every answer`() throws {
    let queue = try DatabaseQueue(path: path)
    for question in questions {
      let table = try queue.read { database in
        let names = try database.makeStatement(sql: question.sql).columnNames
        // SQLite itself turns the numbers into text, as it does for its shell.
        let texts = names.map { "coalesce(CAST(\"\($0)\" AS TEXT), '')" }.joined(separator: ", ")
        let rows = try Row.fetchAll(database, sql: "SELECT \(texts) FROM (\(question.sql))")
        return [names] + rows.map { row in row.databaseValues.map { String.fromDatabaseValue($0) ?? "?" } }
      }
      let widths = table[0].indices.map { column in table.map { $0[column].count }.max() ?? 0 }
      func line(_ cells: [String]) -> String {
        zip(cells, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
      }
      let lines =
        [line(table[0]), line(widths.map { String(repeating: "-", count: $0) })] + table.dropFirst().map(line)
      #expect(Self.trimmed(lines.joined(separator: "\n")) == question.output, "\(question.title)")
    }
  }

  @Test func `the diagram has every view, and joins by columns that both have`() throws {
    let queue = try DatabaseQueue(path: path)
    func columns(_ view: String) throws -> Set<String> {
      Set(try queue.read { try String.fetchAll($0, sql: "SELECT name FROM pragma_table_info(?)", arguments: [view]) })
    }
    let views = try Store(path: path, mode: .readOnly).viewNames()
    let diagram = try #require(page.components(separatedBy: "erDiagram\n").last?.components(separatedBy: "```").first)
    var drawn: Set<String> = []
    for edge in diagram.matches(of: #/(\w+) \S+ (\w+) : "([^"]*)"\n/#) {
      let keys = edge.3.components(separatedBy: ", ")
      for view in [String(edge.1), String(edge.2)] {
        drawn.insert(view)
        let columns = try columns(view)
        for key in keys { #expect(columns.contains(key), "\(view) has no \(key)") }
      }
    }
    #expect(drawn.sorted() == views.sorted())
  }

  private static func trimmed(_ text: String) -> [String] {
    var lines = text.components(separatedBy: "\n")
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
  }
}
