// What our scripts say on another machine: lines `@groksweep KEY VALUE` among whatever else a shell's start files print,
// then perhaps a piece of the workers' log, and a last line, without which something was cut short.

import Foundation

package struct RemoteAnswer: Sendable {
  private static let mark = "@groksweep "
  private var lines: [(key: Substring, value: Substring)] = []
  /// What the script was asked for of the log; "" without.
  package private(set) var log = ""
  package private(set) var isWhole = false

  package init(_ output: String) {
    var rest = output[...]
    guard let end = rest.range(of: "\n\(Self.mark)end\n", options: .backwards) else { return }
    rest = rest[..<end.lowerBound]
    isWhole = true
    while !rest.isEmpty {
      let line = rest.prefix { $0 != "\n" }
      rest = rest[line.endIndex...].dropFirst()
      guard line.hasPrefix(Self.mark) else { continue }
      let words = line.dropFirst(Self.mark.count)
      let key = words.prefix { $0 != " " }
      let value = words[key.endIndex...].dropFirst()
      if key == "log" {
        log = String(rest)
        return
      }
      lines.append((key, value))
    }
  }

  /// The first value of that key.
  package subscript(key: String) -> String? { lines.first { $0.key == key }.map { String($0.value) } }

  package func all(_ key: String) -> [String] { lines.filter { $0.key == key }.map { String($0.value) } }

  package func number(_ key: String) -> Int? { self[key].flatMap { Int($0) } }
}
