// When to stop trying. A coordinator that is away comes back, so nobody gives up on one; but a key that is refused stays
// refused, and another coordinator's address stays wrong, and then words help more than another try. A pure value: it is
// told of a monitor's events and decides.

import ZeroMQ

package struct LinkWatch {
  package enum Verdict: Hashable, Sendable {
    /// For people; go on.
    case remark(String)
    /// `cannot reach HOST:PORT (refused)`, and what to look at. Go on.
    case unreached(String, advice: String)
    /// Stop, with exit code 77 and these words.
    case giveUp(String)
  }

  /// Handshakes in a row that the other side could not open, after which it is another coordinator for certain.
  package static let failureLimit = 3

  private let endpoint: String
  /// The name of our key; nil without one.
  private let keyName: String?
  private var failures = 0
  private var lastRemark: LinkEvent?
  private var lastReach: Reach?
  /// Whether the right coordinator was there once: then it is waited for, whoever has its address in the meantime.
  private var wasEstablished = false

  package init(endpoint: String, keyName: String?) {
    self.endpoint = endpoint
    self.keyName = keyName
  }

  package mutating func handle(_ event: LinkEvent) -> Verdict? {
    switch event {
    case .established:
      (failures, lastRemark, lastReach, wasEstablished) = (0, nil, nil, true)
      return nil
    case .ended:
      lastRemark = nil
      return nil
    case .refused: return .giveUp(refusal)
    case .otherMechanism: return failed(event, otherMechanism, isCertain: true)
    case .notOpened:
      failures += 1
      // Without a key of ours, one side may hang up before the other has said that it wants one.
      return failed(event, keyName == nil ? otherMechanism : otherKey, isCertain: failures >= Self.failureLimit)
    case .hungUp:
      return remark(
        event, "\(endpoint) takes the connection and ends it, as a tunnel without a coordinator does; trying on")
    case .putOff:
      return remark(event, "the coordinator at \(endpoint) puts this key off for now; trying on")
    }
  }

  /// Said once, and again when the reason is another one.
  package mutating func handle(reach: Reach) -> Verdict? {
    guard lastReach != reach else { return nil }
    lastReach = reach
    if case .reached = reach { return nil }
    let place = TCPPlace(endpoint).map { "\($0)" } ?? endpoint
    return .unreached("cannot reach \(place) (\(reach.name))", advice: reach.advice)
  }

  private mutating func failed(_ event: LinkEvent, _ words: String, isCertain: Bool) -> Verdict? {
    guard !wasEstablished else { return remark(event, "\(words). Waiting for the right one") }
    return isCertain ? .giveUp(words) : nil
  }

  private mutating func remark(_ event: LinkEvent, _ words: String) -> Verdict? {
    guard lastRemark != event else { return nil }
    lastRemark = event
    return .remark(words)
  }

  private var refusal: String {
    let key = keyName.map { "the key \"\($0)\"" } ?? "this connection"
    return "the coordinator at \(endpoint) does not let \(key) in: it is not known there, or was revoked. "
      + "Ask for a new join file (groksweep keys new NAME)"
  }

  private var otherKey: String {
    "what listens at \(endpoint) has another key than the join file says: it is another coordinator, or its keys were made "
      + "anew. Check the address, or ask for a new join file"
  }

  private var otherMechanism: String {
    keyName == nil
      ? "the coordinator at \(endpoint) asks for a key; give --join FILE (made there with groksweep keys new NAME)"
      : "what listens at \(endpoint) uses no keys, so it cannot be known to be the right coordinator, and nothing was sent. "
        + "Start the coordinator with --keys, or leave out --join and say --insecure"
  }
}
