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

  @Test func `an unknown sweep is refused by name`() throws {
    let fixture = try StoreFixture()
    let error = storeError { _ = try fixture.store.firstCrossings(of: "nothing", .testLoss, 0.1) }
    #expect(error?.kind == .unknown)
  }
}
