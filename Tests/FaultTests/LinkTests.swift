// Links between machines that break, for less and for more time than a lease lasts.

import Foundation
import TestSupport
import Testing

extension FaultTests {
  @Suite struct LinkTests {
    /// A test that is kept from its processor for a while must still find a short cut shorter than this.
    private static let leaseSeconds = 5

    @Test(arguments: Form.isFull ? [[1], [2], [1, 2]] : [[1]])
    func `links that are cut for less than a lease cost nothing`(cables: [Int]) throws {
      try withNetwork { scene, network, coordinator, workers in
        for cable in cables { try network.cut(cable) }
        try scene.pause(1, because: "links \(cables) are cut")
        for cable in cables { try network.mend(cable) }
        try scene.finish(coordinator, workers, classes: [])
      }
    }

    @Test(arguments: Form.isFull ? [[1], [2], [1, 2]] : [[1, 2]])
    func `workers behind links that are cut for more than a lease go on, and bring what they have`(
      cables: [Int]
    ) throws {
      try withNetwork { scene, network, coordinator, workers in
        for cable in cables { try network.cut(cable) }
        try scene.wait(for: "the workers behind cut links have lost their leases") {
          scene.number("SELECT count(*) FROM attempts WHERE class = 'lost'") ?? 0 >= cables.count
        }
        for cable in cables {
          try scene.wait(for: "worker \(cable) has finished its point all the same") {
            scene.keptResults(in: "scratch-\(cable)") == 1
          }
          #expect(workers[cable - 1].isRunning, "\(scene.story)")
        }
        for cable in cables { try network.mend(cable) }
        try scene.finish(coordinator, workers, classes: ["lost", "superseded"])
        // A machine that falls silent as a whole says nothing about its point.
        #expect(scene.number("SELECT count(*) FROM attempts WHERE charged") == 0, "\(scene.story)")
      }
    }

    /// A coordinator and two workers on three machines, each worker with a point. With keys, as across machines.
    private func withNetwork(_ act: (Scene, Network, Running, [Running]) throws -> Void) throws {
      let scene = try Scene()
      guard let network = try Network(cables: 2, scene) else { return }
      let keys = scene.folder.path("keys")
      for number in 1...2 {
        let made = try Groksweep.run(["keys", "new", "machine-\(number)", "--keys", keys], in: scene.folder)
        try #require(made.status == 0, "\(made)")
      }
      let coordinator = try scene.coordinator(
        leaseSeconds: Self.leaseSeconds, at: Network.listening, in: network.place(0), ["--keys", keys])
      let workers = try (1...2).map { number in
        try scene.worker(
          at: Network.endpoint, scratch: "scratch-\(number)", in: network.place(number),
          ["--join", scene.folder.path("machine-\(number).join")])
      }
      for worker in workers { try scene.waitForLease(of: worker) }
      try act(scene, network, coordinator, workers)
    }
  }
}
