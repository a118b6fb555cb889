// Folders that are to hold checkpoints or a store: can they be written, are there locks, is there room, and on what kind of
// file system do they lie. Everything is tried for real, with files that are removed again.

import Foundation
import Results
import Sweeps

enum DoctorDisk {
  /// No run of the paper's size takes more in its scratch folder.
  private static let bytesPerSlot = 500 << 20
  private static let bytesOfStore = 1 << 30

  static func scratch(_ path: String, slots: Int) -> DoctorCheck.Outcome {
    let made = missingFolders(of: path)
    defer { for folder in made { rmdir(folder) } }
    do {
      let root = try ScratchFolder(root: path).root
      try tryOut(root)
      let kind = FileSystem(of: root)
      if case .network(let name)? = kind {
        return .warning(
          "\(path) lies on a network file system (\(name)): slow, and gone when the network is",
          fix: "name a folder on a disk of this machine with --scratch")
      }
      if case .memory? = kind {
        return .warning(
          "\(path) lies in memory: its checkpoints do not outlive a restart, and take memory from the runs",
          fix: "name a folder on a disk with --scratch")
      }
      let (free, wanted) = (freeBytes(root), slots * bytesPerSlot)
      guard let free else { return .ok("\(path) can be written and locked") }
      guard free >= wanted else {
        return .warning(
          "\(path) has \(size(free)) free; \(slots) runs of the paper's size may take \(size(wanted))",
          fix: "make room, name another folder with --scratch, or start fewer slots")
      }
      return .ok("\(path) can be written and locked, \(size(free)) free")
    } catch {
      return .problem("\(error)", fix: "name a folder with --scratch that this user may write to")
    }
  }

  /// Those of `path` that are not there, the innermost first.
  private static func missingFolders(of path: String) -> [String] {
    var missing: [String] = []
    var folder = path
    while !folder.isEmpty, access(folder, F_OK) != 0 {
      missing.append(folder)
      folder = (folder as NSString).deletingLastPathComponent
    }
    return missing
  }

  static func store(_ path: String) -> DoctorCheck.Outcome {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let isThere = access(path, F_OK) == 0
    do {
      try tryOut(folder)
      if case .network(let name)? = FileSystem(of: folder) {
        return .problem(
          "\(folder) lies on a network file system (\(name)), whose locks SQLite cannot trust: stores get damaged there",
          fix: "keep the store on a disk of the coordinator's machine; copy it elsewhere with groksweep snapshot")
      }
      var words = "\(path): "
      if isThere {
        let summary = try Store(path: path, mode: .readOnly).summary()
        words += "\(summary.finished) of \(summary.points) points finished"
        if let holder = try Store.lockHolder(path: path) {
          words += "; process \(holder.processID) on \(holder.host) coordinates"
        }
      } else {
        words += "not there yet, and can be made"
      }
      if case .memory? = FileSystem(of: folder) {
        return .warning("\(words); it lies in memory, and is gone after a restart", fix: "keep the store on a disk")
      }
      if let free = freeBytes(folder) {
        words += ", \(size(free)) free"
        if free < bytesOfStore { return .warning(words, fix: "make room: a full disk puts the sweep on hold") }
      }
      return .ok(words)
    } catch {
      return .problem("\(error)", fix: isThere ? "see what it says" : "make the folder, or name another with --store")
    }
  }

  /// - Throws: `SealedFileError` for a folder in which a file cannot be made, brought to the disk and locked.
  private static func tryOut(_ folder: String) throws(SealedFileError) {
    let place = folder + "/doctor-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    guard mkdir(place, 0o700) == 0 else { throw .last(folder, "takes no folders") }
    defer {
      for name in ["lock", "file"] { unlink(place + "/" + name) }
      rmdir(place)
    }
    let descriptor = open(place + "/file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .last(folder, "takes no files") }
    defer { close(descriptor) }
    let bytes = [UInt8](repeating: 1, count: 4096)
    guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
      throw .last(folder, "takes no bytes")
    }
    let lock = try FolderLock.take(place)
    guard lock != nil, try FolderLock.take(place) == nil else {
      throw SealedFileError(path: folder, message: "is on a disk whose locks do not hold; name one of this machine")
    }
  }

  private static func freeBytes(_ path: String) -> Int? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    let (bytes, overflow) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
      by: Int(clamping: status.f_frsize))
    return overflow ? .max : bytes
  }

  /// `820 MB`, `12 GB`, in units of 1000.
  static func size(_ bytes: Int) -> String {
    bytes < 1_000_000_000
      ? "\(bytes / 1_000_000) MB"
      : bytes < 10_000_000_000
        ? "\(Double(bytes / 100_000_000) / 10) GB" : "\(bytes / 1_000_000_000) GB"
  }
}
