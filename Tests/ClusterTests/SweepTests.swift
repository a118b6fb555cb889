// Coordinator and worker shells over real sockets, in one process: whole sweeps, signals, and a coordinator that dies.

import Cluster
import Foundation
import Grokking
import Results
import Sweeps
import Testing
import ZeroMQ

@Suite struct SweepTests {
  @Test func `two workers finish a sweep with the digests of undisturbed runs`() throws {
    let fixture = try Fixture(points: 6)
    let workers = [try fixture.worker(), try fixture.worker()]
    var last: SchedulerOverview?
    let end = try fixture.coordinate { overview, _ in last = overview }
    #expect(end.ending == .everyPointTerminal)
    #expect(end.interruptedBy == nil)
    #expect(end.overview.finished == 6 && last == end.overview)
    for worker in workers {
      // One that came when everything was done is still waiting for a coordinator, as it should.
      worker.interrupt.request(SIGTERM)
      #expect(try worker.end().code == 0)
    }
    let runs = try fixture.store.runs(of: "tiny")
    #expect(runs.map(\.point) == fixture.points.map(\.id))
    for (run, point) in zip(runs, fixture.points) { #expect(try run.digest == Fixture.digest(of: point)) }
    #expect(try fixture.store.summary().attempts == 6)
    #expect(try fixture.store.violationCount() == 0)
    // Nothing of a finished point stays in the scratch space.
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.scratch).isEmpty)
  }

  @Test func `a sweep runs over tcp as well, on a port that was free`() throws {
    let fixture = try Fixture(points: 2)
    let listener = try CoordinatorShell.listen(on: "tcp://localhost:0", logger: fixture.logger)
    let worker = try fixture.worker(at: listener.endpoint)
    let shell = try CoordinatorShell(
      store: fixture.store,
      CoordinatorShell.Configuration(endpoint: "tcp://localhost:0", scheduler: SchedulerConfiguration()),
      listener: listener, interrupt: try Interrupt(), logger: fixture.logger)
    #expect(shell.endpoint.hasPrefix("tcp://127.0.0.1:") && shell.endpoint == listener.endpoint)
    #expect(try shell.run().overview.finished == 2)
    #expect(try worker.end().code == 0)
  }

  @Test func `nothing to do is done at once`() throws {
    let fixture = try Fixture(points: 2)
    let worker = try fixture.worker()
    _ = try fixture.coordinate()
    _ = try worker.end()
    #expect(try fixture.coordinate().ending == .everyPointTerminal)
    #expect(try fixture.store.summary().attempts == 2)
  }

  @Test func `a signal ends the coordinator in order and the next one goes on from the checkpoints`() throws {
    let fixture = try Fixture(points: 1, epochs: Fixture.longEpochs)
    try fixture.interruptOnce(by: SIGINT)
    try fixture.finish()
    #expect(fixture.lines.contains("goes on from its checkpoint at epoch"))
    // Handing back is not held against the point.
    #expect(try fixture.store.schedulerStart().points[0].chargedAttempts == 0)
    #expect(try fixture.store.summary().attempts == 2)
  }

  @Test func `a coordinator that was restarted adopts the run of a worker that went on`() throws {
    let fixture = try Fixture(points: 1, epochs: 50_000_000)
    let worker = try fixture.worker()
    do {
      let dying = try CoordinatorByHand(at: fixture.endpoint)
      let identity = try dying.grant(fixture.points[0], LeaseID(7))
      try fixture.store.recordWorker(WorkerRecord(number: 3, identity: identity), at: Date())
      try fixture.store.recordGrant(
        AttemptRecord(lease: LeaseID(7), point: fixture.points[0].id, worker: 3), at: Date())
      try dying.next { if case .progress(_, let progress, _) = $0, progress.epoch > 0 { true } else { nil } }
    }
    let end = try fixture.coordinate { overview, interrupt in
      if overview.running.contains(where: { $0.lease == LeaseID(7) && $0.progress != nil }) {
        interrupt.request(SIGTERM)
      }
    }
    #expect(end.ending == .shutDown(stillHeld: 0))
    #expect(try worker.end().code == 0)
    // One attempt, by the worker of that number: nothing was granted anew.
    #expect(try fixture.store.summary().attempts == 1)
    #expect(try fixture.store.schedulerStart().nextWorker == 4)
  }

  @Test func `a worker whose parent has ended leaves`() throws {
    let fixture = try Fixture(points: 1)
    let worker = try fixture.worker(parent: 1 << 30)
    #expect(try worker.end().code == 0)
    #expect(fixture.lines.contains("the process that started this worker has ended"))
  }
}
