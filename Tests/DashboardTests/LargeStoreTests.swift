// A store of ten thousand runs, measured rather than judged: run by hand with GROKSWEEP_LARGE_STORE=FOLDER, where the store
// stays for a look in the browser.

import Dashboard
import Foundation
import Grokking
import Results
import Sweeps
import Testing

@Suite(.enabled(if: ProcessInfo.processInfo.environment["GROKSWEEP_LARGE_STORE"] != nil, "takes minutes"))
struct LargeStoreTests {
  /// 20 weight decays × 10 train fractions × 50 seeds, the last hundred points still to do.
  private static let points: [Point] = (0..<10_100).map { number in
    let (setting, seed) = (number / 50, UInt64(number % 50))
    let (decay, fraction) = (0.1 * Double(setting / 10 + 1), 0.1 + 0.08 * Double(setting % 10))
    return Point(
      experiment: Experiment(
        task: LearningTask(operation: .add, modulus: 59, trainFraction: fraction),
        model: ModelShape(dModel: 8, heads: 2, dMLP: 16, activation: .relu, biases: true, dVocabOut: 60),
        training: TrainingSettings(epochs: 10_000, weightDecay: decay), measure: MeasureSettings(evaluateEvery: 100),
        modelSeed: seed, dataSeed: seed),
      setting: "weight_decay=\(decay) train_fraction=\(fraction)")
  }

  private func milliseconds(_ body: () async throws -> Void) async rethrows -> Double {
    let began = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - began) / .milliseconds(1)
  }

  @Test func `pages and updates of ten thousand runs, alone and while a sweep writes`() async throws {
    let folder = ProcessInfo.processInfo.environment["GROKSWEEP_LARGE_STORE"]!
    let path = "\(folder)/large.sqlite"
    let store = try Store(path: path, mode: .create)
    if try store.sweepNames().isEmpty {
      _ = try store.register(
        SweepRegistration(
          name: "large", canonical: "{}", fileText: "sweep: large\n",
          axes: ["training.weight_decay", "task.train_fraction", "seed"], points: Self.points
        ) { _ in [] }, at: Shelf.now)
      let identity = WorkerIdentity(
        boot: String(repeating: "0", count: 32), host: "node1", processID: 100, cpu: "Testium 9", cores: 4,
        kernelPath: "avx2", build: "0.1.0")
      _ = try store.commit([.worker(WorkerRecord(number: 1, identity: identity))], at: Shelf.now)
      for start in stride(from: 0, to: 10_000, by: 100) {
        let batch = (start..<(start + 100)).map { ($0, Self.points[$0]) }
        _ = try store.commit(
          batch.map { .grant(AttemptRecord(lease: LeaseID(Int64($0 + 1)), point: $1.id, worker: 1)) }, at: Shelf.now)
        _ = try store.commit(
          batch.map {
            .result(
              Shelf.result(grokking: 200 + $0 % 700, evaluations: 101), of: $1.id, lease: LeaseID(Int64($0 + 1)),
              seconds: 10, worker: 1)
          }, at: Shelf.now)
      }
    }
    for path in ["/", "/sweep/large", "/sweep/large/points/50", "/point/\(Self.points[77].id.short)"] {
      let site = Site(store: store.path, logger: quiet)
      var first = 0.0
      var size = 0
      let before = Self.processorMilliseconds
      first = await milliseconds { size = await site.page(at: path).html(path: path).utf8.count }
      let processor = Self.processorMilliseconds - before
      let again = await milliseconds { _ = await site.page(at: path).html(path: path) }
      print("\(path): first \(first) ms (processor \(processor) ms), again \(again) ms, \(size) bytes")
    }
    // Each update follows a commit of another connection, as a sweep's do: of progress, then of a finished run.
    for path in ["/", "/sweep/large"] {
      for finishes in [false, true] {
        let site = Site(store: store.path, logger: quiet)
        _ = await site.page(at: path)
        var (updates, processor) = ([Double](), [Double]())
        for round in 0..<20 {
          if finishes {
            let next = try store.sweepProgress(of: "large").finished
            guard next < Self.points.count else { break }
            let lease = LeaseID(Int64(next + 1))
            _ = try store.commit(
              [
                .grant(AttemptRecord(lease: lease, point: Self.points[next].id, worker: 1)),
                .result(
                  Shelf.result(grokking: 300 + round, evaluations: 101), of: Self.points[next].id, lease: lease,
                  seconds: 10, worker: 1),
              ], at: Shelf.now)
          } else {
            try store.recordProgress(
              [(lease: LeaseID(1), epoch: round)], at: Shelf.now.addingTimeInterval(Double(round)))
          }
          try await Task.sleep(for: .milliseconds(250))
          let before = Self.processorMilliseconds
          updates.append(await milliseconds { _ = await site.page(at: path) })
          processor.append(Self.processorMilliseconds - before)
        }
        updates.sort()
        processor.sort()
        print(
          "\(path), \(finishes ? "runs finish" : "progress"): update median \(updates[updates.count / 2]) ms, worst "
            + "\(updates.last!) ms; processor median \(processor[processor.count / 2]) ms, worst \(processor.last!) ms")
      }
    }
  }

  private static var processorMilliseconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
  }
}
