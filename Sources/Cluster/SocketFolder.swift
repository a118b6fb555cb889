// A private place for a local sweep's socket, and the removal of those that killed sweeps left behind.

import Foundation

/// The folder could not be made; prints as a sentence.
package struct SocketFolderError: Error, Hashable, Sendable, CustomStringConvertible {
  package let reason: String
  package var description: String { "cannot make a private folder for the socket in /tmp: \(reason)" }
}

/// A folder in /tmp of a name that was free, open to this user only and locked while its sweep lives. Short, whatever TMPDIR
/// says: a socket's path has at most 107 bytes.
struct SocketFolder {
  private static let prefix = "groksweep-"
  let path: String
  private let lock: FolderLock

  init() throws(SocketFolderError) {
    Self.removeLeftBehind()
    // A second try, in case another sweep took the new folder for one left behind before it was locked.
    for _ in 0..<3 {
      var template = Array("/tmp/\(Self.prefix)XXXXXX".utf8CString)
      guard mkdtemp(&template) != nil else { throw SocketFolderError(reason: String(cString: strerror(errno))) }
      let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let lock: FolderLock?
      do { lock = try FolderLock.take(path) } catch { throw SocketFolderError(reason: error.description) }
      if let lock {
        self.path = path
        self.lock = lock
        return
      }
    }
    throw SocketFolderError(reason: "it cannot be locked")
  }

  var endpoint: String { "ipc://\(path)/socket" }

  func remove() { Self.remove(path) }

  private static func removeLeftBehind() {
    for name in ScratchFolder.names(in: "/tmp") where name.hasPrefix(prefix) && name.utf8.count == prefix.utf8.count + 6
    {
      let path = "/tmp/" + name
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
        let lock = try? FolderLock.take(path)
      else { continue }
      withExtendedLifetime(lock) { remove(path) }
    }
  }

  /// Only what such a folder holds, and the folder if that was all.
  private static func remove(_ path: String) {
    for name in ["socket", "lock"] { unlink(path + "/" + name) }
    rmdir(path)
  }
}
