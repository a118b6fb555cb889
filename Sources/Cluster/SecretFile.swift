// Small files that only their owner may read: whole or not there, never overwritten by accident, and never believed when
// somebody else could have read or written them.

import Foundation

/// A file of keys that cannot be used; prints as a sentence.
package struct KeyFileError: Error, Hashable, Sendable, CustomStringConvertible {
  package let path: String
  package let message: String
  package init(path: String, message: String) {
    self.path = path
    self.message = message
  }
  package var description: String { "\(path): \(message)" }

  /// Of the errno that the last system call left.
  static func last(_ path: String, _ what: String) -> KeyFileError {
    let code = errno
    let why =
      switch code {
      case ENOENT: "there is no such file or folder"
      case EACCES, EPERM, EROFS: "no permission"
      case ELOOP: "it is a symbolic link; name the file itself"
      case ENOSPC, EDQUOT: "the disk is full; free some space"
      default: String(cString: strerror(code))
      }
    return KeyFileError(path: path, message: "\(what): \(why)")
  }
}

enum SecretFile {
  /// No file of ours is longer.
  private static let most = 16 << 10

  /// - Throws: for a file that is missing, is no regular file, is another user's, can be read or written by others, or is
  ///   longer than any of ours.
  static func read(_ path: String) throws(KeyFileError) -> [UInt8] {
    // Not following a link in the last place: a folder of keys holds its files itself. Not waiting for a pipe's writer.
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .last(path, "cannot be read") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .last(path, "cannot be read") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw KeyFileError(path: path, message: "is not a regular file") }
    try checkOwner(of: path, status)
    guard status.st_mode & 0o077 == 0 else {
      throw KeyFileError(
        path: path,
        message: "others may read or write it, so its key may be known to them; if you are sure that nobody has it, "
          + "run: chmod 600 \(path)")
    }
    guard (1...most).contains(Int(status.st_size)) else {
      throw KeyFileError(path: path, message: "is empty or much too long for a file of keys")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var done = 0
    while done < bytes.count {
      let wanted = bytes.count - done
      let count = bytes.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress! + done, wanted) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .last(path, "cannot be read") }
      done += count
    }
    return bytes
  }

  /// - Throws: for a folder that others may enter, or that is another user's.
  static func checkFolder(_ path: String) throws(KeyFileError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw .last(path, "cannot be read") }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw KeyFileError(path: path, message: "is not a folder") }
    try checkOwner(of: path, status)
    guard status.st_mode & 0o077 == 0 else {
      throw KeyFileError(path: path, message: "others may look into it or write there; run: chmod 700 \(path)")
    }
  }

  private static func checkOwner(of path: String, _ status: stat) throws(KeyFileError) {
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw KeyFileError(path: path, message: "belongs to another user, who could change it; use a file of your own")
    }
  }

  /// Writes a file of mode 0600 that is whole when it has its name.
  ///
  /// - Parameter replacing: whether there may be one of that name; otherwise it is an error, and that one stays.
  static func write(_ bytes: [UInt8], to path: String, replacing: Bool) throws(KeyFileError) {
    // Nobody's yet, and of mode 0600 from its first moment.
    let temporary = path + ".\(String(UInt64.random(in: 0 ... .max), radix: 36)).new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .last(path, "cannot be written") }
    defer { unlink(temporary) }
    var done = 0
    while done < bytes.count {
      let left = bytes.count - done
      let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress! + done, left) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      done += count
    }
    let isWritten = done == bytes.count && fsync(descriptor) == 0
    let error: KeyFileError? = isWritten ? nil : .last(path, "cannot be written")
    close(descriptor)
    if let error { throw error }
    if replacing {
      guard rename(temporary, path) == 0 else { throw .last(path, "cannot be written") }
    } else if link(temporary, path) != 0 {
      if errno == EEXIST {
        throw KeyFileError(path: path, message: "is already there and is not overwritten; choose another name")
      }
      throw .last(path, "cannot be written")
    }
  }

  /// `value` as people read it: one field a line, sorted.
  static func json(_ value: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else { preconditionFailure("texts that cannot be written as JSON") }
    return [UInt8](data) + [UInt8(ascii: "\n")]
  }

  static func parse<Value: Decodable>(
    _ type: Value.Type, _ bytes: [UInt8], _ path: String, what: String
  ) throws(KeyFileError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch {
      throw KeyFileError(path: path, message: "is damaged, or is not \(what)")
    }
  }
}
