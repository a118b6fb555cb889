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
  private var isResumed = false
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
    isResumed = true
    guard try inWords(of: folder, { try Self.started(run, from: start, kept) }) else {
      throw Failure("\(folder): holds a run from other start weights; name another folder", .badInput)
    }
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
    isResumed = true
    let seeded = try inWords(of: folder) { try Self.started(run, from: Start(run.experiment), kept) }
    point = seeded ? PointID(of: run.experiment) : nil
  }

  /// Whether the run started from these weights and this split.
  private static func started(_ run: Run, from start: Start, _ kept: KeptFolder) throws -> Bool {
    guard run.split == start.split else { return false }
    let weights = run.progress.epoch == 0 ? run.weights.storage : try kept.run.snapshots.read(0)
    return weights == start.weights.storage
  }

  /// Trains to the end, prints the result and saves the weights. Ctrl-C, where the run is kept: keeps where it is.
  func finish(save: String?, json: Bool) throws {
    try ofKept { try run.checkKept() }
    if let kept, isResumed, run.progress.epoch < run.progress.epochs {
      Console.remark("\(kept.path): going on from epoch \(Wording.grouped(run.progress.epoch))")
    }
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
      try ofKept { try run.advance() }
      let hasEnded = wasTraining && !run.isTraining
      if kept != nil && (hasEnded || (clock.now - lastKept) / .seconds(1) >= Self.checkpointSeconds) {
        try keepCheckpoint(seconds())
        lastKept = clock.now
      }
      line.show(run.progress, now: clock.now)
    }
    line.clear()
    let result = try ofKept { try run.result() }
    try show(result, seconds: seconds(), json: json)
    guard let save else { return }
    try writeOutput(try ModelFile(of: run, result, point: point).serialized(), to: save)
    if case .diverged(let epoch, _, _) = result.outcome {
      Console.remark("\(save): of a run that diverged at epoch \(Wording.grouped(epoch)); its loss is not finite")
    }
  }

  /// Errors about what the run kept, with what to do about them.
  private func ofKept<Value>(_ body: () throws -> Value) throws -> Value {
    guard let kept else { return try body() }
    return try inWords(of: kept.path, body)
  }

  /// After training there is nothing to add to what its end left.
  private func keepCheckpoint(_ seconds: Double) throws {
    guard let kept, run.isResumable else { return }
    try kept.run.writeCheckpoint(try run.checkpoint(), seconds: seconds, durable: true)
  }

  private func show(_ result: RunResult, seconds: Double, json: Bool) throws {
    if json {
      for evaluation in result.evaluations { Console.print(try jsonLine(EvaluationLine(evaluation))) }
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
  let advice = "remove the folder to train this run from its start"
  do {
    return try body()
  } catch let error as CheckpointError {
    throw Failure("\(folder): \(error)", .badInput)
  } catch let error as SealedFileError {
    throw Failure("\(error); \(advice)", .badInput)
  } catch let error where error is SnapshotMissing || error is RunError {
    throw Failure("\(folder): \(error); \(advice)", .badInput)
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
