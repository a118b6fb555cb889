// Which points are meant, and what is known of them.

import Foundation
import GRDB
import Results
import Sweeps
import Testing

@Suite struct PointLookupTests {
  private let fixture: StoreFixture
  private let points: [PointID]
  private var store: Store { fixture.store }

  init() throws {
    fixture = try StoreFixture()
    let sweep = Sample.sweep(weightDecays: [1, 0.3, 0.1], seeds: 20)
    points = sweep.points.map(\.id)
    _ = try fixture.store.register(sweep, at: Sample.now)
    for point in 0..<40 { try fixture.store.finish(points[point], lease: Int64(point + 1)) }
  }

  @Test func `a point is found by the beginning of its id`() throws {
    for point in points { #expect(try store.point(startingWith: String(point.hex.prefix(20))) == point) }
    #expect(try store.point(startingWith: points[3].hex) == points[3])
  }

  @Test(arguments: ["", "g", "%", "AB", "ffffffffffffffffffffffff"])
  func `a beginning that fits no point is said to`(prefix: String) throws {
    let error = storeError { _ = try store.point(startingWith: prefix) }
    #expect(error?.kind == .unknown)
    #expect(error?.message.hasPrefix("there is no point \(prefix) in this store") == true)
  }

  @Test func `a beginning that fits several points names them`() throws {
    // Among 60 ids, some begin with the same digit.
    let digits = points.map { String($0.hex.prefix(1)) }.sorted()
    let common = try #require(zip(digits, digits.dropFirst()).first { $0 == $1 }?.0)
    let error = storeError { _ = try store.point(startingWith: common) }
    #expect(error?.kind == .unknown)
    let named = try #require(points.filter { $0.hex.hasPrefix(common) }.min())
    #expect(error?.message.contains("several points start with \(common) (\(named.short)") == true)
    #expect(error?.message.contains("give more of its digits") == true)
    #expect(storeError { _ = try store.points(.ids([points[0].hex, common])) }?.kind == .unknown)
  }

  @Test func `ids that are given twice count once`() throws {
    let ids = [points[5].hex, points[1].short, points[5].short]
    #expect(try store.points(.ids(ids)) == [points[5], points[1]])
  }

  @Test func `a condition selects runs, each once`() throws {
    _ = try store.register(Sample.sweep("again", weightDecays: [1], seeds: 20), at: Sample.now)
    #expect(try store.points(.condition("weight_decay = 1 AND model_seed < 2")) == Array(points.prefix(2)))
    #expect(try store.points(.condition("outcome = 'memorized'")).isEmpty)
    #expect(try store.points(.condition("grokking_epoch > 1 -- everything")).count == 40)
    let byHost = "point IN (SELECT point FROM attempts WHERE host = 'node1') AND model_seed = 0"
    #expect(try store.points(.condition(byHost)) == [points[0], points[20]])
  }

  @Test(arguments: [
    ("outcom = 'grokked'", "no such column: outcom"), ("weight_decay <", "syntax error"), (" \n", "is empty"),
    ("1); DROP TABLE run; --", "Multiple statements"), ("1) UNION SELECT (label) FROM setting WHERE (1", "no point"),
    ("(SELECT 1, 2)", "returns 2 columns"), ("nonsense()", "no such function"),
  ])
  func `a wrong condition is an error in words`(condition: String, why: String) throws {
    let error = storeError { _ = try store.points(.condition(condition)) }
    #expect(error?.kind == .badCondition)
    #expect(error?.message.contains(why) == true, "\(String(describing: error))")
    #expect(error?.message.contains("over the columns of the view runs") == true)
    #expect(try fixture.value("SELECT count(*) FROM run") == 40)
  }

  @Test func `a condition cannot write`() throws {
    // The one function of SQLite that writes files is not there, and the connection is read-only.
    for condition in ["writefile('\(fixture.folder.file("y"))', 'x')", "load_extension('x')"] {
      #expect(storeError { _ = try store.points(.condition(condition)) }?.kind == .badCondition)
    }
    #expect(!fixture.folder.contents.contains("y"))
  }

  @Test func `failed points are those of a sweep, or all`() throws {
    try store.recordFailure(points[50], reason: "poison", at: Sample.now)
    #expect(try store.points(.failed(sweep: nil)) == [points[50]])
    #expect(try store.points(.failed(sweep: "decay")) == [points[50]])
    #expect(storeError { _ = try store.points(.failed(sweep: "dekay")) }?.kind == .unknown)
    let row = try #require(try fixture.rows("SELECT * FROM failures").first)
    #expect(row["sweep"] == "decay")
    #expect(row["point"] == points[50].hex)
    #expect(row["reason"] == "poison")
    #expect(row["setting"] == "weight_decay=0.1")
    #expect(row["charged_attempts"] == 0)
  }

  @Test func `a sample of the finished points is the same for the same seed`() throws {
    let sample = try store.points(.sample(share: 0.1, seed: 7))
    #expect(sample.count == 4)
    #expect(try store.points(.sample(share: 0.1, seed: 7)) == sample)
    #expect(try store.points(.sample(share: 0.1, seed: 8)) != sample)
    #expect(Set(sample).isSubset(of: points.prefix(40)))
    #expect(try store.points(.sample(share: 0.01, seed: 7)).count == 1)
    #expect(try store.points(.sample(share: 1, seed: 7)) == Array(points.prefix(40)))
    #expect(try store.points(.sample(share: 0, seed: 7)).isEmpty)
  }

  @Test func `the story of a point tells all that happened to it`() throws {
    let point = points[45]
    _ = try store.register(Sample.sweep("again", weightDecays: [0.1], seeds: 20), at: Sample.now)
    try store.setState(.paused, ofSweep: "again")
    try store.setPriority(3, ofSweep: "again")
    try store.recordGrant(AttemptRecord(lease: LeaseID(90), point: point, worker: 1), at: Sample.now)
    try store.recordProgress([(LeaseID(90), 300)], at: Sample.now)
    try store.endAttempt(LeaseID(90), .failed(.crashed, reason: "signal 9", charged: true), at: Sample.later(5))
    try store.refund(LeaseID(90), reason: "its host was barred")
    var story = try store.story(of: point)
    #expect(story.state == .pending && story.result == nil && story.failure == nil)
    #expect(story.sweeps.map(\.sweep) == ["decay", "again"])
    #expect(story.sweeps.map(\.state) == [.active, .paused])
    #expect(story.sweeps.map(\.priority) == [0, 3])
    #expect(story.sweeps.map(\.position) == [45, 5])
    #expect(story.attempts.map(\.kind) == ["crashed"])
    #expect(story.attempts[0].refunded == "its host was barred" && !story.attempts[0].isCharged)
    #expect(story.attempts[0].epoch == 300 && story.attempts[0].host == "node1")
    try store.finish(point, lease: 91)
    _ = try store.requestVerifications(of: [point], by: "ada", at: Sample.now)
    story = try store.story(of: point)
    #expect(story.state == .finished && story.result?.outcome == "grokked" && story.result?.host == "node1")
    #expect(story.attempts.map(\.kind) == ["crashed", "finished"])
    #expect(story.verifications.map(\.state) == ["requested"])
    #expect(story.verifications[0].requestedBy == "ada")
    let stranger = PointID(of: Sample.experiment(weightDecay: 17))
    #expect(storeError { _ = try store.story(of: stranger) }?.kind == .unknown)
  }

  @Test func `a sweep is paused, cancelled and preferred by name`() throws {
    try store.setState(.cancelled, ofSweep: "decay")
    try store.setPriority(-2, ofSweep: "decay")
    let progress = try store.sweepProgress(of: "decay")
    #expect(progress.state == .cancelled && progress.priority == -2)
    #expect(storeError { try store.setState(.active, ofSweep: "dekay") }?.kind == .unknown)
    #expect(storeError { try store.setPriority(1, ofSweep: "dekay") }?.kind == .unknown)
  }
}
