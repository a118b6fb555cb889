// All short stories of two workers and two points.

import Foundation
import Simulation
import Testing

@Suite struct EnumerationTests {
  private static let isSoak = ProcessInfo.processInfo.environment["GROKSWEEP_TEST_SOAK"] != nil

  @Test(arguments: Enumeration.Beginning.allCases)
  func `every short story ends well`(beginning: Enumeration.Beginning) {
    let deeper = Self.isSoak ? 1 : 0
    let report = Enumeration.run(from: beginning, depth: (beginning == .empty ? 5 : 4) + deeper, sampling: 20)
    #expect(report.violation == nil)
    #expect(report.states > 5000)
    #expect(report.endings > 100)
  }

  @Test func `a receipt before its commit is found in three steps`() throws {
    let report = Enumeration.run(from: .training, depth: 4, sampling: 20, answersBeforeCommit: true)
    let violation = try #require(report.violation)
    #expect(violation.contains("forgets its result"))
    #expect(violation.split(separator: ";").count == 3)
  }
}
