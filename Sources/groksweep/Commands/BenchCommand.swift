// `groksweep bench`: what this machine can do, measured by the build that will do it.

import ArgumentParser
import Cluster
import Foundation
import Reports

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure this machine.",
    subcommands: [BenchEngineCommand.self, BenchCoordinationCommand.self])
}

struct BenchEngineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engine",
    abstract: "Measure how fast one core trains, and what share of its peak that is.",
    discussion: """
      Milliseconds per epoch of the paper's shape and of others, beside the peak of fused multiply-adds that the same \
      run measures; the paper's epoch by phase; evaluations; two copies at once; memory. Medians of interleaved \
      rounds. Run it on a machine that does nothing else.

        groksweep bench engine --json > engine.json
        GROKSWEEP_KERNELS=avx2 groksweep bench engine --shape p59 --shape p401
      """)

  @Flag(help: "One JSON object.") var json = false
  @Option(help: "How long to measure, roughly.") var seconds = 40.0
  @Option(
    help: ArgumentHelp("Measure this shape besides the paper's; may be repeated (default: all).", valueName: "name"))
  var shape: [BenchShape] = []
  @Flag(help: ArgumentHelp("Train the paper's shape and print how much memory it took.", visibility: .private))
  var onlyMemory = false

  func validate() throws {
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds \(seconds): give a number above 0, at most a day")
    }
  }

  func run() throws {
    let kernels = try chosenKernels()
    if onlyMemory {
      if let bytes = try ResidentMemory.afterRun(kernels: kernels) { Console.print("\(bytes)") }
      return
    }
    let bench = EngineBench(
      kernels: kernels, seconds: seconds, shapes: shape.isEmpty ? BenchShape.allCases : shape
    ) { words in
      if Console.isLive { Console.draw("\r\u{1B}[K" + words) }
    }
    let report = try bench.run()
    if Console.isLive { Console.draw("\r\u{1B}[K") }
    Console.print(json ? try jsonLine(report) : report.page)
  }
}

struct BenchCoordinationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coordination",
    abstract: "Measure what handing out points costs.",
    discussion: """
      A real coordinator on a store of a million points in a temporary folder, and up to 1,000 connected workers that \
      return at once: points per second with durable commits, the coordinator's processor time, what reports of \
      progress cost, and how long a store of that size takes to register, to start on and to ask. Run it on a machine \
      that does nothing else; it takes about a minute and a gigabyte of disk.

        groksweep bench coordination --json > coordination.json
        groksweep bench coordination --folder /mnt/data
      """)

  @Flag(help: "One JSON object.") var json = false
  @Option(help: "Points in the store.") var points = 1_000_000
  @Option(help: "Seconds of each round.") var seconds = 2.0
  @Option(help: ArgumentHelp("Connected workers; may be repeated (default: 1, 10, 100, 1000).", valueName: "number"))
  var workers: [Int] = []
  @Option(help: "Where the temporary folder is made: its disk is the one measured (default: $TMPDIR).")
  var folder: String?

  func validate() throws {
    guard (1000...1_000_000).contains(points) else {
      throw ValidationError("--points \(points): give a number from 1000 to 1000000")
    }
    guard seconds > 0, seconds <= 3600 else {
      throw ValidationError("--seconds \(seconds): give a number above 0, at most an hour")
    }
    for count in workers where !(1...10_000).contains(count) {
      throw ValidationError("--workers \(count): give a number from 1 to 10000")
    }
  }

  func run() throws {
    let interrupt = try Interrupt()
    interrupt.catchSignals()
    let counts = workers.isEmpty ? CoordinationBench.workerCounts : Array(Set(workers)).sorted()
    let folder = folder ?? FileManager.default.temporaryDirectory.path
    let bench = CoordinationBench(
      points: points, seconds: seconds, workers: counts, folder: folder, interrupt: interrupt
    ) { words in
      if Console.isLive { Console.draw("\r\u{1B}[K" + words) }
    }
    let report = try bench.run()
    if Console.isLive { Console.draw("\r\u{1B}[K") }
    Console.print(json ? try jsonLine(report) : report.page)
  }
}
