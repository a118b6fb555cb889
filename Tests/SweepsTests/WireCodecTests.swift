// Every message there and back, and frames that somebody tampered with.

import Foundation
import Grokking
import Simulation
import Sweeps
import Testing

@Suite struct WireCodecTests {
  private typealias Samples = MachineSamples

  static let progress = RunProgress(
    stage: .analysis, epoch: 40_000, epochs: 40_000, work: 40_012, totalWork: 40_400, trainLoss: 1.5e-9,
    testLoss: 0.1 + 0.2, trainAccuracy: 1, testAccuracy: 0.998)

  static var outcomes: [Outcome] {
    [
      .grokked(memorization: 140, grokking: 9300), .memorized(memorization: 140, censoredAfter: 1000),
      .unfit(censoredAfter: 1000), .immediate(memorization: nil, grokking: 3),
      .immediate(memorization: 3, grokking: 3), .collapsed(memorization: 1, grokking: 2),
      .collapsed(memorization: nil, grokking: 2), .diverged(at: 77, memorization: nil, grokking: nil),
      .diverged(at: 77, memorization: 5, grokking: 6),
    ]
  }

  /// As a run of `Samples.experiment` could offer.
  static var contents: CheckpointContents {
    let numbers = SnapshotStore.numbersOfPart(Samples.experiment(1))
    return CheckpointContents(
      epoch: 40, checkpointBytes: 12 * numbers + 4000, partBytes: 4 * numbers + 32, weights: [2, 0, 1, 7],
      moments: [7, 3])
  }

  static var workerMessages: [WorkerMessage] {
    var messages: [WorkerMessage] = [
      Samples.hello(1), Samples.hello(2, holding: HeldLease(lease: LeaseID(.max), point: Samples.id(3))), .ready,
      .progress(lease: LeaseID(5), progress, epochsPerSecond: 24.06),
      .progress(lease: LeaseID(5), Samples.progress(work: 0), epochsPerSecond: 0),
      .handedBack(lease: LeaseID(5), point: Samples.id(3), epoch: 12), .goodbye,
      .hello(
        Hello(
          Samples.identity(3), predecessor: Predecessor(boot: Samples.boot(9), ending: "killed by signal 9"),
          secondsLeft: 0.25, selfTest: SelfTest.digest)),
      .offer(lease: LeaseID(5), point: Samples.id(3), contents),
      .chunk(lease: LeaseID(5), point: Samples.id(3), CheckpointChunk(epoch: 40, offset: 7, bytes: [0, 255, 10])),
      .chunkGone(lease: LeaseID(5), point: Samples.id(3), epoch: 40),
      .unreadable(lease: LeaseID(5), point: Samples.id(3), epoch: 40),
      .fetch(lease: LeaseID(5), point: Samples.id(3), CheckpointRequest(missing: contents, offset: 9, count: 1 << 20)),
      .offer(
        lease: LeaseID(5), point: Samples.id(3),
        CheckpointContents(
          epoch: 40, checkpointBytes: 4000, partBytes: 32, weights: [1], moments: [1], hasSlowGradients: true)),
    ]
    for kind in AttemptClass.allCases {
      messages.append(.failed(lease: LeaseID(6), point: Samples.id(4), kind, reason: "Größe „\\\"“ / 💥"))
    }
    for outcome in outcomes {
      var result = Samples.result(4)
      result.outcome = outcome
      messages.append(.finished(lease: LeaseID(7), point: Samples.id(4), result, seconds: 1234.0625))
    }
    var empty = Samples.result(5)
    empty.evaluations = []
    empty.digests = []
    empty.keyFrequencies = []
    messages.append(.finished(lease: LeaseID(8), point: Samples.id(5), empty, seconds: 0))
    for result in FullResults.all {
      messages.append(.finished(lease: LeaseID(9), point: Samples.id(6), result, seconds: 2))
    }
    var weighty = Samples.result(6)
    weighty.finalWeights = [8, 0, 0, 255]
    messages.append(.finished(lease: LeaseID(9), point: Samples.id(6), weighty, seconds: 2))
    return messages
  }

  /// Every value that is left out at its default.
  private static var varied: Experiment {
    var experiment = Samples.experiment(1)
    experiment.task.labelNoise = 0.125
    experiment.model.initializationScale = 1.5
    experiment.training = TrainingSettings(
      optimizer: .sgd, momentum: 0.9, schedule: .cosine, batchSize: 64, l1: 1e-5, grokfastAlpha: 0.9,
      grokfastLambda: 2)
    return experiment
  }

