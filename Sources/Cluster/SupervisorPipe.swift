// What a worker process tells the one that keeps it alive: that it is worth starting again, or that it had better wait.
//
// One byte a word over a pipe, so that it is heard however the process ends. Nobody answers.

import Foundation

package enum WorkerWord: UInt8, Sendable {
  /// A point was finished here.
  case finishedPoint = 0x66
  /// The scratch space takes nothing; this process leaves.
  case scratchUnusable = 0x73
  /// The coordinator takes nobody from this machine for now; this process leaves.
  case barred = 0x62
}

/// The worker's end.
package struct SupervisorPipe: Sendable {
  /// Where a child process finds it.
  static let childDescriptor: Int32 = 3

  private let descriptor: Int32

  /// nil when `descriptor` is not open.
  package init?(descriptor: Int32) {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else { return nil }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    self.descriptor = descriptor
  }

  /// A pipe that is full or closed loses the word, and nothing else.
  package func say(_ word: WorkerWord) {
    var byte = word.rawValue
    _ = write(descriptor, &byte, 1)
  }
}

/// The supervisor's end: closed with the value.
final class WorkerWords {
  private let descriptor: Int32

  /// The descriptor for the child is the caller's to close; nil when the process has too many open files.
  static func open() -> (words: WorkerWords, forChild: Int32)? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    return (WorkerWords(ends[0]), ends[1])
  }

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Everything said since the last call.
  func heard() -> [WorkerWord] {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(descriptor, &bytes, bytes.count)
    return bytes.prefix(max(0, count)).compactMap(WorkerWord.init(rawValue:))
  }
}
