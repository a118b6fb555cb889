import Dashboard
import Testing

@Suite struct ListenAddressTests {
  @Test(arguments: ["127.0.0.1:8080", "[::1]:0", "localhost:9000", "127.9.9.9:1"])
  func `only this machine reaches a loopback address`(_ text: String) throws {
    #expect(try #require(ListenAddress(text)).isLoopback)
  }

  @Test(arguments: ["0.0.0.0:8080", "[::]:8080", "192.168.1.4:80", "[fe80::1]:80"])
  func `others reach every other address`(_ text: String) throws {
    #expect(try #require(ListenAddress(text)).isLoopback == false)
  }

  @Test(arguments: [
    "", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "::1:80",
    "[::1:80", "example.org:80", "configs/quickstart.yaml", "127.0.0.1:80/x", "127.1:80",
  ])
  func `what is no address and port is refused`(_ text: String) {
    #expect(ListenAddress(text) == nil)
  }
}
