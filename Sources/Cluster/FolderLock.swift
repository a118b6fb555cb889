// One owner for a folder, for as long as its process lives: flock on a file in it.

import Foundation

/// Held until the last reference goes or the process dies, however it dies. Not inherited by child processes.
package final class FolderLock: Sendable {
  private let descriptor: Int32

  private init(descriptor: Int32) { self.descriptor = descriptor }

  /// nil when another owner, in this process or another, has it, had it until a moment ago, or is another user.
  ///
  /// - Throws: when nobody can lock the folder: its disk is full or read-only, or has no locks.
  package static func take(_ folder: String) throws(SealedFileError) -> FolderLock? {
    let path = folder + "/lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      if [ENOENT, EACCES, EPERM].contains(errno) { return nil }
      throw .last(path, "cannot be made")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      defer { close(descriptor) }
      if errno == EWOULDBLOCK { return nil }
      throw .last(folder, "is on a disk that gives no locks; name a folder on a disk of this machine")
    }
    guard isStillThere(path, descriptor) else {
      close(descriptor)
      return nil
    }
    return FolderLock(descriptor: descriptor)
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