  static var coordinatorMessages: [CoordinatorMessage] {
    var experiment = Experiment(modelSeed: 1 << 53 - 1, dataSeed: 1 << 53 - 2)
    experiment.task.trainFraction = 0.1 + 0.2
    experiment.stop.afterGrokking = 1000
    return [
      .welcome(worker: 9, leaseSeconds: 60, progressSeconds: 0.5), .refused(reason: "other version"),
      .barred(reason: "5 points in a row"),
      .sayHello,
      .grant(lease: LeaseID(9), point: Samples.id(1), experiment),
      .grant(lease: LeaseID(9), point: Samples.id(1), Samples.experiment(1)), .wait,
      .grant(lease: LeaseID(9), point: Samples.id(1), varied),
      .receipt(lease: LeaseID(3), point: Samples.id(2)), .revoked(lease: LeaseID(3)),
      .unwanted(lease: LeaseID(3), point: Samples.id(2)), .leave,
      .welcome(worker: 9, leaseSeconds: 60, progressSeconds: 0.5, checkpointSeconds: 30),
      .welcome(worker: 9, leaseSeconds: 60, progressSeconds: 0.5, keepsCensored: true),
      .welcome(worker: 9, leaseSeconds: 60, progressSeconds: 0.5, keepsWeights: true),
      .grant(lease: LeaseID(9), point: Samples.id(1), Samples.experiment(1), checkpoint: contents),
      .pull(lease: LeaseID(9), point: Samples.id(1), CheckpointRequest(missing: contents, offset: 0, count: 5)),
      .checkpointKept(lease: LeaseID(9), point: Samples.id(1), epoch: 40),
      .chunk(lease: LeaseID(9), point: Samples.id(1), CheckpointChunk(epoch: 40, offset: 0, bytes: [1, 2])),
      .chunkGone(lease: LeaseID(9), point: Samples.id(1), epoch: 40),
    ]
  }

  @Test func `every message of a worker comes out as it went in`() throws {
    for message in Self.workerMessages {
      #expect(try WireCodec.decodeWorkerMessage(WireCodec.encode(message)) == message)
    }
  }

  @Test func `every message of a coordinator comes out as it went in`() throws {
    for message in Self.coordinatorMessages {
      #expect(try WireCodec.decodeCoordinatorMessage(WireCodec.encode(message)) == message)
    }
  }

