// Who may say what: asked for every single message that a coordinator receives. A key that is revoked while its connection
// stands is refused from the next frame on.

import Logging
import Sweeps
import ZeroMQ

/// Belongs to the coordinator's thread.
struct Gate {
  enum Verdict: Hashable {
    /// `key` is the name of the sender's key, "" where no keys are used; then everybody may say everything.
    case admitted(key: String, Role?)
    /// Tell the peer, in these words.
    case refused(reason: String)
    /// Do as if nothing had come.
    case ignored
  }

  private static let mostTold = 4096
  /// How often one peer is told. A worker that was welcome asks once more whether it is meant.
  private static let mostTimes = 4
  private let keys: Keys?
  private let logger: Logger
  /// Peers that were told to go, oldest first, and how often.
  private var told: [(peer: [UInt8], times: Int)] = []

  /// - Parameter keys: nil lets everybody in.
  init(keys: Keys?, logger: Logger) {
    self.keys = keys
    self.logger = logger
  }

  /// - Parameters:
  ///   - user: the User-Id of the message: the public key with which its connection was made.
  ///   - peer: its routing id.
  mutating func judge(user: String, peer: [UInt8]) -> Verdict {
    guard let keys else { return .admitted(key: "", nil) }
    switch keys.standing(of: user) {
    case .valid(let card): return .admitted(key: card.name, card.role)
    case .revoked(let card):
      return turnAway(peer, "\(card.title)", "its key was revoked on \(card.revoked ?? "")")
    case .unknown: return turnAway(peer, "key \(user.prefix(8))…", "its key is not known here any more")
    case .unclear: return .ignored
    }
  }

  /// A message that its sender's role does not permit, in words for both sides.
  func complaint(about message: InboundMessage, from key: String, _ role: Role) -> String {
    switch message {
    case .worker: "the key \"\(key)\" is a key of \(role.title), and only a worker may take points"
    case .request:
      "the key \"\(key)\" is a key of \(role.title); "
        + (role == .reader ? "a reader may ask for status and explain only" : "an operator's key is needed for that")
    }
  }

  private mutating func turnAway(_ peer: [UInt8], _ who: String, _ why: String) -> Verdict {
    if let place = told.firstIndex(where: { $0.peer == peer }) {
      guard told[place].times < Self.mostTimes else { return .ignored }
      told[place].times += 1
      return .refused(reason: why)
    }
    if told.count >= Self.mostTold { told.removeFirst() }
    told.append((peer: peer, times: 1))
    logger.warning("\(who) is sent away while connected: \(why)")
    return .refused(reason: why)
  }
}

extension Keys {
  /// For a door: the User-Id is the public key itself, so that a name given anew can never stand for an old key.
  func admission(_ key: CurveKey, from address: String) -> Admission {
    switch standing(of: key.text) {
    case .valid: .allowed(user: key.text)
    case .revoked(let card): .refused(who: card.title, reason: "it was revoked on \(card.revoked ?? "")")
    case .unknown: .refused(who: "key \(key)", reason: "it is not known here")
    case .unclear(let why): .putOff(reason: why)
    }
  }
}
