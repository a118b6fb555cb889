// Finished points that are run once more.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite struct VerificationTests {
  private let fixture: StoreFixture
  private let points: [PointID]
  private var store: Store { fixture.store }

  init() throws {
    fixture = try StoreFixture()
    let sweep = Sample.sweep()
    points = sweep.points.map(\.id)
    _ = try fixture.store.register(sweep, at: Sample.now)
    for point in 0..<3 { try store.finish(points[point], lease: Int64(point + 1)) }
  }

  private func states() throws -> [String] { try fixture.rows("SELECT state FROM verifications").map { $0[0] } }

  private func runAgain(_ point: Int, lease: Int64, digest: Character) throws -> Bool {
    let outcomes = try store.commit(
      [
        .grant(AttemptRecord(lease: LeaseID(lease), point: points[point], worker: 1)),
        .verification(Sample.result(digest: digest), of: points[point], lease: LeaseID(lease), worker: 1),
      ], at: Sample.later(60))
    guard case .compared(let isEqual) = outcomes[1] else {
      Issue.record("\(outcomes)")
      return false
    }
    return isEqual
  }

  @Test func `requests outlive the coordinator, in their order, one for each point`() throws {
    #expect(
      try store.requestVerifications(of: [points[2], points[0]], by: "ada", at: Sample.now) == [points[2], points[0]])
    #expect(try store.requestVerifications(of: [points[0], points[1]], by: nil, at: Sample.now) == [points[1]])
    try store.close()
    let next = try Store(path: fixture.path, mode: .open)
    #expect(try next.requestedVerifications() == [points[2], points[0], points[1]])
    #expect(try fixture.rows("SELECT requested_by FROM verifications").map { $0[0] as String? } == ["ada", "ada", nil])
    #expect(try states() == ["requested", "requested", "requested"])
  }

  @Test func `a point that has not finished cannot be verified, and nothing is noted`() throws {
    let error = storeError { _ = try store.requestVerifications(of: [points[0], points[3]], by: nil, at: Sample.now) }
    #expect(error?.kind == .unknown)
    #expect(error?.message.contains("has not finished") == true)
    #expect(try states().isEmpty)
  }

  @Test func `a verification with the same bits brings the final weights that there were none of`() throws {
    _ = try store.requestVerifications(of: [points[0], points[1]], by: nil, at: Sample.now)
    for (point, digest) in [(0, "a"), (1, "b")] as [(Int, Character)] {
      var result = Sample.result(digest: digest)
      result.finalWeights = [7]
      _ = try store.commit(
        [.verification(result, of: points[point], lease: LeaseID(0), worker: 1)], at: Sample.later(60))
    }
    #expect(try store.finalWeights(of: points[0]) == [7])
    #expect(try store.finalWeights(of: points[1]) == nil)
  }

  @Test func `equal bits end a verification, its attempt and no more`() throws {
    _ = try store.requestVerifications(of: [points[0]], by: nil, at: Sample.now)
    #expect(try runAgain(0, lease: 7, digest: "a"))
    #expect(try store.requestedVerifications().isEmpty)
    let row = try #require(try fixture.rows("SELECT * FROM verifications").first)
    #expect(row["state"] == "equal")
    #expect(row["lease"] == 7)
    #expect(row["host"] == "node1")
    #expect(row["other_digest"] == Sample.digest("a"))
    #expect(try fixture.value("SELECT class FROM attempts WHERE lease = 7") == "verified")
    #expect(try fixture.value("SELECT charged FROM attempts WHERE lease = 7") == 0)
    #expect(try store.violationCount() == 0)
    #expect(try fixture.value("SELECT lease FROM run WHERE point = 1") == 1)
    // And it may be asked for again.
    #expect(try store.requestVerifications(of: [points[0]], by: nil, at: Sample.now) == [points[0]])
  }

  @Test func `other bits are a violation too`() throws {
    _ = try store.requestVerifications(of: [points[0]], by: nil, at: Sample.now)
    #expect(try !runAgain(0, lease: 7, digest: "f"))
    #expect(try states() == ["different"])
    #expect(try fixture.value("SELECT class FROM attempts WHERE lease = 7") == "differed")
    #expect(try store.violations().map(\.point) == [points[0]])
    #expect(try store.result(of: points[0])?.digest == Sample.digest("a"))
  }

  @Test func `a verification that nobody could run ends with its reason`() throws {
    _ = try store.requestVerifications(of: [points[1]], by: nil, at: Sample.now)
    _ = try store.commit([.verificationFailure(points[1], reason: "3 attempts failed")], at: Sample.later(5))
    let row = try #require(try fixture.rows("SELECT * FROM verifications").first)
    #expect(row["state"] == "failed")
    #expect(row["reason"] == "3 attempts failed")
    #expect(try store.requestedVerifications().isEmpty)
  }

  @Test func `while a point is verified it counts as finished`() throws {
    _ = try store.requestVerifications(of: [points[0]], by: nil, at: Sample.now)
    try store.recordGrant(AttemptRecord(lease: LeaseID(7), point: points[0], worker: 1), at: Sample.now)
    let progress = try store.sweepProgress(of: "decay")
    #expect((progress.running, progress.finished, progress.pending) == (0, 3, 1))
  }
}
