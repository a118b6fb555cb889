// `bench coordination`: what handing out points costs, with workers that have nothing to do.
//
// The coordinator is a process of its own, the very one that `groksweep coordinator` is, on a store in a temporary
// folder; the workers are a `WorkerFleet` in this process, over TCP. Every result is on disk before its receipt counts.

import Cluster
import Foundation
import Grokking
import Kernels
import Reports
import Results
import Sweeps

struct CoordinationBench {
  static let workerCounts = [1, 10, 100, 1000]
  private static let rounds = 3
  private static let statusCalls = 5

  /// Points in the store.
  let points: Int
  /// Of each round.
  let seconds: Double
  /// How many workers at once, ascending.
  let workers: [Int]
  /// Where the temporary folder is made.
  let folder: String
  let interrupt: Interrupt
  let progress: (String) -> Void

  func run() throws -> CoordinationBenchReport {
    // A worker has a socket and what libzmq needs for it: three open files here, one at the coordinator, which inherits
    // the limit.
    _ = FileLimit.raise()
    let place = folder + "/groksweep-bench-\(getpid())"
    do {
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
    } catch {
      throw Failure("\(folder): no folder can be made here; name another with --folder", .badInput)
    }
    defer { try? FileManager.default.removeItem(atPath: place) }
    let load = loadAverage()
    progress("the disk")
    let disk = try DiskSpeed(in: place)
    let (file, store) = (place + "/coordination.yaml", place + "/coordination.sqlite")
    try writeOutput(Array(sweepText.utf8), to: file)
    let sweep = try readSweepFile(file)
    let result = try readyResult(of: sweep)

    progress("registering \(Wording.grouped(sweep.points.count)) points")
    let first = try CoordinatorProcess(["--store", store, file], in: place)
    defer { first.end() }
    let registered = try first.seconds(until: "coordination: 0 of", interrupt)
    _ = try first.endpoint(interrupt)
    let registrationBytes = first.usage.peakResidentBytes
    first.end()

    progress("starting on them")
    let coordinator = try CoordinatorProcess(["--store", store], in: place)
    defer { coordinator.end() }
    let endpoint = try coordinator.endpoint(interrupt)
    let started = try coordinator.seconds(until: "listening on", interrupt)
    let rates = try workers.map { count in
      progress(Wording.count(count, "worker"))
      return try rate(of: count, coordinator, endpoint, result)
    }
    progress("\(workers.last!) workers that report every second")
    let heartbeat = try heartbeat(of: workers.last!, coordinator, endpoint, result)
    progress("status")
    let (command, query) = try statusSeconds(store)
    let bytes = coordinator.usage.peakResidentBytes
    coordinator.end()

    let identity = WorkerIdentity.ofThisProcess(kernels: try chosenKernels(), build: Build.version)
    return CoordinationBenchReport(
      build: identity.build, cpu: identity.cpu, cores: identity.cores, loadAverageBefore: load,
      fileSystem: disk.fileSystem, msPerSync: 1000 * disk.secondsPerSync, rounds: Self.rounds, secondsPerRound: seconds,
      evaluationsPerResult: result.evaluations.count, rates: rates, heartbeat: heartbeat,
      store: CoordinationBenchReport.LargeStore(
        points: sweep.points.count, registrationSeconds: registered, startSeconds: started,
        statusMs: 1000 * command, statusQueryMs: 1000 * query, peakResidentBytes: bytes,
        registrationPeakResidentBytes: registrationBytes))
  }

  /// A thousand settings where there are enough points, so that tables by setting are as long as they get.
  private var sweepText: String {
    let settings = max(1, points / 1000)
    return """
      sweep: coordination
      task: {modulus: 3, train_fraction: 0.5}
      model: {d_model: 4, heads: 1, d_mlp: 1}
      training: {epochs: 1}
      measure: {evaluate_every: 1}
      axes:
        training.weight_decay: {from: 0.001, to: \(ExactThousandths(settings)), step: 0.001}
        seed: {count: \(max(1, points / settings))}
      """
  }

  /// What an engine that returns at once has to say: that one epoch changed nothing, one evaluation with every measure
  /// that the store demands, and the digest of the weights. The numbers are those of a real run, the smallest that there
  /// is; that other points would have others is nobody's concern here.
  private func readyResult(of sweep: SweepFile) throws -> RunResult {
    let run = try Run(sweep.points[0].experiment, kernels: try chosenKernels(), snapshots: .inMemory())
    while !run.isFinished { try run.advance() }
    let real = try run.result()
    let last = real.evaluations.last!
    return RunResult(
      outcome: .unfit(censoredAfter: real.epochs), epochs: real.epochs,
      evaluations: [
        Evaluation(
          epoch: last.epoch, trainLoss: last.trainLoss, testLoss: last.testLoss, trainAccuracy: last.trainAccuracy,
          testAccuracy: last.testAccuracy, giniW_E: last.giniW_E, giniW_L: last.giniW_L,
          sumSquaredWeights: last.sumSquaredWeights)
      ], keyFrequencies: [], digests: real.digests.suffix(1), kernelPath: real.kernelPath)
  }

