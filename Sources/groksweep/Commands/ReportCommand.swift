// `groksweep report`: a page that opens from disk, with all that there is to see of a run.

import ArgumentParser
import Foundation
import Reports
import Results
import Sweeps

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a page with the figures of a run.",
    discussion: """
      One HTML file that needs nothing else: it opens from disk, prints, and is light or dark as the reader's system is. Figures \
      show values under the pointer, and can be saved as SVG, their data as CSV.

        groksweep report --store paper.sqlite --point 3f2a91 -o run.html
      """)

  @OptionGroup var target: StoredRunOptions
  @Option(name: .shortAndLong, help: "The page to write.") var output: String

  func validate() throws {
    guard target.point != nil else { throw ValidationError("name a run with --point and the beginning of its id") }
  }

  func run() throws {
    try checkOutput(output)
    try refuseDatabase(output)
    let subject = try target.subject(loadsWeights: true)
    let store = try target.openStore()
    let page = RunReport(subject, story: try store.story(of: subject.point), store: store.path).html
    try writeOutput(Array(page.utf8), to: output)
    Console.remark("\(output): the run of point \(subject.point.short)")
  }
}
