// The worker's side of every conversation, with a clock that the tests turn.

import Grokking
import Sweeps
import Testing

@Suite struct WorkerSessionTests {
  private typealias Samples = MachineSamples

  /// A session and its clock.
  private struct Bench {
    var session = WorkerSession(SessionConfiguration(identity: Samples.identity(1)))
    var now = MonotonicInstant(nanoseconds: 0)

    mutating func handle(_ event: SessionEvent) -> [SessionDirective] {
      session.handle(event, at: now).filter { if case .log = $0 { false } else { true } }
    }
    mutating func hear(_ message: CoordinatorMessage) -> [SessionDirective] { handle(.message(message)) }
    mutating func wait(_ seconds: Double) -> [SessionDirective] {
      now = now.advanced(bySeconds: seconds)
      return handle(.tick)
    }
    mutating func join() {
      _ = handle(.start)
      _ = hear(.welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1))
    }
    /// Joined and training point 0 under lease 5.
    mutating func train() {
      join()
      _ = hear(.grant(lease: LeaseID(5), point: Samples.id(0), Samples.experiment(0)))
    }
  }

  private static let held = HeldLease(lease: LeaseID(5), point: Samples.id(0))
  private static let result = UnsentResult(
    lease: LeaseID(5), point: Samples.id(0), result: Samples.result(0), seconds: 3)
  private static let finished = WorkerMessage.finished(
    lease: LeaseID(5), point: Samples.id(0), Samples.result(0), seconds: 3)

  @Test func `hello is said until there is a welcome, then ready`() {
    var bench = Bench()
    let hello = SessionDirective.send(Samples.hello(1))
    #expect(bench.handle(.start) == [hello])
    #expect(bench.wait(1).isEmpty)
    #expect(bench.wait(1) == [hello])
    #expect(bench.hear(.welcome(worker: 3, leaseSeconds: 60, progressSeconds: 1)) == [.send(.ready)])
    #expect(bench.session.nextDeadline == bench.now.advanced(bySeconds: 10))
    #expect(bench.wait(10) == [.send(.ready)])
    #expect(bench.hear(.welcome(worker: 3, leaseSeconds: 60, progressSeconds: 1)).isEmpty, "an echo")
  }

  @Test func `a refused worker stops with the coordinator's words`() {
    var bench = Bench()
    _ = bench.handle(.start)
    #expect(
      bench.hear(.refused(reason: "other version")) == [
        .exit(code: 77, reason: "the coordinator refused this worker: other version")
      ])
    #expect(bench.wait(100).isEmpty)
  }

  @Test(arguments: [true, false]) func `final weights are kept and sent when the coordinator wants them`(isWanted: Bool)
  {
    var bench = Bench()
    _ = bench.handle(.start)
    _ = bench.hear(.welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1, keepsWeights: isWanted))
    _ = bench.hear(.grant(lease: LeaseID(5), point: Samples.id(0), Samples.experiment(0)))
    var weighty = Samples.result(0)
    weighty.finalWeights = [1, 2, 3]
    let brought = isWanted ? weighty : Samples.result(0)
    #expect(
      bench.handle(.runFinished(weighty, seconds: 3)).prefix(2) == [
        .keepResult(UnsentResult(lease: LeaseID(5), point: Samples.id(0), result: brought, seconds: 3)),
        .send(.finished(lease: LeaseID(5), point: Samples.id(0), brought, seconds: 3)),
      ])
  }

  @Test func `a result whose weights do not come through goes without them, and so does one of a leaving worker`() {
    var bench = Bench()
    _ = bench.handle(.start)
    _ = bench.hear(.welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1, keepsWeights: true))
    _ = bench.hear(.grant(lease: LeaseID(5), point: Samples.id(0), Samples.experiment(0)))
    var weighty = Samples.result(0)
    weighty.finalWeights = [UInt8](repeating: 1, count: 500_000)
    let whole = SessionDirective.send(.finished(lease: LeaseID(5), point: Samples.id(0), weighty, seconds: 3))
    var leaving = bench
    #expect(bench.handle(.runFinished(weighty, seconds: 3)).contains(whole))
    // 5 s for an answer, and 5 for the bytes.
    #expect(!bench.wait(9.5).contains(whole))
    #expect(bench.wait(0.5).contains(whole))
    #expect(!bench.wait(9.5).contains(.send(Self.finished)))
    #expect(bench.wait(0.5).contains(.send(Self.finished)))
    #expect(bench.wait(5).contains(.send(Self.finished)))
    _ = leaving.handle(.interrupt(exitCode: 0))
    #expect(leaving.handle(.runFinished(weighty, seconds: 3)).contains(.send(Self.finished)))
  }

  @Test func `a grant is trained once however often it comes`() {
    var bench = Bench()
    bench.join()
    let grant = CoordinatorMessage.grant(lease: LeaseID(5), point: Samples.id(0), Samples.experiment(0))
    #expect(bench.hear(grant) == [.startTraining(LeaseID(5), Samples.id(0), Samples.experiment(0))])
    #expect(bench.hear(grant).isEmpty)
    _ = bench.handle(.runFinished(Samples.result(0), seconds: 3))
    #expect(bench.hear(grant).isEmpty)
  }

  @Test func `progress is thinned out and repeated while nothing moves`() {
    var bench = Bench()
    bench.train()
    func said(_ work: Int) -> [SessionDirective] {
      [.send(.progress(lease: LeaseID(5), Samples.progress(work: work), epochsPerSecond: 20))]
    }
    #expect(bench.handle(.progress(Samples.progress(work: 1), epochsPerSecond: 20)) == said(1))
    #expect(bench.handle(.progress(Samples.progress(work: 2), epochsPerSecond: 20)).isEmpty)
    #expect(bench.wait(1) == said(2))
    #expect(bench.wait(1) == said(2))
  }

  @Test func `a run that hangs before its first report is not silent`() {
    var bench = Bench()
    bench.train()
    let begun = RunProgress(stage: .training, epoch: 0, epochs: 1000, work: 0, totalWork: 1000)
    let said = [SessionDirective.send(.progress(lease: LeaseID(5), begun, epochsPerSecond: 0))]
    #expect(bench.wait(1) == said)
    #expect(bench.wait(1) == said)
    #expect(bench.hear(.revoked(lease: LeaseID(5))) == [.stopTraining(checkpoint: false)])
    #expect(bench.wait(30).last == .exit(code: 1, reason: "the training thread did not stop within 30 s"))
  }

  @Test func `a result is kept on disk, sent until its receipt, then forgotten`() {
    var bench = Bench()
    bench.train()
    #expect(
      bench.handle(.runFinished(Samples.result(0), seconds: 3))
        == [.keepResult(Self.result), .send(Self.finished)])
    #expect(bench.wait(5) == [.send(Self.finished)])
    #expect(
      bench.hear(.receipt(lease: LeaseID(5), point: Samples.id(0))) == [
        .forgetResult(LeaseID(5), Samples.id(0)), .send(.ready),
      ], "no grant came before the receipt")
    #expect(!bench.wait(5).contains(.send(Self.finished)))
  }

  @Test func `a result says that its worker is ready, so that it is not said again once there is a grant`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.runFinished(Samples.result(0), seconds: 3))
    _ = bench.hear(.grant(lease: LeaseID(6), point: Samples.id(1), Samples.experiment(1)))
    #expect(
      bench.hear(.receipt(lease: LeaseID(5), point: Samples.id(0))) == [.forgetResult(LeaseID(5), Samples.id(0))])
  }

  @Test func `the receipt of an older result says nothing of readiness`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.runFinished(Samples.result(0), seconds: 3))
    _ = bench.hear(.grant(lease: LeaseID(6), point: Samples.id(1), Samples.experiment(1)))
    _ = bench.handle(.runFinished(Samples.result(1), seconds: 3))
    #expect(
      bench.hear(.receipt(lease: LeaseID(5), point: Samples.id(0))) == [.forgetResult(LeaseID(5), Samples.id(0))])
    #expect(
      bench.hear(.receipt(lease: LeaseID(6), point: Samples.id(1))).last == .send(.ready))
  }

  @Test func `results found on disk are brought after the welcome`() {
    var bench = Bench()
    #expect(bench.handle(.unsentResults([Self.result])).isEmpty)
    _ = bench.handle(.start)
    let welcome = bench.hear(.welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1))
    #expect(welcome == [.send(.ready), .send(Self.finished)])
    let grant = CoordinatorMessage.grant(lease: LeaseID(6), point: Samples.id(0), Samples.experiment(0))
    #expect(bench.hear(grant) == [.send(Self.finished)], "trained already")
  }

  @Test func `a result that this coordinator never asked for is set aside`() {
    var bench = Bench()
    _ = bench.handle(.unsentResults([Self.result]))
    bench.join()
    _ = bench.hear(.unwanted(lease: LeaseID(5), point: Samples.id(0)))
    #expect(!bench.wait(10).contains(.send(Self.finished)))
    #expect(bench.hear(.leave) == [.send(.goodbye), .exit(code: 0, reason: nil)])
  }

  @Test func `a result of another store is set aside without stopping the run under the same lease number`() {
    var bench = Bench()
    let old = UnsentResult(lease: LeaseID(5), point: Samples.id(8), result: Samples.result(8), seconds: 3)
    _ = bench.handle(.unsentResults([old]))
    bench.train()
    #expect(bench.hear(.unwanted(lease: LeaseID(5), point: Samples.id(8))).isEmpty)
    #expect(!bench.handle(.runFinished(Samples.result(0), seconds: 3)).isEmpty)
    #expect(bench.wait(5) == [.send(Self.finished)])
  }

  @Test func `a result is said again although its lease was revoked`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.runFinished(Samples.result(0), seconds: 3))
    #expect(bench.hear(.revoked(lease: LeaseID(5))).isEmpty)
    #expect(bench.wait(5) == [.send(Self.finished)])
  }

  @Test func `another coordinator may give the numbers of an ended lease again`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.runFinished(Samples.result(0), seconds: 3))
    _ = bench.hear(.receipt(lease: LeaseID(5), point: Samples.id(0)))
    let grant = CoordinatorMessage.grant(lease: LeaseID(5), point: Samples.id(0), Samples.experiment(0))
    #expect(bench.hear(grant).isEmpty, "an echo")
    _ = bench.hear(.sayHello)
    _ = bench.hear(.welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1))
    #expect(bench.hear(grant) == [.startTraining(LeaseID(5), Samples.id(0), Samples.experiment(0))])
  }

  @Test func `a restarted coordinator is told which lease is held, once`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.progress(Samples.progress(work: 1), epochsPerSecond: 20))
    #expect(bench.hear(.sayHello) == [.send(Samples.hello(1, holding: Self.held))])
    #expect(bench.hear(.sayHello).isEmpty)
    let welcome = bench.hear(.welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1))
    #expect(welcome == [.send(.progress(lease: LeaseID(5), Samples.progress(work: 1), epochsPerSecond: 20))])
  }

  @Test func `training goes on while the coordinator is silent`() {
    var bench = Bench()
    bench.train()
    _ = bench.hear(.sayHello)
    for work in 1...100 {
      _ = bench.handle(.progress(Samples.progress(work: work), epochsPerSecond: 20))
      #expect(bench.wait(2) == [.send(Samples.hello(1, holding: Self.held))])
    }
    #expect(bench.handle(.runFinished(Samples.result(0), seconds: 3)) == [.keepResult(Self.result)])
  }

  @Test func `the same point under a newer lease goes on`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.progress(Samples.progress(work: 1), epochsPerSecond: 20))
    let renewed = bench.hear(.grant(lease: LeaseID(9), point: Samples.id(0), Samples.experiment(0)))
    #expect(renewed == [.send(.progress(lease: LeaseID(9), Samples.progress(work: 1), epochsPerSecond: 20))])
  }

  @Test func `a revoked run is stopped and the next begins only after it`() {
    var bench = Bench()
    bench.train()
    #expect(bench.hear(.revoked(lease: LeaseID(5))) == [.stopTraining(checkpoint: false)])
    #expect(bench.hear(.grant(lease: LeaseID(6), point: Samples.id(1), Samples.experiment(1))).isEmpty)
    #expect(
      bench.handle(.runStopped(epoch: 7)) == [.startTraining(LeaseID(6), Samples.id(1), Samples.experiment(1))])
  }

  @Test func `a run that hangs when it is stopped ends the process`() {
    var bench = Bench()
    bench.train()
    _ = bench.hear(.revoked(lease: LeaseID(5)))
    #expect(
      bench.wait(30) == [
        .send(.goodbye), .exit(code: 1, reason: "the training thread did not stop within 30 s"),
      ])
  }

  @Test func `a failure is said until its receipt`() {
    var bench = Bench()
    bench.train()
    let failed = SessionDirective.send(
      .failed(lease: LeaseID(5), point: Samples.id(0), .engineError, reason: "out of memory"))
    #expect(bench.handle(.runFailed(.engineError, reason: "out of memory")) == [failed, .send(.ready)])
    #expect(bench.wait(5) == [failed])
    #expect(bench.hear(.receipt(lease: LeaseID(5), point: Samples.id(0))).isEmpty)
    #expect(!bench.wait(5).contains(failed))
  }

  @Test func `an interrupted worker hands its point back before it leaves`() {
    var bench = Bench()
    bench.train()
    #expect(bench.handle(.interrupt(exitCode: 130)) == [.stopTraining(checkpoint: true)])
    let handedBack = WorkerMessage.handedBack(lease: LeaseID(5), point: Samples.id(0), epoch: 44)
    #expect(bench.handle(.runStopped(epoch: 44)) == [.send(handedBack)])
    #expect(
      bench.hear(.receipt(lease: LeaseID(5), point: Samples.id(0)))
        == [.send(.goodbye), .exit(code: 130, reason: nil)])
  }

  @Test func `an interrupted worker does not spin while its training thread stops`() throws {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.interrupt(exitCode: 0))
    // Beyond what it would wait for receipts.
    for _ in 0..<10 { _ = bench.wait(1) }
    #expect(!bench.session.isOver)
    #expect(try #require(bench.session.nextDeadline) > bench.now)
  }

  @Test func `an interrupted worker waits five seconds for its receipt and no longer`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.interrupt(exitCode: 0))
    _ = bench.handle(.runStopped(epoch: 44))
    #expect(bench.wait(4).isEmpty)
    #expect(bench.wait(1).last == .exit(code: 0, reason: nil))
  }

  @Test func `the second interrupt ends the process at once`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.interrupt(exitCode: 130))
    #expect(bench.handle(.interrupt(exitCode: 130)).last == .exit(code: 130, reason: "interrupted twice"))
    #expect(bench.session.isOver)
  }

  @Test func `a worker without work leaves when it is told to`() {
    var bench = Bench()
    bench.join()
    #expect(bench.hear(.leave) == [.send(.goodbye), .exit(code: 0, reason: nil)])
  }
}
