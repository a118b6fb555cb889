// A copy of a store as of one moment, made while others write; and new files that are there whole or not at all.

import Foundation
import GRDB

extension Store {
  /// Copies the store to `copy`, without its free pages and its write-ahead log, as it stands at one moment.
  ///
  /// - Throws: `StoreError`, kind `refused`, when there is something at `copy` already, which stays as it is.
  package func snapshot(to copy: String) throws {
    try NewFile(copy).make { unfinished in try vacuum(into: unfinished) }
  }

  func vacuum(into copy: String) throws {
    try withoutTransaction { database in try database.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
  }
}

/// A file that must not be there yet.
struct NewFile {
  let path: String

  /// Throws when there is something at `path`, or beside it what SQLite would take for a part of it.
  init(_ path: String) throws {
    // SQLite takes a name that begins with file: for a URI.
    self.path = path.hasPrefix("file:") ? "./" + path : path
    try refuseExisting()
    var status = stat()
    for suffix in ["-wal", "-journal"] where lstat(path + suffix, &status) == 0 {
      throw StoreError(
        .refused, path, "\(path)\(suffix) is left of a store of that name; remove it, or name another file")
    }
  }

  /// Has `body` make the file under another name beside `path`, and gives it its name when it is complete. A failure
  /// leaves nothing.
  func make(_ body: (_ unfinished: String) throws -> Void) throws {
    let unfinished = "\(path).new-\(getpid())"
    func removeUnfinished() {
      for suffix in ["", "-journal", "-wal", "-shm"] { unlink(unfinished + suffix) }
    }
    removeUnfinished()
    defer { removeUnfinished() }
    try body(unfinished)
    let descriptor = open(unfinished, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failed() }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failed() }
    // A link, where the file system has them: it does not replace what somebody else made meanwhile.
    if link(unfinished, path) == 0 { return }
    try refuseExisting()
    guard rename(unfinished, path) == 0 else { throw failed() }
  }

  private func refuseExisting() throws {
    var status = stat()
    guard lstat(path, &status) != 0 else {
      throw StoreError(.refused, path, "is there already, and stays as it is; name another file, or remove it first")
    }
  }

  private func failed() -> StoreError {
    StoreError(.unavailable, path, "cannot be made: \(String(cString: strerror(errno)).lowercased())")
  }
}
