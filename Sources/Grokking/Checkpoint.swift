// A run in the middle of training as bytes: written when a worker is told to stop, read when someone goes on.
//
// Layout: a first line with the format's version, the header's length (8 bytes, little-endian), the header (JSON), the
// train mask (p² bytes), weights, first and second moments (float32, little-endian), SHA-256 of all that. Machines may
// change between writing and reading: the kernels give the same bits everywhere.

import Crypto
import Foundation

/// Everything that determines the rest of a run.
struct Checkpoint {
  let experiment: Experiment
  let split: Split
  let state: Trainer.State
  let record: RunRecord

  private static let firstLine = Array("groksweep checkpoint 1\n".utf8)
  private static let digestLength = 32

  private struct Header: Codable {
    var semanticsVersion: Int
    var experiment: Experiment
    var epoch: Int
    var lastEpoch: Int
    var taken: [RunRecord.Taken]
    var memorization: Int?
    var latestTrain: LossAndAccuracy?
    var digests: [EpochDigest]
    var work: Int
  }

  init(experiment: Experiment, split: Split, state: Trainer.State, record: RunRecord) {
    self.experiment = experiment
    self.split = split
    self.state = state
    self.record = record
  }

  func serialized() throws -> [UInt8] {
    let header = try JSONEncoder().encode(
      Header(
        semanticsVersion: Engine.semanticsVersion, experiment: experiment, epoch: record.epoch,
        lastEpoch: record.lastEpoch, taken: record.taken, memorization: record.memorization,
        latestTrain: record.latestTrain, digests: record.digests.links, work: record.work))
    var bytes = Checkpoint.firstLine
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { bytes += $0 }
    bytes += header
    bytes += split.trainMask.map { $0 ? 1 : 0 }
    for floats in [state.weights, state.firstMoment, state.secondMoment] {
      floats.map(\.bitPattern.littleEndian).withUnsafeBytes { bytes += $0 }
    }
    bytes += SHA256.hash(data: bytes)
    return bytes
  }

  init(parsing bytes: [UInt8], of experiment: Experiment) throws(CheckpointError) {
    let start = Checkpoint.firstLine.count + 8
    guard bytes.starts(with: Checkpoint.firstLine) else {
      throw CheckpointError("these bytes are no checkpoint of this version of groksweep")
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
    guard header.experiment == experiment else {
      throw CheckpointError("the checkpoint is of another experiment; start this one from its beginning")
    }
    let layout = ParameterLayout(experiment)
    let pairs = layout.modulus * layout.modulus
    guard content.count == body + pairs + 3 * 4 * layout.count else {
      throw CheckpointError("the checkpoint's weights are not as many as the experiment has")
    }
    let floats = (0..<3).map { part in
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
      epoch: header.epoch, weights: floats[0], firstMoment: floats[1], secondMoment: floats[2])
    var record = RunRecord(epochs: header.lastEpoch)
    record.epoch = header.epoch
    record.taken = header.taken
    record.memorization = header.memorization
    record.latestTrain = header.latestTrain
    record.digests = WeightDigest(links: header.digests)
    record.work = header.work
    self.record = record
  }
}

/// Why a checkpoint cannot be resumed, as a sentence.
package struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
