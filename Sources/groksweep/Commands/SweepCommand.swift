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

  func validate() throws { try LocalJob.validate(workers: workers) }

  func run() throws {
    let sweep = try readSweepFile(file, overrides)
    let path = store ?? "\(sweep.name).sqlite"
    try LocalJob(name: sweep.name, sweeps: [sweep], path: path, workers: workers).run(
      announce: { _, registrations, screen in
        for registration in registrations { announce(registration, path, onto: screen) }
      },
      conclude: { results, end in try conclude(end, results, sweep: sweep.name, path: path) })
  }

  private func announce(_ registration: Registration, _ path: String, onto screen: Screen) {
    for line in registration.changeLines { screen.remark(line) }
    let total = Wording.count(registration.total, "point")
    if registration.finished + registration.failed == registration.total {
      screen.remark(
        "\(registration.sweep): all \(total) already finished in \(path)"
          + (registration.failed > 0 ? " (\(registration.failed) failed)" : ""))
    } else if registration.finished > 0 {
      screen.remark("\(registration.sweep): \(registration.finished) of \(total) already finished in \(path)")
    } else {
      screen.remark("\(registration.sweep): \(total), results in \(path)")
    }
  }

  /// Tables to stdout, the way on to stderr, and the exit code.
  private func conclude(_ end: CoordinatorEnd, _ results: Store, sweep: String, path: String) throws {
    let page = try StatusPage(sweep, in: results)
    Console.print(page.text)
    if end.interruptedBy != nil {
      Console.remark("Interrupted; nothing is lost. Go on with: groksweep sweep \(resumeArguments(path: path))")
      throw ExitStatus.interrupted.thrown
    }
    if page.progress.failed > 0 || page.progress.finished < page.progress.total { throw ExitStatus.failed.thrown }
  }

  /// The arguments of the same command.
  private func resumeArguments(path: String) -> String {
    var words = [file]
    if store != nil { words += ["--store", path] }
    if let workers { words += ["--workers", "\(workers)"] }
    for value in overrides.values { words += ["--set", value] }
    return shellQuoted(words)
  }
}
