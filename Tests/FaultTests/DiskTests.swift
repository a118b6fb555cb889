// Disks that fill up, each a small tmpfs of the test's own: under the store, and under a worker's scratch folder.

import Foundation
import TestSupport
import Testing

extension FaultTests {
  @Suite struct DiskTests {
    @Test func `a full disk under the store stops the granting, and loses nothing`() throws {
      let scene = try Scene(store: "disk/s.sqlite")
      guard let disk = try Disk("disk", megabytes: 8, scene) else { return }
      let coordinator = try scene.coordinator(leaseSeconds: 20)
      let workers = [try scene.worker(), try scene.worker()]
      for worker in workers { try scene.waitForLease(of: worker) }
      try disk.fill()
      try scene.waitForWord("handing out no points until the store works again", of: coordinator)
      #expect(coordinator.errors.contains("the disk is full"), "\(scene.story)")
      disk.free()
      try scene.finish(coordinator, workers, classes: [])
      disk.unmount()
    }

    @Test func `a worker whose scratch space is full hands its point back, and goes on when there is room`() throws {
      let scene = try Scene()
      guard let disk = try Disk("scratch", megabytes: 8, scene) else { return }
      let coordinator = try scene.coordinator(leaseSeconds: 20)
      var supervisor = try scene.worker(slots: 2)
      try scene.wait(for: "both slots have a point") {
        scene.number("SELECT count(*) FROM attempts") ?? 0 >= 2
      }
      try disk.fill()
      try scene.waitForWord("hands its point back and leaves", of: supervisor)
      disk.free()
      try scene.wait(for: "the coordinator is done, or the supervisor gave up") {
        !coordinator.isRunning || !supervisor.isRunning
      }
      // As systemd would.
      if coordinator.isRunning { supervisor = try scene.worker(slots: 2) }
      try scene.wait(for: "the coordinator is done") { !coordinator.isRunning }
      // It may start a process again half a minute after the scratch space was full, and find nobody.
      supervisor.signal(SIGTERM)
      try scene.finish(coordinator, [supervisor], classes: ["preempted"])
      disk.unmount()
    }
  }
}

/// A small file system in a folder of the scene.
final class Disk {
  private let scene: Scene
  private let path: String
  private var isMounted = true

  /// nil, with a line that says why, where this process may not mount.
  init?(_ name: String, megabytes: Int, _ scene: Scene) throws {
    self.scene = scene
    path = scene.folder.path(name)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let options = ["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=0700", "tmpfs", path]
    let ended = try Running("/usr/bin/env", options, in: scene.folder).end(within: 30)
    guard ended.status == 0 else {
      isMounted = false
      print("skipped, since no tmpfs can be mounted here: \(ended.errors)")
      return nil
    }
  }

  deinit { unmount() }

  func unmount() {
    guard isMounted else { return }
    isMounted = false
    _ = try? Running("/usr/bin/env", ["umount", "--lazy", path], in: scene.folder).end(within: 30)
  }

  private var ballast: String { path + "/ballast" }

  /// Until not one more byte fits.
  func fill() throws {
    let descriptor = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    for size in [1 << 16, 1] {
      let bytes = [UInt8](repeating: 0, count: size)
      while write(descriptor, bytes, size) > 0 {}
    }
    try #require(errno == ENOSPC)
  }

  func free() { unlink(ballast) }
}
