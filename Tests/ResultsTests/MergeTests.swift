// Two stores made one: equal to one that had run everything, and nothing at all where that cannot be.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct MergeTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func make(_ name: String) throws -> Store { try Store(path: folder.file(name), mode: .create) }

  private func rows(_ sql: String, in store: Store) throws -> [Row] {
    try DatabaseQueue(path: store.path).read { try Row.fetchAll($0, sql: sql) }
  }

  /// Runs all points of `sweep` that are pending, by worker `boot`, whose number is `worker` here.
  private func run(_ sweep: SweepRegistration, in store: Store, worker: Int64 = 1, boot: Int64, lease: Int64) throws {
    _ = try store.register(sweep, at: Sample.now)
    let identity = WorkerRecord(number: worker, identity: Sample.worker(boot).identity)
    try store.recordWorker(identity, at: Sample.now)
    var lease = lease
    for point in sweep.points where try store.states(of: [point.id]) == [.pending] {
      try store.recordGrant(AttemptRecord(lease: LeaseID(lease), point: point.id, worker: worker), at: Sample.now)
      _ = try store.store(
        result(of: point), of: point.id, lease: LeaseID(lease), seconds: 10, worker: worker, at: Sample.later(10))
      lease += 1
    }
  }

  /// The same for the same point, whoever computes it.
  private func result(of point: Point) -> RunResult {
    let seed = Int(point.experiment.modelSeed)
    var result = Sample.measured(.grokked(memorization: 100, grokking: 500 + 100 * seed))
    result.finalWeights = Array("weights of \(point.id)".utf8)
    return result
  }

  /// Every view but `workers`, without who did it and when.
  private func views(of store: Store) throws -> [String: [Row]] {
    let hidden = ["worker", "host", "lease", "seconds", "started", "ended", "eta_seconds"]
    var views: [String: [Row]] = [:]
    for view in try store.viewNames() where view != "workers" {
      let columns = try rows("SELECT name FROM pragma_table_info('\(view)')", in: store).map { $0[0] as String }
      let shown = columns.filter { !hidden.contains($0) }.joined(separator: ", ")
      // What another store had already is no attempt of one that ran everything.
      let filter = view == "attempts" ? "WHERE class <> 'superseded' ORDER BY point, class" : ""
      views[view] = try rows("SELECT \(shown) FROM \(view) \(filter)", in: store)
    }
    return views
  }

  private let first = Sample.sweep("first", weightDecays: [1, 0.3], seeds: 3)
  /// Shares the points of weight decay 0.3.
  private let second = Sample.sweep("second", weightDecays: [0.3, 2], seeds: 3)

  @Test func `two stores merged are equal to one that ran everything`() throws {
    let (a, b, all) = (try make("a.sqlite"), try make("b.sqlite"), try make("all.sqlite"))
    try run(first, in: a, boot: 1, lease: 1)
    try run(second, in: b, boot: 2, lease: 1)
    try run(first, in: all, boot: 1, lease: 1)
    try run(second, in: all, worker: 2, boot: 2, lease: 100)
    let reports = try Store.make(folder.file("ab.sqlite"), of: [a.path, b.path], at: Sample.now)
    #expect(reports.map(\.sweeps) == [1, 1])
    #expect(reports.map(\.points) == [6, 3])
    #expect(reports.map(\.runs) == [6, 3])
    #expect(reports.map(\.equalRuns) == [0, 3])
    #expect(reports.map(\.differentRuns) == [0, 0])
    let merged = try Store(path: folder.file("ab.sqlite"), mode: .open)
    let (found, expected) = (try views(of: merged), try views(of: all))
    for view in expected.keys.sorted() { #expect(found[view] == expected[view], "\(view)") }
    #expect(expected["runs"]?.count == 12)
    #expect(try merged.sweepProgress() == all.sweepProgress())
    for point in first.points + second.points {
      #expect(try merged.result(of: point.id) == all.result(of: point.id))
    }
    try merged.check()
    #expect(try rows("PRAGMA foreign_key_check", in: merged).isEmpty)
    #expect(folder.contents.filter { $0.hasPrefix("ab") && !$0.contains("-") } == ["ab.sqlite"])
    // The sources are as they were.
    #expect(try a.summary().points == 6 && b.summary().attempts == 6)
  }

  @Test func `into a store that is there, in either order, comes the same`() throws {
    let (a, b) = (try make("a.sqlite"), try make("b.sqlite"))
    try run(first, in: a, boot: 1, lease: 1)
    try run(second, in: b, boot: 2, lease: 1)
    let (ab, ba) = (folder.file("ab.sqlite"), folder.file("ba.sqlite"))
    try a.snapshot(to: ab)
    try b.snapshot(to: ba)
    _ = try Store(path: ab, mode: .open).merge(b.path, at: Sample.now)
    _ = try Store(path: ba, mode: .open).merge(a.path, at: Sample.now)
    let columns = "sweep, point, setting, outcome, grokking_epoch, digest FROM runs ORDER BY sweep, point"
    let (left, right) = (try Store(path: ab, mode: .readOnly), try Store(path: ba, mode: .readOnly))
    #expect(try rows("SELECT \(columns)", in: left) == rows("SELECT \(columns)", in: right))
    #expect(try left.summary() == right.summary())
  }

  @Test func `every row of every table is brought over`() throws {
    let (empty, full) = (try make("empty.sqlite"), try make("full.sqlite"))
    try run(first, in: full, boot: 1, lease: 1)
    _ = try full.compare(Sample.result(digest: "b"), of: first.points[0].id, worker: 1, at: Sample.now)
    _ = try full.requestVerifications(of: [first.points[1].id], by: "ann", at: Sample.now)
    _ = try empty.merge(full.path, at: Sample.now)
    let tables = try rows(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'grdb_migrations' ORDER BY name", in: full)
    for table in tables.map({ $0[0] as String }) {
      let columns = try rows("SELECT * FROM \(table) ORDER BY 1, 2", in: full)
      #expect(!columns.isEmpty, "\(table) is not put to the test")
      let copied = try rows("SELECT * FROM \(table) ORDER BY 1, 2", in: empty)
      // A worker of another store is not expected here.
      guard table != "worker" else { continue }
      #expect(copied == columns, "\(table)")
    }
    #expect(try rows("SELECT state FROM workers", in: empty).map { $0[0] as String } == ["left"])
    #expect(try empty.schedulerStart().present.isEmpty)
    #expect(try empty.requestedVerifications() == [first.points[1].id])
  }

  @Test func `merging a copy, or the same store again, changes nothing`() throws {
    let a = try make("a.sqlite")
    try run(first, in: a, boot: 1, lease: 1)
    try a.snapshot(to: folder.file("copy.sqlite"))
    let before = try a.summary()
    for _ in 0..<2 {
      let report = try a.merge(folder.file("copy.sqlite"), at: Sample.later(99))
      #expect((report.sweeps, report.points, report.runs, report.equalRuns) == (0, 0, 0, 6))
    }
    #expect(try a.summary() == before)
    let error = storeError { _ = try a.merge(a.path, at: Sample.now) }
    #expect(error?.message.contains("is the store that it should be merged into") == true)
  }

  @Test func `a store and its copy that both went on have the work of both`() throws {
    let a = try make("a.sqlite")
    _ = try a.register(first, at: Sample.now)
    try a.recordWorker(Sample.worker(1), at: Sample.now)
    try a.recordGrant(AttemptRecord(lease: LeaseID(1), point: first.points[0].id, worker: 1), at: Sample.now)
    try a.snapshot(to: folder.file("copy.sqlite"))
    let copy = try Store(path: folder.file("copy.sqlite"), mode: .open)
    // Here the attempt ends with its result; there it stays open, and another point is finished.
    _ = try a.store(
      result(of: first.points[0]), of: first.points[0].id, lease: LeaseID(1), seconds: 1, worker: 1, at: Sample.later(1)
    )
    try copy.recordWorker(Sample.worker(2), at: Sample.now)
    try copy.recordGrant(AttemptRecord(lease: LeaseID(2), point: first.points[1].id, worker: 2), at: Sample.now)
    _ = try copy.store(
      result(of: first.points[1]), of: first.points[1].id, lease: LeaseID(2), seconds: 1, worker: 2, at: Sample.later(1)
    )
    _ = try copy.merge(a.path, at: Sample.later(5))
    #expect(try copy.sweepProgress(of: "first").finished == 2)
    let attempts = try rows("SELECT lease, class, delivered FROM attempts", in: copy)
    #expect(attempts.map { $0["lease"] as Int } == [1, 2])
    #expect(attempts.map { $0["class"] as String } == ["finished", "finished"])
    #expect(attempts.map { $0["delivered"] as Int } == [1, 1])
  }

  @Test func `what was under way there has ended as lost, and failed points fail here`() throws {
    let (a, b) = (try make("a.sqlite"), try make("b.sqlite"))
    _ = try a.register(first, at: Sample.now)
    _ = try b.register(first, at: Sample.now)
    try b.recordWorker(Sample.worker(7), at: Sample.now)
    for (lease, place) in [1, 2].enumerated() {
      let attempt = AttemptRecord(lease: LeaseID(Int64(lease + 1)), point: first.points[place].id, worker: 7)
      try b.recordGrant(attempt, at: Sample.now)
    }
    try b.endAttempt(LeaseID(2), .failed(.crashed, reason: "signal 11", charged: true), at: Sample.later(1))
    try b.recordFailure(first.points[2].id, reason: "crashed", at: Sample.later(1))
    _ = try a.merge(b.path, at: Sample.later(9))
    let attempts = try rows("SELECT class, reason, charged FROM attempts", in: a)
    #expect(attempts.map { $0["class"] as String } == ["lost", "crashed"])
    #expect(attempts.map { $0["reason"] as String } == ["it was under way when its store was merged", "signal 11"])
    #expect(try a.failures().map(\.reason) == ["crashed"])
    #expect(try a.sweepProgress(of: "first").failed == 1)
    // A failure there does not undo a result here.
    let c = try make("c.sqlite")
    try run(first, in: c, boot: 1, lease: 1)
    _ = try c.merge(b.path, at: Sample.later(9))
    #expect(try c.failures().isEmpty)
    #expect(try c.sweepProgress(of: "first").finished == 6)
  }

  @Test func `points that a sweep's file had once come with their runs`() throws {
    let (a, b) = (try make("a.sqlite"), try make("b.sqlite"))
    // There the sweep was larger, and what had been run of it stayed; here it is what its file says.
    try run(Sample.sweep("first", weightDecays: [1, 7, 9], seeds: 3, canonical: "larger"), in: b, boot: 2, lease: 1)
    let smaller = Sample.sweep("first", weightDecays: [1], seeds: 3, canonical: "smaller")
    for store in [a, b] { _ = try store.register(smaller, at: Sample.now) }
    #expect(try b.sweepProgress(of: "first").total == 9)
    _ = try a.merge(b.path, at: Sample.now)
    let columns = "sweep, setting, points, runs, grokked, weight_decay FROM grokking_times"
    #expect(try rows("SELECT \(columns)", in: a) == rows("SELECT \(columns)", in: b))
    #expect(try a.sweepProgress() == b.sweepProgress())
    #expect(try a.runs(of: "first").map(\.point) == b.runs(of: "first").map(\.point))
  }

  @Test func `other bits of the same point are a violation, and the run that was here stays`() throws {
    let (a, b) = (try make("a.sqlite"), try make("b.sqlite"))
    _ = try a.register(first, at: Sample.now)
    _ = try b.register(first, at: Sample.now)
    try a.finish(first.points[0].id, lease: 1, Sample.result(digest: "a"))
    try b.recordWorker(Sample.worker(5), at: Sample.now)
    _ = try b.store(
      Sample.result(digest: "b"), of: first.points[0].id, lease: LeaseID(9), seconds: 1, worker: 5, at: Sample.now)
    for _ in 0..<2 {
      let report = try a.merge(b.path, at: Sample.later(3))
      #expect((report.runs, report.equalRuns, report.differentRuns) == (0, 0, 1))
    }
    let violations = try rows("SELECT * FROM violations", in: a)
    #expect(violations.count == 1)
    #expect(violations.first?["stored_digest"] == Sample.digest("a"))
    #expect(violations.first?["other_digest"] == Sample.digest("b"))
    #expect(violations.first?["first_different_epoch"] == 1000)
    #expect(violations.first?["host"] == "node5")
    #expect(try rows("SELECT digest FROM runs", in: a).map { $0[0] as String } == [Sample.digest("a")])
  }

  @Test func `a sweep of the same name with other points is refused, and nothing is written`() throws {
    let (a, b) = (try make("a.sqlite"), try make("b.sqlite"))
    try run(first, in: a, boot: 1, lease: 1)
    try run(Sample.sweep("other", weightDecays: [9]), in: b, boot: 2, lease: 1)
    try run(Sample.sweep("first", weightDecays: [7]), in: b, boot: 2, lease: 10)
    let before = try views(of: a)
    let error = storeError { _ = try a.merge(b.path, at: Sample.now) }
    #expect(error?.kind == .sweepChanged)
    #expect(error?.path == b.path)
    #expect(error?.message.contains("the sweep \"first\" is another one there than in \(a.path)") == true)
    #expect(error?.message.contains("Nothing was written") == true)
    #expect(try views(of: a) == before)
    let made = storeError { _ = try Store.make(folder.file("ab.sqlite"), of: [a.path, b.path], at: Sample.now) }
    #expect(made?.message.contains("than in \(folder.file("ab.sqlite"))") == true)
    #expect(!folder.contents.contains { $0.hasPrefix("ab") })
    // The connection that failed is of use still.
    let c = try make("c.sqlite")
    try run(second, in: c, boot: 3, lease: 1)
    #expect(try a.merge(c.path, at: Sample.now).runs == 3)
  }

  @Test func `a sweep of other engine semantics is refused in words`() throws {
    let (a, b) = (try make("a.sqlite"), try make("b.sqlite"))
    _ = try a.register(first, at: Sample.now)
    _ = try b.register(first, at: Sample.now)
    try DatabaseQueue(path: b.path).write { try $0.execute(sql: "UPDATE sweep SET semantics_version = 1") }
    let error = storeError { _ = try a.merge(b.path, at: Sample.now) }
    #expect(error?.message.contains("engine semantics: \(Engine.semanticsVersion) here, 1 there") == true)
  }

  @Test func `sources that are none, or of an older schema, are refused before anything is made`() throws {
    let a = try make("a.sqlite")
    let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    let old = folder.file("old.sqlite")
    try FileManager.default.copyItem(atPath: fixtures.appending(path: "schema-2.sqlite").path, toPath: old)
    let before = folder.contents
    let words = [old: "written by an older groksweep (schema 2", folder.file("absent.sqlite"): "no such store"]
    for (source, part) in words.sorted(by: { $0.key < $1.key }) {
      let error = storeError { _ = try Store.make(folder.file("new.sqlite"), of: [a.path, source], at: Sample.now) }
      #expect(error?.message.contains(part) == true, "\(error as Any)")
      #expect(storeError { _ = try a.merge(source, at: Sample.now) }?.message.contains(part) == true)
    }
    #expect(folder.contents == before)
    let existing = storeError { _ = try Store.make(old, of: [a.path, a.path], at: Sample.now) }
    #expect(existing?.message.contains("is there already") == true)
  }
}
