// Stores that earlier versions of this program wrote, opened by this one.
//
// Fixtures/schema-1.sqlite was written by groksweep 0.1.0: two finished runs of modulus 7, one of an operation with
// waves and one without, and a run that diverged. Fixtures/schema-2.sqlite was written by the last groksweep of schema
// 2: two finished runs, a point that was quarantined when its worker had been killed three times, and a point that was
// running when its coordinator was killed. Fixtures/schema-3.sqlite was written by the last groksweep of schema 3: 58 runs of
// modulus 29 in three sweeps that share points, one of them paused, and two points that were run again.
// Fixtures/schema-4.sqlite was written by a groksweep of schema 4: 20 runs of three sweeps, one of variants of training,
// paused, one whose points were run again, and one that searched a boundary and found it. Fixtures/schema-5.sqlite was written
// by a groksweep of schema 5: four runs with their final weights and one without. They are never written anew.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct MigrationTests {
  private let folder: TemporaryFolder
  /// A store of schema 1.
  private let path: String
  private let pathOfSchema2: String
  private let pathOfSchema3: String
  private let pathOfSchema4: String
  private let pathOfSchema5: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("old.sqlite")
    pathOfSchema2 = folder.file("old-2.sqlite")
    pathOfSchema3 = folder.file("old-3.sqlite")
    pathOfSchema4 = folder.file("old-4.sqlite")
    pathOfSchema5 = folder.file("old-5.sqlite")
    let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    try FileManager.default.copyItem(atPath: fixtures.appending(path: "schema-1.sqlite").path, toPath: path)
    try FileManager.default.copyItem(atPath: fixtures.appending(path: "schema-2.sqlite").path, toPath: pathOfSchema2)
    try FileManager.default.copyItem(atPath: fixtures.appending(path: "schema-3.sqlite").path, toPath: pathOfSchema3)
    try FileManager.default.copyItem(atPath: fixtures.appending(path: "schema-4.sqlite").path, toPath: pathOfSchema4)
    try FileManager.default.copyItem(atPath: fixtures.appending(path: "schema-5.sqlite").path, toPath: pathOfSchema5)
  }

  private func rows(_ sql: String, in other: String? = nil) throws -> [Row] {
    try DatabaseQueue(path: other ?? path).read { try Row.fetchAll($0, sql: sql) }
  }

  /// What `grokking_times` had before schema 4.
  private let oldTimes = """
    sweep, setting, points, runs, grokked, censored, immediate, collapsed, diverged, median_grokking_epoch,
    min_grokking_epoch, max_grokking_epoch, median_memorization_epoch, operation, after_grokking
    """

  /// Of `runs` before schema 4.
  private let runColumns = """
    sweep, point, setting, operation, modulus, after_grokking, model_seed, data_seed, outcome, memorization_epoch,
    grokking_delay, censored_after, test_loss, excluded_loss, key_frequency_count, epochs, seconds, worker, digest,
    ended_by, memorization_end, rank_residual, neurons_over_85, key_frequencies, key_frequencies_neurons
    """

  private let oldColumns = """
    SELECT sweep, point, setting, operation, outcome, memorization_epoch, censored_after, train_loss, restricted_loss,
      sum_squared_weights, epochs, seconds, digest, measure_version FROM runs
    """

  @Test func `a store of schema 1 is brought up to date and answers as before`() throws {
    let before = try rows(oldColumns)
    let (curves, digests) = ("SELECT point, epoch, test_loss FROM curves", "SELECT * FROM digest")
    let (oldCurves, oldDigests) = (try rows(curves), try rows(digests))
    #expect(before.map { $0["outcome"] as String } == ["unfit", "memorized", "diverged"])
    let store = try Store(path: path, mode: .open)
    #expect(store.migratedFrom == 1)
    #expect(try Store(path: path, mode: .open).migratedFrom == nil)
    #expect(try rows("PRAGMA user_version").first?[0] == Store.schemaVersion)
    #expect(try rows(oldColumns) == before)
    #expect(try rows(curves) == oldCurves)
    #expect(try rows(digests) == oldDigests)
    #expect(try rows("PRAGMA integrity_check").map { $0[0] as String } == ["ok"])
    #expect(try rows("PRAGMA foreign_key_check").isEmpty)
    #expect(try store.sweepProgress().map(\.finished) == [2, 1])
    #expect(try store.runs(of: "frozen").map(\.keyFrequencyCount) == [3, 3])
    #expect(try store.runs(of: "frozen-divergence").map(\.keyFrequencyCount) == [nil])
  }

  @Test func `what schema 1 did not measure is absent`() throws {
    let store = try Store(path: path, mode: .open)
    let views = ["crossings", "phases", "spectra", "frequency_curves", "neurons", "heads", "ablations"]
    for view in views { #expect(try rows("SELECT * FROM \(view)").isEmpty, "\(view)") }
    let run = try #require(try rows("SELECT * FROM runs").first)
    let absent = [
      "memorization_end", "cleanup_start", "cleanup_end", "logit_fve", "cosine_loss_test", "rank_residual",
      "neurons_over_85", "key_frequencies_w_e", "key_frequencies_neurons",
    ]
    for column in absent { #expect((run[column] as DatabaseValue).isNull, "\(column)") }
    #expect(run["key_frequencies"] == "1,2,3")
    #expect(try rows("SELECT ended_by FROM runs").map { $0[0] as String } == ["all_epochs", "all_epochs", "diverged"])
    let hidden = try rows("SELECT * FROM curves WHERE sum_squared_w_e IS NOT NULL OR logit_fve IS NOT NULL")
    #expect(hidden.isEmpty)
    #expect(try rows("SELECT * FROM key_frequencies WHERE neurons IS NOT NULL").isEmpty)
    let point = try #require(PointID(hex: run["point"]))
    let result = try #require(try store.result(of: point))
    #expect(result.evaluations.count == 5)
    #expect(abs(try #require(result.final?.restrictedLoss) - 1.72190572692969) < 1e-12)
    #expect(result.finalModel == nil)
    #expect(result.crossings.isEmpty && result.phases.isEmpty)
    #expect(result.measureVersion == 1)
  }

  @Test func `an old store takes new results beside the old ones`() throws {
    let store = try Store(path: path, mode: .open)
    let sweep = Sample.sweep()
    _ = try store.register(sweep, at: Sample.now)
    let worker = Sample.worker(9)
    try store.recordWorker(worker, at: Sample.now)
    try store.recordGrant(AttemptRecord(lease: LeaseID(99), point: sweep.points[0].id, worker: 9), at: Sample.now)
    let outcome = try store.store(
      Sample.measured(), of: sweep.points[0].id, lease: LeaseID(99), seconds: 1, worker: 9, at: Sample.later(1))
    #expect(outcome == .stored)
    #expect(try store.result(of: sweep.points[0].id) == Sample.measured())
    #expect(try rows("SELECT measure_version FROM runs").map { $0[0] as Int } == [1, 1, 1, 2])
  }

  @Test func `an old store that is only to be read says how to bring it up to date`() throws {
    let error = storeError { _ = try Store(path: path, mode: .readOnly) }
    #expect(error?.kind == .refused)
    #expect(error?.message.contains("written by an older groksweep (schema 1; this one reads schema 5)") == true)
    #expect(error?.message.contains("`groksweep retry --store \(path)` brings it up to date") == true)
    #expect(try rows("PRAGMA user_version").first?[0] == 1)
  }

  @Test func `a store of schema 2 is brought up to date and answers as before`() throws {
    func old(_ sql: String) throws -> [Row] { try rows(sql, in: pathOfSchema2) }
    let columns = [
      "lease, point, worker, host, class, reason, charged, epoch, started, ended, seconds, delivered FROM attempts",
      "sweep, pending, running, finished, failed, total, eta_seconds FROM sweep_progress",
      "worker, host, process_id, state, attempts, finished, first_seen, last_seen FROM workers",
      "\(runColumns) FROM runs",
      "* FROM curves", "* FROM spectra", "\(oldTimes) FROM grokking_times", "* FROM digest",
    ]
    let before = try columns.map { try old("SELECT \($0)") }
    #expect(
      before[0].map { $0["class"] as String } == ["finished", "finished", "crashed", "crashed", "crashed", "open"])
    let store = try Store(path: pathOfSchema2, mode: .open)
    #expect(store.migratedFrom == 2)
    for (query, rows) in zip(columns, before) { #expect(try old("SELECT \(query)") == rows, "\(query)") }
    #expect(try old("PRAGMA integrity_check").map { $0[0] as String } == ["ok"])
    #expect(try old("PRAGMA foreign_key_check").isEmpty)
    #expect(try old("SELECT DISTINCT state || priority FROM sweep_progress").map { $0[0] as String } == ["active0"])
    #expect(try old("SELECT * FROM attempts WHERE refunded IS NOT NULL").isEmpty)
    #expect(try old("SELECT DISTINCT key FROM workers").map { $0[0] as String } == [""])
    #expect(try old("SELECT * FROM verifications").isEmpty)
  }

  @Test func `a coordinator goes on with a store of schema 2 where the killed one was`() throws {
    let store = try Store(path: pathOfSchema2, mode: .open)
    let start = try store.schedulerStart(sweeps: ["frozen-poison"])
    #expect(start.points.map(\.state) == [.failed, .pending])
    #expect(start.points.map(\.chargedAttempts) == [3, 0])
    #expect(start.points[1].openAttempts.map(\.lease) == [LeaseID(6)])
    #expect(start.nextLease == LeaseID(7))
    // A foreign key of a run still leads to the attempts, and the open attempt is the only one of its point.
    try store.recordGrant(AttemptRecord(lease: LeaseID(7), point: start.points[1].id, worker: 5), at: Sample.now)
    #expect(try store.story(of: start.points[1].id).attempts.map(\.kind) == ["lost", "open"])
    #expect(try store.retry() == [start.points[0].id])
    let refunds = try rows("SELECT DISTINCT refunded FROM attempts WHERE lease BETWEEN 3 AND 5", in: pathOfSchema2)
    #expect(refunds.map { $0[0] as String } == ["the point is tried again"])
  }

  @Test func `a store of schema 3 is brought up to date and answers as before`() throws {
    func old(_ sql: String) throws -> [Row] { try rows(sql, in: pathOfSchema3) }
    let others = [
      "* FROM curves", "* FROM crossings", "* FROM phases", "* FROM neurons", "* FROM heads", "* FROM ablations",
      "* FROM attempts", "* FROM workers", "* FROM verifications", "* FROM sweep_progress", "* FROM key_frequencies",
      "\(runColumns) FROM runs",
      "sweep, setting, points, runs, grokked, censored, diverged, min_grokking_epoch, max_grokking_epoch FROM grokking_times",
    ]
    let before = try others.map { try old("SELECT \($0)") }
    let store = try Store(path: pathOfSchema3, mode: .open)
    #expect(store.migratedFrom == 3)
    for (query, rows) in zip(others, before) { #expect(try old("SELECT \(query)") == rows, "\(query)") }
    #expect(try old("PRAGMA integrity_check").map { $0[0] as String } == ["ok"])
    #expect(try old("PRAGMA foreign_key_check").isEmpty)
    #expect(try store.sweepProgress().map(\.state) == [.active, .active, .paused])
    #expect(try store.schedulerStart().points.allSatisfy { $0.state == .finished })
  }

  @Test func `a store of schema 4 opens and answers from every view`() throws {
    func old(_ sql: String) throws -> [Row] { try rows(sql, in: pathOfSchema4) }
    func strings(_ sql: String) throws -> [String] { try old(sql).map { $0[0] as String } }
    let before = try strings("SELECT digest FROM runs ORDER BY point")
    let store = try Store(path: pathOfSchema4, mode: .open)
    #expect(store.migratedFrom == (Store.schemaVersion == 4 ? nil : 4))
    let counts = [
      ("runs", 20), ("curves", 186), ("crossings", 180), ("phases", 18), ("spectra", 2164), ("neurons", 1440),
      ("heads", 60), ("ablations", 253), ("key_frequencies", 93), ("frequency_curves", 1094), ("attempts", 20),
      ("verifications", 2), ("violations", 0), ("workers", 7), ("failures", 0), ("sweep_progress", 3),
      ("grokking_times", 10), ("predictors", 45), ("boundaries", 1),
    ]
    for (view, count) in counts {
      #expect(try old("SELECT * FROM \(view)").count == count, "\(view)")
    }
    #expect(try strings("SELECT digest FROM runs ORDER BY point") == before)
    #expect(
      try strings("SELECT DISTINCT optimizer || ' ' || schedule || ' ' || grokfast_lambda FROM runs ORDER BY 1") == [
        "adamw constant 0.0", "adamw constant 2.0", "adamw cosine 0.0", "sgd constant 0.0", "sgd cosine 0.0",
      ])
    #expect(
      try strings("SELECT axis || ' ' || low || ' ' || high || ' ' || grokked FROM boundaries") == [
        "task.train_fraction 0.6 0.7 high"
      ])
    #expect(
      try strings(
        "SELECT setting || ' ' || grokked || ' ' || median_grokking_epoch FROM grokking_times WHERE grokked > 0")
        == ["train_fraction=0.7 2 506", "train_fraction=0.8 2 572"])
    #expect(try store.sweepProgress().map(\.state) == [.paused, .active, .active])
    #expect(try store.boundarySweeps(nil).problems.isEmpty)
    #expect(try store.schedulerStart().points.allSatisfy { $0.state == .finished })
    #expect(try old("PRAGMA integrity_check").map { $0[0] as String } == ["ok"])
    #expect(try strings("SELECT point FROM final_weights").isEmpty, "kept since schema 5")
  }

  @Test func `a store of schema 5 opens, and its final weights are those models`() throws {
    let store = try Store(path: pathOfSchema5, mode: .open)
    #expect(store.migratedFrom == (Store.schemaVersion == 5 ? nil : 5))
    let runs = try ["five", "bare"].flatMap { try store.runs(of: $0) }
    #expect(runs.count == 5)
    for run in runs {
      guard let bytes = try store.finalWeights(of: run.point) else {
        #expect(run.sweep == "bare", "run with --no-weights")
        continue
      }
      #expect(run.sweep == "five")
      let model = try ModelFile(parsing: bytes)
      #expect(model.weights.layout == ParameterLayout(run.experiment))
      #expect(model.metadata["point"] == run.point.hex && model.metadata["epoch"] == "300")
      var squares = 0.0
      for weight in model.weights.storage { squares += Double(weight) * Double(weight) }
      let stored: Double = try #require(run.final?.sumSquaredWeights)
      #expect(abs(squares - stored) < 1e-9 * stored)
    }
  }

  @Test func `values that older stores did not know are at their defaults, which groups by them show`() throws {
    _ = try Store(path: pathOfSchema3, mode: .open)
    let values = try rows(
      """
      SELECT optimizer, momentum, schedule, batch_size, l1, grokfast_lambda, label_noise, initialization_scale,
        count(*) AS runs
      FROM runs GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
      """, in: pathOfSchema3)
    #expect(values.count == 1)
    let row = try #require(values.first)
    #expect((row["optimizer"], row["schedule"]) as (String, String) == ("adamw", "constant"))
    #expect((row["momentum"], row["l1"], row["grokfast_lambda"]) as (Double, Double, Double) == (0, 0, 0))
    #expect((row["label_noise"], row["initialization_scale"]) as (Double, Double) == (0, 1))
    #expect(row["batch_size"] as Int? == nil)
    #expect(row["runs"] == 58)
  }

  @Test func `migrated stores have the schema of a new one`() throws {
    let fresh = try StoreFixture()
    let schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
    for path in [path, pathOfSchema2, pathOfSchema3, pathOfSchema4] {
      _ = try Store(path: path, mode: .open)
      #expect(try rows(schema, in: path) == (try fresh.rows(schema)))
    }
  }
}
