// Who knocks, and what becomes of them: the events of a listening socket's monitor, put together into lines for people
// and into connections to cut. A pure value; the door's thread feeds it.
//
// libzmq's events are terse: ACCEPTED and DISCONNECTED name a descriptor, failures only why. They all come from libzmq's
// one I/O thread, and a failure comes just before the DISCONNECTED of its connection, so the two belong together. A
// handshake that succeeds names nobody at all: whose it was is known when its first message comes.

import CZeroMQ
import Foundation

/// An event of a socket's monitor.
enum MonitorEvent: Hashable {
  case accepted(Int32)
  case connected(Int32)
  /// The errno.
  case failed(Int32)
  /// One of ZMQ_PROTOCOL_ERROR_….
  case failedProtocol(Int32)
  /// The authenticator's code: 300, 400 or 500.
  case failedAuthentication(Int)
  case succeeded
  case disconnected(Int32)
  /// It will be tried again.
  case retried
  case other

  init(_ frames: [[UInt8]]) {
    guard let first = frames.first, first.count == 6 else {
      self = .other
      return
    }
    let event = Int32(first[0]) | Int32(first[1]) << 8
    let value = Int32(truncatingIfNeeded: first[2..<6].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    self =
      switch event {
      case ZMQ_EVENT_ACCEPTED: .accepted(value)
      case ZMQ_EVENT_CONNECTED: .connected(value)
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: .failed(value)
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: .failedProtocol(value)
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: .failedAuthentication(Int(value))
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .succeeded
      case ZMQ_EVENT_DISCONNECTED: .disconnected(value)
      case ZMQ_EVENT_CONNECT_RETRIED, ZMQ_EVENT_CONNECT_DELAYED: .retried
      default: .other
      }
  }
}

struct DoorWatch {
  enum Act: Hashable {
    case note(DoorNote)
    /// Shut this descriptor if it still is the connection to `address`.
    case cut(Int32, address: String?)
  }

  private struct Peer {
    /// `192.0.2.7:40112`; nil when it had gone before it could be asked.
    var address: String?
    var since: Double
    var isCut = false
  }

  private let limits: DoorLimits
  private let handshakeSeconds: Double
  private let hasKeys: Bool
  /// By descriptor, open connections.
  private var peers: [Int32: Peer] = [:]
  /// Those of them that may not have finished their handshake, oldest first.
  private var pending: [Int32] = []
  /// Handshakes that succeeded and whose first message has not come.
  private var mute = 0
  private var failure: MonitorEvent?
  /// Addresses (without port) that the authenticator sent away and that have not hung up yet, oldest first.
  private var sentAway: [String] = []

  init(limits: DoorLimits, handshakeSeconds: Double, hasKeys: Bool) {
    self.limits = limits
    self.handshakeSeconds = handshakeSeconds
    self.hasKeys = hasKeys
  }

  var hasPending: Bool { !pending.isEmpty }

  /// The authenticator refused somebody at `address` and has said so.
  mutating func refused(at address: String) {
    if sentAway.count >= 256 { sentAway.removeFirst() }
    sentAway.append(address)
  }

  /// - Parameter hasSpoken: whether a message came from a descriptor: then its handshake is through.
  mutating func handle(
    _ event: MonitorEvent, address: String?, now: Double, hasSpoken: (Int32) -> Bool
  ) -> [Act] {
    switch event {
    case .accepted(let descriptor):
      peers[descriptor] = Peer(address: address, since: now)
      pending.removeAll { $0 == descriptor }
      pending.append(descriptor)
      return review(now: now, hasSpoken: hasSpoken)
    case .failed, .failedProtocol:
      failure = event
      return []
    case .succeeded:
      mute += 1
      return []
    case .disconnected(let descriptor):
      defer { failure = nil }
      return ended(descriptor, hasSpoken(descriptor)).map { [.note($0)] } ?? []
    case .failedAuthentication, .connected, .retried, .other: return []
    }
  }

