// Checkpoints that come and go, over the scheduler's own pulls.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerCheckpointTests {
  private typealias Samples = MachineSamples

  private func bench(
    points: Int = 1, bytesPerSecond: Double = 64e6, spaceBytes: Int = 1 << 40, leaseSeconds: Double = 60
  ) -> SchedulerBench {
    SchedulerBench(
      SchedulerConfiguration(
        leaseSeconds: leaseSeconds, exitWhenDone: false, checkpointSeconds: 30,
        checkpointBytesPerSecond: bytesPerSecond, checkpointSpaceBytes: spaceBytes), points: points)
  }

  private func offer(_ lease: LeaseID, _ point: Int = 0, epoch: Int) -> WorkerMessage {
    .offer(lease: lease, point: Samples.id(point), Samples.contents(epoch: epoch))
  }

  @Test func `the welcome says how often checkpoints are wanted`() {
    var bench = bench()
    #expect(
      bench.say(1, Samples.hello(1)).sent(to: 1) == [
        .welcome(worker: 1, leaseSeconds: 60, progressSeconds: 1, checkpointSeconds: 30)
      ])
  }

  @Test func `an offered checkpoint is pulled chunk by chunk, kept, and goes with the next grant`() {
    var bench = bench()
    let lease = bench.join(1)!
    let contents = Samples.contents(epoch: 700)
    let said = bench.say(1, offer(lease, epoch: 700))
    let first = said.pull(to: 1)
    #expect(first?.2 == CheckpointRequest(missing: contents, offset: 0, count: CheckpointContents.maximumChunkBytes))
    let all = bench.answerPulls(1, said)
    var offset = 0
    for case .keepChunk(let point, let missing, let place, let bytes) in all {
      #expect(point == Samples.id(0) && missing == contents && place == offset)
      offset += bytes.count
    }
    #expect(offset == contents.byteCount)
    #expect(all.last == .completeCheckpoint(Samples.id(0), contents))
    #expect(
      bench.handle(.checkpointKept(Samples.id(0), contents)).sent(to: 1) == [
        .checkpointKept(lease: lease, point: Samples.id(0), epoch: 700)
      ])
    _ = bench.say(1, .handedBack(lease: lease, point: Samples.id(0), epoch: 700))
    _ = bench.say(2, Samples.hello(2))
    let record = AttemptRecord(lease: LeaseID(2), point: Samples.id(0), worker: 2)
    #expect(
      bench.say(2, .ready).silent == [
        .grant(record, to: Samples.peer(2), Samples.experiment(0), checkpoint: contents)
      ])
    #expect(
      bench.say(2, .ready).sent(to: 2) == [
        .grant(lease: LeaseID(2), point: Samples.id(0), Samples.experiment(0), checkpoint: contents)
      ], "said again")
  }

  @Test func `only what the shelf lacks is pulled of a later checkpoint`() {
    var bench = bench()
    let lease = bench.join(1)!
    bench.keep(epoch: 500, lease)
    let pull = bench.say(1, offer(lease, epoch: 700)).pull(to: 1)
    #expect(pull?.2.missing.weights == [6..<8])
  }

  @Test func `an offer that is not newer is answered and not pulled`() {
    var bench = bench()
    let lease = bench.join(1)!
    bench.keep(epoch: 500, lease)
    #expect(
      bench.say(1, offer(lease, epoch: 400)).sent(to: 1) == [
        .checkpointKept(lease: lease, point: Samples.id(0), epoch: 400)
      ])
  }

  @Test func `offers of others' points and of what no run writes are not taken`() {
    var bench = bench(points: 2)
    let lease = bench.join(1)!
    bench.join(2)
    #expect(bench.say(2, offer(lease, epoch: 500)).isEmpty)
    #expect(
      bench.say(1, offer(lease, 1, epoch: 500)).silent == [
        .send(to: Samples.peer(1), .chunkGone(lease: lease, point: Samples.id(1), epoch: 500))
      ])
    let huge = CheckpointContents(
      epoch: 500, checkpointBytes: 1 << 40, partBytes: 40, weights: [Range<Int>](), moments: [])
    let said = bench.say(1, .offer(lease: lease, point: Samples.id(0), huge))
    let notTaken = [CoordinatorMessage.chunkGone(lease: lease, point: Samples.id(0), epoch: 500)]
    #expect(said.silent.count == 1 && said.sent(to: 1) == notTaken)
    #expect(said.lines.first?.contains("worker 1 offered what is no checkpoint of point 000000000000") == true)
  }

  @Test func `where checkpoints are not wanted, offers are not taken`() {
    var bench = SchedulerBench(points: 1)
    let lease = bench.join(1)!
    let notTaken = CoordinatorMessage.chunkGone(lease: lease, point: Samples.id(0), epoch: 500)
    #expect(bench.say(1, offer(lease, epoch: 500)) == [.send(to: Samples.peer(1), notTaken)])
  }

  @Test func `four come at once and the fifth when one is done`() {
    var bench = bench(points: 5)
    let leases = (1...5).map { bench.join($0)! }
    let said = (1...5).map { bench.say($0, offer(leases[$0 - 1], $0 - 1, epoch: 500)) }
    #expect(
      said.map { $0.contains { if case .send(_, .pull) = $0 { true } else { false } } } == [
        true, true, true, true, false,
      ])
    _ = bench.answerPulls(1, said[0])
    let kept = bench.handle(.checkpointKept(Samples.id(0), Samples.contents(epoch: 500)))
    #expect(kept.pull(to: 5) != nil)
  }

  @Test func `a newer offer follows the one under way, and takes its place when that is gone`() {
    var bench = bench()
    let lease = bench.join(1)!
    _ = bench.say(1, offer(lease, epoch: 500))
    #expect(bench.say(1, offer(lease, epoch: 600)).isEmpty)
    #expect(bench.say(1, offer(lease, epoch: 700)).isEmpty)
    let gone = bench.say(1, .chunkGone(lease: lease, point: Samples.id(0), epoch: 500))
    #expect(gone.pull(to: 1)?.2.missing.epoch == 700)
  }

  @Test func `a lost pull is asked again, and a deaf worker's transfer is given up`() {
    var bench = bench(points: 2)
    let lease = bench.join(1)!
    _ = bench.say(1, offer(lease, epoch: 500))
    var asked = 0
    for _ in 0..<40 {
      bench.wait(1)
      if bench.handle(.tick).pull(to: 1) != nil { asked += 1 }
    }
    #expect(asked == 2)
    #expect(bench.say(1, offer(lease, epoch: 600)).pull(to: 1) != nil, "a later offer is as good as the first")
  }

  @Test func `a worker that leaves hands its checkpoint over although its lease is over`() {
    var bench = bench()
    let lease = bench.join(1)!
    let said = bench.say(1, offer(lease, epoch: 500))
    _ = bench.say(1, .handedBack(lease: lease, point: Samples.id(0), epoch: 500))
    let all = bench.answerPulls(1, said)
    #expect(all.last == .completeCheckpoint(Samples.id(0), Samples.contents(epoch: 500)))
  }

  @Test func `all bytes together keep to the rate`() {
    var bench = bench(points: 4, bytesPerSecond: 1_048_576)
    var bytes = 0
    let started = bench.now
    for worker in 1...4 {
      let lease = bench.join(worker)!
      _ = bench.say(worker, offer(lease, worker - 1, epoch: 500))
    }
    for _ in 0..<80 {
      guard let next = bench.scheduler.nextDeadline else { break }
      bench.wait(max(0.001, next.seconds(since: bench.now)))
      var said = bench.handle(.tick)
      for worker in 1...4 {
        while let (lease, point, request) = said.pull(to: worker) {
          bytes += request.count
          said = bench.say(worker, .chunk(lease: lease, point: point, Samples.chunk(request)))
        }
      }
    }
    let seconds = bench.now.seconds(since: started)
    #expect(bytes > 4 << 20)
    #expect(Double(bytes) <= Double(1 << 20) * (seconds + 1.1))
  }

  @Test func `beyond the room on the disk nothing is taken, and it is said once`() {
    let size = Samples.contents(epoch: 500).byteCount
    var bench = bench(points: 3, spaceBytes: size * 3 / 2)
    let leases = (1...3).map { bench.join($0)! }
    bench.keep(epoch: 500, leases[0])
    let second = bench.say(2, offer(leases[1], 1, epoch: 500))
    #expect(second.sent(to: 2) == [.chunkGone(lease: leases[1], point: Samples.id(1), epoch: 500)])
    #expect(second.lines.first?.hasPrefix("no room for more checkpoints") == true)
    let third = bench.say(3, offer(leases[2], 2, epoch: 500))
    #expect(third == [.send(to: Samples.peer(3), .chunkGone(lease: leases[2], point: Samples.id(2), epoch: 500))])
    _ = bench.finish(1, leases[0], point: 0)
    #expect(bench.say(3, offer(leases[2], 2, epoch: 600)).pull(to: 3) != nil, "there is room again")
  }

  @Test func `a checkpoint that cannot be kept is forgotten, and the next offer is tried`() {
    var bench = bench()
    let lease = bench.join(1)!
    let said = bench.say(1, offer(lease, epoch: 500))
    _ = bench.answerPulls(1, said)
    let failed = bench.handle(.checkpointFailed(Samples.id(0), reason: "No space left on device"))
    #expect(
      failed == [
        .log(.warning, "cannot keep a checkpoint of point 000000000000: No space left on device"),
        .send(to: Samples.peer(1), .chunkGone(lease: lease, point: Samples.id(0), epoch: 500)),
      ])
    #expect(bench.say(1, offer(lease, epoch: 600)).pull(to: 1)?.2.missing == Samples.contents(epoch: 600))
  }

  @Test func `a checkpoint that fails twice does not take the one before it along`() {
    var bench = bench()
    let lease = bench.join(1)!
    bench.keep(epoch: 500, lease)
    _ = bench.answerPulls(1, bench.say(1, offer(lease, epoch: 600)))
    _ = bench.handle(.checkpointFailed(Samples.id(0), reason: "No space left on device"))
    #expect(bench.handle(.checkpointFailed(Samples.id(0), reason: "/shelf/weights-0: cannot be read")).silent.isEmpty)
    _ = bench.say(1, .handedBack(lease: lease, point: Samples.id(0), epoch: 600))
    guard case .grant(_, _, _, let checkpoint)? = bench.say(1, .ready).silent.first else {
      Issue.record("no grant")
      return
    }
    #expect(checkpoint == Samples.contents(epoch: 500))
  }

  @Test func `a kept checkpoint that cannot be read is forgotten, and what builds on it is pulled anew`() {
    var bench = bench()
    let lease = bench.join(1)!
    bench.keep(epoch: 500, lease)
    #expect(bench.say(1, offer(lease, epoch: 600)).pull(to: 1)?.2.missing.weights == [6..<7])
    _ = bench.handle(.checkpointLost(Samples.id(0), epoch: 400, reason: "an echo"))
    let lost = bench.handle(.checkpointLost(Samples.id(0), epoch: 500, reason: "damaged"))
    #expect(lost.sent(to: 1) == [.chunkGone(lease: lease, point: Samples.id(0), epoch: 600)])
    #expect(bench.say(1, offer(lease, epoch: 700)).pull(to: 1)?.2.missing == Samples.contents(epoch: 700))
  }

  @Test func `a worker that hands over has not stalled as long as its checkpoint gets on`() {
    var bench = bench(leaseSeconds: 20)
    let lease = bench.join(1)!
    _ = bench.say(1, .progress(lease: lease, Samples.progress(work: 500), epochsPerSecond: 1))
    var ends = bench.tick(for: 15).ends
    var said = bench.say(1, offer(lease, epoch: 500))
    for _ in 0..<2 {
      let (_, point, request) = said.pull(to: 1)!
      ends += bench.tick(for: 4).ends
      _ = bench.say(1, .progress(lease: lease, Samples.progress(work: 500), epochsPerSecond: 1))
      said = bench.say(1, .chunk(lease: lease, point: point, Samples.chunk(request)))
    }
    #expect(ends.isEmpty)
    let back = bench.say(1, .handedBack(lease: lease, point: Samples.id(0), epoch: 500))
    #expect(back.ends.map(\.isCharged) == [false])
  }

  @Test func `an offer that comes to nothing is answered, so that nobody waits for it`() {
    var bench = bench()
    let lease = bench.join(1)!
    let gone = [CoordinatorMessage.chunkGone(lease: lease, point: Samples.id(0), epoch: 500)]
    // Its worker cannot read it.
    _ = bench.say(1, offer(lease, epoch: 500))
    #expect(bench.say(1, .chunkGone(lease: lease, point: Samples.id(0), epoch: 500)).sent(to: 1) == gone)
    // It does not come.
    _ = bench.say(1, offer(lease, epoch: 500))
    var said: [CoordinatorMessage] = []
    for _ in 0..<30 {
      said += bench.tick(for: 1).sent(to: 1)
      _ = bench.say(1, .progress(lease: lease, Samples.progress(work: 500), epochsPerSecond: 1))
    }
    #expect(said.last == gone[0])
    // It is none.
    let right = Samples.contents(epoch: 500)
    let wrong = CheckpointContents(
      epoch: 500, checkpointBytes: right.checkpointBytes, partBytes: right.partBytes + 1, weights: right.weights,
      moments: [])
    #expect(bench.say(1, .offer(lease: lease, point: Samples.id(0), wrong)).sent(to: 1) == gone)
  }

  @Test func `whoever fetches a checkpoint that was replaced is told of the newer one`() {
    var bench = bench(points: 1)
    let lease = bench.join(1)!
    bench.keep(epoch: 500, lease)
    _ = bench.answerPulls(1, bench.say(1, offer(lease, epoch: 600)))
    // Done handing over in time or not, the worker goes.
    _ = bench.say(1, .handedBack(lease: lease, point: Samples.id(0), epoch: 600))
    let heir = bench.join(2)!
    _ = bench.handle(.checkpointKept(Samples.id(0), Samples.contents(epoch: 600)))
    #expect(
      bench.say(2, fetch(heir, offset: 0)).sent(to: 2) == [
        .grant(lease: heir, point: Samples.id(0), Samples.experiment(0), checkpoint: Samples.contents(epoch: 600))
      ])
    #expect(bench.say(2, fetch(heir, offset: 0, epoch: 600)).count == 1)
  }

  @Test func `when a point ends, nothing of it stays on the shelf`() {
    var bench = bench(points: 3)
    let kept = bench.join(1)!
    bench.keep(epoch: 500, kept)
    let finished = bench.finish(1, kept, point: 0)
    #expect(finished.contains(.dropCheckpoint(Samples.id(0))))

    let half = finished.grants[0].lease
    let (lease, point, request) = bench.say(1, offer(half, 1, epoch: 500)).pull(to: 1)!
    _ = bench.say(1, .chunk(lease: lease, point: point, Samples.chunk(request)))
    let bad = bench.say(1, .failed(lease: half, point: Samples.id(1), .badPoint, reason: "too large"))
    #expect(bad.contains(.dropCheckpoint(Samples.id(1))))

    let never = bench.join(3)!
    #expect(!bench.finish(3, never, point: 2).contains(.dropCheckpoint(Samples.id(2))))
  }

  @Test(arguments: [true, false])
  func `how a censored run ended stays for longer ones, where that is wanted and all of it is there`(isWanted: Bool) {
    var bench = SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false, checkpointSeconds: 30, keepsCensored: isWanted), points: 4)
    func finish(_ point: Int, _ lease: LeaseID, _ outcome: Outcome) -> [SchedulerDirective] {
      var result = Samples.result(point)
      result.outcome = outcome
      return bench.say(1, .finished(lease: lease, point: Samples.id(point), result, seconds: 1))
        + bench.handle(.stored(Samples.id(point)))
    }
    let lineage = Samples.experiment(0).lineage!
    let first = bench.join(1)!
    bench.keep(epoch: 1000, first)
    let censored = finish(0, first, .memorized(memorization: 140, censoredAfter: 1000))
    #expect(censored.contains(.keepEnd(Samples.id(0), lineage: lineage)) == isWanted)
    #expect(censored.contains(.dropCheckpoint(Samples.id(0))) != isWanted)
    #expect(bench.scheduler.overview(at: bench.now).keptCheckpointBytes == 0)

    let second = censored.grants[0].lease
    bench.keep(epoch: 1000, second, point: 1)
    let grokked = finish(1, second, .grokked(memorization: 140, grokking: 900))
    #expect(grokked.contains(.dropCheckpoint(Samples.id(1))))
    let third = grokked.grants[0].lease
    bench.keep(epoch: 900, third, point: 2)
    let early = finish(2, third, .unfit(censoredAfter: 1000))
    #expect(early.contains(.dropCheckpoint(Samples.id(2))), "not its end")
  }

  @Test func `a point goes on from what an ended run lent, which takes no room`() {
    var known = Samples.known(1)
    known[0].experiment.training.epochs = 4000
    let contents = Samples.contents(epoch: 1000)
    let lent = KeptCheckpoint(point: Samples.id(0), contents: contents, isLent: true)
    var bench = SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false, checkpointSeconds: 30, checkpointSpaceBytes: contents.byteCount),
      points: 0)
    _ = bench.handle(.addSweep(KnownSweep(name: "longer"), known, checkpoints: [lent]))
    #expect(bench.scheduler.overview(at: bench.now).keptCheckpointBytes == 0)
    _ = bench.say(1, Samples.hello(1))
    let said = bench.say(1, .ready)
    let checkpoints = said.compactMap { if case .grant(_, _, _, let checkpoint) = $0 { checkpoint } else { nil } }
    #expect(checkpoints == [contents])
    // Its own takes the place, and room.
    bench.keep(epoch: 1500, said.grants[0].lease)
    #expect(bench.scheduler.overview(at: bench.now).keptCheckpointBytes == Samples.contents(epoch: 1500).byteCount)
  }

  @Test func `whoever verifies a result is told that its checkpoint is not taken`() {
    var bench = bench()
    let lease = bench.join(1)!
    _ = bench.finish(1, lease, point: 0)
    let second = (bench.handle(.verify([Samples.id(0)])) + bench.say(1, .ready)).grants[0].lease
    #expect(
      bench.say(1, offer(second, epoch: 1000)).sent(to: 1) == [
        .chunkGone(lease: second, point: Samples.id(0), epoch: 1000)
      ])
  }

  @Test func `a checkpoint that is kept after its point ended is dropped`() {
    var bench = bench()
    let lease = bench.join(1)!
    let said = bench.say(1, offer(lease, epoch: 500))
    _ = bench.answerPulls(1, said)
    _ = bench.finish(1, lease, point: 0)
    #expect(
      bench.handle(.checkpointKept(Samples.id(0), Samples.contents(epoch: 500))) == [.dropCheckpoint(Samples.id(0))])
  }

  private func restarted(bytesPerSecond: Double = 64e6) -> SchedulerBench {
    SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false, checkpointSeconds: 30, checkpointBytesPerSecond: bytesPerSecond),
      start: SchedulerStart(
        points: Samples.known(2),
        checkpoints: [KeptCheckpoint(point: Samples.id(0), contents: Samples.contents(epoch: 500))]))
  }

  private func fetch(_ lease: LeaseID, offset: Int, epoch: Int = 500) -> WorkerMessage {
    .fetch(
      lease: lease, point: Samples.id(0),
      CheckpointRequest(
        missing: Samples.contents(epoch: epoch), offset: offset, count: CheckpointContents.maximumChunkBytes))
  }

  @Test func `what is kept is known again after a restart, and sent to the holder of the lease`() {
    var bench = restarted()
    let lease = bench.join(1)!
    let request = CheckpointRequest(
      missing: Samples.contents(epoch: 500), offset: 0, count: CheckpointContents.maximumChunkBytes)
    #expect(
      bench.say(1, fetch(lease, offset: 0)) == [
        .sendChunk(to: Samples.peer(1), lease: lease, point: Samples.id(0), request)
      ])
    bench.join(2)
    #expect(bench.say(2, fetch(lease, offset: 0)) == [.send(to: Samples.peer(2), .revoked(lease: lease))])
  }

  @Test func `what is not kept, or not of this epoch, is gone`() {
    var bench = restarted()
    let lease = bench.join(1)!
    let gone = [CoordinatorMessage.chunkGone(lease: lease, point: Samples.id(0), epoch: 600)]
    #expect(bench.say(1, fetch(lease, offset: 0, epoch: 600)).sent(to: 1) == gone)
    #expect(
      bench.say(1, fetch(lease, offset: 1 << 40)).sent(to: 1) == [
        .chunkGone(lease: lease, point: Samples.id(0), epoch: 500)
      ])
  }

  @Test func `fetching renews the lease as long as it gets on`() {
    var bench = restarted()
    let lease = bench.join(1)!
    var ends: [AttemptEnd] = []
    for step in 0..<8 {
      _ = bench.say(1, fetch(lease, offset: step * 1000))
      ends += bench.tick(for: 20).ends
    }
    #expect(ends.isEmpty)
    for _ in 0..<8 {
      _ = bench.say(1, fetch(lease, offset: 7000))
      ends += bench.tick(for: 10).ends
    }
    #expect(ends.map(\.name) == ["stalled"])
  }

  @Test func `a worker that fetches goes on with it when its sweep is paused`() {
    var bench = SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false, checkpointSeconds: 30),
      start: SchedulerStart(
        points: Samples.known(2), sweeps: [KnownSweep(name: "first", state: .active)],
        checkpoints: [KeptCheckpoint(point: Samples.id(0), contents: Samples.contents(epoch: 500))]))
    let lease = bench.join(1)!
    #expect(bench.say(1, fetch(lease, offset: 0)).count == 1)
    let paused = bench.handle(.setSweep("first", .paused))
    #expect(paused.ends.isEmpty && paused.sent(to: 1).isEmpty)
    #expect(bench.say(1, fetch(lease, offset: 1000)).count == 1, "the next chunk")
    #expect(bench.say(1, .chunkGone(lease: lease, point: Samples.id(0), epoch: 1)).ends.isEmpty)
    #expect(bench.finish(1, lease, point: 0).ends == [.finished])
    #expect(bench.say(1, .ready).grants.isEmpty, "the other point waits")
  }

  @Test func `fetches go before pulls, and each lease has one wish`() {
    var bench = restarted(bytesPerSecond: 1_048_576)
    let lease = bench.join(1)!
    let other = bench.join(2)!
    #expect(bench.say(1, fetch(lease, offset: 0)).silent.count == 1, "the first second's worth")
    #expect(bench.say(2, offer(other, 1, epoch: 500)).isEmpty)
    for offset in [10, 20, 30] { #expect(bench.say(1, fetch(lease, offset: offset)).isEmpty) }
    let next = bench.tick(for: 1)
    #expect(next.count == 1)
    guard case .sendChunk(_, _, _, let request)? = next.first else {
      Issue.record("not sent: \(next)")
      return
    }
    #expect(request.offset == 30)
    #expect(bench.tick(for: 1).pull(to: 2) != nil)
  }

  @Test func `a checkpoint of a point that ended is dropped at the start`() {
    var done = Samples.known(1)
    done[0].state = .finished
    var bench = SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false),
      start: SchedulerStart(
        points: done, checkpoints: [KeptCheckpoint(point: Samples.id(0), contents: Samples.contents(epoch: 500))]))
    #expect(bench.handle(.tick) == [.dropCheckpoint(Samples.id(0))])
  }

  @Test func `a kept checkpoint that somebody cannot read is dropped, and the next worker starts without`() {
    var bench = restarted()
    let lease = bench.join(1)!
    _ = bench.say(1, fetch(lease, offset: 0))
    #expect(bench.say(1, .unreadable(lease: lease, point: Samples.id(0), epoch: 400)).isEmpty, "another one")
    #expect(bench.say(1, .unreadable(lease: lease, point: Samples.id(1), epoch: 500)).isEmpty, "of another point")
    let said = bench.say(1, .unreadable(lease: lease, point: Samples.id(0), epoch: 500))
    #expect(said.silent == [.dropCheckpoint(Samples.id(0))])
    #expect(bench.say(1, .unreadable(lease: lease, point: Samples.id(0), epoch: 500)).isEmpty, "said twice")
    #expect(bench.scheduler.overview(at: bench.now).keptCheckpoints == 0)
    _ = bench.say(1, .handedBack(lease: lease, point: Samples.id(0), epoch: 0))
    let grants = (bench.say(2, Samples.hello(2)) + bench.say(2, .ready)).compactMap {
      if case .grant(let record, _, _, let checkpoint) = $0 { (record.point, checkpoint) } else { nil }
    }
    #expect(grants.count == 1 && grants[0].0 == Samples.id(0) && grants[0].1 == nil)
  }

  @Test func `only who holds the point is believed about its checkpoint`() {
    var bench = restarted()
    let lease = bench.join(1)!
    bench.join(2)
    #expect(bench.say(2, .unreadable(lease: lease, point: Samples.id(0), epoch: 500)).silent.isEmpty)
    #expect(bench.scheduler.overview(at: bench.now).keptCheckpoints == 1)
  }

  @Test func `the next checkpoint of a point whose kept one was dropped is pulled as a whole`() {
    var bench = restarted()
    let lease = bench.join(1)!
    _ = bench.say(1, .unreadable(lease: lease, point: Samples.id(0), epoch: 500))
    let pull = bench.say(1, offer(lease, 0, epoch: 600)).pull(to: 1)
    #expect(pull?.2.missing == Samples.contents(epoch: 600))
  }
}
