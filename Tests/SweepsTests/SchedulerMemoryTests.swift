// What the scheduler remembers of workers and machines while ever new ones come: enough to know them again, no more.

import Grokking
import Sweeps
import Testing

@Suite struct SchedulerMemoryTests {
  private typealias Samples = MachineSamples

  private func bench(points: Int, hostFailureLimit: Int = 5) -> SchedulerBench {
    SchedulerBench(SchedulerConfiguration(exitWhenDone: false, hostFailureLimit: hostFailureLimit), points: points)
  }

  @Test func `a process that left is forgotten, and has its number again when it comes back`() {
    var bench = bench(points: 2)
    bench.join(1)
    bench.join(2)
    #expect(bench.scheduler.knows(Samples.boot(2)))
    let left = bench.say(2, .goodbye)
    #expect(left.contains(.workerLeft(2)))
    #expect(!bench.scheduler.knows(Samples.boot(2)))
    let again = bench.say(2, Samples.hello(2))
    #expect(again.contains(.recordWorker(WorkerRecord(number: 2, identity: Samples.identity(2)))))
  }

  @Test func `a forgotten process is still nobody else's`() {
    var bench = bench(points: 1)
    _ = bench.say(1, Samples.hello(1))
    _ = bench.say(1, .goodbye)
    let mallory = PeerID([9], key: "mallory")
    let said = bench.handle(.message(from: mallory, Samples.hello(1)))
    #expect(
      said.contains(
        .send(to: mallory, .refused(reason: "this process is known under the key \"\" and came with \"mallory\""))))
    #expect(!bench.scheduler.knows(Samples.boot(1)), "and the attempt leaves nothing behind")
  }

  @Test func `workers that come and vanish leave nothing behind`() {
    var bench = bench(points: 1)
    var left: [Int64] = []
    for number in 1...500 {
      _ = bench.say(number, Samples.hello(number))
      for case .workerLeft(let gone) in bench.tick(for: 2) { left.append(gone) }
    }
    for case .workerLeft(let gone) in bench.tick(for: 61) { left.append(gone) }
    #expect(left == Array(1...500))
    #expect((1...500).allSatisfy { !bench.scheduler.knows(Samples.boot($0)) })
  }

  @Test func `a process that holds an attempt is known until that ends`() {
    let open = KnownPoint(
      id: Samples.id(0), experiment: Samples.experiment(0),
      openAttempts: [OpenAttempt(lease: LeaseID(4), boot: Samples.boot(1))])
    var bench = SchedulerBench(
      SchedulerConfiguration(exitWhenDone: false),
      start: SchedulerStart(
        points: [open], workers: [Samples.boot(1): 7], nextWorker: 8, nextLease: LeaseID(5),
        present: [Samples.boot(1)]))
    _ = bench.tick(for: 30)
    #expect(bench.scheduler.knows(Samples.boot(1)))
    let said = bench.tick(for: 31)
    #expect(said.ends.map(\.name) == ["lost"])
    #expect(said.contains(.workerLeft(7)))
    #expect(!bench.scheduler.knows(Samples.boot(1)))
  }

  @Test func `workers that died while nobody coordinated are waited for once`() {
    var done = Samples.known(1)
    done[0].state = .finished
    var bench = SchedulerBench(
      start: SchedulerStart(
        points: done, workers: [Samples.boot(1): 7, Samples.boot(2): 8], nextWorker: 9,
        present: [Samples.boot(1), Samples.boot(2)]))
    #expect(bench.handle(.tick).silent.isEmpty)
    let said = bench.tick(for: 15)
    #expect(said.silent == [.workerLeft(7), .workerLeft(8), .finished(.everyPointTerminal)])
  }

  @Test func `a worker that fell silent is not waited for after a restart`() {
    var bench = bench(points: 0)
    _ = bench.say(1, Samples.hello(1))
    #expect(bench.tick(for: 61).silent == [.workerLeft(1)])
  }

  /// Whether a machine is barred for its third failure when so many others came and went since the second.
  private func remembersRow(after others: Int) -> Bool {
    var bench = bench(points: 5, hostFailureLimit: 3)
    func fail() -> [SchedulerDirective] {
      let grant = (bench.say(1, Samples.hello(1, host: "bad")) + bench.say(1, .ready)).grants[0]
      return bench.say(1, .failed(lease: grant.lease, point: grant.point, .engineError, reason: "nonsense"))
    }
    for _ in 0..<2 {
      _ = fail()
      _ = bench.say(1, .goodbye)
    }
    bench.wait(1)
    for number in 2..<(2 + others) {
      _ = bench.say(number, Samples.hello(number))
      _ = bench.say(number, .goodbye)
    }
    bench.wait(1)
    return fail().bar(of: 1) != nil
  }

  @Test func `of machines without workers the thousand heard last are remembered`() {
    #expect(remembersRow(after: 900))
    #expect(!remembersRow(after: 3000))
  }
}
