// A store of a million points, measured rather than judged: run by hand with GROKSWEEP_MILLION=1.

import Foundation
import GRDB
import Grokking
import Results
import Sweeps
import Testing

@Suite(.enabled(if: ProcessInfo.processInfo.environment["GROKSWEEP_MILLION"] != nil, "takes minutes and gigabytes"))
struct MillionPointTests {
  /// 2,000 settings with 500 seeds each.
  private static func point(_ number: Int) -> Point {
    let setting = number / 500
    let experiment = Sample.experiment(weightDecay: 0.001 * Double(setting + 1), seed: UInt64(number % 500))
    return Point(experiment: experiment, setting: "weight_decay=\(experiment.training.weightDecay)")
  }

  private func say(_ what: String, _ began: ContinuousClock.Instant) {
    let peak = Self.status("VmHWM")
    print(
      "\(what): \(ContinuousClock.now - began), processor \(Self.processorSeconds) s in all, resident \(Self.status("VmRSS")) MB, at most \(peak) MB"
    )
  }

  private static var processorSeconds: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
  }

  private static func status(_ key: String) -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") } ?? ""
    return (Int(line.split(whereSeparator: { !$0.isNumber }).first ?? "") ?? 0) / 1024
  }

  @Test func `a million points`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.sqlite")
    var began = ContinuousClock.now
    var store = try Store(path: path, mode: .create)
    do {
      let points = (0..<1_000_000).map(Self.point)
      say("points made", began)
      began = .now
      let sweep = SweepRegistration(name: "million", canonical: "", fileText: "", axes: [], points: points) { _ in [] }
      _ = try store.register(sweep, at: Sample.now)
    }
    say("registered", began)
    began = .now
    try store.close()
    say("closed", began)
    print("file: \(try FileManager.default.attributesOfItem(atPath: path)[.size] ?? 0)")
    store = try Store(path: path, mode: .open)
    began = .now
    try store.check()
    say("checked", began)
    began = .now
    var ids: [PointID] = []
    do {
      let start = try store.schedulerStart()
      say("read for the scheduler", began)
      ids = start.points.prefix(3000).map(\.id)
      began = .now
      let scheduler = Scheduler(SchedulerConfiguration(), start: start, at: MonotonicInstant(nanoseconds: 0))
      say("scheduler of \(scheduler.overview(at: MonotonicInstant(nanoseconds: 0)).total)", began)
    }
    for _ in 0..<3 {
      began = .now
      _ = try store.sweepProgress()
      say("status", began)
    }
    began = .now
    _ = try store.summary()
    say("summary", began)
    began = .now
    _ = try store.grokkingTimes(of: "million")
    say("grokking times", began)
    began = .now
    _ = try store.story(of: ids[7])
    say("story", began)
    _ = try store.commit([.worker(Sample.worker())], at: Sample.now)
    var (next, lease) = (0, Int64(1))
    for size in [1, 10, 100] {
      let rounds = 1000 / size
      var (granting, storing) = (Duration.zero, Duration.zero)
      for _ in 0..<rounds {
        let batch = Array(ids[next..<(next + size)])
        let leases = batch.indices.map { LeaseID(lease + Int64($0)) }
        (next, lease) = (next + size, lease + Int64(size))
        began = .now
        _ = try store.commit(
          zip(batch, leases).map { .grant(AttemptRecord(lease: $1, point: $0, worker: 1)) }, at: Sample.now)
        granting += ContinuousClock.now - began
        began = .now
        _ = try store.commit(
          zip(batch, leases).map { .result(Sample.result(), of: $0, lease: $1, seconds: 1, worker: 1) },
          at: Sample.now)
        storing += ContinuousClock.now - began
      }
      print("batches of \(size): \(granting / (rounds * size)) a grant, \(storing / (rounds * size)) a result")
      say("after them", began)
    }
    began = .now
    _ = try store.sweepProgress()
    say("status with runs", began)
    began = .now
    _ = try store.grokkingTimes(of: "million")
    say("grokking times with runs", began)
  }
}
