// When to stop trying. A coordinator that is away comes back, so nobody gives up on one; but a key that is refused stays
// refused, and another coordinator's address stays wrong, and then words help more than another try. A program that is no
// coordinator may have its port for a while only, so that is said and waited out. A pure value: it is told of a monitor's
// events and decides.

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

  /// Handshakes in a row that the other side could not open, after which it is another coordinator for certain, if it
  /// is one at all.
  package static let failureLimit = 3

  private let endpoint: String
  /// The name of our key; nil without one.
  private let keyName: String?
  private var failures = 0
  private var lastRemark: LinkEvent?
  private var lastReach: Reach?
  private var lastGreeting: Greeting?
  /// Whether whoever listens there has to be asked for its greeting before anything can be said of it.
  package private(set) var wantsGreeting = false
  /// Whether the right coordinator was there once: then it is waited for, whoever has its address in the meantime.
  private var wasEstablished = false

  package init(endpoint: String, keyName: String?) {
    self.endpoint = endpoint
    self.keyName = keyName
  }

  package mutating func handle(_ event: LinkEvent) -> Verdict? {
    switch event {
    case .established:
      (failures, lastRemark, lastReach, lastGreeting) = (0, nil, nil, nil)
      (wantsGreeting, wasEstablished) = (false, true)
      return nil
    case .ended:
      lastRemark = nil
      return nil
    case .refused: return .giveUp(refusal)
    case .otherMechanism: return failed(event, otherMechanism)
    case .notOpened:
      failures += 1
      if failures >= Self.failureLimit { wantsGreeting = true }
      return nil
    case .hungUp:
      wantsGreeting = true
      return nil
    case .putOff:
      return remark(event, "the coordinator at \(endpoint) puts this key off for now; trying on")
    }
  }

  /// Said once, and again when the reason is another one.
  package mutating func handle(reach: Reach) -> Verdict? {
    guard lastReach != reach else { return nil }
    (lastReach, lastGreeting) = (reach, nil)
    if case .reached = reach { return nil }
    return .unreached("cannot reach \(place) (\(reach.name))", advice: reach.advice)
  }

  /// How whoever listens there greets; nil where that cannot be asked. Only one that greets as ZeroMQ does is given up.
  package mutating func handle(greeting: Greeting?) -> Verdict? {
    let isCertain = failures >= Self.failureLimit
    wantsGreeting = false
    if isCertain { failures = 0 }
    if let greeting, let trouble = greeting.trouble(at: place) {
      return unreached(greeting, trouble.says, advice: trouble.fix)
    }
    switch greeting {
    case .zeroMQ(mechanism: "NULL")? where keyName == nil:
      guard isCertain else { return nil }
      return unreached(
        greeting!, "what listens at \(place) speaks ZeroMQ, but not as a coordinator does",
        advice: "check the port: it belongs to another program")
    case .zeroMQ(mechanism: "NULL")?: return failed(.otherMechanism, otherMechanism)
    default:
      guard isCertain else {
        return greeting == nil ? remark(.hungUp, "\(endpoint) takes the connection and ends it; trying on") : nil
      }
      // Without a key of ours, one side may hang up before the other has said that it wants one.
      return failed(.notOpened, keyName == nil ? otherMechanism : otherKey)
    }
  }

  private mutating func unreached(_ greeting: Greeting, _ words: String, advice: String) -> Verdict? {
    guard lastGreeting != greeting else { return nil }
    (lastReach, lastGreeting) = (nil, greeting)
    return .unreached(words, advice: advice)
  }

  private var place: String { TCPPlace(endpoint).map { "\($0)" } ?? endpoint }

  private mutating func failed(_ event: LinkEvent, _ words: String) -> Verdict? {
    wasEstablished ? remark(event, "\(words). Waiting for the right one") : .giveUp(words)
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
