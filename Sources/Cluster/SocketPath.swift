// The socket of an `ipc://` address: a file of this machine that somebody listens at, or nobody any more.

import Foundation

struct SocketPath: Hashable, CustomStringConvertible {
  /// `@NAME` has no file.
  let description: String

  /// nil for what is no `ipc://PATH`.
  init?(_ endpoint: String) {
    guard endpoint.hasPrefix("ipc://") else { return nil }
    description = String(endpoint.dropFirst("ipc://".count))
  }

  /// Nobody takes a connection there.
  struct Failure: Error, Hashable {
    let says: String
    /// What to look at.
    let fix: String
  }

  /// A descriptor, the caller's to close, of a connection that somebody took. Waits for nothing.
  func connect() throws(Failure) -> Int32 {
    var bytes = Array(description.utf8)
    if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
    var address = sockaddr_un()
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard bytes.count < room else {
      throw Failure(
        says: "\(description) is too long for a socket's path, which has at most \(room - 1) bytes",
        fix: "have the coordinator listen at a shorter one")
    }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, kind, 0)
    guard descriptor >= 0 else { throw failure(errno) }
    // A name without a file ends where its length says.
    let length = socklen_t(MemoryLayout.size(ofValue: address) - room + bytes.count)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(descriptor, $0, length) }
    }
    guard code == 0 else {
      let failure = failure(errno)
      close(descriptor)
      throw failure
    }
    return descriptor
  }

  private func failure(_ code: Int32) -> Failure {
    let isRunning = "is the coordinator running, and is this the address that it printed?"
    var status = stat()
    return switch code {
    case ENOENT, ENOTDIR: Failure(says: "there is no socket \(description)", fix: isRunning)
    case ECONNREFUSED where stat(description, &status) == 0 && status.st_mode & S_IFMT != S_IFSOCK:
      Failure(says: "\(description) is no socket", fix: "write the address that the coordinator printed")
    case ECONNREFUSED: Failure(says: "nobody listens at \(description) any more", fix: isRunning)
    case EACCES, EPERM:
      Failure(says: "this user may not use \(description)", fix: "be the user who started the coordinator")
    case EAGAIN:
      Failure(says: "\(description) takes no more connections", fix: "is the coordinator stopped (kill -CONT)?")
    default: Failure(says: "\(description): \(String(cString: strerror(code)).lowercased())", fix: isRunning)
    }
  }
}
