// Files of a checkpoint that comes from elsewhere: what of it is here already, and how the rest takes its place.
//
// A file grows beside its place, is checked when its last byte has come, and is renamed. The checkpoint itself comes
// last: until then, the folder holds what it held before, and some parts that any run of this point would write too.

import Foundation
import Grokking
import Sweeps

extension RunFiles {
  /// What is not here of a checkpoint with these contents; nil when the checkpoint that is here is as late, and whole.
  package func missing(of contents: CheckpointContents, _ experiment: Experiment) -> CheckpointContents? {
    if let kept = try? readCheckpoint(), let own = try? Run.contents(of: kept.run, of: experiment),
      own.epoch >= contents.epoch, own.parts.weights.allSatisfy({ has(.weights($0), contents.partBytes) })
    {
      return nil
    }
    let weights = contents.weights.joined().filter { has(.weights($0), contents.partBytes) }
    let moments = contents.moments.joined().filter {
      contents.files(ofState: $0).allSatisfy { has($0, contents.partBytes) }
    }
    let here = CheckpointContents(
      epoch: contents.epoch, checkpointBytes: contents.checkpointBytes, partBytes: contents.partBytes,
      weights: weights, moments: moments, hasSlowGradients: contents.hasSlowGradients)
    return contents.lacking(here)
  }

  private func has(_ file: CheckpointFile, _ bytes: Int) -> Bool {
    var status = stat()
    return stat(path(of: file), &status) == 0 && Int(status.st_size) == bytes
  }

  /// Takes bytes of the stream of what is missing, which come in order.
  ///
  /// - Throws: `SealedFileError` when they cannot be written, do not follow those before, or end a damaged file.
  package func keep(
    _ bytes: [UInt8], at offset: Int, of missing: CheckpointContents
  ) throws(SealedFileError) {
    var rest = bytes[...]
    for slice in missing.slices(from: offset, count: bytes.count) {
      try append(rest.prefix(slice.range.count), as: slice)
      rest = rest.dropFirst(slice.range.count)
    }
  }

  private func append(_ bytes: ArraySlice<UInt8>, as slice: CheckpointSlice) throws(SealedFileError) {
    let place = path(of: slice.file)
    let temporary = place + ".new"
    let isFirst = slice.range.lowerBound == 0
    let descriptor = open(temporary, O_WRONLY | O_CLOEXEC | (isFirst ? O_CREAT | O_TRUNC : O_APPEND), 0o600)
    guard descriptor >= 0 else { throw .last(temporary, "cannot be written") }
    var status = stat()
    let follows = fstat(descriptor, &status) == 0 && Int(status.st_size) == slice.range.lowerBound
    let isWritten = follows && bytes.withUnsafeBytes { SealedFile.writeAll($0, to: descriptor) }
    let error = isWritten ? nil : SealedFileError.last(temporary, "cannot be written")
    close(descriptor)
    guard follows else {
      unlink(temporary)
      throw SealedFileError(path: temporary, message: "does not continue where what comes begins")
    }
    if let error {
      unlink(temporary)
      throw error
    }
    guard slice.isLast else { return }
    do {
      _ = try SealedFile.read(temporary, kind: slice.file.kind)
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, place) == 0 else {
      let error = SealedFileError.last(place, "cannot be written")
      unlink(temporary)
      throw error
    }
  }

  /// Removes what came of a file that is not whole.
  package func removeHalfWritten() {
    for name in ScratchFolder.names(in: path) where name.hasSuffix(".new") && Self.owns(name) {
      unlink(path + "/" + name)
    }
  }
}

extension CheckpointFile {
  var kind: SealedKind {
    switch self {
    case .weights: .snapshot
    case .firstMoment: .firstMoment
    case .secondMoment: .secondMoment
    case .slowGradient: .slowGradient
    case .checkpoint: .checkpoint
    }
  }
}
