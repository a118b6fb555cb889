// A sweep through a real Slurm: munged, slurmctld and two slurmd of the test's own, whose allocations end before their
// workers are done.

import Foundation
import TestSupport
import Testing

extension MachineTests {
  @Suite struct SlurmTests {
    /// Both workers of the first job lose their allocation in the middle of a point: one is signalled as Slurm does before
    /// a walltime ends, one is requeued, which signals every process in it.
    @Test func `allocations that are taken away and requeued cost nothing but time`() throws {
      // Long enough for Slurm to start the second again before others have done its work.
      let scene = try Scene(FaultSweep(points: 4, epochs: 250_000))
      guard let slurm = try SlurmCluster(scene) else { return }
      let coordinator = try scene.coordinator(leaseSeconds: 60)
      let scaler = try slurm.autoscale("2:2", "--time", "10:00")
      try scene.wait(for: "two points are under way") { open(scene) == 2 }
      let first = try slurm.running()
      try #require(first.count == 2, "\(first)")
      try slurm.command(["scancel", "--signal=TERM", "--batch", first[0]])
      try slurm.command(["scontrol", "requeue", first[1]])
      try scene.wait(for: "both have handed their points back") {
        scene.number("SELECT count(*) FROM attempts WHERE class = 'preempted'") == 2
      }
      #expect(try slurm.log(of: first[1]).contains("start 0,"))
      try scene.wait(for: "the requeued one is started again") { try slurm.log(of: first[1]).contains("start 1,") }
      try finish(scene, slurm, coordinator, scaler)
    }

    /// As above, by the clock alone: a walltime of a minute, of which workers leave 20 s, and Slurm's signal comes up to half
    /// a minute early. Checkpoints are handed over often enough for a point to be begun in what is left, although none is
    /// finished in it.
    @Test(.enabled(if: Form.isFull)) func `a sweep of which every allocation ends too soon is finished all the same`()
      throws
    {
      let scene = try Scene(FaultSweep(points: 4, epochs: 500_000))
      guard let slurm = try SlurmCluster(scene) else { return }
      let coordinator = try scene.coordinator(leaseSeconds: 60, ["--checkpoint-seconds", "5"])
      let scaler = try slurm.autoscale("2:2", "--time", "1:00", "--margin", "20")
      try finish(scene, slurm, coordinator, scaler)
      let preempted = scene.number(
        """
        SELECT count(DISTINCT worker) FROM attempts
        WHERE class = 'preempted' AND worker IN (SELECT worker FROM workers ORDER BY worker LIMIT 2)
        """)
      #expect(preempted == 2, "\(scene.story)")
    }

    @Test func `a job that Slurm refuses is told in its words`() throws {
      let scene = try Scene()
      guard let slurm = try SlurmCluster(scene) else { return }
      let words = ["--workers", "1", "--time", "5", "--connect", scene.socket, "--partition", "nowhere"]
      let ended = try slurm.groksweep(words).end(within: 60)
      #expect(ended.status == 1 && ended.errors.contains("invalid partition specified: nowhere"), "\(ended)")
      let scaled = try slurm.autoscale(
        "1:2", "--time", "5", "--partition", "nowhere", "--store", scene.folder.path("no"))
      #expect(try scaled.end(within: 60).status != 0)
      try slurm.stop()
    }

    private func open(_ scene: Scene) -> Int? { scene.number("SELECT count(*) FROM attempts WHERE class = 'open'") }

    private func finish(_ scene: Scene, _ slurm: SlurmCluster, _ coordinator: Running, _ scaler: Running) throws {
      try scene.wait(for: "the coordinator ends", within: 600) { !coordinator.isRunning }
      #expect(try coordinator.end(within: 1).status == 0, "\(scene.story)")
      try scene.wait(for: "autoscaling ends") { !scaler.isRunning }
      let ended = try scaler.end(within: 1)
      #expect(ended.status == 0, "\(scene.story)")
      #expect(ended.errors.contains("everything is done, and no worker is left in the queue"), "\(ended.errors)")
      #expect(try slurm.command(["squeue", "--noheader"]) == "", "nothing is left in the queue")
      try slurm.stop()
      // Points that went on elsewhere leave their checkpoints behind; a result that nobody has would be something else.
      let left = try FileManager.default.subpathsOfDirectory(atPath: scene.folder.path("nodes"))
      #expect(!left.contains { $0.hasSuffix("/result") }, "\(left)")
      try scene.check(classes: ["preempted"])
    }
  }
}
