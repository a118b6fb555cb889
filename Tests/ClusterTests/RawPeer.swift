// Peers that do not use libzmq: bytes as they are, silence, and a proxy that remembers what it carried.

import Foundation
import Synchronization
import Testing
import ZeroMQ

/// A TCP connection to a port of this machine.
final class RawPeer {
  let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = RawPeer.loopback(port)
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      close(descriptor)
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
  }

  deinit { close(descriptor) }

  static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  /// As much of it as the other side takes.
  func send(_ bytes: [UInt8]) { RawPeer.send(bytes, to: descriptor) }

  static func send(_ bytes: [UInt8], to descriptor: Int32) {
    var done = 0
    while done < bytes.count {
      let left = bytes.count - done
      let count = bytes.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress! + done, left, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      done += count
    }
  }

  static func port(of endpoint: String) throws -> UInt16 {
    try #require(endpoint.split(separator: ":").last.flatMap { UInt16($0) })
  }
}

/// Carries TCP connections on to another port, one after the other, and remembers what their clients sent.
final class RecordingProxy: Sendable {
  let port: UInt16
  private let listener: Int32
  private let state = Mutex(State())

  private struct State {
    /// Of the present connection, as it came.
    var pieces: [[UInt8]] = []
    var wantsReplay = false
    var isOver = false
  }

  init(to target: UInt16) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = RawPeer.loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, length)
        _ = listen(descriptor, 16)
        _ = getsockname(descriptor, $0, &length)
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    let thread = Thread { [self] in
      while !state.withLock({ $0.isOver }) { carryOne(to: target) }
      close(listener)
    }
    thread.start()
  }

  var endpoint: String { "tcp://127.0.0.1:\(port)" }

  /// All that the present connection's client sent so far.
  var recorded: [UInt8] { state.withLock { $0.pieces.flatMap { $0 } } }

  /// Sends what the client sent last once more, on the same connection.
  func replay() { state.withLock { $0.wantsReplay = true } }

  func end() { state.withLock { $0.isOver = true } }

  private func carryOne(to target: UInt16) {
    guard isReadable(listener) else { return }
    let client = accept(listener, nil, nil)
    defer { close(client) }
    guard client >= 0, let server = try? RawPeer(port: target) else { return }
    state.withLock { $0.pieces = [] }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while !state.withLock({ $0.isOver }) {
      var items = [
        pollfd(fd: client, events: Int16(POLLIN), revents: 0),
        pollfd(fd: server.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      poll(&items, 2, 10)
      if items[0].revents != 0 {
        let count = read(client, &buffer, buffer.count)
        guard count > 0 else { return }
        server.send(Array(buffer[..<count]))
        state.withLock { $0.pieces.append(Array(buffer[..<count])) }
      }
      if items[1].revents != 0 {
        let count = read(server.descriptor, &buffer, buffer.count)
        guard count > 0 else { return }
        RawPeer.send(Array(buffer[..<count]), to: client)
      }
      let again = state.withLock { state -> [UInt8]? in
        // A greeting, a HELLO, an INITIATE, and at least one message.
        guard state.wantsReplay, state.pieces.count > 5 else { return nil }
        state.wantsReplay = false
        return state.pieces.last
      }
      if let again { server.send(again) }
    }
  }

  private func isReadable(_ descriptor: Int32) -> Bool {
    var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&item, 1, 20) == 1
  }
}
