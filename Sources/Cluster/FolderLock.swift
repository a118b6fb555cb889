// One owner for a folder, for as long as its process lives: flock on a file in it.

import Foundation

/// Held until the last reference goes or the process dies, however it dies. Not inherited by child processes.
final class FolderLock: Sendable {
  private let descriptor: Int32

  /// nil when another owner, in this process or another, has it.
  init?(folder: String) {
    let path = folder + "/lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.isStillThere(path, descriptor) else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Between opening and locking, the owner before may have removed the folder: then this locks a file that nobody else
  /// will ever see.
  private static func isStillThere(_ path: String, _ descriptor: Int32) -> Bool {
    var (here, locked) = (stat(), stat())
    return stat(path, &here) == 0 && fstat(descriptor, &locked) == 0 && here.st_ino == locked.st_ino
      && here.st_dev == locked.st_dev
  }
}
