// `groksweep weights`: the final model of a stored run as a file, for `analyze`, `train --start` and other programs.

import ArgumentParser
import Foundation
import Grokking
import Results
import Sweeps

struct WeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "Write the final weights of a stored run to a file.",
    discussion: """
      A safetensors file with the names and shapes of TransformerLens, the train_mask of its split, and in its metadata the \
      point, the experiment and the epoch: the same bytes that `groksweep train --save` writes.

        groksweep weights 3f2a91 --store paper.sqlite -o model.safetensors
        groksweep analyze model.safetensors
      """)

  @Argument(help: "The start of a point's id.") var point: String
  @Option(help: "The store. May be left out when the working folder holds just one.") var store: String?
  @Option(name: .shortAndLong, help: "The file to write.") var output: String

  func run() throws {
    try checkOutput(output)
    try refuseDatabase(output)
    let path = try store ?? onlyStoreHere()
    let results = try Store(path: path, mode: .readOnly)
    let id = try results.point(startingWith: point)
    guard let weights = try results.finalWeights(of: id) else {
      let story = try results.story(of: id)
      let why =
        switch (story.state, story.result?.outcome) {
        case (.finished, "diverged"): "its run diverged, so it has no final model"
        case (.finished, _) where try results.result(of: id)?.semanticsVersion != Engine.semanticsVersion:
          "it was run by an older groksweep, whose numbers this one does not compute"
        case (.finished, _):
          "it was run with --no-weights, or by an older groksweep; `groksweep verify \(id.short) --store "
            + "\(ShellWords.quoted(path))` runs it again to the same bits and stores them"
        default: "it has not finished"
        }
      throw Failure("\(path): there are no final weights of point \(id.short): \(why)", .failed)
    }
    var result = try results.result(of: id)
    result?.finalWeights = weights
    if let problem = result?.problemOfWeights(of: id) {
      throw Failure(
        "\(path): the final weights of point \(id.short) are damaged: \(problem); `groksweep verify \(id.short) --store "
          + "\(ShellWords.quoted(path))` runs it again and replaces them", .failed)
    }
    try writeOutput(weights, to: output)
    Console.remark("\(output): the final weights of point \(id.short), \(weights.count) bytes")
  }
}
