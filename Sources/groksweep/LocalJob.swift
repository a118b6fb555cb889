// Sweeps run to their end on this machine: what `sweep` and `reproduce` have in common. Holds the store's lock, registers
// the sweeps, starts a coordinator and workers, shows how far they are, and hands the store over for the last word.

import ArgumentParser
import Cluster
import Foundation
import Logging
import Reports
import Results
import Sweeps

struct LocalJob {
  /// What it is called while it runs.
  let name: String
  let sweeps: [SweepFile]
  /// The store's path.
  let path: String
  /// Worker processes; nil: one per core.
  let workers: Int?
  /// Shown in the browser while it runs, or not.
  var dashboard: DashboardOptions?
  /// What is kept of runs beside their numbers; nil: as usual.
  var keep: KeepOptions?
  /// How its log looks; nil: as usual.
  var log: LogOptions?

  /// Of a sweep that grows, so many possible points get their names for the display at once.
  private static let namedPoints = 10_000

  /// Runs until every point is terminal or somebody says stop, then calls `conclude` while the store is still ours.
  ///
  /// - Parameter announce: called before anything starts, with the screen for remarks.
  func run(
    announce: (Store, [Registration], Screen) throws -> Void, conclude: (Store, CoordinatorEnd) throws -> Void
  ) throws {
    _ = try chosenKernels()
    let lock = try Store.lock(path: path, now: Date())
    defer { lock.release() }
    let store = try openStore(path, .create)
    try store.endOpenAttempts(reason: "the coordinator and its workers ended", at: Date())
    var settings: [PointID: String] = [:]
    let registrations = try sweeps.map { sweep in
      let points = Array(try store.points(of: sweep))
      for point in points { settings[point.id] = settings[point.id] ?? point.setting }
      if let plan = sweep.boundary, plan.gridCount <= Self.namedPoints {
        for point in plan.grid { settings[point.id] = settings[point.id] ?? point.setting }
      }
      return try store.register(SweepRegistration(sweep, points: points), at: Date())
    }
    let usual = Screen()
    let (screen, logger) = log?.start(usual: .warning) ?? (usual, Logger(onto: usual, from: .warning))
    try announce(store, registrations, screen)
    let dashboard = try dashboard?.start(store: path, screen: screen)
    defer { withExtendedLifetime(dashboard) {} }

    let interrupt = try Interrupt()
    interrupt.catchSignals()
    // The supervisor sees a process end at once, so the lease only has to catch a hung one: long enough for the slowest
    // epoch of the largest model.
    let scheduler = SchedulerConfiguration(
      leaseSeconds: 600, graceSeconds: 0, keepsCensored: keep?.keepCensored ?? false,
      keepsWeights: keep?.withoutWeights != true, selfTestDigest: SelfTest.digest)
    let local = LocalSweep(
      LocalSweep.Configuration(
        workers: workers ?? MachineLimits.here.allowedCores, executable: ownExecutable(),
        workerArguments: ["--quiet"] + (log?.arguments ?? []), scratch: scratchPath(besides: path), scheduler: scheduler
      ))
    let title = sweeps.contains { $0.boundary != nil } ? "\(name) (refining: more points come)" : name
    let display = SweepDisplay(sweep: title, settings: settings, screen: screen)
    let end = try local.run(
      store: store, sweeps: sweeps.map(\.name), interrupt: interrupt, logger: logger,
      onOverview: { display.show($0) })
    screen.clear()
    if keep?.keepCensored == true { tellEndedRuns(besides: path) }
    try conclude(store, end)
  }

  static func validate(workers: Int?) throws {
    if let workers, !(1...1024).contains(workers) {
      throw ValidationError("--workers \(workers): give a number from 1 to 1024")
    }
  }
}

/// The store at `path` for writing, with a word about it where that made it unreadable for older versions.
func openStore(_ path: String, _ mode: Store.Mode) throws -> Store {
  let store = try Store(path: path, mode: mode)
  if let schema = store.migratedFrom {
    Console.remark(
      "\(path): brought up to date, from schema \(schema) to \(Store.schemaVersion); "
        + "older versions of groksweep can no longer open it")
  }
  return store
}

/// Where a sweep's workers keep checkpoints and snapshots: beside its store.
func scratchPath(besides store: String) -> String {
  (store.hasSuffix(".sqlite") ? String(store.dropLast(7)) : store) + ".scratch"
}

/// Says what there is to go on from beside the store.
func tellEndedRuns(besides store: String) {
  let ended = EndedRuns(besides: store)
  let (runs, bytes) = ended.size
  guard runs > 0 else { return }
  let mebibytes = Wording.fixed(Double(bytes) / 1_048_576, digits: 1)
  Console.remark(
    "\(ended.root): how \(Wording.count(runs, "censored run")) ended, \(mebibytes) MiB; groksweep extend goes on from there"
  )
}

extension Registration {
  /// What applying a changed file did, for people; empty when it was the same.
  var changeLines: [String] {
    guard let change else { return [] }
    return ["\(sweep): its file was changed: \(change.words)"] + differences.map { "  \($0)" }
  }
}

extension SweepRegistration {
  /// - Parameter points: all of the file's, made once by the caller.
  init(_ file: SweepFile, points: [Point]) {
    self.init(
      name: file.name, canonical: file.canonical, fileText: file.storedText, axes: file.axes, points: points,
      differences: { file.differences(from: $0) })
  }
}
