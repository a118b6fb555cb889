// What survives a crash of the coordinator: the database of a simulated sweep, and the transactions that change it.
//
// It trusts nobody, as the real one: a write that would break a constraint is a violation of whoever asked for it.

import Grokking
import Sweeps

/// One change; those of a round are committed together.
enum StoreWrite {
  case worker(WorkerRecord)
  case workerLeft(Int64)
  case attempt(AttemptRecord)
  case end(LeaseID, AttemptEnd)
  case result(point: Int, lease: LeaseID, RunResult)
  case failure(point: Int, reason: String)
  case verification(point: Int, lease: LeaseID, RunResult)
  case verificationFailure(point: Int)
  case refund([LeaseID])

  /// Refused ones are answered with an event instead of being owed.
  var isAnswered: Bool {
    switch self {
    case .attempt, .result: true
    case .worker, .workerLeft, .end, .failure, .verification, .verificationFailure, .refund: false
    }
  }
}

struct StoredAttempt: Hashable {
  let lease: LeaseID
  let point: Int
  let boot: String
  let worker: Int64
  /// Of a point that was finished already.
  let isVerification: Bool
  var end: AttemptEnd?
  /// Refunded, or of a point that was retried since.
  var isForgiven = false

  var isCharged: Bool { !isForgiven && end?.isCharged == true }
}

struct StoredPoint: Hashable {
  /// Place of the first sweep that has it, and of others; nil until it is registered.
  var sweeps: [Int] = []
  var result: RunResult?
  var failure: String?
  var isToVerify = false
  /// Places in `attempts`.
  var attempts: [Int] = []

  var isTerminal: Bool { result != nil || failure != nil }
}

struct SimulatedStore: Hashable {
  private(set) var points: [StoredPoint]
  /// In the order of their leases.
  private(set) var attempts: [StoredAttempt] = []
  private var places: [LeaseID: Int] = [:]
  private var nextNumber: Int64 = 1
  private var bootOfNumber: [Int64: String] = [:]
  private var numberOfBoot: [String: Int64] = [:]
  /// Workers that said goodbye.
  private var left: Set<Int64> = []
  var sweeps: [KnownSweep] = []
  /// Terminal points; ends of attempts that are missing.
  private(set) var terminalCount = 0
  private(set) var registeredCount = 0
  private(set) var openCount = 0
  private(set) var verificationCount = 0

  init(points count: Int) { points = Array(repeating: StoredPoint(), count: count) }

  func attempt(_ lease: LeaseID) -> StoredAttempt? { places[lease].map { attempts[$0] } }

  func charges(of point: Int) -> Int { points[point].attempts.count { attempts[$0].isCharged } }

  mutating func register(_ numbers: [Int], in sweep: Int) {
    for number in numbers {
      if points[number].sweeps.isEmpty { registeredCount += 1 }
      if !points[number].sweeps.contains(sweep) { points[number].sweeps.append(sweep) }
    }
  }

  /// Failed points are pending again.
  mutating func retry(_ number: Int) {
    guard points[number].failure != nil, points[number].result == nil else { return }
    points[number].failure = nil
    terminalCount -= 1
    for place in points[number].attempts where attempts[place].end != nil { attempts[place].isForgiven = true }
  }

  mutating func wishVerification(of number: Int) {
    guard points[number].result != nil, !points[number].isToVerify else { return }
    points[number].isToVerify = true
    verificationCount += 1
  }

  private mutating func endVerification(of number: Int) {
    guard points[number].isToVerify else { return }
    points[number].isToVerify = false
    verificationCount -= 1
  }

  /// What is wrong with the write, in words, or nil.
  mutating func apply(_ write: StoreWrite, points known: SimulatedPoints, limit: Int) -> String? {
    switch write {
    case .worker(let record):
      let boot = record.identity.boot
      if let other = bootOfNumber[record.number], other != boot {
        return "worker number \(record.number) was given twice"
      }
      if let other = numberOfBoot[boot], other != record.number { return "one worker process got two numbers" }
      nextNumber = max(nextNumber, record.number + 1)
      bootOfNumber[record.number] = boot
      numberOfBoot[boot] = record.number
      left.remove(record.number)
    case .workerLeft(let number): left.insert(number)
    case .attempt(let record): return begin(record, known)
    case .end(let lease, let end):
      guard let place = places[lease], attempts[place].end == nil else { return nil }
      attempts[place].end = end
      openCount -= 1
      let point = attempts[place].point
      if case .verified = end, points[point].isToVerify {
        return "\(lease) is verified before its verification is done"
      }
      let charges = charges(of: point)
      if charges > limit { return "point \(point) is charged \(charges) attempts of \(limit)" }
    case .result(let point, let lease, let result): return take(result, point, lease, known)
    case .failure(let point, let reason): return fail(point, reason, limit)
    case .verification(let point, let lease, let result):
      if points[point].result != result {
        return "\(lease) verified point \(point) with another result, or none is there"
      }
      endVerification(of: point)
      if let place = places[lease], attempts[place].end == nil {
        attempts[place].end = .verified(isEqual: true)
        openCount -= 1
      }
    case .verificationFailure(let point): endVerification(of: point)
    case .refund(let leases):
      for lease in leases {
        guard let place = places[lease] else { return "\(lease) is refunded and was never granted" }
        attempts[place].isForgiven = true
      }
    }
    return nil
  }

