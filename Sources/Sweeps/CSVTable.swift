// Comma-separated values, line by line: cells trimmed, `"…"` around a cell with a comma or a quote in it, `""` for a
// quote. Empty lines and lines that begin with `#` are left out. A cell cannot hold a line's end.

struct CSVTable {
  struct Row {
    /// From 1.
    let line: Int
    let cells: [String]
  }

  private let file: String
  private let bytes: [UInt8]
  private var position = 0
  private var line = 0

  init(_ text: String, file: String) {
    self.file = file
    bytes = Array(text.utf8)
    // What some spreadsheets put in front of UTF-8.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// The next line with something in it; nil at the end.
  mutating func next() throws(SweepFileProblem) -> Row? {
    while position < bytes.count {
      let start = position
      while position < bytes.count, bytes[position] != UInt8(ascii: "\n"), bytes[position] != UInt8(ascii: "\r") {
        position += 1
      }
      let content = trimmed(bytes[start..<position])
      if position < bytes.count {
        let isPair =
          bytes[position] == UInt8(ascii: "\r") && position + 1 < bytes.count
          && bytes[position + 1] == UInt8(ascii: "\n")
        position += isPair ? 2 : 1
      }
      line += 1
      if content.isEmpty || content.first == UInt8(ascii: "#") { continue }
      return Row(line: line, cells: try cells(of: content))
    }
    return nil
  }

  private func cells(of content: ArraySlice<UInt8>) throws(SweepFileProblem) -> [String] {
    var cells: [String] = []
    var rest = content
    while true {
      rest = rest.drop(while: isSpace)
      var cell: [UInt8] = []
      if rest.first == UInt8(ascii: "\"") {
        rest = rest.dropFirst()
        while true {
          guard let byte = rest.popFirst() else {
            throw SweepFileProblem(.included(file: file, line: line), "a quote is opened and not closed; add a \"")
          }
          if byte != UInt8(ascii: "\"") {
            cell.append(byte)
          } else if rest.first == UInt8(ascii: "\"") {
            cell.append(byte)
            rest = rest.dropFirst()
          } else {
            break
          }
        }
        rest = rest.drop(while: isSpace)
        guard rest.first == nil || rest.first == UInt8(ascii: ",") else {
          throw SweepFileProblem(
            .included(file: file, line: line), "something stands behind a closing quote; put the whole cell in quotes")
        }
      } else {
        cell = Array(trimmed(rest.prefix { $0 != UInt8(ascii: ",") }))
        rest = rest.drop { $0 != UInt8(ascii: ",") }
      }
      cells.append(String(decoding: cell, as: UTF8.self))
      guard rest.popFirst() != nil else { return cells }
    }
  }

  private func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  private func trimmed(_ slice: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var slice = slice.drop(while: isSpace)
    while let last = slice.last, isSpace(last) { slice.removeLast() }
    return slice
  }
}
