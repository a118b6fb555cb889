// Checks of an endpoint that libzmq does not make: it deletes whatever lies at an ipc path before it listens there.

import CZeroMQ
import Foundation

enum EndpointAddress {
  /// Bytes that a socket's path may have; the kernel's field holds 108 with its ending zero.
  static let longestPath = 107

  /// The path of an `ipc://` endpoint on the file system; nil for others, and for Linux' abstract names (`ipc://@…`).
  static func path(of endpoint: String) -> String? {
    guard endpoint.hasPrefix("ipc://") else { return nil }
    let path = String(endpoint.dropFirst("ipc://".count))
    return path.isEmpty || path.hasPrefix("@") || path == "*" ? nil : path
  }

  /// libzmq unlinks the path before it binds: without this a second coordinator would silently take the first one's
  /// place, and a mistyped path would delete somebody's file.
  static func requireFree(_ endpoint: String) throws(ZeroMQError) {
    guard let path = path(of: endpoint) else { return }
    guard path.utf8.count <= longestPath else { throw ZeroMQError(.listen, endpoint: endpoint, code: ENAMETOOLONG) }
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw ZeroMQError(
        .listen, endpoint: endpoint, code: EADDRINUSE,
        cause: "a file that is not a socket lies there; choose another path")
    }
    if somebodyListens(at: path) { throw ZeroMQError(.listen, endpoint: endpoint, code: EADDRINUSE) }
  }

  private static func somebodyListens(at path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }
}
