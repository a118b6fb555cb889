// A worker's checkpoints on their way out and in, and how it leaves with them; with a clock that the tests turn.

import Grokking
import Sweeps
import Testing

@Suite struct WorkerCheckpointTests {
  private typealias Samples = MachineSamples

  /// A session, its clock, and the lease that it has.
  private struct Bench {
    var session: WorkerSession
    var now = MonotonicInstant(nanoseconds: 0)

    init(lifetimeSeconds: Double? = nil, predecessor: Predecessor? = nil, selfTest: String? = nil) {
      session = WorkerSession(
        SessionConfiguration(
          identity: Samples.identity(1), lifetimeSeconds: lifetimeSeconds, predecessor: predecessor,
          selfTest: selfTest))
    }

    mutating func handle(_ event: SessionEvent) -> [SessionDirective] {
      session.handle(event, at: now).filter { if case .log = $0 { false } else { true } }
    }
    mutating func hear(_ message: CoordinatorMessage) -> [SessionDirective] { handle(.message(message)) }
    /// Time passes in steps, and with it every tick that is due; progress is left out of what is said.
    mutating func wait(_ seconds: Double) -> [SessionDirective] {
      var said: [SessionDirective] = []
      let end = now.advanced(bySeconds: seconds)
      while now < end {
        now = min(end, now.advanced(bySeconds: 0.5))
        said += handle(.tick)
      }
      return said.filter { if case .send(.progress) = $0 { false } else { true } }
    }
    mutating func join(checkpointSeconds: Double? = 30, leaseSeconds: Double = 60) {
      _ = handle(.start)
      _ = hear(
        .welcome(
          worker: 1, leaseSeconds: leaseSeconds, progressSeconds: 1, checkpointSeconds: checkpointSeconds))
    }
    /// Joined and training point 0 under lease 5, for as long as lies between two checkpoints.
    mutating func train(checkpointSeconds: Double? = 30, leaseSeconds: Double = 60) {
      join(checkpointSeconds: checkpointSeconds, leaseSeconds: leaseSeconds)
      _ = hear(.grant(lease: lease, point: point, Samples.experiment(0)))
      _ = wait(checkpointSeconds ?? 0)
    }
    /// Joined and granted point 0 with a checkpoint of epoch 300.
    mutating func fetch() -> [SessionDirective] {
      join()
      return hear(.grant(lease: lease, point: point, Samples.experiment(0), checkpoint: contents(300)))
    }
  }

  private static let lease = LeaseID(5)
  private static let point = Samples.id(0)
  private static let start = SessionDirective.startTraining(lease, point, Samples.experiment(0))
  private static let handedBack = SessionDirective.send(.handedBack(lease: lease, point: point, epoch: 44))

  /// A checkpoint that a run of `Samples.experiment(0)` could have written.
  private static func contents(_ epoch: Int) -> CheckpointContents {
    let numbers = SnapshotStore.numbersOfPart(Samples.experiment(0))
    return CheckpointContents(
      epoch: epoch, checkpointBytes: 12 * numbers + 121 + 3_000_000, partBytes: SealedSize.header + 4 * numbers,
      weights: [0..<4], moments: [2..<3])
  }

  private static func offer(_ epoch: Int) -> SessionDirective {
    .send(.offer(lease: lease, point: point, contents(epoch)))
  }

  private static func pull(_ epoch: Int, _ offset: Int = 0) -> CoordinatorMessage {
    .pull(lease: lease, point: point, CheckpointRequest(missing: contents(epoch), offset: offset, count: 100))
  }

  private static func request(_ offset: Int, _ count: Int = 1 << 20) -> SessionDirective {
    .send(
      .fetch(lease: lease, point: point, CheckpointRequest(missing: contents(300), offset: offset, count: count)))
  }

  private static func chunk(_ offset: Int, _ count: Int = 1 << 20, lease: LeaseID = lease) -> CoordinatorMessage {
    .chunk(
      lease: lease, point: point,
      CheckpointChunk(epoch: 300, offset: offset, bytes: Array(repeating: 7, count: count)))
  }

