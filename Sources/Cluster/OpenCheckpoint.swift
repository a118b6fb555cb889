// A checkpoint that can be read for as long as this value lives, while its run goes on: later checkpoints take its place
// in the folder, and moments that turn out to be needless are removed, but files that are open stay readable.
//
// What it costs is a few dozen open files, and the room of at most one checkpoint and the moments that are gone.

import Foundation
import Grokking
import Sweeps

package final class OpenCheckpoint: Sendable {
  package let contents: CheckpointContents
  private let files: RunFiles
  /// The checkpoint, and what of the rest may be removed while its run goes on.
  private let descriptors: [CheckpointFile: Int32]

  /// The checkpoint that was just written at `epoch` to `files`, with the parts that it needs. Moments that are gone
  /// already are left out: no run needs them.
  ///
  /// - Throws: `SealedFileError` for a file that cannot be opened.
  package init(_ files: RunFiles, epoch: Int, parts: KeptParts, experiment: Experiment) throws(SealedFileError) {
    let partBytes = SealedSize.header + 4 * SnapshotStore.numbersOfPart(experiment)
    var (opened, sizes): ([CheckpointFile: Int32], [CheckpointFile: Int]) = ([:], [:])
    var moments: [Int] = []
    do {
      for number in parts.moments {
        let pair = [CheckpointFile.firstMoment(number), .secondMoment(number)]
        guard pair.allSatisfy({ access(files.path(of: $0), F_OK) == 0 }) else { continue }
        moments.append(number)
        for file in pair + (parts.weights.contains(number) ? [.weights(number)] : []) {
          (opened[file], sizes[file]) = try Self.open(file, of: files)
        }
      }
      (opened[.checkpoint], sizes[.checkpoint]) = try Self.open(.checkpoint, of: files)
    } catch {
      for descriptor in opened.values { close(descriptor) }
      throw error
    }
    self.files = files
    descriptors = opened
    contents = CheckpointContents(
      epoch: epoch, checkpointBytes: sizes[.checkpoint] ?? 0, partBytes: partBytes, weights: parts.weights,
      moments: moments)
  }

  deinit { for descriptor in descriptors.values { close(descriptor) } }

  /// The bytes that a request asks for.
  ///
  /// - Throws: `SealedFileError` when some of them are not there, or are of files of another size.
  package func read(_ request: CheckpointRequest) throws(SealedFileError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(request.count)
    for slice in request.slices {
      if let descriptor = descriptors[slice.file] {
        try append(slice, from: descriptor, to: &bytes)
      } else {
        let (descriptor, _) = try Self.open(slice.file, of: files)
        defer { close(descriptor) }
        try append(slice, from: descriptor, to: &bytes)
      }
    }
    return bytes
  }

  private func append(
    _ slice: CheckpointSlice, from descriptor: Int32, to bytes: inout [UInt8]
  ) throws(SealedFileError) {
    var status = stat()
    let size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : -1
    let expected = slice.file == .checkpoint ? contents.checkpointBytes : contents.partBytes
    guard size == expected, slice.range.upperBound <= size, slice.isLast == (slice.range.upperBound == size) else {
      throw SealedFileError(path: files.path(of: slice.file), message: "has another size than was asked for")
    }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: slice.range.count))
    let isWhole = bytes.withUnsafeMutableBytes { buffer in
      SealedFile.readAll(
        into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]), from: descriptor,
        at: slice.range.lowerBound)
    }
    guard isWhole else { throw .last(files.path(of: slice.file), "cannot be read") }
  }

  private static func open(
    _ file: CheckpointFile, of files: RunFiles
  ) throws(SealedFileError) -> (descriptor: Int32, size: Int) {
    let path = files.path(of: file)
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else { throw .last(path, "cannot be read") }
    return (descriptor, Int(status.st_size))
  }
}
