// A page, or a sentence, for every kind of store and every path.

import Dashboard
import Foundation
import Grokking
import Results
import Sweeps
import Testing

@Suite struct SiteTests {
  /// Without what the store's own folder may be called.
  private func html(_ page: LivePage, _ path: String = "/") -> String { page.html(path: path) }

  @Test func `a store that is not there is a page that waits for it, and goes on when it comes`() async throws {
    let shelf = try Shelf()
    let path = shelf.folder.appending(path: "later.sqlite").path
    let site = Site(store: path, logger: quiet)
    let before = await site.page(at: "/")
    #expect(before.kind == .unavailable)
    #expect(html(before).contains("there is no such store"))
    _ = try Store(path: path, mode: .create)
    #expect(try await becomes(.live, site))
  }

  private func becomes(_ kind: LivePage.Kind, _ site: Site, _ path: String = "/") async throws -> Bool {
    for _ in 0..<600 {
      if await site.page(at: path).kind == kind { return true }
      try await Task.sleep(for: .milliseconds(20))
    }
    return false
  }

  @Test func `files that are no stores, and newer ones, say so`() async throws {
    let shelf = try Shelf()
    let empty = shelf.folder.appending(path: "empty.sqlite")
    try Data().write(to: empty)
    let text = shelf.folder.appending(path: "text.sqlite")
    try Data(String(repeating: "no store\n", count: 50).utf8).write(to: text)
    let newer = shelf.folder.appending(path: "newer.sqlite")
    try shelf.store.snapshot(to: newer.path)
    let handle = try FileHandle(forUpdating: newer)
    try handle.seek(toOffset: 60)
    try handle.write(contentsOf: Data([0, 0, 0, 99]))
    try handle.close()
    for (file, words) in [(empty, "is an empty file"), (text, "not an SQLite database"), (newer, "newer groksweep")] {
      let page = await Site(store: file.path, logger: quiet).page(at: "/")
      #expect(page.kind == .unavailable)
      #expect(html(page).contains(words), "\(file.lastPathComponent)")
    }
  }

  @Test func `an empty store has a page without sweeps`() async throws {
    let shelf = try Shelf()
    let page = await shelf.site().page(at: "/")
    #expect(page.kind == .live)
    #expect(html(page).contains("No sweep has been started"))
  }

  @Test func `a sweep without a finished run says so instead of drawing nothing`() async throws {
    let shelf = try Shelf()
    try shelf.register()
    let site = shelf.site()
    for path in ["/", "/sweep/decay", "/sweep/decay/points/1"] {
      let page = await site.page(at: path)
      #expect(page.kind == .live, "\(path)")
      #expect(!html(page, path).contains("<svg class=\"figure\" viewBox=\"0 0 0"), "\(path)")
    }
    #expect(html(await site.page(at: "/sweep/decay")).contains("No run of this sweep has finished yet"))
  }

