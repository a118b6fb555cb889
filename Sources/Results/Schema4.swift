// Schema 4: values of experiments that are younger than the first release, and what statistics in plain SQL need.
//
// Released: never edited.

import GRDB

extension Schema {
  static func migrateTo4(_ database: Database) throws {
    try addColumns(to: "point", ExperimentColumns.addedInSchema4, in: database)
    try database.execute(
      sql: Views.removedInSchema4 + ArithmeticSQL.tables + Views.schema4 + Views.boundaries + "PRAGMA user_version = 4;"
    )
  }

  /// As ALTER TABLE ADD COLUMN does it: the table's definition gets longer, and rows without the columns have their
  /// defaults. But ALTER TABLE, for every column that it adds to a table with a CHECK, has all rows checked against all
  /// CHECKs: 50 s for a million points and nine columns. Values that are constants cannot break a CHECK of their own.
  ///
  /// The procedure is that of the section "Making Other Kinds Of Table Schema Changes" in SQLite's page on ALTER TABLE, for
  /// changes that leave the content of the file as it is.
  private static func addColumns(
    to table: String, _ columns: [(name: String, declaration: String)], in database: Database
  ) throws {
    let names = try String.fetchAll(
      database, sql: "SELECT lower(name) FROM pragma_table_info(?)", arguments: [table])
    if let column = columns.first(where: { names.contains($0.name) }) {
      throw DatabaseError(
        resultCode: .SQLITE_ERROR, message: "the table \(table) has a column \(column.name) already, which is not ours")
    }
    let definition =
      try String.fetchOne(
        database, sql: "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", arguments: [table]) ?? ""
    guard let end = definition.lastIndex(of: ")") else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the table \(table) has no definition")
    }
    var head = definition[..<end]
    while head.last?.isWhitespace == true { head.removeLast() }
    let added = columns.map { ",\n  \($0.name) \($0.declaration)" }.joined()
    let version = try Int.fetchOne(database, sql: "PRAGMA schema_version") ?? 0
    try database.execute(sql: "PRAGMA writable_schema = ON")
    try database.execute(
      sql: "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?",
      arguments: [head + added + "\n" + definition[end...], table])
    // RESET has the definition read anew by this connection; the number, by all others.
    try database.execute(sql: "PRAGMA schema_version = \(version + 1); PRAGMA writable_schema = RESET")
  }
}
