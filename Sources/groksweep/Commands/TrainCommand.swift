// `groksweep train`: one point, here, in this process; no store, no sockets.

import ArgumentParser
import Cluster
import Grokking
import Kernels
import Sweeps

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train and analyse one point here and print its curve.",
    discussion: """
      Trains the first point of FILE (or the one that --point names) in this process, without a store. \
      With --json it prints one line per evaluation and a last line with the result; losses of an epoch are those \
      before its step. The lines come when the run has ended, since restricted and excluded loss of every epoch need \
      the final model's key frequencies.

      With --keep, FOLDER holds what `groksweep extend` needs to train on (400 MB at the paper's size and settings); a training \
      that was interrupted goes on from there when the same command is given again.

        groksweep train configs/paper.yaml --set training.epochs=2000 --save memorized.safetensors
      """)

  @Argument(help: "A sweep file.") var file: String
  @OptionGroup var overrides: Overrides
  @Option(help: "Which point of the file: its place (from 0) or the start of its id.") var point: String?
  @Option(help: "Start from the weights and the train_mask of this safetensors file.") var start: String?
  @Option(help: "Epochs to train; replaces training.epochs.") var epochs: Int?
  @Option(help: "Epochs between evaluations; replaces measure.evaluate_every.") var evaluateEvery: Int?
  @Option(help: "Write the final weights here, as safetensors that TransformerLens can load.") var save: String?
  @Option(help: ArgumentHelp("Keep here what `groksweep extend` needs.", valueName: "folder")) var keep: String?
  @Flag(help: "One JSON object per evaluation, and one for the result.") var json = false

  func run() throws {
    if let save {
      try checkOutput(save)
      try refuseDatabase(save)
    }
    let sweepFile = try readSweepFile(file, overrides)
    let chosen = try choosePoint(of: sweepFile)
    var experiment = chosen.experiment
    if let epochs { experiment.training.epochs = epochs }
    if let evaluateEvery { experiment.measure.evaluateEvery = evaluateEvery }
    if let problem = experiment.problems().first { throw Failure("\(file): \(problem.message)", .badInput) }

    let begin = try start.map { try startingPoint($0, experiment) } ?? Start(experiment)
    let point = start == nil ? PointID(of: experiment) : nil
    let local =
      if let keep {
        try LocalRun(experiment, from: begin, keptIn: keep, point: point)
      } else {
        LocalRun(
          run: try Run(experiment, from: begin, kernels: chosenKernels(), snapshots: .inMemory()), point: point)
      }
    try local.finish(save: save, json: json)
  }

  private func choosePoint(of sweepFile: SweepFile) throws -> Point {
    guard let point else {
      if sweepFile.points.count > 1 {
        Console.remark(
          "\(file) has \(sweepFile.points.count) points; training the first. Choose another with --point or --set.")
      }
      return sweepFile.points[0]
    }
    if let place = Int(point), point.count < 8 {
      guard sweepFile.points.indices.contains(place) else {
        throw Failure("\(file): no point \(place); it has points 0 to \(sweepFile.points.count - 1)", .badInput)
      }
      return sweepFile.points[place]
    }
    let matches = sweepFile.points.filter { $0.id.hex.hasPrefix(point) }
    guard matches.count == 1 else {
      let many = matches.isEmpty ? "no point's id starts" : "the ids of \(matches.count) points start"
      throw Failure("\(file): \(many) with \(point); `groksweep plan \(file)` lists them", .badInput)
    }
    return matches[0]
  }

  /// The weights and the split of a file, when they are of this experiment's shapes.
  private func startingPoint(_ path: String, _ experiment: Experiment) throws -> Start {
    let model: ModelFile
    do {
      model = try ModelFile(parsing: readInput(path), activation: experiment.model.activation)
    } catch let error as ModelFileError {
      throw Failure("\(path): \(error)", .badInput)
    }
    let layout = ParameterLayout(experiment)
    guard model.weights.layout == layout else {
      throw Failure(
        "\(path): is a model of modulus \(model.weights.layout.modulus), \(Self.describe(model.weights.layout.model)); "
          + "\(file) asks for modulus \(layout.modulus), \(Self.describe(layout.model)). "
          + "Give its values with --set, as in --set task.modulus=\(model.weights.layout.modulus)", .badInput)
    }
    guard let mask = model.trainMask else {
      Console.remark("\(path): has no train_mask; the train set is drawn from data seed \(experiment.dataSeed)")
      return Start(weights: model.weights, split: Split(experiment: experiment))
    }
    return Start(weights: model.weights, split: Split(trainMask: mask, modulus: layout.modulus))
  }

  private static func describe(_ model: ModelShape) -> String {
    "d_model \(model.dModel), heads \(model.heads), d_mlp \(model.dMLP), d_vocab_out \(model.dVocabOut), "
      + (model.biases ? "with biases" : "without biases")
  }
}
