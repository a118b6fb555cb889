// The options that a socket is opened with, and what each one prevents. There is no setting them later.

import CZeroMQ

/// libzmq's defaults are made for programs that may lose messages; these are for programs that may not lose track.
package struct SocketOptions: Hashable, Sendable {
  /// Messages queued for one peer, in each direction; more are refused (`SendOutcome.full`), not dropped.
  package var highWaterMark: Int32
  /// Of these, messages that have come from one peer and were not read. The peer is then not read from either, so that
  /// its own queue fills. All peers together can hold peers × this × `maximumMessageSize` bytes here and no more; a
  /// frame that has begun to come counts besides.
  package var receiveHighWaterMark: Int32
  /// Bytes of one frame. A peer that sends more is disconnected without a word, so `send` refuses it beforehand.
  package var maximumMessageSize: Int64
  /// Pings keep a dead link from looking alive for half an hour.
  package var heartbeatMilliseconds: Int32
  /// Silence after which the link is given up; the peer is told to do the same after three times as long.
  package var heartbeatTimeoutMilliseconds: Int32
  /// First pause before connecting again; it doubles up to `reconnectMaximumMilliseconds`.
  package var reconnectMilliseconds: Int32
  package var reconnectMaximumMilliseconds: Int32
  /// A connection that has not said who it is by then is cut.
  package var handshakeMilliseconds: Int32

  /// Whether names are looked up as IPv6 first. An address in brackets needs no such wish.
  package var isIPv6: Bool

  /// - Parameter receiveHighWaterMark: nil means `highWaterMark`.
  package init(
    highWaterMark: Int32 = 100, receiveHighWaterMark: Int32? = nil, maximumMessageSize: Int64 = 16 << 20,
    heartbeatMilliseconds: Int32 = 5000,
    heartbeatTimeoutMilliseconds: Int32 = 15_000, reconnectMilliseconds: Int32 = 100,
    reconnectMaximumMilliseconds: Int32 = 5000, handshakeMilliseconds: Int32 = 10_000, isIPv6: Bool = false
  ) {
    self.highWaterMark = highWaterMark
    self.receiveHighWaterMark = receiveHighWaterMark ?? highWaterMark
    self.maximumMessageSize = maximumMessageSize
    self.heartbeatMilliseconds = heartbeatMilliseconds
    self.heartbeatTimeoutMilliseconds = heartbeatTimeoutMilliseconds
    self.reconnectMilliseconds = reconnectMilliseconds
    self.reconnectMaximumMilliseconds = reconnectMaximumMilliseconds
    self.handshakeMilliseconds = handshakeMilliseconds
    self.isIPv6 = isIPv6
  }

  func apply(to socket: UnsafeMutableRawPointer, kind: Socket.Kind) throws(ZeroMQError) {
    func set(_ option: Int32, _ value: Int32) throws(ZeroMQError) {
      var value = value
      guard zmq_setsockopt(socket, option, &value, MemoryLayout<Int32>.size) == 0 else { throw .last(.configure) }
    }
    // Closing never waits for peers that do not read: whatever matters is sent again by whoever got no answer.
    try set(ZMQ_LINGER, 0)
    try set(ZMQ_SNDHWM, highWaterMark)
    try set(ZMQ_RCVHWM, receiveHighWaterMark)
    try set(ZMQ_IPV6, isIPv6 ? 1 : 0)
    // Nothing piles up for a link that does not stand.
    try set(ZMQ_IMMEDIATE, 1)
    try set(ZMQ_HEARTBEAT_IVL, heartbeatMilliseconds)
    try set(ZMQ_HEARTBEAT_TIMEOUT, heartbeatTimeoutMilliseconds)
    try set(ZMQ_HEARTBEAT_TTL, min(3 * heartbeatTimeoutMilliseconds, 6_553_000))
    try set(ZMQ_RECONNECT_IVL, reconnectMilliseconds)
    try set(ZMQ_RECONNECT_IVL_MAX, reconnectMaximumMilliseconds)
    try set(ZMQ_HANDSHAKE_IVL, handshakeMilliseconds)
    var size = maximumMessageSize
    guard zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size, MemoryLayout<Int64>.size) == 0 else { throw .last(.configure) }
    if kind == .router {
      // A message to a peer that has gone is an answer (`unreachable`), not a silent loss.
      try set(ZMQ_ROUTER_MANDATORY, 1)
      // Nobody takes over another peer's name.
      try set(ZMQ_ROUTER_HANDOVER, 0)
    }
  }
}
