// One point's files on this machine: its run's while that is under way, its result until the receipt.
//
//   lock  result  and those of RunFiles
//
// Whoever has the value has the folder's lock.

import Foundation
import Sweeps

package final class PointFolder: Sendable {
  package let point: PointID
  package let path: String
  /// What the run keeps here.
  package let run: RunFiles
  private let lock: FolderLock

  init(point: PointID, path: String, lock: FolderLock) {
    self.point = point
    self.path = path
    run = RunFiles(path: path)
    self.lock = lock
  }

  private var resultPath: String { path + "/result" }

  /// Keeps the result (durably), as the message that will deliver it, and gives the run's space back.
  package func keep(_ unsent: UnsentResult) throws {
    let message = WorkerMessage.finished(
      lease: unsent.lease, point: unsent.point, unsent.result, seconds: unsent.seconds)
    let frames = try WireCodec.encode(message)
    var body: [UInt8] = []
    for frame in frames {
      withUnsafeBytes(of: UInt64(frame.count).littleEndian) { body.append(contentsOf: $0) }
      body.append(contentsOf: frame)
    }
    try body.withUnsafeBytes { try SealedFile.write($0, kind: .result, to: resultPath, durable: true) }
    run.remove()
  }

  package var hasResult: Bool { Self.hasResult(path) }

  static func hasResult(_ path: String) -> Bool { access(path + "/result", F_OK) == 0 }

  /// The result that no receipt came for; throws when its file is damaged or of another version.
  package func keptResult() throws -> UnsentResult {
    let body = try SealedFile.read(resultPath, kind: .result)
    var frames: [[UInt8]] = []
    var rest = body[...]
    while rest.count >= 8 {
      let count = LittleEndian.word(rest.prefix(8))
      rest = rest.dropFirst(8)
      guard count <= UInt64(rest.count) else { break }
      frames.append(Array(rest.prefix(Int(count))))
      rest = rest.dropFirst(Int(count))
    }
    guard rest.isEmpty,
      case .finished(let lease, let point, let result, let seconds) =
        try WireCodec.decodeWorkerMessage(frames), point == self.point
    else {
      throw SealedFileError(path: resultPath, message: "does not hold this point's result")
    }
    return UnsentResult(lease: lease, point: point, result: result, seconds: seconds)
  }

  /// The point has ended: nothing of it stays here.
  package func remove() {
    // The lock's file last: until it has gone, nobody else takes the folder for free.
    for name in ScratchFolder.names(in: path) where name != "lock" { unlink(path + "/" + name) }
    unlink(path + "/lock")
    rmdir(path)
  }
}
