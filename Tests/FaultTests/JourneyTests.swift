// Points that change machines: each machine has a scratch folder of its own, so what the second one goes on from came
// through the coordinator.

import Foundation
import TestSupport
import Testing

extension FaultTests {
  @Suite struct JourneyTests {
    /// Beside the store `s.sqlite`.
    private static let shelf = "s.checkpoints"
    /// Long points: who is told to leave has to be in the middle of one, however late it is told.
    private static let sweep = Form.isFull ? Form.sweep : FaultSweep(points: 2, epochs: 50_000)

    @Test func `a point that loses its machine goes on elsewhere from its checkpoint, bit for bit`() throws {
      let scene = try Scene(Self.sweep)
      let coordinator = try scene.coordinator(leaseSeconds: 20)
      let first = try scene.worker(scratch: "scratch-a")
      try scene.wait(for: "five evaluations of its first point") { scene.snapshots(in: "scratch-a") >= 5 }
      first.signal(SIGTERM)
      #expect(try first.end(within: 120).status == 0, "\(scene.story)")
      try FileManager.default.removeItem(atPath: scene.folder.path("scratch-a"))

      let second = try scene.worker(scratch: "scratch-b")
      try scene.finish(coordinator, [second], classes: ["preempted"])
      let line = second.errors.firstMatch(of: /goes on from its checkpoint at epoch (\d+)/)
      #expect(line.flatMap { Int($0.1) } ?? 0 >= 4000, "\(scene.story)")
      let kept = (try? FileManager.default.contentsOfDirectory(atPath: scene.folder.path(Self.shelf))) ?? []
      #expect(kept.isEmpty, "checkpoints of finished points")
    }

    /// A leaving worker waits 20 s for its checkpoint to be taken over, so this is for the full form.
    @Test(.enabled(if: Form.isFull))
    func `where no checkpoint can be kept, for want of room, the sweep goes on without`() throws {
      let scene = try Scene(Self.sweep)
      guard let disk = try Disk(Self.shelf, megabytes: 1, scene) else { return }
      try disk.fill()
      let coordinator = try scene.coordinator(leaseSeconds: 60)
      let first = try scene.worker(scratch: "scratch-a")
      try scene.wait(for: "five evaluations of its first point") { scene.snapshots(in: "scratch-a") >= 5 }
      first.signal(SIGTERM)
      #expect(try first.end(within: 120).status == 0, "\(scene.story)")
      try scene.waitForWord("cannot keep a checkpoint", of: coordinator)
      try FileManager.default.removeItem(atPath: scene.folder.path("scratch-a"))

      let second = try scene.worker(scratch: "scratch-b")
      try scene.finish(coordinator, [second], classes: ["preempted"])
      #expect(!second.errors.contains("goes on from its checkpoint"), "\(scene.story)")
      disk.unmount()
    }
  }
}

extension Scene {
  /// Weights that the run in a scratch folder has kept so far, one for each evaluation.
  func snapshots(in scratch: String) -> Int {
    let paths = FileManager.default.subpaths(atPath: folder.path(scratch)) ?? []
    return paths.count { $0.contains("/snapshot-") && !$0.hasSuffix(".new") }
  }
}
