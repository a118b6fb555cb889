// `groksweep extend`: more epochs for one run, here, in this process, or for many of a store's (ExtendedSweep.swift).

import ArgumentParser
import Cluster
import Foundation
import Grokking
import Results
import Sweeps

struct ExtendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extend",
    abstract: "Train a run, or many of a store, on to more epochs.",
    discussion: """
      Goes on with the run that `groksweep train --keep FOLDER` kept, whether it reached its last epoch, stopped after \
      grokking or was interrupted, and prints the result of the longer run: in every bit that of a run of N epochs from \
      the start. FOLDER then keeps the longer run. With --store, RUN is a point of that store; workers keep nothing of \
      finished points, so it is trained from its start, and only the store's experiment is used.

      With --where, all finished points of the store that fulfil an SQL condition on the view runs (censored is short \
      for those that had not grokked by their last epoch) are run for N epochs, as a sweep of their own in the same \
      store, by workers of this machine, or with --connect by those of the coordinator that runs on it. Where a sweep or \
      coordinator with --keep-censored kept how a run ended, they go on from there, else from their start, with the \
      same bits.

        groksweep extend kept/ --epochs 60000
        groksweep extend 3f2a91c04b --store paper.sqlite --epochs 60000 --keep kept/
        groksweep extend --where censored --store paper.sqlite --epochs 60000
      """)

  @Argument(
    help: ArgumentHelp("A folder of `train --keep`, or with --store the start of a point's id.", valueName: "run"))
  var named: String?
  @Option(help: "Where the longer run ends.") var epochs: Int
  @Option(
    help: """
      End this many epochs after sustained grokking; without it the longer run does not stop early, and with --where \
      each stops as it did.
      """)
  var afterGrokking: Int?
  @Option(help: "Take the experiment of point RUN from this store.") var store: String?
  @Option(help: ArgumentHelp("With --store: keep the longer run in this folder.", valueName: "folder"))
  var keep: String?
  @Option(help: "Write the final weights here, as safetensors that TransformerLens can load.") var save: String?
  @Flag(help: "One JSON object per evaluation, and one for the result.") var json = false
  @Option(
    name: .customLong("where"),
    help: "Extend the store's points that fulfil an SQL condition on the view runs, or censored: that had not grokked.")
  var condition: String?
  @Option(help: "With --where: the longer sweep's name (default: SWEEP-extended-EPOCHS).") var name: String?
  @Option(help: "With --where: worker processes (default: one per core).") var workers: Int?
  @OptionGroup var keeping: KeepOptions
  @OptionGroup var connection: Connection

  func validate() throws {
    if condition != nil {
      guard named == nil else { throw ValidationError("name a run, or give --where, not both") }
      guard store != nil else { throw ValidationError("--where goes with --store, whose runs it looks at") }
      if keep != nil || save != nil || json {
        throw ValidationError("--keep, --save and --json go with a single run, not with --where")
      }
      if let word = keeping.words.first, connection.isGiven {
        throw ValidationError("\(word) is the coordinator's: start it with that")
      }
      try LocalJob.validate(workers: workers)
      return
    }
    guard let named else { throw ValidationError("name a folder of `train --keep` or a point, or give --where") }
    if name != nil || workers != nil || !keeping.words.isEmpty || connection.isGiven {
      throw ValidationError("--name, --workers, --keep-censored, --no-weights and --connect go with --where")
    }
    if named.isEmpty {
      throw ValidationError(
        "the run's name is empty; name a folder of `train --keep`, or with --store the start of a point's id")
    }
    if keep != nil && store == nil {
      throw ValidationError("--keep goes with --store; without it the longer run is kept where the shorter one was")
    }
  }

  func run() throws {
    if let condition, let store {
      return try ExtendedSweep(
        condition: condition, store: store, epochs: epochs, afterGrokking: afterGrokking, name: name,
        keep: keeping
      ).run(workers: workers, connection)
    }
    let named = named ?? ""
    if let save {
      try checkOutput(save)
      try refuseDatabase(save)
    }
    let local: LocalRun
    if let store {
      local = try fromStore(store, named)
    } else {
      local = try LocalRun(extending: named, to: epochs, afterGrokking: afterGrokking)
    }
    try local.finish(save: save, json: json)
  }

  /// The store's point with more epochs, from its start or from what --keep has of it.
  private func fromStore(_ path: String, _ named: String) throws -> LocalRun {
    guard FileManager.default.fileExists(atPath: path) else { throw Failure("\(path): no such store", .badInput) }
    let found = try point(named, in: Store(path: path, mode: .readOnly))
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

  private func point(_ named: String, in store: Store) throws -> ExtensiblePoint {
    do {
      return try store.extensiblePoint(startingWith: named)
    } catch let error as StoreError where error.kind == .unknown {
      throw Failure("\(error)", .badInput)
    }
  }
}
