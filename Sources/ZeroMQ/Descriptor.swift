// A connection's descriptor, as far as it concerns us beside libzmq, which owns it: who is at the other end, how much came,
// and an end to it. libzmq may close it at any time, and then it may be anything: every call here is harmless on others.

import CZeroMQ
import Foundation

enum Descriptor {
  /// `192.0.2.7:40112` or `[2001:db8::7]:40112`; `this machine` for a local socket; nil when the peer has gone.
  static func peer(of descriptor: Int32) -> String? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    var (host, port) = ([CChar](repeating: 0, count: 64), [CChar](repeating: 0, count: 8))
    return withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        guard getpeername(descriptor, address, &length) == 0 else { return nil }
        if Int32(address.pointee.sa_family) == AF_UNIX { return "this machine" }
        guard
          getnameinfo(
            address, length, &host, socklen_t(host.count), &port, socklen_t(port.count), NI_NUMERICHOST | NI_NUMERICSERV
          )
            == 0
        else { return nil }
        let name = CurveText.string(host)
        return name.contains(":") ? "[\(name)]:\(CurveText.string(port))" : "\(name):\(CurveText.string(port))"
      }
    }
  }

  /// nil for what is no TCP connection (any more).
  static func bytesReceived(_ descriptor: Int32) -> Int64? {
    let bytes = czeromq_bytes_received(descriptor)
    return bytes < 0 ? nil : bytes
  }

  /// libzmq sees the end of the connection and clears it away.
  static func shut(_ descriptor: Int32, ifPeerIs address: String?) {
    guard let address, peer(of: descriptor) == address else { return }
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}
