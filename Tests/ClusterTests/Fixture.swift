// What the tests of this target share: a folder, a store with a tiny sweep, shells on threads of their own, and a
// coordinator played by hand where a test wants one that forgets, falls silent or lies.

import Cluster
import Foundation
import Grokking
import Kernels
import Logging
import Results
import Sweeps
import Synchronization
import Testing
import ZeroMQ

/// A temporary folder with a store of tiny points; removed at the end.
final class Fixture {
  let folder: String
  let points: [Point]
  let store: Store
  let lines = Lines()
  /// Whatever hangs for so long is told to end, and its test fails. Counted from where a test begins to wait: with other
  /// suites beside it, it may have stood still for a minute before.
  static let patience = Duration.seconds(180)
  var deadline: ContinuousClock.Instant { .now + Self.patience }

  init(points count: Int = 4, epochs: Int = 60) throws {
    folder = "/tmp/gst-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    points = (0..<count).map { Point(experiment: Self.experiment(seed: UInt64($0), epochs: epochs), setting: "") }
    store = try Store(path: folder + "/store.sqlite", mode: .create)
    _ = try store.register(
      SweepRegistration(
        name: "tiny", canonical: "{}", fileText: "sweep: tiny", axes: ["seed"], points: points,
        differences: { _ in [] }),
      at: Date())
  }

  deinit {
    try? store.close()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// p = 7, d_model = 8: tens of microseconds an epoch.
  static func experiment(seed: UInt64, epochs: Int) -> Experiment {
    Experiment(
      task: LearningTask(modulus: 7, trainFraction: 0.5),
      model: ModelShape(dModel: 8, heads: 2, dMLP: 16, dVocabOut: 8),
      training: TrainingSettings(epochs: epochs), measure: MeasureSettings(evaluateEvery: max(1, epochs / 10)),
      modelSeed: seed, dataSeed: seed)
  }

  var scratch: String { folder + "/scratch" }
  var endpoint: String { "ipc://\(folder)/socket" }
  var logger: Logger { lines.logger }

  /// The digest that the point has when nothing disturbs it.
  static func digest(of point: Point) throws -> String { try result(of: point).digest }

  static func result(of point: Point) throws -> RunResult {
    let run = try Run(point.experiment, kernels: KernelPath.choose(), snapshots: .inMemory())
    while !run.isFinished { try run.advance() }
    return try run.result()
  }

  static func identity(boot: Character = "a") throws -> WorkerIdentity {
    WorkerIdentity(
      boot: String(repeating: boot, count: 32), host: "test", processID: 1, cpu: "test", cores: 1,
      kernelPath: try KernelPath.choose().rawValue, build: "test")
  }

  /// Epochs of a run that takes about a second: long enough to be interrupted in the middle.
  static let longEpochs = 100_000
  /// Of the fixture's first point with `longEpochs`, undisturbed.
  static let longDigest = Result {
    try digest(of: Point(experiment: experiment(seed: 0, epochs: longEpochs), setting: ""))
  }

  /// Trains the only point until its coordinator is interrupted by `signal`: a checkpoint and snapshots stay.
  func interruptOnce(by signal: Int32) throws {
    let worker = try worker()
    let end = try coordinate { overview, interrupt in
      if overview.running.contains(where: { ($0.progress?.epoch ?? 0) > 100 }) { interrupt.request(signal) }
    }
    #expect(end.ending == .shutDown(stillHeld: 0))
    #expect(end.interruptedBy == signal)
    #expect(try worker.end().code == 0)
  }

  /// A second worker of the machine finishes what `interruptOnce` left.
  func finish() throws {
    let worker = try worker()
    #expect(try coordinate().ending == .everyPointTerminal)
    #expect(try worker.end().code == 0)
    #expect(try store.runs(of: "tiny").map(\.digest) == [Self.longDigest.get()])
  }

  /// A worker on a thread of its own.
  func worker(
    at endpoint: String? = nil, join: JoinFile? = nil, scratch: String? = nil, checkpointSeconds: Double = 30,
    resendSeconds: Double = 0.1, handOverSeconds: Double = 20, lifetimeSeconds: Double? = nil, parent: Int32? = nil
  ) throws -> WorkerOnThread {
    let kernels = try KernelPath.choose()
    let identity = WorkerIdentity.ofThisProcess(kernels: kernels, build: "test")
    var configuration = WorkerShell.Configuration(
      endpoint: endpoint ?? self.endpoint, scratch: scratch ?? self.scratch, identity: identity, kernels: kernels,
      parent: parent,
      session: SessionConfiguration(
        identity: identity, helloSeconds: 0.1, readySeconds: 0.2, resendSeconds: resendSeconds, handBackSeconds: 0.5,
        handOverSeconds: handOverSeconds, lifetimeSeconds: lifetimeSeconds),
      checkpointSeconds: checkpointSeconds, progressSeconds: 0.01)
    configuration.join = join
    return try WorkerOnThread(configuration, logger: logger)
  }

  /// Runs a coordinator on this thread until it is done, or told to end when the deadline has passed.
  func coordinate(
    at endpoint: String? = nil, sweeps: [String] = ["tiny"],
    _ scheduler: SchedulerConfiguration = SchedulerConfiguration(progressSeconds: 0.01),
    onOverview: ((SchedulerOverview, Interrupt) -> Void)? = nil
  ) throws -> CoordinatorEnd {
    let interrupt = try Interrupt()
    let shell = try CoordinatorShell(
      store: store, sweeps: sweeps,
      CoordinatorShell.Configuration(
        endpoint: endpoint ?? self.endpoint, scheduler: scheduler, overviewSeconds: 0.01),
      interrupt: interrupt, logger: logger)
    let deadline = deadline
    shell.onOverview = { overview in
      onOverview?(overview, interrupt)
      if ContinuousClock.now > deadline { interrupt.request(SIGTERM) }
    }
    return try shell.run()
  }
}

/// A `WorkerShell` that runs on its own thread.
final class WorkerOnThread: Sendable {
  let interrupt: Interrupt
  private let outcome = Mutex<Result<WorkerEnd, any Error>?>(nil)

