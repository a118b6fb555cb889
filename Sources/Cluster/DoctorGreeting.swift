// What answers at a port, by its first 64 bytes: ZeroMQ says who it is before anything else (ZMTP 3, RFC 23), and so do
// most others.

import Foundation
import Sweeps

enum DoctorGreeting: Hashable {
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
  static func exchange(on connection: TCPConnection, seconds: Double) -> DoctorGreeting {
    // A fresh connection has room for these bytes.
    _ = send(connection.descriptor, opening, opening.count, Int32(MSG_NOSIGNAL))
    let deadline = MonotonicInstant.now.advanced(bySeconds: seconds)
    var bytes: [UInt8] = []
    while bytes.count < length, !isStrange(bytes) {
      let left = deadline.seconds(since: .now)
      var item = pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0)
      guard left > 0, poll(&item, 1, Int32(max(1, left * 1000))) >= 0 else { break }
      guard item.revents != 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: length - bytes.count)
      let count = Foundation.read(connection.descriptor, &buffer, buffer.count)
      guard count > 0 else { return bytes.isEmpty ? .hungUp : read(bytes) }
      bytes += buffer[..<count]
    }
    return bytes.isEmpty ? .silent : read(bytes)
  }

  private static func isStrange(_ bytes: [UInt8]) -> Bool {
    bytes.first.map { $0 != 0xFF } ?? false || bytes.count >= 10 && bytes[9] != 0x7F
  }

  /// Of the bytes that came.
  static func read(_ bytes: [UInt8]) -> DoctorGreeting {
    guard bytes.count >= 32, !isStrange(bytes), bytes[10] >= 3 else {
      let printable = bytes.prefix { $0 != 10 && $0 != 13 }.prefix(40).map { (32..<127).contains($0) ? $0 : 46 }
      return .otherwise(String(decoding: printable, as: UTF8.self))
    }
    let mechanism = bytes[12..<32].prefix { $0 != 0 }
    return .zeroMQ(mechanism: String(decoding: mechanism, as: UTF8.self))
  }
}
