// Five machines with addresses of their own, tied by a bridge: what a week of a sweep has in store for them, in a minute.

import Foundation
import TestSupport
import Testing

extension MachineTests {
  @Suite struct NamespaceTests {
    private static let leaseSeconds = 3
    /// Far more than two workers do while a lease of theirs would end: the sweep still runs when the link is mended.
    private static let sweep =
      Form.isFull ? FaultSweep(points: 80, epochs: 60_000) : FaultSweep(points: 24, epochs: 25_000)

    @Test func `one machine joins in the middle, one loses its link, one its power: the rows are those of one machine`()
      throws
    {
      let scene = try Scene(Self.sweep)
      guard let network = try Network(cables: 4, scene) else { return }
      let keys = scene.folder.path("keys")
      for number in 1...4 {
        let made = try Groksweep.run(["keys", "new", "machine-\(number)", "--keys", keys], in: scene.folder)
        try #require(made.status == 0, "\(made)")
      }
      func worker(_ number: Int) throws -> Running {
        try scene.worker(
          at: Network.endpoint, scratch: "scratch-\(number)", in: network.place(number),
          ["--join", scene.folder.path("machine-\(number).join")])
      }
      let coordinator = try scene.coordinator(
        leaseSeconds: Self.leaseSeconds, at: Network.listening, in: network.place(0), ["--keys", keys])
      let first = try (1...3).map(worker)
      for worker in first { try scene.waitForLease(of: worker) }

      try network.cut(2)
      // Without power nobody says goodbye: the cable is dead before the processes are. Its disk never comes back.
      try network.cut(3)
      for process in Processes.naming(scene.folder.path("scratch-3")) { kill(process, SIGKILL) }
      _ = try first[2].end(within: 60)
      try FileManager.default.removeItem(atPath: scene.folder.path("scratch-3"))

      let fourth = try worker(4)
      try scene.waitForLease(of: fourth)
      if Form.isFull { try scene.pause(60, because: "the link of machine 2 is cut") }
      try scene.wait(for: "the leases of the two that are silent have ended") {
        scene.number("SELECT count(*) FROM attempts WHERE class = 'lost'") == 2
      }
      #expect(first[1].isRunning, "\(scene.story)")
      try network.mend(2)
      try scene.finish(coordinator, [first[0], first[1], fourth], classes: ["lost", "superseded"])

      // A machine that falls silent as a whole says nothing about its point; and the sweep was everybody's.
      #expect(scene.number("SELECT count(*) FROM attempts WHERE charged") == 0, "\(scene.story)")
      #expect(scene.number("SELECT count(*) FROM attempts WHERE class = 'lost'") ?? 0 >= 2, "\(scene.story)")
      #expect(scene.number("SELECT count(DISTINCT host) FROM workers") == 4, "\(scene.story)")
      for number in [1, 4] {
        let finished = scene.number(
          "SELECT count(*) FROM attempts WHERE host LIKE '%-\(number)' AND class = 'finished'")
        #expect(finished ?? 0 > 0, "machine \(number) finished nothing\n\(scene.story)")
      }
    }
  }
}
