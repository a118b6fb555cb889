// What the disk and other programs do to a store: full, locked, damaged.

import Foundation
import GRDB
import Results
import Sweeps
import Testing

/// A disk of a few megabytes, which only root may have.
private final class SmallDisk {
  let path: String

  init?(megabytes: Int) {
    path = FileManager.default.temporaryDirectory.path + "/groksweep-small-\(UUID().uuidString)"
    guard mkdir(path, 0o700) == 0 else { return nil }
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
      rmdir(path)
      return nil
    }
  }

  deinit {
    umount2(path, Int32(MNT_DETACH))
    rmdir(path)
  }

  /// Takes all the room that there is.
  func fill() throws {
    let filler = open(path + "/filler", O_WRONLY | O_CREAT, 0o600)
    defer { close(filler) }
    let zeros = [UInt8](repeating: 0, count: 4096)
    while write(filler, zeros, zeros.count) == zeros.count {}
  }

  func makeRoom() { unlink(path + "/filler") }

  static let isPossible = SmallDisk(megabytes: 1) != nil
}

@Suite struct StoreTroubleTests {
  @Test(.enabled(if: SmallDisk.isPossible, "needs root, to mount a tmpfs of a few megabytes"))
  func `on a full disk a batch fails as a whole, and is taken when there is room`() throws {
    let disk = try #require(SmallDisk(megabytes: 8))
    let store = try Store(path: disk.path + "/x.sqlite", mode: .create)
    let sweep = Sample.sweep()
    _ = try store.register(sweep, at: Sample.now)
    try store.recordWorker(Sample.worker(), at: Sample.now)
    try disk.fill()
    let batch: [StoreWrite] = sweep.points.enumerated().flatMap { index, point -> [StoreWrite] in
      let lease = LeaseID(Int64(index + 1))
      return [
        .grant(AttemptRecord(lease: lease, point: point.id, worker: 1)),
        .result(Sample.measured(), of: point.id, lease: lease, seconds: 1, worker: 1),
      ]
    }
    for _ in 0..<3 {
      let error = storeError { _ = try store.commit(batch, at: Sample.now) }
      #expect(error?.kind == .unavailable)
      #expect(error?.message.contains("disk") == true, "\(String(describing: error))")
    }
    // What is there can be read all the while.
    #expect(try store.sweepProgress(of: "decay").pending == 4)
    disk.makeRoom()
    #expect(try store.commit(batch, at: Sample.now).count == 8)
    #expect(try store.sweepProgress(of: "decay").finished == 4)
    try store.check()
    try store.close()
  }

  @Test func `a lock of another program is waited for, and costs no error`() throws {
    let fixture = try StoreFixture()
    _ = try fixture.store.register(Sample.sweep(), at: Sample.now)
    let other = try fixture.plain()
    let isLocked = DispatchSemaphore(value: 0)
    let release = Thread {
      try? other.inDatabase { database in
        try database.execute(sql: "BEGIN IMMEDIATE")
        isLocked.signal()
        usleep(2_000_000)
        try database.execute(sql: "COMMIT")
      }
    }
    release.start()
    isLocked.wait()
    let began = ContinuousClock.now
    let outcomes = try fixture.store.commit([.worker(Sample.worker())], at: Sample.now)
    #expect(outcomes.count == 1)
    // It did wait: the lock was held when it asked.
    #expect(ContinuousClock.now - began > .seconds(1))
    #expect(try fixture.value("SELECT count(*) FROM workers") == 1)
  }

  @Test func `a store with a damaged page is refused in words before anything is written`() throws {
    let fixture = try StoreFixture()
    let sweep = Sample.sweep(weightDecays: (1...20).map(Double.init), seeds: 40)
    _ = try fixture.store.register(sweep, at: Sample.now)
    try fixture.store.check()
    try fixture.store.close()
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.path))
    let pages = try handle.seekToEnd() / 4096
    try handle.seek(toOffset: pages / 2 * 4096)
    try handle.write(contentsOf: Data(repeating: 0xa5, count: 4096))
    try handle.close()
    let store = try Store(path: fixture.path, mode: .open)
    let error = storeError { try store.check() }
    #expect(error?.kind == .refused)
    #expect(error?.message.contains(".recover") == true)
  }
}
