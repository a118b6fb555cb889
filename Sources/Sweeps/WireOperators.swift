// Requests of operators and their answers, and what a coordinator may find in its socket.

import Foundation

/// What arrives at a coordinator.
package enum InboundMessage: Hashable, Sendable {
  case worker(WorkerMessage)
  /// `number` comes back with the answer.
  case request(OperatorRequest, number: Int64)
}

extension WireCodec {
  package static func decodeInbound(_ frames: [[UInt8]]) throws(WireError) -> InboundMessage {
    if let message = WireForms.workerMessage(try checked(frames)) { return .worker(message) }
    return try decode(InboundFrame.self, frames).message
  }

  package static func encode(_ request: OperatorRequest, number: Int64) throws(WireError) -> [[UInt8]] {
    try checked([try json(RequestFrame(request: request, number: number))])
  }

  package static func encode(_ reply: OperatorReply, number: Int64) throws(WireError) -> [[UInt8]] {
    var frames = [try json(ReplyFrame(reply: reply, number: number))]
    if case .answer(let json) = reply { frames.append(Array(json.utf8)) }
    return try checked(frames)
  }

  /// An answer, or the coordinator's refusal of everything that this peer says.
  package static func decodeReply(_ frames: [[UInt8]]) throws(WireError) -> (OperatorReply, number: Int64)? {
    try decode(ReplyFrame.self, frames).numbered
  }
}

private struct InboundFrame: Decodable {
  let message: InboundMessage

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: WireKey.self)
    if try fields.decode(String.self, forKey: .type) == "request" {
      let frame = try RequestFrame(from: decoder)
      message = .request(frame.request, number: frame.number)
    } else {
      message = .worker(try WorkerFrame(from: decoder).message)
    }
  }
}

/// {"groksweep": 4, "type": "request", "number": 1, "request": {"setSweep": …}}
private struct RequestFrame: Codable {
  let request: OperatorRequest
  let number: Int64

  init(request: OperatorRequest, number: Int64) {
    self.request = request
    self.number = number
  }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: WireKey.self)
    let version = try fields.decode(Int.self, forKey: .version)
    guard version == WireProtocol.version else { throw WireError.otherVersion(version) }
    try WireFrames.check(WireFrames.further(decoder), of: "request", allowed: [:])
    number = try fields.decode(Int64.self, forKey: .number)
    request = try fields.decode(OperatorRequest.self, forKey: .request)
  }

  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: WireKey.self)
    try fields.encode(WireProtocol.version, forKey: .version)
    try fields.encode("request", forKey: .type)
    try fields.encode(number, forKey: .number)
    try fields.encode(request, forKey: .request)
  }
}

/// {"groksweep": 4, "type": "done", "number": 1, "text": …}; an answer's JSON is its second frame.
private struct ReplyFrame: Codable {
  /// nil for the number of a refusal, which answers no request in particular.
  let numbered: (OperatorReply, number: Int64)?

  init(reply: OperatorReply, number: Int64) { numbered = (reply, number) }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: WireKey.self)
    let version = try fields.decode(Int.self, forKey: .version)
    let type = try fields.decode(String.self, forKey: .type)
    let further = WireFrames.further(decoder)
    if type == "refused" {
      numbered = (.notAllowed(try fields.text(.reason, limit: WireCodec.maximumReasonBytes)), number: 0)
      return
    }
    guard version == WireProtocol.version else { throw WireError.otherVersion(version) }
    try WireFrames.check(further, of: type, allowed: ["answer": 1...1])
    func text() throws -> String { try fields.decode(String.self, forKey: .text) }
    let reply: OperatorReply
    switch type {
    case "answer": reply = .answer(json: String(decoding: further[0], as: UTF8.self))
    case "done": reply = .done(try text())
    case "failed": reply = .failed(try text(), isBadInput: false)
    case "bad_input": reply = .failed(try text(), isBadInput: true)
    case "not_allowed": reply = .notAllowed(try text())
    default:
      // Said to workers: nothing for a command that waits for its answer.
      numbered = nil
      return
    }
    numbered = (reply, try fields.decode(Int64.self, forKey: .number))
  }

  func encode(to encoder: any Encoder) throws {
    guard let (reply, number) = numbered else { return }
    var fields = encoder.container(keyedBy: WireKey.self)
    try fields.encode(WireProtocol.version, forKey: .version)
    try fields.encode(number, forKey: .number)
    switch reply {
    case .answer: try fields.encode("answer", forKey: .type)
    case .done(let text):
      try fields.encode("done", forKey: .type)
      try fields.encode(text, forKey: .text)
    case .failed(let text, let isBadInput):
      try fields.encode(isBadInput ? "bad_input" : "failed", forKey: .type)
      try fields.encode(text, forKey: .text)
    case .notAllowed(let text):
      try fields.encode("not_allowed", forKey: .type)
      try fields.encode(text, forKey: .text)
    }
  }
}
