import Cluster
import Testing
import ZeroMQ

@Suite struct LinkWatchTests {
  private var watch = LinkWatch(endpoint: "tcp://h:1", keyName: "lab2")

  private func isGivenUp(_ verdict: LinkWatch.Verdict?) -> Bool { if case .giveUp = verdict { true } else { false } }

  @Test mutating func `a refused key ends it, also after it was let in`() {
    #expect(watch.handle(.established) == nil)
    #expect(watch.handle(.ended) == nil)
    #expect(isGivenUp(watch.handle(.refused)))
  }

  /// As many handshakes as make it certain, and then how whoever listens there greets.
  private func notOpened(_ watch: inout LinkWatch, greeting: Greeting?) -> LinkWatch.Verdict? {
    for _ in 0..<LinkWatch.failureLimit {
      #expect(!watch.wantsGreeting && watch.handle(.notOpened) == nil)
    }
    #expect(watch.wantsGreeting)
    return watch.handle(greeting: greeting)
  }

  @Test(arguments: [Greeting.zeroMQ(mechanism: "CURVE"), nil])
  mutating func `a handshake that is not opened again and again ends it, unless the right coordinator was there once`(
    greeting: Greeting?
  ) {
    #expect(isGivenUp(notOpened(&watch, greeting: greeting)))

    var other = LinkWatch(endpoint: "tcp://h:1", keyName: "lab2")
    #expect(other.handle(.established) == nil)
    for round in 0..<20 {
      let verdict = notOpened(&other, greeting: greeting)
      #expect(!isGivenUp(verdict))
      // Said once, not every time.
      #expect((verdict == nil) == (round > 0))
    }
  }

  @Test(
    arguments: [
      Greeting.otherwise("HTTP/1.1 400 Bad Request"), .silent, .hungUp, .zeroMQ(mechanism: "PLAIN"),
    ], ["lab2", nil])
  func `what is no coordinator is said to be none, once, and waited out`(greeting: Greeting, key: String?) {
    var watch = LinkWatch(endpoint: "tcp://h:1", keyName: key)
    guard case .unreached(let words, _)? = notOpened(&watch, greeting: greeting) else {
      Issue.record("nothing is said")
      return
    }
    #expect(words.hasPrefix("what listens at h:1 ") && !words.contains("key"), "\(words)")
    for _ in 0..<20 { #expect(notOpened(&watch, greeting: greeting) == nil) }
    // The coordinator is started at last, and goes again.
    #expect(watch.handle(.established) == nil)
    #expect(notOpened(&watch, greeting: greeting) != nil)
  }

  @Test func `without a key, a coordinator that greets with keys ends it, and other ZeroMQ does not`() {
    var watch = LinkWatch(endpoint: "tcp://h:1", keyName: nil)
    guard case .unreached(let words, _)? = notOpened(&watch, greeting: .zeroMQ(mechanism: "NULL")) else {
      Issue.record("nothing is said")
      return
    }
    #expect(words == "what listens at h:1 speaks ZeroMQ, but not as a coordinator does")
    guard case .giveUp(let others)? = notOpened(&watch, greeting: .zeroMQ(mechanism: "CURVE")) else {
      Issue.record("not given up")
      return
    }
    #expect(others.contains("asks for a key"))
  }

  @Test mutating func `nobody there, a tunnel without an end, and too much to do are waited out`() {
    for event in [LinkEvent.hungUp, .putOff, .ended] {
      for _ in 0..<100 { #expect(!isGivenUp(watch.handle(event))) }
    }
    #expect(watch.wantsGreeting)
    #expect(watch.handle(greeting: .hungUp) != nil)
    #expect(watch.handle(.hungUp) == nil && watch.handle(greeting: .hungUp) == nil)
  }

  @Test mutating func `why nobody is reached is said once, and again when it is something else or after a connection`()
  {
    #expect(watch.handle(reach: .refused) == .unreached("cannot reach h:1 (refused)", advice: Reach.refused.advice))
    for _ in 0..<20 { #expect(watch.handle(reach: .refused) == nil) }
    #expect(watch.handle(reach: .timedOut) != nil)
    #expect(watch.handle(reach: .reached(isIPv6: false)) == nil)
    #expect(watch.handle(reach: .refused) != nil)
    #expect(watch.handle(.established) == nil)
    #expect(watch.handle(reach: .refused) != nil)
  }

  @Test func `no keys where there should be, and the reverse, end it with what to do`() {
    var (with, without) = (watch, LinkWatch(endpoint: "tcp://h:1", keyName: nil))
    guard case .giveUp(let words)? = with.handle(.otherMechanism),
      case .giveUp(let others)? = without.handle(.otherMechanism)
    else {
      Issue.record("not given up")
      return
    }
    #expect(words.contains("uses no keys") && words.contains("nothing was sent"))
    #expect(others.contains("asks for a key; give --join FILE"))
  }
}
