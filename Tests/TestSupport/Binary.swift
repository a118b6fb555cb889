// The built groksweep as a person uses it: started as a process, in a folder of its own, its words read back.

import Foundation

/// A temporary folder that goes when the test does.
package final class Folder {
  package let url: URL

  package init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "groksweep-test-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  package func path(_ name: String) -> String { url.appending(path: name).path }

  @discardableResult
  package func write(_ text: String, to name: String) throws -> String {
    try text.write(to: url.appending(path: name), atomically: true, encoding: .utf8)
    return path(name)
  }

  package func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }

  /// What the sqlite3 shell prints for a query, a line per row, columns separated by `|`; `options` are the shell's.
  package func query(_ store: String, _ sql: String, options: [String] = []) throws -> [String] {
    let arguments = ["sqlite3", "-readonly"] + options + ["-cmd", ".timeout 10000", path(store), sql]
    let ended = try Running("/usr/bin/env", arguments, in: self).end(within: 60)
    // Thrown, not required: tests that wait for a store ask before it is there, and a requirement fails for good.
    guard ended.status == 0 else { throw QueryFailed(words: ended.errors) }
    return ended.output.split(separator: "\n").map(String.init)
  }
}

/// The sqlite3 shell could not answer.
package struct QueryFailed: Error {
  package let words: String
}

/// A process that should have ended and did not; it was killed.
package struct NeverEnded: Error, CustomStringConvertible {
  package let description: String
}

/// How a process ended and what it said.
package struct Ended {
  package let status: Int32
  package let output: String
  package let errors: String
}

/// A process that was started and is watched.
package final class Running {
  private let process = Process()
  private let outputFile: URL
  private let errorFile: URL
  private let folder: Folder

  package init(
    _ executable: String, _ arguments: [String], in folder: Folder, environment: [String: String] = [:]
  ) throws {
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

  package var processID: Int32 { process.processIdentifier }
  package var isRunning: Bool { process.isRunning }
  package var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
  package var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

  package func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits for the end; a process that does not end in time is killed, and that is an error.
  package func end(within seconds: Double) throws -> Ended {
    let finished = waitUntil(seconds) { !process.isRunning }
    if !finished {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      throw NeverEnded(
        description: "\(process.arguments ?? []) did not end within \(seconds) s; it said: \(output) \(errors)")
    }
    process.waitUntilExit()
    let status =
      process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus
    return Ended(status: status, output: output, errors: errors)
  }
}

/// Looks again and again until `condition` holds; false when it did not within `seconds`.
package func waitUntil(_ seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < deadline {
    if try condition() { return true }
    usleep(10_000)
  }
  return try condition()
}

package enum Groksweep {
  /// Beside the running tests: `swift test` builds every product of the package there.
  package static let path: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: own).deletingLastPathComponent().appending(path: "groksweep").path
  }()

  package static let fixtures = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "GrokkingTests/Fixtures")

  package static func start(
    _ arguments: [String], in folder: Folder, environment: [String: String] = [:]
  ) throws -> Running {
    // Scratch space of the tests' own, so that they neither see nor leave checkpoints of other runs.
    let own = ["XDG_CACHE_HOME": folder.path("cache")]
    return try Running(path, arguments, in: folder, environment: own.merging(environment) { $1 })
  }

  package static func run(
    _ arguments: [String], in folder: Folder, environment: [String: String] = [:], within seconds: Double = 300
  ) throws -> Ended {
    try start(arguments, in: folder, environment: environment).end(within: seconds)
  }
}
