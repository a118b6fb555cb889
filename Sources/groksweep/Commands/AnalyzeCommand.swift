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
      the split comes from train_mask, and without one only the measures over all pairs are printed. What was \
      learned and with which activation is read off the metadata that `train --save` writes; for other files add \
      and relu are assumed.

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
    if let saveLogits {
      try checkOutput(saveLogits)
      try refuseDatabase(saveLogits)
    }
    let bytes = try readInput(file)
    let model: ModelFile
    do {
      model = try ModelFile(parsing: bytes)
    } catch {
      throw Failure("\(file): \(error)", .badInput)
    }
    if model.metadata["outcome"] == "diverged" {
      Console.remark("\(file): its run diverged; these are the weights at which a loss was no longer finite")
    }
    let recorded = recordedExperiment(model)
    let operation = operation ?? recorded?.task.operation ?? assumedOperation()
    let keys = try keys.map { try parseKeys($0, of: operation, modulus: model.modulus) }
    let report: AnalysisReport
    do {
      report = try AnalysisReport(
        model: model, operation: operation, activation: activation ?? recorded?.model.activation ?? .relu,
        dataSeed: recorded?.dataSeed,
        labelNoise: recorded?.task.operation == operation ? recorded?.task.labelNoise ?? 0 : 0, keys: keys)
    } catch {
      throw Failure("\(file): \(error)", .badInput)
    }
    Console.print(json ? try jsonLine(report) : report.page)
    if let saveLogits {
      let logits = allLogits(
        weights: model.weights, activation: report.model.activation, kernels: try chosenKernels())
      let file = ModelFile.logits(logits, modulus: model.modulus, classes: report.model.dVocabOut)
      try writeOutput(file.serialized(), to: saveLogits)
    }
  }

  /// The experiment that `train --save` and workers write into a file's metadata; nil for other people's files, and
  /// where the tensors are of another task.
  private func recordedExperiment(_ model: ModelFile) -> Experiment? {
    guard let text = model.metadata["experiment"], let recorded = try? parseJSON(Experiment.self, from: text) else {
      return nil
    }
    guard recorded.task.modulus == model.modulus else {
      Console.remark(
        "\(file): its metadata tells of modulus \(recorded.task.modulus), its tensors of \(model.modulus); the metadata is ignored"
      )
      return nil
    }
    return recorded
  }

  private func assumedOperation() -> Operation {
    Console.remark("\(file) does not say what the model learned; add is assumed (choose with --operation)")
    return .add
  }

  private func parseKeys(_ text: String, of operation: Operation, modulus: Int) throws -> [Int] {
    let highest = Circle(of: operation, modulus: modulus).frequencyCount
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
