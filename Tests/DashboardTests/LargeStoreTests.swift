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
  /// Sweeps of 10,000 points and some hundred more that are still to do.
  enum Shape: String, CaseIterable {
    /// 20 weight decays × 10 train fractions × 50 seeds.
    case seeds
    /// Settings of their own, weight decay and train fraction sampled.
    case samples
    /// Six values along each of five axes, of the last one eight.
    case axes

    private var settings: [(seeds: Int, setting: @Sendable (inout Experiment) -> Void, label: String)] {
      switch self {
      case .seeds:
        (0..<204).map { number in
          let (decay, fraction) = (0.1 * Double(number / 10 + 1), 0.1 + 0.08 * Double(number % 10))
          return (
            50, { ($0.training.weightDecay, $0.task.trainFraction) = (decay, fraction) },
            "weight_decay=\(decay) train_fraction=\(fraction)"
          )
        }
      case .samples:
        (0..<10_200).map { number in
          // Two irrational steps around a circle each cover a square evenly.
          let (first, second) = (Double(number) * 0.754_877_666, Double(number) * 0.569_840_291)
          let decay = 0.1 * pow(30, first - first.rounded(.down))
          let fraction = 0.1 + 0.8 * (second - second.rounded(.down))
          return (
            1, { ($0.training.weightDecay, $0.task.trainFraction) = (decay, fraction) },
            "weight_decay=\(decay) train_fraction=\(fraction)"
          )
        }
      case .axes:
        (0..<10_368).map { number in
          let (a, b, c) = (number % 6, number / 6 % 6, number / 36 % 6)
          let (d, e) = (number / 216 % 6, number / 1296)
          return (
            1,
            {
              ($0.training.weightDecay, $0.task.trainFraction) = (0.5 * Double(a + 1), 0.2 + 0.1 * Double(b))
              ($0.training.learningRate, $0.training.warmupEpochs) = (0.001 * Double(c + 1), 10 * d)
              $0.model.initializationScale = 0.5 + 0.25 * Double(e)
            }, "weight_decay=\(a) train_fraction=\(b) learning_rate=\(c) warmup_epochs=\(d) initialization_scale=\(e)"
          )
        }
      }
    }

    var points: [Point] {
      settings.flatMap { seeds, change, label in
        (0..<seeds).map { seed in
          var experiment = Experiment(
            task: LearningTask(operation: .add, modulus: 59),
            model: ModelShape(dModel: 8, heads: 2, dMLP: 16, activation: .relu, biases: true, dVocabOut: 60),
            training: TrainingSettings(epochs: 10_000), measure: MeasureSettings(evaluateEvery: 100),
            modelSeed: UInt64(seed), dataSeed: UInt64(seed))
          change(&experiment)
          return Point(experiment: experiment, setting: label)
        }
      }
    }
  }

  private func milliseconds(_ body: () async throws -> Void) async rethrows -> Double {
    let began = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - began) / .milliseconds(1)
  }

  @Test(.serialized, arguments: Shape.allCases)
  func `pages and updates of ten thousand runs, alone and while a sweep writes`(_ shape: Shape) async throws {
    let folder = ProcessInfo.processInfo.environment["GROKSWEEP_LARGE_STORE"]!
    let path = "\(folder)/\(shape).sqlite"
    let points = shape.points
    let store = try Store(path: path, mode: .create)
    if try store.sweepNames().isEmpty {
      _ = try store.register(
        SweepRegistration(
          name: "large", canonical: "{}", fileText: "sweep: large\n",
          axes: ["training.weight_decay", "task.train_fraction", "seed"], points: points
        ) { _ in [] }, at: Shelf.now)
      let identity = WorkerIdentity(
        boot: String(repeating: "0", count: 32), host: "node1", processID: 100, cpu: "Testium 9", cores: 4,
        kernelPath: "avx2", build: "0.1.0")
      _ = try store.commit([.worker(WorkerRecord(number: 1, identity: identity))], at: Shelf.now)
      for start in stride(from: 0, to: 10_000, by: 100) {
        let batch = (start..<(start + 100)).map { ($0, points[$0]) }
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
    for path in ["/", "/sweep/large", "/sweep/large/points/50", "/point/\(points[77].id.short)"] {
      var (first, processor, again) = ([Double](), [Double](), [Double]())
      var size = 0
      for _ in 0..<7 {
        // Another process's first look: nothing is known of the store yet.
        let site = Site(store: store.path, logger: quiet)
        let before = Self.processorMilliseconds
        first.append(await milliseconds { size = await site.page(at: path).html(path: path).utf8.count })
        processor.append(Self.processorMilliseconds - before)
        again.append(await milliseconds { _ = await site.page(at: path).html(path: path) })
      }
      print(
        "\(shape) \(path): first \(Self.words(first)), processor \(Self.words(processor)), again "
          + "\(Self.words(again)), \(size) bytes")
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
            guard next < points.count else { break }
            let lease = LeaseID(Int64(next + 1))
            _ = try store.commit(
              [
                .grant(AttemptRecord(lease: lease, point: points[next].id, worker: 1)),
                .result(
                  Shelf.result(grokking: 300 + round, evaluations: 101), of: points[next].id, lease: lease,
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
        guard !updates.isEmpty else { continue }
        print(
          "\(shape) \(path), \(finishes ? "runs finish" : "progress"): update \(Self.words(updates)), processor "
            + "\(Self.words(processor))")
      }
    }
  }

  /// `median 12.3 ms, worst 45.6 ms`
  private static func words(_ milliseconds: [Double]) -> String {
    let sorted = milliseconds.sorted()
    return String(format: "median %.1f ms, worst %.1f ms", sorted[sorted.count / 2], sorted[sorted.count - 1])
  }

  private static var processorMilliseconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
  }
}
