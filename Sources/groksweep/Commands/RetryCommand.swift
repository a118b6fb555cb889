// `groksweep retry`: gives points that failed for good another chance.

import ArgumentParser
import Sweeps

struct RetryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Make points that failed for good pending again.",
    discussion: """
      A point that failed three times is set aside with its reason (`groksweep status` lists them). Once the cause is \
      mended, retry forgets the failures: a running coordinator (--connect) hands the points out again at once, and with \
      --store the next sweep or coordinator on the store does. A store of an older schema is brought up to date on the \
      way; its runs stay as they are.

        groksweep retry --store weight-decay.sqlite
        groksweep retry 3f9a --connect tcp://127.0.0.1:5555
      """)

  @Argument(help: "Ids of points, or their beginnings; none means every failed point.") var points: [String] = []
  @OptionGroup var target: Target
  @Option(help: "Only failed points of this sweep.") var sweep: String?
  @Flag(help: "One JSON object.") var json = false

  func validate() throws {
    if sweep != nil && !points.isEmpty { throw ValidationError("name points, or give --sweep, not both") }
  }

  func run() throws {
    let selection: PointSelection = points.isEmpty ? .failed(sweep: sweep) : .ids(points)
    try conclude(try target.ask(.retry(selection)), json: json)
  }
}
