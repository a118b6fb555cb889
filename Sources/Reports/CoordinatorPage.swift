// What `status --connect` prints: a running coordinator's sweeps, workers and recent failures. Lays out text only.

import Grokking
import Results
import Sweeps

package struct CoordinatorPage {
  private let status: CoordinatorStatus

  package init(_ status: CoordinatorStatus) { self.status = status }

  /// Workers listed in full before the rest is only counted.
  private static let shownWorkers = 40

  package var text: String {
    var parts = [headline, sweeps]
    parts.append(status.workers.isEmpty ? "No workers are connected." : workers)
    if !status.failures.isEmpty { parts.append(failures) }
    if let remarks { parts.append(remarks) }
    return parts.joined(separator: "\n\n")
  }

  private var headline: String {
    var words = "Coordinator of \(status.store)"
    if let holder = status.coordinator {
      words += ": process \(holder.processID) on \(holder.host) since \(holder.since)"
    }
    if let remaining = status.remaining, remaining.seconds > 0 { words += ", about \(Wording.toGo(remaining))" }
    return words
  }

  private var sweeps: String {
    guard !status.sweeps.isEmpty else { return "No sweep has been submitted." }
    var table = TextTable([
      ("sweep", .left), ("state", .left), ("priority", .right), ("points", .right), ("waiting", .right),
      ("running", .right), ("finished", .right), ("failed", .right), ("to go", .right),
    ])
    for sweep in status.sweeps {
      table.append([
        sweep.sweep, sweep.finished + sweep.failed == sweep.total ? "done" : sweep.state.rawValue, "\(sweep.priority)",
        Wording.grouped(sweep.total), Wording.grouped(sweep.pending), Wording.grouped(sweep.running),
        Wording.grouped(sweep.finished), Wording.grouped(sweep.failed),
        sweep.etaSeconds.map { Wording.duration(seconds: $0) } ?? "–",
      ])
    }
    return table.text
  }

  private var workers: String {
    var table = TextTable([
      ("worker", .right), ("host", .left), ("point", .left), ("epoch", .right), ("epochs/s", .right), ("for", .right),
      ("last heard", .right),
    ])
    for worker in status.workers.prefix(Self.shownWorkers) {
      let epoch = worker.epoch.map { epoch in
        Wording.grouped(epoch) + (worker.epochs.map { "/\(Wording.grouped($0))" } ?? "")
      }
      table.append([
        "\(worker.worker)", worker.host, point(of: worker), epoch ?? "–",
        worker.epochsPerSecond.map { $0 > 0 ? Wording.rate($0) : "–" } ?? "–",
        worker.heldSeconds.map { Wording.duration(seconds: $0) } ?? "–",
        "\(Wording.duration(seconds: worker.silentSeconds)) ago",
      ])
    }
    let more = status.workers.count - Self.shownWorkers
    return table.text + (more > 0 ? "\n… and \(Wording.count(more, "more worker", plural: "more workers"))" : "")
  }

  private func point(of worker: WorkerStatus) -> String {
    let point = worker.point?.short ?? (worker.isDraining ? "(leaving)" : "(waiting)")
    if worker.isVerification { return point + " again" }
    return worker.isDraining && worker.point != nil ? point + ", its last" : point
  }

  private var failures: String {
    let lines = status.failures.map { failure in
      "  \(failure.ended)  \(failure.point.short)  on \(failure.host): \(failure.kind)"
        + (failure.reason.map { ": \($0)" } ?? "")
    }
    return (["What went wrong lately:"] + lines).joined(separator: "\n")
  }

  private var remarks: String? {
    var lines: [String] = []
    for barred in status.barredHosts {
      let time = InWords.seconds(barred.secondsLeft)
      lines.append("Nobody is taken from \(barred.host) for another \(time): \(barred.reason)")
    }
    if status.isPaused { lines.append("Nothing is handed out: the store cannot be written.") }
    if status.awaited > 0 {
      lines.append("\(Wording.count(status.awaited, "point")) wait for their workers to come back.")
    }
    let again = status.verifications
    if again.requested + again.equal + again.different + again.failed > 0 {
      lines.append(
        "Run again to compare: \(again.equal) equal, \(again.different) different, \(again.failed) failed, "
          + "\(again.requested) still to be run.")
    }
    if status.violations > 0 {
      lines.append(
        "\(Wording.count(status.violations, "violation")) of determinism: a point was computed twice with different digests "
          + "(view violations).")
    }
    return lines.isEmpty ? nil : lines.joined(separator: "\n")
  }
}
