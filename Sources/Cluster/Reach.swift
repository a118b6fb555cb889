// Whether anybody takes TCP connections at an address and, if nobody does, why. libzmq tries on in silence, so its reason is
// found by a connection of our own: looked up and made beside it, with nothing sent, and closed again.

import Foundation
import Sweeps

/// What trying to connect comes to.
package enum Reach: Hashable, Sendable {
  /// Somebody takes connections there.
  case reached(isIPv6: Bool)
  /// The machine is there and says that nothing listens on that port, or a firewall says so in its place.
  case refused
  /// Nothing comes back.
  case timedOut
  case nameUnknown
  /// Whoever knows names does not answer.
  case nameUnanswered
  /// No way leads there from here.
  case noRoute
  /// What the system says.
  case other(String)

  /// In brackets after the address: `refused`.
  package var name: String {
    switch self {
    case .reached: "reached"
    case .refused: "refused"
    case .timedOut: "timeout"
    case .nameUnknown: "name not found"
    case .nameUnanswered: "no answer about the name"
    case .noRoute: "no route"
    case .other(let words): words
    }
  }

  /// What to look at.
  package var advice: String {
    switch self {
    case .reached: "it takes connections"
    case .refused: "nothing listens there; is the coordinator running, and is this the port that it printed?"
    case .timedOut: "no answer; is the machine up, and does a firewall let this port through?"
    case .nameUnknown: "no machine of that name is known here; check its spelling, or write the machine's number"
    case .nameUnanswered: "the name service of this machine does not answer; check its network, or write the number"
    case .noRoute: "no way leads there from this machine; check its network"
    case .other: "check the address and this machine's network"
    }
  }
}

/// The host and port of a `tcp://` endpoint.
package struct TCPPlace: Hashable, Sendable, CustomStringConvertible {
  /// Without brackets.
  package let host: String
  package let port: UInt16

  /// nil for what is no `tcp://HOST:PORT`.
  package init?(_ endpoint: String) {
    guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":"),
      let port = UInt16(endpoint[endpoint.index(after: colon)...])
    else { return nil }
    let host = endpoint[..<colon].dropFirst("tcp://".count)
    self.host = String(host.hasPrefix("[") ? host.dropFirst().dropLast() : host)
    self.port = port
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether `host` has to be looked up.
  package var isName: Bool {
    var space = [UInt8](repeating: 0, count: 16)
    return !host.contains(":") && inet_pton(AF_INET, host, &space) != 1
  }

  /// Its addresses in the system's order, IPv4 and IPv6. Looking up a name may take as long as the resolver likes.
  ///
  /// - Throws: `TCPFailure` with `nameUnknown`, `nameUnanswered` or `other`.
  package func addresses() throws(TCPFailure) -> [TCPAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, "\(port)", &hints, &list)
    defer { if let list { freeaddrinfo(list) } }
    switch code {
    case 0: break
    // -5: EAI_NODATA, which glibc gives for a name without addresses and hides behind a feature macro.
    case EAI_NONAME, -5: throw TCPFailure(reach: .nameUnknown)
    case EAI_AGAIN: throw TCPFailure(reach: .nameUnanswered)
    default: throw TCPFailure(reach: .other(String(cString: gai_strerror(code)).lowercased()))
    }
    var found: [TCPAddress] = []
    var next = list
    while let info = next?.pointee {
      let bytes = UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen))
      let address = TCPAddress(bytes: Array(bytes), isIPv6: info.ai_family == AF_INET6)
      if !found.contains(address) { found.append(address) }
      next = info.ai_next
    }
    return found
  }
}

/// An address as the system has it.
package struct TCPAddress: Hashable, Sendable, CustomStringConvertible {
  /// A `sockaddr_in` or `sockaddr_in6`.
  fileprivate let bytes: [UInt8]
  package let isIPv6: Bool

  /// The number, without the port.
  package var description: String {
    var host = [CChar](repeating: 0, count: 128)
    let length = socklen_t(bytes.count)
    let code = withAddress { getnameinfo($0, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) }
    return code == 0 ? String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "?"
  }

  fileprivate func withAddress<Value>(_ body: (UnsafePointer<sockaddr>) -> Value) -> Value {
    bytes.withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self)) }
  }
}

/// No connection came about.
package struct TCPFailure: Error, Hashable, Sendable {
  package let reach: Reach
}

/// A connection that is closed with the last reference to it.
package final class TCPConnection {
  package let descriptor: Int32
  package let isIPv6: Bool

  private init(descriptor: Int32, isIPv6: Bool) {
    self.descriptor = descriptor
    self.isIPv6 = isIPv6
  }

  deinit { close(descriptor) }

  /// To the first of `addresses` that takes it; all are tried at the same time.
  ///
  /// - Throws: `TCPFailure` with what is most worth saying of those that did not: refused before no answer before the rest.
  package static func open(_ addresses: [TCPAddress], seconds: Double) throws(TCPFailure) -> TCPConnection {
    var waiting: [(connection: TCPConnection, item: pollfd)] = []
    var failures: [Reach] = []
    for address in addresses.prefix(8) {
      let family = address.isIPv6 ? AF_INET6 : AF_INET
      let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
      let descriptor = socket(family, kind, 0)
      guard descriptor >= 0 else {
        failures.append(reach(of: errno))
        continue
      }
      let connection = TCPConnection(descriptor: descriptor, isIPv6: address.isIPv6)
      let length = socklen_t(address.bytes.count)
      if address.withAddress({ connect(descriptor, $0, length) }) == 0 { return connection }
      guard errno == EINPROGRESS else {
        failures.append(reach(of: errno))
        continue
      }
      waiting.append((connection, pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)))
    }
    let deadline = MonotonicInstant.now.advanced(bySeconds: seconds)
    while !waiting.isEmpty {
      let left = deadline.seconds(since: .now)
      guard left > 0 else { break }
      var items = waiting.map(\.item)
      guard poll(&items, nfds_t(items.count), Int32(max(1, left * 1000))) > 0 else { continue }
      for place in items.indices.reversed() where items[place].revents != 0 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(items[place].fd, SOL_SOCKET, SO_ERROR, &code, &length)
        let connection = waiting.remove(at: place).connection
        if code == 0 { return connection }
        failures.append(reach(of: code))
      }
    }
    if !waiting.isEmpty { failures.append(.timedOut) }
    throw TCPFailure(
      reach: [.refused, .timedOut].first(where: failures.contains) ?? failures.first ?? .other("it has no address"))
  }

  private static func reach(of code: Int32) -> Reach {
    switch code {
    case ECONNREFUSED: .refused
    case ETIMEDOUT: .timedOut
    case ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT: .noRoute
    default: .other(String(cString: strerror(code)).lowercased())
    }
  }
}

extension Reach {
  /// After looking the place up and connecting to it.
  package static func probe(_ place: TCPPlace, seconds: Double) -> Reach {
    do {
      return .reached(isIPv6: try TCPConnection.open(place.addresses(), seconds: seconds).isIPv6)
    } catch {
      return error.reach
    }
  }
}
