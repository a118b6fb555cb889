// `groksweep verify` and `audit`: finished points are run once more, and must give the same bits.

import ArgumentParser
import Cluster
import Foundation
import Reports
import Results
import Sweeps

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Run finished points again and compare their digests.",
    discussion: """
      A running coordinator hands them out when there is nothing else to do, and the view verifications tells what came \
      of it. With --store they are run here and now; the command ends with 1 if a digest differs. Results that are \
      stored stay as they are.

        groksweep verify 3f9a 77c0 --connect tcp://127.0.0.1:5555
        groksweep verify --where "outcome = 'grokked' AND weight_decay < 0.5" --store weight-decay.sqlite
      """)

  @Argument(help: "Ids of finished points, or their beginnings.") var points: [String] = []
  @Option(name: .customLong("where"), help: "An SQL condition on the view runs, in place of ids.")
  var condition: String?
  @OptionGroup var target: Target
  @Option(help: "Worker processes, with --store (default: one per core).") var workers: Int?
  @Flag(help: "One JSON object.") var json = false

  func validate() throws {
    try LocalJob.validate(workers: workers)
    guard points.isEmpty == (condition != nil) else { throw ValidationError("name points, or give --where") }
  }

  func run() throws {
    try verify(condition.map { .condition($0) } ?? .ids(points), target, workers: workers, json: json)
  }
}

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Run some of all finished points again and compare their digests.",
    discussion: """
      As verify, with points chosen by chance: the same ones for the same --seed.

        groksweep audit 2% --store weight-decay.sqlite
      """)

  @Argument(help: "The share of all finished points, as in 2%; at least one point is run.") var share: Share
  @Option(help: "Which points (default: by chance).") var seed: UInt64?
  @OptionGroup var target: Target
  @Option(help: "Worker processes, with --store (default: one per core).") var workers: Int?
  @Flag(help: "One JSON object.") var json = false

  func validate() throws { try LocalJob.validate(workers: workers) }

  func run() throws {
    let seed = seed ?? UInt64.random(in: 0..<1 << 32)
    if self.seed == nil { Console.remark("the same points again: --seed \(seed)") }
    try verify(.sample(share: share.value, seed: seed), target, workers: workers, json: json)
  }
}

/// `2%`, or `0.02`.
struct Share: ExpressibleByArgument {
  /// Above 0, at most 1.
  let value: Double

  init?(argument: String) {
    let isPercent = argument.hasSuffix("%")
    guard let number = Double(isPercent ? String(argument.dropLast()) : argument) else { return nil }
    value = isPercent ? number / 100 : number
    guard value > 0, value <= 1 else { return nil }
  }
}

private func verify(_ selection: PointSelection, _ target: Target, workers: Int?, json: Bool) throws {
  guard let path = target.store else { return try conclude(try target.ask(.verify(selection)), json: json) }
  let report = try withLockedStore(path) { store in
    try LocalVerification(store: store, workers: workers).run(try store.points(selection))
  }
  Console.print(json ? try jsonLine(report) : report.text)
  if report.isInterrupted { throw ExitStatus.interrupted.thrown }
  guard report.isRight else { throw ExitStatus.failed.thrown }
}
