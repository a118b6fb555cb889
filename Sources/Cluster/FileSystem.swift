// What a folder lies on, as far as it matters: a disk of this machine, its memory, or another machine. Read from the table of
// mounts, since the kernel's own number for it hides behind names that differ from one C library to the next.

import Foundation

package enum FileSystem: Hashable, Sendable {
  case disk
  case memory
  /// Its type, as `nfs4`.
  case network(String)

  private static let networks = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "ceph", "afs", "beegfs", "glusterfs", "9p", "orangefs",
    "pvfs2",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse",
  ]
  private static let memories = ["tmpfs", "ramfs"]

  /// nil where the system does not say.
  init?(of folder: String) {
    guard let table = FileManager.default.contents(atPath: "/proc/self/mountinfo"), let real = realpath(folder, nil)
    else {
      return nil
    }
    defer { free(real) }
    guard let type = Self.type(of: String(cString: real), in: String(decoding: table, as: UTF8.self)) else {
      return nil
    }
    self = Self.networks.contains(type) ? .network(type) : Self.memories.contains(type) ? .memory : .disk
  }

  /// The type of what is mounted above `path` (no links in it), by the lines of /proc/self/mountinfo; of two at one place,
  /// the later one hides the earlier.
  package static func type(of path: String, in table: String) -> String? {
    var (found, depth) = (String?.none, -1)
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
      let place = unescaped(fields[4])
      let isAbove = place == "/" || path == place || path.hasPrefix(place + "/")
      if isAbove, place.utf8.count >= depth { (found, depth) = (String(fields[dash + 1]), place.utf8.count) }
    }
    return found
  }

  /// `/my\040disk` is `/my disk`.
  private static func unescaped(_ field: Substring) -> String {
    String(field).replacing("\\040", with: " ").replacing("\\011", with: "\t").replacing("\\134", with: "\\")
  }
}
