// Everything that can go wrong with a store, as a sentence for people and a kind for the caller.

import GRDB

/// What went wrong with which store, and what to do about it.
package struct StoreError: Error, CustomStringConvertible, Sendable {
  /// What the caller should do.
  package enum Kind: Sendable, Hashable {
    /// The file cannot serve as a store; it was not touched.
    case refused
    /// Another coordinator holds the lock.
    case locked
    /// A sweep of this name is there with other content; nothing was written.
    case sweepChanged
    /// The schema refused a value. The same value will be refused again, so do not repeat it.
    case rejected
    /// Disk full, device error, or locked by another program for longer than the busy timeout: keep the data, try later.
    case unavailable
    /// No such sweep, point, worker or lease in this store.
    case unknown
    /// An SQL condition from outside that SQLite does not understand; nothing was done.
    case badCondition
  }

  package let kind: Kind
  package let path: String
  /// Without the path: what, and what to do.
  package let message: String

  init(_ kind: Kind, _ path: String, _ message: String) {
    self.kind = kind
    self.path = path
    self.message = message
  }

  package var description: String { "\(path): \(message)" }
}

extension StoreError {
  /// Any error thrown inside a transaction. Errors of this module pass through; SQLite's become sentences.
  init(_ error: any Error, path: String) {
    if let known = error as? StoreError {
      self = known
      return
    }
    guard let sqlite = error as? DatabaseError else {
      self.init(.unavailable, path, "the store could not be used: \(error)")
      return
    }
    let detail = sqlite.message ?? "SQLite error \(sqlite.extendedResultCode.rawValue)"
    switch sqlite.resultCode {
    case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG, .SQLITE_RANGE:
      self.init(.rejected, path, "the store refused a value that breaks its rules (\(detail)); nothing was written")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(
        .unavailable, path,
        "the store is locked by another program, and did not come free; "
          + "end the transaction that is open in the sqlite3 shell or elsewhere")
    case .SQLITE_FULL:
      self.init(.unavailable, path, "the disk is full; make room, nothing was lost")
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      self.init(
        .unavailable, path,
        "the store cannot be opened (\(detail)); SQLite must be able to write the files -wal and -shm beside it, "
          + "so give write permission on its folder or copy the store to a folder of yours")
    case .SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_FORMAT:
      self.init(
        .refused, path,
        "the file is damaged (\(detail)); try sqlite3's .recover command on a copy, or choose another --store")
    case .SQLITE_IOERR:
      self.init(.unavailable, path, "reading or writing the disk failed (\(detail)); check the device and free space")
    default:
      self.init(.unavailable, path, "the store could not be used: \(detail)")
    }
  }
}
