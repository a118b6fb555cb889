// The file before SQLite sees it: whether it is ours, may be used, and lies where SQLite can keep it safe.
//
// Foreign files are recognized by their first hundred bytes, read without SQLite, so that refusing changes nothing.

import Foundation
import GRDB

struct StoreFile {
  let path: String

  enum Finding { case absent, present }

  /// Whether the file is there and may be opened in `mode`; throws `StoreError.Kind.refused` with the reason otherwise.
  func inspect(_ mode: Store.Mode) throws -> Finding {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT else { throw refused("cannot be reached: \(reason(errno))") }
      guard mode == .create else {
        throw refused("there is no such store; `groksweep sweep` makes one, or check the path given with --store")
      }
      try inspectFolder()
      try refuseRemains()
      return .absent
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw refused("is a folder, not a store; give the path of a file")
    default: throw refused("is not a regular file; give the path of a store")
    }
    try refuseNetworkFileSystem(at: path)
    guard access(path, R_OK) == 0 else { throw refused("cannot be read: \(reason(errno)); change its permissions") }
    if !mode.isReadOnly {
      guard access(path, W_OK) == 0 else {
        throw refused("cannot be written: \(reason(errno)); change its permissions, or choose another --store")
      }
    }
    try inspectHeader(mode)
    return .present
  }

  /// Builds an empty store beside `path` and moves it there complete, so that a crash leaves no half-made store.
  func make() throws {
    let unfinished = "\(path).new-\(getpid())"
    func removeUnfinished() {
      for suffix in ["", "-journal", "-wal", "-shm"] { unlink(unfinished + suffix) }
    }
    removeUnfinished()
    do {
      let queue = try DatabaseQueue(path: unfinished, configuration: Store.configuration)
      try queue.inDatabase { database in
        try database.execute(sql: "PRAGMA application_id = \(Store.applicationID)")
      }
      try Schema.migrator.migrate(queue)
      try queue.close()
      guard rename(unfinished, path) == 0 else { throw refused("cannot be made: \(reason(errno))") }
    } catch {
      removeUnfinished()
      throw StoreError(error, path: path)
    }
  }

  /// `version` is the schema number of the store at hand.
  func checkVersion(_ version: Int, _ mode: Store.Mode) throws {
    if version > Store.schemaVersion {
      throw refused(
        "was written by a newer groksweep (schema \(version); this one knows schemas up to \(Store.schemaVersion)); "
          + "use that version, or choose another --store")
    }
    if version < Store.schemaVersion && mode.isReadOnly {
      throw refused(
        "was written by an older groksweep (schema \(version); this one reads schema \(Store.schemaVersion)); "
          + "`groksweep retry --store \(path)` brings it up to date: its runs stay as they are, failed points become pending, "
          + "and older versions can then no longer open it")
    }
  }

  private func inspectFolder() throws {
    let folder = folderPath
    var status = stat()
    guard stat(folder, &status) == 0 else {
      throw refused("cannot be made: there is no folder \(folder); make it first, or choose another --store")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw refused("cannot be made: \(folder) is not a folder") }
    guard access(folder, W_OK | X_OK) == 0 else {
      throw refused("cannot be made: no permission to write in \(folder); choose another --store")
    }
    try refuseNetworkFileSystem(at: folder)
  }

  /// SQLite would play the write-ahead log of a removed store into a new one of its name: the old sweeps would be back,
  /// or the file be damaged. And a new store put in the place of a link would not lie where the link points.
  private func refuseRemains() throws {
    var status = stat()
    if lstat(path, &status) == 0 {
      throw refused(
        "is a symbolic link to a file that is not there; make its folder's disk available, or remove the link")
    }
    for suffix in ["-wal", "-journal"] where stat(path + suffix, &status) == 0 && status.st_size > 0 {
      throw refused(
        "is not there, but \(path)\(suffix) is, which a store of that name left behind; put the store back beside it, or "
          + "remove what is left of it (rm \(path)-*), or choose another --store")
    }
  }

  /// SQLite's file format, section 1.3: magic, user version at byte 60, application id at byte 68, both big-endian.
  private func inspectHeader(_ mode: Store.Mode) throws {
    let header: [UInt8]
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? handle.close() }
      header = [UInt8](try handle.read(upToCount: 100) ?? Data())
    } catch {
      throw refused("cannot be read: \(error)")
    }
    guard !header.isEmpty else {
      throw refused("is an empty file, not a store; remove it to have a store made in its place")
    }
    guard header.count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else {
      throw refused("is not an SQLite database, so not a store of groksweep; choose another --store")
    }
    func number(at offset: Int) -> Int32 {
      Int32(bitPattern: header[offset..<offset + 4].reduce(0) { ($0 << 8) | UInt32($1) })
    }
    guard number(at: 68) == Store.applicationID else {
      throw refused("is not a groksweep store: it is an SQLite file of another program; choose another --store")
    }
    try checkVersion(Int(number(at: 60)), .open)
  }

  private func refuseNetworkFileSystem(at place: String) throws {
    var status = stat()
    guard stat(place, &status) == 0, let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
    else { return }
    guard let name = NetworkFileSystem.type(ofDevice: UInt64(status.st_dev), mounts: mounts) else { return }
    throw refused(
      "lies on a network file system (\(name)), where SQLite can lose data; "
        + "choose a --store on a local disk and copy it when it is done")
  }

  /// In bytes; 0 for a file that is not there.
  static func size(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_size : 0
  }

  private var folderPath: String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private func refused(_ message: String) -> StoreError { StoreError(.refused, path, message) }
  private func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
}

/// File systems shared between machines: their locks and shared memory do not carry SQLite's write-ahead log.
package enum NetworkFileSystem {
  private static let types = [
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "beegfs", "9p", "glusterfs", "orangefs",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph",
  ]

  /// The type of the network file system that is mounted with device number `device` (`st_dev` of stat(2)); nil for a
  /// local one. `mounts` is the text of /proc/self/mountinfo, described in proc(5).
  package static func type(ofDevice device: UInt64, mounts: String) -> String? {
    let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
    let minor = device & 0xff | (device >> 12) & 0xffff_ff00
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2, fields[2] == "\(major):\(minor)" else { continue }
      guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
      let type = String(fields[dash + 1])
      return types.contains(type) ? type : nil
    }
    return nil
  }
}
