// `groksweep worker`: takes points from a coordinator, trains and analyses them, hands in results.

import ArgumentParser
import Cluster
import Foundation
import Kernels
import Logging
import Sweeps

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract: "Work for a coordinator.",
    discussion: """
      Keeps one worker process per slot; a slot trains one point at a time on one core. Ctrl-C or SIGTERM, or the end \
      of --deadline: each checkpoints, hands its checkpoint and its point over and leaves; a second signal: at once. A \
      process that dies is replaced. Without a coordinator it keeps trying; results wait on disk.

        groksweep worker --connect tcp://127.0.0.1:5555 --slots 4
        groksweep worker --connect tcp://coordinator.example.org:5555 --join lab2.join
      """)

  @Option(help: "The coordinator's address, as it printed it (default: the join file's).") var connect: String?
  @Option(help: "The join file that lets this machine in; made with groksweep keys new.") var join: String?
  @Flag(help: "Work for another machine's coordinator without keys, unencrypted.") var insecure = false
  @Option(help: "Worker processes to keep (default: one per core that this process may use).") var slots: Int?
  @Option(help: "Folder for checkpoints, snapshots and results without a receipt (default: in ~/.cache/groksweep).")
  var scratch: String?
  @Option(
    help: "Be gone after this time: 8h, 90m, 3600s, 2d, or seconds; points are handed back before.",
    transform: parseSeconds)
  var deadline: Double?
  @Option(help: "Seconds between two checkpoints of a run.") var checkpointSeconds = 30.0
  // What a supervisor tells its worker processes.
  @Option(help: ArgumentHelp("Be one worker process, until this is no longer its parent.", visibility: .hidden))
  var exitWithParent: Int32?
  @Option(help: ArgumentHelp("The process' name for this life.", visibility: .hidden)) var boot: String?
  @Option(help: ArgumentHelp("That of the process before it.", visibility: .hidden)) var predecessorBoot: String?
  @Option(help: ArgumentHelp("How that one ended.", visibility: .hidden)) var predecessorEnding: String?
  @Option(help: ArgumentHelp("An open file to tell the supervisor with.", visibility: .hidden))
  var supervisorPipe: Int32?
  @Flag(help: ArgumentHelp("Leave what holds for all processes of the supervisor to another.", visibility: .hidden))
  var othersSpeak = false
  @Flag(help: "Say only warnings and errors.") var quiet = false
  @OptionGroup var log: LogOptions

  func validate() throws {
    if join != nil && insecure { throw ValidationError("give --join or --insecure, not both") }
    if let slots, !(1...1024).contains(slots) {
      throw ValidationError("--slots \(slots): give a number from 1 to 1024")
    }
    if !(0.1...86_400).contains(checkpointSeconds) {
      throw ValidationError("--checkpoint-seconds \(checkpointSeconds): give a number from 0.1 to 86400")
    }
  }

  func run() throws {
    // First: from here on errors have its format too.
    let (_, logger) = log.start(usual: quiet ? .warning : .info, isLive: false)
    let joining = try join.map { path throws(KeyFileError) in try JoinFile(path: path) }
    if let joining, joining.role != .worker {
      throw Failure(
        "\(join!): is of a key of \(joining.role.title); a worker needs a key of a worker", .notAllowed)
    }
    guard let connect = connect ?? joining?.address else {
      throw Failure(
        "say where the coordinator is: --connect tcp://HOST:PORT, or --join with a file that says it", .usage)
    }
    try EndpointPolicy.check(connect, .connecting, joining != nil ? .keys : insecure ? .insecure : .nothing)
    let kernels = try chosenKernels()
    let interrupt = try Interrupt()
    let scratch = scratch ?? WorkerShell.defaultScratch
    if let exitWithParent {
      // Whoever ends a whole allocation at once (Slurm, a container's host) signals this process and its supervisor, which
      // passes it on: that is still one wish. What is urgent, the supervisor does with SIGKILL.
      interrupt.catchSignals(secondExits: false)
      var configuration = try ofThisProcess(connect, kernels, scratch: scratch, parent: exitWithParent, logger)
      configuration.join = joining
      configuration.isInsecure = insecure
      configuration.isSpokesman = !othersSpeak
      let end = try WorkerShell(configuration, interrupt: interrupt, logger: logger).run()
      // Who is not let in is so in every slot.
      let isSaid = othersSpeak && end.code == ExitStatus.notAllowed.rawValue
      if let reason = end.reason, end.code != 0 || !quiet, !isSaid { Console.complain(reason) }
      throw ExitCode(end.code)
    }
    // Told once, instead of by every process again and again.
    _ = try ScratchFolder(root: scratch)
    // The second signal has children to end first.
    interrupt.catchSignals(secondExits: false)
    let limits = MachineLimits.here
    if slots == nil, let reason = limits.coresReason { logger.info("\(reason); --slots says otherwise") }
    let workers = LocalWorkers(
      count: slots ?? limits.allowedCores, executable: ownExecutable(), secondsLeft: deadline,
      logger: logger
    ) { start in
      ["worker", "--connect", connect, "--scratch", scratch, "--checkpoint-seconds", "\(checkpointSeconds)"]
        + start.options + (join.map { ["--join", $0] } ?? []) + (insecure ? ["--insecure"] : [])
        + (quiet ? ["--quiet"] : []) + log.arguments
    }
    throw ExitCode(try workers.run(interrupt: interrupt))
  }

  /// One worker process: this one, after its self-test.
  private func ofThisProcess(
    _ endpoint: String, _ kernels: KernelPath, scratch: String, parent: Int32, _ logger: Logger
  ) throws -> WorkerShell.Configuration {
    let identity = WorkerIdentity.ofThisProcess(kernels: kernels, build: Build.version, boot: boot)
    let selfTest = try SelfTest.run(kernels)
    if selfTest != SelfTest.digest {
      logger.error(
        "the self-test gave digest \(selfTest) instead of \(SelfTest.digest): this machine or build computes wrongly")
    }
    var predecessor: Predecessor?
    if let predecessorBoot, let predecessorEnding {
      predecessor = Predecessor(boot: predecessorBoot, ending: predecessorEnding)
    }
    return WorkerShell.Configuration(
      endpoint: endpoint, scratch: scratch, identity: identity, kernels: kernels, parent: parent,
      session: SessionConfiguration(
        identity: identity, lifetimeSeconds: deadline, predecessor: predecessor, selfTest: selfTest),
      checkpointSeconds: checkpointSeconds, supervisor: supervisorPipe.flatMap { SupervisorPipe(descriptor: $0) })
  }
}

/// A time as people write it: `8h`, `90m`, `3600s`, `2d`, or plain seconds.
private func parseSeconds(_ text: String) throws -> Double {
  let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
  let unit = text.last.flatMap { units[$0] }
  let digits = unit == nil ? text[...] : text.dropLast()
  guard let first = digits.first, first.isNumber, digits.allSatisfy({ $0.isNumber || $0 == "." }),
    let number = Double(digits), (0.001...86_400 * 366).contains(number * (unit ?? 1))
  else {
    throw ValidationError(
      "\"\(text)\" is no time from now: write 8h, 90m, 3600s, 2d or a number of seconds, at most a year")
  }
  return number * (unit ?? 1)
}
