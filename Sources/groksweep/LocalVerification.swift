// Finished points of a store run once more on this machine: in a store of their own, so that nothing else is run and
// nothing that is stored is touched, by the same coordinator and workers as every sweep. Then their digests are compared,
// and what came of it is recorded.

import ArgumentParser
import Cluster
import Foundation
import Grokking
import Kernels
import Logging
import Reports
import Results
import Sweeps

struct LocalVerification {
  /// Open for writing, its lock held.
  let store: Store
  /// Worker processes; nil: one per core.
  let workers: Int?

  func run(_ points: [PointID]) throws -> VerificationReport {
    let kernels = try chosenKernels()
    guard !points.isEmpty else { return VerificationReport(points: []) }
    _ = try store.requestVerifications(of: points, by: NSUserName(), at: Date())
    let stories = try points.map { try store.story(of: $0) }

    let folder = FileManager.default.temporaryDirectory.appending(path: "groksweep-verify-\(getpid())").path
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure("\(folder): this folder cannot be made: \((error as NSError).localizedDescription)", .failed)
    }
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let second = try Store(path: folder + "/again.sqlite", mode: .create)
    _ = try second.register(
      SweepRegistration(
        name: "again", canonical: "{}", fileText: "", axes: [],
        points: stories.map { Point(experiment: $0.experiment, setting: "") }, differences: { _ in [] }), at: Date())

    let screen = Screen()
    screen.remark("running \(Wording.count(points.count, "point")) of \(store.path) again")
    let interrupt = try Interrupt()
    interrupt.catchSignals()
    let display = SweepDisplay(sweep: "again", settings: [:], screen: screen)
    let end = try LocalSweep(
      LocalSweep.Configuration(
        workers: workers ?? MachineLimits.here.allowedCores, executable: ownExecutable(),
        workerArguments: ["--quiet"], scratch: folder + "/scratch",
        scheduler: SchedulerConfiguration(leaseSeconds: 600, graceSeconds: 0, keepsWeights: true))
    ).run(
      store: second, sweeps: ["again"], interrupt: interrupt, logger: Logger(onto: screen, from: .warning),
      onOverview: { display.show($0) })
    screen.clear()

    let worker = try recordThisProcess(kernels)
    let compared = try stories.map { try compare($0, in: second, worker: worker) }
    return VerificationReport(points: compared, isInterrupted: end.interruptedBy != nil)
  }

  /// Compares and records it; a point that the end of the process kept from being run stays asked for.
  private func compare(_ story: PointStory, in second: Store, worker: Int64) throws -> VerificationReport.Point {
    let stored = story.result?.digest ?? ""
    if var result = try second.result(of: story.id) {
      result.finalWeights = try second.finalWeights(of: story.id)
      _ = try store.commit([.verification(result, of: story.id, lease: LeaseID(0), worker: worker)], at: Date())
      return VerificationReport.Point(
        point: story.id, state: stored == result.digest ? .equal : .different, digest: result.digest,
        storedDigest: stored)
    }
    if let failure = try second.failures().first(where: { $0.id == story.id }) {
      _ = try store.commit([.verificationFailure(story.id, reason: failure.reason)], at: Date())
      return VerificationReport.Point(
        point: story.id, state: .failed, storedDigest: stored, reason: failure.reason)
    }
    return VerificationReport.Point(point: story.id, state: .requested, storedDigest: stored)
  }

  /// Violations name the worker that found them: here, all of this process' own.
  private func recordThisProcess(_ kernels: KernelPath) throws -> Int64 {
    let number = try store.schedulerStart(sweeps: []).nextWorker
    let identity = WorkerIdentity.ofThisProcess(kernels: kernels, build: Build.version)
    _ = try store.commit([.worker(WorkerRecord(number: number, identity: identity)), .workerLeft(number)], at: Date())
    return number
  }
}
