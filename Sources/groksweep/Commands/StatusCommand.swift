// `groksweep status`: how far each sweep of a store is, or what a running coordinator says of itself. Reads only, also
// while a sweep writes.

import ArgumentParser
import Cluster
import Foundation
import Reports
import Results
import Sweeps

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Print the progress of a store's sweeps and the grokking epochs so far.",
    discussion: """
      With --connect, a running coordinator tells how its sweeps stand, who works on what and how fast, and what went \
      wrong lately.

        groksweep status --store weight-decay.sqlite
        groksweep status --connect tcp://127.0.0.1:5555
      """)

  @Option(help: "The store. May be left out when the working folder holds just one.") var store: String?
  @Option(help: "Only this sweep.") var sweep: String?
  @OptionGroup var connection: Connection
  @Flag(help: "One JSON object per sweep; of a coordinator, one.") var json = false

  private struct Line: Encodable {
    let sweep: String
    let total: Int
    let pending: Int
    let running: Int
    let finished: Int
    let failed: Int
    let eta_seconds: Double?
    let coordinator: LockHolder?
    let grokking_times: [GrokkingTime]
    let failures: [FailedPoint]
  }

  func validate() throws {
    if connection.isGiven && (store != nil || sweep != nil) {
      throw ValidationError("give --connect, or --store and --sweep, not both")
    }
  }

  func run() throws {
    if let client = try connection.client() {
      let reply = try client.ask(.status)
      guard !json, case .answer(let text) = reply else { return try conclude(reply, json: json) }
      Console.print(CoordinatorPage(try parseJSON(CoordinatorStatus.self, from: text)).text)
      return
    }
    let path = try store ?? onlyStoreHere()
    let results = try Store(path: path, mode: .readOnly)
    let names = try results.sweepNames()
    if let sweep, !names.contains(sweep) {
      let known = names.isEmpty ? "it holds none" : "it holds \(names.joined(separator: ", "))"
      throw Failure("\(path): holds no sweep \"\(sweep)\"; \(known)", .badInput)
    }
    let holder = try Store.lockHolder(path: path)
    var pages: [String] = []
    for name in names where sweep == nil || name == sweep {
      let page = try StatusPage(name, in: results, allSettings: json)
      if json {
        let progress = page.progress
        Console.print(
          try jsonLine(
            Line(
              sweep: name, total: progress.total, pending: progress.pending, running: progress.running,
              finished: progress.finished, failed: progress.failed, eta_seconds: progress.etaSeconds,
              coordinator: holder, grokking_times: page.grokkingTimes, failures: page.failures)))
      } else {
        pages.append(page.text)
      }
    }
    guard !json else { return }
    if names.isEmpty { pages.append("\(path): no sweep has been started in this store") }
    if let holder {
      pages.append("A coordinator works on it: process \(holder.processID) on \(holder.host) since \(holder.since).")
    }
    let violations = try results.violationCount()
    if violations > 0 {
      pages.append(
        "\(Wording.count(violations, "violation")) of determinism: a point was computed twice with different digests "
          + "(table violations).")
    }
    Console.print(pages.joined(separator: "\n\n"))
  }
}
