// `groksweep simulate`: stories of a simulated cluster, told until one of them goes wrong.

import ArgumentParser
import Foundation
import Simulation

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Run coordinator and workers through simulated faults.",
    discussion: """
      The real scheduler, worker sessions and message codec, in virtual time, over simulated nets, disks, clocks and \
      training; what has to be true is checked at every event. One seed tells one story, each time the same. The first \
      violation ends it: its seed and a short story are printed, and the exit code is 1. See \
      docs/explanation/simulation.md.
      """)

  @Option(help: "The first seed.") var seed: UInt64 = 1
  @Option(help: "How many seeds, one after the other.") var seeds = 1
  @Option(help: "Points of the sweep.") var points = 12
  @Option(help: "Worker processes.") var workers = 4
  @Option(help: "none, some, many, or kinds with commas between them, each with =RATE behind it if you like.")
  var faults = "some"
  @Option(help: "End each story after this many events, wherever it stands.") var events = 1_000_000
  @Flag(help: "Draw points, workers, faults and everything else from each seed instead.") var swarm = false
  @Option(help: "Instead: every story of this many steps, of two workers and two points.") var enumerate: Int?
  @Flag(help: "One JSON object per seed.") var json = false
  @Flag(help: .hidden) var brokenReceipt = false
  @Flag(help: .hidden) var withoutCodec = false

  func validate() throws {
    guard seeds >= 1, events >= 1 else { throw ValidationError("--seeds and --events must be at least 1") }
    guard (1...10_000).contains(points) else { throw ValidationError("--points must lie between 1 and 10000") }
    guard (1...1000).contains(workers) else { throw ValidationError("--workers must lie between 1 and 1000") }
    do { _ = try Faults(parsing: faults) } catch { throw ValidationError("\(error)") }
  }

  func run() throws {
    if let depth = enumerate { return try enumerateStories(depth) }
    var total = SimulationTotal()
    let clock = ContinuousClock()
    let start = clock.now
    for number in 0..<UInt64(seeds) {
      let report = Simulation.run(try configuration(seed &+ number))
      total.add(report)
      if json { Console.print(try SimulationLine(report).text()) }
      guard let violation = report.violation else { continue }
      if !json { Console.print(Self.page(of: report, violation)) }
      throw ExitCode(1)
    }
    guard !json else { return }
    let elapsed = start.duration(to: clock.now) / .seconds(1)
    Console.print(total.page(seconds: elapsed))
    if withoutCodec { Console.print("without the codec: messages travelled as values, so these events prove less") }
  }

  private func enumerateStories(_ depth: Int) throws {
    let clock = ContinuousClock()
    for beginning in Enumeration.Beginning.allCases {
      let start = clock.now
      let report = Enumeration.run(from: beginning, depth: depth, sampling: 20, answersBeforeCommit: brokenReceipt)
      let elapsed = start.duration(to: clock.now) / .seconds(1)
      Console.print(
        "\(beginning.rawValue): \(report.steps) steps, \(report.states) states, \(report.endings) left to go well, "
          + "in \(String(format: "%.1f", elapsed)) s")
      guard let violation = report.violation else { continue }
      Console.print(violation)
      throw ExitCode(1)
    }
    Console.print("no violation")
  }

  private func configuration(_ seed: UInt64) throws -> SimulationConfiguration {
    var configuration = SimulationConfiguration(seed: seed)
    if swarm {
      configuration = .random(seed: seed)
    } else {
      configuration.points = points
      configuration.workers = workers
      configuration.faults = try Faults(parsing: faults)
      if configuration.faults == .none { configuration.faultySeconds = 0 }
    }
    configuration.maximumEvents = events
    configuration.answersBeforeCommit = brokenReceipt
    configuration.usesCodec = !withoutCodec
    return configuration
  }

  private static func page(of report: SimulationReport, _ violation: String) -> String {
    let configuration = report.configuration
    return """
      seed \(configuration.seed): \(violation)
      \(configuration.points) points, \(configuration.workers) workers, faults \(configuration.faults.text); after \
      \(report.events) events. The last that touch it:

      \(report.story.joined(separator: "\n"))
      """
  }
}

/// What all seeds together did.
private struct SimulationTotal {
  var seeds = 0
  var cut = 0
  var events = 0
  var virtualSeconds = 0.0
  var results = 0
  var quarantined = 0
  var attempts = 0
  var kept = 0
  var fetched = 0
  var resumptions = 0
  var faults = FaultCounts()

  mutating func add(_ report: SimulationReport) {
    seeds += 1
    if report.isCut { cut += 1 }
    events += report.events
    virtualSeconds += report.virtualSeconds
    results += report.results
    quarantined += report.quarantined
    attempts += report.attempts
    kept += report.checkpointsKept
    fetched += report.checkpointsFetched
    resumptions += report.resumptions
    faults += report.faults
  }

  func page(seconds: Double) -> String {
    let rate = seconds > 0 ? Double(events) / seconds : 0
    let struck = FaultKind.allCases.filter { faults[$0] > 0 }.map { "\($0.rawValue) \(faults[$0])" }
    var lines = [
      "\(events) events of \(seeds) seeds in \(String(format: "%.1f", seconds)) s: "
        + "\(Int(rate)) events per second, \(Int(virtualSeconds)) s of virtual time",
      "\(results) results, \(quarantined) points quarantined, \(attempts) attempts",
      "\(kept) checkpoints kept, \(fetched) fetched, \(resumptions) runs resumed",
      "\(faults.total) faults" + (struck.isEmpty ? "" : ": " + struck.joined(separator: ", ")),
      "no violation",
    ]
    if cut > 0 { lines.append("\(cut) stories were cut at their last event, before everything was settled") }
    return lines.joined(separator: "\n")
  }
}

/// One seed, for other programs.
private struct SimulationLine: Encodable {
  let seed: UInt64
  let events: Int
  let virtualSeconds: Double
  let points: Int
  let workers: Int
  let faults: [String: Int]
  let results: Int
  let quarantined: Int
  let attempts: Int
  let isCut: Bool
  let violation: String?
  let story: [String]?

  private enum CodingKeys: String, CodingKey {
    case seed, events
    case virtualSeconds = "virtual_seconds"
    case points, workers, faults, results, quarantined, attempts
    case isCut = "cut"
    case violation, story
  }

  init(_ report: SimulationReport) {
    seed = report.configuration.seed
    events = report.events
    virtualSeconds = report.virtualSeconds
    points = report.configuration.points
    workers = report.configuration.workers
    faults = Dictionary(
      uniqueKeysWithValues: FaultKind.allCases.filter { report.faults[$0] > 0 }.map { ($0.rawValue, report.faults[$0]) }
    )
    results = report.results
    quarantined = report.quarantined
    attempts = report.attempts
    isCut = report.isCut
    violation = report.violation
    story = report.violation == nil ? nil : report.story
  }

  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
