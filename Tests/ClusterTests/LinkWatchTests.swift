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

  @Test
  mutating func `a handshake that is not opened again and again ends it, unless the right coordinator was there once`()
  {
    #expect(watch.handle(.notOpened) == nil)
    #expect(watch.handle(.notOpened) == nil)
    #expect(isGivenUp(watch.handle(.notOpened)))

    var other = LinkWatch(endpoint: "tcp://h:1", keyName: "lab2")
    #expect(other.handle(.established) == nil)
    for round in 0..<20 {
      let verdict = other.handle(.notOpened)
      #expect(!isGivenUp(verdict))
      // Said once, not every time.
      #expect((verdict == nil) == (round > 0))
    }
  }

  @Test mutating func `nobody there, a tunnel without an end, and too much to do are waited out`() {
    for event in [LinkEvent.hungUp, .putOff, .ended] {
      for _ in 0..<100 { #expect(!isGivenUp(watch.handle(event))) }
    }
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
