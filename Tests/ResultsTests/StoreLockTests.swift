// One coordinator per store.

import Foundation
import Results
import Testing

@Suite struct StoreLockTests {
  @Test func `the second coordinator is told who holds the lock`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.sqlite")
    let lock = try Store.lock(path: path, now: Sample.now)
    let error = storeError { _ = try Store.lock(path: path, now: Sample.now) }
    #expect(error?.kind == .locked)
    #expect(error?.message.contains("process \(getpid()) on ") == true)
    #expect(error?.message.contains("since \(Sample.nowText)") == true)
    #expect(try Store.lockHolder(path: path)?.processID == getpid())
    lock.release()
  }

  @Test func `a released lock leaves no file and can be taken again`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.sqlite")
    for _ in 0..<3 {
      let lock = try Store.lock(path: path, now: Sample.now)
      lock.release()
      lock.release()
      #expect(try Store.lockHolder(path: path) == nil)
      #expect(folder.contents == [])
    }
  }

  @Test func `a dropped lock is free`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.sqlite")
    _ = try Store.lock(path: path, now: Sample.now)
    #expect(throws: Never.self) { try Store.lock(path: path, now: Sample.now).release() }
  }

  @Test func `a lock file that a crash left behind locks nobody out`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.sqlite")
    try Data(#"{"process_id":1,"host":"gone","since":"then"}"#.utf8).write(to: URL(fileURLWithPath: path + ".lock"))
    #expect(try Store.lockHolder(path: path) == nil)
    let lock = try Store.lock(path: path, now: Sample.now)
    #expect(try Store.lockHolder(path: path)?.since == Sample.nowText)
    lock.release()
  }

  @Test func `a lock held by another process is respected until that process dies`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.sqlite")
    let other = Process()
    other.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
    other.arguments = ["--exclusive", path + ".lock", "--command", "echo held; exec cat"]
    let (input, output) = (Pipe(), Pipe())
    other.standardInput = input
    other.standardOutput = output
    try other.run()
    #expect(output.fileHandleForReading.availableData == Data("held\n".utf8))
    #expect(storeError { _ = try Store.lock(path: path, now: Sample.now) }?.kind == .locked)
    other.terminate()
    try input.fileHandleForWriting.close()
    other.waitUntilExit()
    #expect(throws: Never.self) { try Store.lock(path: path, now: Sample.now).release() }
  }

  @Test func `a symbolic link leads to the same lock`() throws {
    let fixture = try StoreFixture()
    let link = fixture.folder.file("link.sqlite")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: fixture.path)
    let lock = try Store.lock(path: fixture.path, now: Sample.now)
    #expect(storeError { _ = try Store.lock(path: link, now: Sample.now) }?.kind == .locked)
    lock.release()
  }

  @Test func `what cannot be a store cannot be locked, and gets no lock file`() throws {
    let folder = try TemporaryFolder()
    #expect(storeError { _ = try Store.lock(path: folder.file("a/x.sqlite"), now: Sample.now) }?.kind == .refused)
    let text = folder.file("text")
    try Data("hello".utf8).write(to: URL(fileURLWithPath: text))
    #expect(storeError { _ = try Store.lock(path: text, now: Sample.now) }?.kind == .refused)
    #expect(folder.contents == ["text"])
  }
}