  @Test func `a finished point stands on the overview and on its sweep's page once it is stored`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register()
    let site = shelf.site()
    let before = await site.page(at: "/")
    #expect(!html(before).contains(points[0].id.short))
    try shelf.finish(points[0])
    for path in ["/", "/sweep/decay"] {
      var found = false
      for _ in 0..<600 where !found {
        found = html(await site.page(at: path), path).contains(points[0].id.short)
        if !found { try await Task.sleep(for: .milliseconds(20)) }
      }
      #expect(found, "\(path)")
    }
    let run = await site.page(at: "/point/\(points[0].id.short)")
    #expect(run.kind == .settled)
    #expect(html(run).contains("figure-losses"))
  }

  @Test func `a page is drawn once for as long as the store stays as it is`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register()
    try shelf.finish(points[0])
    // A clock that moves shows when a page was drawn.
    let clock = Ticks()
    let site = Site(store: shelf.path, logger: quiet, now: { clock.next() })
    let first = await site.page(at: "/")
    let drawn = clock.count
    for _ in 0..<20 { #expect(await site.page(at: "/").tag == first.tag) }
    #expect(clock.count == drawn)
  }

  @Test func `names with quotes and angle brackets are escaped on every page`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register(Shelf.hostile)
    try shelf.finish(points[0])
    try shelf.fail(points[1], reason: Shelf.hostile)
    try shelf.grant(points[2])
    let lock = try Store.lock(path: shelf.path, now: Shelf.now)
    defer { lock.release() }
    let site = shelf.site()
    let name = Shelf.hostile.utf8.map { String(format: "%%%02x", $0) }.joined()
    let paths =
      ["/", "/sweep/\(name)", "/sweep/\(name)/points/1", "/sweep/no\(name)"] + points.map { "/point/\($0.id.short)" }
    for path in paths {
      let text = html(await site.page(at: path), path)
      #expect(!text.contains("<script>alert"), "\(path)")
      #expect(!text.contains("node<1>"), "\(path)")
      #expect(!text.contains("a\"b"), "\(path)")
    }
    #expect(html(await site.page(at: "/")).contains("node&lt;1&gt;"))
    // In commands, as a shell takes it for one word.
    let command = html(await site.page(at: "/sweep/\(name)"))
    #expect(command.contains("--sweep &#39;a&quot;b&#39;\\&#39;&#39;&lt;script&gt;"))
  }

  @Test func `a sweep's page has the axes that its address names, and a form to choose them`() async throws {
    let shelf = try Shelf()
    for point in try shelf.register(fractions: [0.3, 0.5, 0.7]) { try shelf.finish(point) }
    let site = shelf.site()
    let plain = html(await site.page(at: "/sweep/decay"), "/sweep/decay")
    #expect(plain.contains("data-x-title=\"train_fraction\""))
    #expect(plain.contains("<form action=\"/sweep/decay\" method=\"get\">"))
    #expect(!plain.contains(" selected"))
    let path = "/sweep/decay?y=&x=training.weight_decay"
    let turned = html(await site.page(at: path), path)
    #expect(turned.contains("data-x-title=\"weight_decay\""))
    #expect(turned.contains("<option value=\"training.weight_decay\" selected>"))
    #expect(turned.contains("--x training.weight_decay -o report.html"))
    #expect(turned.contains("data-events=\"/events?page=%2fsweep%2fdecay%3fy%3d%26x%3dtraining.weight_decay&amp;seen="))
    #expect(html(await site.page(at: "/sweep/decay"), "/sweep/decay") == plain)
    let hostile = Shelf.hostile.utf8.map { String(format: "%%%02x", $0) }.joined()
    for (query, words) in [
      ("x=weight_deacy", "did you mean weight_decay?"), ("x=weight_decay&y=weight_decay", "cannot be both axes"),
      ("y=seed", "seeds are no axis"), ("x=\(hostile)", "does not sweep"),
    ] {
      let page = await site.page(at: "/sweep/decay?\(query)")
      #expect(page.kind == .notFound && html(page).contains(words), "\(query)")
      #expect(!html(page).contains("<script>alert"))
    }
  }

  @Test func `a sweep of one value has no axes to choose`() async throws {
    let shelf = try Shelf()
    for point in try shelf.register() { try shelf.finish(point) }
    #expect(!html(await shelf.site().page(at: "/sweep/decay")).contains("<select"))
  }

  @Test func `a failed point says why, and what helps`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register()
    try shelf.fail(points[1], reason: "the loss went away")
    let site = shelf.site()
    for path in ["/", "/sweep/decay", "/point/\(points[1].id.short)"] {
      let text = html(await site.page(at: path), path)
      #expect(text.contains("the loss went away"), "\(path)")
      #expect(text.contains("groksweep retry"), "\(path)")
    }
  }

  @Test func `a running point shows its curve when its checkpoint is known`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register()
    try shelf.grant(points[0])
    let lock = try Store.lock(path: shelf.path, now: Shelf.now)
    defer { lock.release() }
    let without = await shelf.site().page(at: "/")
    #expect(html(without).contains("1 running point without a curve"))
    let page = await shelf.site().page(at: "/point/\(points[0].id.short)")
    #expect(html(page).contains("No curve yet"))
  }

  @Test(arguments: [
    "", "x", "/x", "/sweep", "/sweep/", "/sweep/nobody", "/sweep/decay/points", "/sweep/decay/points/0",
    "/sweep/decay/points/99", "/sweep/decay/points/-1", "/point/", "/point/zz", "/point/ABC", "/point/..",
    "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/point/%00", "/sweep/%ff", "/point/00000000000000000000", "//",
    "/point/" + String(repeating: "a", count: 65), "/" + String(repeating: "a", count: 100_000),
  ])
  func `a path that leads nowhere is a page that says so`(_ path: String) async throws {
    let shelf = try Shelf()
    try shelf.register()
    #expect(await shelf.site().page(at: path).kind == .notFound)
  }

  @Test func `the beginning of several ids names them`() async throws {
    let shelf = try Shelf()
    try shelf.register(decays: (1...40).map(Double.init))
    let page = await shelf.site().page(at: "/point/0")
    #expect(page.kind == .notFound)
  }

  @Test func `another store at the same path is shown, and none is said`() async throws {
    let shelf = try Shelf()
    try shelf.register("first")
    let other = try Shelf()
    try other.register("second")
    let site = shelf.site()
    #expect(html(await site.page(at: "/")).contains("first"))
    try other.store.close()
    for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: shelf.path + suffix) }
    _ = rename(other.path, shelf.path)
    var text = ""
    for _ in 0..<600 where !text.contains("second") {
      text = html(await site.page(at: "/"))
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(text.contains("second") && !text.contains("first"))
    try FileManager.default.removeItem(atPath: shelf.path)
    #expect(try await becomes(.unavailable, site))
  }

  @Test func `it never writes, not even what a killed writer left in the log`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register()
    try shelf.finish(points[0])
    let before = try Data(contentsOf: URL(filePath: shelf.path))
    do {
      let site = shelf.site()
      for path in ["/", "/sweep/decay", "/point/\(points[0].id.short)"] { _ = await site.page(at: path) }
    }
    #expect(try Data(contentsOf: URL(filePath: shelf.path)) == before)
  }
}

/// A clock that counts how often it was asked.
final class Ticks: @unchecked Sendable {
  private let lock = NSLock()
  private var asked = 0
  var count: Int { lock.withLock { asked } }
  func next() -> Date {
    lock.withLock {
      asked += 1
      return Shelf.now.addingTimeInterval(Double(asked))
    }
  }
}