  /// Forgets those that are through, and makes room. After each new connection, and now and then.
  ///
  /// - Parameter bytes: what a connection has sent so far; nil where that is unknown.
  mutating func review(
    now: Double, bytes: (Int32) -> Int64? = { _ in nil }, hasSpoken: (Int32) -> Bool
  ) -> [Act] {
    let before = pending.count
    pending.removeAll(where: hasSpoken)
    mute = max(0, mute - (before - pending.count))
    // libzmq cuts whoever takes longer: what still stands a while later is through.
    pending.removeAll { now - peers[$0, default: Peer(since: 0)].since > handshakeSeconds + 2 }
    mute = min(mute, pending.count)
    var acts: [Act] = []
    // While somebody's handshake is through and its message on the way, nobody knows whose bytes these are.
    if mute == 0 {
      for descriptor in pending where (bytes(descriptor) ?? 0) > limits.pendingBytes {
        acts += cut(descriptor, "it sent more than \(limits.pendingBytes >> 10) KiB without saying who it is")
      }
    }
    while pending.count - mute > limits.pendingConnections, let victim = oldestOfTheMost {
      acts += cut(
        victim, "more than \(limits.pendingConnections) connections had not said who they are, most of them from there")
    }
    return acts
  }

  private mutating func cut(_ descriptor: Int32, _ why: String) -> [Act] {
    pending.removeAll { $0 == descriptor }
    guard let peer = peers[descriptor] else { return [] }
    peers[descriptor]?.isCut = true
    return [
      .note(DoorNote(kind: .crowded, text: "cut off \(name(of: peer)): \(why)")),
      .cut(descriptor, address: peer.address),
    ]
  }

  /// Of the address with most pending connections, the oldest: a crowd pays for itself, and who has only just come has
  /// time for its handshake.
  private var oldestOfTheMost: Int32? {
    let hosts = pending.map { DoorWatch.host(of: peers[$0]?.address) }
    var counts: [String: Int] = [:]
    for host in hosts { counts[host, default: 0] += 1 }
    let most = hosts.map { counts[$0]! }.max()
    return hosts.firstIndex { counts[$0] == most }.map { pending[$0] }
  }

  private mutating func ended(_ descriptor: Int32, _ hasSpoken: Bool) -> DoorNote? {
    let wasPending = pending.contains(descriptor)
    pending.removeAll { $0 == descriptor }
    guard let peer = peers.removeValue(forKey: descriptor), !peer.isCut else { return nil }
    let isThrough = hasSpoken || !wasPending
    if wasPending && hasSpoken { mute = max(0, mute - 1) }
    switch failure {
    case .failed(EAGAIN)?:
      return note(.silent, peer, "it did not say who it is within \(Int(handshakeSeconds.rounded())) seconds")
    case .failed?: return note(.hungUp, peer, "it hung up before it said who it is")
    case .failedProtocol(let code)?: return broken(code, peer, isThrough)
    default: break
    }
    if isThrough { return nil }
    let host = DoorWatch.host(of: peer.address)
    if let place = sentAway.firstIndex(of: host) {
      sentAway.remove(at: place)
      return nil
    }
    if mute > 0 {
      // It was let in and left without a word, as far as can be told.
      mute -= 1
      return nil
    }
    return note(.garbage, peer, "what it sent is not ZeroMQ")
  }

  private func broken(_ code: Int32, _ peer: Peer, _ isThrough: Bool) -> DoorNote {
    switch code {
    case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
      note(
        .otherMechanism, peer,
        hasKeys
          ? "it does not speak with keys; a worker needs --join FILE" : "it speaks with keys, and none are used here")
    case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC where !isThrough:
      note(
        .sealed, peer,
        "its handshake is sealed for another key than this coordinator's, or is another connection's played again")
    case ZMQ_PROTOCOL_ERROR_ZMTP_UNSPECIFIED where hasKeys && !isThrough:
      note(
        .sealed, peer, "its handshake does not answer this coordinator's: it is another connection's played again")
    case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC, ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE:
      note(.tampered, peer, "its connection carried a message that was changed or played again")
    default:
      note(.protocolError, peer, "it broke the protocol (0x\(String(UInt32(bitPattern: code), radix: 16)))")
    }
  }

  private func note(_ kind: DoorNote.Kind, _ peer: Peer, _ why: String) -> DoorNote {
    DoorNote(kind: kind, text: "turned away \(name(of: peer)): \(why)")
  }

  private func name(of peer: Peer) -> String { peer.address ?? "somebody (who had gone before saying from where)" }

  /// As the authenticator knows it: without port and brackets.
  static func host(of address: String?) -> String {
    guard let address, let colon = address.lastIndex(of: ":") else { return address ?? "" }
    return address[..<colon].filter { $0 != "[" && $0 != "]" }
  }
}
