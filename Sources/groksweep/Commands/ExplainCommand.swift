// `groksweep explain`: why a point is not running, and its story so far.

import ArgumentParser
import Cluster
import Foundation
import Reports
import Results
import Sweeps

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Tell why a point is not running, and its story so far.",
    discussion: """
      Every attempt with its worker, host, end and reason; of a finished point the outcome, of a failed one why it was \
      set aside. A running coordinator also knows what is the matter now. A point is named by the beginning of its id.

        groksweep explain 3f9a --connect tcp://127.0.0.1:5555
        groksweep explain 3f9a --store weight-decay.sqlite
      """)

  @Argument(help: "The beginning of a point's id.") var point: String
  @OptionGroup var target: Target
  @Flag(help: "One JSON object.") var json = false

  func run() throws {
    let reply = try target.ask(.explain(point: point))
    guard !json, case .answer(let text) = reply else { return try conclude(reply, json: json) }
    let explanation = try parseJSON(PointExplanation.self, from: text)
    Console.print(ExplanationPage(explanation, isCoordinated: target.store == nil).text)
  }
}
