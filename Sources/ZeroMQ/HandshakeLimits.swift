// How much strangers may cost: token buckets for their handshakes and for the lines that the log spends on them. Pure
// values; the time comes in as seconds of any clock that only goes forward.

/// What a door allows to those whom it does not know yet.
package struct DoorLimits: Hashable, Sendable {
  /// Connections that have not finished their handshake; of more, the oldest of the address that has most is cut.
  package var pendingConnections = 256
  /// Bytes that a connection may send before its handshake is through; an honest one needs about 600.
  package var pendingBytes: Int64 = 64 << 10
  /// Refusals of unknown keys a second, of all addresses together and of one, and how many at once. Those beyond are
  /// put off: the client tries again by itself.
  package var strangers = Rate(perSecond: 20, burst: 100)
  package var strangersOfOneAddress = Rate(perSecond: 1, burst: 20)
  /// Admissions a second of known keys. They have a bucket of their own, so no crowd of strangers keeps them out; it is
  /// large enough for a thousand workers that come back at once.
  package var known = Rate(perSecond: 500, burst: 2000)
  /// Lines of one kind at once, and how soon there may be another.
  package var lines = Rate(perSecond: 0.1, burst: 5)

  package init() {}

  package struct Rate: Hashable, Sendable {
    package var perSecond: Double
    package var burst: Double
    package init(perSecond: Double, burst: Double) {
      self.perSecond = perSecond
      self.burst = burst
    }
  }
}

struct TokenBucket {
  private let rate: DoorLimits.Rate
  private var tokens: Double
  private var last: Double

  init(_ rate: DoorLimits.Rate, now: Double) {
    self.rate = rate
    tokens = rate.burst
    last = now
  }

  mutating func take(now: Double) -> Bool {
    tokens = min(rate.burst, tokens + max(0, now - last) * rate.perSecond)
    last = max(last, now)
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }
}

struct HandshakeLimits {
  private static let mostAddresses = 1024
  private let limits: DoorLimits
  private var known: TokenBucket
  private var strangers: TokenBucket
  /// Least recently seen first.
  private var addresses: [(address: String, bucket: TokenBucket)] = []

  init(_ limits: DoorLimits, now: Double) {
    self.limits = limits
    known = TokenBucket(limits.known, now: now)
    strangers = TokenBucket(limits.strangers, now: now)
  }

  mutating func admitsKnown(now: Double) -> Bool { known.take(now: now) }

  mutating func answersStranger(at address: String, now: Double) -> Bool {
    var bucket = TokenBucket(limits.strangersOfOneAddress, now: now)
    if let place = addresses.firstIndex(where: { $0.address == address }) {
      bucket = addresses.remove(at: place).bucket
    } else if addresses.count >= Self.mostAddresses {
      addresses.removeFirst()
    }
    // Its own bucket first: one address that asks too often takes nothing from the others.
    let isAnswered = bucket.take(now: now) && strangers.take(now: now)
    addresses.append((address: address, bucket: bucket))
    return isAnswered
  }
}

/// A line for the log about somebody at the door. Prints as a sentence, without a full stop.
package struct DoorNote: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Int, Hashable, Sendable, CaseIterable {
    /// Refused by the authenticator: unknown, revoked.
    case refused
    /// Put off: too many handshakes.
    case busy
    /// It does not speak CURVE where keys are used, or does where none are.
    case otherMechanism
    case garbage
    /// A handshake that this server's key does not open: another server key, or bytes played again.
    case sealed
    /// Bytes of a standing connection that are not its next message: changed, or played again.
    case tampered
    case protocolError
    /// It did not finish its handshake in time.
    case silent
    case hungUp
    /// Cut to make room for others, or for sending much before saying who it is.
    case crowded
    /// The door itself: nobody new gets in until it is mended.
    case trouble
  }

  package let kind: Kind
  package let text: String
  package var description: String { text }
}

/// Lets through some lines of each kind and counts the others.
struct LineLimiter {
  private var buckets: [TokenBucket]
  private var omitted: [Int]

  init(_ rate: DoorLimits.Rate, now: Double) {
    buckets = DoorNote.Kind.allCases.map { _ in TokenBucket(rate, now: now) }
    omitted = buckets.map { _ in 0 }
  }

  mutating func pass(_ note: DoorNote, now: Double) -> DoorNote? {
    guard buckets[note.kind.rawValue].take(now: now) else {
      omitted[note.kind.rawValue] += 1
      return nil
    }
    let others = omitted[note.kind.rawValue]
    omitted[note.kind.rawValue] = 0
    return others == 0 ? note : DoorNote(kind: note.kind, text: "\(note.text) (and \(others) more like it)")
  }

  /// A line for each kind of which some were left out, as soon as there may be one again.
  mutating func summaries(now: Double) -> [DoorNote] {
    DoorNote.Kind.allCases.compactMap { kind in
      let count = omitted[kind.rawValue]
      guard count > 0, buckets[kind.rawValue].take(now: now) else { return nil }
      omitted[kind.rawValue] = 0
      return DoorNote(kind: kind, text: "\(count) more connections were turned away: \(kind.summary)")
    }
  }

  var hasOmitted: Bool { omitted.contains { $0 > 0 } }
}

extension DoorNote.Kind {
  fileprivate var summary: String {
    switch self {
    case .refused: "unknown or revoked keys"
    case .busy: "too many handshakes"
    case .otherMechanism: "not the encryption that is spoken here"
    case .garbage: "not ZeroMQ"
    case .sealed: "another server key, or bytes played again"
    case .tampered: "messages that were changed or played again"
    case .protocolError: "broken protocol"
    case .silent: "no handshake in time"
    case .hungUp: "they hung up during the handshake"
    case .crowded: "too many at once that had not said who they are"
    case .trouble: "the door itself is in trouble"
    }
  }
}
