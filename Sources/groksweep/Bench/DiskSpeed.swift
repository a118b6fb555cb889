// What a durable write costs where a store is to lie: everything that is committed one by one costs at least this.

import Foundation

struct DiskSpeed {
  /// As /proc/self/mountinfo calls it, such as `ext4`; nil when it does not say.
  let fileSystem: String?
  /// Median of writing 4 KiB at the end of a file and waiting for the disk.
  let secondsPerSync: Double

  /// Measures with a file in `folder`, which is removed.
  init(in folder: String, writes: Int = 200) throws {
    fileSystem = Self.fileSystem(of: folder)
    let path = folder + "/sync"
    let file = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Failure("\(path): cannot be written: \(String(cString: strerror(errno)))", .failed) }
    defer {
      close(file)
      unlink(path)
    }
    let page = [UInt8](repeating: 0x5A, count: 4096)
    var rounds = Rounds()
    for _ in 0..<writes {
      var lap = Stopwatch.Lap()
      guard write(file, page, page.count) == page.count, fsync(file) == 0 else {
        throw Failure("\(path): cannot be written: \(String(cString: strerror(errno)))", .failed)
      }
      rounds.append(lap.seconds())
    }
    secondsPerSync = rounds.median
  }

  /// Of the mount whose device is that of `folder`.
  private static func fileSystem(of folder: String) -> String? {
    var status = stat()
    guard stat(folder, &status) == 0, let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    else { return nil }
    let device = UInt64(status.st_dev)
    let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
    let minor = device & 0xff | (device >> 12) & 0xffff_ff00
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2, fields[2] == "\(major):\(minor)" else { continue }
      guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
      return String(fields[dash + 1])
    }
    return nil
  }
}
