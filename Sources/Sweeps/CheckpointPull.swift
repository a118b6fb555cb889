// One side's half of moving a checkpoint: what was asked for, what came, and whether to ask again.
//
// Coordinator and worker pull alike: one chunk is outstanding at a time, so whoever pulls sets the pace. Echoes, chunks
// of other checkpoints and chunks of a wrong size change nothing. The pull holds no bytes and keeps no files.

/// What became of a chunk.
package enum ChunkArrival: Hashable, Sendable {
  /// An echo, or of another checkpoint: nothing to do.
  case ignored
  /// Not what was asked for, in words. It is asked for again when its time is over.
  case refused(String)
  /// The next bytes: keep them at this offset of what is missing.
  case next(offset: Int)
  /// Likewise, and with them everything is there.
  case last(offset: Int)
}

package struct CheckpointPull: Hashable, Sendable {
  /// Its bytes are the stream.
  package let missing: CheckpointContents
  /// Seconds after which an unanswered request is said again.
  package let resendSeconds: Double
  /// Bytes that came: grows, and is what progress is judged by.
  package private(set) var offset = 0
  /// When the request that is outstanding was said.
  private var asked: MonotonicInstant?

  package init(_ missing: CheckpointContents, resendSeconds: Double = 5) {
    self.missing = missing
    self.resendSeconds = resendSeconds
  }

  package var isComplete: Bool { offset >= missing.byteCount }

  /// Bytes of the chunk to ask for next; 0 when everything is there.
  package var nextCount: Int { min(CheckpointContents.maximumChunkBytes, missing.byteCount - offset) }

  /// Whether to ask now: something is missing, and nothing is outstanding or it has been for too long.
  package func isDue(at now: MonotonicInstant) -> Bool { nextDeadline.map { now >= $0 } ?? false }

  /// The moment from which on to ask; nil when everything is there.
  package var nextDeadline: MonotonicInstant? {
    guard !isComplete else { return nil }
    return asked?.advanced(bySeconds: resendSeconds) ?? MonotonicInstant(nanoseconds: .min)
  }

  /// The request for the next chunk, which is outstanding from now on.
  package mutating func ask(at now: MonotonicInstant) -> CheckpointRequest {
    asked = now
    return CheckpointRequest(missing: missing, offset: offset, count: nextCount)
  }

  /// Takes what came. A chunk that comes after its time is as good as one that was just asked for.
  package mutating func take(_ chunk: CheckpointChunk) -> ChunkArrival {
    guard asked != nil, !isComplete, chunk.epoch == missing.epoch, chunk.offset == offset else { return .ignored }
    guard chunk.bytes.count == nextCount else {
      return .refused("a chunk of \(chunk.bytes.count) bytes at \(offset) where \(nextCount) were asked for")
    }
    let start = offset
    offset += chunk.bytes.count
    asked = nil
    return isComplete ? .last(offset: start) : .next(offset: start)
  }
}
