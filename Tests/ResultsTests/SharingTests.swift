// Several programs at one store: readers are never in the way, a writer costs waiting and not an error.

import Foundation
import GRDB
import Results
import Sweeps
import Testing

@Suite struct SharingTests {
  @Test func `a reader in the middle of its transaction neither waits nor holds up the writer`() throws {
    let fixture = try StoreFixture()
    let sweep = Sample.sweep()
    _ = try fixture.store.register(sweep, at: Sample.now)
    let reader = try fixture.plain()
    try reader.read { (database: Database) throws in
      #expect(try Int.fetchOne(database, sql: "SELECT finished FROM sweep_progress") == 0)
      try fixture.store.finish(sweep.points[0].id, lease: 1)
      #expect(try Int.fetchOne(database, sql: "SELECT finished FROM sweep_progress") == 0)
    }
    #expect(try Store(path: fixture.path, mode: .readOnly).sweepProgress(of: "decay").finished == 1)
  }

  @Test func `a lock held in the sqlite3 shell costs waiting, not an error`() throws {
    let fixture = try StoreFixture()
    let other = try fixture.plain()
    let isLocked = DispatchSemaphore(value: 0)
    let order = LockedList()
    let thread = Thread {
      try? other.inDatabase { database in
        try database.execute(sql: "BEGIN IMMEDIATE")
        isLocked.signal()
        // Work that takes a good second, so that the write below finds the lock held.
        _ = try Int.fetchOne(
          database,
          sql:
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000000) SELECT sum(i) FROM n")
        order.append("released")
        try database.execute(sql: "COMMIT")
      }
    }
    thread.start()
    isLocked.wait()
    try fixture.store.recordWorker(Sample.worker(), at: Sample.now)
    order.append("written")
    #expect(order.items == ["released", "written"])
    #expect(try fixture.value("SELECT count(*) FROM workers") == 1)
  }

  @Test func `many threads may use one store`() throws {
    let fixture = try StoreFixture()
    let sweep = Sample.sweep(seeds: 16)
    let store = fixture.store
    _ = try store.register(sweep, at: Sample.now)
    try store.recordWorker(Sample.worker(), at: Sample.now)
    DispatchQueue.concurrentPerform(iterations: sweep.points.count * 2) { index in
      let point = sweep.points[index / 2].id
      _ = try? store.store(
        Sample.result(), of: point, lease: LeaseID(1), seconds: 1, worker: 1, at: Sample.now)
      _ = try? store.sweepProgress()
    }
    #expect(try store.sweepProgress(of: "decay").finished == sweep.points.count)
    #expect(try store.violationCount() == 0)
  }

  private final class LockedList: @unchecked Sendable {
    private let lock = NSLock()
    private var list: [String] = []
    func append(_ item: String) { lock.withLock { list.append(item) } }
    var items: [String] { lock.withLock { list } }
  }
}
