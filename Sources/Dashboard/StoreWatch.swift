// The store as somebody sees it who looks on: open for as long as the file at its path is the same one, opened again when it
// is another, and a sentence while there is none. Never writes.

import Foundation
import Results

/// Confined to whoever owns it.
final class StoreWatch {
  /// What pages are drawn from. Equal versions mean equal pages.
  struct Version: Hashable, Sendable {
    /// Grows whenever the file was opened.
    var generation = 0
    /// SQLite's count of other connections' commits.
    var data = 0
    var holder: LockHolder?
  }

  let path: String
  private(set) var store: Store?
  /// Why there is no store.
  private(set) var trouble = "the store was not opened yet"
  private(set) var version = Version()
  private var file: (device: UInt64, number: UInt64)?

  init(path: String) { self.path = path }

  /// Looks at the file once more.
  func look() {
    var status = stat()
    let isThere = stat(path, &status) == 0
    let seen = isThere ? (UInt64(status.st_dev), UInt64(status.st_ino)) : nil
    if store == nil || seen == nil || file == nil || seen! != file! { reopen(seen) }
    guard let store else { return }
    do {
      version.data = try store.dataVersion()
      // Who has it matters for what is shown of workers; when that cannot be read, nobody is shown.
      version.holder = (try? Store.lockHolder(path: path)) ?? nil
    } catch {
      drop("\(error)")
    }
  }

  /// After a read that failed: the next look opens the file anew.
  func drop(_ reason: String) {
    store = nil
    file = nil
    trouble = reason
    version.generation += 1
  }

  private func reopen(_ seen: (UInt64, UInt64)?) {
    store = nil
    file = nil
    do {
      store = try Store(path: path, mode: .watching)
      file = seen
      version.generation += 1
    } catch {
      let reason = "\(error)"
      if reason != trouble { version.generation += 1 }
      trouble = reason
    }
  }
}
