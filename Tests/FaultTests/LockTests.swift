// Somebody looks into the store with the sqlite3 shell, and holds it.

import Foundation
import TestSupport
import Testing

extension FaultTests {
  @Suite struct LockTests {
    /// 15 s is beyond what one write waits for (10 s).
    @Test(arguments: Form.isFull ? [2, 15] : [2])
    func `a sqlite3 shell that holds the store's lock costs waiting, and nothing is lost`(seconds: Int) throws {
      let scene = try Scene()
      let coordinator = try scene.coordinator(leaseSeconds: 20)
      let workers = [try scene.worker(), try scene.worker()]
      for worker in workers { try scene.waitForLease(of: worker) }
      let shell = try scene.start(
        "sqlite3",
        [
          "sqlite3", "-cmd", ".timeout 10000", scene.folder.path(scene.store), "BEGIN IMMEDIATE",
          ".shell touch held; sleep \(seconds)", "COMMIT",
        ])
      try scene.wait(for: "the shell has the lock") {
        FileManager.default.fileExists(atPath: scene.folder.path("held"))
      }
      let finished = scene.number("SELECT count(*) FROM runs")
      try scene.wait(for: "the shell lets go") { !shell.isRunning }
      #expect(try shell.end(within: 1).status == 0, "\(shell.errors)")
      #expect(finished ?? 0 < scene.sweep.points, "the sweep was over before the lock was taken")
      try scene.finish(coordinator, workers, classes: [])
      if seconds < 10 { #expect(!coordinator.errors.contains("error"), "\(scene.story)") }
    }
  }
}
