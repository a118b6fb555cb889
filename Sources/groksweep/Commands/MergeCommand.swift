// `groksweep merge`: several stores become one.

import ArgumentParser
import Foundation
import Reports
import Results

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Make one store of several.",
    discussion: """
      Points, sweeps, workers and attempts of all stores stand in one afterwards; what several have is there once. The \
      stores that are named are only read. With -o a new store is made of them, whole or not at all; with --into a \
      store takes from them what it has not, in one transaction, while no coordinator runs on it.

      A point that was finished twice with different bits keeps the run that was there first; the other is recorded \
      among the violations, and the command ends with 1.

        groksweep merge lab1.sqlite lab2.sqlite -o both.sqlite
        groksweep merge lab2.sqlite --into lab1.sqlite
      """)

  @Argument(help: "The stores to take from.") var stores: [String]
  @Option(name: .shortAndLong, help: "The store to make, which must not be there yet.") var output: String?
  @Option(help: "The store that takes from the others.") var into: String?
  @Flag(help: "One JSON object per store.") var json = false

  func validate() throws {
    switch (output, into) {
    case (nil, nil): throw ValidationError("say where to: -o makes a new store, --into adds to one")
    case (_?, _?): throw ValidationError("give -o or --into, not both")
    case (_?, nil) where stores.count < 2:
      throw ValidationError("name two stores or more; `groksweep snapshot` copies one")
    default: break
    }
  }

  func run() throws {
    let reports: [MergeReport]
    if let output {
      try checkOutput(output)
      reports = try Store.make(output, of: stores, at: Date())
    } else if let into {
      // Opened first, so that a mistyped name makes no lock file.
      _ = try Store(path: into, mode: .readOnly)
      let lock = try Store.lock(path: into, now: Date())
      defer { lock.release() }
      let store = try Store(path: into, mode: .open)
      reports = try stores.map { try store.merge($0, at: Date()) }
      try store.close()
    } else {
      reports = []
    }
    for report in reports { Console.print(json ? try jsonLine(report) : Self.words(report)) }
    if reports.contains(where: { $0.differentRuns > 0 }) {
      Console.complain(
        "points were finished twice with different bits: a machine or a build computes wrongly. The view violations names "
          + "them; `groksweep verify` runs them again")
      throw ExitStatus.failed.thrown
    }
  }

  private static func words(_ report: MergeReport) -> String {
    let added = [(report.sweeps, "sweep"), (report.points, "point"), (report.runs, "run")].map {
      Wording.count($0.0, $0.1)
    }
    var text = "\(report.source): \(added[0]), \(added[1]) and \(added[2]) added"
    if report.equalRuns > 0 { text += "; \(Wording.count(report.equalRuns, "run")) there already, with equal bits" }
    if report.differentRuns > 0 {
      text += "; \(Wording.count(report.differentRuns, "run")) there already, with OTHER bits"
    }
    return text
  }
}