  // Out.

  @Test func `checkpoints are offered as often as they are wanted, and only the newest`() {
    var bench = Bench()
    bench.train()
    #expect(bench.handle(.checkpointWritten(Self.contents(100))) == [Self.offer(100)])
    #expect(bench.wait(10).isEmpty)
    #expect(bench.handle(.checkpointWritten(Self.contents(200))).isEmpty)
    #expect(bench.handle(.checkpointWritten(Self.contents(300))).isEmpty)
    #expect(bench.wait(19).isEmpty)
    #expect(bench.wait(1) == [Self.offer(300)])
    #expect(bench.wait(100).isEmpty, "nothing newer")
  }

  @Test func `a run that takes less time than lies between two checkpoints offers none, unless its worker leaves`() {
    var bench = Bench()
    bench.join()
    _ = bench.hear(.grant(lease: Self.lease, point: Self.point, Samples.experiment(0)))
    #expect(bench.handle(.checkpointWritten(Self.contents(100))).isEmpty)
    #expect(bench.wait(29.5).isEmpty)
    var leaving = bench
    #expect(bench.wait(0.5) == [Self.offer(100)])
    _ = leaving.handle(.interrupt(exitCode: 0))
    #expect(leaving.handle(.runStopped(epoch: 100)) == [Self.offer(100)])
  }

  @Test func `a coordinator that wants no checkpoints is offered none, and waits for none`() {
    var bench = Bench()
    bench.train(checkpointSeconds: nil)
    #expect(bench.handle(.checkpointWritten(Self.contents(100))).isEmpty)
    #expect(bench.wait(100).isEmpty)
    _ = bench.handle(.interrupt(exitCode: 0))
    #expect(bench.handle(.runStopped(epoch: 44)) == [Self.handedBack])
  }

  // The end of a censored run.

  private static func censored() -> RunResult {
    var result = Samples.result(0)
    result.outcome = .memorized(memorization: 140, censoredAfter: 1000)
    return result
  }

