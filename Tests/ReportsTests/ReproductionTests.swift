// A reproduction from a small store: made-up rows, made-up results, the table that comes of them.

import Foundation
import Grokking
import Reports
import Results
import Sweeps
import Testing

@Suite struct ReproductionTests {
  /// Two weight decays, two seeds, modulus 7.
  private static let sweep = """
    sweep: small
    task: {modulus: 7, train_fraction: 0.5}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 1000}
    axes:
      training.weight_decay: [1, 0.1]
      seed: {count: 2}
    """

  private static func row(
    _ what: String, _ measure: String, weightDecay: Double, _ claim: String, shouldHold: Bool = true
  ) -> String {
    """
    {"target": "weight-decay", "what": "\(what)", "measure": "\(measure)", "where": {"weight_decay": \(weightDecay)},
      \(claim), "source": "somewhere", "should_hold": \(shouldHold), "why": "it is a test"}
    """
  }

  private static func published(_ rows: [String]) throws -> Published {
    let json = """
      {"sources": [{"id": "somewhere", "text": "Somebody 2023, section 1"}], "rows": [\(rows.joined(separator: ","))]}
      """
    return try Published(json: Data(json.utf8))
  }

  private static func evaluation(_ epoch: Int, testLoss: Double) -> Evaluation {
    Evaluation(
      epoch: epoch, trainLoss: 0.001, testLoss: testLoss, trainAccuracy: 1, testAccuracy: 1, restrictedLoss: 0.0015,
      giniW_E: 0.5, giniW_L: 0.5, sumSquaredWeights: 900)
  }

