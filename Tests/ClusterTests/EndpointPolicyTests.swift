import Cluster
import Testing

@Suite struct EndpointPolicyTests {
  @Test(arguments: ["tcp://127.0.0.1:5555", "tcp://127.8.0.9:0", "tcp://[::1]:5555", "ipc:///tmp/s", "ipc://relative"])
  func `addresses of this machine are allowed as they are`(endpoint: String) throws {
    #expect(try EndpointPolicy.check(endpoint) == endpoint)
  }

  @Test func `localhost becomes a number, because listening looks up no names`() throws {
    #expect(try EndpointPolicy.check("tcp://localhost:5555") == "tcp://127.0.0.1:5555")
  }

  @Test(
    arguments: [
      "tcp://0.0.0.0:5555", "tcp://*:5555", "tcp://192.168.1.2:5555", "tcp://example.org:5555", "tcp://[::]:5555",
      "tcp://127.0.0.1.example.org:5555", "tcp://127.1:5555", "tcp://eth0:5555",
    ])
  func `any other address is refused until the connection is encrypted`(endpoint: String) throws {
    let error = try #require(#expect(throws: EndpointRefused.self) { try EndpointPolicy.check(endpoint) })
    #expect(error.description.hasPrefix("\(endpoint): only this machine's own addresses"))
    #expect(error.description.contains("encryption comes with a later version"))
    #expect(error.description.contains("ssh"))
    #expect(!error.isMalformed)
  }

  @Test func `port 0 is for listeners`() throws {
    let error = try #require(
      #expect(throws: EndpointRefused.self) { try EndpointPolicy.check("tcp://127.0.0.1:0", isConnecting: true) })
    #expect(error.description.contains("nobody can listen on port 0"))
    #expect(error.isMalformed)
  }

  @Test(
    arguments: [
      ("127.0.0.1:5555", "is not an address"), ("udp://127.0.0.1:5555", "is not an address"),
      ("tcp://127.0.0.1", "names no port"), ("tcp://127.0.0.1:", "names no port"),
      ("tcp://127.0.0.1:70000", "names no port"), ("tcp://127.0.0.1:+5", "names no port"), ("ipc://", "names no path"),
      ("", "is not an address"),
    ])
  func `what is no address is named with what is missing`(endpoint: String, what: String) throws {
    let error = try #require(#expect(throws: EndpointRefused.self) { try EndpointPolicy.check(endpoint) })
    #expect(error.description.contains(what))
  }
}
