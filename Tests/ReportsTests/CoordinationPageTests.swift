// The pages that operators read, and the numbers of `bench coordination`.

import Foundation
import Grokking
import Reports
import Results
import Sweeps
import Testing

@Suite struct CoordinationPageTests {
  private static let point = PointID(hex: String(repeating: "3f", count: 32))!

  private static var status: CoordinatorStatus {
    CoordinatorStatus(
      store: "wd.sqlite", coordinator: nil, sweeps: [], workers: [], barredHosts: [], failures: [],
      verifications: VerificationCounts(), violations: 0, awaited: 0, remaining: nil, isPaused: false)
  }

  @Test func `a coordinator without sweeps and workers says so`() {
    let page = CoordinatorPage(Self.status).text
    #expect(page == "Coordinator of wd.sqlite\n\nNo sweep has been submitted.\n\nNo workers are connected.")
  }

  @Test func `failures, barred hosts, verifications and violations are told, and what is none is left out`() {
    var status = Self.status
    status.etaSeconds = 65
    status.failures = [
      RecentFailure(
        point: Self.point, worker: 2, host: "lab2", kind: "crashed", reason: "killed by signal 9",
        ended: "2026-01-01T00:00:00Z")
    ]
    status.barredHosts = [CoordinatorStatus.Barred(host: "lab2", reason: "five failures in a row", secondsLeft: 590)]
    status.verifications = VerificationCounts(requested: 1, equal: 2, different: 1, failed: 0)
    status.violations = 1
    let page = CoordinatorPage(status).text
    #expect(page.contains("about 1 min 05 s to go"))
    #expect(page.contains("2026-01-01T00:00:00Z  3f3f3f3f3f3f  on lab2: crashed: killed by signal 9"))
    #expect(page.contains("Nobody is taken from lab2 for another 10 minutes: five failures in a row"))
    #expect(page.contains("Run again to compare: 2 equal, 1 different, 0 failed, 1 still to be run."))
    #expect(page.contains("1 violation of determinism"))
    #expect(!page.contains("come back") && !page.contains("cannot be written"))
  }

  @Test func `a coordinator's status survives JSON`() throws {
    var status = Self.status
    status.etaSeconds = 3.5
    status.verifications.equal = 7
    let text = try JSONEncoder().encode(status)
    #expect(try JSONDecoder().decode(CoordinatorStatus.self, from: text) == status)
  }

  @Test func `points run again are counted by what came of them`() throws {
    func point(_ state: VerificationReport.State) -> VerificationReport.Point {
      VerificationReport.Point(
        point: Self.point, state: state, digest: state == .different ? String(repeating: "b", count: 64) : nil,
        storedDigest: String(repeating: "a", count: 64), reason: state == .failed ? "out of memory" : nil)
    }
    #expect(VerificationReport(points: [point(.equal)]).text == "1 of 1 point gave the same bits again")
    #expect(VerificationReport(points: [point(.equal)]).isRight)
    let mixed = VerificationReport(points: [point(.equal), point(.different), point(.failed), point(.requested)])
    #expect(!mixed.isRight)
    #expect(
      mixed.text == """
        1 of 4 points gave the same bits again, 1 gave others, 1 could not be run, 1 were not run yet
          3f3f3f3f3f3f  digest bbbbbbbbbbbb… in place of aaaaaaaaaaaa…
          3f3f3f3f3f3f  out of memory
        """)
    #expect(VerificationReport(points: []).text == "No finished point is meant; nothing was run.")
  }

  @Test func `the benchmark's page has a row for every number of workers`() {
    let report = CoordinationBenchReport(
      build: "0.1.0", cpu: "a CPU", cores: 2, loadAverageBefore: 0.5, fileSystem: "ext4", msPerSync: 1.25, rounds: 3,
      secondsPerRound: 2, evaluationsPerResult: 2,
      rates: [
        CoordinationBenchReport.Rate(workers: 1, usPerPoint: 4000, coordinatorCPUUsPerPoint: 300),
        CoordinationBenchReport.Rate(workers: 1000, usPerPoint: 125, coordinatorCPUUsPerPoint: 80),
      ], heartbeat: CoordinationBenchReport.Heartbeat(workers: 1000, shareOfCore: 0.05),
      store: CoordinationBenchReport.LargeStore(
        points: 1_000_000, registrationSeconds: 20, startSeconds: 5, statusMs: 30, statusQueryMs: 10,
        peakResidentBytes: 400_000_000, registrationPeakResidentBytes: nil))
    let page = report.page
    #expect(page.contains("store of 1,000,000 points on ext4, where 4 KiB with fsync take 1.25 ms"))
    #expect(page.contains("  1,000     8,000           125"), "\(page)")
    #expect(page.contains("1,000 workers that hold a point and report every second: 5.0 % of a core"))
    #expect(page.contains("Memory: 400 MB resident at most in the coordinator."))
  }
}
