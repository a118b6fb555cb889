// What answers at a port, by its first 64 bytes: ZeroMQ says who it is before anything else (ZMTP 3, RFC 23), and so do
// most others. libzmq itself tells a peer with other keys and one that speaks something else alike.

import Foundation
import Sweeps

package enum Greeting: Hashable, Sendable {
  /// Speaks ZeroMQ, with this mechanism: `CURVE` or `NULL`.
  case zeroMQ(mechanism: String)
  /// Its first bytes, as far as they can be printed.
  case otherwise(String)
  case silent
  case hungUp

  static let length = 64

  /// How every greeting begins: signature, version 3.1. The mechanism is left unsaid: libzmq hangs up on one that is not its
  /// own before it has told which that is.
  private static let opening: [UInt8] = [0xFF] + [UInt8](repeating: 0, count: 7) + [1, 0x7F, 3, 1]

  /// Says how greetings begin and reads what comes back; nothing else is said.
  ///
  /// - Parameter descriptor: of a connection on which nothing was said yet.
  static func exchange(on descriptor: Int32, seconds: Double) -> Greeting {
    // A fresh connection has room for these bytes.
    _ = send(descriptor, opening, opening.count, Int32(MSG_NOSIGNAL))
    let deadline = MonotonicInstant.now.advanced(bySeconds: seconds)
    var bytes: [UInt8] = []
    while bytes.count < length, !isStrange(bytes) {
      let left = deadline.seconds(since: .now)
      var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard left > 0, poll(&item, 1, Int32(max(1, left * 1000))) >= 0 else { break }
      guard item.revents != 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: length - bytes.count)
      let count = Foundation.read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return bytes.isEmpty ? .hungUp : read(bytes) }
      bytes += buffer[..<count]
    }
    return bytes.isEmpty ? .silent : read(bytes)
  }

  private static func isStrange(_ bytes: [UInt8]) -> Bool {
    bytes.first.map { $0 != 0xFF } ?? false || bytes.count >= 10 && bytes[9] != 0x7F
  }

  /// Of the bytes that came.
  static func read(_ bytes: [UInt8]) -> Greeting {
    guard bytes.count >= 32, !isStrange(bytes), bytes[10] >= 3 else {
      let printable = bytes.prefix { $0 != 10 && $0 != 13 }.prefix(40).map { (32..<127).contains($0) ? $0 : 46 }
      return .otherwise(String(decoding: printable, as: UTF8.self))
    }
    let mechanism = bytes[12..<32].prefix { $0 != 0 }
    return .zeroMQ(mechanism: String(decoding: mechanism, as: UTF8.self))
  }

  /// What keeps it from being a coordinator, and what to look at; nil for ZeroMQ with or without keys.
  ///
  /// - Parameter place: for people.
  func trouble(at place: String) -> (says: String, fix: String)? {
    switch self {
    case .zeroMQ(mechanism: "NULL"), .zeroMQ(mechanism: "CURVE"): nil
    case .zeroMQ(let mechanism):
      ("what listens at \(place) wants ZeroMQ with \(mechanism)", "check the address; it is no coordinator")
    case .otherwise(let words):
      (
        "what listens at \(place) is not ZeroMQ; it says \"\(words)\"",
        "check the port: it belongs to another program"
      )
    case .silent:
      (
        "what listens at \(place) takes the connection and says nothing, so it is not ZeroMQ, or hangs",
        "check the port: it belongs to another program, or the coordinator is stopped (kill -CONT)"
      )
    case .hungUp:
      (
        "what listens at \(place) takes the connection and ends it, as a tunnel without a coordinator does",
        "start the coordinator at the tunnel's other end, or check the port"
      )
    }
  }
}
