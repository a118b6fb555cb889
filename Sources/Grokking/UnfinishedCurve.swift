// The curve of a run that is not finished, out of its checkpoint: for whoever looks on. Nothing can be resumed with it, so
// weights and moments are not read, and the checkpoint's own checksum is not asked for.

import Foundation

/// Losses and accuracies of the evaluations that a run had taken at its checkpoint.
package struct UnfinishedCurve: Hashable, Sendable {
  package struct Place: Hashable, Sendable {
    package let epoch: Int
    package let trainLoss: Double
    package let testLoss: Double
    package let trainAccuracy: Double
    package let testAccuracy: Double
  }

  package let places: [Place]
  /// Of the checkpoint: epochs trained.
  package let epoch: Int
  /// Where training ends, as far as was known.
  package let lastEpoch: Int

  private struct Header: Decodable {
    let record: RunRecord
  }

  /// - Parameter checkpoint: what a run asked to keep.
  package init(checkpoint bytes: [UInt8]) throws(CheckpointError) {
    let start = Checkpoint.firstLine.count + 8
    guard bytes.starts(with: Checkpoint.firstLine) || bytes.starts(with: Checkpoint.earlierFirstLine),
      bytes.count >= start
    else { throw CheckpointError("these bytes are no checkpoint of this groksweep") }
    let length = bytes[start - 8..<start].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(bytes.count - start) else {
      throw CheckpointError("the checkpoint's header is longer than the checkpoint")
    }
    let content = Data(bytes[start..<start + Int(length)])
    guard let record = try? JSONDecoder().decode(Header.self, from: content).record else {
      throw CheckpointError("the checkpoint's header cannot be read")
    }
    places = record.taken.map {
      Place(
        epoch: $0.epoch, trainLoss: $0.train.loss, testLoss: $0.test.loss, trainAccuracy: $0.train.accuracy,
        testAccuracy: $0.test.accuracy)
    }
    epoch = record.epoch
    lastEpoch = record.lastEpoch
  }
}
