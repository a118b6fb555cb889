// Which addresses may be used at all. Without keys nothing on the wire is encrypted or authenticated, so nothing leaves
// this machine unless somebody asks for that in so many words.

import Foundation

/// An address that is not, or not like this, allowed; prints as a sentence.
package struct EndpointRefused: Error, Hashable, Sendable, CustomStringConvertible {
  package let endpoint: String
  package let message: String
  /// Not an address at all, as opposed to one that is not allowed.
  package var isMalformed = true
  package var description: String { "\(endpoint): \(message)" }
}

package enum EndpointPolicy {
  package enum Side: Hashable, Sendable {
    case listening
    case connecting
  }

  /// What stands between a connection and whoever else is on the network.
  package enum Protection: Hashable, Sendable {
    case nothing
    case keys
    /// Nothing, and somebody said that this is what they want.
    case insecure
  }

  /// The endpoint as libzmq wants it: `ipc://`, or `tcp://` with a loopback address; others with keys, or with
  /// `insecure`.
  @discardableResult
  package static func check(
    _ endpoint: String, _ side: Side = .listening, _ protection: Protection = .nothing
  ) throws(EndpointRefused) -> String {
    func malformed(_ message: String) -> EndpointRefused { EndpointRefused(endpoint: endpoint, message: message) }
    if endpoint.hasPrefix("ipc://") {
      guard endpoint.utf8.count > "ipc://".utf8.count else {
        throw malformed("names no path; write ipc:///path/to/socket")
      }
      return endpoint
    }
    guard endpoint.hasPrefix("tcp://") else {
      throw malformed("is not an address; write tcp://127.0.0.1:PORT or ipc:///path/to/socket")
    }
    let address = endpoint.dropFirst("tcp://".count)
    guard let colon = address.lastIndex(of: ":"), isPort(address[address.index(after: colon)...]) else {
      throw malformed("names no port; write tcp://HOST:PORT with a port from 0 (any free one) to 65535")
    }
    if side == .connecting, UInt16(address[address.index(after: colon)...]) == 0 {
      throw malformed("nobody can listen on port 0; write the address that the coordinator printed")
    }
    let host = address[..<colon]
    // libzmq looks names up only when it connects, not when it listens.
    if host == "localhost" { return "tcp://127.0.0.1\(address[colon...])" }
    if isLoopback(host) { return endpoint }
    guard isEverywhere(host) || isHost(host) else {
      throw malformed("has no host's name or number in it; write tcp://HOST:PORT, or tcp://[ADDRESS]:PORT for IPv6")
    }
    if side == .connecting && isEverywhere(host) {
      throw malformed("is no address to connect to; write the coordinator's own name or number")
    }
    guard protection == .nothing else { return endpoint }
    throw EndpointRefused(endpoint: endpoint, message: refusal(side), isMalformed: false)
  }

  /// Whether everybody on the network can read along and join in.
  package static func isExposed(_ endpoint: String, _ protection: Protection) -> Bool {
    protection == .insecure && (try? check(endpoint)) == nil
  }

  private static func refusal(_ side: Side) -> String {
    switch side {
    case .listening:
      "others could reach this address, and without keys anybody could join in. Make a key for each machine "
        + "(groksweep keys new NAME) and give --keys DIR; or say --insecure if all who can reach it may read and write "
        + "this sweep; or listen on tcp://127.0.0.1:PORT"
    case .connecting:
      "is another machine, and without a key nothing would be encrypted, nor its coordinator known to be the right one. "
        + "Give --join FILE (made there with groksweep keys new NAME), or say --insecure"
    }
  }

  private static func isPort(_ text: Substring) -> Bool {
    text.utf8.allSatisfy { (48...57).contains($0) } && UInt16(text) != nil
  }

  /// 127.0.0.0/8 in numbers, or ::1 in brackets, however it is written.
  private static func isLoopback(_ host: Substring) -> Bool {
    if let bytes = bytesOfIPv6(host) { return bytes == [UInt8](repeating: 0, count: 15) + [1] }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { part in part.utf8.allSatisfy { (48...57).contains($0) } && UInt8(part) != nil }
  }

  private static func isEverywhere(_ host: Substring) -> Bool {
    ["*", "0.0.0.0"].contains(host) || bytesOfIPv6(host).map { $0.allSatisfy { $0 == 0 } } ?? false
  }

  /// 16 bytes; nil for what is no IPv6 address in brackets, or has a zone (`%eth0`).
  private static func bytesOfIPv6(_ host: Substring) -> [UInt8]? {
    guard host.hasPrefix("["), host.hasSuffix("]") else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16)
    return inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &bytes) == 1 ? bytes : nil
  }

  /// A name, an IPv4 address, a network interface, or an IPv6 address in brackets.
  private static func isHost(_ host: Substring) -> Bool {
    func consists(_ text: Substring, of others: String) -> Bool {
      !text.isEmpty && text.utf8.count <= 253
        && text.unicodeScalars.allSatisfy { scalar in
          scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            || others.unicodeScalars.contains(scalar)
        }
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      let number = host.dropFirst().dropLast()
      let zone = number.firstIndex(of: "%") ?? number.endIndex
      return consists(number, of: ":.%") && bytesOfIPv6("[\(number[..<zone])]") != nil
    }
    return consists(host, of: ".-_") && !host.hasPrefix("-")
  }
}
