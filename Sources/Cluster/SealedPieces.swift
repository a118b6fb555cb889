// Sealed files that travel, piece by piece as they lie on the disk, header included: to the coordinator's shelf, and to a
// worker's folder.
//
// A file grows beside its place, is checked when its last byte has come, and is renamed. What does not continue what came
// before it, cannot be written or ends a damaged file is an error, and nothing stays of that file.

import Foundation
import Sweeps

enum SealedPieces {
  /// What a file that is not whole is called, after the name of its place.
  static let halfWritten = ".new"

  /// Takes bytes of the stream of what is missing, which come in order, and may begin anew at the start of a file.
  ///
  /// - Parameter place: where a file of the checkpoint belongs.
  static func keep(
    _ bytes: [UInt8], at offset: Int, of missing: CheckpointContents, place: (CheckpointFile) -> String
  ) throws(SealedFileError) {
    var rest = bytes[...]
    for slice in missing.slices(from: offset, count: bytes.count) {
      let path = place(slice.file)
      do {
        try append(rest.prefix(slice.range.count), at: slice.range.lowerBound, to: path + halfWritten)
        if slice.isLast { try put(path, slice.file.kind) }
      } catch {
        unlink(path + halfWritten)
        throw error
      }
      rest = rest.dropFirst(slice.range.count)
    }
  }

  private static func append(_ bytes: ArraySlice<UInt8>, at offset: Int, to path: String) throws(SealedFileError) {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC | (offset == 0 ? O_CREAT | O_TRUNC : O_APPEND), 0o600)
    guard descriptor >= 0 else { throw .last(path, "cannot be written") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, Int(status.st_size) == offset else {
      throw SealedFileError(path: path, message: "does not continue where what comes begins")
    }
    guard bytes.withUnsafeBytes({ SealedFile.writeAll($0, to: descriptor) }) else {
      throw .last(path, "cannot be written")
    }
  }

  private static func put(_ path: String, _ kind: SealedKind) throws(SealedFileError) {
    do {
      _ = try SealedFile.read(path + halfWritten, kind: kind)
    } catch {
      var error = error
      error.isForeignDamage = true
      throw error
    }
    guard rename(path + halfWritten, path) == 0 else { throw .last(path, "cannot be written") }
  }

  /// Those bytes of the file; nil when it has fewer, or is not there.
  static func read(_ range: Range<Int>, of path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var isWhole = true
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
      let raw = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: range.count)
      isWhole = SealedFile.readAll(into: raw, from: descriptor, at: range.lowerBound)
      filled = isWhole ? range.count : 0
    }
    return isWhole ? bytes : nil
  }
}

extension CheckpointFile {
  var kind: SealedKind {
    switch self {
    case .weights: .snapshot
    case .firstMoment: .firstMoment
    case .secondMoment: .secondMoment
    case .checkpoint: .checkpoint
    }
  }
}
