// `groksweep submit`: gives sweep files to a coordinator that runs, or registers them in a store.

import ArgumentParser
import Cluster
import Foundation
import Sweeps

struct SubmitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit",
    abstract: "Give sweep files to a running coordinator.",
    discussion: """
      Its workers get the points as soon as it is their turn: sweeps of a higher priority first, then in the order in \
      which they came. A sweep that is there already is left as it is, and goes on if it was paused or cancelled. With \
      --store the sweep is registered only; the next coordinator on the store runs it.

        groksweep submit configs/weight-decay.yaml --connect tcp://127.0.0.1:5555
        groksweep submit urgent.yaml --priority 10 --connect tcp://127.0.0.1:5555
      """)

  @Argument(help: "Sweep files.") var files: [String]
  @OptionGroup var overrides: Overrides
  @Option(help: "Sweeps of a higher one go first (default: 0, or as it was).") var priority: Int?
  @OptionGroup var target: Target
  @Flag(help: "One JSON object per file.") var json = false

  func validate() throws {
    guard !files.isEmpty else { throw ValidationError("name a sweep file") }
    if let priority, abs(priority) > 1_000_000 {
      throw ValidationError("--priority \(priority): give a number from -1000000 to 1000000")
    }
  }

  func run() throws {
    // All are read before the first is sent: a mistake in the last one leaves nothing half done.
    let requests = try files.map { file in
      let sweep = try readSweepFile(file, overrides)
      // The text brings along what the file includes: the coordinator has none of it.
      let request = OperatorRequest.submit(
        name: file, text: sweep.text, overrides: overrides.values, priority: priority)
      if target.connection.isGiven { try refuseTooLong(request, file, bytes: sweep.text.utf8.count) }
      return request
    }
    for request in requests {
      try conclude(try target.ask(request, timeoutSeconds: 300, isMade: true), json: json)
    }
  }

  private func refuseTooLong(_ request: OperatorRequest, _ file: String, bytes: Int) throws {
    do throws(WireError) {
      _ = try WireCodec.encode(request, number: 0)
    } catch {
      throw Failure(
        "\(file): has \(bytes) bytes together with the files that it includes, more than a message may have; give it to "
          + "`groksweep coordinator` when it starts, or split it into several sweeps", .badInput)
    }
  }
}
