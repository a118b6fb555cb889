// `groksweep bench`: what this machine can do, measured by the build that will do it.

import ArgumentParser
import Reports

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure this machine.", subcommands: [BenchEngineCommand.self])
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
