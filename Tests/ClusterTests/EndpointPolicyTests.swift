import Cluster
import Testing

@Suite struct EndpointPolicyTests {
  @Test(arguments: [
    "tcp://127.0.0.1:5555", "tcp://127.8.0.9:0", "tcp://[::1]:5555", "tcp://[0:0:0:0:0:0:0:1]:0", "ipc:///tmp/s",
    "ipc://r",
  ])
  func `addresses of this machine are allowed as they are`(endpoint: String) throws {
    #expect(try EndpointPolicy.check(endpoint) == endpoint)
  }

  @Test func `localhost becomes a number, because listening looks up no names`() throws {
    #expect(try EndpointPolicy.check("tcp://localhost:5555") == "tcp://127.0.0.1:5555")
  }

  private static let others = [
    "tcp://0.0.0.0:5555", "tcp://*:5555", "tcp://192.168.1.2:5555", "tcp://example.org:5555", "tcp://[::]:5555",
    "tcp://127.0.0.1.example.org:5555", "tcp://127.1:5555", "tcp://eth0:5555", "tcp://[2001:db8::7]:5555",
    "tcp://[::ffff:127.0.0.1]:5555", "tcp://[::1%lo]:5555", "tcp://[0::0]:5555",
  ]

  @Test(arguments: others)
  func `listening where others can reach it is refused, unless there are keys or somebody says so`(endpoint: String)
    throws
  {
    let error = try #require(#expect(throws: EndpointRefused.self) { try EndpointPolicy.check(endpoint) })
    #expect(error.description.hasPrefix("\(endpoint): others could reach this address, and without keys anybody"))
    #expect(error.description.contains("groksweep keys new NAME"))
    #expect(error.description.contains("--insecure"))
    #expect(!error.isMalformed)
    #expect(try EndpointPolicy.check(endpoint, .listening, .keys) == endpoint)
    #expect(try EndpointPolicy.check(endpoint, .listening, .insecure) == endpoint)
    #expect(EndpointPolicy.isExposed(endpoint, .insecure))
    #expect(!EndpointPolicy.isExposed(endpoint, .keys))
  }

  @Test(arguments: ["tcp://192.168.1.2:5555", "tcp://node-7.example.org:5555", "tcp://[fe80::1%eth0]:5555"])
  func `connecting to another machine needs a join file, or somebody who says so`(endpoint: String) throws {
    let error = try #require(#expect(throws: EndpointRefused.self) { try EndpointPolicy.check(endpoint, .connecting) })
    #expect(error.description.contains("--join FILE"))
    #expect(!error.isMalformed)
    #expect(try EndpointPolicy.check(endpoint, .connecting, .keys) == endpoint)
    #expect(try EndpointPolicy.check(endpoint, .connecting, .insecure) == endpoint)
    #expect(!EndpointPolicy.isExposed("tcp://127.0.0.1:5555", .insecure))
  }

  @Test(arguments: ["tcp://0.0.0.0:5555", "tcp://*:5555", "tcp://[::]:5555", "tcp://[0:0::0]:5555"])
  func `everywhere is no place to connect to`(endpoint: String) throws {
    let error = try #require(
      #expect(throws: EndpointRefused.self) { try EndpointPolicy.check(endpoint, .connecting, .keys) })
    #expect(error.description.contains("is no address to connect to"))
    #expect(error.isMalformed)
  }

  @Test func `port 0 is for listeners`() throws {
    let error = try #require(
      #expect(throws: EndpointRefused.self) { try EndpointPolicy.check("tcp://127.0.0.1:0", .connecting) })
    #expect(error.description.contains("nobody can listen on port 0"))
    #expect(error.isMalformed)
  }

  @Test(
    arguments: [
      ("127.0.0.1:5555", "is not an address"), ("udp://127.0.0.1:5555", "is not an address"),
      ("tcp://127.0.0.1", "names no port"), ("tcp://127.0.0.1:", "names no port"),
      ("tcp://127.0.0.1:70000", "names no port"), ("tcp://127.0.0.1:+5", "names no port"), ("ipc://", "names no path"),
      ("", "is not an address"), ("tcp://:5555", "has no host's name"), ("tcp://a b:5555", "has no host's name"),
      ("tcp://eth0;10.0.0.1:5555", "has no host's name"), ("tcp://2001:db8::7:5555", "has no host's name"),
      ("tcp://[lab2]:5555", "has no host's name"), ("tcp://[::1::]:5555", "has no host's name"),
    ])
  func `what is no address is named with what is missing`(endpoint: String, what: String) throws {
    for protection in [EndpointPolicy.Protection.nothing, .keys, .insecure] {
      let error = try #require(
        #expect(throws: EndpointRefused.self) { try EndpointPolicy.check(endpoint, .listening, protection) })
      #expect(error.description.contains(what))
      #expect(error.isMalformed)
    }
  }
}
