// What a checkpoint consists of, as one stream of bytes.

import Grokking
import Sweeps
import Testing

@Suite struct CheckpointContentsTests {
  private let contents = CheckpointContents(
    epoch: 70, checkpointBytes: 25, partBytes: 10, weights: [0, 1, 2, 5], moments: [2, 4])

  @Test func `the stream is weights, then moments, then the checkpoint`() {
    #expect(contents.weights == [0..<3, 5..<6])
    #expect(contents.moments == [2..<3, 4..<5])
    #expect(
      contents.files == [
        .weights(0), .weights(1), .weights(2), .weights(5), .firstMoment(2), .secondMoment(2), .firstMoment(4),
        .secondMoment(4), .checkpoint,
      ])
    #expect(contents.byteCount == 8 * 10 + 25)
  }

  @Test func `a run that filters its gradients keeps three files of a state`() {
    let filtered = CheckpointContents(
      epoch: 70, checkpointBytes: 25, partBytes: 10, weights: [0, 1], moments: [1, 3], hasSlowGradients: true)
    #expect(
      filtered.files == [
        .weights(0), .weights(1), .firstMoment(1), .secondMoment(1), .slowGradient(1), .firstMoment(3),
        .secondMoment(3),
        .slowGradient(3), .checkpoint,
      ])
    #expect(filtered.byteCount == 8 * 10 + 25)
    #expect(filtered.slices(from: 0, count: 1000).map(\.file) == filtered.files)
    let has = CheckpointContents(
      epoch: 30, checkpointBytes: 20, partBytes: 10, weights: [0], moments: [1], hasSlowGradients: true)
    #expect(
      filtered.lacking(has).files == [
        .weights(1), .firstMoment(3), .secondMoment(3), .slowGradient(3), .checkpoint,
      ])
    #expect(filtered.lacking(contents) == filtered)
  }

  @Test(arguments: [1, 3, 7, 10, 11, 40, 1000]) func `slices cover every byte of every file once`(_ step: Int) {
    var covered: [CheckpointFile: [Int]] = [:]
    var ended: [CheckpointFile] = []
    for offset in stride(from: 0, to: contents.byteCount, by: step) {
      for slice in contents.slices(from: offset, count: step) {
        covered[slice.file, default: []] += Array(slice.range)
        if slice.isLast { ended.append(slice.file) }
      }
    }
    #expect(ended == contents.files)
    for file in contents.files {
      #expect(covered[file] == Array(0..<(file == .checkpoint ? 25 : 10)))
    }
    #expect(contents.slices(from: contents.byteCount, count: step).isEmpty)
  }

  @Test func `what somebody lacks is what he has not, and always the checkpoint itself`() {
    let has = CheckpointContents(epoch: 30, checkpointBytes: 20, partBytes: 10, weights: [0, 1, 3], moments: [1, 2])
    let missing = contents.lacking(has)
    #expect(missing.files == [.weights(2), .weights(5), .firstMoment(4), .secondMoment(4), .checkpoint])
    #expect(missing.epoch == 70)
    #expect(contents.lacking(nil) == contents)
    #expect(contents.lacking(contents).files == [.checkpoint])
  }

  @Test func `contents that no run writes are told from those that one does`() {
    let experiment = MachineSamples.experiment(1)
    let right = WireCodecTests.contents
    #expect(right.problem(for: experiment) == nil)
    func changed(
      epoch: Int = 40, checkpointBytes: Int? = nil, partBytes: Int? = nil, weights: [Int] = [0, 1], moments: [Int] = []
    ) -> String? {
      CheckpointContents(
        epoch: epoch, checkpointBytes: checkpointBytes ?? right.checkpointBytes,
        partBytes: partBytes ?? right.partBytes, weights: weights, moments: moments
      ).problem(for: experiment)
    }
    #expect(changed() == nil)
    #expect(changed(epoch: 1001) != nil)
    #expect(changed(checkpointBytes: 100) != nil)
    #expect(changed(checkpointBytes: 1 << 30) != nil)
    #expect(changed(partBytes: right.partBytes + 1) != nil)
    #expect(changed(weights: [0, 1, 12]) != nil)
    #expect(changed(moments: [13]) != nil)
  }
}
