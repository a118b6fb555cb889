// One run in this process, for `train` and `extend`: its progress on the terminal, its result on stdout, its weights in a
// file, and, where a folder was named, everything that it takes to go on.

import Cluster
import Foundation
import Grokking
import Kernels
import Reports
import Sweeps

/// A run with the folder that keeps it, if any.
struct LocalRun {
  let run: Run
  /// Its id, for the metadata of saved weights; nil when it did not start from its seeds.
  let point: PointID?
  private(set) var kept: KeptFolder?
  /// What earlier processes spent on it.
  private(set) var secondsBefore = 0.0

  private static let checkpointSeconds = 60.0

  init(run: Run, point: PointID?) {
    self.run = run
    self.point = point
  }

  /// A run that is kept in `folder`: the one that was interrupted there, or a new one.
  init(_ experiment: Experiment, from start: Start, keptIn folder: String, point: PointID?) throws {
    let kept = try inWords { try KeptFolder(creating: folder) }
    self.kept = kept
    self.point = point
    guard let checkpoint = try inWords(of: folder, { try kept.run.readCheckpoint() }) else {
      run = try Run(experiment, from: start, kernels: chosenKernels(), snapshots: kept.run.snapshots)
      return
    }
    secondsBefore = checkpoint.seconds
    run = try inWords(of: folder) {
      try Run(
        resuming: checkpoint.run, of: experiment, kernels: chosenKernels(), snapshots: kept.run.snapshots)
    }
    guard try started(from: start) else {
      throw Failure("\(folder): holds a run from other start weights; name another folder", .badInput)
    }
    Console.remark("\(folder): going on from epoch \(Wording.grouped(run.progress.epoch))")
  }

  /// The run that is kept in `folder`, on its way to a later end.
  init(extending folder: String, to epochs: Int, afterGrokking: Int?) throws {
    let kept = try inWords { try KeptFolder(opening: folder) }
    self.kept = kept
    guard let checkpoint = try inWords(of: folder, { try kept.run.readCheckpoint() }) else {
      throw Failure("\(folder): no run is kept here", .badInput)
    }
    secondsBefore = checkpoint.seconds
    let run = try inWords(of: folder) {
      try Run(
        extending: checkpoint.run, to: epochs, afterGrokking: afterGrokking, kernels: chosenKernels(),
        snapshots: kept.run.snapshots)
    }
    self.run = run
    let seeded = try Self.started(run, from: Start(run.experiment), kept)
    point = seeded ? PointID(of: run.experiment) : nil
    Console.remark("\(folder): going on from epoch \(Wording.grouped(run.progress.epoch))")
  }

  /// Whether the run started from these weights and this split.
  func started(from start: Start) throws -> Bool {
    guard let kept else { return true }
    return try Self.started(run, from: start, kept)
  }

  private static func started(_ run: Run, from start: Start, _ kept: KeptFolder) throws -> Bool {
    guard run.split == start.split else { return false }
    let weights = run.progress.epoch == 0 ? run.weights.storage : try kept.run.snapshots.read(0)
    return weights == start.weights.storage
  }

  /// Trains to the end and prints the result. Ctrl-C, where the run is kept: keeps where it is.
  func finish(save: String?, json: Bool) throws {
    let interrupt = try kept.map { _ in try Interrupt() }
    interrupt?.catchSignals()
    let clock = ContinuousClock()
    let began = clock.now
    var lastKept = began
    let line = ProgressLine(began: began, from: run.progress.epoch)
    func seconds() -> Double { secondsBefore + (clock.now - began) / .seconds(1) }
    // From here on the folder is this run's, though it crash at once: a longer run removes what a shorter one would need.
    try keepCheckpoint(seconds())
    while !run.isFinished {
      if interrupt?.signal != nil {
        try keepCheckpoint(seconds())
        line.clear()
        let epoch = Wording.grouped(run.progress.epoch)
        Console.remark("Interrupted at epoch \(epoch); nothing is lost. The same command goes on from there.")
        throw ExitStatus.interrupted.thrown
      }
      let wasTraining = run.isTraining
      try run.advance()
      let hasEnded = wasTraining && !run.isTraining
      if kept != nil && (hasEnded || (clock.now - lastKept) / .seconds(1) >= Self.checkpointSeconds) {
        try keepCheckpoint(seconds())
        lastKept = clock.now
      }
      line.show(run.progress, now: clock.now)
    }
    line.clear()
    let result = try run.result()
    if let save { try writeOutput(try modelFile(result).serialized(), to: save) }
    try show(result, seconds: seconds(), json: json)
  }

