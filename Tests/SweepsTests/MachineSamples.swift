// Values that the tests of the machines share: points, workers, results, and a scheduler with a clock to turn.

import Grokking
import Sweeps

enum MachineSamples {
  /// Point `number`; different numbers give different ids.
  static func id(_ number: Int) -> PointID {
    let digits = String(number, radix: 16)
    return PointID(hex: String(repeating: "0", count: 64 - digits.count) + digits)!
  }

  static func experiment(_ number: Int) -> Experiment {
    Experiment(
      task: LearningTask(modulus: 11), model: ModelShape(dModel: 8, heads: 2, dMLP: 16, dVocabOut: 12),
      training: TrainingSettings(epochs: 1000), modelSeed: UInt64(number))
  }

  static func known(_ count: Int) -> [KnownPoint] {
    (0..<count).map { KnownPoint(id: id($0), experiment: experiment($0)) }
  }

  /// The boot of worker `number`: 32 hexadecimal digits.
  static func boot(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }

  static func identity(_ number: Int) -> WorkerIdentity {
    WorkerIdentity(
      boot: boot(number), host: "node-\(number)", processID: Int32(100 + number), cpu: "Example CPU", cores: 2,
      kernelPath: "avx2", build: "0.1.0")
  }

  static func peer(_ number: Int) -> PeerID { PeerID([0, UInt8(number >> 8), UInt8(number & 255)]) }

  static func hello(_ number: Int, holding: HeldLease? = nil) -> WorkerMessage {
    .hello(Hello(identity(number), holding: holding))
  }

  static func progress(work: Int) -> RunProgress {
    RunProgress(stage: .training, epoch: work, epochs: 1000, work: work, totalWork: 1100, trainLoss: 0.5)
  }

  /// What point `number` always gives.
  static func result(_ number: Int) -> RunResult {
    let evaluations = (0...10).map { (row: Int) -> Evaluation in
      var evaluation = Evaluation(
        epoch: row * 100, trainLoss: 2, testLoss: 3, trainAccuracy: Double(row) / 10, testAccuracy: 0.5,
        restrictedLoss: 1e-7, giniW_E: 0.3, giniW_L: 0.4, sumSquaredWeights: 1234.5)
      evaluation.sumSquaredWeights += Double(number)
      if row % 2 == 0 { evaluation.restrictedLossTrain = 0.25 }
      return evaluation
    }
    return RunResult(
      outcome: .grokked(memorization: 140, grokking: 900), epochs: 1000, evaluations: evaluations,
      keyFrequencies: [KeyFrequency(frequency: 3, norm: 1.5, excludedLoss: nil)],
      digests: [EpochDigest(epoch: 1000, digest: id(number).hex)], kernelPath: "avx2")
  }
}

/// A scheduler and the clock that its events are stamped with.
struct SchedulerBench {
  var scheduler: Scheduler
  private(set) var now = MonotonicInstant(nanoseconds: 0)
  /// Worker processes that the store would remember.
  private(set) var recorded: [String: KnownWorker] = [:]

  init(_ configuration: SchedulerConfiguration = SchedulerConfiguration(), points: Int) {
    self.init(configuration, start: SchedulerStart(points: MachineSamples.known(points)))
  }

  init(_ configuration: SchedulerConfiguration = SchedulerConfiguration(), start: SchedulerStart) {
    scheduler = Scheduler(configuration, start: start, at: now)
  }

  mutating func wait(_ seconds: Double) { now = now.advanced(bySeconds: seconds) }

  /// As a shell does: a process that was recorded before is looked up.
  mutating func handle(_ event: SchedulerEvent) -> [SchedulerDirective] {
    var said: [SchedulerDirective] = []
    if let boot = event.greetingBoot, !scheduler.knows(boot), let known = recorded[boot] {
      said += scheduler.handle(.workerKnown(known), at: now)
    }
    said += scheduler.handle(event, at: now)
    for case .recordWorker(let record) in said {
      let boot = record.identity.boot
      recorded[boot] = KnownWorker(boot: boot, number: record.number, key: record.key)
    }
    return said
  }

  /// From worker `number`, on its first connection.
  mutating func say(_ number: Int, _ message: WorkerMessage) -> [SchedulerDirective] {
    handle(.message(from: MachineSamples.peer(number), message))
  }

  /// Time passes with a tick every second.
  mutating func tick(for seconds: Int) -> [SchedulerDirective] {
    (0..<seconds).flatMap { _ in
      wait(1)
      return handle(.tick)
    }
  }

  /// Hello and ready; the lease that came, if one did.
  @discardableResult
  mutating func join(_ number: Int) -> LeaseID? {
    let said = say(number, MachineSamples.hello(number)) + say(number, .ready)
    for case .grant(let attempt, _, _, _) in said { return attempt.lease }
    return nil
  }

  /// A result that is stored at once; every directive on the way.
  mutating func finish(_ number: Int, _ lease: LeaseID, point: Int) -> [SchedulerDirective] {
    let said = say(
      number, .finished(lease: lease, point: MachineSamples.id(point), MachineSamples.result(point), seconds: 1))
    return said + handle(.stored(MachineSamples.id(point)))
  }
}

extension [SchedulerDirective] {
  /// Without log lines.
  var silent: [SchedulerDirective] { filter { if case .log = $0 { false } else { true } } }

  func sent(to number: Int) -> [CoordinatorMessage] {
    compactMap {
      if case .send(MachineSamples.peer(number), let message) = $0 { message } else { nil }
    }
  }

  /// (lease, point) of every grant.
  var grants: [AttemptRecord] { compactMap { if case .grant(let record, _, _, _) = $0 { record } else { nil } } }

  var ends: [AttemptEnd] { compactMap { if case .endAttempt(_, let end) = $0 { end } else { nil } } }
}
