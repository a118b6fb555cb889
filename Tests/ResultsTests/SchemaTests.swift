// What SQLite itself does not let in, whoever writes.

import GRDB
import Results
import Sweeps
import Testing

@Suite struct SchemaTests {
  private let fixture: StoreFixture
  private let sweep = Sample.sweep()

  init() throws {
    fixture = try StoreFixture()
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.finish(sweep.points[0].id, lease: 1)
  }

  @Test(arguments: [
    // Wrong types and missing values.
    "UPDATE point SET modulus = 'seven' WHERE number = 2",
    "UPDATE point SET weight_decay = NULL WHERE number = 2",
    "INSERT INTO evaluation SELECT point, 5, 'low', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 FROM run",
    // Impossible values.
    "UPDATE point SET state = 'running' WHERE number = 2",
    "UPDATE point SET state = 'failed' WHERE number = 2",
    "UPDATE point SET failure = 'why' WHERE number = 2",
    "UPDATE point SET id = 'short' WHERE number = 2",
    "UPDATE point SET train_fraction = 1.0 WHERE number = 2",
    "UPDATE point SET heads = 3 WHERE number = 2",
    "UPDATE sweep SET finished = 5",
    "UPDATE sweep SET created = 'yesterday'",
    "UPDATE sweep SET axes = 'not JSON'",
    "UPDATE attempt SET class = 'bored'",
    "UPDATE attempt SET ended = NULL",
    "UPDATE attempt SET charged = 1",
    "INSERT INTO evaluation SELECT point, 5, 1, 1, 1, 1.5, 1, 1, 1, 1, 1, 1, 1 FROM run",
    "INSERT INTO digest SELECT point, 7, 'x' FROM run",
    // The same thing twice.
    "INSERT INTO sweep SELECT 9, name, canonical, file_text, axes, 1, created, 1, 0, 0, 0 FROM sweep",
    "INSERT INTO sweep_point SELECT sweep, 99, point, setting FROM sweep_point WHERE position = 0",
    "INSERT INTO evaluation SELECT * FROM evaluation",
    "INSERT INTO attempt (lease, point, worker, started) VALUES "
      + "(8, 4, 1, '2026-01-01T00:00:00.000Z'), (9, 4, 1, '2026-01-01T00:00:00.000Z')",
    // What belongs to nothing.
    "INSERT INTO sweep_point VALUES (1, 99, 12345, 0)",
    "INSERT INTO sweep_point VALUES (1, 99, 4, 77)",
    "INSERT INTO key_frequency VALUES (4, 1, 1.0, NULL)",
    "INSERT INTO attempt (lease, point, worker, started) VALUES (9, 4, 77, '2026-01-01T00:00:00.000Z')",
    // Terminal states go nowhere.
    "UPDATE point SET state = 'pending' WHERE state = 'finished'",
    "UPDATE point SET state = 'finished' WHERE state = 'pending'",
    "UPDATE run SET grokking_epoch = 1 + grokking_epoch",
    "DELETE FROM run",
  ])
  func `a broken row is refused`(_ sql: String) throws {
    let other = try fixture.plain()
    do {
      try other.write { try $0.execute(sql: sql) }
      Issue.record("accepted")
    } catch let error as DatabaseError {
      #expect(error.resultCode == .SQLITE_CONSTRAINT)
    }
  }

  @Test func `every table is STRICT`() throws {
    let loose = try fixture.rows(
      """
      SELECT name FROM pragma_table_list
      WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'grdb_%'
      """)
    #expect(loose.isEmpty)
  }

  @Test func `the file is sound after all of it`() throws {
    #expect(try fixture.value("PRAGMA integrity_check") == "ok")
    #expect(try fixture.rows("PRAGMA foreign_key_check").isEmpty)
  }

  @Test func `the counts of a sweep are those of its points, whatever happened`() throws {
    let store = fixture.store
    _ = try store.register(Sample.sweep("other", weightDecays: [0.3, 9]), at: Sample.now)
    try store.recordFailure(sweep.points[2].id, reason: "a", at: Sample.now)
    try store.recordFailure(sweep.points[2].id, reason: "b", at: Sample.now)
    try store.recordFailure(sweep.points[3].id, reason: "c", at: Sample.now)
    try store.finish(sweep.points[3].id, lease: 2)
    _ = try store.retry()
    try store.recordFailure(sweep.points[1].id, reason: "d", at: Sample.now)
    let wrong = try fixture.rows(
      """
      SELECT sweep.name FROM sweep
      JOIN sweep_point ON sweep_point.sweep = sweep.number
      JOIN point ON point.number = sweep_point.point
      GROUP BY sweep.number
      HAVING total <> count(*) OR finished <> count(*) FILTER (WHERE state = 'finished')
        OR failed <> count(*) FILTER (WHERE state = 'failed')
      """)
    #expect(wrong.isEmpty)
    let all = try store.sweepProgress()
    #expect(all.map(\.finished) == [2, 1])
    #expect(all.map(\.failed) == [1, 0])
  }
}
