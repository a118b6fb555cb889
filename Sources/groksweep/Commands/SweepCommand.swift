// `groksweep sweep`: the main job on one machine. A coordinator and N worker processes, until every point is terminal.

import ArgumentParser
import Cluster
import Reports
import Results
import Sweeps

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Run a sweep file on this machine.",
    discussion: """
      Starts a coordinator and worker processes here and ends when every point has a result or has failed for good. \
      Running it again continues: finished points are never run again, interrupted ones go on from their checkpoint.

        groksweep sweep configs/quickstart.yaml
        sqlite3 quickstart.sqlite "SELECT * FROM grokking_times"
      """)

  @Argument(help: "A sweep file.") var file: String
  @OptionGroup var overrides: Overrides
  @Option(help: "The results store (default: the sweep's name with .sqlite, here).") var store: String?
  @Option(help: "Worker processes (default: one per core).") var workers: Int?
  @OptionGroup var dashboard: DashboardOptions
  @OptionGroup var keep: KeepOptions
  @OptionGroup var log: LogOptions

  func validate() throws { try LocalJob.validate(workers: workers) }

  func run() throws {
    log.begin()
    let sweep = try readSweepFile(file, overrides)
    let path = store ?? "\(sweep.name).sqlite"
    try LocalJob(
      name: sweep.name, sweeps: [sweep], path: path, workers: workers, dashboard: dashboard,
      keep: keep, log: log
    ).run(
      announce: { _, registrations, screen in
        for registration in registrations { registration.announce(path, onto: screen) }
      },
      conclude: { results, end in
        try end.conclude(sweep.name, in: results, again: "groksweep sweep \(resumeArguments(path: path))")
      })
  }

  /// The arguments of the same command.
  private func resumeArguments(path: String) -> String {
    var words = [file]
    if store != nil { words += ["--store", path] }
    if let workers { words += ["--workers", "\(workers)"] }
    if let address = dashboard.address { words += ["--dashboard", address] }
    words += keep.words
    for value in overrides.values { words += ["--set", value] }
    return ShellWords.line(words)
  }
}

extension Registration {
  /// What a sweep's command says before it starts.
  func announce(_ path: String, onto screen: Screen) {
    for line in changeLines { screen.remark(line) }
    let points = Wording.count(total, "point")
    if finished + failed == total {
      screen.remark("\(sweep): all \(points) already finished in \(path)" + (failed > 0 ? " (\(failed) failed)" : ""))
    } else if finished > 0 {
      screen.remark("\(sweep): \(finished) of \(points) already finished in \(path)")
    } else {
      screen.remark("\(sweep): \(points), results in \(path)")
    }
  }
}

extension CoordinatorEnd {
  /// Tables to stdout, the way on to stderr, and the exit code.
  func conclude(_ sweep: String, in store: Store, again command: String) throws {
    let page = try StatusPage(sweep, in: store)
    Console.print(page.text)
    if interruptedBy != nil {
      Console.remark("Interrupted; nothing is lost. Go on with: \(command)")
      throw ExitStatus.interrupted.thrown
    }
    if page.progress.failed > 0 || page.progress.finished < page.progress.total { throw ExitStatus.failed.thrown }
  }
}
