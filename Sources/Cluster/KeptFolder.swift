// A run that somebody wants to go on with: the folder that they named, with the files of a run that is not finished.
// Its checkpoint is that of the end of training, or of the epoch at which it was interrupted.

import Foundation

/// Held, by its lock, for as long as the value lives.
package final class KeptFolder: Sendable {
  package let path: String
  package let run: RunFiles
  private let lock: FolderLock

  /// The folder at `path`, made where it does not exist; what it holds of a run without a checkpoint is removed.
  ///
  /// - Throws: when it holds anything else, or another process has it.
  package convenience init(creating path: String) throws(SealedFileError) {
    try Self.refuseFile(path)
    guard (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil else {
      throw SealedFileError(
        path: path, message: "this folder cannot be made; name one in a folder that you may write in")
    }
    if let foreign = ScratchFolder.names(in: path).first(where: { $0 != "lock" && !RunFiles.owns($0) }) {
      throw SealedFileError(path: path, message: "holds other files (\(foreign)); name a new folder to keep a run in")
    }
    try self.init(locking: path)
    if !run.hasCheckpoint { run.remove() }
  }

  /// The folder at `path`, in which a run was kept.
  package convenience init(opening path: String) throws(SealedFileError) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw SealedFileError(path: path, message: "no such folder; `groksweep train FILE --keep \(path)` makes one")
    }
    try Self.refuseFile(path)
    guard RunFiles(path: path).hasCheckpoint else {
      throw SealedFileError(path: path, message: "no run is kept here; `groksweep train FILE --keep FOLDER` keeps one")
    }
    try self.init(locking: path)
  }

  private static func refuseFile(_ path: String) throws(SealedFileError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else { return }
    throw SealedFileError(path: path, message: "is a file; name a folder")
  }

  private init(locking path: String) throws(SealedFileError) {
    guard let lock = try FolderLock.take(path) else {
      throw SealedFileError(path: path, message: "is in use by another groksweep, or cannot be written")
    }
    self.path = path
    run = RunFiles(path: path)
    self.lock = lock
  }
}
