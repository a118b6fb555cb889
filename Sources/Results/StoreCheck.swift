// Whether a store is sound, before a coordinator relies on it.

import GRDB

extension Store {
  /// Stores up to this size are read whole at every start.
  static let checkedBytes = 512 << 20

  /// Checks the store, unless it is large and was closed in order: then it is as sound as its disk.
  package func checkAtStart() throws {
    if hadLog || StoreFile.size(of: path) <= Self.checkedBytes { try check() }
  }

  /// Has SQLite read the whole file and look for damage: a second for each gigabyte that the system has in memory, and
  /// otherwise what the disk takes.
  ///
  /// - Throws: `StoreError`, kind `refused`, with the first damage that it found.
  package func check() throws {
    let findings = try read { database in try String.fetchAll(database, sql: "PRAGMA quick_check(1)") }
    guard findings != ["ok"] else { return }
    // SQLite's own words may fill pages.
    let damage = findings.first.map { $0.split(separator: "\n").joined(separator: "; ").prefix(200) } ?? "no answer"
    throw StoreError(
      .refused, path,
      "the file is damaged (\(damage)); nothing was written. Put a copy of it back if there is one; otherwise choose "
        + "another --store, and save the runs of this one with sqlite3's .recover, or .dump where that fails")
  }
}
