// docs/reference/store.md against the store itself: every view and column is described, every query in it runs.

import Foundation
import GRDB
import Results
import Sweeps
import Testing

@Suite struct StoreReferenceTests {
  private let fixture: StoreFixture
  private let page: String

  init() throws {
    fixture = try StoreFixture()
    let sweep = Sample.sweep()
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.finish(sweep.points[0].id, lease: 1, Sample.measured())
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    page = try String(contentsOf: root.appending(path: "docs/reference/store.md"), encoding: .utf8)
  }

  @Test func `every view has its section, which names every column`() throws {
    let views = try fixture.rows("SELECT name FROM sqlite_schema WHERE type = 'view'").map { $0[0] as String }
    #expect(views.count == 20)
    for view in views {
      var described = try words(ofSection: view)
      // It says "the experiment's values" for the columns that `runs` lists.
      if view == "grokking_times" || view == "failures" { described.formUnion(try words(ofSection: "runs")) }
      for row in try fixture.rows("SELECT name FROM pragma_table_info('\(view)')") {
        let column: String = row[0]
        #expect(described.contains(column), "\(view).\(column) is not described")
      }
    }
  }

  private func words(ofSection view: String) throws -> Set<String> {
    let rest = try #require(page.components(separatedBy: "\n### `\(view)`").dropFirst().first, "no section on \(view)")
    let section = rest.components(separatedBy: "\n## ")[0].components(separatedBy: "\n### ")[0]
    return Set(section.matches(of: /[a-z0-9_]+/).map { String($0.0) })
  }

  @Test func `every query on the page runs`() throws {
    let blocks = page.matches(of: /```sql\n([\s\S]*?)```/).map { String($0.1) }
    let commands = page.matches(of: /\$ sqlite3 [^"\n]*"([^\n]*)"\n/).map { String($0.1) }
    #expect(blocks.count >= 7)
    #expect(commands.count >= 12)
    for query in blocks + commands {
      #expect(throws: Never.self, "\(query)") { try fixture.rows(query) }
    }
  }
}
