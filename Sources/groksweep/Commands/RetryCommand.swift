// `groksweep retry`: gives points that failed for good another chance.

import ArgumentParser
import Foundation
import Reports
import Results
import Sweeps

struct RetryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Make failed points of a store pending again.",
    discussion: """
      A point that failed three times is set aside with its reason (`groksweep status` lists them). Once the cause is \
      mended, retry forgets the failures; the next sweep or coordinator on the store runs the points again. No \
      coordinator may be running on the store. A store of an older schema is brought up to date on the way; its runs \
      stay as they are.

        groksweep retry --store weight-decay.sqlite
      """)

  @Argument(help: "Ids of points, or their beginnings; none means every failed point.") var points: [String] = []
  @Option(help: "The store.") var store: String
  @Option(help: "Only failed points of this sweep.") var sweep: String?

  func run() throws {
    guard FileManager.default.fileExists(atPath: store) else {
      throw Failure("\(store): no such store", .badInput)
    }
    let lock = try Store.lock(path: store, now: Date())
    defer { lock.release() }
    let results = try openStore(store, .open)
    let failed = try results.failures(of: sweep)
    let chosen = points.isEmpty ? failed.map(\.id) : try points.map { try point(startingWith: $0, in: failed) }
    let changed = try results.retry(points: chosen, sweep: sweep)
    Console.print("\(store): \(Wording.count(changed.count, "failed point")) will be run again")
  }

  private func point(startingWith text: String, in failed: [FailedPoint]) throws -> PointID {
    let matches = failed.filter { $0.id.hex.hasPrefix(text) }
    guard matches.count == 1 else {
      let many = matches.isEmpty ? "no failed point's id starts" : "the ids of \(matches.count) failed points start"
      throw Failure("\(store): \(many) with \(text); `groksweep status --store \(store)` lists them", .badInput)
    }
    return matches[0].id
  }
}
