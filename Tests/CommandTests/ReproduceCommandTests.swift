// `groksweep reproduce` as a person uses it. Training at the paper's size takes minutes, so the table is printed from a
// store that already has every point, with made-up numbers.

import Foundation
import Grokking
import Results
import Sweeps
import TestSupport
import Testing

@Suite struct ReproduceCommandTests {
  private static let configs = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "configs")

  /// A store in which the points of a ready sweep file have results, all alike, but for the first few, which failed.
  private static func fill(
    _ path: String, with config: String, sumSquaredWeights: Double, failing: Int = 0
  ) throws {
    let bytes = [UInt8](try Data(contentsOf: configs.appending(path: config)))
    let file = try SweepFile(bytes: bytes, fileName: config)
    let store = try Store(path: path, mode: .create)
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
    for (index, point) in points.enumerated() {
      if index < failing {
        try store.recordFailure(point.id, reason: "set aside by a test", at: now)
        continue
      }
      let lease = LeaseID(Int64(index + 1))
      try store.recordGrant(AttemptRecord(lease: lease, point: point.id, worker: 1), at: now)
      let evaluation = Evaluation(
        epoch: 40_000, trainLoss: 2e-7, testLoss: 3e-7, trainAccuracy: 1, testAccuracy: 1, restrictedLoss: 6e-8,
        giniW_E: 0.5, giniW_L: 0.5, sumSquaredWeights: sumSquaredWeights)
      _ = try store.store(
        RunResult(
          outcome: .grokked(memorization: 1000, grokking: 8000 + 100 * index), epochs: 40_000,
          evaluations: [evaluation],
          keyFrequencies: (1...4).map { KeyFrequency(frequency: $0, norm: 2, excludedLoss: 4) },
          digests: [EpochDigest(epoch: 40_000, digest: String(repeating: "a", count: 64))], kernelPath: "avx2"),
        of: point.id, lease: lease, seconds: 1, worker: 1, at: now)
    }
    try store.close()
  }

  @Test func `with all points there it prints the table and ends with 0, from the points of another sweep too`() throws
  {
    let folder = try Folder()
    try Self.fill(folder.path("paper.sqlite"), with: "paper.yaml", sumSquaredWeights: 930)
    let ended = try Groksweep.run(["reproduce", "paper", "--store", "paper.sqlite"], in: folder)
    #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
    #expect(ended.output.contains("paper: 4 of 4 rows that should hold do."), "\(ended.output)")
    #expect(ended.output.contains("around 10,000"))
    #expect(ended.errors.contains("5 points, 5 finished in paper.sqlite; nothing to run"), "\(ended.errors)")
    #expect(try folder.query("paper.sqlite", "SELECT count(*) FROM attempts") == ["5"])

    let json = try Groksweep.run(["reproduce", "paper", "--store", "paper.sqlite", "--json"], in: folder)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(object["holds"] as? Bool == true)
    #expect((object["rows"] as? [Any])?.count == 6)
  }

  @Test func `a row that should hold and does not ends with 1`() throws {
    let folder = try Folder()
    try Self.fill(folder.path("reproduce-paper.sqlite"), with: "reproduce-paper.yaml", sumSquaredWeights: 90)
    let ended = try Groksweep.run(["reproduce", "paper"], in: folder)
    #expect(ended.status == 1, "\(ended.errors)")
    #expect(ended.output.contains("paper: 3 of 4 rows that should hold do."), "\(ended.output)")
  }

  @Test func `points that failed for good end with 1, their reasons and the way to run them again`() throws {
    let folder = try Folder()
    try Self.fill(folder.path("p.sqlite"), with: "paper.yaml", sumSquaredWeights: 930, failing: 2)
    let ended = try Groksweep.run(["reproduce", "paper", "--store", "p.sqlite"], in: folder)
    #expect(ended.status == 1, "\(ended.errors)")
    #expect(ended.errors.contains("5 points, 3 finished in p.sqlite, 2 failed; nothing to run"), "\(ended.errors)")
    #expect(ended.errors.contains("set aside by a test"), "\(ended.errors)")
    #expect(ended.errors.contains("groksweep retry --store p.sqlite"), "\(ended.errors)")
    #expect(ended.output.contains("3 of 5 points have a result, 2 failed."), "\(ended.output)")
  }

  @Test func `it says what it will cost, and Ctrl-C leaves everything resumable`() throws {
    let folder = try Folder()
    let running = try Groksweep.start(
      ["reproduce", "train-fraction", "--only", "0.95", "--seeds", "1", "--workers", "1"], in: folder)
    let started = waitUntil(180) {
      FileManager.default.fileExists(atPath: folder.path("reproduce-train-fraction.sqlite"))
        && (try? folder.query("reproduce-train-fraction.sqlite", "SELECT count(*) FROM attempts")) == ["1"]
    }
    #expect(started, "\(running.errors)")
    running.signal(SIGINT)
    let ended = try running.end(within: 180)
    #expect(ended.status == 130, "\(ended.errors)")
    #expect(
      ended.errors.contains("1 point, 0 finished in reproduce-train-fraction.sqlite; 1 to run in at most"),
      "\(ended.errors)")
    #expect(ended.errors.contains("of core time (estimate)"), "\(ended.errors)")
    #expect(
      ended.errors.contains("groksweep reproduce train-fraction --workers 1 --seeds 1 --only 0.95"), "\(ended.errors)")
    #expect(ended.output.isEmpty)
    #expect(
      try folder.query("reproduce-train-fraction.sqlite", "SELECT sweep, total FROM sweep_progress")
        == ["reproduce-train-fraction.only-0.95.seeds-1|1"])
  }

  @Test(arguments: [
    (["reproduce", "everything"], "there are paper, train-fraction, weight-decay, modulus"),
    (["reproduce", "paper", "--only", "1"], "nothing to choose"),
    (["reproduce", "modulus", "--only", "97"], "it has 53, 109, 401"),
    (["reproduce", "modulus", "--only", "53,"], "is no number"),
    (["reproduce", "paper", "--seeds", "0"], "--seeds 0"),
    (["reproduce", "paper", "--workers", "0"], "--workers 0"),
    (["reproduce"], "target"),
  ])
  func `wrong usage ends with 64, says what would be right, and leaves nothing`(
    arguments: [String], words: String
  ) throws {
    let folder = try Folder()
    let ended = try Groksweep.run(arguments, in: folder)
    #expect(ended.status == 64, "\(ended.errors)")
    #expect(ended.errors.contains(words), "\(ended.errors)")
    #expect(try folder.names() == [])
  }

  @Test func `a store that is not ours is refused and left as it is`() throws {
    let folder = try Folder()
    try folder.write("my diary, more than a page header of a database would be", to: "diary.sqlite")
    let ended = try Groksweep.run(["reproduce", "paper", "--store", "diary.sqlite"], in: folder)
    #expect(ended.status == 65, "\(ended.errors)")
    #expect(try folder.names().contains("diary.sqlite"))
  }
}
