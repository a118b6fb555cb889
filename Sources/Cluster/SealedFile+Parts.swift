// Sealed files that travel: written and read piece by piece as they lie on the disk, header included. Whoever has the last
// piece looks whether the whole can be read.

import Foundation

extension SealedFile {
  /// Bytes at their place. The first ones begin the file anew.
  static func writePart(_ bytes: ArraySlice<UInt8>, at offset: Int, of path: String) throws(SealedFileError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (offset == 0 ? O_TRUNC : 0), 0o600)
    guard descriptor >= 0 else { throw .last(path, "cannot be written") }
    defer { close(descriptor) }
    let isWhole = bytes.withUnsafeBytes { raw in
      var done = 0
      while done < raw.count {
        let count = pwrite(descriptor, raw.baseAddress! + done, raw.count - done, off_t(offset + done))
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        done += count
      }
      return true
    }
    guard isWhole else { throw .last(path, "cannot be written") }
  }

  /// Those bytes of the file; nil when it has fewer, or is not there.
  static func readPart(_ range: Range<Int>, of path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var isWhole = true
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
      var done = 0
      while done < range.count {
        let count = pread(
          descriptor, buffer.baseAddress! + done, range.count - done, off_t(range.lowerBound + done))
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else {
          isWhole = false
          break
        }
        done += count
      }
      filled = done
    }
    return isWhole ? bytes : nil
  }
}
