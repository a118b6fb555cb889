// A `groksweep coordinator` that a benchmark has started, and what it said.

import Cluster
import Foundation
import Sweeps

final class CoordinatorProcess {
  private let process = Process()
  private let words: String
  private let began: MonotonicInstant

  /// - Parameters:
  ///   - arguments: without the address.
  ///   - folder: where its words go.
  init(_ arguments: [String], in folder: String) throws {
    words = folder + "/coordinator-\(UUID().uuidString.prefix(8)).err"
    guard FileManager.default.createFile(atPath: words, contents: nil), let file = FileHandle(forWritingAtPath: words)
    else { throw Failure("\(words): cannot be written", .failed) }
    process.executableURL = URL(fileURLWithPath: ownExecutable())
    process.arguments = ["coordinator", "--bind", "tcp://127.0.0.1:0"] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = file
    began = .now
    do {
      try process.run()
    } catch {
      throw Failure("cannot start a coordinator: \((error as NSError).localizedDescription)", .failed)
    }
  }

  deinit { end() }

  var usage: ProcessUsage { ProcessUsage(process: process.processIdentifier) }

  /// Waits until it says where it listens.
  func endpoint(_ interrupt: Interrupt) throws -> String {
    let line = try wait(for: "listening on ", interrupt)
    return String(line.dropFirst("listening on ".count).prefix { $0 != ";" && $0 != " " })
  }

  /// From its start to the line that begins with `words`.
  func seconds(until words: String, _ interrupt: Interrupt) throws -> Double {
    _ = try wait(for: words, interrupt)
    return seen[words]!
  }

  /// Throws when it has ended.
  func check() throws {
    guard process.isRunning else {
      throw Failure("the coordinator ended; it said: \(said.split(separator: "\n").last ?? "nothing")", .failed)
    }
  }

  /// Ends it, in good order if that is quick.
  func end() {
    guard process.isRunning else { return }
    process.terminate()
    let until = MonotonicInstant.now.advanced(bySeconds: 15)
    while process.isRunning && MonotonicInstant.now < until { usleep(2000) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }

  /// Seconds after which lines were first seen, by how they begin.
  private var seen: [String: Double] = [:]

  private var said: String { (try? String(contentsOfFile: words, encoding: .utf8)) ?? "" }

  private func wait(for beginning: String, _ interrupt: Interrupt) throws -> String {
    while true {
      for line in said.split(separator: "\n") where line.hasPrefix(beginning) {
        if seen[beginning] == nil { seen[beginning] = MonotonicInstant.now.seconds(since: began) }
        return String(line)
      }
      if interrupt.signal != nil { throw ExitStatus.interrupted.thrown }
      try check()
      usleep(2000)
    }
  }
}
