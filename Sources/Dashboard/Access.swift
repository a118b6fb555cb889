// Who may look. On loopback: whoever is on this machine, through a browser that was not led here by another site. Elsewhere:
// who knows the token, which stands in the address that is printed once and in a cookie from then on.

import Foundation

package struct Access: Sendable {
  package enum Verdict: Hashable, Sendable {
    case granted
    /// Came with the token in the address: keeps it as this cookie, and goes to the same page without.
    case signedIn(cookie: String)
    case refused(Refusal)
  }

  package enum Refusal: Hashable, Sendable {
    /// A name led the browser here that is none of this machine's: another site may be behind it (DNS rebinding).
    case foreignHost
    case noToken
    case wrongToken
  }

  package let address: ListenAddress
  /// Nil: nobody is asked for one.
  package let token: String?

  /// - Parameter address: where the server listens, its port known.
  package init(_ address: ListenAddress, token: String?) {
    self.address = address
    self.token = token
  }

  /// 256 bits that nobody guesses, as 64 hexadecimal digits.
  package static func newToken() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
      let digits = String(generator.next(), radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// To be opened in a browser.
  package var url: String {
    let query = token.map { "?token=\($0)" } ?? ""
    // No browser opens "every address".
    let place = address.isEverywhere ? "\(Access.hostName ?? address.host):\(address.port)" : "\(address)"
    return "http://\(place)/\(query)"
  }

  /// What this machine calls itself; nil when it does not say.
  private static var hostName: String? {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return nil }
    let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.isEmpty ? nil : text
  }

  /// - Parameters:
  ///   - host: the header of this name.
  ///   - cookies: the header Cookie.
  ///   - given: the token in the address.
  package func verdict(host: String?, cookies: String?, given: String?) -> Verdict {
    guard !address.isLoopback || isOurs(host) else { return .refused(.foreignHost) }
    guard let token else { return .granted }
    // Lax: a link from elsewhere, as of a chat, has to lead in; and nothing here is changed by a request.
    if let given {
      return Access.isEqual(given, token)
        ? .signedIn(cookie: "\(cookieName)=\(token); Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000")
        : .refused(.wrongToken)
    }
    guard let kept = cookie(in: cookies) else { return .refused(.noToken) }
    return Access.isEqual(kept, token) ? .granted : .refused(.wrongToken)
  }

  /// Any port: a tunnel may have another one at its other end.
  private func isOurs(_ host: String?) -> Bool {
    guard var name = host?.lowercased() else { return false }
    if let colon = name.lastIndex(of: ":"), name[name.index(after: colon)...].allSatisfy(\.isNumber),
      !name.hasSuffix("]")
    {
      name = String(name[..<colon])
    }
    return ["localhost", "127.0.0.1", "[::1]"].contains(name) || name == address.host || name == "[\(address.host)]"
  }

  /// Browsers keep cookies by host, whatever the port: two dashboards of one machine must not take each other's.
  private var cookieName: String { "groksweep-\(address.port)" }

  private func cookie(in header: String?) -> String? {
    for pair in (header ?? "").split(separator: ";") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == cookieName {
        return parts[1].trimmingCharacters(in: .whitespaces)
      }
    }
    return nil
  }

  /// In a time that does not tell how many digits were right.
  private static func isEqual(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for place in a.indices { difference |= a[place] ^ b[place] }
    return difference == 0
  }
}
