// The machine's scratch space: a folder for every point that runs, waits or rests here, shared by its worker processes.
//
//   <root>/<point id>/…      see PointFolder
//   <root>/<point id>.1/…    when another process of this machine still has the first
//
// Folders that nobody holds are leftovers: with a result they are delivered, with a checkpoint they are resumed, and
// the oldest are removed when there are too many.

import Foundation
import Logging
import Sweeps

package struct ScratchFolder: Sendable {
  /// Leftover runs that are kept for their checkpoints. A point of the paper's size takes up to 400 MB, and less
  /// than 500 MB however often it is evaluated.
  package static let keptLeftovers = 64

  package let root: String

  /// Makes the folder, for this user only, where it does not exist.
  package init(root: String) throws(SealedFileError) {
    self.root = root
    do {
      try FileManager.default.createDirectory(
        atPath: root, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      // Once more, for the reason in words of the system.
      _ = mkdir(root, 0o700)
      let why = errno == EEXIST ? "it is a file" : String(cString: strerror(errno))
      throw SealedFileError(path: root, message: "is no scratch folder: \(why); choose another one with --scratch")
    }
    guard access(root, R_OK | W_OK | X_OK) == 0 else {
      throw SealedFileError.last(root, "cannot be used as scratch folder")
    }
    // What lies here is handed in as results: nobody else may put anything here.
    var status = stat()
    guard stat(root, &status) == 0 else { throw SealedFileError.last(root, "cannot be used as scratch folder") }
    guard status.st_uid == geteuid() else {
      throw SealedFileError(
        path: root, message: "is no scratch folder: it belongs to another user; choose another one with --scratch")
    }
    guard status.st_mode & 0o002 == 0 else {
      throw SealedFileError(
        path: root,
        message: "is no scratch folder: anyone may write there; chmod it to 700, or name a folder in it with --scratch")
    }
  }

  /// A folder for `point` that nobody else has: the one with its checkpoint, if that is free. Its holder may be just
  /// leaving, as when a killed sweep is started again at once: so the first folder is waited for, but not for long.
  package func open(_ point: PointID, patienceSeconds: Double = 2) throws(SealedFileError) -> PointFolder {
    let deadline = MonotonicInstant.now.advanced(bySeconds: patienceSeconds)
    for attempt in 0..<1000 {
      let path = root + "/" + point.hex + (attempt == 0 ? "" : ".\(attempt)")
      var lock: FolderLock?
      while true {
        if mkdir(path, 0o700) != 0 && errno != EEXIST { throw .last(path, "cannot be made") }
        lock = try FolderLock.take(path)
        guard lock == nil, attempt == 0, MonotonicInstant.now < deadline else { break }
        usleep(20_000)
      }
      guard let lock else { continue }
      let folder = PointFolder(point: point, path: path, lock: lock)
      // A result that waits for its receipt is not to be written over; its owner comes back for it.
      if folder.hasResult { continue }
      return folder
    }
    throw SealedFileError(
      path: root, message: "has no free folder for point \(point.short): others have a thousand of them")
  }

  /// Takes over the results whose process ended before their receipt came. What cannot be read is removed, with a line.
  package func claimUnsentResults(_ logger: Logger) -> [(PointFolder, UnsentResult)] {
    pointFolders().compactMap { name, point in
      guard PointFolder.hasResult(root + "/" + name), let folder = claim(name, point), folder.hasResult else {
        return nil
      }
      do {
        return (folder, try folder.keptResult())
      } catch {
        logger.warning("a kept result is unreadable, so its point will be trained again: \(error)")
        folder.remove()
        return nil
      }
    }
  }

  /// Removes the oldest leftover runs beyond `keptLeftovers`. Looks at their age before it touches their locks: a lock
  /// that is held for a moment would keep another worker from its checkpoint.
  package func removeStale(keeping kept: Int = keptLeftovers) {
    let runs = pointFolders().filter { !PointFolder.hasResult(root + "/" + $0.name) }
    let byAge = runs.map { (age: modified($0.name), run: $0) }.sorted { $0.age > $1.age }
    for (_, run) in byAge.dropFirst(kept) {
      if let folder = claim(run.name, run.point), !folder.hasResult { folder.remove() }
    }
  }

  /// Removes every leftover run, and the folder itself when nothing stays in it.
  package func removeLeftovers() {
    removeStale(keeping: 0)
    rmdir(root)
  }

  /// The folder, if no living process has it.
  private func claim(_ name: String, _ point: PointID) -> PointFolder? {
    let path = root + "/" + name
    return try? FolderLock.take(path).map { PointFolder(point: point, path: path, lock: $0) }
  }

  private func pointFolders() -> [(name: String, point: PointID)] {
    Self.names(in: root).compactMap { name in
      guard name.utf8.count == 64 || name.dropFirst(64).first == "." else { return nil }
      return PointID(hex: String(name.prefix(64))).map { (name, $0) }
    }
  }

  /// In order; empty for a folder that is not there.
  static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  private func modified(_ name: String) -> Int {
    var status = stat()
    return stat(root + "/" + name, &status) == 0 ? status.st_mtim.tv_sec : 0
  }
}
