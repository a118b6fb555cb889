// A ROUTER or DEALER socket: multipart messages in and out, never blocking, never dropping without saying so.
//
// libzmq's sockets are not thread-safe: one belongs to the thread that uses it, from `init` to its end. It is not
// Sendable for that reason. Messages' meaning is none of this module's business.

import CZeroMQ
import Foundation

/// What became of a message. None of these says that the peer has it: only an answer of its own does.
package enum SendOutcome: Hashable, Sendable {
  /// libzmq has taken all of it.
  case queued
  /// Nothing was taken: the peer's queue is full or, for a dealer, no link stands. Later may do.
  case full
  /// A router knows no such peer (any more).
  case unreachable
}

/// A message that has come, and who the authenticator says it is from.
package struct Received: Hashable, Sendable {
  package var frames: [[UInt8]]
  /// The User-Id that the authenticator gave this frame's connection when it let it in; empty where there are no keys.
  package var user: String

  package init(frames: [[UInt8]], user: String = "") {
    self.frames = frames
    self.user = user
  }
}

package final class Socket {
  package enum Kind: Hashable, Sendable {
    /// Many peers. The first frame of every message, in and out, is the peer's name.
    case router
    /// One peer.
    case dealer
    /// Within this module: the authenticator's own, and a monitor's.
    case reply, pair

    fileprivate var type: Int32 {
      switch self {
      case .router: ZMQ_ROUTER
      case .dealer: ZMQ_DEALER
      case .reply: ZMQ_REP
      case .pair: ZMQ_PAIR
      }
    }
  }

  /// A message may have this many frames; of a longer one only this many and one more are kept, for the reader to
  /// refuse.
  package static let maximumFrames = 8

  package let kind: Kind
  package let options: SocketOptions
  let handle: UnsafeMutableRawPointer
  private let context: Context
  /// Where there is one, it outlives this socket: so an authenticator answers for as long as anybody can knock.
  private var door: Door?
  /// Of the ipc endpoint that this socket listens on.
  private var path: String?

  /// A socket without keys, or a client's with them. One that listens with keys stands behind a `Door`.
  package init(
    _ context: Context, _ kind: Kind, keys: CurveClient? = nil, options: SocketOptions = SocketOptions()
  ) throws(ZeroMQError) {
    guard let handle = zmq_socket(context.handle, kind.type) else { throw .last(.open) }
    self.kind = kind
    self.options = options
    self.handle = handle
    self.context = context
    // A failure from here on runs deinit, which closes the handle.
    try options.apply(to: handle, kind: kind)
    if let keys {
      try set(ZMQ_CURVE_SERVERKEY, keys.server.text)
      try set(ZMQ_CURVE_PUBLICKEY, keys.own.publicKey.text)
      try set(ZMQ_CURVE_SECRETKEY, keys.own.secretKey.secretText)
    }
  }

  /// A router that listens behind `door`: its keys, its authenticator, its log. There is no other way to listen with
  /// keys, so none without somebody who asks for them.
  package convenience init(behind door: Door, options: SocketOptions = SocketOptions()) throws(ZeroMQError) {
    try self.init(door.context, .router, options: options)
    self.door = door
    if let keys = door.keys {
      try set(ZMQ_CURVE_SERVER, 1)
      try set(ZMQ_CURVE_SECRETKEY, keys.secretKey.secretText)
      try set(ZMQ_ZAP_DOMAIN, Door.domain)
      // Without this libzmq lets everybody in when nobody answers at the authenticator's address.
      try set(CZEROMQ_ZAP_ENFORCE_DOMAIN, 1)
    }
    try door.watch(self)
  }

  deinit {
    // libzmq leaves the file behind. It goes while this socket still listens: later it might be somebody else's.
    if let path { unlink(path) }
    zmq_close(handle)
  }

  /// Listens on `endpoint`; returns the real one (`tcp://127.0.0.1:0` becomes one with a port).
  @discardableResult
  package func bind(_ endpoint: String) throws(ZeroMQError) -> String {
    try EndpointAddress.requireFree(endpoint)
    try admit(endpoint)
    guard zmq_bind(handle, endpoint) == 0 else { throw .last(.listen, endpoint: endpoint) }
    path = EndpointAddress.path(of: endpoint)
    return try lastEndpoint()
  }

  /// Connects in the background, again and again for as long as the socket lives; fails only for an endpoint that can
  /// never work.
  package func connect(_ endpoint: String) throws(ZeroMQError) {
    try admit(endpoint)
    guard zmq_connect(handle, endpoint) == 0 else { throw .last(.connect, endpoint: endpoint) }
  }

  /// Hands a whole message to libzmq, or nothing of it.
  ///
  /// - Throws: for a frame above `maximumMessageSize`, which the peer would answer by hanging up.
  package func send(_ frames: [[UInt8]]) throws(ZeroMQError) -> SendOutcome {
    precondition(!frames.isEmpty && frames.count <= Self.maximumFrames, "a message of \(frames.count) frames")
    if let large = frames.first(where: { $0.count > options.maximumMessageSize }) {
      throw ZeroMQError(
        .send, code: EMSGSIZE,
        cause: "it has \(large.count) bytes and the limit is \(options.maximumMessageSize)")
    }
    var outcome = SendOutcome.queued
    for (index, frame) in frames.enumerated() {
      let more = index + 1 < frames.count ? ZMQ_SNDMORE : 0
      var sent: Int32
      repeat { sent = zmq_send(handle, frame, frame.count, ZMQ_DONTWAIT | more) } while sent < 0 && zmq_errno() == EINTR
      guard sent < 0 else { continue }
      switch zmq_errno() {
      case EAGAIN:
        outcome = .full
      case EHOSTUNREACH:
        outcome = .unreachable
      default:
        throw .last(.send)
      }
      // The first frame decides whether there is room. When the link breaks during a later one, libzmq drops what it
      // had and also wants to drop the rest, so the rest is handed over all the same.
      if index == 0 { return outcome }
    }
    return outcome
  }

  /// The next message, or nil when none has come.
  package func receive() throws(ZeroMQError) -> Received? {
    var frames: [[UInt8]] = []
    var message = zmq_msg_t()
    zmq_msg_init(&message)
    defer { zmq_msg_close(&message) }
    while true {
      var size: Int32
      repeat { size = zmq_msg_recv(&message, handle, ZMQ_DONTWAIT) } while size < 0 && zmq_errno() == EINTR
      guard size >= 0 else {
        if zmq_errno() == EAGAIN && frames.isEmpty { return nil }
        throw .last(.receive)
      }
      if frames.count <= Self.maximumFrames {
        let bytes = UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message))
        frames.append([UInt8](bytes))
      }
      if zmq_msg_more(&message) == 0 { return Received(frames: frames, user: sender(of: &message)) }
    }
  }

  private func sender(of message: inout zmq_msg_t) -> String {
    guard let door else { return "" }
    door.heard(from: zmq_msg_get(&message, ZMQ_SRCFD))
    return zmq_msg_gets(&message, "User-Id").map { String(cString: $0) } ?? ""
  }

  /// From now on, closing keeps what is queued for peers that still read, for at most this long (else: not at all).
  package func linger(milliseconds: Int32) throws(ZeroMQError) {
    try set(ZMQ_LINGER, milliseconds)
  }

  private func set(_ option: Int32, _ value: Int32) throws(ZeroMQError) {
    var value = value
    guard zmq_setsockopt(handle, option, &value, MemoryLayout<Int32>.size) == 0 else { throw .last(.configure) }
  }

  private func set(_ option: Int32, _ text: String) throws(ZeroMQError) {
    guard zmq_setsockopt(handle, option, text, text.utf8.count) == 0 else { throw .last(.configure) }
  }

  /// IPv6 only where somebody asks for it: with it, libzmq's IPv4 sockets would listen on both.
  private func admit(_ endpoint: String) throws(ZeroMQError) {
    if endpoint.contains("[") { try set(ZMQ_IPV6, 1) }
  }

  private func lastEndpoint() throws(ZeroMQError) -> String {
    var text = [CChar](repeating: 0, count: 512)
    var length = text.count
    guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &text, &length) == 0 else { throw .last(.configure) }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
