// What a connecting socket's handshakes come to. libzmq tries again for ever with a wrong server key and never with a
// refused one, and says neither to its socket: a monitor does.
//
// How far a handshake came is seen in the bytes that the other side sent: a coordinator's greeting alone, then nothing,
// means that it could not open ours. The descriptor is doubled for that until the handshake is over, because libzmq
// closes its own before anybody hears of the end.

import CZeroMQ
import Foundation

/// One thing that happened to a connection that this side opened.
package enum LinkEvent: Hashable, Sendable {
  /// Both sides know each other.
  case established
  /// The other side knows our key not, or no longer: it says so, and libzmq does not try again.
  case refused
  /// It speaks without keys where we have them, or the reverse.
  case otherMechanism
  /// It took our connection and hung up without a word, as a tunnel without a far end does, or said something else than
  /// ZeroMQ does.
  case hungUp
  /// It greeted as ZeroMQ with keys does, then hung up on our handshake: its key is another one.
  case notOpened
  /// It could open our handshake and hung up: it has too much to do.
  case putOff
  /// An established connection has ended.
  case ended
}

package final class Monitor {
  /// For `Poller.wait`.
  package let socket: Socket
  /// The newest connection's double while its handshake is under way.
  private var double: Int32?
  private var failure: MonitorEvent?
  package private(set) var isEstablished = false
  /// When the handshake that is under way began.
  private var handshakeSince: ContinuousClock.Instant?
  /// When somebody last took a connection of ours, other than one that was established and has ended.
  private var takenSince: ContinuousClock.Instant?
  /// When a connection ended after which libzmq has not begun another one.
  private var lostSince: ContinuousClock.Instant?

  /// Watches a socket that does not connect yet. On the socket's own thread.
  package init(_ watched: Socket, in context: Context) throws(ZeroMQError) {
    socket = try Monitor.open(on: watched, in: context)
  }

  deinit { if let double { close(double) } }

  /// A socket that receives `watched`'s events. Its queue has no limit, since libzmq's I/O thread would wait for room in
  /// it: whoever opens one reads it.
  static func open(on watched: Socket, in context: Context) throws(ZeroMQError) -> Socket {
    let address = "inproc://monitor-\(UInt(bitPattern: watched.handle))"
    guard zmq_socket_monitor(watched.handle, address, ZMQ_EVENT_ALL) == 0 else { throw .last(.watch) }
    let socket = try Socket(context, .pair, options: SocketOptions(receiveHighWaterMark: 0))
    try socket.connect(address)
    return socket
  }

  /// Whether libzmq has given up: a peer that breaks the protocol, whoever it was, is never tried again. Then a new socket
  /// may find the right one.
  package var isAbandoned: Bool { lostSince.map { ContinuousClock.now - $0 > .seconds(1) } ?? false }

  /// Whether somebody takes our connections, whatever becomes of them; one that was taken proves it for a while.
  package var isTaken: Bool { isEstablished || takenSince.map { ContinuousClock.now - $0 < .seconds(15) } ?? false }

  /// Whether a connection of ours was taken a while ago and nothing came of it. libzmq takes whoever greets in bytes of
  /// its own for a peer of its first version, and then waits for ever.
  package var isHandshakeSlow: Bool { handshakeSince.map { ContinuousClock.now - $0 > .seconds(3) } ?? false }

  /// The next event that matters, or nil when none has come.
  package func next() throws(ZeroMQError) -> LinkEvent? {
    while let message = try socket.receive() {
      switch MonitorEvent(message.frames) {
      case .connected(let descriptor):
        (lostSince, takenSince) = (nil, .now)
        follow(dup(descriptor))
      case .succeeded:
        follow(-1)
        isEstablished = true
        return .established
      case .failedAuthentication(let code):
        if code != 300 { return .refused }
      case .failed: failure = .failed(0)
      case .failedProtocol(ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): return .otherMechanism
      case .failedProtocol: failure = .failedProtocol(0)
      case .disconnected:
        lostSince = .now
        if let event = ended() { return event }
      case .retried: lostSince = nil
      case .accepted, .other: break
      }
    }
    return nil
  }

  private func ended() -> LinkEvent? {
    let bytes = double.flatMap(Descriptor.bytesReceived)
    let wasEstablished = isEstablished
    let hasFailed = failure != nil
    (isEstablished, failure) = (false, nil)
    follow(-1)
    if wasEstablished {
      takenSince = nil
      return .ended
    }
    // With keys, libzmq ends a connection that greets in bytes of its own without a word about it.
    guard hasFailed else { return .hungUp }
    guard let bytes else { return nil }
    // A greeting has 64 bytes; a welcome, which only the holder of the right key can write, 170 more.
    return bytes < 64 ? .hungUp : bytes < 64 + 170 ? .notOpened : .putOff
  }

  private func follow(_ descriptor: Int32) {
    if let double { close(double) }
    double = descriptor < 0 ? nil : descriptor
    handshakeSince = descriptor < 0 ? nil : .now
  }
}
