// The lock that keeps two coordinators off one store: an exclusive flock(2) on a small file beside it.
//
// The file says who holds the lock, for the second one's error message. The kernel frees it when the process ends, however
// it ends. Readers and the sqlite3 shell need no lock.

import Foundation
import Synchronization

/// The process that coordinates on a store.
package struct LockHolder: Sendable, Codable, Hashable {
  package let processID: Int32
  package let host: String
  /// ISO-8601, UTC.
  package let since: String

  enum CodingKeys: String, CodingKey {
    case processID = "process_id"
    case host, since
  }
}

/// Held from `Store.lock` until `release`, the last reference, or the end of the process. Child processes do not inherit it.
package final class StoreLock: Sendable {
  private let path: String
  private let descriptor: Mutex<Int32?>

  fileprivate init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = Mutex(descriptor)
  }

  /// Removes the lock file and frees the lock; a second call does nothing.
  package func release() {
    descriptor.withLock { held in
      guard let open = held else { return }
      // Removed while still held: whoever waits on the removed file finds out in `Store.lock` and opens anew.
      unlink(path)
      close(open)
      held = nil
    }
  }

  deinit { release() }
}

extension Store {
  /// Becomes the coordinator of the store at `path`, which need not exist yet. Take it before opening.
  ///
  /// Throws `StoreError.Kind.locked` with the holder's process, host and start when there is one, and refuses what
  /// `init(path:mode:)` would refuse.
  package static func lock(path: String, now: Date) throws -> StoreLock {
    _ = try StoreFile(path: path).inspect(.create)
    let lockPath = lockPath(of: path)
    // A second look after a moment: `lockHolder` of another process holds a shared lock for some microseconds.
    for attempt in 0..<5 {
      if attempt > 0 { usleep(20_000) }
      let descriptor = Foundation.open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        throw StoreError(
          .refused, path, "its lock file \(lockPath) cannot be made: \(String(cString: strerror(errno)).lowercased())")
      }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, isStill(descriptor, at: lockPath) else {
        Foundation.close(descriptor)
        continue
      }
      let holder = LockHolder(processID: getpid(), host: hostName(), since: Timestamp.text(now))
      let bytes = (try? JSONEncoder().encode(holder)) ?? Data()
      ftruncate(descriptor, 0)
      _ = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
      return StoreLock(path: lockPath, descriptor: descriptor)
    }
    let holder = readHolder(lockPath).map { "process \($0.processID) on \($0.host) since \($0.since)" }
    throw StoreError(
      .locked, path,
      "another coordinator is using this store: \(holder ?? "its lock file is \(lockPath)"); "
        + "stop it first, or choose another --store")
  }

  /// Who coordinates on the store at `path` now; nil when nobody does. Throws when the lock file may not be read.
  package static func lockHolder(path: String) throws -> LockHolder? {
    let lockPath = lockPath(of: path)
    let descriptor = Foundation.open(lockPath, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      guard errno == ENOENT else {
        throw StoreError(
          .refused, path, "its lock file \(lockPath) cannot be read: \(String(cString: strerror(errno)).lowercased())")
      }
      return nil
    }
    defer { Foundation.close(descriptor) }
    guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return nil }
    return readHolder(lockPath)
  }

  /// Beside the store itself, whichever symbolic link led to it.
  private static func lockPath(of path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path + ".lock" }
    defer { free(resolved) }
    return String(cString: resolved) + ".lock"
  }

  /// False when the file was removed, or replaced, between opening and locking it.
  private static func isStill(_ descriptor: Int32, at path: String) -> Bool {
    var opened = stat()
    var named = stat()
    return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino
      && opened.st_dev == named.st_dev
  }

  private static func readHolder(_ path: String) -> LockHolder? {
    guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
    return try? JSONDecoder().decode(LockHolder.self, from: bytes)
  }

  private static func hostName() -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard gethostname(&bytes, bytes.count - 1) == 0 else { return "unknown" }
    return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
