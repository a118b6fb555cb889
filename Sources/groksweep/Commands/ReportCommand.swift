// `groksweep report`: a page that opens from disk, with all that there is to see of a sweep or of a run.

import ArgumentParser
import Foundation
import Reports
import Results
import Sweeps

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a page with the figures of a sweep or of a run.",
    discussion: """
      One HTML file that needs nothing else: it opens from disk, prints, and is light or dark as the reader's system is. Figures \
      show values under the pointer, and can be saved as SVG, their data as CSV.

        groksweep report --store weight-decay.sqlite -o report.html
        groksweep report --store weight-decay.sqlite --x weight_decay --y train_fraction -o report.html
        groksweep report --store paper.sqlite --point 3f2a91 -o run.html
      """)

  @OptionGroup var target: StoredRunOptions
  @OptionGroup var diagram: DiagramOptions
  @Option(name: .shortAndLong, help: "The page to write.") var output: String

  func validate() throws {
    guard target.point == nil || target.sweep == nil else {
      throw ValidationError("--point and --sweep: a page is of one of them")
    }
    guard target.point != nil || target.weights == nil else {
      throw ValidationError("--weights are those of a run; name it with --point")
    }
    guard target.point == nil || !diagram.isGiven else {
      throw ValidationError("--x and --y are the axes of a sweep's phase diagram; a run has none")
    }
  }

  func run() throws {
    try checkOutput(output)
    try refuseDatabase(output)
    let store = try target.openStore()
    let (page, subject) =
      target.point == nil ? try page(ofSweep: target.sweepName(in: store), in: store) : try pageOfRun(in: store)
    try writeOutput(Array(page.utf8), to: output)
    Console.remark("\(output): \(subject)")
  }

  private func page(ofSweep name: String, in store: Store) throws -> (page: String, subject: String) {
    var sweep = try SweepSubject(name, in: store)
    sweep.axes = try diagram.axes(of: sweep.settings)
    let report = SweepReport(
      sweep, runs: try store.runs(of: name), failures: try store.failures(of: name),
      command: plotCommand(store: store.path, sweep: name, diagram))
    return (report.html, "the sweep \(name), with \(Wording.count(sweep.runs.count, "run"))")
  }

  private func pageOfRun(in store: Store) throws -> (page: String, subject: String) {
    let subject = try target.subject(loadsWeights: true)
    let report = RunReport(subject, story: try store.story(of: subject.point), store: store.path)
    return (report.html, "the run of point \(subject.point.short)")
  }
}
