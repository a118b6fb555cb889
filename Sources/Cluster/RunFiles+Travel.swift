// Files of a checkpoint that comes from elsewhere: what of it is here already, and how the rest takes its place.
//
// The checkpoint itself comes last: until then, the folder holds what it held before, and some parts that any run of this
// point would write too.

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
      has(.firstMoment($0), contents.partBytes) && has(.secondMoment($0), contents.partBytes)
    }
    let here = CheckpointContents(
      epoch: contents.epoch, checkpointBytes: contents.checkpointBytes, partBytes: contents.partBytes,
      weights: weights, moments: moments)
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
    try SealedPieces.keep(bytes, at: offset, of: missing, place: path(of:))
  }

  /// Removes what came of a file that is not whole.
  package func removeHalfWritten() {
    for name in ScratchFolder.names(in: path) where name.hasSuffix(SealedPieces.halfWritten) && Self.owns(name) {
      unlink(path + "/" + name)
    }
  }
}
