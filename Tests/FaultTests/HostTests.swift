// A machine that takes every point down, beside one that does not.

import Foundation
import TestSupport
import Testing

extension FaultTests {
  @Suite struct HostTests {
    @Test func `a machine that fails point after point is sent home, and its failures are not held against the points`()
      throws
    {
      let scene = try Scene(FaultSweep(points: 6, epochs: 25_000))
      guard let place = try scene.machine(named: "groksweep-bad") else { return }
      let coordinator = try scene.coordinator(leaseSeconds: 20)
      // As many slots as points have to fail there, so that none is finished in between.
      let bad = try scene.worker(slots: 5, scratch: "scratch-bad", in: place)
      try scene.wait(for: "five points are under way there") {
        scene.number("SELECT count(*) FROM attempts WHERE class = 'open'") == 5
      }
      for process in Processes.children(of: bad.processID) { kill(process, SIGKILL) }
      try scene.wait(for: "its supervisor says why its workers leave") {
        bad.errors.contains("5 points in a row failed on groksweep-bad")
      }
      let status = try Groksweep.run(["status", "--connect", scene.socket], in: scene.folder)
      #expect(status.output.contains("Nobody is taken from groksweep-bad for another"), "\(status)")
      #expect(bad.isRunning, "the supervisor knocks again later\n\(scene.story)")

      // The machine is gone, and its disk with it.
      kill(bad.processID, SIGKILL)
      _ = try bad.end(within: 60)
      try FileManager.default.removeItem(atPath: scene.folder.path("scratch-bad"))
      let good = try scene.worker(scratch: "scratch-good")
      try scene.finish(coordinator, [good], classes: ["crashed", "preempted"])
      #expect(scene.number("SELECT count(*) FROM attempts WHERE charged") == 0, "\(scene.story)")
      #expect(scene.number("SELECT count(*) FROM attempt WHERE refunded IS NOT NULL") == 5, "\(scene.story)")
    }
  }
}

extension Scene {
  /// What starts a program under another host name; nil, with a line that says why, where this process may not.
  func machine(named name: String) throws -> [String]? {
    let tried = try Running("/usr/bin/env", ["unshare", "--uts", "true"], in: folder).end(within: 60)
    guard tried.status == 0 else {
      print("skipped, since this machine gives no host names (unshare --uts): \(tried.errors)")
      return nil
    }
    return ["unshare", "--uts", "sh", "-c", "hostname \(name) && exec \"$@\"", "sh"]
  }
}
