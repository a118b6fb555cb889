// What a run keeps on disk while it is not finished, or so that it can be made longer: its checkpoint, its evaluations'
// weights, and the moments at which an interval starts that may be replayed.
//
//   checkpoint  snapshot-000000 …  first-moment-000012  second-moment-000012 …
//
// Numbers are little-endian; snapshots are float32, so a run that resumes here goes on with the very same bits.

import Foundation
import Grokking
import Sweeps

/// The scratch space does not take what a run has to keep there: this machine's trouble, not the point's.
package struct ScratchUnwritable: Error, CustomStringConvertible {
  let cause: SealedFileError
  package var description: String { cause.description }
}

/// The files of one run in a folder; whoever uses them has the folder's lock.
package struct RunFiles: Sendable {
  /// Of the folder.
  package let path: String

  private var checkpointPath: String { path + "/checkpoint" }

  /// Where a file of a checkpoint lies.
  func path(of file: CheckpointFile) -> String {
    switch file {
    case .weights(let number): snapshotPath(.weights, number)
    case .firstMoment(let number): snapshotPath(.firstMoment, number)
    case .secondMoment(let number): snapshotPath(.secondMoment, number)
    case .slowGradient(let number): snapshotPath(.slowGradient, number)
    case .checkpoint: checkpointPath
    }
  }

  private func snapshotPath(_ part: SnapshotStore.Part, _ index: Int) -> String {
    let digits = String(index)
    return path + "/\(part.rawValue)-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// Whether a file of this name may be one of these, whole or half written.
  static func owns(_ name: String) -> Bool {
    let name = name.hasSuffix(".new") ? String(name.dropLast(4)) : name
    if name == "checkpoint" { return true }
    return SnapshotStore.Part.allCases.contains { part in
      guard name.hasPrefix(part.rawValue + "-") else { return false }
      return name.dropFirst(part.rawValue.count + 1).utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
  }

  /// Where the run keeps its evaluations' weights and moments.
  package var snapshots: SnapshotStore {
    SnapshotStore(
      write: { part, index, numbers in
        do {
          try numbers.withUnsafeBytes {
            try SealedFile.write($0, kind: Self.kind(of: part), to: snapshotPath(part, index))
          }
        } catch let error as SealedFileError {
          throw ScratchUnwritable(cause: error)
        }
      },
      read: { part, index in
        guard access(snapshotPath(part, index), F_OK) == 0 || errno != ENOENT else {
          throw SnapshotMissing(part: part, index: index)
        }
        let bytes = try SealedFile.read(snapshotPath(part, index), kind: Self.kind(of: part))
        return bytes.withUnsafeBytes { raw in
          (0..<(raw.count / 4)).map { index in
            let word = raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
            return Float(bitPattern: UInt32(littleEndian: word))
          }
        }
      },
      remove: { part, index in unlink(snapshotPath(part, index)) })
  }

  private static func kind(of part: SnapshotStore.Part) -> SealedKind {
    switch part {
    case .weights: .snapshot
    case .firstMoment: .firstMoment
    case .secondMoment: .secondMoment
    case .slowGradient: .slowGradient
    }
  }

  /// `run` is what the run asked to keep, `seconds` the time that it has taken so far. `durable` waits for the disk.
  package func writeCheckpoint(_ run: [UInt8], seconds: Double, durable: Bool = false) throws {
    var body = withUnsafeBytes(of: seconds.bitPattern.littleEndian) { Array($0) }
    body.append(contentsOf: run)
    try body.withUnsafeBytes { try SealedFile.write($0, kind: .checkpoint, to: checkpointPath, durable: durable) }
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

  /// A fresh start: nothing of a run stays, and whatever else the folder holds does.
  package func remove() {
    for name in ScratchFolder.names(in: path) where Self.owns(name) { unlink(path + "/" + name) }
  }
}
