// `groksweep analyze`: the progress measures of any model file, whoever trained it.

import ArgumentParser
import Grokking
import Kernels
import Sweeps

extension Operation: ExpressibleByArgument {}
extension Activation: ExpressibleByArgument {}

struct AnalyzeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyze",
    abstract: "Take a trained model apart.",
    discussion: """
      Reads a safetensors file with TransformerLens' tensor names. Modulus and widths are read off the tensors; \
      the split comes from train_mask, and without one only the measures over all pairs are printed.

        groksweep analyze model.safetensors --json | python3 -m json.tool
      """)

  @Argument(help: "A safetensors file.") var file: String
  @Option(help: "What the model learned: \(Operation.allCases.map(\.rawValue).joined(separator: ", ")).")
  var operation: Operation?
  @Option(help: "The MLP's activation: relu or gelu.") var activation: Activation?
  @Option(help: "Key frequencies to use instead of the model's own, as in 14,35.") var keys: String?
  @Option(help: "Write the logits of all pairs here, row a·p+b, as a safetensors file with one tensor.")
  var saveLogits: String?
  @Flag(help: "One JSON object.") var json = false

  func run() throws {
    let bytes = try readInput(file)
    let model: ModelFile
    do {
      model = try ModelFile(parsing: bytes)
    } catch {
      throw Failure("\(file): \(error)", .badInput)
    }
    let recorded = try recordedExperiment(model)
    let keys = try keys.map { try parseKeys($0, modulus: model.weights.layout.modulus) }
    let report: AnalysisReport
    do {
      report = try AnalysisReport(
        model: model, operation: operation ?? recorded?.task.operation ?? .add,
        activation: activation ?? recorded?.model.activation ?? .relu, dataSeed: recorded?.dataSeed, keys: keys)
    } catch {
      throw Failure("\(file): \(error)", .badInput)
    }
    if let saveLogits {
      let logits = allLogits(
        weights: model.weights, activation: report.model.activation, kernels: try chosenKernels())
      let file = ModelFile.logits(logits, modulus: model.modulus, classes: report.model.dVocabOut)
      try writeOutput(file.serialized(), to: saveLogits)
    }
    Console.print(json ? try jsonLine(report) : report.page)
  }

  /// The experiment that `train --save` and workers write into a file's metadata; nil for other people's files.
  private func recordedExperiment(_ model: ModelFile) throws -> Experiment? {
    guard let text = model.metadata["experiment"] else { return nil }
    return try? parseJSON(Experiment.self, from: text)
  }

  private func parseKeys(_ text: String, modulus: Int) throws -> [Int] {
    let highest = (modulus - 1) / 2
    var keys: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let key = Int(part), (1...highest).contains(key) else {
        throw Failure(
          "--keys \(text): \"\(part)\" is no frequency of modulus \(modulus); give whole numbers from 1 to \(highest), "
            + "separated by commas", .usage)
      }
      if !keys.contains(key) { keys.append(key) }
    }
    return keys.sorted()
  }
}