  init(_ configuration: WorkerShell.Configuration, logger: Logger) throws {
    interrupt = try Interrupt()
    let thread = Thread { [self] in
      let end = Result { try WorkerShell(configuration, interrupt: interrupt, logger: logger).run() }
      outcome.withLock { $0 = end }
    }
    thread.start()
  }

  var isOver: Bool { outcome.withLock { $0 != nil } }

  /// How it ended; fails the test when it does not.
  func end() throws -> WorkerEnd {
    let deadline = ContinuousClock.now + Fixture.patience
    while ContinuousClock.now < deadline {
      if let result = outcome.withLock({ $0 }) { return try result.get() }
      try Poller.wait([], timeout: .milliseconds(2))
    }
    interrupt.request(SIGTERM)
    try #require(Bool(false), "the worker did not end in time")
    fatalError("unreachable")
  }
}

/// A coordinator played by hand, message by message.
final class CoordinatorByHand {
  private let socket: Socket
  private(set) var peer: [UInt8] = []

  init(at endpoint: String) throws {
    socket = try Socket(Context(), .router)
    try socket.bind(endpoint)
  }

  /// The next message for which `wanted` gives a value; others are passed over.
  @discardableResult
  func next<Value>(_ wanted: (WorkerMessage) -> Value?) throws -> Value {
    let deadline = ContinuousClock.now + Fixture.patience
    while ContinuousClock.now < deadline {
      while let frames = try socket.receive()?.frames {
        peer = frames[0]
        if let value = wanted(try WireCodec.decodeWorkerMessage(Array(frames.dropFirst()))) { return value }
      }
      try Poller.wait([socket], timeout: .milliseconds(50))
    }
    throw Overdue()
  }

  func say(_ message: CoordinatorMessage) throws {
    #expect(try socket.send([peer] + WireCodec.encode(message)) == .queued)
  }

  /// Greets the next worker that says hello and grants it `point`.
  @discardableResult
  func grant(
    _ point: Point, _ lease: LeaseID = LeaseID(1), checkpointSeconds: Double? = nil,
    checkpoint: CheckpointContents? = nil
  ) throws -> WorkerIdentity {
    let identity = try next { if case .hello(let hello) = $0 { hello.identity } else { nil } }
    try say(.welcome(worker: 1, leaseSeconds: 60, progressSeconds: 0.01, checkpointSeconds: checkpointSeconds))
    try next { $0 == .ready ? true : nil }
    try say(.grant(lease: lease, point: point.id, point.experiment, checkpoint: checkpoint))
    return identity
  }

  struct Overdue: Error {}
}

/// Log lines, kept for the test to read.
final class Lines: Sendable {
  private let kept = Mutex<[String]>([])

  var all: [String] { kept.withLock { $0 } }
  func contains(_ text: String) -> Bool { all.contains { $0.contains(text) } }

  var logger: Logger {
    Logger(label: "test") { _ in Handler(lines: self) }
  }

  private struct Handler: LogHandler {
    let lines: Lines
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.kept.withLock { $0.append("\(event.level): \(event.message)") }
    }
  }
}
