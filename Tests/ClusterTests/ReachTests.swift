import Cluster
import Foundation
import Sweeps
import Testing
import ZeroMQ

@Suite struct ReachTests {
  private func reach(_ endpoint: String) throws -> Reach {
    Reach.probe(try #require(TCPPlace(endpoint)), seconds: 2)
  }

  @Test func `a port that somebody listens on is reached, and one that nobody listens on is refused`() throws {
    let context = try Context()
    let real: String
    do {
      let router = try Socket(behind: Door(openIn: context, note: { _ in }))
      real = try router.bind("tcp://127.0.0.1:0")
      #expect(try reach(real) == .reached(isIPv6: false))
    }
    #expect(try waited { try reach(real) == .refused })
  }

  @Test func `an IPv6 address in brackets is bound, reached and connected to`() throws {
    let context = try Context()
    let router = try Socket(behind: Door(openIn: context, note: { _ in }))
    let real = try router.bind("tcp://[::1]:0")
    #expect(real.hasPrefix("tcp://[::1]:"))
    #expect(try reach(real) == .reached(isIPv6: true))
    try carries(router, from: real)
  }

  @Test func `listening everywhere in IPv6 takes connections of IPv4 too`() throws {
    let context = try Context()
    let router = try Socket(behind: Door(openIn: context, note: { _ in }))
    let port = try RawPeer.port(of: try router.bind("tcp://[::]:0"))
    try carries(router, from: "tcp://[::1]:\(port)")
    try carries(router, from: "tcp://127.0.0.1:\(port)")
  }

  @Test func `an unknown name is said to be one`() throws {
    // Reserved to be unknown (RFC 6761); where there is no name service at all, that is said.
    #expect([.nameUnknown, .nameUnanswered].contains(try reach("tcp://no-such-machine.invalid:5555")))
  }

  @Test(arguments: [
    ("tcp://lab2:5555", "lab2", true, "lab2:5555"), ("tcp://192.0.2.7:1", "192.0.2.7", false, "192.0.2.7:1"),
    ("tcp://[2001:db8::7]:65535", "2001:db8::7", false, "[2001:db8::7]:65535"),
  ])
  func `host and port are found in an address`(endpoint: String, host: String, isName: Bool, words: String) throws {
    let place = try #require(TCPPlace(endpoint))
    #expect(place.host == host && place.isName == isName && "\(place)" == words)
    #expect(TCPPlace("ipc:///tmp/x") == nil)
  }

  @Test func `a join file carries an address in brackets`() throws {
    let folder = "/tmp/gst-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let join = JoinFile(
      name: "lab2", role: .worker, keys: try .generate(), server: try CurveKeyPair.generate().publicKey,
      address: "tcp://[2001:db8::7]:5555")
    try join.write(to: folder + "/lab2.join")
    #expect(try JoinFile(path: folder + "/lab2.join") == join)
  }

  private func carries(_ router: Socket, from endpoint: String) throws {
    let dealer = try Socket(Context(), .dealer)
    try dealer.connect(endpoint)
    #expect(try waited { try dealer.send([[1]]) == .queued })
    #expect(try waited { try router.receive() != nil })
  }

  private func waited(_ condition: () throws -> Bool) throws -> Bool {
    let deadline = ContinuousClock.now + Fixture.patience
    while ContinuousClock.now < deadline {
      if try condition() { return true }
      try Poller.wait([], timeout: .milliseconds(5))
    }
    return false
  }
}
