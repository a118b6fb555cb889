// Where the dashboard listens: a machine's own address and a port. Names are not looked up, but for `localhost`: what a name
// means is another machine's word, and the one thing that matters here is who can reach the address.

import Foundation

package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  package enum Family: Hashable, Sendable { case v4, v6 }

  /// In numbers, without brackets.
  package let host: String
  package let port: UInt16
  package let family: Family

  /// Where it is without being told.
  package static let usual = "127.0.0.1:8080"

  /// `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`; nil for anything else. Port 0 is a free one.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      text[text.index(after: colon)...].utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      var bytes = in6_addr()
      let inside = String(host.dropFirst().dropLast())
      guard inet_pton(AF_INET6, inside, &bytes) == 1 else { return nil }
      self.init(host: inside, port: port, family: .v6)
    } else {
      var bytes = in_addr()
      let numbers = host == "localhost" ? "127.0.0.1" : String(host)
      guard inet_pton(AF_INET, numbers, &bytes) == 1 else { return nil }
      self.init(host: numbers, port: port, family: .v4)
    }
  }

  package init(host: String, port: UInt16, family: Family) {
    self.host = host
    self.port = port
    self.family = family
  }

  /// Whether only this machine can reach it.
  package var isLoopback: Bool {
    switch family {
    case .v4: host.hasPrefix("127.")
    case .v6:
      withUnsafeBytes(of: parsed6) { bytes in bytes.last == 1 && bytes.dropLast().allSatisfy { $0 == 0 } }
    }
  }

  /// Whether it is every address of the machine.
  package var isEverywhere: Bool {
    switch family {
    case .v4: host == "0.0.0.0"
    case .v6: withUnsafeBytes(of: parsed6) { $0.allSatisfy { $0 == 0 } }
    }
  }

  private var parsed6: in6_addr {
    var bytes = in6_addr()
    inet_pton(AF_INET6, host, &bytes)
    return bytes
  }

  package var description: String { family == .v6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
