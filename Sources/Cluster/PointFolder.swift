// One point's files on this machine: snapshots and checkpoint while it runs, its result until the receipt.
//
//   lock  checkpoint  snapshot-000000 …  result
//
// Whoever has the value has the folder's lock. Numbers are little-endian; snapshots are float32, so a run that resumes
// here goes on with the very same bits.

import Foundation
import Grokking
import Sweeps

/// The scratch space does not take what a run has to keep there: this machine's trouble, not the point's.
struct ScratchUnwritable: Error, CustomStringConvertible {
  let cause: SealedFileError
  var description: String { cause.description }
}

package final class PointFolder: Sendable {
  package let point: PointID
  package let path: String
  private let lock: FolderLock

  init(point: PointID, path: String, lock: FolderLock) {
    self.point = point
    self.path = path
    self.lock = lock
  }

  private var checkpointPath: String { path + "/checkpoint" }
  private var resultPath: String { path + "/result" }

  private func snapshotPath(_ index: Int) -> String {
    let digits = String(index)
    return path + "/snapshot-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// Where the run keeps its evaluations' weights.
  package var snapshots: SnapshotStore {
    SnapshotStore(
      write: { index, weights in
        do {
          try weights.withUnsafeBytes { try SealedFile.write($0, kind: .snapshot, to: self.snapshotPath(index)) }
        } catch let error as SealedFileError {
          throw ScratchUnwritable(cause: error)
        }
      },
      read: { index in
        let bytes = try SealedFile.read(self.snapshotPath(index), kind: .snapshot)
        return bytes.withUnsafeBytes { raw in
          (0..<(raw.count / 4)).map { index in
            let word = raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
            return Float(bitPattern: UInt32(littleEndian: word))
          }
        }
      })
  }

  /// `run` is what the run asked to keep, `seconds` the time that it has taken so far.
  package func writeCheckpoint(_ run: [UInt8], seconds: Double) throws {
    var body = withUnsafeBytes(of: seconds.bitPattern.littleEndian) { Array($0) }
    body.append(contentsOf: run)
    try body.withUnsafeBytes { try SealedFile.write($0, kind: .checkpoint, to: checkpointPath) }
  }

  package var hasCheckpoint: Bool { access(checkpointPath, F_OK) == 0 }

  /// nil when there is none; throws when it cannot be read.
  package func readCheckpoint() throws(SealedFileError) -> (run: [UInt8], seconds: Double)? {
    guard hasCheckpoint else { return nil }
    let body = try SealedFile.read(checkpointPath, kind: .checkpoint)
    guard body.count > 8 else { throw SealedFileError(path: checkpointPath, message: "is cut short") }
    let seconds = Double(bitPattern: LittleEndian.word(body[0..<8]))
    guard seconds >= 0, seconds.isFinite else { throw SealedFileError(path: checkpointPath, message: "is damaged") }
    return (Array(body[8...]), seconds)
  }

  /// Everything that a run left here, but not its result: a fresh start.
  package func removeRun() {
    for name in ScratchFolder.names(in: path) where name != "lock" && name != "result" { unlink(path + "/" + name) }
  }

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
    removeRun()
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
