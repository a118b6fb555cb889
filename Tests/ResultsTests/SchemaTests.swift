// What SQLite itself does not let in, whoever writes.

import GRDB
import Results
import Sweeps
import Testing

/// Of `evaluation`: what every row needs.
private let required =
  "point, epoch, train_loss, test_loss, train_accuracy, test_accuracy, gini_w_e, gini_w_l, sum_squared_weights"

@Suite struct SchemaTests {
  private let fixture: StoreFixture
  private let sweep = Sample.sweep()

  init() throws {
    fixture = try StoreFixture()
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.finish(sweep.points[0].id, lease: 1, Sample.measured())
  }

  @Test(arguments: [
    // Wrong types and missing values.
    "UPDATE point SET modulus = 'seven' WHERE number = 2",
    "UPDATE point SET weight_decay = NULL WHERE number = 2",
    "INSERT INTO evaluation (\(required)) SELECT point, 5, 'low', 1, 1, 1, 1, 1, 1 FROM run",
    // Impossible values.
    "UPDATE point SET state = 'running' WHERE number = 2",
    "UPDATE point SET state = 'failed' WHERE number = 2",
    "UPDATE point SET failure = 'why' WHERE number = 2",
    "UPDATE point SET id = 'short' WHERE number = 2",
    "UPDATE point SET train_fraction = 1.0 WHERE number = 2",
    "UPDATE point SET heads = 3 WHERE number = 2",
    "UPDATE point SET optimizer = NULL WHERE number = 2",
    "UPDATE point SET batch_size = 0 WHERE number = 2",
    "UPDATE point SET label_noise = 1.5 WHERE number = 2",
    "UPDATE point SET initialization_scale = 0 WHERE number = 2",
    "UPDATE point SET momentum = 1 WHERE number = 2",
    "INSERT INTO logarithm VALUES (1.0, 0.5)",
    "UPDATE sweep SET finished = 5",
    "UPDATE sweep SET created = 'yesterday'",
    "UPDATE sweep SET axes = 'not JSON'",
    "UPDATE attempt SET class = 'bored'",
    "UPDATE attempt SET ended = NULL",
    "UPDATE attempt SET charged = 1",
    "INSERT INTO evaluation (\(required)) SELECT point, 5, 1, 1, 1, 1.5, 1, 1, 1 FROM run",
    "INSERT INTO digest SELECT point, 7, 'x' FROM run",
    "UPDATE evaluation SET sum_squared_w_pos = 9e999",
    "UPDATE evaluation SET logit_fve = -9e999",
    "UPDATE key_frequency SET neurons = -1",
    "UPDATE key_frequency SET fve_v = 'most'",
    "UPDATE crossing SET measure = 'train_loss' WHERE threshold = 0.1",
    "UPDATE crossing SET threshold = 0 WHERE threshold = 0.1",
    "UPDATE crossing SET first_epoch = -1",
    "UPDATE crossing SET sustained_epoch = 649 WHERE threshold = 0.5",
    "UPDATE crossing SET sustained_epoch = 700",
    "UPDATE phase SET phase = 'boredom'",
    "UPDATE phase SET end_epoch = 599 WHERE phase = 'cleanup'",
    "UPDATE phase SET start_epoch = NULL",
    "UPDATE spectrum SET norms_w_e = '0.1'",
    "UPDATE spectrum SET norms_w_e = '[1,2'",
    "UPDATE spectrum SET norms_w_e = '[1,2]'",
    "UPDATE spectrum SET norms_w_e = NULL, norms_w_l = NULL",
    "UPDATE spectrum SET norms_w_l = '[1,2,\"3\"]'",
    "UPDATE spectrum SET norms_w_l = '[1,2,null]'",
    "UPDATE spectrum SET norms_w_l = '[1,2,NaN]'",
    "UPDATE frequency_evaluation SET excluded_loss = NULL",
    "UPDATE final_measure SET key_frequencies_neurons = '1,2,3'",
    "UPDATE final_measure SET neurons_over_85 = -1",
    "UPDATE final_measure SET rank_residual = 9e999",
    "UPDATE neuron SET frequency = 0",
    "UPDATE neuron SET fve = -0.5",
    "UPDATE head SET attention_to_b = NULL",
    "UPDATE ablation SET name = 'no_attention' WHERE name = 'no_skip'",
    "UPDATE ablation SET frequency = 2 WHERE name = 'no_skip'",
    "UPDATE ablation SET frequency = NULL",
    "UPDATE ablation SET loss = 9e999",
    // The same thing twice.
    "INSERT INTO ablation SELECT point, 77, name, frequency, loss FROM ablation",
    "INSERT INTO crossing SELECT * FROM crossing",
    "INSERT INTO phase SELECT * FROM phase",
    "INSERT INTO spectrum SELECT * FROM spectrum",
    "INSERT INTO final_measure SELECT * FROM final_measure",
    "INSERT INTO sweep SELECT 9, name, canonical, file_text, axes, 1, created, 1, 0, 0, 0, state, priority FROM sweep",
    "UPDATE sweep SET state = 'resting'",
    "UPDATE sweep SET priority = 0.5",
    "UPDATE setting SET points = -1",
    "UPDATE attempt SET class = 'verified', charged = 1, ended = started",
    "UPDATE attempt SET class = 'lost', charged = 1, refunded = 'yes', ended = started",
    "UPDATE attempt SET refunded = ''",
    "INSERT INTO verification (point, requested) VALUES (4, '2026-01-01T00:00:00.000Z')",
    "INSERT INTO verification (point, requested) VALUES (1, 'today')",
    "INSERT INTO verification (point, requested, requested_by) VALUES (1, '2026-01-01T00:00:00.000Z', '')",
    "INSERT INTO verification (point, requested, equal) VALUES (1, '2026-01-01T00:00:00.000Z', 1)",
    "INSERT INTO verification (point, requested, done) "
      + "VALUES (1, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')",
    "INSERT INTO verification (point, requested) "
      + "VALUES (1, '2026-01-01T00:00:00.000Z'), (1, '2026-01-01T00:00:00.000Z')",
    "INSERT INTO sweep_point SELECT sweep, 99, point, setting FROM sweep_point WHERE position = 0",
    "INSERT INTO evaluation SELECT * FROM evaluation",
    "INSERT INTO attempt (lease, point, worker, started) VALUES "
      + "(8, 4, 1, '2026-01-01T00:00:00.000Z'), (9, 4, 1, '2026-01-01T00:00:00.000Z')",
    // What belongs to nothing.
    "INSERT INTO sweep_point VALUES (1, 99, 12345, 0)",
    "INSERT INTO sweep_point VALUES (1, 99, 4, 77)",
    "INSERT INTO key_frequency (point, frequency, norm) VALUES (4, 1, 1.0)",
    "INSERT INTO attempt (lease, point, worker, started) VALUES (9, 4, 77, '2026-01-01T00:00:00.000Z')",
    "INSERT INTO crossing VALUES (4, 'test_loss', 1.0, NULL, NULL)",
    "INSERT INTO phase VALUES (4, 'cleanup', 1, 2)",
    "INSERT INTO spectrum SELECT point, 5, norms_w_e, norms_w_l FROM spectrum WHERE epoch = 0",
    "INSERT INTO frequency_evaluation SELECT point, 5, 1, 1.0, 1.0 FROM run",
    "INSERT INTO frequency_evaluation SELECT point, 0, 2, 1.0, 1.0 FROM run",
    "INSERT INTO final_measure (point) VALUES (4)",
    "INSERT INTO neuron VALUES (4, 0, 1, 0.5)",
    "INSERT INTO head VALUES (4, 0, 0.5, 0.5, 0.0, 1, 0.5)",
    "INSERT INTO ablation VALUES (4, 0, 'original', NULL, 0.5)",
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
      HAVING total <> count(*) OR finished <> count(*) FILTER (WHERE point.state = 'finished')
        OR failed <> count(*) FILTER (WHERE point.state = 'failed')
      """)
    #expect(wrong.isEmpty)
    let all = try store.sweepProgress()
    #expect(all.map(\.finished) == [2, 1])
    #expect(all.map(\.failed) == [1, 0])
  }
}
