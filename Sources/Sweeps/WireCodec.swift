// Messages to frames and back.
//
// The first frame is JSON: {"groksweep": protocol version, "type": …, and the message's fields in snake_case}. A result
// has a second frame with its curve, little-endian, and where they are kept a third with the final weights, a safetensors
// file; a chunk of a checkpoint and an answer to an operator have a second with their bytes. Frames come from the net, so
// the decoder believes nothing: sizes and counts are checked before anything is allocated, numbers must be finite and in
// range, texts short and without control characters, experiments possible. It throws a sentence, and never traps, whatever
// the bytes are. Weights are looked at by whoever reads them (ModelFile), not on their way.
//
// What every point needs goes by a shorter way (WireForms.swift), in the same bytes.
//
// The coordinator's `refused` is read whatever version it speaks, so that every build understands why it is sent away.

import Foundation
import Grokking

package enum WireCodec {
  /// For the socket's own limit: a larger frame is cut off with its connection.
  package static let maximumFrameBytes = 64 << 20
  package static let maximumJSONBytes = 256 << 10
  package static let maximumFrames = 3
  /// Bytes of UTF-8 in a reason; longer ones are cut when they are encoded.
  static let maximumReasonBytes = 4096
  static let maximumNameBytes = 256
  /// Brackets within brackets in a first frame; our own messages have fewer than ten.
  static let maximumNesting = 64

  /// - Throws: `WireError` when a number is not finite or a frame would exceed its limit.
  package static func encode(_ message: WorkerMessage) throws(WireError) -> [[UInt8]] {
    var frames = [try firstFrame(of: message)]
    switch message {
    case .finished(_, _, let result, _):
      frames.append(try WireCurve.encode(result))
      if let weights = result.finalWeights { frames.append(weights) }
    case .chunk(_, _, let chunk): frames.append(chunk.bytes)
    default: break
    }
    return try checked(frames)
  }

  /// Whether `result` can be sent at all; what cannot is no result.
  package static func check(_ result: RunResult) throws(WireError) {
    let lease = HeldLease(lease: LeaseID(1), point: PointID(hex: String(repeating: "0", count: 64))!)
    _ = try encode(.finished(lease: lease.lease, point: lease.point, result, seconds: 0))
  }

  package static func encode(_ message: CoordinatorMessage) throws(WireError) -> [[UInt8]] {
    var frames = [try firstFrame(of: message)]
    if case .chunk(_, _, let chunk) = message { frames.append(chunk.bytes) }
    return try checked(frames)
  }

  private static func firstFrame(of message: WorkerMessage) throws(WireError) -> [UInt8] {
    if let frame = WireForms.frame(of: message) { return frame }
    return try foundationFrame(of: message)
  }

  private static func firstFrame(of message: CoordinatorMessage) throws(WireError) -> [UInt8] {
    if let frame = WireForms.frame(of: message) { return frame }
    return try foundationFrame(of: message)
  }

  /// The first frame as Foundation writes it.
  package static func foundationFrame(of message: WorkerMessage) throws(WireError) -> [UInt8] {
    try json(WorkerFrame(message: message))
  }

  package static func foundationFrame(of message: CoordinatorMessage) throws(WireError) -> [UInt8] {
    try json(CoordinatorFrame(message: message))
  }

  /// `frames` is the message's body: without routing id, without an empty delimiter.
  package static func decodeWorkerMessage(_ frames: [[UInt8]]) throws(WireError) -> WorkerMessage {
    if let message = WireForms.workerMessage(try checked(frames)) { return message }
    return try decode(WorkerFrame.self, frames).message
  }

  package static func decodeCoordinatorMessage(_ frames: [[UInt8]]) throws(WireError) -> CoordinatorMessage {
    if let message = WireForms.coordinatorMessage(try checked(frames)) { return message }
    return try decode(CoordinatorFrame.self, frames).message
  }

  static func decode<Frame: Decodable>(_ type: Frame.Type, _ frames: [[UInt8]]) throws(WireError) -> Frame {
    let first = try checked(frames)[0]
    try checkNesting(first)
    return try translating {
      let decoder = JSONDecoder()
      decoder.userInfo[WorkerFrame.furtherKey] = Array(frames.dropFirst())
      return try decoder.decode(type, from: Data(first))
    }
  }

  static func json(_ frame: some Encodable) throws(WireError) -> [UInt8] {
    try translating {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return [UInt8](try encoder.encode(frame))
    }
  }

  static func checked(_ frames: [[UInt8]]) throws(WireError) -> [[UInt8]] {
    guard let first = frames.first else { throw .malformed("a message without frames") }
    guard frames.count <= maximumFrames else {
      throw .tooLarge("a message of \(frames.count) frames; at most \(maximumFrames) are allowed")
    }
    guard first.count <= maximumJSONBytes else {
      throw .tooLarge("a first frame of \(first.count) bytes; at most \(maximumJSONBytes) are allowed")
    }
    for frame in frames.dropFirst() where frame.count > maximumFrameBytes {
      throw .tooLarge("a frame of \(frame.count) bytes; at most \(maximumFrameBytes) are allowed")
    }
    return frames
  }

  /// Before Foundation reads it: a frame whose last byte is its 513th open bracket makes JSONDecoder trap while it looks
  /// for the place of its own complaint (Swift 6.3).
  private static func checkNesting(_ frame: [UInt8]) throws(WireError) {
    var (depth, isInText, isEscaped) = (0, false, false)
    for byte in frame {
      if isInText {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInText = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInText = true
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
      guard depth <= maximumNesting else {
        throw .malformed("a first frame with more than \(maximumNesting) brackets within brackets")
      }
    }
  }

  /// Foundation's coding errors as sentences.
  private static func translating<Value>(_ body: () throws -> Value) throws(WireError) -> Value {
    do {
      return try body()
    } catch let error as WireError {
      throw error
    } catch let error as DecodingError {
      throw .malformed(sentence(error))
    } catch EncodingError.invalidValue(let value, let context) {
      throw .malformed("cannot send \(path(context.codingPath)): \(value) is not a finite number")
    } catch {
      throw .malformed("a frame that cannot be read: \(error)")
    }
  }

  private static func sentence(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, let context):
      "\(path(context.codingPath + [key])) is missing from a message"
    case .typeMismatch(let type, let context): "\(path(context.codingPath)) of a message is no \(type)"
    case .valueNotFound(_, let context): "\(path(context.codingPath)) of a message is null"
    case .dataCorrupted(let context) where context.codingPath.isEmpty: "the first frame of a message is no JSON object"
    case .dataCorrupted(let context):
      "\(path(context.codingPath)) of a message is wrong: \(WireText.clean(context.debugDescription, limit: 200))"
    @unknown default: "a message that cannot be read"
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    let path = keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    return "\"" + WireText.clean(path, limit: 100) + "\""
  }
}

/// Texts from and for other machines.
enum WireText {
  /// Short, and without characters that could move a terminal's cursor.
  static func clean(_ text: String, limit: Int) -> String {
    var cleaned = ""
    var bytes = 0
    for scalar in text.unicodeScalars {
      let scalar: Unicode.Scalar = isControl(scalar) ? " " : scalar
      bytes += UTF8.width(scalar)
      if bytes > limit { break }
      cleaned.unicodeScalars.append(scalar)
    }
    return cleaned
  }

  static func isClean(_ text: String, limit: Int) -> Bool {
    text.utf8.count <= limit && !text.unicodeScalars.contains(where: isControl)
  }

  /// C0, DEL and C1.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
  }
}
