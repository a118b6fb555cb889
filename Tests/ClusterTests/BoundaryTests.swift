// A sweep that grows with its results, through a real coordinator: nothing is called done before it is, and a coordinator
// that ended between a result and what follows from it leaves nothing out.

import Cluster
import Foundation
import Grokking
import Results
import Sweeps
import Testing
import ZeroMQ

/// A fixture whose store also has a search over the weight decay, which no run decides: results are made up.
private struct Search {
  static let change = 0.37
  static let text = """
    sweep: search
    task: {modulus: 7, train_fraction: 0.5}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: 60}
    measure: {evaluate_every: 20}
    method: boundary
    axes:
      training.learning_rate: [0.001, 0.002]
      training.weight_decay: {boundary: [0.1, 0.9], resolution: 0.01, start: 5}
      seed: {count: 2}
    """

  let fixture: Fixture
  let file: SweepFile
  let plan: BoundaryPlan
  private let weightDecays: [PointID: Double]
  private let template: RunResult

  init() throws {
    fixture = try Fixture(points: 1)
    file = try SweepFile(text: Self.text, fileName: "search.yaml", overrides: ["training.epochs=60"])
    plan = try #require(file.boundary)
    weightDecays = Dictionary(
      uniqueKeysWithValues: plan.grid.map { ($0.id, $0.experiment.training.weightDecay) })
    template = try Fixture.result(of: file.points[0])
    let registration = try fixture.store.register(
      SweepRegistration(
        name: file.name, canonical: file.canonical, fileText: file.storedText, axes: file.axes,
        points: Array(try fixture.store.points(of: file)), differences: { _ in [] }), at: Date())
    #expect(registration.total == 20)
  }

  func result(of point: PointID) -> RunResult {
    var result = template
    result.outcome =
      (weightDecays[point] ?? 0) < Self.change
      ? .memorized(memorization: 20, censoredAfter: 60) : .grokked(memorization: 20, grokking: 40)
    return result
  }

  /// What it must come to.
  var wanted: [PointID] {
    plan.wanted { (weightDecays[$0] ?? 0) < Self.change ? .censored : .grokked }.points.map(\.id)
  }

  func shell(_ interrupt: Interrupt) throws -> CoordinatorShell {
    try CoordinatorShell(
      store: fixture.store, sweeps: ["search"],
      CoordinatorShell.Configuration(
        endpoint: fixture.endpoint, scheduler: SchedulerConfiguration(progressSeconds: 0.01, graceSeconds: 0),
        overviewSeconds: 0.01),
      interrupt: interrupt, logger: fixture.logger)
  }

  /// A coordinator on this thread, and a worker played by hand. Told to end after `limit` receipts.
  func coordinate(receipts limit: Int = .max) throws -> CoordinatorEnd {
    let interrupt = try Interrupt()
    let shell = try shell(interrupt)
    let socket = try Socket(Context(), .dealer)
    try socket.connect(fixture.endpoint)
    var unsaid: [WorkerMessage] = [.hello(Hello(try Fixture.identity())), .ready]
    var receipts = 0
    let deadline = fixture.deadline
    shell.onOverview = { _ in
      while let frames = try? socket.receive()?.frames {
        switch try? WireCodec.decodeCoordinatorMessage(frames) {
        case .grant(let lease, let point, _, _):
          unsaid.append(.finished(lease: lease, point: point, result(of: point), seconds: 1))
        case .receipt:
          receipts += 1
          if receipts >= limit { interrupt.request(SIGTERM) }
        case .leave: unsaid.append(.goodbye)
        default: break
        }
      }
      while let message = unsaid.first, (try? socket.send(WireCodec.encode(message))) == .queued {
        unsaid.removeFirst()
      }
      if ContinuousClock.now > deadline { interrupt.request(SIGTERM) }
    }
    return try shell.run()
  }

  func members() throws -> [PointID] { try fixture.store.knownPoints(ofSweep: "search").points.map(\.id) }
}

@Suite struct BoundaryTests {
  @Test func `a search grows until the change lies between neighbours, and then it is done`() throws {
    let search = try Search()
    #expect(try search.coordinate().ending == .everyPointTerminal)
    let progress = try search.fixture.store.sweepProgress(of: "search")
    #expect(progress.finished == progress.total && progress.total == search.wanted.count && !progress.isRefining)
    // In the order of the grid, whatever the order in which results came.
    #expect(try search.members() == search.wanted)
    #expect(search.wanted.count <= search.plan.mostPointsForOneChange ?? 0)
    #expect(search.fixture.lines.contains("refining where the outcome changes"))
    // Every setting with its label, in place.
    #expect(
      try search.fixture.store.runs(of: "search").map(\.setting).contains("learning_rate=0.002 weight_decay=0.37"))
  }

  @Test func `a coordinator that was stopped in the middle is followed by one that goes on to the same points`() throws
  {
    let search = try Search()
    var rounds = 0
    while try search.coordinate(receipts: 7).ending != .everyPointTerminal, rounds < 20 { rounds += 1 }
    #expect(rounds > 2)
    #expect(try search.members() == search.wanted)
    let progress = try search.fixture.store.sweepProgress(of: "search")
    #expect(progress.finished == search.wanted.count)
  }

  @Test func `results that no coordinator answered with more points are answered at the start of the next`() throws {
    let search = try Search()
    // As a store that another version, or merging, filled.
    let store = search.fixture.store
    try store.recordWorker(WorkerRecord(number: 1, identity: try Fixture.identity()), at: Date())
    for point in search.file.points {
      _ = try store.store(
        search.result(of: point.id), of: point.id, lease: LeaseID(1), seconds: 1, worker: 1, at: Date())
    }
    #expect(try store.sweepProgress(of: "search").total == 20)
    _ = try search.shell(Interrupt())
    let progress = try store.sweepProgress(of: "search")
    #expect(progress.total == 24 && progress.finished == 20 && progress.isRefining)
    // Once more changes nothing.
    #expect(try store.grow(store.boundarySweeps()).isEmpty)
    // Registered again, the sweep is what it has become.
    #expect(try store.points(of: search.file).map(\.id) == search.members())
    #expect(try search.coordinate().ending == .everyPointTerminal)
    #expect(try search.members() == search.wanted)
  }

  @Test func `a result and the points that follow from it are one transaction`() throws {
    let search = try Search()
    let store = search.fixture.store
    try store.recordWorker(WorkerRecord(number: 1, identity: try Fixture.identity()), at: Date())
    let boundaries = try store.boundarySweeps()
    #expect(boundaries.problems.isEmpty)
    var added = 0
    for point in search.file.points {
      let (_, grown) = try store.commit(
        [.result(search.result(of: point.id), of: point.id, lease: LeaseID(1), seconds: 1, worker: 1)],
        growing: boundaries, at: Date())
      added += grown.reduce(0) { $0 + $1.points.count }
      #expect(try store.sweepProgress(of: "search").total == 20 + added)
    }
    #expect(added == 4)
  }
}