  /// A store with a result for each point that `outcomes` has one for, and the file.
  private static func reproduction(
    of rows: [String], _ outcomes: [Outcome?], failed: Bool = false
  ) throws -> Reproduction {
    let folder = FileManager.default.temporaryDirectory.appending(path: "groksweep-reports-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = try SweepFile(text: sweep, fileName: "small.yaml")
    let store = try Store(path: folder.appending(path: "s.sqlite").path, mode: .create)
    let now = Date(timeIntervalSince1970: 1_767_225_600)
    let points = Array(file.points)
    _ = try store.register(
      SweepRegistration(
        name: file.name, canonical: file.canonical, fileText: file.text, axes: file.axes, points: points,
        differences: { _ in [] }), at: now)
    try store.recordWorker(
      WorkerRecord(
        number: 1,
        identity: WorkerIdentity(
          boot: String(repeating: "0", count: 32), host: "here", processID: 1, cpu: "x", cores: 1, kernelPath: "avx2",
          build: "0")), at: now)
    for (index, outcome) in outcomes.enumerated() {
      guard let outcome else {
        if failed { try store.recordFailure(points[index].id, reason: "it broke", at: now) }
        continue
      }
      let crossed = outcome.grokkingEpoch
      let evaluations = [0, 500, 1000].map { epoch in
        evaluation(epoch, testLoss: crossed.map { epoch >= $0 } ?? false ? 0.003 : 2)
      }
      let lease = LeaseID(Int64(index + 1))
      try store.recordGrant(AttemptRecord(lease: lease, point: points[index].id, worker: 1), at: now)
      _ = try store.store(
        RunResult(
          outcome: outcome, epochs: 1000, evaluations: evaluations,
          keyFrequencies: [KeyFrequency(frequency: 1, norm: 2, excludedLoss: 4)],
          digests: [EpochDigest(epoch: 1000, digest: String(repeating: "a", count: 64))], kernelPath: "avx2"),
        of: points[index].id, lease: lease, seconds: 1, worker: 1, at: now)
    }
    return try Reproduction(.weightDecay, [file], in: store, published: published(rows))
  }

  private static let grokked = Outcome.grokked(memorization: 100, grokking: 400)
  private static let stuck = Outcome.memorized(memorization: 100, censoredAfter: 1000)

  @Test func `rows are judged by the runs of their own setting`() throws {
    let reproduction = try Self.reproduction(
      of: [
        Self.row("groks", "groks", weightDecay: 1, #""happens": true"#),
        Self.row("groks", "groks", weightDecay: 0.1, #""happens": false"#),
        Self.row("grokking epoch", "grokking_epoch", weightDecay: 1, #""value": 410"#),
        Self.row("loss", "loss", weightDecay: 1, #""value": 0.002"#),
        Self.row("ratio", "restricted_ratio", weightDecay: 1, #""value": 0.73"#),
        Self.row("weights", "sum_squared_weights", weightDecay: 1, #""value": 950"#),
        Self.row("keys", "key_frequency_count", weightDecay: 1, #""range": [1, 3]"#),
      ], [Self.grokked, Self.grokked, Self.stuck, Self.stuck])
    #expect(reproduction.rows.map(\.verdict) == Array(repeating: .reproduced, count: 7), "\(reproduction.text)")
    #expect(reproduction.rows.map(\.points) == Array(repeating: 2, count: 7))
    // 24 of 49 pairs are trained on: (24·0.001 + 25·0.003) / 49.
    #expect(abs(reproduction.rows[3].ours.values[0] - 0.099 / 49) < 1e-15)
    #expect(reproduction.holds)
  }

  @Test func `test loss under 0.1 is its first crossing, and a run that never crossed is censored at its end`() throws {
    let reproduction = try Self.reproduction(
      of: [
        Self.row("crossing", "test_loss_under_0.1", weightDecay: 1, #""value": 450"#),
        Self.row("crossing", "test_loss_under_0.1", weightDecay: 0.1, #""value": 5000"#),
      ], [Self.grokked, Self.grokked, Self.stuck, Self.stuck])
    #expect(reproduction.rows[0].ours.values == [500, 500])
    #expect(reproduction.rows[0].verdict == .reproduced)
    #expect(reproduction.rows[1].ours.censored == [1000, 1000])
    #expect(reproduction.rows[1].verdict == .noData)
    #expect(!reproduction.holds)
  }

  @Test func `a row that differs fails only when it should hold`() throws {
    for shouldHold in [true, false] {
      let reproduction = try Self.reproduction(
        of: [Self.row("weights", "sum_squared_weights", weightDecay: 1, #""value": 9"#, shouldHold: shouldHold)],
        [Self.grokked, Self.grokked, Self.grokked, Self.grokked])
      #expect(reproduction.rows[0].verdict == .differs)
      #expect(reproduction.holds == !shouldHold)
      #expect(reproduction.text.contains("need not hold") == !shouldHold)
    }
  }

  @Test func `points without a result make it fail and are counted`() throws {
    let reproduction = try Self.reproduction(
      of: [
        Self.row("groks", "groks", weightDecay: 1, #""happens": true"#),
        Self.row("groks", "groks", weightDecay: 0.1, #""happens": true"#),
      ], [Self.grokked, nil, nil, nil], failed: true)
    #expect(reproduction.rows.map(\.verdict) == [.reproduced, .noData])
    #expect(!reproduction.holds)
    #expect(reproduction.text.contains("1 of 4 points have a result, 3 failed."), "\(reproduction.text)")
    #expect(reproduction.text.contains("1 of 2"))
  }

  @Test func `a run that diverged says nothing of what it never reached`() throws {
    let diverged = Outcome.diverged(at: 700, memorization: 100, grokking: nil)
    let reproduction = try Self.reproduction(
      of: [
        Self.row("groks", "groks", weightDecay: 1, #""happens": false"#),
        Self.row("weights", "sum_squared_weights", weightDecay: 1, #""value": 900"#),
      ], [diverged, diverged, Self.grokked, Self.grokked])
    #expect(reproduction.rows.map(\.verdict) == [.noData, .noData])
    #expect(reproduction.rows[0].ours.absent == 2)
  }

  @Test func `rows about other settings are left out and counted`() throws {
    let reproduction = try Self.reproduction(
      of: [
        Self.row("groks", "groks", weightDecay: 1, #""happens": true"#),
        Self.row("groks", "groks", weightDecay: 3, #""happens": true"#),
      ], [Self.grokked, Self.grokked, Self.grokked, Self.grokked])
    #expect(reproduction.rows.count == 1)
    #expect(reproduction.leftOut == 1)
    #expect(reproduction.holds)
    #expect(reproduction.text.contains("1 row left out"))
  }

  @Test func `the table shows ours beside what was published, and censored runs as beyond`() throws {
    let reproduction = try Self.reproduction(
      of: [Self.row("crossing", "test_loss_under_0.1", weightDecay: 0.1, #""value": 600, "words": "about 600""#)],
      [nil, nil, Self.grokked, Self.stuck])
    let line = reproduction.text.split(separator: "\n")[2]
    #expect(
      line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        == "crossing, weight decay 0.1 about 600 500 500 > 1,000 2 reproduced", "\(line)")
    #expect(reproduction.text.contains("Somebody 2023, section 1"))
  }

  @Test func `as JSON every row has its numbers and its verdict`() throws {
    let reproduction = try Self.reproduction(
      of: [Self.row("crossing", "test_loss_under_0.1", weightDecay: 0.1, #""value": 600"#)],
      [nil, nil, Self.grokked, Self.stuck])
    let object = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(reproduction)) as? [String: Any])
    #expect(object["target"] as? String == "weight-decay")
    #expect(object["holds"] as? Bool == false)
    let rows = try #require(object["rows"] as? [[String: Any]])
    #expect(rows[0]["values"] as? [Double] == [500])
    #expect(rows[0]["not_crossed_by"] as? [Double] == [1000])
    #expect(rows[0]["median"] as? Double == 500)
    #expect(rows[0]["verdict"] as? String == "reproduced")
  }
}