  /// After training there is nothing to add to what its end left.
  private func keepCheckpoint(_ seconds: Double) throws {
    guard let kept, run.isResumable else { return }
    try kept.run.writeCheckpoint(try run.checkpoint(), seconds: seconds, durable: true)
  }

  private func modelFile(_ result: RunResult) throws -> ModelFile {
    var metadata = ["epoch": "\(result.epochs)", "format": "pt", "outcome": result.outcome.name]
    metadata["experiment"] = try jsonLine(run.experiment)
    metadata["engine_semantics"] = "\(Engine.semanticsVersion)"
    metadata["measure_version"] = "\(Engine.measureVersion)"
    if let point { metadata["point"] = point.hex }
    return ModelFile(weights: run.weights, trainMask: run.split.trainMask, metadata: metadata)
  }

  private func show(_ result: RunResult, seconds: Double, json: Bool) throws {
    if json {
      for evaluation in result.evaluations { Console.print(try jsonLine(evaluation)) }
      Console.print(try jsonLine(ResultLine(result, of: run.experiment, seconds: seconds)))
    } else {
      Console.print(RunPage.text(result, of: run.experiment, seconds: seconds))
    }
  }
}

/// Errors of a folder as bad input.
private func inWords<Value>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let error as SealedFileError {
    throw Failure("\(error)", .badInput)
  }
}

/// Errors of the run that `folder` keeps as bad input, with what to do about them.
private func inWords<Value>(of folder: String, _ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let error as CheckpointError {
    throw Failure("\(folder): \(error)", .badInput)
  } catch let error as SealedFileError {
    throw Failure("\(error); to train this run from its start, remove the folder", .badInput)
  }
}

/// The last line of `train --json` and `extend --json`.
private struct ResultLine: Encodable {
  let outcome: String
  let memorization_epoch: Int?
  let grokking_epoch: Int?
  let grokking_delay: Int?
  let censored_after: Int?
  let epochs: Int
  let ending: RunEnding
  let crossings: [Crossing]
  let phases: [Phase]
  let key_frequencies: [KeyFrequency]
  let final_model: FinalMeasures?
  let digest: String
  let digests: [EpochDigest]
  let kernel_path: String
  let semantics_version: Int
  let measure_version: Int
  let seconds: Double

  init(_ result: RunResult, of experiment: Experiment, seconds: Double) {
    outcome = result.outcome.name
    let (memorization, grokking) = (result.outcome.memorizationEpoch, result.outcome.grokkingEpoch)
    memorization_epoch = memorization
    grokking_epoch = grokking
    grokking_delay = memorization.flatMap { first in grokking.map { $0 - first } }
    censored_after = result.outcome.censoredAfter
    epochs = result.epochs
    ending = result.ending(of: experiment)
    crossings = result.crossings
    phases = result.phases
    key_frequencies = result.keyFrequencies
    final_model = result.finalModel
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
  private let firstEpoch: Int
  private var lastDrawn: ContinuousClock.Instant?

  /// - Parameter firstEpoch: where this process took the run up.
  init(began: ContinuousClock.Instant, from firstEpoch: Int) {
    self.began = began
    self.firstEpoch = firstEpoch
  }

  func show(_ progress: RunProgress, now: ContinuousClock.Instant) {
    guard Console.isLive else { return }
    if let lastDrawn, now - lastDrawn < .milliseconds(250) { return }
    lastDrawn = now
    let text = LiveProgress.line(progress, from: firstEpoch, elapsed: now - began)
    Console.draw("\r\u{1B}[K" + String(text.prefix(Console.width - 1)))
  }

  func clear() {
    if lastDrawn != nil { Console.draw("\r\u{1B}[K") }
  }
}
