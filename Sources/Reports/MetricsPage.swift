// What a coordinator gives to Prometheus, in its text format 0.0.4: a function of its overview and its counts. Lays out text
// only; rates are left to who reads it.

import Sweeps

package struct MetricsPage {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// What runs, and since when.
  package struct Build: Hashable, Sendable {
    package var version: String
    package var protocolVersion: Int
    package var semantics: Int
    /// Seconds since 1970.
    package var started: Double

    package init(version: String, protocolVersion: Int, semantics: Int, started: Double) {
      self.version = version
      self.protocolVersion = protocolVersion
      self.semantics = semantics
      self.started = started
    }
  }

  package let text: String

  package init(_ overview: SchedulerOverview, _ counts: CoordinatorCounts, _ build: Build) {
    var page = Lines()
    page.family("build_info", "gauge", "What runs here; always 1.") {
      $0.sample(
        [
          ("version", build.version), ("protocol", "\(build.protocolVersion)"),
          ("engine_semantics", "\(build.semantics)"),
        ], 1)
    }
    page.family("start_time_seconds", "gauge", "When the coordinator started, in seconds since 1970.") {
      $0.sample([], build.started)
    }
    page.family("points", "gauge", "Points of a sweep by state; those of several sweeps count in each.") { family in
      for sweep in overview.sweeps {
        let running = sweep.total - sweep.finished - sweep.failed - sweep.pending
        for (state, count) in [
          ("pending", sweep.pending), ("running", running), ("finished", sweep.finished), ("failed", sweep.failed),
        ] { family.sample([("sweep", sweep.name), ("state", state)], Double(count)) }
      }
    }
    page.family("sweep_state", "gauge", "1 for the state that a sweep is in.") { family in
      for sweep in overview.sweeps {
        for state in SweepState.allCases {
          family.sample([("sweep", sweep.name), ("state", state.rawValue)], state == sweep.state ? 1 : 0)
        }
      }
    }
    page.family("results_total", "counter", "Results stored since the start, one for each point.") {
      $0.sample([], Double(counts.results))
    }
    page.family("attempts_total", "counter", "Attempts that ended since the start, by how.") { family in
      for (kind, count) in counts.attempts { family.sample([("class", kind)], Double(count)) }
    }
    page.family("epochs_total", "counter", "Epochs that workers were seen to train since the start.") {
      $0.sample([], Double(counts.epochs))
    }
    page.family("epochs_per_second", "gauge", "Of all running points together, as their workers say.") {
      $0.sample([], overview.epochsPerSecond)
    }
    page.family("workers", "gauge", "Connected worker processes (slots), by what they do.") { family in
      let busy = overview.workerList.count { $0.point != nil }
      family.sample([("state", "busy")], Double(busy))
      family.sample([("state", "idle")], Double(overview.workerList.count - busy))
    }
    var hosts = Set<String>()
    for worker in overview.workerList { hosts.insert(worker.host) }
    page.family("machines", "gauge", "Machines with connected workers.") { $0.sample([], Double(hosts.count)) }
    page.family("barred_machines", "gauge", "Machines that nobody is taken from at present.") {
      $0.sample([], Double(overview.barredHosts.count))
    }
    page.family("awaited_points", "gauge", "Points whose workers are waited for after a restart.") {
      $0.sample([], Double(overview.awaited))
    }
    page.family("granting_paused", "gauge", "1 while the store's trouble keeps points from being handed out.") {
      $0.sample([], overview.isPaused ? 1 : 0)
    }
    if let remaining = overview.remaining {
      page.family("remaining_seconds", "gauge", "To go at the present rate, with its range.") { family in
        for (bound, seconds) in [("low", remaining.low), ("expected", remaining.seconds), ("high", remaining.high)] {
          family.sample([("bound", bound)], seconds)
        }
      }
    }
    page.family("kept_checkpoints", "gauge", "Checkpoints beside the store.") {
      $0.sample([], Double(overview.keptCheckpoints))
    }
    page.family("kept_checkpoint_bytes", "gauge", "Bytes of the checkpoints beside the store.") {
      $0.sample([], Double(overview.keptCheckpointBytes))
    }
    page.histogram("store_commit_seconds", "Transactions of the store.", counts.commits)
    page.histogram("round_seconds", "Rounds: what came is decided, written and answered.", counts.rounds)
    text = page.text
  }
}

/// Families of samples under one prefix, one after the other.
private struct Lines {
  private(set) var text = ""
  private var name = ""

  mutating func family(_ name: String, _ type: String, _ help: String, _ body: (inout Lines) -> Void) {
    self.name = "groksweep_\(name)"
    text += "# HELP \(self.name) \(help)\n# TYPE \(self.name) \(type)\n"
    body(&self)
  }

  mutating func sample(_ labels: [(String, String)], _ value: Double, suffix: String = "") {
    let list = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
    text += "\(name)\(suffix)\(list.isEmpty ? "" : "{\(list)}") \(Self.number(value))\n"
  }

  mutating func histogram(_ name: String, _ help: String, _ durations: DurationCounts) {
    family(name, "histogram", help) { family in
      var sum = 0
      for (bound, count) in zip(DurationCounts.bounds, durations.counts) {
        sum += count
        family.sample([("le", "\(bound)")], Double(sum), suffix: "_bucket")
      }
      family.sample([("le", "+Inf")], Double(durations.total), suffix: "_bucket")
      family.sample([], durations.seconds, suffix: "_sum")
      family.sample([], Double(durations.total), suffix: "_count")
    }
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
