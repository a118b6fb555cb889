// `groksweep reproduce`: published numbers beside ours. Runs what is missing, reads the store, and judges.

import ArgumentParser
import Cluster
import Foundation
import Reports
import Results
import Sweeps

struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce",
    abstract: "Hold the published numbers against ours.",
    discussion: """
      Runs the sweep of TARGET on this machine, as far as the store lacks its points, and prints each published number \
      beside ours with a verdict: reproduced, within seed spread, differs, or no data. Ends with 1 when a row that \
      should hold does not. Running it again continues, and once everything is there only prints.

      \(ReproductionTarget.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))

        groksweep reproduce train-fraction --only 0.95,0.9,0.8,0.7,0.6,0.5,0.4
      """)

  @Argument(help: "\(ReproduceCommand.names).") var target: String
  @Option(help: "The results store (default: reproduce-TARGET.sqlite, here).") var store: String?
  @Option(help: "Worker processes (default: one per core).") var workers: Int?
  @Option(help: "Seeds of each setting, instead of the sweep file's number.") var seeds: Int?
  @Option(
    help: ArgumentHelp(
      "Only these train fractions, weight decays or moduli; the other rows are left out.", valueName: "value,…"))
  var only: String?
  @Flag(help: "One JSON object.") var json = false

  private static let names = ReproductionTarget.allCases.map(\.rawValue).joined(separator: ", ")

  func validate() throws {
    try LocalJob.validate(workers: workers)
    if let seeds, !(1...1000).contains(seeds) {
      throw ValidationError("--seeds \(seeds): give a number from 1 to 1000")
    }
  }

  func run() throws {
    let target = try chosenTarget()
    let sweeps = try target.plan(only: try only.map(parseNumbers), seeds: seeds)
    let path = store ?? "reproduce-\(target.rawValue).sqlite"
    try LocalJob(name: "reproduce \(target.rawValue)", sweeps: sweeps, path: path, workers: workers).run(
      announce: { results, registrations, screen in
        screen.remark(try announcement(of: target, sweeps, registrations, in: results, path: path))
      },
      conclude: { results, end in
        if end.interruptedBy != nil {
          Console.remark("Interrupted; nothing is lost. Go on with: groksweep reproduce \(arguments(path: path))")
          throw ExitStatus.interrupted.thrown
        }
        let reproduction = try Reproduction(target, sweeps, in: results)
        Console.print(json ? try jsonLine(reproduction) : reproduction.text)
        for failure in try sweeps.flatMap({ try results.failures(of: $0.name) }) {
          Console.remark("\(failure.id.short) has no result: \(failure.reason)")
        }
        if reproduction.failed > 0 {
          Console.remark("To run them again: groksweep retry --store \(ShellWords.quoted(path)), then this command")
        }
        if !reproduction.holds { throw ExitStatus.failed.thrown }
      })
  }

  private func chosenTarget() throws -> ReproductionTarget {
    guard let chosen = ReproductionTarget(rawValue: target) else {
      throw Failure("there is nothing published here by the name \"\(target)\"; there are \(Self.names)", .usage)
    }
    return chosen
  }

  private func parseNumbers(_ text: String) throws -> [Double] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let number = Double(part), number.isFinite else {
        throw Failure(
          "--only \(text): \"\(part)\" is no number; give values separated by commas, as in 0.95,0.9", .usage)
      }
      return number
    }
  }

  /// What is there, what will run, and what that costs.
  private func announcement(
    of target: ReproductionTarget, _ sweeps: [SweepFile], _ registrations: [Registration], in results: Store,
    path: String
  ) throws -> String {
    let pending = registrations.reduce(0) { $0 + $1.pending }
    let failed = registrations.reduce(0) { $0 + $1.failed }
    var words = "reproduce \(target.rawValue): \(Wording.count(registrations.reduce(0) { $0 + $1.total }, "point")), "
    words += "\(registrations.reduce(0) { $0 + $1.finished }) finished in \(path)"
    if failed > 0 { words += ", \(failed) failed" }
    if pending == 0 { return words + "; nothing to run" }

    let points = sweeps.flatMap { Array($0.points) }
    let missing = zip(points, try results.states(of: points.map(\.id))).filter { $1 != .finished && $1 != .failed }
    let seconds = missing.reduce(0.0) { $0 + $1.0.experiment.estimatedCoreSeconds }
    let mayStopEarly = missing.contains { $0.0.experiment.stop.afterGrokking != nil }
    words += "; \(pending) to run in \(mayStopEarly ? "at most" : "about") \(Wording.duration(seconds: seconds)) of "
    return words + "core time (estimate)" + (mayStopEarly ? ", less as runs stop once they have grokked" : "")
  }

  /// The arguments of the same command.
  private func arguments(path: String) -> String {
    var words = [target]
    if store != nil { words += ["--store", path] }
    if let workers { words += ["--workers", "\(workers)"] }
    if let seeds { words += ["--seeds", "\(seeds)"] }
    if let only { words += ["--only", only] }
    if json { words += ["--json"] }
    return ShellWords.line(words)
  }
}