  private func rate(
    of count: Int, _ coordinator: CoordinatorProcess, _ endpoint: String, _ result: RunResult
  ) throws -> CoordinationBenchReport.Rate {
    let fleet = WorkerFleet(workers: count, endpoint: endpoint, result: result)
    defer { fleet.stop() }
    try wait(fleet, coordinator, for: "\(count) workers to join") {
      fleet.welcomedWorkers == count && fleet.receipts > 0
    }
    try pause(seconds / 4, fleet, coordinator)
    var (perPoint, cpu) = (Rounds(), Rounds())
    for _ in 0..<Self.rounds {
      let (points, used) = (fleet.receipts, coordinator.usage.cpuSeconds ?? 0)
      var lap = Stopwatch.Lap()
      try pause(seconds, fleet, coordinator)
      let done = fleet.receipts - points
      guard done > 0 else {
        throw Failure(
          "no point was done within \(seconds) s; measure longer (--seconds) or more points (--points)", .failed)
      }
      perPoint.append(lap.seconds() / Double(done))
      cpu.append(((coordinator.usage.cpuSeconds ?? used) - used) / Double(done))
    }
    return CoordinationBenchReport.Rate(
      workers: count, usPerPoint: 1e6 * perPoint.median, coordinatorCPUUsPerPoint: 1e6 * cpu.median)
  }

  private func heartbeat(
    of count: Int, _ coordinator: CoordinatorProcess, _ endpoint: String, _ result: RunResult
  ) throws -> CoordinationBenchReport.Heartbeat {
    let fleet = WorkerFleet(workers: count, endpoint: endpoint, result: result, .hold)
    defer { fleet.stop() }
    try wait(fleet, coordinator, for: "\(count) workers to hold a point") { fleet.heldPoints == count }
    try pause(1, fleet, coordinator)
    var share = Rounds()
    for _ in 0..<Self.rounds {
      let used = coordinator.usage.cpuSeconds ?? 0
      var lap = Stopwatch.Lap()
      try pause(max(seconds, 0.5), fleet, coordinator)
      share.append(((coordinator.usage.cpuSeconds ?? used) - used) / lap.seconds())
    }
    return CoordinationBenchReport.Heartbeat(workers: count, shareOfCore: share.median)
  }

  /// Of the whole command, and of what it reads and lays out.
  private func statusSeconds(_ path: String) throws -> (command: Double, query: Double) {
    var (command, query) = (Rounds(), Rounds())
    for _ in 0..<Self.statusCalls {
      command.append(try TimedCommand.seconds(["status", "--store", path]))
    }
    let store = try Store(path: path, mode: .readOnly)
    for _ in 0..<Self.statusCalls {
      var lap = Stopwatch.Lap()
      _ = try StatusPage("coordination", in: store, allSettings: false).text
      query.append(lap.seconds())
    }
    return (command.median, query.median)
  }

  private func pause(_ seconds: Double, _ fleet: WorkerFleet, _ coordinator: CoordinatorProcess) throws {
    let until = MonotonicInstant.now.advanced(bySeconds: seconds)
    while MonotonicInstant.now < until {
      try check(fleet, coordinator)
      usleep(UInt32(min(1e5, max(1000, 1e6 * until.seconds(since: .now)))))
    }
  }

  private func wait(
    _ fleet: WorkerFleet, _ coordinator: CoordinatorProcess, for what: String, _ condition: () -> Bool
  ) throws {
    let until = MonotonicInstant.now.advanced(bySeconds: 120)
    while !condition() {
      try check(fleet, coordinator)
      guard MonotonicInstant.now < until else { throw Failure("waited two minutes in vain for \(what)", .failed) }
      usleep(2000)
    }
  }

  private func check(_ fleet: WorkerFleet, _ coordinator: CoordinatorProcess) throws {
    if interrupt.signal != nil { throw ExitStatus.interrupted.thrown }
    if let trouble = fleet.trouble { throw Failure("the workers stopped: \(trouble)", .failed) }
    try coordinator.check()
  }

  private func loadAverage() -> Double? {
    var averages = [0.0, 0.0, 0.0]
    return getloadavg(&averages, 3) > 0 ? averages[0] : nil
  }
}

/// `n/1000`, as a sweep file has it.
private struct ExactThousandths: CustomStringConvertible {
  let description: String
  init(_ count: Int) {
    let digits = String(count % 1000)
    description = "\(count / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
  }
}
