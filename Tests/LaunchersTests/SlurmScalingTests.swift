import Launchers
import Testing

@Suite struct SlurmScalingTests {
  private func queue(_ states: [SlurmTask.State], on nodes: [String] = []) -> [SlurmTask] {
    states.enumerated().map { index, state in
      SlurmTask(id: "1_\(index + 1)", state: state, node: index < nodes.count ? nodes[index] : nil)
    }
  }

  private func work(
    open: Int, ended: Int = 0, isDone: Bool = false, busy: [String]? = nil, workers: Int? = nil
  ) -> SlurmWork { SlurmWork(open: open, ended: ended, isDone: isDone, busyHosts: busy, workers: workers) }

  @Test func `as many allocations are asked for as there are points, between the bounds`() {
    var scaling = SlurmScaling(minimum: 2, maximum: 10, workersPerTask: 4)
    #expect(scaling.decide(work(open: 100), queue: []) == [.submit(tasks: 3)])
    scaling = SlurmScaling(minimum: 2, maximum: 10, workersPerTask: 1)
    #expect(scaling.decide(work(open: 5), queue: queue([.running])) == [.submit(tasks: 4)])
    #expect(scaling.decide(work(open: 0), queue: queue([.running])) == [.submit(tasks: 1)])
    #expect(scaling.decide(work(open: 2), queue: queue([.running, .pending])) == [])
  }

  @Test func `those that end do not count as there`() {
    var scaling = SlurmScaling(minimum: 0, maximum: 4, workersPerTask: 1)
    #expect(scaling.decide(work(open: 9), queue: queue([.leaving, .running])) == [.submit(tasks: 3)])
  }

  @Test func `what waits is taken back at once, and what runs only after three rounds and once`() {
    var scaling = SlurmScaling(minimum: 0, maximum: 8, workersPerTask: 1)
    let five = queue([.running, .running, .running, .pending, .pending])
    #expect(scaling.decide(work(open: 1), queue: five) == [.cancel(["1_4", "1_5"])])
    let three = Array(five.prefix(3))
    #expect(scaling.decide(work(open: 1), queue: three) == [])
    #expect(scaling.decide(work(open: 1), queue: three) == [.askToLeave(["1_3", "1_2"])])
    #expect(scaling.decide(work(open: 1), queue: three) == [])
    // Growing again does not wait for those that leave.
    #expect(scaling.decide(work(open: 3), queue: three) == [.submit(tasks: 2)])
  }

  @Test func `a moment with too few points sends nobody away`() {
    var scaling = SlurmScaling(minimum: 0, maximum: 8, workersPerTask: 1)
    let three = queue([.running, .running, .running])
    for _ in 0..<5 {
      #expect(scaling.decide(work(open: 1), queue: three) == [])
      #expect(scaling.decide(work(open: 1), queue: three) == [])
      #expect(scaling.decide(work(open: 3), queue: three) == [])
    }
  }

  @Test func `whoever has a point stays longest`() {
    var scaling = SlurmScaling(minimum: 0, maximum: 8, workersPerTask: 1)
    let three = queue([.running, .running, .running], on: ["n1", "n2", "n3"])
    let one = work(open: 1, busy: ["n3.cluster.example"])
    for _ in 0..<2 { #expect(scaling.decide(one, queue: three) == []) }
    #expect(scaling.decide(one, queue: three) == [.askToLeave(["1_2", "1_1"])])
  }

  @Test func `in the end everything leaves the queue, and then it is over`() {
    var scaling = SlurmScaling(minimum: 2, maximum: 8, workersPerTask: 1)
    let done = work(open: 0, ended: 9, isDone: true)
    #expect(
      scaling.decide(done, queue: queue([.running, .pending])) == [.cancel(["1_2"]), .askToLeave(["1_1"])])
    #expect(scaling.decide(done, queue: queue([.running])) == [])
    #expect(scaling.decide(done, queue: queue([.leaving])) == [])
    #expect(scaling.decide(done, queue: []) == [.end])
  }

  @Test func `a requeued allocation that was asked to leave is asked again when it runs`() {
    var scaling = SlurmScaling(minimum: 0, maximum: 8, workersPerTask: 1)
    let done = work(open: 0, ended: 9, isDone: true)
    #expect(scaling.decide(done, queue: queue([.running])) == [.askToLeave(["1_1"])])
    #expect(scaling.decide(done, queue: queue([.pending])) == [.cancel(["1_1"])])
    #expect(scaling.decide(done, queue: queue([.running])) == [.askToLeave(["1_1"])])
  }

  /// Submits what it is told to, all of which is gone at the next look; returns how often, and the last directives.
  private func ending(_ works: (Int) -> SlurmWork) -> (rounds: Int, last: [SlurmScaling.Directive]) {
    var scaling = SlurmScaling(minimum: 0, maximum: 2, workersPerTask: 1)
    for round in 0..<200 {
      _ = scaling.decide(works(round), queue: (1...2).map { SlurmTask(id: "\(round)_\($0)", state: .running) })
      let directives = scaling.decide(works(round), queue: [])
      if directives.contains(.giveUp(endedInVain: 12)) || directives.contains(.giveUp(endedInVain: 11)) {
        return (round, directives)
      }
    }
    return (200, [])
  }

  @Test func `allocations that end in vain one after the other end it`() {
    let (rounds, last) = ending { _ in work(open: 9) }
    #expect(rounds == 5, "\(rounds)")
    #expect(last == [.giveUp(endedInVain: 12), .end])
    #expect(ending { work(open: 9, ended: $0) }.rounds == 200)
    #expect(ending { _ in work(open: 9, busy: ["n1"], workers: 2) }.rounds == 200)
    // Workers that are told to leave, since their time is too short for a point.
    #expect(ending { _ in work(open: 9, busy: [], workers: 2) }.rounds == 5)
    // Workers that wait for points to come.
    #expect(ending { _ in work(open: 0, busy: [], workers: 2) }.rounds == 200)
  }
}
