// Prometheus' text format: every family has HELP and TYPE once and before its samples, label values are escaped, histograms add
// up. What a real parser makes of a real page is looked at by hand (docs/how-to/watching.md).

import Reports
import Sweeps
import Testing

@Suite struct MetricsPageTests {
  private static var overview: SchedulerOverview {
    SchedulerOverview(
      total: 12, finished: 5, failed: 1, pending: 4, paused: 0, cancelled: 0, awaited: 0, verifications: 0, running: [],
      workers: 2, waitingWorkers: 1,
      workerList: [1, 2].map {
        WorkerStanding(
          number: $0, host: "lab\($0)", processID: 1, key: "", kernelPath: "avx512", isDraining: false, silentSeconds: 0
        )
      }, barredHosts: [],
      sweeps: [
        SweepStanding(
          name: "a\"b\\c\nd", state: .paused, priority: 0, total: 12, finished: 5, failed: 1, pending: 4)
      ], keptCheckpoints: 3, keptCheckpointBytes: 1_234_567, remaining: RemainingTime(seconds: 12.5, low: 10, high: 20),
      epochsPerSecond: 101.5, isPaused: false)
  }

  private static var counts: CoordinatorCounts {
    var counts = CoordinatorCounts()
    counts.stored()
    counts.ended(LeaseID(1), "finished")
    for seconds in [0.0005, 0.003, 0.003, 12] { counts.commits.add(seconds: seconds) }
    return counts
  }

  private var lines: [String] {
    MetricsPage(
      Self.overview, Self.counts, .init(version: "0.1.0", protocolVersion: 4, semantics: 2, started: 1_764_111_484.25)
    ).text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  @Test func `samples have their values and labels`() {
    for line in [
      #"groksweep_build_info{version="0.1.0",protocol="4",engine_semantics="2"} 1"#,
      "groksweep_start_time_seconds 1764111484.25",
      #"groksweep_points{sweep="a\"b\\c\nd",state="running"} 2"#,
      #"groksweep_points{sweep="a\"b\\c\nd",state="finished"} 5"#,
      #"groksweep_sweep_state{sweep="a\"b\\c\nd",state="paused"} 1"#,
      #"groksweep_sweep_state{sweep="a\"b\\c\nd",state="active"} 0"#, "groksweep_results_total 1",
      #"groksweep_attempts_total{class="finished"} 1"#, #"groksweep_workers{state="idle"} 2"#, "groksweep_machines 2",
      "groksweep_epochs_per_second 101.5", #"groksweep_remaining_seconds{bound="expected"} 12.5"#,
      "groksweep_kept_checkpoint_bytes 1234567", #"groksweep_store_commit_seconds_bucket{le="0.001"} 1"#,
      #"groksweep_store_commit_seconds_bucket{le="0.005"} 3"#, #"groksweep_store_commit_seconds_bucket{le="10.0"} 3"#,
      #"groksweep_store_commit_seconds_bucket{le="+Inf"} 4"#, "groksweep_store_commit_seconds_count 4",
      "groksweep_round_seconds_count 0",
    ] { #expect(lines.contains(line), "\(line) is missing") }
    #expect(lines.last == "")
  }

  @Test func `every sample belongs to the family that was announced last, once, with help and type`() throws {
    var (family, seen) = ("", [String]())
    for line in lines.dropLast() {
      if line.hasPrefix("# HELP ") {
        family = String(line.split(separator: " ")[2])
        #expect(!seen.contains(family))
        seen.append(family)
      } else if line.hasPrefix("# TYPE ") {
        #expect(line.hasPrefix("# TYPE \(family) "))
      } else {
        let name = line.prefix { $0 != " " && $0 != "{" }
        let isPart = ["", "_bucket", "_sum", "_count"].contains { name == family + $0 }
        #expect(isPart && line.firstMatch(of: /^[a-z_]+(\{.*\})? -?[0-9.e+-]+$/) != nil, "\(line)")
      }
    }
    #expect(seen.allSatisfy { $0.hasPrefix("groksweep_") })
  }
}
