// `groksweep worker`: takes points from a coordinator, trains and analyses them, hands in results.

import ArgumentParser
import Cluster
import Foundation
import Logging

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract: "Work for a coordinator.",
    discussion: """
      Keeps one worker process per slot; a slot trains one point at a time on one core. Ctrl-C or SIGTERM: each \
      checkpoints, hands its point back and leaves. Without a coordinator it keeps trying; results wait on disk.

        groksweep worker --connect tcp://127.0.0.1:5555 --slots 4
      """)

  @Option(help: "The coordinator's address, as it printed it.") var connect: String
  @Option(help: "Worker processes to keep (default: one per core).") var slots: Int?
  @Option(help: "Folder for checkpoints, snapshots and results without a receipt (default: in ~/.cache/groksweep).")
  var scratch: String?
  @Option(help: ArgumentHelp("Leave when this process is no longer the parent.", visibility: .hidden))
  var exitWithParent: Int32?
  @Flag(help: "Say only warnings and errors.") var quiet = false

  func validate() throws {
    if let slots, !(1...1024).contains(slots) {
      throw ValidationError("--slots \(slots): give a number from 1 to 1024")
    }
  }

  func run() throws {
    try EndpointPolicy.check(connect, isConnecting: true)
    let kernels = try chosenKernels()
    let interrupt = try Interrupt()
    interrupt.catchSignals()
    let logger = Logger(onto: Screen(isLive: false), from: quiet ? .warning : .info)
    let scratch = scratch ?? WorkerShell.defaultScratch
    let slots = slots ?? ProcessInfo.processInfo.activeProcessorCount
    if slots == 1 {
      let shell = try WorkerShell(
        WorkerShell.Configuration(
          endpoint: connect, scratch: scratch,
          identity: .ofThisProcess(kernels: kernels, build: Build.version), kernels: kernels, parent: exitWithParent),
        interrupt: interrupt, logger: logger)
      let end = shell.run()
      if let reason = end.reason, end.code != 0 || !quiet { Console.complain(reason) }
      throw ExitCode(end.code)
    }
    var arguments = ["worker", "--connect", connect, "--slots", "1", "--scratch", scratch]
    arguments += ["--exit-with-parent", "\(getpid())"]
    if quiet { arguments.append("--quiet") }
    let workers = LocalWorkers(count: slots, executable: ownExecutable(), arguments: arguments, logger: logger)
    throw ExitCode(try workers.run(interrupt: interrupt))
  }
}
