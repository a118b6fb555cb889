// Which addresses may be used at all. Nothing on the wire is encrypted or authenticated yet, so nothing leaves this
// machine: a person who wants other machines tunnels through ssh, which does both.

/// An address that is not (or not yet) allowed; prints as a sentence.
package struct EndpointRefused: Error, Hashable, Sendable, CustomStringConvertible {
  package let endpoint: String
  package let message: String
  /// Not an address at all, as opposed to one that is not allowed.
  package var isMalformed = true
  package var description: String { "\(endpoint): \(message)" }
}

package enum EndpointPolicy {
  /// The endpoint as libzmq wants it, when it stays on this machine: `tcp://` with a loopback address, or `ipc://`.
  ///
  /// - Parameter isConnecting: whether somebody listens there already; port 0 is for listeners.
  @discardableResult
  package static func check(_ endpoint: String, isConnecting: Bool = false) throws(EndpointRefused) -> String {
    if endpoint.hasPrefix("ipc://") {
      guard endpoint.utf8.count > "ipc://".utf8.count else {
        throw EndpointRefused(endpoint: endpoint, message: "names no path; write ipc:///path/to/socket")
      }
      return endpoint
    }
    guard endpoint.hasPrefix("tcp://") else {
      throw EndpointRefused(
        endpoint: endpoint, message: "is not an address; write tcp://127.0.0.1:PORT or ipc:///path/to/socket")
    }
    let address = endpoint.dropFirst("tcp://".count)
    guard let colon = address.lastIndex(of: ":"), isPort(address[address.index(after: colon)...]) else {
      throw EndpointRefused(
        endpoint: endpoint, message: "names no port; write tcp://HOST:PORT with a port from 0 (any free one) to 65535")
    }
    if isConnecting, UInt16(address[address.index(after: colon)...]) == 0 {
      throw EndpointRefused(
        endpoint: endpoint, message: "nobody can listen on port 0; write the address that the coordinator printed")
    }
    let host = address[..<colon]
    // libzmq looks names up only when it connects, not when it listens.
    if host == "localhost" { return "tcp://127.0.0.1\(address[colon...])" }
    guard host == "[::1]" || isLoopback(host) else {
      throw EndpointRefused(
        endpoint: endpoint,
        message: "only this machine's own addresses (tcp://127.0.0.1:PORT or ipc://PATH) are allowed, because the "
          + "connection is not encrypted yet; encryption comes with a later version. Until then, reach other machines "
          + "through a tunnel, such as ssh -R 5555:127.0.0.1:5555 HOST", isMalformed: false)
    }
    return endpoint
  }

  private static func isPort(_ text: Substring) -> Bool {
    text.utf8.allSatisfy { (48...57).contains($0) } && UInt16(text) != nil
  }

  /// 127.0.0.0/8, in numbers.
  private static func isLoopback(_ host: Substring) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { part in part.utf8.allSatisfy { (48...57).contains($0) } && UInt8(part) != nil }
  }
}
