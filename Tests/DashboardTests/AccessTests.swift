// Who may look, decided without a server.

import Dashboard
import Testing

@Suite struct AccessTests {
  private let local = Access(ListenAddress("127.0.0.1:8080")!, token: nil)
  private let open = Access(ListenAddress("0.0.0.0:8080")!, token: String(repeating: "a", count: 64))

  @Test(arguments: ["127.0.0.1:8080", "localhost:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "127.0.0.1:9999"])
  func `on loopback its own names lead in, through a tunnel's port too`(_ host: String) {
    #expect(local.verdict(host: host, cookies: nil, given: nil) == .granted)
  }

  @Test(arguments: [
    "example.org", "example.org:8080", "127.0.0.1.example.org", "localhost.example.org:8080", "", "192.168.0.1:8080",
    "example.org:8080@127.0.0.1", "127.0.0.1:8080.example.org",
  ])
  func `on loopback another name is another site's`(_ host: String) {
    #expect(local.verdict(host: host, cookies: nil, given: nil) == .refused(.foreignHost))
  }

  @Test func `a request without a host is refused on loopback`() {
    #expect(local.verdict(host: nil, cookies: nil, given: nil) == .refused(.foreignHost))
  }

  @Test func `the token leads in once by the address, and by a cookie from then on`() throws {
    #expect(open.verdict(host: "lab:8080", cookies: nil, given: nil) == .refused(.noToken))
    let token = try #require(open.token)
    guard case .signedIn(let cookie) = open.verdict(host: "lab:8080", cookies: nil, given: token) else {
      Issue.record("the right token was refused")
      return
    }
    for word in ["HttpOnly", "SameSite=Lax", "Path=/"] { #expect(cookie.contains(word)) }
    let kept = String(cookie.prefix { $0 != ";" })
    #expect(open.verdict(host: "lab:8080", cookies: "other=1; \(kept)", given: nil) == .granted)
  }

  @Test func `the address to be opened is one that a browser can open`() {
    #expect(local.url == "http://127.0.0.1:8080/")
    #expect(!open.url.contains("0.0.0.0") && open.url.contains(":8080/?token=aaaa"))
  }

  @Test(arguments: ["", "a", String(repeating: "b", count: 64), String(repeating: "a", count: 65)])
  func `any other token is refused`(_ wrong: String) {
    #expect(open.verdict(host: "lab:8080", cookies: nil, given: wrong) == .refused(.wrongToken))
    #expect(open.verdict(host: "lab:8080", cookies: "groksweep-8080=\(wrong)", given: nil) == .refused(.wrongToken))
  }

  @Test func `another dashboard's cookie on the same machine is not this one's`() {
    let cookie = "groksweep-8081=\(String(repeating: "a", count: 64))"
    #expect(open.verdict(host: "lab:8080", cookies: cookie, given: nil) == .refused(.noToken))
  }

  @Test func `new tokens are 64 hexadecimal digits, and never the same`() {
    let tokens = (0..<100).map { _ in Access.newToken() }
    #expect(Set(tokens).count == 100)
    for token in tokens {
      #expect(token.utf8.count == 64)
      #expect(token.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) })
    }
  }
}
