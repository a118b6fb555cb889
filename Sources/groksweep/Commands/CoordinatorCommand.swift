// `groksweep coordinator`: hands out the points of a store to whatever workers connect.

import ArgumentParser
import Cluster
import Foundation
import Logging
import Reports
import Results
import Sweeps

struct CoordinatorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coordinator",
    abstract: "Hand out points to workers that connect.",
    discussion: """
      Registers the points of the files (and takes up what the store still has to do), then listens. Workers may come \
      and go; a coordinator that was stopped or killed takes up where it was. An address that other machines can reach \
      needs keys: make one for each machine, or one for all, with groksweep keys new.

        groksweep coordinator configs/weight-decay.yaml --store wd.sqlite --bind tcp://127.0.0.1:5555
        groksweep coordinator configs/weight-decay.yaml --store wd.sqlite --bind tcp://0.0.0.0:5555 --keys wd.keys
      """)

  @Argument(help: "Sweep files.") var files: [String] = []
  @OptionGroup var overrides: Overrides
  @Option(help: "The results store; it is made when it does not exist.") var store: String
  @Option(help: "Where to listen, as in tcp://127.0.0.1:5555 (port 0: a free one).") var bind: String
  @Option(help: "Let in only holders of the keys in this folder (see groksweep keys), encrypted.") var keys: String?
  @Flag(help: "Listen without keys where others can reach it: they may read and change everything.") var insecure =
    false
  @Flag(help: "End when every point has a result or has failed for good.") var exitWhenDone = false
  @Option(help: "Seconds without progress after which a worker's point is given to another.")
  var leaseSeconds: Double = 60

  @Option(help: "Seconds between two checkpoints that a worker hands over, so that another machine can go on; 0: none.")
  var checkpointSeconds: Double = 30
  @OptionGroup var dashboard: DashboardOptions
  @OptionGroup var keep: KeepOptions
  @Option(help: "Give its numbers to Prometheus there, as in 127.0.0.1:9464 (port 0: a free one).") var metrics: String?
  @Flag(help: "Give them also where others can reach the address: they may read along.") var metricsOpen = false
  @OptionGroup var log: LogOptions

  func validate() throws {
    if keys != nil && insecure { throw ValidationError("give --keys or --insecure, not both") }
    guard leaseSeconds >= 1, leaseSeconds <= 86_400 else {
      throw ValidationError("--lease-seconds \(leaseSeconds): give seconds from 1 to 86400")
    }
    guard checkpointSeconds == 0 || (1...86_400).contains(checkpointSeconds) else {
      throw ValidationError("--checkpoint-seconds \(checkpointSeconds): give seconds from 1 to 86400, or 0 for none")
    }
  }

  func run() throws {
    // First: from here on errors have its format too.
    let (screen, logger) = log.start(usual: .info)
    try EndpointPolicy.check(bind, .listening, keys != nil ? .keys : insecure ? .insecure : .nothing)
    let sweeps = try files.map { try readSweepFile($0, overrides) }
    for (place, sweep) in sweeps.enumerated() where sweeps[..<place].contains(where: { $0.name == sweep.name }) {
      throw Failure("two files are named \"\(sweep.name)\"; give one another name (sweep: …)", .badInput)
    }
    if files.isEmpty && exitWhenDone && !FileManager.default.fileExists(atPath: store) {
      throw Failure("\(store): no such store, and no sweep file to start one with", .badInput)
    }
    let interrupt = try Interrupt()
    interrupt.catchSignals()
    let lock = try Store.lock(path: store, now: Date())
    defer { lock.release() }
    FileLimit.raise()
    let ring = try keys.map { try Keys(KeyFolder(path: $0), logger: logger) }
    let listener = try CoordinatorShell.listen(on: bind, keys: ring, isInsecure: insecure, logger: logger)
    let meter = try metrics.map { try MetricsServer(at: $0, isOpen: metricsOpen) }
    if let meter { screen.remark("metrics at \(meter.address)") }
    let results = try openStore(store, .create)
    for sweep in sweeps {
      let points = Array(try results.points(of: sweep))
      let registration = try results.register(SweepRegistration(sweep, points: points), at: Date())
      for line in registration.changeLines { screen.remark(line) }
      screen.remark(
        "\(sweep.name): \(registration.finished) of \(Wording.count(registration.total, "point")) finished")
      let state = try results.sweepProgress(of: sweep.name).state
      if state != .active {
        screen.remark("\(sweep.name): stays \(state.rawValue) until groksweep resume \(ShellWords.quoted(sweep.name))")
      }
    }
    let configuration = CoordinatorShell.Configuration(
      endpoint: bind,
      scheduler: SchedulerConfiguration(
        leaseSeconds: leaseSeconds,
        // A worker that leaves hands its checkpoint over before its point.
        leaveSeconds: checkpointSeconds > 0 ? 35 : 10, exitWhenDone: exitWhenDone,
        checkpointSeconds: checkpointSeconds > 0 ? checkpointSeconds : nil, keepsCensored: keep.keepCensored,
        keepsWeights: !keep.withoutWeights, selfTestDigest: SelfTest.digest))
    let shell = try CoordinatorShell(
      store: results, sweeps: nil, configuration, listener: listener, interrupt: interrupt, logger: logger)
    let join = keys == nil ? "" : " --join FILE (groksweep keys new makes it)"
    // Nobody connects to everywhere.
    let address = shell.endpoint.replacing(/^tcp:\/\/(0\.0\.0\.0|\*|\[::\]):/, with: "tcp://HOST:")
    screen.remark(
      "listening on \(shell.endpoint); add workers with: groksweep worker --connect \(address)\(join)")
    if try results.sweepNames().isEmpty {
      screen.remark("no sweep yet; bring one with: groksweep submit FILE --connect \(address)")
    }
    let dashboard = try dashboard.start(store: store, screen: screen)
    defer { withExtendedLifetime(dashboard) {} }
    let display = SweepDisplay(sweep: "all sweeps", settings: [:], screen: screen)
    shell.onOverview = { display.show($0) }
    if let meter { shell.onCounts = { meter.publish($0, $1) } }
    let end = try shell.run()
    screen.clear()
    if keep.keepCensored { tellEndedRuns(besides: store) }
    let summary = try results.summary()
    Console.remark(
      "\(store): \(summary.finished) of \(Wording.count(summary.points, "point")) finished"
        + (summary.failed > 0 ? ", \(summary.failed) failed" : "")
        + (end.interruptedBy != nil ? "; the same command goes on from here" : ""))
    if end.interruptedBy == SIGINT { throw ExitStatus.interrupted.thrown }
    if end.interruptedBy == nil && summary.failed > 0 { throw ExitStatus.failed.thrown }
  }
}
