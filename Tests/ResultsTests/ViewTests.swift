// The views that people query: their columns, in order, and their values, through plain SQL.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct ViewTests {
  private let fixture: StoreFixture
  private var store: Store { fixture.store }

  init() throws { fixture = try StoreFixture() }

  private func columns(_ view: String) throws -> [String] {
    try fixture.rows("SELECT name FROM pragma_table_info('\(view)')").map { $0[0] }
  }

  private static let experimentColumns = [
    "operation", "modulus", "train_fraction", "d_model", "heads", "d_mlp", "activation", "biases", "d_vocab_out",
    "max_epochs", "learning_rate", "weight_decay", "beta1", "beta2", "epsilon", "warmup_epochs", "evaluate_every",
    "after_grokking", "label_noise", "initialization_scale", "batch_size", "optimizer", "schedule", "momentum", "l1",
    "grokfast_alpha", "grokfast_lambda", "model_seed", "data_seed",
  ]

  @Test func `runs has the promised columns in the promised order`() throws {
    #expect(
      try columns("runs") == ["sweep", "point", "setting"] + Self.experimentColumns + [
        "outcome", "memorization_epoch", "grokking_epoch", "grokking_delay", "censored_after", "train_loss",
        "test_loss", "train_accuracy", "test_accuracy", "restricted_loss", "excluded_loss", "gini_w_e", "gini_w_l",
        "sum_squared_weights", "key_frequency_count", "epochs", "seconds", "worker", "digest", "kernel_path",
        "measure_version", "ended_by", "memorization_end", "cleanup_start", "cleanup_end", "restricted_loss_train",
        "restricted_loss_test", "logit_fve", "cosine_loss_test", "rank_residual", "neurons_over_85", "key_frequencies",
        "key_frequencies_w_e", "key_frequencies_neurons",
      ])
  }

  @Test func `the other views have the promised columns`() throws {
    #expect(
      try columns("curves") == [
        "point", "epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "restricted_loss_train",
        "restricted_loss_test", "restricted_loss", "excluded_loss", "gini_w_e", "gini_w_l", "sum_squared_weights",
        "logit_fve", "cosine_loss_test", "sum_squared_w_e", "sum_squared_w_pos", "sum_squared_w_q", "sum_squared_w_k",
        "sum_squared_w_v", "sum_squared_w_o", "sum_squared_w_in", "sum_squared_b_in", "sum_squared_w_out",
        "sum_squared_b_out", "sum_squared_w_u",
      ])
    #expect(
      try columns("key_frequencies") == [
        "point", "frequency", "norm", "excluded_loss", "cosine_coefficient", "neurons", "fve_u", "fve_v",
      ])
    #expect(
      try columns("frequency_curves") == ["point", "epoch", "frequency", "excluded_loss", "cosine_coefficient"])
    #expect(try columns("crossings") == ["point", "measure", "threshold", "first_epoch", "sustained_epoch"])
    #expect(try columns("phases") == ["point", "phase", "start_epoch", "end_epoch"])
    #expect(try columns("spectra") == ["point", "epoch", "frequency", "norm_w_e", "norm_w_l"])
    #expect(try columns("neurons") == ["point", "neuron", "frequency", "fve"])
    #expect(
      try columns("heads") == [
        "point", "head", "attention_to_a", "attention_to_b", "attention_to_equals", "frequency", "fve",
      ])
    #expect(try columns("ablations") == ["point", "name", "frequency", "loss", "ratio_to_original"])
    #expect(
      try columns("sweep_progress") == [
        "sweep", "pending", "running", "finished", "failed", "total", "eta_seconds", "state", "priority",
      ])
    #expect(
      try columns("grokking_times") == [
        "sweep", "setting", "points", "runs", "grokked", "censored", "immediate", "collapsed", "diverged",
        "median_grokking_epoch", "median_low", "median_high", "geometric_mean_grokking_epoch", "geometric_mean_low",
        "geometric_mean_high", "min_grokking_epoch", "max_grokking_epoch", "log10_sd", "log10_sd_of_model_seed",
        "log10_sd_of_data_seed", "median_memorization_epoch",
      ] + Self.experimentColumns.dropLast(2))
    #expect(
      try columns("predictors") == [
        "sweep", "measure", "landmark", "runs", "grokked", "censored", "left_out", "spearman",
        "spearman_within_settings", "hindsight",
      ])
    #expect(
      try columns("workers") == [
        "worker", "host", "process_id", "cpu", "cores", "slots", "kernel_path", "build", "state", "attempts",
        "finished", "first_seen", "last_seen", "key",
      ])
    #expect(
      try columns("attempts") == [
        "lease", "point", "worker", "host", "class", "reason", "charged", "epoch", "started", "ended", "seconds",
        "delivered", "refunded",
      ])
    #expect(
      try columns("verifications") == [
        "point", "state", "requested", "requested_by", "done", "reason", "stored_digest", "other_digest", "lease",
        "worker", "host",
      ])
    #expect(
      try columns("failures")
        == ["sweep", "point", "setting"] + Self.experimentColumns + ["reason", "charged_attempts"])
    #expect(
      try columns("violations") == [
        "point", "stored_digest", "other_digest", "first_different_epoch", "worker", "host", "recorded",
      ])
  }

  @Test func `runs, curves and key frequencies show what was stored`() throws {
    let sweep = Sample.sweep()
    _ = try store.register(sweep, at: Sample.now)
    try store.finish(sweep.points[2].id, lease: 1)
    let run = try #require(try fixture.rows("SELECT * FROM runs").first)
    #expect(run["sweep"] == "decay")
    #expect(run["point"] == sweep.points[2].id.hex)
    #expect(run["setting"] == "weight_decay=0.3")
    #expect(run["weight_decay"] == 0.3)
    #expect(run["operation"] == "add")
    #expect((run["max_epochs"], run["epochs"]) as (Int, Int) == (1000, 1000))
    #expect(run["after_grokking"] as Int? == nil)
    #expect(run["grokking_delay"] == 600)
    #expect(run["censored_after"] as Int? == nil)
    #expect((run["train_loss"], run["excluded_loss"], run["gini_w_l"]) as (Double, Double, Double) == (0.001, 5.5, 0.7))
    #expect(run["key_frequency_count"] == 2)
    #expect(run["digest"] == Sample.digest("a"))
    let curve = try fixture.rows("SELECT * FROM curves WHERE point = '\(sweep.points[2].id.hex)'")
    #expect(curve.map { $0["epoch"] as Int } == [0, 1000])
    #expect(curve.map { $0["test_accuracy"] as Double } == [0.25, 1])
    let frequencies = try fixture.rows("SELECT frequency, norm, excluded_loss FROM key_frequencies")
    #expect(frequencies.map { $0["frequency"] as Int } == [1, 3])
    #expect(frequencies.map { $0["excluded_loss"] as Double } == [4.5, 3])
  }

  @Test func `runs stand in the sweep's order, whatever order they came in`() throws {
    let sweep = Sample.sweep()
    _ = try store.register(sweep, at: Sample.now)
    for (lease, point) in [3, 0, 2].enumerated() {
      try store.finish(sweep.points[point].id, lease: Int64(lease + 1))
    }
    let expected = [0, 2, 3].map { sweep.points[$0].id.hex }
    #expect(try fixture.rows("SELECT point FROM runs").map { $0[0] as String } == expected)
    #expect(try store.runs(of: "decay").map(\.point.hex) == expected)
  }

  @Test func `progress counts each point in one state and estimates the rest`() throws {
    let sweep = Sample.sweep(seeds: 3)
    _ = try store.register(sweep, at: Sample.now)
    #expect(try store.sweepProgress(of: "decay").etaSeconds == nil)
    try store.finish(sweep.points[0].id, lease: 1, seconds: 10)
    try store.finish(sweep.points[1].id, lease: 2, seconds: 20)
    try store.recordFailure(sweep.points[2].id, reason: "bad", at: Sample.now)
    try store.recordGrant(AttemptRecord(lease: LeaseID(3), point: sweep.points[3].id, worker: 1), at: Sample.now)
    try store.recordGrant(AttemptRecord(lease: LeaseID(4), point: sweep.points[4].id, worker: 1), at: Sample.now)
    let progress = try store.sweepProgress(of: "decay")
    #expect((progress.pending, progress.running, progress.finished, progress.failed) == (1, 2, 2, 1))
    #expect(progress.total == 6)
    // Three left at 15 s each, two at a time.
    #expect(progress.etaSeconds == 22.5)
    let summary = try store.summary()
    #expect((summary.points, summary.pending, summary.running, summary.finished, summary.failed) == (6, 1, 2, 2, 1))
    #expect((summary.sweeps, summary.attempts, summary.workers, summary.violations) == (1, 4, 1, 0))
  }

  @Test func `workers and attempts show who did what`() throws {
    let sweep = Sample.sweep()
    _ = try store.register(sweep, at: Sample.now)
    try store.finish(sweep.points[0].id, lease: 1)
    try store.recordWorker(Sample.worker(2), at: Sample.now)
    try store.recordGrant(AttemptRecord(lease: LeaseID(2), point: sweep.points[1].id, worker: 2), at: Sample.now)
    let workers = try fixture.rows("SELECT * FROM workers")
    #expect(workers.map { $0["host"] as String } == ["node1", "node2"])
    #expect(workers.map { $0["state"] as String } == ["idle", "running"])
    #expect(workers.map { $0["finished"] as Int } == [1, 0])
    #expect(workers.map { $0["slots"] as Int } == [1, 1])
    let attempts = try fixture.rows("SELECT * FROM attempts")
    #expect(attempts.map { $0["point"] as String } == sweep.points.prefix(2).map(\.id.hex))
    #expect(attempts.map { $0["class"] as String } == ["finished", "open"])
    #expect(attempts[1]["ended"] as String? == nil)
  }

  /// The outcomes of one setting's seeds, and what its row must say.
  private func times(_ outcomes: [Outcome], points: Int? = nil) throws -> GrokkingTime {
    let sweep = Sample.sweep("m", weightDecays: [2], seeds: points ?? outcomes.count)
    _ = try store.register(sweep, at: Sample.now)
    for (index, outcome) in outcomes.enumerated() {
      try store.finish(sweep.points[index].id, lease: Int64(index + 1), Sample.result(outcome))
    }
    let row = try #require(try store.grokkingTimes(of: "m").first)
    #expect(try store.grokkingTimesPage(of: "m").times == [row], "folded without the view")
    return row
  }

  @Test func `an odd number of runs has the middle one as median`() throws {
    let row = try times([900, 300, 500].map { .grokked(memorization: 100, grokking: $0) })
    #expect((row.runs, row.grokked, row.censored) == (3, 3, 0))
    #expect((row.minGrokkingEpoch, row.medianGrokkingEpoch, row.maxGrokkingEpoch) == (300, 500, 900))
    #expect(row.medianMemorizationEpoch == 100)
  }

  @Test func `an even number has the first epoch by which half had grokked`() throws {
    let row = try times([900, 300, 500, 700].map { .grokked(memorization: 100, grokking: $0) })
    #expect(row.medianGrokkingEpoch == 500)
  }

  @Test func `censored runs count as later than every grokked one`() throws {
    let row = try times([
      .memorized(memorization: 50, censoredAfter: 1000), .grokked(memorization: 60, grokking: 800),
      .grokked(memorization: 70, grokking: 900), .unfit(censoredAfter: 1000),
      .grokked(memorization: 80, grokking: 400),
    ])
    #expect((row.runs, row.grokked, row.censored) == (5, 3, 2))
    #expect(row.medianGrokkingEpoch == 900)
    #expect(row.maxGrokkingEpoch == 900)
    #expect(row.medianMemorizationEpoch == 70)
  }

  @Test func `the median is absent when less than half grokked`() throws {
    let row = try times([
      .memorized(memorization: 50, censoredAfter: 1000), .grokked(memorization: 60, grokking: 800),
      .unfit(censoredAfter: 1000),
    ])
    #expect(row.medianGrokkingEpoch == nil)
    #expect(row.minGrokkingEpoch == 800)
  }

  @Test func `immediate, collapsed and late divergence are observed grokking, early divergence is censored`() throws {
    let row = try times(
      [
        .immediate(memorization: 200, grokking: 100), .collapsed(memorization: 10, grokking: 200),
        .diverged(at: 600, memorization: 10, grokking: 300), .diverged(at: 2, memorization: nil, grokking: nil),
      ], points: 6)
    #expect((row.points, row.runs, row.grokked, row.censored) == (6, 4, 3, 1))
    #expect((row.immediate, row.collapsed, row.diverged) == (1, 1, 2))
    #expect(row.medianGrokkingEpoch == 200)
  }

  @Test func `grokking times stand in the sweep's order, settings without runs included`() throws {
    let sweep = Sample.sweep(weightDecays: [10, 2, 1, 0.5])
    _ = try store.register(sweep, at: Sample.now)
    try store.finish(sweep.points[4].id, lease: 1)
    let rows = try fixture.rows("SELECT * FROM grokking_times")
    #expect(
      rows.map { $0["setting"] as String } == [
        "weight_decay=10.0", "weight_decay=2.0", "weight_decay=1.0", "weight_decay=0.5",
      ])
    #expect(rows.map { $0["weight_decay"] as Double } == [10, 2, 1, 0.5])
    #expect(rows.map { $0["runs"] as Int } == [0, 0, 1, 0])
    #expect(rows.map { $0["median_grokking_epoch"] as Int? } == [nil, nil, 700, nil])
  }

  @Test func `the sqlite3 shell reads every view`() throws {
    let sweep = Sample.sweep()
    _ = try store.register(sweep, at: Sample.now)
    try store.finish(sweep.points[0].id, lease: 1, Sample.measured())
    let views = [
      "runs", "curves", "key_frequencies", "sweep_progress", "grokking_times", "workers", "attempts", "violations",
      "crossings", "phases", "spectra", "frequency_curves", "neurons", "heads", "ablations", "predictors",
    ]
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    shell.arguments = ["sqlite3", "-readonly", fixture.path, views.map { "SELECT count(*) FROM \($0);" }.joined()]
    let output = Pipe()
    shell.standardOutput = output
    try shell.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 0)
    #expect(text == "1\n2\n2\n1\n2\n1\n1\n0\n9\n3\n6\n4\n5\n2\n5\n0\n")
  }
}
