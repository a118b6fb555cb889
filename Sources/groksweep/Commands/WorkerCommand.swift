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
        groksweep worker --connect tcp://coordinator.example.org:5555 --join lab2.join
      """)

  @Option(help: "The coordinator's address, as it printed it (default: the join file's).") var connect: String?
  @Option(help: "The join file that lets this machine in; made with groksweep keys new.") var join: String?
  @Flag(help: "Work for another machine's coordinator without keys, unencrypted.") var insecure = false
  @Option(help: "Worker processes to keep (default: one per core).") var slots: Int?
  @Option(help: "Folder for checkpoints, snapshots and results without a receipt (default: in ~/.cache/groksweep).")
  var scratch: String?
  @Option(help: ArgumentHelp("Leave when this process is no longer the parent.", visibility: .hidden))
  var exitWithParent: Int32?
  @Flag(help: "Say only warnings and errors.") var quiet = false

  func validate() throws {
    if join != nil && insecure { throw ValidationError("give --join or --insecure, not both") }
    if let slots, !(1...1024).contains(slots) {
      throw ValidationError("--slots \(slots): give a number from 1 to 1024")
    }
  }

  func run() throws {
    let joining = try join.map { path throws(KeyFileError) in try JoinFile(path: path) }
    if let joining, joining.role != .worker {
      throw Failure(
        "\(join!): is of a key of a \(joining.role.rawValue); a worker needs a key of a worker", .notAllowed)
    }
    guard let connect = connect ?? joining?.address else {
      throw Failure("say where the coordinator is: --connect tcp://HOST:PORT", .usage)
    }
    try EndpointPolicy.check(connect, .connecting, joining != nil ? .keys : insecure ? .insecure : .nothing)
    let kernels = try chosenKernels()
    let interrupt = try Interrupt()
    interrupt.catchSignals()
    let logger = Logger(onto: Screen(isLive: false), from: quiet ? .warning : .info)
    let scratch = scratch ?? WorkerShell.defaultScratch
    let slots = slots ?? ProcessInfo.processInfo.activeProcessorCount
    if slots == 1 {
      var configuration = WorkerShell.Configuration(
        endpoint: connect, scratch: scratch, identity: .ofThisProcess(kernels: kernels, build: Build.version),
        kernels: kernels, parent: exitWithParent)
      configuration.join = joining
      configuration.isInsecure = insecure
      let shell = try WorkerShell(configuration, interrupt: interrupt, logger: logger)
      let end = shell.run()
      if let reason = end.reason, end.code != 0 || !quiet { Console.complain(reason) }
      throw ExitCode(end.code)
    }
    var arguments = ["worker", "--connect", connect, "--slots", "1", "--scratch", scratch]
    arguments += ["--exit-with-parent", "\(getpid())"]
    if let join { arguments += ["--join", join] }
    if insecure { arguments.append("--insecure") }
    if quiet { arguments.append("--quiet") }
    let workers = LocalWorkers(count: slots, executable: ownExecutable(), arguments: arguments, logger: logger)
    throw ExitCode(try workers.run(interrupt: interrupt))
  }
}