  @Test func `every request of an operator and every answer comes out as it went in`() throws {
    let requests: [OperatorRequest] = [
      .status, .explain(point: "ab12"), .submit(name: "a.yaml", text: "sweep: a\n", overrides: ["x=1"], priority: -3),
      .setSweep("a", .cancelled), .setPriority(sweep: "a", 7), .drain(worker: "node-1"), .admit(host: "node-1"),
      .retry(.failed(sweep: nil)),
      .retry(.ids(["ab", "cd"])), .verify(.condition("outcome = 'grokked'")), .verify(.sample(share: 0.02, seed: 9)),
    ]
    for (number, request) in requests.enumerated() {
      let frames = try WireCodec.encode(request, number: Int64(number))
      #expect(try WireCodec.decodeInbound(frames) == .request(request, number: Int64(number)))
    }
    let replies: [OperatorReply] = [
      .answer(json: #"{"a":[1,2]}"#), .done("paused"), .failed("no such sweep", isBadInput: true),
      .failed("the disk is full", isBadInput: false), .notAllowed("only readers' questions"),
    ]
    for (number, reply) in replies.enumerated() {
      let decoded = try WireCodec.decodeReply(WireCodec.encode(reply, number: Int64(number)))
      #expect(decoded?.0 == reply)
      #expect(decoded?.number == Int64(number))
    }
    let refusal = try WireCodec.decodeReply(WireCodec.encode(.refused(reason: "your key was revoked")))
    #expect(refusal?.0 == .notAllowed("your key was revoked"))
    #expect(try WireCodec.decodeReply(WireCodec.encode(.sayHello)) == nil)
    for message in Self.workerMessages {
      #expect(try WireCodec.decodeInbound(WireCodec.encode(message)) == .worker(message))
    }
  }

  @Test func `the first frame is JSON that people can read`() throws {
    let frames = try WireCodec.encode(.receipt(lease: LeaseID(3), point: Samples.id(2)))
    #expect(
      String(decoding: frames[0], as: UTF8.self)
        == #"{"groksweep":\#(WireProtocol.version),"lease":3,"point":"\#(Samples.id(2).hex)","type":"receipt"}"#)
  }

  @Test func `curves keep every bit, also of columns with holes`() throws {
    var random = SimulationRandom(state: 5)
    var result = Samples.result(1)
    result.evaluations = (0..<1000).map { (row: Int) -> Evaluation in
      func finite() -> Double {
        let value = Double(bitPattern: random.next())
        return value.isFinite ? value : 0
      }
      return Evaluation(
        epoch: row, trainLoss: finite(), testLoss: finite(), trainAccuracy: random.unit(),
        testAccuracy: random.unit(), restrictedLossTrain: random.chance(0.5) ? finite() : nil,
        restrictedLossTest: finite(), restrictedLoss: nil, excludedLoss: row == 999 ? -0.0 : nil, giniW_E: finite(),
        giniW_L: finite(), sumSquaredWeights: finite())
    }
    let message = WorkerMessage.finished(lease: LeaseID(1), point: Samples.id(1), result, seconds: 1)
    let frames = try WireCodec.encode(message)
    #expect(frames.count == 2)
    let back = try WireCodec.decodeWorkerMessage(frames)
    #expect(back == message)
    #expect(try WireCodec.encode(back) == frames)
  }

  @Test func `texts from elsewhere lose their control characters and their excess`() throws {
    let long = "one\ntwo\u{1B}[2J" + String(repeating: "é", count: 5000)
    let frames = try WireCodec.encode(.failed(lease: LeaseID(1), point: Samples.id(1), .crashed, reason: long))
    guard case .failed(_, _, _, let reason) = try WireCodec.decodeWorkerMessage(frames) else {
      Issue.record("another message")
      return
    }
    #expect(reason.hasPrefix("one two [2Jé"))
    #expect(reason.utf8.count <= 4096)
  }

  @Test func `a refusal of any version is understood, and so is who speaks it`() throws {
    let refused = Array(#"{"groksweep":9,"type":"refused","reason":"too old","more":[1]}"#.utf8)
    #expect(try WireCodec.decodeCoordinatorMessage([refused]) == .refused(reason: "too old"))
    let hello = try WireCodec.encode(
      WorkerMessage.hello(Hello(Samples.identity(1), protocolVersion: 9, semanticsVersion: 1)))
    #expect(throws: WireError.otherVersion(9)) { try WireCodec.decodeWorkerMessage(hello) }
    #expect(throws: WireError.otherVersion(9)) {
      try WireCodec.decodeCoordinatorMessage([Array(#"{"groksweep":9,"type":"grant"}"#.utf8)])
    }
  }

  @Test func `a number that is not finite is not sent`() {
    var result = Samples.result(1)
    result.evaluations[3].testLoss = .nan
    #expect(throws: WireError.malformed("the evaluation at epoch 300 is not finite")) {
      try WireCodec.encode(.finished(lease: LeaseID(1), point: Samples.id(1), result, seconds: 1))
    }
    #expect(throws: WireError.self) {
      try WireCodec.encode(
        WorkerMessage.progress(lease: LeaseID(1), Samples.progress(work: 1), epochsPerSecond: .infinity))
    }
  }

  /// Bytes flipped, cut, doubled and made up; whatever decodes must encode again.
  @Test func `twenty thousand tampered messages never trap`() throws {
    var random = SimulationRandom(state: 20_260)
    let workers = try Self.workerMessages.map { try WireCodec.encode($0) }
    let coordinators = try Self.coordinatorMessages.map { try WireCodec.encode($0) }
    var understood = 0
    for round in 0..<20_000 {
      var frames = (round % 3 == 0 ? coordinators : workers)[
        random.below(round % 3 == 0 ? coordinators.count : workers.count)]
      for _ in 0...random.below(2) { tamper(&frames, &random) }
      if let message = try? WireCodec.decodeWorkerMessage(frames) {
        understood += 1
        #expect(throws: Never.self) { try WireCodec.encode(message) }
      }
      if let message = try? WireCodec.decodeCoordinatorMessage(frames) {
        understood += 1
        #expect(throws: Never.self) { try WireCodec.encode(message) }
      }
    }
    #expect(understood > 500, "too few inputs get past the first checks: \(understood)")
  }

  private func tamper(_ frames: inout [[UInt8]], _ random: inout SimulationRandom) {
    guard !frames.isEmpty else { return }
    let which = random.below(frames.count)
    let count = frames[which].count
    switch random.below(8) {
    case 0: if count > 0 { frames[which].removeLast(random.below(count)) }
    case 1: frames.append(frames[which])
    case 2: frames.remove(at: which)
    case 3: frames[which] += frames[which].prefix(random.below(count + 1))
    case 4:
      guard count > 0 else { return }
      let tokens = ["null", "1e999", "-1", "18446744073709551616", "[[[[", "{}", "\"", "9e9", "\\u0000", "0.5"]
      let place = random.below(count)
      frames[which].replaceSubrange(
        place..<min(count, place + random.below(12)), with: Array(tokens[random.below(10)].utf8))
    default:
      guard count > 0 else { return }
      for _ in 0...random.below(2) { frames[which][random.below(count)] = UInt8(truncatingIfNeeded: random.next()) }
    }
  }
}
