// Processes that are stopped for a while (SIGSTOP, as a suspended or swapping machine): they know nothing of the time that
// passed.

import Foundation
import TestSupport
import Testing

extension FaultTests {
  @Suite struct FrozenTests {
    @Test func `a worker that was frozen past its lease gives way to the one that got its point`() throws {
      let scene = try Scene()
      let coordinator = try scene.coordinator(leaseSeconds: 2)
      let frozen = try scene.worker(scratch: "scratch-a")
      let trainer = try scene.waitForLease(of: frozen)
      kill(trainer, SIGSTOP)
      try scene.wait(for: "its lease has ended") {
        scene.number("SELECT count(*) FROM attempts WHERE class = 'lost'") == 1
      }
      let other = try scene.worker(scratch: "scratch-b")
      try scene.waitForLease(of: other)
      kill(trainer, SIGCONT)
      try scene.finish(coordinator, [frozen, other], classes: ["lost", "superseded"])
    }

    @Test func `a coordinator that was frozen past every lease ends none of them`() throws {
      let scene = try Scene()
      let coordinator = try scene.coordinator(leaseSeconds: 4)
      let workers = [try scene.worker(), try scene.worker()]
      for worker in workers { try scene.waitForLease(of: worker) }
      coordinator.signal(SIGSTOP)
      // In the full form for longer than the transport's own heartbeat endures.
      try scene.pause(Form.isFull ? 40 : 5, because: "the coordinator sleeps")
      coordinator.signal(SIGCONT)
      try scene.finish(coordinator, workers, classes: [])
    }
  }
}
