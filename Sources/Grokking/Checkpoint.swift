// A run in the middle or at the end of training as bytes: written when a worker is told to stop and when training is
// over, read when someone goes on.
//
// Layout: a first line with the format's version, the header's length (8 bytes, little-endian), the header (JSON), the
// train mask (p² bytes), weights, first and second moments, with Grokfast its average of gradients (float32,
// little-endian), SHA-256 of all that. Machines may change between writing and reading: the kernels give the same bits
// everywhere. Format 2 had no settings but those of plain AdamW and is otherwise the same; it is read, not written.

import Crypto
import Foundation

/// Everything that determines the rest of a run.
struct Checkpoint {
  let experiment: Experiment
  let split: Split
  let state: Trainer.State
  let record: RunRecord
  /// Whether it was taken where training ended: then nothing has been removed since of what the run kept.
  let isOfEnd: Bool

  static let firstLine = Array("groksweep checkpoint 3\n".utf8)
  static let earlierFirstLine = Array("groksweep checkpoint 2\n".utf8)
  private static let firstWords = Array("groksweep checkpoint ".utf8)
  private static let digestLength = 32

  private struct Header: Codable {
    var semanticsVersion: Int
    var experiment: Experiment
    var record: RunRecord
  }

  /// - Parameter isOfEnd: nil: what the record says.
  init(experiment: Experiment, split: Split, state: Trainer.State, record: RunRecord, isOfEnd: Bool? = nil) {
    self.experiment = experiment
    self.split = split
    self.state = state
    self.record = record
    self.isOfEnd = isOfEnd ?? (record.epoch == record.lastEpoch)
  }

  func serialized() throws -> [UInt8] {
    let header = try JSONEncoder().encode(
      Header(semanticsVersion: Engine.semanticsVersion, experiment: experiment, record: record))
    var bytes = Checkpoint.firstLine
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { bytes += $0 }
    bytes += header
    bytes += split.trainMask.map { $0 ? 1 : 0 }
    for floats in [
      state.weights, state.optimizer.firstMoment, state.optimizer.secondMoment, state.optimizer.slowGradient,
    ] {
      floats.map(\.bitPattern.littleEndian).withUnsafeBytes { bytes += $0 }
    }
    bytes += SHA256.hash(data: bytes)
    return bytes
  }

  init(parsing bytes: [UInt8]) throws(CheckpointError) {
    let start = Checkpoint.firstLine.count + 8
    guard bytes.starts(with: Checkpoint.firstLine) || bytes.starts(with: Checkpoint.earlierFirstLine) else {
      guard bytes.starts(with: Checkpoint.firstWords) else {
        throw CheckpointError("these bytes are no checkpoint of groksweep")
      }
      throw CheckpointError("the checkpoint is of another version of groksweep, which kept other things; start again")
    }
    guard bytes.count >= start + Checkpoint.digestLength else {
      throw CheckpointError("the checkpoint is truncated: it has \(bytes.count) bytes")
    }
    let content = bytes.dropLast(Checkpoint.digestLength)
    guard Array(SHA256.hash(data: content)) == Array(bytes.suffix(Checkpoint.digestLength)) else {
      throw CheckpointError("the checkpoint is damaged or truncated: its checksum does not match")
    }
    let length = bytes[start - 8..<start].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(content.count - start) else {
      throw CheckpointError("the checkpoint's header is longer than the checkpoint")
    }
    let body = start + Int(length)
    guard let header = try? JSONDecoder().decode(Header.self, from: Data(content[start..<body])) else {
      throw CheckpointError("the checkpoint's header cannot be read")
    }
    guard header.semanticsVersion == Engine.semanticsVersion else {
      throw CheckpointError(
        "the checkpoint is of engine version \(header.semanticsVersion), this is \(Engine.semanticsVersion); start again"
      )
    }
    // Written by this very program, if its checksum holds; still, nothing is trained that could not have been written.
    guard header.experiment.problems().isEmpty else {
      throw CheckpointError("the checkpoint holds an experiment that cannot be trained")
    }
    let experiment = header.experiment
    let layout = ParameterLayout(experiment)
    let pairs = layout.modulus * layout.modulus
    let parts = 1 + SnapshotStore.partsOfState(experiment).count
    guard content.count == body + pairs + parts * 4 * layout.count else {
      throw CheckpointError("the checkpoint's weights are not as many as the experiment has")
    }
    let floats = (0..<parts).map { part in
      let from = body + pairs + part * 4 * layout.count
      return content.withUnsafeBytes { raw in
        (0..<layout.count).map { index in
          Float(
            bitPattern: UInt32(
              littleEndian: raw.loadUnaligned(fromByteOffset: from + 4 * index, as: UInt32.self)))
        }
      }
    }
    self.experiment = experiment
    split = Split(trainMask: content[body..<body + pairs].map { $0 != 0 }, modulus: layout.modulus)
    state = Trainer.State(
      epoch: header.record.epoch, weights: floats[0],
      optimizer: OptimizerNumbers(
        firstMoment: floats[1], secondMoment: floats[2], slowGradient: parts > 3 ? floats[3] : []))
    record = header.record
    isOfEnd = record.epoch == record.lastEpoch
  }

  func check(isOf experiment: Experiment) throws(CheckpointError) {
    guard self.experiment == experiment else {
      throw CheckpointError("the checkpoint is of another experiment; start this one elsewhere, from its beginning")
    }
  }

  /// As one of `experiment`: a checkpoint of its own run, or of a run that differs in its end only and that can be
  /// extended to this one. Whose state it is decides; the names of folders and files say nothing.
  func belonging(to experiment: Experiment) throws(CheckpointError) -> Checkpoint {
    var shorter = experiment
    shorter.training.epochs = self.experiment.training.epochs
    shorter.stop = self.experiment.stop
    guard self.experiment != experiment, self.experiment == shorter else {
      try check(isOf: experiment)
      return self
    }
    return try extended(to: experiment.training.epochs, afterGrokking: experiment.stop.afterGrokking)
  }

  /// The same state on its way to a later end.
  func extended(to epochs: Int, afterGrokking: Int?) throws(CheckpointError) -> Checkpoint {
    var longer = experiment
    longer.training.epochs = epochs
    longer.stop.afterGrokking = afterGrokking
    if let problem = longer.problems().first { throw CheckpointError("\(problem)") }
    if experiment.training.dependsOnEnd && epochs != experiment.training.epochs {
      throw CheckpointError(
        "the run's learning rate falls to 0 at epoch \(experiment.training.epochs) (schedule cosine), so a longer run is "
          + "another one from its first epochs on; train it from its start")
    }
    if let epoch = record.divergence, longer != experiment {
      throw CheckpointError("the run diverged at epoch \(epoch): a loss was no longer finite, so it cannot go on")
    }
    // Asked for the end that it has: a run that was interrupted after its training, or is to be shown once more.
    guard epochs > record.epoch || longer == experiment else {
      throw CheckpointError("the run was trained for \(record.epoch) epochs already; ask for more than these")
    }
    var record = record
    record.lastEpoch = epochs
    record.endEarly(after: afterGrokking)
    guard record.lastEpoch >= record.epoch else {
      throw CheckpointError(
        "with after_grokking \(afterGrokking ?? 0) the run would have ended at epoch \(record.lastEpoch), before epoch "
          + "\(record.epoch) to which it was trained")
    }
    return Checkpoint(experiment: longer, split: split, state: state, record: record, isOfEnd: isOfEnd)
  }
}

/// Why a checkpoint cannot be resumed, as a sentence.
package struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
