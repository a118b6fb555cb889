// First crossings: exact ones where a store has them, evaluations otherwise.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct CrossingReadTests {
  @Test func `without exact crossings the first evaluation that shows it counts`() throws {
    let fixture = try StoreFixture()
    let sweep = Sample.sweep(weightDecays: [1], seeds: 2)
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.finish(sweep.points[0].id, lease: 1)
    let found = try fixture.store.firstCrossings(of: "decay", .testAccuracy, 0.99)
    #expect(found.map(\.point) == [sweep.points[0].id])
    #expect(found.map(\.epoch) == [1000])
    #expect(try fixture.store.firstCrossings(of: "decay", .testLoss, 0.1).map(\.epoch) == [0])
    #expect(try fixture.store.firstCrossings(of: "decay", .testLoss, 0.001).map(\.epoch) == [nil])
  }

  @Test func `an exact crossing counts before the evaluation that shows it, run by run`() throws {
    let fixture = try StoreFixture()
    let sweep = Sample.sweep(weightDecays: [1], seeds: 2)
    _ = try fixture.store.register(sweep, at: Sample.now)
    for (index, point) in sweep.points.enumerated() { try fixture.store.finish(point.id, lease: Int64(index + 1)) }
    // A view of the promised columns, whatever this schema has, that knows of the first run alone.
    try fixture.plain().write { database in
      try database.execute(
        sql: """
          DROP VIEW IF EXISTS crossings;
          CREATE VIEW crossings AS
          SELECT '\(sweep.points[0].id.hex)' AS point, 'test_accuracy' AS measure, 0.99 AS threshold,
            742 AS first_epoch, 742 AS sustained_epoch;
          """)
    }
    #expect(try fixture.store.firstCrossings(of: "decay", .testAccuracy, 0.99).map(\.epoch) == [742, 1000])
    #expect(try fixture.store.firstCrossings(of: "decay", .testAccuracy, 0.9).map(\.epoch) == [1000, 1000])
  }

  @Test func `an unknown sweep is refused by name`() throws {
    let fixture = try StoreFixture()
    let error = storeError { _ = try fixture.store.firstCrossings(of: "nothing", .testLoss, 0.1) }
    #expect(error?.kind == .unknown)
  }
}
