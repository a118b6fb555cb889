// `groksweep export`: a view of a store as CSV or JSON lines, for programs that do not read SQLite.

import ArgumentParser
import Foundation
import Results

extension ExportFormat: ExpressibleByArgument {}

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a view of a store as CSV or JSON lines.",
    discussion: """
      Views and their columns are described in docs/reference/store.md. Rows are written as they are read, also while a \
      sweep writes to the store, and numbers so that reading them gives the same bits.

        groksweep export runs --store weight-decay.sqlite -o runs.csv
        groksweep export curves --format jsonl --where "epoch % 1000 = 0" | head
      """)

  @Argument(help: "The view, such as runs, curves or grokking_times.") var view: String
  @Option(help: "The store. May be left out when the working folder holds just one.") var store: String?
  @Option(help: "csv (RFC 4180) or jsonl (an object a line).") var format = ExportFormat.csv
  @Option(
    name: .customLong("where"), help: ArgumentHelp("An SQL condition over the view's columns.", valueName: "condition"))
  var condition: String?
  @Option(name: .shortAndLong, help: "The file to write, replaced when all is written. Without it: stdout.")
  var output: String?

  func run() throws {
    let results = try Store(path: try store ?? onlyStoreHere(), mode: .readOnly)
    guard let output else {
      _ = try results.export(view, where: condition, as: format) { try RowsOut.write($0, to: 1, name: "stdout") }
      return
    }
    try checkOutput(output)
    try refuseDatabase(output)
    let rows = try RowsOut.replacing(output) { descriptor in
      try results.export(view, where: condition, as: format) { try RowsOut.write($0, to: descriptor, name: output) }
    }
    Console.remark("\(output): \(rows) \(rows == 1 ? "row" : "rows") of \(view)")
  }
}

/// Where rows go.
private enum RowsOut {
  /// Has `body` write a file beside `path`, which takes its place when it is complete. A failure leaves `path` as it was.
  static func replacing<Value>(_ path: String, _ body: (_ descriptor: Int32) throws -> Value) throws -> Value {
    let unfinished = "\(path).new-\(getpid())"
    let descriptor = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failed(path) }
    defer {
      close(descriptor)
      unlink(unfinished)
    }
    let value = try body(descriptor)
    guard fsync(descriptor) == 0, rename(unfinished, path) == 0 else { throw failed(path) }
    return value
  }

  /// Ends the command without a word when nobody reads any more.
  static func write(_ bytes: [UInt8], to descriptor: Int32, name: String) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno == EPIPE {
        throw ExitStatus.done.thrown
      } else if errno != EINTR && errno != EAGAIN {
        throw failed(name)
      }
    }
  }

  private static func failed(_ name: String) -> Failure {
    Failure("\(name): cannot be written: \(String(cString: strerror(errno)).lowercased())", .failed)
  }
}
