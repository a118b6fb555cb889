// Checkpoints in messages: contents and requests in the first frame, the bytes of a chunk in the second.

import Foundation
import Grokking

/// {"epoch": 300, "checkpoint_bytes": …, "part_bytes": …, "weights": [[0, 4]], "moments": [[2, 3]]}; ranges end before
/// their second number. With "slow_gradients": true, moments stand for three files each, else for two.
struct WireContents: Codable {
  private let epoch: Int
  private let checkpointBytes: Int
  private let partBytes: Int
  private let weights: [[Int]]
  private let moments: [[Int]]
  private let slowGradients: Bool?

  private enum CodingKeys: String, CodingKey {
    case epoch, weights, moments
    case slowGradients = "slow_gradients"
    case checkpointBytes = "checkpoint_bytes"
    case partBytes = "part_bytes"
  }

  /// No file of a run is larger: weights and moments at modulus 1024 take a tenth of it.
  private static let maximumFileBytes = 1 << 32

  init(_ contents: CheckpointContents) {
    epoch = contents.epoch
    checkpointBytes = contents.checkpointBytes
    partBytes = contents.partBytes
    weights = contents.weights.map { [$0.lowerBound, $0.upperBound] }
    moments = contents.moments.map { [$0.lowerBound, $0.upperBound] }
    slowGradients = contents.hasSlowGradients ? true : nil
  }

  func contents() throws -> CheckpointContents {
    try WireBounds.check(epoch, in: 0...WireResult.maximumEpochs, "checkpoint.epoch")
    try WireBounds.check(checkpointBytes, in: 1...Self.maximumFileBytes, "checkpoint.checkpoint_bytes")
    try WireBounds.check(partBytes, in: 1...Self.maximumFileBytes, "checkpoint.part_bytes")
    return CheckpointContents(
      epoch: epoch, checkpointBytes: checkpointBytes, partBytes: partBytes,
      weights: try Self.ranges(weights, "weights"), moments: try Self.ranges(moments, "moments"),
      hasSlowGradients: slowGradients ?? false)
  }

  /// Ascending and apart from each other, so that every number stands once.
  private static func ranges(_ pairs: [[Int]], _ name: String) throws -> [Range<Int>] {
    guard pairs.count <= CheckpointContents.maximumRanges else {
      throw WireError.tooLarge("\"\(name)\" of a checkpoint has \(pairs.count) ranges")
    }
    var next = 0
    return try pairs.map { pair in
      guard pair.count == 2, pair[0] >= next, pair[1] > pair[0], pair[1] <= WireResult.maximumEpochs else {
        throw WireError.malformed("\"\(name)\" of a checkpoint has a range out of place")
      }
      next = pair[1] + 1
      return pair[0]..<pair[1]
    }
  }
}

extension KeyedDecodingContainer where K == WireKey {
  func contents() throws -> CheckpointContents {
    try decode(WireContents.self, forKey: .checkpoint).contents()
  }

  func contentsIfPresent() throws -> CheckpointContents? {
    try decodeIfPresent(WireContents.self, forKey: .checkpoint)?.contents()
  }

  func checkpointRequest() throws -> CheckpointRequest {
    let missing = try contents()
    let offset = try whole(.offset, in: 0...Int.max / 2)
    let count = try whole(.count, in: 1...CheckpointContents.maximumChunkBytes)
    guard offset < missing.byteCount else {
      throw WireError.malformed("\"offset\" \(offset) is beyond the \(missing.byteCount) bytes that are missing")
    }
    return CheckpointRequest(missing: missing, offset: offset, count: count)
  }

  func chunk(_ bytes: [UInt8]) throws -> CheckpointChunk {
    guard (1...CheckpointContents.maximumChunkBytes).contains(bytes.count) else {
      throw WireError.tooLarge(
        "a chunk of \(bytes.count) bytes; 1 to \(CheckpointContents.maximumChunkBytes) are allowed")
    }
    return CheckpointChunk(
      epoch: try whole(.epoch, in: 0...WireResult.maximumEpochs), offset: try whole(.offset, in: 0...Int.max / 2),
      bytes: bytes)
  }
}

extension KeyedEncodingContainer where K == WireKey {
  mutating func encode(_ request: CheckpointRequest) throws {
    try encode(WireContents(request.missing), forKey: .checkpoint)
    try encode(request.offset, forKey: .offset)
    try encode(request.count, forKey: .count)
  }

  /// All but the bytes.
  mutating func encode(_ chunk: CheckpointChunk) throws {
    try encode(chunk.epoch, forKey: .epoch)
    try encode(chunk.offset, forKey: .offset)
  }
}
