// Files that are no store, or may not be one: each is refused with a sentence and left as it was.

import Foundation
import GRDB
import Results
import Testing

@Suite struct StoreFileTests {
  private func refusal(_ path: String, _ mode: Store.Mode = .create) -> String? {
    let error = storeError { _ = try Store(path: path, mode: mode) }
    return error?.kind == .refused ? error?.description : nil
  }

  @Test func `a new store is made complete and in WAL mode, and nothing else is left in the folder`() throws {
    let fixture = try StoreFixture()
    #expect(try fixture.value("PRAGMA journal_mode") == "wal")
    #expect(try fixture.value("PRAGMA application_id") == 0x6772_6f6b)
    #expect(try fixture.value("PRAGMA user_version") == Store.schemaVersion)
    try fixture.store.close()
    #expect(fixture.folder.contents == ["x.sqlite"])
  }

  @Test func `the writer commits with synchronous FULL and foreign keys on`() throws {
    let store = try StoreFixture().store
    #expect(try store.setting("synchronous") == 2)
    #expect(try store.setting("foreign_keys") == 1)
    #expect(try store.setting("busy_timeout") == 10_000)
  }

  @Test func `a store that is there opens in every mode and keeps what it holds`() throws {
    let fixture = try StoreFixture()
    _ = try fixture.store.register(Sample.sweep(), at: Sample.now)
    try fixture.store.close()
    for mode in [Store.Mode.create, .open, .readOnly] {
      #expect(try Store(path: fixture.path, mode: mode).sweepNames() == ["decay"])
    }
    #expect(fixture.folder.contents == ["x.sqlite"])
  }

  @Test func `a missing store is made only when asked for`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("none.sqlite")
    #expect(refusal(path, .open)?.contains("there is no such store") == true)
    #expect(refusal(path, .readOnly)?.contains("there is no such store") == true)
    #expect(folder.contents == [])
  }

  @Test func `a missing folder is named`() throws {
    let folder = try TemporaryFolder()
    let message = refusal(folder.file("runs/x.sqlite"))
    #expect(message?.contains("there is no folder \(folder.file("runs"))") == true)
    #expect(folder.contents == [])
  }

  @Test func `what a removed store left behind is not played into a new one`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.sqlite")
    let old = try Store(path: path, mode: .create)
    _ = try old.register(Sample.sweep("removed"), at: Sample.now)
    unlink(path)
    #expect(refusal(path)?.contains("\(path)-wal is, which a store of that name left behind") == true)
    #expect(storeError { _ = try Store.lock(path: path, now: Sample.now) }?.kind == .refused)
    for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
    #expect(try Store(path: path, mode: .create).sweepNames() == [])
  }

  @Test func `a link to a missing file is not replaced by a store`() throws {
    let folder = try TemporaryFolder()
    let link = folder.file("link.sqlite")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.file("gone/x.sqlite"))
    #expect(refusal(link)?.contains("is a symbolic link to a file that is not there") == true)
    #expect(folder.contents == ["link.sqlite"])
  }

  @Test func `a folder, a device and an empty file are no stores`() throws {
    let folder = try TemporaryFolder()
    #expect(refusal(folder.path)?.contains("is a folder") == true)
    #expect(refusal("/dev/null")?.contains("is not a regular file") == true)
    let empty = folder.file("empty.sqlite")
    try Data().write(to: URL(fileURLWithPath: empty))
    #expect(refusal(empty)?.contains("is an empty file") == true)
    #expect(FileManager.default.contents(atPath: empty) == Data())
    #expect(folder.contents == ["empty.sqlite"])
  }

  @Test func `a text file and the first bytes of a database are not SQLite databases`() throws {
    let folder = try TemporaryFolder()
    for content in ["sweep: decay\n", "SQLite format 3\0", String(repeating: "x", count: 5000)] {
      let path = folder.file("text")
      try Data(content.utf8).write(to: URL(fileURLWithPath: path))
      #expect(refusal(path)?.contains("is not an SQLite database") == true)
      #expect(FileManager.default.contents(atPath: path) == Data(content.utf8))
    }
    #expect(folder.contents == ["text"])
  }

  @Test func `another program's database is left byte for byte as it was`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("other.sqlite")
    let other = try DatabaseQueue(path: path)
    try other.write { try $0.execute(sql: "CREATE TABLE runs (x); INSERT INTO runs VALUES (1)") }
    try other.close()
    let before = FileManager.default.contents(atPath: path)
    for mode in [Store.Mode.create, .open, .readOnly] {
      #expect(refusal(path, mode)?.contains("an SQLite file of another program") == true)
    }
    #expect(FileManager.default.contents(atPath: path) == before)
    #expect(folder.contents == ["other.sqlite"])
  }

  @Test func `a newer schema is refused with both versions, before and after its checkpoint`() throws {
    let fixture = try StoreFixture()
    // Still in the write-ahead log, so the header says the old version.
    try fixture.plain().write { try $0.execute(sql: "PRAGMA user_version = 99") }
    let expected = "written by a newer groksweep (schema 99; this one knows schemas up to \(Store.schemaVersion))"
    #expect(refusal(fixture.path, .open)?.contains(expected) == true)
    #expect(refusal(fixture.path, .readOnly)?.contains(expected) == true)
    try fixture.store.close()
    #expect(refusal(fixture.path, .create)?.contains(expected) == true)
    #expect(try fixture.value("PRAGMA user_version") == 99)
  }

  @Test func `an older schema is not read without being brought up to date`() throws {
    let fixture = try StoreFixture()
    try fixture.plain().write { try $0.execute(sql: "PRAGMA user_version = 0") }
    #expect(refusal(fixture.path, .readOnly)?.contains("written by an older groksweep (schema 0") == true)
  }

  @Test func `a store with a torn page is called damaged`() throws {
    let fixture = try StoreFixture()
    try fixture.store.close()
    let file = try #require(FileHandle(forUpdatingAtPath: fixture.path))
    try file.seek(toOffset: 100)
    try file.write(contentsOf: Data(repeating: 0xff, count: 3900))
    try file.close()
    #expect(refusal(fixture.path, .open)?.contains("the file is damaged") == true)
  }

  @Test(.enabled(if: geteuid() != 0, "root may read and write everything"))
  func `a file without permission says which`() throws {
    let fixture = try StoreFixture()
    try fixture.store.close()
    chmod(fixture.path, 0o444)
    #expect(refusal(fixture.path, .open)?.contains("cannot be written: permission denied") == true)
    #expect(try Store(path: fixture.path, mode: .readOnly).sweepNames() == [])
    chmod(fixture.path, 0)
    #expect(refusal(fixture.path, .readOnly)?.contains("cannot be read: permission denied") == true)
  }

  @Test func `a network file system is recognized by the mount of the file's device`() {
    let mounts = """
      22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
      71 22 0:58 / /home rw,relatime shared:31 - nfs4 server:/home rw,vers=4.2
      72 22 0:59 / /scratch rw,relatime - lustre mds:/scratch rw
      73 22 0:60 / /tmp rw - tmpfs tmpfs rw
      """
    func type(_ major: UInt64, _ minor: UInt64) -> String? {
      NetworkFileSystem.type(ofDevice: major << 8 | minor & 0xff | (minor & ~0xff) << 12, mounts: mounts)
    }
    #expect(type(254, 0) == nil)
    #expect(type(0, 58) == "nfs4")
    #expect(type(0, 59) == "lustre")
    #expect(type(0, 60) == nil)
    #expect(type(0, 61) == nil)
    #expect(NetworkFileSystem.type(ofDevice: 58, mounts: "no mounts\n\n- -") == nil)
  }
}
