// `groksweep extend`: more epochs for one run, here, in this process.

import ArgumentParser
import Cluster
import Foundation
import Grokking
import Results
import Sweeps

struct ExtendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extend",
    abstract: "Train a run on to more epochs.",
    discussion: """
      Goes on with the run that `groksweep train --keep FOLDER` kept, whether it reached its last epoch, stopped after \
      grokking or was interrupted, and prints the result of the longer run: in every bit that of a run of N epochs from \
      the start. FOLDER then keeps the longer run. With --store, RUN is a point of that store; workers keep nothing of \
      finished points, so it is trained from its start, and only the store's experiment is used.

        groksweep extend kept/ --epochs 60000
        groksweep extend 3f2a91c04b --store paper.sqlite --epochs 60000 --keep kept/
      """)

  @Argument(
    help: ArgumentHelp("A folder of `train --keep`, or with --store the start of a point's id.", valueName: "run"))
  var named: String
  @Option(help: "Where the longer run ends.") var epochs: Int
  @Option(help: "End this many epochs after sustained grokking; without it the longer run does not stop early.")
  var afterGrokking: Int?
  @Option(help: "Take the experiment of point RUN from this store.") var store: String?
  @Option(help: ArgumentHelp("With --store: keep the longer run in this folder.", valueName: "folder"))
  var keep: String?
  @Option(help: "Write the final weights here, as safetensors that TransformerLens can load.") var save: String?
  @Flag(help: "One JSON object per evaluation, and one for the result.") var json = false

  func validate() throws {
    if named.isEmpty {
      throw ValidationError(
        "the run's name is empty; name a folder of `train --keep`, or with --store the start of a point's id")
    }
    if keep != nil && store == nil {
      throw ValidationError("--keep goes with --store; without it the longer run is kept where the shorter one was")
    }
  }

  func run() throws {
    if let save { try checkOutput(save) }
    let local: LocalRun
    if let store {
      local = try fromStore(store)
    } else {
      local = try LocalRun(extending: named, to: epochs, afterGrokking: afterGrokking)
    }
    try local.finish(save: save, json: json)
  }

  /// The store's point with more epochs, from its start or from what --keep has of it.
  private func fromStore(_ path: String) throws -> LocalRun {
    guard FileManager.default.fileExists(atPath: path) else { throw Failure("\(path): no such store", .badInput) }
    let found = try point(in: Store(path: path, mode: .readOnly))
    guard epochs > found.epochs else {
      throw Failure(
        "\(path): point \(found.id.short) was trained for \(found.epochs) epochs already; ask for more than these",
        .badInput)
    }
    var longer = found.experiment
    longer.training.epochs = epochs
    longer.stop.afterGrokking = afterGrokking
    if let problem = longer.problems().first { throw Failure("\(problem)", .badInput) }
    if let keep, try KeptFolder(creating: keep).run.hasCheckpoint {
      let local = try LocalRun(extending: keep, to: epochs, afterGrokking: afterGrokking)
      guard local.run.experiment == longer, local.point != nil else {
        throw Failure("\(keep): holds a run of another experiment than point \(found.id.short)", .badInput)
      }
      return local
    }
    Console.remark("nothing was kept of point \(found.id.short); training it from its start")
    let (start, point) = (Start(longer), PointID(of: longer))
    if let keep { return try LocalRun(longer, from: start, keptIn: keep, point: point) }
    return LocalRun(
      run: try Run(longer, from: start, kernels: chosenKernels(), snapshots: .inMemory()), point: point)
  }

  private func point(in store: Store) throws -> ExtensiblePoint {
    do {
      return try store.extensiblePoint(startingWith: named)
    } catch let error as StoreError where error.kind == .unknown {
      throw Failure("\(error)", .badInput)
    }
  }
}
