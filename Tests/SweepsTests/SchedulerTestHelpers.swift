// Stories of the scheduler's tests: workers that share a machine, and checkpoints of the sample points.

import Grokking
import Sweeps

extension MachineSamples {
  /// A hello of worker `number` from the machine `host`.
  static func hello(
    _ number: Int, host: String, holding: HeldLease? = nil, predecessor: Predecessor? = nil, secondsLeft: Double? = nil,
    selfTest: String? = nil
  ) -> WorkerMessage {
    var identity = identity(number)
    identity.host = host
    return .hello(
      Hello(
        identity, holding: holding, predecessor: predecessor, secondsLeft: secondsLeft, selfTest: selfTest))
  }

  /// What a run of a sample point has on its disk at an epoch; two and a half chunks, and a part for each evaluation.
  static func contents(epoch: Int) -> CheckpointContents {
    let numbers = SnapshotStore.numbersOfPart(experiment(0))
    return CheckpointContents(
      epoch: epoch, checkpointBytes: 12 * numbers + CheckpointContents.maximumChunkBytes * 5 / 2,
      partBytes: SealedSize.header + 4 * numbers, weights: [0..<(epoch / 100 + 1)], moments: [])
  }

  static func chunk(_ request: CheckpointRequest) -> CheckpointChunk {
    CheckpointChunk(
      epoch: request.missing.epoch, offset: request.offset, bytes: [UInt8](repeating: 7, count: request.count))
  }
}

extension SchedulerBench {
  /// Hello and ready from a machine; the lease that came, if one did.
  @discardableResult
  mutating func join(_ number: Int, host: String, secondsLeft: Double? = nil) -> LeaseID? {
    let said =
      say(number, MachineSamples.hello(number, host: host, secondsLeft: secondsLeft)) + say(number, .ready)
    return said.grants.first?.lease
  }

  /// A failure as the worker tells it; it says ready afterwards.
  mutating func fail(_ number: Int, _ lease: LeaseID, point: Int) -> [SchedulerDirective] {
    say(number, .failed(lease: lease, point: MachineSamples.id(point), .engineError, reason: "nonsense"))
  }

  /// Answers every pull of worker `number` from `said` on, until none follows; every directive on the way.
  mutating func answerPulls(_ number: Int, _ said: [SchedulerDirective]) -> [SchedulerDirective] {
    var all = said
    var latest = said
    while let (lease, point, request) = latest.pull(to: number) {
      latest = say(number, .chunk(lease: lease, point: point, MachineSamples.chunk(request)))
      all += latest
    }
    return all
  }

  /// Point 0's checkpoint of `epoch` comes from worker 1 and is kept.
  mutating func keep(epoch: Int, _ lease: LeaseID, point: Int = 0) {
    let contents = MachineSamples.contents(epoch: epoch)
    let said = say(1, .offer(lease: lease, point: MachineSamples.id(point), contents))
    _ = answerPulls(1, said)
    _ = handle(.checkpointKept(MachineSamples.id(point), contents))
  }
}

extension [SchedulerDirective] {
  func pull(to number: Int) -> (LeaseID, PointID, CheckpointRequest)? {
    for case .pull(let lease, let point, let request) in sent(to: number) { return (lease, point, request) }
    return nil
  }

  var lines: [String] { compactMap { if case .log(_, let line) = $0 { line } else { nil } } }

  var failures: [PointID] { compactMap { if case .recordFailure(let point, _) = $0 { point } else { nil } } }

  var refunds: [[LeaseID]] { compactMap { if case .refund(let leases, _) = $0 { leases } else { nil } } }

  /// The words of a refusal.
  func refusal(of number: Int) -> String? {
    for case .refused(let reason) in sent(to: number) { return reason }
    return nil
  }

  /// The words with which everyone of a machine is sent home.
  func bar(of number: Int) -> String? {
    for case .barred(let reason) in sent(to: number) { return reason }
    return nil
  }
}
