// `groksweep train`: one point, here, in this process; no store, no sockets.

import ArgumentParser
import Foundation
import Grokking
import Kernels
import Reports
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

        groksweep train configs/paper.yaml --set training.epochs=2000 --save memorized.safetensors
      """)

  @Argument(help: "A sweep file.") var file: String
  @OptionGroup var overrides: Overrides
  @Option(help: "Which point of the file: its place (from 0) or the start of its id.") var point: String?
  @Option(help: "Start from the weights and the train_mask of this safetensors file.") var start: String?
  @Option(help: "Epochs to train; replaces training.epochs.") var epochs: Int?
  @Option(help: "Epochs between evaluations; replaces measure.evaluate_every.") var evaluateEvery: Int?
  @Option(help: "Write the final weights here, as safetensors that TransformerLens can load.") var save: String?
  @Flag(help: "One JSON object per evaluation, and one for the result.") var json = false

  func run() throws {
    let sweepFile = try readSweepFile(file, overrides)
    let chosen = try choosePoint(of: sweepFile)
    var experiment = chosen.experiment
    if let epochs { experiment.training.epochs = epochs }
    if let evaluateEvery { experiment.measure.evaluateEvery = evaluateEvery }
    if let problem = experiment.problems().first { throw Failure("\(file): \(problem.message)", .badInput) }

    let run = try Run(
      experiment, from: try start.map { try startingPoint($0, experiment) }, kernels: chosenKernels(),
      snapshots: .inMemory())
    let clock = ContinuousClock()
    let began = clock.now
    let line = ProgressLine(began: began)
    while !run.isFinished {
      try run.advance()
      line.show(run.progress, now: clock.now)
    }
    line.clear()
    let seconds = (clock.now - began) / .seconds(1)
    let result = try run.result()
    if let save {
      var metadata = ["epoch": "\(result.epochs)", "format": "pt", "outcome": result.outcome.name]
      metadata["experiment"] = try jsonLine(experiment)
      metadata["engine_semantics"] = "\(Engine.semanticsVersion)"
      metadata["measure_version"] = "\(Engine.measureVersion)"
      if start == nil { metadata["point"] = PointID(of: experiment).hex }
      let model = ModelFile(weights: run.weights, trainMask: run.split.trainMask, metadata: metadata)
      try writeOutput(model.serialized(), to: save)
    }
    try printResult(result, of: experiment, seconds: seconds)
  }

  private func printResult(_ result: RunResult, of experiment: Experiment, seconds: Double) throws {
    if json {
      for evaluation in result.evaluations { Console.print(try jsonLine(evaluation)) }
      Console.print(try jsonLine(ResultLine(result, seconds: seconds)))
    } else {
      Console.print(RunPage.text(result, of: experiment, seconds: seconds))
    }
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

/// The last line of `train --json`.
private struct ResultLine: Encodable {
  let outcome: String
  let memorization_epoch: Int?
  let grokking_epoch: Int?
  let grokking_delay: Int?
  let censored_after: Int?
  let epochs: Int
  let key_frequencies: [KeyFrequency]
  let final_model: FinalMeasures?
  let crossings: [Crossing]
  let phases: [Phase]
  let digest: String
  let digests: [EpochDigest]
  let kernel_path: String
  let semantics_version: Int
  let measure_version: Int
  let seconds: Double

  init(_ result: RunResult, seconds: Double) {
    outcome = result.outcome.name
    let (memorization, grokking) = (result.outcome.memorizationEpoch, result.outcome.grokkingEpoch)
    memorization_epoch = memorization
    grokking_epoch = grokking
    grokking_delay = memorization.flatMap { first in grokking.map { $0 - first } }
    censored_after = result.outcome.censoredAfter
    epochs = result.epochs
    key_frequencies = result.keyFrequencies
    final_model = result.finalModel
    crossings = result.crossings
    phases = result.phases
    digest = result.digest
    digests = result.digests
    kernel_path = result.kernelPath
    semantics_version = result.semanticsVersion
    measure_version = result.measureVersion
    self.seconds = seconds
  }
}

/// One line on the terminal, redrawn four times a second; nothing in a pipe.
private final class ProgressLine {
  private let began: ContinuousClock.Instant
  private var lastDrawn: ContinuousClock.Instant?

  init(began: ContinuousClock.Instant) { self.began = began }

  func show(_ progress: RunProgress, now: ContinuousClock.Instant) {
    guard Console.isLive else { return }
    if let lastDrawn, now - lastDrawn < .milliseconds(250) { return }
    lastDrawn = now
    Console.draw("\r\u{1B}[K" + String(LiveProgress.line(progress, elapsed: now - began).prefix(Console.width - 1)))
  }

  func clear() {
    if lastDrawn != nil { Console.draw("\r\u{1B}[K") }
  }
}
