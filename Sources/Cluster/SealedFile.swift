// Files that are whole or not there: written beside their place and renamed, read only when their checksum fits.
//
// Layout, little-endian: 8 bytes each of magic "GKSWSEAL", kind, body length, FNV-1a of kind and body; then the body.
// The checksum guards against half-written and damaged files, not against people: the folder is theirs.

import Foundation

/// What a sealed file holds; a checkpoint is never read as a snapshot.
enum SealedKind: UInt64 {
  case snapshot = 1
  case checkpoint = 2
  case result = 3
  case firstMoment = 4
  case secondMoment = 5
  case contents = 6
}

/// A sealed file that could not be written or read; prints as a sentence.
package struct SealedFileError: Error, Hashable, Sendable, CustomStringConvertible {
  package let path: String
  package let message: String
  /// The file came from elsewhere, and what is in it is not what it should be.
  package var isForeignDamage = false
  package var description: String { "\(path): \(message)" }
}

enum SealedFile {
  private static let magic = Array("GKSWSEAL".utf8)
  private static let headerCount = 32

  /// `durable` waits until the disk has it, which matters only for what cannot be computed again.
  static func write(
    _ body: UnsafeRawBufferPointer, kind: SealedKind, to path: String, durable: Bool = false
  ) throws(SealedFileError) {
    func failure(_ what: String) -> SealedFileError { .last(path, what) }
    let temporary = path + ".new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("cannot be written") }
    var header = magic
    for word in [kind.rawValue, UInt64(body.count), checksum(kind, body)] {
      withUnsafeBytes(of: word.littleEndian) { header.append(contentsOf: $0) }
    }
    var written = header.withUnsafeBytes { writeAll($0, to: descriptor) } && writeAll(body, to: descriptor)
    if durable && written { written = fsync(descriptor) == 0 }
    let error = written ? nil : failure("cannot be written")
    close(descriptor)
    guard written, rename(temporary, path) == 0 else {
      let reason = error ?? failure("cannot be written")
      unlink(temporary)
      throw reason
    }
    if durable { try syncFolder(of: path) }
  }

  /// The body; throws for a file that is missing, of another kind, cut short or damaged.
  static func read(_ path: String, kind: SealedKind) throws(SealedFileError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last(path, "cannot be read") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .last(path, "cannot be read") }
    var header = [UInt8](repeating: 0, count: headerCount)
    guard header.withUnsafeMutableBytes({ readAll(into: $0, from: descriptor) }), header.starts(with: magic) else {
      throw SealedFileError(path: path, message: "is not a file of groksweep's scratch space, or is cut short")
    }
    let words = (1..<4).map { index in LittleEndian.word(header[(8 * index)..<(8 * index + 8)]) }
    // The length is believed only when the file really has it: a damaged header allocates nothing.
    guard words[0] == kind.rawValue, words[1] == UInt64(max(0, Int(status.st_size) - headerCount)) else {
      throw SealedFileError(path: path, message: "is cut short or of another kind")
    }
    let count = Int(words[1])
    var whole = true
    let body = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      whole = readAll(into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count), from: descriptor)
      filled = whole ? count : 0
    }
    guard whole else { throw .last(path, "cannot be read") }
    guard body.withUnsafeBytes({ checksum(kind, $0) }) == words[2] else {
      throw SealedFileError(path: path, message: "is damaged (its checksum does not fit)")
    }
    return body
  }

  /// FNV-1a, 64 bits: about a nanosecond a byte, 3 ms for a checkpoint of the paper's model.
  private static func checksum(_ kind: SealedKind, _ body: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ kind.rawValue
    for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }

  static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = Foundation.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }

  private static func readAll(into bytes: UnsafeMutableRawBufferPointer, from descriptor: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = Foundation.read(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }

  /// From `offset` of the file; where the descriptor stands does not matter and is not changed.
  static func readAll(into bytes: UnsafeMutableRawBufferPointer, from descriptor: Int32, at offset: Int) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      done += count
    }
    return true
  }

  private static func syncFolder(of path: String) throws(SealedFileError) {
    let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last(path, "cannot be made durable") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last(path, "cannot be made durable") }
  }
}

enum LittleEndian {
  /// The number in up to 8 bytes.
  static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

extension SealedFileError {
  /// Of the errno that the last system call left.
  static func last(_ path: String, _ what: String) -> SealedFileError {
    let code = errno
    let why =
      switch code {
      case ENOSPC, EDQUOT: "the disk is full; free some space"
      case EACCES, EROFS: "no permission"
      default: String(cString: strerror(code))
      }
    return SealedFileError(path: path, message: "\(what): \(why)")
  }
}
