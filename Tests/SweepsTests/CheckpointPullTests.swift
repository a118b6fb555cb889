// Pulling a checkpoint chunk by chunk, over a net that loses, doubles and damages.

import Sweeps
import Testing

@Suite struct CheckpointPullTests {
  private let start = MonotonicInstant(nanoseconds: 0)
  /// Two and a half chunks.
  private let contents = CheckpointContents(
    epoch: 700, checkpointBytes: CheckpointContents.maximumChunkBytes * 5 / 2, partBytes: 40, weights: [Range<Int>](),
    moments: [])

  private func answer(_ request: CheckpointRequest) -> CheckpointChunk {
    CheckpointChunk(
      epoch: request.missing.epoch, offset: request.offset, bytes: [UInt8](repeating: 1, count: request.count))
  }

  @Test func `a checkpoint comes in chunks, one outstanding at a time`() {
    var pull = CheckpointPull(contents)
    #expect(pull.isDue(at: start))
    let first = pull.ask(at: start)
    #expect(!pull.isDue(at: start))
    #expect(pull.take(answer(first)) == .next(offset: 0))
    let second = pull.ask(at: start)
    #expect(second.offset == CheckpointContents.maximumChunkBytes)
    #expect(pull.take(answer(second)) == .next(offset: second.offset))
    let third = pull.ask(at: start)
    #expect(third.count == CheckpointContents.maximumChunkBytes / 2)
    #expect(pull.take(answer(third)) == .last(offset: third.offset))
    #expect(pull.isComplete)
    #expect(pull.nextDeadline == nil)
    #expect(pull.take(answer(third)) == .ignored)
  }

  @Test func `a chunk that does not come is asked for again, and a late one is welcome`() {
    var pull = CheckpointPull(contents, resendSeconds: 5)
    let first = pull.ask(at: start)
    #expect(!pull.isDue(at: start.advanced(bySeconds: 4.9)))
    #expect(pull.isDue(at: start.advanced(bySeconds: 5)))
    let again = pull.ask(at: start.advanced(bySeconds: 5))
    #expect(again == first)
    #expect(pull.take(answer(first)) == .next(offset: 0))
    #expect(pull.take(answer(again)) == .ignored, "the echo")
    #expect(pull.offset == CheckpointContents.maximumChunkBytes)
  }

  @Test func `chunks of other checkpoints, unasked ones and those of a wrong size change nothing`() {
    var pull = CheckpointPull(contents)
    let unasked = CheckpointChunk(
      epoch: 700, offset: 0, bytes: [UInt8](repeating: 1, count: CheckpointContents.maximumChunkBytes))
    #expect(pull.take(unasked) == .ignored)
    let request = pull.ask(at: start)
    var older = answer(request)
    older.epoch = 600
    #expect(pull.take(older) == .ignored)
    var elsewhere = answer(request)
    elsewhere.offset = 12
    #expect(pull.take(elsewhere) == .ignored)
    var short = answer(request)
    short.bytes.removeLast()
    #expect(
      pull.take(short) == .refused("a chunk of 1048575 bytes at 0 where 1048576 were asked for"))
    #expect(pull.offset == 0)
    #expect(pull.isDue(at: start.advanced(bySeconds: 5)))
  }
}
