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
  private let opened: [OpenFile]

  /// The checkpoint that was just written at `epoch` to `files`, with the parts that it needs. Moments that are gone
  /// already are left out: no run needs them.
  ///
  /// - Throws: `SealedFileError` for a file that cannot be opened.
  package init(_ files: RunFiles, epoch: Int, parts: KeptParts, experiment: Experiment) throws(SealedFileError) {
    let partBytes = SealedSize.header + 4 * SnapshotStore.numbersOfPart(experiment)
    var opened: [OpenFile] = []
    var moments: [Int] = []
    do {
      for number in parts.moments {
        let state = SnapshotStore.partsOfState(experiment).map { CheckpointFile($0, number) }
        guard state.allSatisfy({ access(files.path(of: $0), F_OK) == 0 }) else { continue }
        moments.append(number)
        for file in state + (parts.weights.contains(number) ? [.weights(number)] : []) {
          opened.append(try OpenFile(file, of: files))
        }
      }
      opened.append(try OpenFile(.checkpoint, of: files))
    } catch {
      for file in opened { close(file.descriptor) }
      throw error
    }
    self.files = files
    self.opened = opened
    contents = CheckpointContents(
      epoch: epoch, checkpointBytes: opened[opened.count - 1].size, partBytes: partBytes, weights: parts.weights,
      moments: moments, hasSlowGradients: experiment.training.filtersGradients)
  }

  deinit { for file in opened { close(file.descriptor) } }

  /// The bytes that a request asks for.
  ///
  /// - Throws: `SealedFileError` when some of them are not there, or are of files of another size.
  package func read(_ request: CheckpointRequest) throws(SealedFileError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(request.count)
    for slice in request.slices {
      if let kept = opened.first(where: { $0.file == slice.file }) {
        try append(slice, from: kept, to: &bytes)
      } else {
        let file = try OpenFile(slice.file, of: files)
        defer { close(file.descriptor) }
        try append(slice, from: file, to: &bytes)
      }
    }
    return bytes
  }

  private func append(_ slice: CheckpointSlice, from file: OpenFile, to bytes: inout [UInt8]) throws(SealedFileError) {
    let expected = slice.file == .checkpoint ? contents.checkpointBytes : contents.partBytes
    guard file.size == expected, slice.range.upperBound <= expected,
      slice.isLast == (slice.range.upperBound == expected)
    else {
      throw SealedFileError(path: files.path(of: slice.file), message: "has another size than was asked for")
    }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: slice.range.count))
    let isWhole = bytes.withUnsafeMutableBytes { buffer in
      SealedFile.readAll(
        into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]), from: file.descriptor,
        at: slice.range.lowerBound)
    }
    guard isWhole else { throw .last(files.path(of: slice.file), "cannot be read") }
  }
}

/// Whoever has one closes it.
private struct OpenFile {
  let file: CheckpointFile
  let descriptor: Int32
  let size: Int

  init(_ file: CheckpointFile, of files: RunFiles) throws(SealedFileError) {
    let path = files.path(of: file)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last(path, "cannot be read") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = SealedFileError.last(path, "cannot be read")
      close(descriptor)
      throw error
    }
    self.file = file
    self.descriptor = descriptor
    size = Int(status.st_size)
  }
}
