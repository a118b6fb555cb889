// `groksweep sweep`: the main job on one machine. A coordinator and N worker processes, until every point is terminal.

import ArgumentParser
import Cluster
import Foundation
import Logging
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

  func validate() throws {
    if let workers, !(1...1024).contains(workers) {
      throw ValidationError("--workers \(workers): give a number from 1 to 1024")
    }
  }

  func run() throws {
    let sweep = try readSweepFile(file, overrides)
    _ = try chosenKernels()
    let path = store ?? "\(sweep.name).sqlite"
    let lock = try Store.lock(path: path, now: Date())
    defer { lock.release() }
    let results = try Store(path: path, mode: .create)
    let points = Array(sweep.points)
    let registration = try results.register(SweepRegistration(sweep, points: points), at: Date())
    let screen = Screen()
    announce(registration, path, onto: screen)

    let interrupt = try Interrupt()
    interrupt.catchSignals()
    // The supervisor sees a process end at once, so the lease only has to catch a hung one: long enough for the slowest
    // epoch of the largest model.
    let scheduler = SchedulerConfiguration(leaseSeconds: 600, graceSeconds: 0)
    let local = LocalSweep(
      LocalSweep.Configuration(
        workers: workers ?? ProcessInfo.processInfo.activeProcessorCount, executable: ownExecutable(),
        workerArguments: ["--quiet"], scratch: scratchPath(besides: path),
        scheduler: scheduler))
    let settings = Dictionary(points.map { ($0.id, $0.setting) }, uniquingKeysWith: { first, _ in first })
    let display = SweepDisplay(sweep: sweep.name, settings: settings, screen: screen)
    let end = try local.run(
      store: results, sweeps: [sweep.name], interrupt: interrupt, logger: Logger(onto: screen, from: .warning),
      onOverview: { display.show($0) })
    screen.clear()
    try conclude(end, results, sweep: sweep.name, path: path)
  }

  private func announce(_ registration: Registration, _ path: String, onto screen: Screen) {
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
    return words.map(shellQuoted).joined(separator: " ")
  }
}

/// Where a sweep's workers keep checkpoints and snapshots: beside its store.
func scratchPath(besides store: String) -> String {
  (store.hasSuffix(".sqlite") ? String(store.dropLast(7)) : store) + ".scratch"
}

/// `word` as a shell reads it back.
func shellQuoted(_ word: String) -> String {
  let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "._-/=:,+@".contains($0) }
  return plain && !word.isEmpty ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
}

extension SweepRegistration {
  /// - Parameter points: all of the file's, made once by the caller.
  init(_ file: SweepFile, points: [Point]) {
    self.init(
      name: file.name, canonical: file.canonical, fileText: file.text, axes: file.axes, points: points,
      differences: { file.differences(from: $0) })
  }
}
