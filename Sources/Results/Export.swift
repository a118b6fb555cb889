// Views as text for other programs: CSV or JSON lines, a row at a time, so that a view of any length takes no more memory
// than a short one.
//
// Read by a connection that cannot write, while others may. It sees one moment of the store.

import Foundation
import GRDB

package enum ExportFormat: String, Sendable, CaseIterable {
  /// RFC 4180: a line of names, values with commas or quotes in quotes, lines that end in CR LF. NULL is an empty field,
  /// an empty text a pair of quotes, bytes are base64.
  case csv
  /// An object a line, with the view's columns in their order; NULL is null, bytes are base64.
  case jsonl
}

extension Store {
  /// Names of the views for people, in the order in which the schema made them.
  package func viewNames() throws -> [String] {
    try read { database in
      try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY rowid")
    }
  }

  /// Writes the rows of `view` for which `condition`, an SQL expression over its columns, is true; nil: all of them.
  /// Numbers are written so that reading them gives the same bits.
  ///
  /// - Parameter write: takes some tens of kilobytes at a time, whole lines.
  /// - Returns: the number of rows.
  /// - Throws: `StoreError`, kind `unknown` for a view that is not there, `badCondition` for a condition that SQLite does
  ///   not understand; and what `write` throws.
  package func export(
    _ view: String, where condition: String? = nil, as format: ExportFormat, write: ([UInt8]) throws -> Void
  ) throws -> Int {
    let views = try viewNames()
    guard views.contains(view) else {
      throw StoreError(
        .unknown, path,
        "there is no view \"\(view.prefix(100))\" in this store; its views are \(views.sorted().joined(separator: ", "))"
      )
    }
    func bad(_ why: String) -> StoreError {
      StoreError(
        .badCondition, path,
        "cannot look for rows of \(view) with \((condition ?? "").prefix(200)): \(why); write an SQL condition over its columns"
      )
    }
    if let condition, condition.allSatisfy(\.isWhitespace) { throw bad("the condition is empty") }
    do {
      var configuration = Configuration()
      configuration.readonly = true
      configuration.busyMode = .timeout(TimeInterval(Self.busySeconds))
      let connection = try DatabaseQueue(path: path, configuration: configuration)
      return try connection.read { database in
        // The line ends before the bracket: a comment at the condition's end hides nothing of ours.
        let filter = condition.map { " WHERE (\($0)\n)" } ?? ""
        let statement = try database.makeStatement(sql: "SELECT * FROM \(view)\(filter)")
        return try Self.write(statement, as: format, write)
      }
    } catch let error as DatabaseError {
      switch error.resultCode {
      case .SQLITE_ERROR, .SQLITE_MISUSE, .SQLITE_READONLY, .SQLITE_AUTH, .SQLITE_RANGE, .SQLITE_MISMATCH,
        .SQLITE_TOOBIG:
        throw bad(error.message ?? "SQLite does not understand it")
      default: throw StoreError(error, path: path)
      }
    }
  }

  private static func write(
    _ statement: Statement, as format: ExportFormat, _ write: ([UInt8]) throws -> Void
  ) throws -> Int {
    var text = ExportText(format, columns: statement.columnNames)
    let rows = try Row.fetchCursor(statement)
    var count = 0
    while let row = try rows.next() {
      text.add(row)
      count += 1
      if text.bytes.count >= 1 << 16 { try write(text.take()) }
    }
    try write(text.take())
    return count
  }
}

/// Lines that were not written yet.
private struct ExportText {
  private let format: ExportFormat
  /// What stands before each value: its key.
  private let openings: [[UInt8]]
  private(set) var bytes: [UInt8] = []

  init(_ format: ExportFormat, columns: [String]) {
    self.format = format
    openings = columns.enumerated().map { place, column in
      switch format {
      case .csv: place == 0 ? [] : Array(",".utf8)
      case .jsonl: Array(((place == 0 ? "{" : ",") + "\"\(column)\":").utf8)
      }
    }
    if format == .csv { bytes = Array((columns.joined(separator: ",") + "\r\n").utf8) }
  }

  mutating func take() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    return bytes
  }

  mutating func add(_ row: Row) {
    for (place, value) in row.databaseValues.enumerated() {
      bytes += openings[place]
      switch value.storage {
      case .null: if format == .jsonl { bytes += "null".utf8 }
      case .int64(let number): bytes += String(number).utf8
      // The shortest decimals that give the same bits. The schema keeps infinities out, and JSON has none.
      case .double(let number) where number.isFinite || format == .csv: bytes += number.description.utf8
      case .double: bytes += "null".utf8
      case .string(let text): add(text)
      case .blob(let data): add(data.base64EncodedString())
      }
    }
    bytes += (format == .csv ? "\r\n" : "}\n").utf8
  }

  private mutating func add(_ text: String) {
    let quote = UInt8(ascii: "\"")
    switch format {
    case .csv:
      guard text.isEmpty || text.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else {
        bytes += text.utf8
        return
      }
      bytes.append(quote)
      for byte in text.utf8 { bytes += byte == quote ? [quote, quote] : [byte] }
      bytes.append(quote)
    case .jsonl:
      bytes.append(quote)
      for byte in text.utf8 {
        switch byte {
        case quote, UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0..<0x20: bytes += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
        default: bytes.append(byte)
        }
      }
      bytes.append(quote)
    }
  }
}
