// Seeded stories of a whole cluster. A seed that failed is to become a test of its own.

import Foundation
import Simulation
import Testing

@Suite struct SimulationTests {
  private func run(
    _ seed: UInt64, points: Int = 12, workers: Int = 4, _ faults: Faults, faultySeconds: Double = 300
  ) -> SimulationReport {
    var configuration = SimulationConfiguration(seed: seed)
    configuration.points = points
    configuration.workers = workers
    configuration.faults = faults
    configuration.faultySeconds = faultySeconds
    return Simulation.run(configuration)
  }

  private func expectWell(_ report: SimulationReport) {
    let story = report.story.joined(separator: "\n")
    #expect(
      report.violation == nil, "seed \(report.configuration.seed), \(report.configuration.faults.text):\n\(story)")
    #expect(!report.isCut, "seed \(report.configuration.seed)")
  }

  @Test func `a sweep without faults ends with every result and one attempt a point`() {
    let report = run(1, .none, faultySeconds: 0)
    expectWell(report)
    #expect(report.results == 12)
    #expect(report.attempts == 12)
    #expect(report.faults.total == 0)
  }

  @Test func `whatever the faults, every point ends once and right`() {
    for seed in UInt64(1)...60 {
      let report = run(seed, .some)
      expectWell(report)
      if report.violation != nil { return }
    }
  }

  @Test(arguments: FaultKind.allCases) func `one kind of fault alone is survived`(kind: FaultKind) {
    var faults = Faults.none
    faults[kind] = 4
    for seed in UInt64(1)...3 { expectWell(run(seed, faults)) }
  }

  @Test func `clusters of every size and temper end well`() {
    for seed in UInt64(1)...60 {
      let report = Simulation.run(.random(seed: seed))
      expectWell(report)
      if report.violation != nil { return }
    }
  }

  /// The swarm of `make soak`: seeds derived from the commit, so that every commit tells other stories.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["GROKSWEEP_TEST_SOAK"] != nil))
  func `a swarm of a thousand seeds ends well`() throws {
    let environment = ProcessInfo.processInfo.environment
    let first = environment["GROKSWEEP_TEST_SEED"].flatMap { UInt64($0) } ?? 1_000_000
    for seed in first..<(first + 1000) {
      let report = Simulation.run(.random(seed: seed))
      expectWell(report)
      if report.violation != nil { return }
    }
  }

  @Test func `one seed tells one story`() {
    let configuration = SimulationConfiguration.random(seed: 77)
    let first = Simulation.run(configuration)
    let second = Simulation.run(configuration)
    #expect(first.events == second.events)
    #expect(first.virtualSeconds == second.virtualSeconds)
    #expect(first.faults == second.faults)
    #expect(first.attempts == second.attempts)
  }

  @Test func `another seed tells another story`() {
    #expect(run(1, .some).events != run(2, .some).events)
  }

  /// The coordinator of this story says receipt, and commits a moment later.
  @Test func `a receipt before its commit is caught`() throws {
    var configuration = SimulationConfiguration(seed: 1)
    configuration.faults = .none
    configuration.faultySeconds = 0
    configuration.answersBeforeCommit = true
    let report = Simulation.run(configuration)
    let violation = try #require(report.violation)
    #expect(violation.contains("forgets its result"))
    #expect(report.story.contains { $0.contains("receipt") })
    configuration.answersBeforeCommit = false
    #expect(Simulation.run(configuration).violation == nil)
  }

  /// As in the scheduler's first simulation, seed 10400: the only worker's run hung before its first report, and the
  /// coordinator forgot it meanwhile.
  @Test func `a worker that hangs from the start comes back`() throws {
    let faults = try Faults(parsing: "hang=16,coordinator-crash,loss")
    for seed in UInt64(10_400)...10_404 { expectWell(run(seed, points: 7, workers: 1, faults, faultySeconds: 400)) }
  }

  @Test func `a point that kills its workers is quarantined and the others end`() throws {
    let faults = try Faults(parsing: "poison=10,worker-crash")
    var quarantined = 0
    for seed in UInt64(1)...10 {
      let report = run(seed, faults)
      expectWell(report)
      #expect(report.results + report.quarantined == 12)
      quarantined += report.quarantined
    }
    #expect(quarantined > 5)
  }

  /// Swarm seeds 5048 and 838: a process was reported dead in the round that granted it a point, and the commit of that
  /// round failed; so an attempt counted that the store never had.
  @Test(arguments: [5048, 838] as [UInt64]) func `an attempt that could not be recorded is not charged`(seed: UInt64) {
    expectWell(Simulation.run(.random(seed: seed)))
  }

  /// Swarm seed 24: a verification was wished for again while the result of the one before was on its way into the store.
  @Test func `a verification that is wished for while another one ends is none of a settled point`() {
    expectWell(Simulation.run(.random(seed: 24)))
  }

  /// Swarm seeds 207 and 409.
  @Test(arguments: [207, 409] as [UInt64]) func `a worker that comes back goes on with the point of a paused sweep`(
    seed: UInt64
  ) {
    expectWell(Simulation.run(.random(seed: seed)))
  }

  /// Swarm seeds 368, 1377, 2195, 5035 and 5553: the only machine was barred, and nobody started the coordinator again.
  @Test(arguments: [368, 1377, 2195, 5035, 5553] as [UInt64])
  func `a sweep whose only machine was barred ends once that is well`(seed: UInt64) {
    expectWell(Simulation.run(.random(seed: seed)))
  }

  @Test func `a lonely machine that fails again and again works again by itself`() throws {
    let faults = try Faults(parsing: "engine-error=10,worker-crash=2")
    for seed in UInt64(1)...10 { expectWell(run(seed, points: 12, workers: 1 + Int(seed % 2), faults)) }
  }

  /// Swarm seeds 1727 and 3553: a sweep was submitted while the giving up of one of its points was not written yet.
  @Test(arguments: [1727, 3553] as [UInt64]) func `a point that was given up is not brought back by a race`(
    seed: UInt64
  ) {
    expectWell(Simulation.run(.random(seed: seed)))
  }

  /// Swarm seed 295: the coordinator was done before a worker came back with the result of a point that was cancelled.
  @Test func `a result that nobody wants may stay where it is when all is done`() {
    expectWell(Simulation.run(.random(seed: 295)))
  }

  @Test func `checkpoints that are damaged where they are kept cost time only`() throws {
    let faults = try Faults(parsing: "damage=8,worker-crash=2,worker-signal=2")
    for seed in UInt64(1)...10 { expectWell(run(seed, faults)) }
  }

  @Test func `faults are read from text and written as it`() throws {
    #expect(try Faults(parsing: "none") == .none)
    #expect(try Faults(parsing: "loss,worker-crash=2.5")[.workerCrash] == 2.5)
    #expect(try Faults(parsing: "loss")[.loss] == 1)
    let faults = try Faults(parsing: "loss=2.0,half-open=1.0")
    #expect(try Faults(parsing: faults.text) == faults)
    #expect(Faults.many.text == "many")
    #expect(throws: FaultsUnknown.self) { try Faults(parsing: "lose") }
    #expect(throws: FaultsUnknown.self) { try Faults(parsing: "loss=-1") }
  }
}
