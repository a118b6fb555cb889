// The store: one SQLite file that holds everything a sweep has found, and the only code that knows SQL.
//
// It keeps the truth and decides nothing: no scheduling, no clock (times come in as `now`), no retries. Every write is one
// named transaction that is on disk when it returns (WAL, synchronous FULL). One process writes, the coordinator; any
// number may read. The rules that can be said in SQL stand in Schema.swift and are kept by SQLite itself.

import Foundation
import GRDB
import Sweeps

/// An open store. Synchronous and safe to call from any thread; calls of one store wait for each other.
package final class Store: Sendable {
  package enum Mode: Sendable, Hashable {
    /// Write; make the file if it is not there.
    case create
    /// Write; the file must be there.
    case open
    /// Read only; the file must be there.
    case readOnly
    /// As `readOnly`, for a process that looks on for days: SQLite itself keeps its connection from writing, also from
    /// folding the log in at the end, and no lock of others is waited for longer than `glanceSeconds`. The files -wal and
    /// -shm stay beside the store.
    case watching

    var isReadOnly: Bool { self == .readOnly || self == .watching }
  }

  /// The path as given; errors name it.
  package let path: String
  package let mode: Mode
  /// The older schema from which opening has brought the store up to date; nil when there was nothing to do.
  package let migratedFrom: Int?
  /// Whether there was a write-ahead log when it was opened: another program had it open, or its last writer was killed.
  let hadLog: Bool
  private let queue: DatabaseQueue

  /// How long a transaction waits for another program's lock, such as an open transaction in the sqlite3 shell.
  package static let busySeconds = 10
  /// The same for who only looks on.
  private static let glanceSeconds = 1.0
  /// `grok` in ASCII, in the file's header: the mark by which we know our own files.
  static let applicationID: Int32 = 0x6772_6f6b

  /// Opens, and with `.create` makes, the store at `path`.
  ///
  /// Throws `StoreError.Kind.refused` for what is not a store of ours, is from a newer groksweep, or lies where SQLite
  /// cannot keep it safe; then nothing on disk was changed.
  package init(path: String, mode: Mode) throws {
    self.path = path
    self.mode = mode
    let file = StoreFile(path: path)
    hadLog = StoreFile.size(of: path + "-wal") > 0
    do {
      switch try file.inspect(mode) {
      case .absent: try file.make()
      case .present: break
      }
      var configuration = Self.configuration
      if mode == .watching {
        configuration.readonly = true
        configuration.busyMode = .timeout(Self.glanceSeconds)
      }
      queue = try DatabaseQueue(path: path, configuration: configuration)
      let version = try queue.inDatabase { database in try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0 }
      try file.checkVersion(version, mode)
      migratedFrom = version < Self.schemaVersion ? version : nil
      if !mode.isReadOnly {
        try queue.inDatabase { database in try database.execute(sql: "PRAGMA journal_mode = WAL") }
        try Schema.migrator.migrate(queue)
      }
    } catch {
      throw StoreError(error, path: path)
    }
  }

  /// Ends the connection and folds the write-ahead log into the file. A store that is dropped does the same, silently.
  package func close() throws {
    do { try queue.close() } catch { throw StoreError(error, path: path) }
  }

  /// SQLite's own version, such as `3.40.1`.
  package static var sqliteVersion: String {
    (try? DatabaseQueue().read { database in try String.fetchOne(database, sql: "SELECT sqlite_version()") })
      ?? "unknown"
  }

  /// A numeric PRAGMA of this store's connection, such as `synchronous`: what SQLite says, not what was asked of it.
  package func setting(_ name: String) throws -> Int? {
    do {
      return try queue.inDatabase { database in try Int.fetchOne(database, sql: "PRAGMA \(name)") }
    } catch {
      throw StoreError(error, path: path)
    }
  }

  static var configuration: Configuration {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = true
    configuration.busyMode = .timeout(TimeInterval(busySeconds))
    configuration.label = "groksweep.store"
    // FULL: a commit is on disk before the worker gets its receipt. In WAL mode it costs one fsync per transaction.
    // The log is folded in after 16 MiB instead of 4: pages that many commits touch are written once instead of often.
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000")
    }
    return configuration
  }
}

// How the other files of this module reach the database.
extension Store {
  /// One IMMEDIATE transaction: all of it or nothing.
  func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
    precondition(!mode.isReadOnly, "a store that was opened read-only cannot be written: \(path)")
    do { return try queue.write(body) } catch { throw StoreError(error, path: path) }
  }

  /// One snapshot; writers are not held up.
  func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    do { return try queue.read(body) } catch { throw StoreError(error, path: path) }
  }

  /// Outside of any transaction, for settings of the connection.
  func withoutTransaction(_ body: (Database) throws -> Void) throws {
    do { try queue.inDatabase(body) } catch { throw StoreError(error, path: path) }
  }

  /// The row number of `id`, or an error of kind `unknown`.
  func number(of id: PointID, in database: Database) throws -> Int64 {
    let statement = try database.cachedStatement(sql: "SELECT number FROM point WHERE id = ?")
    guard let number = try Int64.fetchOne(statement, arguments: [id.hex]) else { throw unknown(id) }
    return number
  }

  func unknown(_ id: PointID) -> StoreError {
    StoreError(.unknown, path, "there is no point \(id.short) in this store")
  }

  /// The row number of the sweep `name`, or an error of kind `unknown` that lists the sweeps that there are.
  func number(ofSweep name: String, in database: Database) throws -> Int64 {
    if let number = try Int64.fetchOne(database, sql: "SELECT number FROM sweep WHERE name = ?", arguments: [name]) {
      return number
    }
    let names = try String.fetchAll(database, sql: "SELECT name FROM sweep ORDER BY number")
    let known = names.isEmpty ? "it has no sweeps yet" : "its sweeps are \(names.joined(separator: ", "))"
    throw StoreError(.unknown, path, "there is no sweep \"\(name)\" in this store; \(known)")
  }
}