  private mutating func begin(_ record: AttemptRecord, _ known: SimulatedPoints) -> String? {
    guard let point = known.number(of: record.point) else { return "an unknown point was granted" }
    if places[record.lease] != nil { return "\(record.lease) was given twice" }
    if let last = attempts.last, last.lease > record.lease { return "\(record.lease) comes after \(last.lease)" }
    guard let boot = bootOfNumber[record.worker] else { return "\(record.lease) went to an unrecorded worker" }
    let stored = points[point]
    if stored.sweeps.isEmpty { return "point \(point) was granted before it was registered" }
    let isVerification = stored.result != nil
    if stored.isTerminal, !(isVerification && stored.isToVerify) {
      return "point \(point) was granted although it is terminal"
    }
    if let rival = stored.attempts.first(where: { attempts[$0].end == nil }) {
      return "point \(point) was granted to \(record.lease) while \(attempts[rival].lease) is open"
    }
    places[record.lease] = attempts.count
    points[point].attempts.append(attempts.count)
    attempts.append(
      StoredAttempt(
        lease: record.lease, point: point, boot: boot, worker: record.worker, isVerification: isVerification))
    openCount += 1
    return nil
  }

  private mutating func take(
    _ result: RunResult, _ point: Int, _ lease: LeaseID, _ known: SimulatedPoints
  ) -> String? {
    if points[point].result != nil { return "point \(point) got a second result, from \(lease)" }
    if result != known.result(point) { return "point \(point) got a wrong result from \(lease)" }
    if points[point].failure == nil { terminalCount += 1 }
    points[point].result = result
    return nil
  }

  /// Points are only given up for a reason that the attempts show.
  private mutating func fail(_ point: Int, _ reason: String, _ limit: Int) -> String? {
    let stored = points[point]
    if stored.result != nil { return "finished point \(point) failed: \(reason)" }
    if stored.failure != nil { return "point \(point) failed twice: \(reason)" }
    points[point].failure = reason
    terminalCount += 1
    let ends = stored.attempts.map { attempts[$0] }
    let isBad = ends.contains { if case .failed(.badPoint, _, _, _)? = $0.end { true } else { false } }
    let losses = ends.count { if case .failed(.lost, _, _, _)? = $0.end { true } else { false } }
    if !isBad, charges(of: point) < limit, losses < limit {
      return "point \(point) was given up after \(charges(of: point)) charged attempts: \(reason)"
    }
    return nil
  }

  func knownWorker(_ boot: String) -> KnownWorker? {
    numberOfBoot[boot].map { KnownWorker(boot: boot, number: $0, key: "") }
  }

  /// What a coordinator reads when it starts.
  func start(_ known: SimulatedPoints, checkpoints: [KeptCheckpoint]) -> SchedulerStart {
    let numbers = points.indices.filter { !points[$0].sweeps.isEmpty }
    let holders = Set(attempts.filter { $0.end == nil }.map(\.boot))
    return SchedulerStart(
      points: knownPoints(numbers, known),
      workers: numberOfBoot.filter { !left.contains($0.value) || holders.contains($0.key) },
      nextWorker: nextNumber, nextLease: LeaseID((attempts.last?.lease.number ?? 0) + 1),
      sweeps: sweeps, checkpoints: checkpoints,
      verifications: numbers.filter { points[$0].isToVerify }.map { known.ids[$0] },
      present: (1..<nextNumber).compactMap { left.contains($0) ? nil : bootOfNumber[$0] })
  }

  func knownPoints(_ numbers: [Int], _ known: SimulatedPoints) -> [KnownPoint] {
    numbers.map { number in
      let stored = points[number]
      return KnownPoint(
        id: known.ids[number], experiment: known.experiments[number],
        state: stored.result != nil ? .finished : stored.failure != nil ? .failed : .pending,
        chargedAttempts: charges(of: number),
        openAttempts: stored.attempts.map { attempts[$0] }.filter { $0.end == nil }
          .map { OpenAttempt(lease: $0.lease, boot: $0.boot) },
        sweep: stored.sweeps[0], otherSweeps: Array(stored.sweeps.dropFirst()))
    }
  }
}