  /// Joined to a coordinator that keeps ends but wants no other checkpoints, with the run's end on disk.
  private static func ended(keepsCensored: Bool = true, epoch: Int = 1000) -> Bench {
    var bench = Bench()
    _ = bench.handle(.start)
    _ = bench.hear(
      .welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1, keepsCensored: keepsCensored))
    _ = bench.hear(.grant(lease: lease, point: point, Samples.experiment(0)))
    #expect(bench.handle(.checkpointWritten(contents(epoch))).isEmpty)
    return bench
  }

  private static let unsent = UnsentResult(lease: lease, point: point, result: censored(), seconds: 9)
  private static let brought: [SessionDirective] = [
    .keepResult(unsent), .send(.finished(lease: lease, point: point, unsent.result, seconds: 9)),
  ]

  @Test func `how a censored run ended is handed over before its result`() {
    var bench = Self.ended()
    #expect(bench.handle(.runFinished(Self.censored(), seconds: 9)) == [Self.offer(1000)])
    for _ in 0..<10 {
      guard case .pull(_, _, let request) = Self.pull(1000) else { return }
      #expect(bench.hear(Self.pull(1000)) == [.sendChunk(Self.lease, Self.point, request)])
      #expect(bench.wait(4).isEmpty, "as long as bytes are asked for")
    }
    #expect(bench.hear(.checkpointKept(lease: Self.lease, point: Self.point, epoch: 1000)) == Self.brought)
  }

  enum Refusal: CaseIterable { case silence, notTaken, revoked, interrupt, otherPoint }

  @Test(arguments: Refusal.allCases)
  func `whatever becomes of how a run ended, its result comes`(refusal: Refusal) {
    var bench = Self.ended()
    _ = bench.handle(.runFinished(Self.censored(), seconds: 9))
    let said: [SessionDirective] =
      switch refusal {
      case .silence: bench.wait(31).filter { $0 != Self.offer(1000) }
      case .notTaken: bench.hear(.chunkGone(lease: Self.lease, point: Self.point, epoch: 1000))
      case .revoked: bench.hear(.revoked(lease: Self.lease))
      case .interrupt: bench.handle(.interrupt(exitCode: 0))
      case .otherPoint: bench.hear(.grant(lease: LeaseID(6), point: Samples.id(1), Samples.experiment(1)))
      }
    #expect(said.filter(Self.brought.contains) == Self.brought)
    #expect(said.contains(.startTraining(LeaseID(6), Samples.id(1), Samples.experiment(1))) == (refusal == .otherPoint))
  }

  @Test func `a run that grokked, or whose end nobody keeps or lies on no disk, is brought at once`() {
    var bench = Self.ended()
    let grokked = UnsentResult(lease: Self.lease, point: Self.point, result: Samples.result(0), seconds: 9)
    #expect(bench.handle(.runFinished(grokked.result, seconds: 9)).first == .keepResult(grokked))
    bench = Self.ended(keepsCensored: false)
    #expect(bench.handle(.runFinished(Self.censored(), seconds: 9)) == Self.brought)
    bench = Self.ended(epoch: 900)
    #expect(bench.handle(.runFinished(Self.censored(), seconds: 9)) == Self.brought)
  }

  // Out, again.

  @Test func `an offer that is being pulled is not disturbed by a newer one`() {
    var bench = Bench()
    bench.train(checkpointSeconds: 10)
    _ = bench.handle(.checkpointWritten(Self.contents(100)))
    for _ in 0..<5 {
      _ = bench.handle(.checkpointWritten(Self.contents(200)))
      #expect(bench.wait(6).isEmpty)
      guard case .pull(_, _, let request) = Self.pull(100) else { return }
      #expect(bench.hear(Self.pull(100)) == [.sendChunk(Self.lease, Self.point, request)])
    }
    #expect(
      bench.hear(.checkpointKept(lease: Self.lease, point: Self.point, epoch: 100)) == [Self.offer(200)],
      "at once when it is kept, since its time has come")
  }

  @Test func `an offer that nobody pulls any more makes room for a newer one`() {
    var bench = Bench()
    bench.train(checkpointSeconds: 10)
    _ = bench.handle(.checkpointWritten(Self.contents(100)))
    _ = bench.hear(Self.pull(100))
    _ = bench.handle(.checkpointWritten(Self.contents(200)))
    #expect(bench.wait(10) == [Self.offer(200)])
  }

  @Test func `a leaving worker whose checkpoint is not taken hands its point back at once`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.interrupt(exitCode: 0))
    _ = bench.handle(.checkpointWritten(Self.contents(100)))
    #expect(bench.handle(.runStopped(epoch: 44)) == [Self.offer(100)])
    #expect(bench.hear(.chunkGone(lease: Self.lease, point: Self.point, epoch: 90)).isEmpty, "an older one")
    #expect(bench.hear(.chunkGone(lease: Self.lease, point: Self.point, epoch: 100)) == [Self.handedBack])
  }

  @Test func `a leaving worker waits for half a lease at most before it hands its point back`() {
    var bench = Bench()
    bench.train(leaseSeconds: 20)
    _ = bench.handle(.interrupt(exitCode: 0))
    _ = bench.handle(.checkpointWritten(Self.contents(100)))
    #expect(bench.handle(.runStopped(epoch: 44)) == [Self.offer(100)])
    #expect(!bench.wait(9.5).contains(Self.handedBack))
    #expect(bench.wait(0.5).contains(Self.handedBack))
  }

  @Test func `a checkpoint that was replaced while it was fetched is fetched anew`() {
    var bench = Bench()
    _ = bench.fetch()
    _ = bench.handle(.prepared(missing: Self.contents(300)))
    let newer = Self.contents(400)
    let grant = CoordinatorMessage.grant(
      lease: Self.lease, point: Self.point, Samples.experiment(0), checkpoint: newer)
    let echo = CoordinatorMessage.grant(
      lease: Self.lease, point: Self.point, Samples.experiment(0), checkpoint: Self.contents(300))
    #expect(bench.hear(echo).isEmpty)
    #expect(
      bench.hear(grant) == [
        .dropFetched(Self.point), .prepare(Self.lease, Self.point, Samples.experiment(0), newer),
      ])
    #expect(bench.hear(Self.chunk(0)).isEmpty)
    let count = CheckpointContents.maximumChunkBytes
    #expect(
      bench.handle(.prepared(missing: newer)) == [
        .send(
          .fetch(
            lease: Self.lease, point: Self.point, CheckpointRequest(missing: newer, offset: 0, count: count)))
      ])
  }

  @Test func `a checkpoint that is kept is not offered again`() {
    var bench = Bench()
    bench.train(checkpointSeconds: 1)
    _ = bench.handle(.checkpointWritten(Self.contents(100)))
    _ = bench.hear(.checkpointKept(lease: Self.lease, point: Self.point, epoch: 150))
    #expect(bench.handle(.checkpointWritten(Self.contents(150))).isEmpty)
    #expect(bench.wait(10).isEmpty)
    #expect(bench.handle(.checkpointWritten(Self.contents(151))) == [Self.offer(151)])
  }

  @Test func `a pull for another run is answered with words of regret`() {
    var bench = Bench()
    bench.train()
    let other = CheckpointRequest(missing: Self.contents(100), offset: 0, count: 100)
    #expect(
      bench.hear(.pull(lease: LeaseID(4), point: Self.point, other))
        == [.send(.chunkGone(lease: LeaseID(4), point: Self.point, epoch: 100))])
    _ = bench.handle(.runFinished(Samples.result(0), seconds: 3))
    #expect(
      bench.hear(Self.pull(100)) == [.send(.chunkGone(lease: Self.lease, point: Self.point, epoch: 100))])
  }

  @Test func `a restarted coordinator is offered the checkpoint again`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.checkpointWritten(Self.contents(100)))
    _ = bench.hear(.checkpointKept(lease: Self.lease, point: Self.point, epoch: 100))
    _ = bench.hear(.sayHello)
    let said = bench.hear(
      .welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1, checkpointSeconds: 30))
    #expect(said.contains(Self.offer(100)))
  }

  // Leaving.

  @Test func `a leaving worker hands its checkpoint over before its point`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.checkpointWritten(Self.contents(10)))
    #expect(bench.handle(.interrupt(exitCode: 0)) == [.stopTraining(checkpoint: true)])
    #expect(bench.handle(.checkpointWritten(Self.contents(44))).isEmpty)
    #expect(bench.handle(.runStopped(epoch: 44)) == [Self.offer(44)])
    #expect(bench.hear(.checkpointKept(lease: Self.lease, point: Self.point, epoch: 10)).isEmpty, "not this one")
    guard case .pull(_, _, let request) = Self.pull(44) else { return }
    #expect(bench.hear(Self.pull(44)) == [.sendChunk(Self.lease, Self.point, request)])
    #expect(bench.wait(4).isEmpty)
    #expect(bench.wait(1) == [Self.offer(44)], "said again when nothing was heard")
    #expect(bench.hear(.checkpointKept(lease: Self.lease, point: Self.point, epoch: 44)) == [Self.handedBack])
    #expect(
      bench.hear(.receipt(lease: Self.lease, point: Self.point)) == [.send(.goodbye), .exit(code: 0, reason: nil)])
  }

  @Test func `the lease lives while a checkpoint is handed over`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.checkpointWritten(Self.contents(44)))
    _ = bench.handle(.interrupt(exitCode: 0))
    _ = bench.handle(.runStopped(epoch: 44))
    bench.now = bench.now.advanced(bySeconds: 1)
    #expect(bench.handle(.tick).contains { if case .send(.progress(Self.lease, _, _)) = $0 { true } else { false } })
    _ = bench.hear(.sayHello)
    bench.now = bench.now.advanced(bySeconds: 2)
    #expect(
      bench.handle(.tick).contains(
        .send(Samples.hello(1, holding: HeldLease(lease: Self.lease, point: Self.point)))))
  }

  @Test func `a checkpoint that the coordinator has already keeps nobody from leaving`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.checkpointWritten(Self.contents(44)))
    _ = bench.hear(.checkpointKept(lease: Self.lease, point: Self.point, epoch: 44))
    _ = bench.hear(.leave)
    #expect(bench.handle(.runStopped(epoch: 44)) == [Self.handedBack])
  }

  @Test func `a checkpoint that nobody takes over delays the end by its time and no more`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.checkpointWritten(Self.contents(44)))
    _ = bench.handle(.interrupt(exitCode: 0))
    _ = bench.handle(.runStopped(epoch: 44))
    #expect(!bench.wait(19.5).contains(Self.handedBack))
    #expect(bench.wait(0.5).contains(Self.handedBack))
    #expect(!bench.wait(4.5).contains(.exit(code: 0, reason: nil)))
    #expect(bench.wait(0.5).last == .exit(code: 0, reason: nil))
  }

  @Test func `a revoked lease ends the hand-over, and its point is not handed back`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.checkpointWritten(Self.contents(44)))
    _ = bench.handle(.interrupt(exitCode: 0))
    _ = bench.handle(.runStopped(epoch: 44))
    #expect(bench.hear(.revoked(lease: Self.lease)) == [.send(.goodbye), .exit(code: 0, reason: nil)])
  }

  @Test func `the second signal does not wait for a hand-over`() {
    var bench = Bench()
    bench.train()
    _ = bench.handle(.checkpointWritten(Self.contents(44)))
    _ = bench.handle(.interrupt(exitCode: 130))
    _ = bench.handle(.runStopped(epoch: 44))
    #expect(bench.handle(.interrupt(exitCode: 130)).last == .exit(code: 130, reason: "interrupted twice"))
  }

  @Test func `a worker leaves before its deadline, and takes no point after that`() {
    var bench = Bench(lifetimeSeconds: 1000)
    bench.train(checkpointSeconds: nil)
    let margin = 35.0
    #expect(bench.wait(1000 - margin - 0.5).isEmpty)
    #expect(bench.session.nextDeadline != nil)
    #expect(bench.wait(0.5) == [.stopTraining(checkpoint: true)])
    _ = bench.handle(.runStopped(epoch: 44))
    let late = CoordinatorMessage.grant(lease: LeaseID(6), point: Samples.id(1), Samples.experiment(1))
    #expect(bench.hear(late) == [.send(.handedBack(lease: LeaseID(6), point: Samples.id(1), epoch: 0))])
    _ = bench.hear(.receipt(lease: LeaseID(6), point: Samples.id(1)))
    #expect(
      bench.hear(.receipt(lease: Self.lease, point: Self.point)) == [.send(.goodbye), .exit(code: 0, reason: nil)])
  }

  @Test func `a short life is not spent on leaving`() {
    var bench = Bench(lifetimeSeconds: 40)
    bench.train(checkpointSeconds: nil)
    #expect(bench.wait(29.5).isEmpty)
    #expect(bench.wait(0.5) == [.stopTraining(checkpoint: true)])
  }

  @Test func `every hello says how long this worker stays, and how the one before it ended`() {
    let predecessor = Predecessor(boot: Samples.boot(7), ending: "killed by signal 9 (Killed)")
    var bench = Bench(lifetimeSeconds: 1000, predecessor: predecessor, selfTest: SelfTest.digest)
    func hello(_ seconds: Double) -> SessionDirective {
      .send(
        .hello(
          Hello(
            Samples.identity(1), predecessor: predecessor, secondsLeft: seconds, selfTest: SelfTest.digest)))
    }
    #expect(bench.handle(.start) == [hello(1000)])
    #expect(bench.wait(2) == [hello(998)])
  }

  // In.

  @Test func `a granted checkpoint is fetched, chunk by chunk, before training begins`() throws {
    var bench = Bench()
    #expect(bench.fetch() == [.prepare(Self.lease, Self.point, Samples.experiment(0), Self.contents(300))])
    #expect(bench.handle(.prepared(missing: Self.contents(300))) == [Self.request(0)])
    var offset = 0
    let total = Self.contents(300).byteCount
    while total - offset > 1 << 20 {
      let next = offset + 1 << 20
      let directives = bench.hear(Self.chunk(offset))
      #expect(directives.count == 2)
      guard case .keepChunk(Self.point, _, offset, let bytes)? = directives.first else { break }
      #expect(bytes.count == 1 << 20)
      #expect(directives.last == Self.request(next, min(1 << 20, total - next)))
      #expect(bench.hear(Self.chunk(offset)).isEmpty, "an echo")
      offset = next
    }
    #expect(offset > 0)
    #expect(bench.hear(Self.chunk(offset, total - offset, lease: LeaseID(4))).isEmpty, "of another lease")
    #expect(bench.hear(Self.chunk(offset, 5)).isEmpty, "too small")
    #expect(bench.hear(Self.chunk(offset, total - offset)).last == Self.start)
    #expect(bench.hear(Self.chunk(offset, total - offset)).isEmpty, "late")
  }

  @Test func `a worker that has as much begins at once`() {
    var bench = Bench()
    _ = bench.fetch()
    #expect(bench.handle(.prepared(missing: nil)) == [Self.start])
  }

  @Test func `contents that no run could have written are not fetched`() {
    var bench = Bench()
    bench.join()
    let huge = CheckpointContents(epoch: 300, checkpointBytes: 1 << 40, partBytes: 1 << 30, weights: [0], moments: [])
    #expect(
      bench.hear(.grant(lease: Self.lease, point: Self.point, Samples.experiment(0), checkpoint: huge)) == [Self.start])
  }

  @Test func `a chunk that does not come is asked for again, and given up after a minute`() {
    var bench = Bench()
    _ = bench.fetch()
    _ = bench.handle(.prepared(missing: Self.contents(300)))
    #expect(bench.wait(5) == [Self.request(0)])
    #expect(bench.wait(54.5).allSatisfy { $0 == Self.request(0) })
    #expect(bench.wait(0.5) == [.dropFetched(Self.point), Self.start])
    #expect(bench.hear(Self.chunk(0)).isEmpty, "too late")
  }

  @Test func `a checkpoint that is gone, or cannot be kept, is trained without`() {
    var gone = Bench()
    _ = gone.fetch()
    _ = gone.handle(.prepared(missing: Self.contents(300)))
    #expect(gone.hear(.chunkGone(lease: Self.lease, point: Self.point, epoch: 200)).isEmpty, "an echo")
    #expect(
      gone.hear(.chunkGone(lease: Self.lease, point: Self.point, epoch: 300))
        == [.dropFetched(Self.point), Self.start])
    var full = Bench()
    _ = full.fetch()
    _ = full.handle(.prepared(missing: Self.contents(300)))
    _ = full.hear(Self.chunk(0))
    #expect(full.handle(.fetchFailed(reason: "the disk is full")) == [.dropFetched(Self.point), Self.start])
    #expect(full.handle(.fetchFailed(reason: "the disk is full")).isEmpty)
  }

  @Test func `a lease that is revoked while its checkpoint comes is given up`() {
    var bench = Bench()
    _ = bench.fetch()
    _ = bench.handle(.prepared(missing: Self.contents(300)))
    #expect(bench.hear(.revoked(lease: Self.lease)) == [.dropFetched(Self.point), .send(.ready)])
    #expect(bench.hear(Self.chunk(0)).isEmpty)
    #expect(bench.wait(9).isEmpty)
  }

  @Test func `a worker that is interrupted while it fetches hands its point back at once`() {
    var bench = Bench()
    _ = bench.fetch()
    _ = bench.handle(.prepared(missing: Self.contents(300)))
    let handedBack = SessionDirective.send(.handedBack(lease: Self.lease, point: Self.point, epoch: 300))
    #expect(bench.handle(.interrupt(exitCode: 0)) == [.dropFetched(Self.point), handedBack])
    #expect(
      bench.hear(.receipt(lease: Self.lease, point: Self.point)) == [.send(.goodbye), .exit(code: 0, reason: nil)])
  }

  @Test func `a worker that fetches says that it lives, and that it holds the lease`() {
    var bench = Bench()
    _ = bench.fetch()
    _ = bench.handle(.prepared(missing: Self.contents(300)))
    bench.now = bench.now.advanced(bySeconds: 1)
    #expect(bench.handle(.tick).contains { if case .send(.progress(Self.lease, _, _)) = $0 { true } else { false } })
    #expect(
      bench.hear(.sayHello) == [.send(Samples.hello(1, holding: HeldLease(lease: Self.lease, point: Self.point)))])
  }

  @Test func `a checkpoint goes on coming under a newer lease`() {
    var bench = Bench()
    _ = bench.fetch()
    _ = bench.handle(.prepared(missing: Self.contents(300)))
    _ = bench.hear(Self.chunk(0))
    _ = bench.hear(
      .grant(lease: LeaseID(9), point: Self.point, Samples.experiment(0), checkpoint: Self.contents(300)))
    let said = bench.hear(Self.chunk(1 << 20, lease: LeaseID(9)))
    #expect(said.count == 2)
    let other = bench.hear(.grant(lease: LeaseID(10), point: Samples.id(1), Samples.experiment(1)))
    #expect(
      other == [.dropFetched(Self.point), .startTraining(LeaseID(10), Samples.id(1), Samples.experiment(1))])
  }

  @Test func `a refusal ends fetching and handing over`() {
    var bench = Bench()
    _ = bench.fetch()
    _ = bench.hear(.sayHello)
    let end = SessionDirective.exit(code: 77, reason: "the coordinator refused this worker: other version")
    #expect(bench.hear(.refused(reason: "other version")) == [.dropFetched(Self.point), end])
  }

  @Test func `a piece that comes damaged is told the coordinator, and trained without`() {
    var bench = Bench()
    _ = bench.fetch()
    _ = bench.handle(.prepared(missing: Self.contents(300)))
    _ = bench.hear(Self.chunk(0))
    #expect(
      bench.handle(.checkpointUnusable(reason: "damaged")) == [
        .send(.unreadable(lease: Self.lease, point: Self.point, epoch: 300)), .dropFetched(Self.point), Self.start,
      ])
    #expect(bench.handle(.checkpointUnusable(reason: "damaged")).isEmpty, "said once")
  }

  @Test func `a fetched checkpoint from which no run can go on is told the coordinator, its own never`() {
    var bench = Bench()
    _ = bench.fetch()
    let contents = Self.contents(300)
    _ = bench.handle(.prepared(missing: contents))
    var offset = 0
    while offset < contents.byteCount {
      let count = min(1 << 20, contents.byteCount - offset)
      _ = bench.hear(Self.chunk(offset, count))
      offset += count
    }
    #expect(
      bench.handle(.checkpointUnusable(reason: "no such run")) == [
        .send(.unreadable(lease: Self.lease, point: Self.point, epoch: 300))
      ])
    var other = Bench()
    _ = other.fetch()
    _ = other.handle(.prepared(missing: nil))
    #expect(other.handle(.checkpointUnusable(reason: "its own")).isEmpty)
  }

  @Test func `a worker of a barred machine leaves with words and a code of its own`() {
    var bench = Bench()
    bench.join()
    let left = bench.hear(.barred(reason: "5 points in a row")) + bench.hear(.barred(reason: "5 points in a row"))
    #expect(
      left.last
        == .exit(
          code: 75, reason: "the coordinator takes nobody from this machine for now: 5 points in a row"))
  }
}
