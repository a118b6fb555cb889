// The built groksweep as a person uses it: started as a process, in a folder of its own, its words read back.

import Foundation
import Testing

/// A temporary folder that goes when the test does.
final class Folder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "groksweep-test-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appending(path: name).path }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try text.write(to: url.appending(path: name), atomically: true, encoding: .utf8)
    return path(name)
  }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }

  /// What the sqlite3 shell prints for a query, a line per row, columns separated by `|`.
  func query(_ store: String, _ sql: String) throws -> [String] {
    let shell = try Running(
      "/usr/bin/env", ["sqlite3", "-readonly", "-cmd", ".timeout 10000", path(store), sql], in: self)
    let ended = try shell.end(within: 30)
    // Thrown, not required: tests that wait for a store ask before it is there, and a requirement fails for good.
    guard ended.status == 0 else { throw QueryFailed(words: ended.errors) }
    return ended.output.split(separator: "\n").map(String.init)
  }
}

/// The sqlite3 shell could not answer.
struct QueryFailed: Error {
  let words: String
}

/// How a process ended and what it said.
struct Ended {
  let status: Int32
  let output: String
  let errors: String
}

/// A process that was started and is watched.
final class Running {
  private let process = Process()
  private let outputFile: URL
  private let errorFile: URL
  private let folder: Folder

  init(_ executable: String, _ arguments: [String], in folder: Folder, environment: [String: String] = [:]) throws {
    self.folder = folder
    let name = UUID().uuidString.prefix(8)
    let words = FileManager.default.temporaryDirectory
    outputFile = words.appending(path: "groksweep-test-\(name).out")
    errorFile = words.appending(path: "groksweep-test-\(name).err")
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = folder.url
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    for file in [outputFile, errorFile] { try? FileManager.default.removeItem(at: file) }
  }

  var processID: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }
  var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
  var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits for the end; a process that does not end in time is killed and fails the test.
  func end(within seconds: Double) throws -> Ended {
    let finished = waitUntil(seconds) { !process.isRunning }
    if !finished {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      Issue.record("\(process.arguments ?? []) did not end within \(seconds) s; it said: \(output) \(errors)")
    }
    process.waitUntilExit()
    let status =
      process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
    return Ended(status: status, output: output, errors: errors)
  }
}

/// Looks again and again until `condition` holds; false when it did not within `seconds`.
func waitUntil(_ seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < deadline {
    if try condition() { return true }
    usleep(10_000)
  }
  return try condition()
}

enum Groksweep {
  /// Beside the running tests: `swift test` builds every product of the package there.
  static let path: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: own).deletingLastPathComponent().appending(path: "groksweep").path
  }()

  static let fixtures = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "GrokkingTests/Fixtures")

  static func start(_ arguments: [String], in folder: Folder, environment: [String: String] = [:]) throws -> Running {
    // Scratch space of the tests' own, so that they neither see nor leave checkpoints of other runs.
    let own = ["XDG_CACHE_HOME": folder.path("cache")]
    return try Running(path, arguments, in: folder, environment: own.merging(environment) { $1 })
  }

  static func run(
    _ arguments: [String], in folder: Folder, environment: [String: String] = [:], within seconds: Double = 120
  ) throws -> Ended {
    try start(arguments, in: folder, environment: environment).end(within: seconds)
  }
}
