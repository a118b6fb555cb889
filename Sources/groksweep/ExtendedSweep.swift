// `groksweep extend --where`: more epochs for many finished points of a store, as a sweep of their own in it.
//
// Where the state is kept in which a censored run ended (EndedRuns.swift), the coordinator has the longer one go on from
// there by itself; here it is only said. All others begin at their start. Training is deterministic, so the first epochs
// are those that are stored either way.

import Cluster
import Foundation
import Grokking
import Reports
import Results
import Sweeps

struct ExtendedSweep {
  /// SQL over the view `runs`, or `censored`.
  let condition: String
  /// The store's path.
  let store: String
  let epochs: Int
  /// nil: each point stops as it did.
  let afterGrokking: Int?
  let name: String?
  let keep: KeepOptions

  func run(workers: Int?, _ connection: Connection) throws {
    let file = try longerSweep()
    let client = try connection.client(timeoutSeconds: 300)
    if let client {
      return try conclude(
        try client.ask(.submit(name: "\(file.name).yaml", text: file.text, overrides: [], priority: nil)), json: false)
    }
    try LocalJob(name: file.name, sweeps: [file], path: store, workers: workers, keep: keep).run(
      announce: { _, registrations, screen in
        for registration in registrations { registration.announce(store, onto: screen) }
      },
      conclude: { results, end in try end.conclude(file.name, in: results, again: again(workers)) })
  }

  private func again(_ workers: Int?) -> String {
    var words = ["groksweep", "extend", "--where", condition, "--store", store, "--epochs", "\(epochs)"]
    if let afterGrokking { words += ["--after-grokking", "\(afterGrokking)"] }
    if let name { words += ["--name", name] }
    if let workers { words += ["--workers", "\(workers)"] }
    words += keep.words
    return ShellWords.line(words)
  }

  /// How many go on where a shorter run ended.
  private func tell(_ experiments: [Experiment]) {
    let ended = EndedRuns(besides: store)
    let kept = ended.exist ? experiments.count { ended.contents(for: $0) != nil } : 0
    let whence =
      switch (kept, experiments.count - kept) {
      case (0, _): "each from its start: nothing is kept of how shorter ones ended (--keep-censored keeps it)"
      case (_, 0): "each from where a shorter one ended"
      case (_, let rest): "\(kept) from where a shorter one ended, \(rest) from the start"
      }
    Console.remark("\(Wording.count(experiments.count, "point")) to \(Wording.grouped(epochs)) epochs, \(whence)")
    let cosine = experiments.count { $0.lineage == nil }
    if cosine > 0 {
      Console.remark(
        "of these, \(cosine) with schedule cosine: its learning rates depend on the last epoch, so a longer run is another one "
          + "from its first epochs on")
    }
  }

  /// Six hexadecimal digits of the FNV-1a hash of a condition.
  private static func mark(of condition: String) -> String {
    let hash = condition.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return String(String(hash | 0x8000_0000, radix: 16).suffix(6))
  }

  private func longerSweep() throws -> SweepFile {
    guard FileManager.default.fileExists(atPath: store) else { throw Failure("\(store): no such store", .badInput) }
    let isShort = condition.trimmingCharacters(in: .whitespaces).lowercased() == "censored"
    let (points, done, diverged, sweeps) = try Store(path: store, mode: .readOnly).extensiblePoints(
      where: isShort ? "censored_after IS NOT NULL" : condition, to: epochs)
    guard !points.isEmpty else {
      let why =
        done == 0
        ? "no finished point fulfils --where \(ShellWords.quoted(condition))"
        : "\(done == 1 ? "the point" : "all \(done) points") that --where means had \(epochs) epochs or more; ask for more"
      throw Failure("\(store): \(why)" + (diverged > 0 ? "; \(diverged) diverged, which cannot go on" : ""), .badInput)
    }
    var left: [String] = []
    if done > 0 { left.append("\(Wording.count(done, "point")) had \(Wording.grouped(epochs)) epochs or more") }
    if diverged > 0 { left.append("\(diverged) diverged and cannot go on") }
    if !left.isEmpty { Console.remark("left as they are: \(left.joined(separator: "; "))") }
    let experiments = points.map { point in
      var longer = point.experiment
      longer.training.epochs = epochs
      longer.stop.afterGrokking = afterGrokking ?? longer.stop.afterGrokking
      return longer
    }
    // Points that differed in their epochs only become one.
    var seen: Set<PointID> = []
    let distinct = experiments.filter { seen.insert(PointID(of: $0)).inserted }
    tell(distinct)
    let source = sweeps.count == 1 ? "\(sweeps[0])-" : ""
    // Each condition is a sweep of its own: under one name, the second would take the place of the first.
    let called = name ?? "\(source)extended-\(epochs)" + (isShort ? "" : "-\(Self.mark(of: condition))")
    return try SweepFile(
      text: ListedSweep.text(
        called, distinct,
        comment: "Finished points with more epochs: those where \(condition.replacing("\n", with: " "))"),
      fileName: "\(called).yaml")
  }
}
