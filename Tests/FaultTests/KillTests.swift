// kill -9, at moments that a seed draws. What died is started again, as a person or systemd would.

import Foundation
import TestSupport
import Testing

extension FaultTests {
  @Suite struct KillTests {
    @Test func `a sweep whose processes are killed again and again has the rows of one that was left alone`() throws {
      let kills = Form.isFull ? 50 : 6
      let sweep = Form.isFull ? FaultSweep(points: 40, epochs: 40_000) : FaultSweep(points: 6, epochs: 25_000)
      var chance = Chance(seed: Form.seed)
      let scene = try Scene(sweep, seed: Form.seed)
      var coordinator = try scene.coordinator(leaseSeconds: 3)
      var supervisor = try scene.worker(slots: 2)
      for number in 0..<kills {
        // Spread over the whole sweep, and over before its last points are.
        try scene.waitForRuns(number * (sweep.points - 2) / kills)
        usleep(.random(in: 0...800_000, using: &chance))
        // A supervisor whose workers died six times in a row gives them up.
        if !supervisor.isRunning { supervisor = try scene.worker(slots: 2) }
        switch Int.random(in: 0..<3, using: &chance) {
        case 0:
          try scene.kill9(supervisor)
          supervisor = try scene.worker(slots: 2)
        case 1 where kill(oneOf: Processes.children(of: supervisor.processID), &chance, scene): break
        default:
          try scene.kill9(coordinator)
          coordinator = try scene.coordinator(leaseSeconds: 3)
        }
      }
      // Workers of killed supervisors leave by themselves; those of the last one have to be there for the rest.
      if !supervisor.isRunning { supervisor = try scene.worker(slots: 2) }
      try scene.finish(coordinator, [supervisor], classes: ["lost", "crashed", "preempted", "superseded"])
    }

    @Test func `a signal to every process of an allocation is one wish to leave, and points are handed back`() throws {
      let scene = try Scene()
      let coordinator = try scene.coordinator(leaseSeconds: 60)
      let first = try scene.worker()
      let trainer = try scene.waitForLease(of: first)
      // As Slurm ends an allocation; the supervisor then sends its process a second one.
      for process in [trainer, first.processID] { Foundation.kill(process, SIGTERM) }
      #expect(try first.end(within: 180).status == 0, "\(scene.story)")
      #expect(scene.number("SELECT count(*) FROM attempts WHERE class = 'preempted'") == 1, "\(scene.story)")
      try scene.finish(coordinator, [try scene.worker()], classes: ["preempted"])
    }

    /// Kills one worker process. False when there is none, or when its death would be the third that is held against
    /// its point: such a point is set aside, and rightly.
    private func kill(oneOf workers: [Int32], _ chance: inout Chance, _ scene: Scene) -> Bool {
      guard let worker = workers.randomElement(using: &chance) else { return false }
      let charged = scene.number(
        """
        SELECT count(*) FROM attempts WHERE charged AND point IN (
          SELECT point FROM attempts JOIN workers USING (worker) WHERE class = 'open' AND process_id = \(worker))
        """)
      guard let charged, charged < 2 else { return false }
      return Foundation.kill(worker, SIGKILL) == 0
    }

    @Test func `a coordinator that is away costs nothing: its workers keep their results and bring them`() throws {
      let scene = try Scene()
      var coordinator = try scene.coordinator(leaseSeconds: 20)
      let workers = [try scene.worker(), try scene.worker()]
      for worker in workers { try scene.waitForLease(of: worker) }
      try scene.kill9(coordinator)
      try scene.wait(for: "both workers have finished their points and keep the results") {
        scene.keptResults(in: "scratch") == 2
      }
      try scene.pause(Form.isFull ? 120 : 3, because: "the coordinator is away")
      for worker in workers { #expect(worker.isRunning, "\(scene.story)") }
      coordinator = try scene.coordinator(leaseSeconds: 20)
      try scene.finish(coordinator, workers, classes: [])
    }
  }
}

extension Scene {
  /// Results in a scratch folder that no receipt came for.
  func keptResults(in scratch: String) -> Int {
    let points = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(scratch))) ?? []
    return points.count { FileManager.default.fileExists(atPath: folder.path("\(scratch)/\($0)/result")) }
  }
}
