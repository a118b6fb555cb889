// A command of this machine that is run to its end: what it is told on stdin, what it said, and no longer than so long.
//
// Words go through files, not pipes: ssh leaves a process behind that would hold a pipe open for days.

import Cluster
import Foundation

package struct LocalCommand {
  package enum Input {
    case nothing
    case text(String)
    case file(String)
  }

  package struct Ended {
    /// nil: time was up, and it was killed.
    package let ending: ProcessEnding?
    package let output: String
    package let errors: String

    package var isDone: Bool { ending == .exited(code: 0) }
  }

  /// `words` as a shell would find them.
  ///
  /// - Throws: `LauncherError` when a file for its words cannot be made or read, `SpawnError`.
  package static func run(_ words: [String], input: Input = .nothing, timeoutSeconds: Double) throws -> Ended {
    let output = try unnamedFile()
    defer { close(output) }
    let errors = try unnamedFile()
    defer { close(errors) }
    let source = try open(input)
    defer { if let source { close(source) } }
    let process = try ChildProcess.start(
      "/usr/bin/env", words, streams: ChildProcess.Streams(input: source, output: output, errors: errors))
    let deadline = ContinuousClock.now + .seconds(timeoutSeconds)
    while true {
      if let ending = ChildProcess.reap(process) {
        return Ended(ending: ending, output: text(of: output), errors: text(of: errors))
      }
      guard ContinuousClock.now < deadline else { break }
      usleep(5_000)
    }
    kill(-process, SIGKILL)
    while ChildProcess.reap(process) == nil { usleep(5_000) }
    return Ended(ending: nil, output: text(of: output), errors: text(of: errors))
  }

  /// Files that whoever started this process left open must not stay open in what outlives it, such as ssh's master: who
  /// waits for their end would wait for days. To be called before the first child is started.
  static func keepOpenFilesFromChildren() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
      if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }
  }

  /// Of mode 0600, and without a name: gone when it is closed.
  private static func unnamedFile() throws -> Int32 {
    let path = "/tmp/groksweep-words-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw LauncherError("no file can be made in /tmp: \(String(cString: strerror(errno)))")
    }
    unlink(path)
    return descriptor
  }

  private static func open(_ input: Input) throws -> Int32? {
    switch input {
    case .nothing: return nil
    case .file(let path):
      let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        throw LauncherError("\(path): cannot be read: \(String(cString: strerror(errno)))")
      }
      return descriptor
    case .text(let text):
      let descriptor = try unnamedFile()
      var bytes = Array(text.utf8)[...]
      while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else {
          close(descriptor)
          throw LauncherError("/tmp: cannot be written: \(String(cString: strerror(errno)))")
        }
        bytes = bytes.dropFirst(count)
      }
      lseek(descriptor, 0, SEEK_SET)
      return descriptor
    }
  }

  private static func text(of descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = pread(descriptor, &chunk, chunk.count, bytes.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// What keeps a cluster from being started, seen or ended as a whole; prints as a sentence.
package struct LauncherError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
  /// What was asked for is wrong, as opposed to not possible now.
  package let isBadInput: Bool

  package init(_ description: String, isBadInput: Bool = false) {
    self.description = description
    self.isBadInput = isBadInput
  }
}
