// The server as browsers and others meet it: over a socket.

import Dashboard
import Foundation
import Results
import Testing

@Suite struct ServerTests {
  @Test func `a page comes with headers that keep it from doing harm`() async throws {
    let shelf = try Shelf()
    try await serving(shelf.site()) { visitor, _ in
      let page = try visitor.ask("/")
      #expect(page.status == 200)
      #expect(page.body.hasPrefix("<!DOCTYPE html>"))
      let policy = try #require(page.headers["content-security-policy"])
      #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
      #expect(page.headers["x-content-type-options"] == "nosniff")
      #expect(page.headers["referrer-policy"] == "no-referrer")
      #expect(page.headers["cache-control"] == "no-store")
      // What the policy forbids is not in the page.
      for word in ["<style", "style=\"", "<script>", "onclick", "javascript:"] { #expect(!page.body.contains(word)) }
      for path in ["/style.css", "/script.js"] { #expect(try visitor.ask(path).status == 200) }
    }
  }

  @Test func `every answer forbids what is written into it, whatever went wrong`() async throws {
    let shelf = try Shelf()
    let token = Access.newToken()
    @Sendable func safe(_ answer: Answer, _ status: Int) {
      #expect(answer.status == status)
      #expect(answer.headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true, "\(status)")
      #expect(answer.headers["x-content-type-options"] == "nosniff", "\(status)")
    }
    try await serving(shelf.site()) { visitor, _ in
      safe(try visitor.ask("/"), 200)
      safe(try visitor.ask("/nothing"), 404)
      safe(try visitor.ask("/", method: "POST", [("Content-Length", "0")]), 405)
      safe(try visitor.ask("/", host: "evil.example"), 421)
      safe(try visitor.ask("/favicon.ico"), 204)
      safe(try visitor.ask("/events?page=/nothing"), 204)
      safe(try visitor.ask("/find?point=ab"), 303)
      safe(try visitor.ask("/" + String(repeating: "a", count: 60_000)), 404)
      let timing = try visitor.ask("/").headers["server-timing"] ?? ""
      #expect(timing.hasPrefix("page;dur="))
    }
    try await serving(shelf.site(), token: token) { visitor, _ in
      safe(try visitor.ask("/"), 401)
      safe(try visitor.ask("/?token=\(token)"), 303)
    }
    try await serving(Site(store: shelf.folder.appending(path: "no.sqlite").path, logger: quiet)) { visitor, _ in
      safe(try visitor.ask("/"), 503)
    }
  }

  @Test func `it answers reading only, and HEAD has the headers without the page`() async throws {
    let shelf = try Shelf()
    try await serving(shelf.site()) { visitor, _ in
      for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let answer = try visitor.ask("/", method: method, [("Content-Length", "0")])
        #expect(answer.status == 405, "\(method)")
        #expect(answer.headers["allow"] == "GET, HEAD")
      }
      let page = try visitor.ask("/")
      let head = try visitor.ask("/", method: "HEAD")
      #expect(head.status == 200 && head.body.isEmpty)
      #expect(head.headers["content-length"] == "\(page.body.utf8.count)")
    }
  }

  @Test func `unknown paths and unreadable stores have pages too`() async throws {
    let shelf = try Shelf()
    try await serving(shelf.site()) { visitor, _ in
      for path in ["/nothing", "/sweep/nobody", "/point/zz", "/find?point=zz", "/events/x", "/..%2f..%2fetc/passwd"] {
        let answer = try visitor.ask(path)
        #expect(answer.status == 404, "\(path)")
        #expect(answer.body.contains("<h1>Not found</h1>"), "\(path)")
      }
    }
    let nowhere = Site(store: shelf.folder.appending(path: "no.sqlite").path, logger: quiet)
    try await serving(nowhere) { visitor, _ in
      let answer = try visitor.ask("/")
      #expect(answer.status == 503)
    }
  }

  @Test func `a foreign host is refused on loopback`() async throws {
    let shelf = try Shelf()
    try await serving(shelf.site()) { visitor, _ in
      for host in ["evil.example", "127.0.0.1.evil.example:80", nil] {
        let answer = try visitor.ask("/", host: host)
        #expect(answer.status == 421)
        #expect(!answer.body.contains(shelf.path))
        #expect(try visitor.ask("/events?page=/", host: host).status == 421)
      }
    }
  }

  @Test func `with a token nothing is told without it`() async throws {
    let shelf = try Shelf()
    try shelf.register("secret")
    let token = Access.newToken()
    try await serving(shelf.site(), token: token) { visitor, access in
      #expect(access.url.hasSuffix("/?token=\(token)"))
      for path in [
        "/", "/sweep/secret", "/sweep/other", "/events?page=/", "/script.js", "/?token=\(token.dropLast())b",
      ] {
        let answer = try visitor.ask(path)
        #expect(answer.status == 401, "\(path)")
        #expect(!answer.body.contains("secret") && !answer.body.contains(token))
      }
      let entry = try visitor.ask("/?token=\(token)")
      #expect(entry.status == 303)
      #expect(entry.headers["location"] == "/")
      #expect(entry.headers["cache-control"] == "no-store")
      let cookie = try #require(entry.headers["set-cookie"]).prefix { $0 != ";" }
      let page = try visitor.ask("/", [("Cookie", String(cookie))])
      #expect(page.status == 200)
      #expect(page.body.contains("secret") && !page.body.contains(token))
    }
  }

  @Test func `signing in leads on to the page that was asked for, axes and all, and to no other place`() async throws {
    let shelf = try Shelf()
    let token = Access.newToken()
    try await serving(shelf.site(), token: token) { visitor, _ in
      for (path, place) in [
        (
          "/sweep/a%20b?x=weight_decay&token=\(token)&y=train_fraction",
          "/sweep/a%20b?x=weight_decay&y=train_fraction"
        ),
        ("//evil.example/?token=\(token)", "/"), ("/\\evil.example?token=\(token)", "/"),
        ("/point/ab?token=\(token)", "/point/ab"),
      ] {
        let answer = try visitor.ask(path)
        #expect(answer.headers["location"] == place, "\(path)")
      }
    }
  }

  @Test func `connections that say nothing, or never end what they say, give way to those that ask`() async throws {
    let shelf = try Shelf()
    try await serving(shelf.site()) { visitor, _ in
      var silent: [Int32] = []
      defer { for descriptor in silent { close(descriptor) } }
      silent += try visitor.silent(200)
      silent += try visitor.silent(200, saying: "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
      for _ in 0..<5 { #expect(try visitor.ask("/").status == 200) }
    }
  }

  @Test func `more pages than are followed at once are told so, and find room when others have gone`() async throws {
    let shelf = try Shelf()
    try shelf.register()
    try await serving(shelf.site()) { visitor, _ in
      let request = "GET /events?page=/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
      let followers = try visitor.silent(64, saying: request)
      var isFull = false
      for _ in 0..<600 where !isFull {
        isFull = try visitor.ask("/events?page=/", within: 1).status == 503
      }
      #expect(isFull)
      #expect(try visitor.ask("/").status == 200)
      for descriptor in followers { close(descriptor) }
      var hasRoom = false
      let deadline = ContinuousClock.now + .seconds(120)
      var round = 0
      while !hasRoom, ContinuousClock.now < deadline {
        round += 1
        usleep(20_000)
        // A stream learns that nobody listens when it next has something to say.
        try shelf.register("round \(round)")
        hasRoom = try visitor.ask("/events?page=/", within: 1).status == 200
      }
      #expect(hasRoom)
    }
  }

  @Test func `a taken port is said in words`() async throws {
    let shelf = try Shelf()
    try await serving(shelf.site()) { _, access in
      let second = DashboardServer(shelf.site(), at: access.address, token: nil, logger: quiet)
      let end = DispatchSemaphore(value: 0)
      let heard = Heard()
      Task {
        do {
          try await second.run { _ in }
        } catch {
          heard.words = "\(error)"
        }
        end.signal()
      }
      #expect(end.wait(timeout: .now() + 60) == .success)
      #expect(heard.words.contains("another program listens there"), "\(heard.words)")
    }
  }

  @Test func `a stream tells of a finished point, and only what has changed`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register()
    let site = shelf.site()
    let tag = await site.page(at: "/").tag
    try await serving(site) { visitor, _ in
      var isStored = false
      let hasSeen = try visitor.follow("/events?page=/&seen=\(tag)") { text in
        if !isStored {
          isStored = true
          try shelf.finish(points[0])
        }
        return text.contains("\"name\":\"finished\"") && text.contains(points[0].id.short)
      }
      #expect(hasSeen)
      // Its machine is not shown without a coordinator, so that part stays as it was.
      let again = try visitor.follow("/events?page=/&seen=\(tag)") { $0.contains("id: ") }
      #expect(again)
    }
  }

  @Test func `streams of pages that do not change end before they begin`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register()
    try shelf.finish(points[0])
    try await serving(shelf.site()) { visitor, _ in
      for page in ["/point/\(points[0].id.short)", "/nothing", ""] {
        let answer = try visitor.ask("/events?page=\(page)")
        #expect(answer.status == 204, "\(page)")
      }
    }
  }

  @Test func `garbage, long headers and silence keep nobody else from reading`() async throws {
    let shelf = try Shelf()
    try await serving(shelf.site()) { visitor, _ in
      for path in ["/ HTTP/9\r\n\r\n\u{0}", String(repeating: "x", count: 100_000)] {
        _ = try? visitor.ask(path, within: 1)
      }
      _ = try? visitor.ask("/", within: 1, [("X", String(repeating: "y", count: 1_000_000))])
      let answer = try visitor.ask("/")
      #expect(answer.status == 200)
    }
  }
}

@Suite struct EventsTests {
  @Test func `what has changed is said in events of one line, and the last names the page`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register(Shelf.hostile)
    let site = shelf.site()
    let before = await site.page(at: "/")
    #expect(Events.words(from: before, seen: nil, to: before) == nil)
    #expect(Events.words(from: nil, seen: before.tag, to: before)?.text == "retry: 3000\n\n")
    try shelf.finish(points[0])
    var after = before
    for _ in 0..<600 where after.tag == before.tag {
      try await Task.sleep(for: .milliseconds(20))
      after = await site.page(at: "/")
    }
    let said = try #require(Events.words(from: before, seen: nil, to: after))
    #expect(!said.isLast)
    let events = said.text.components(separatedBy: "\n\n").dropLast()
    for event in events {
      let lines = event.split(separator: "\n")
      #expect(lines.allSatisfy { $0.hasPrefix("id: ") || $0 == "event: part" || $0.hasPrefix("data: {") }, "\(event)")
    }
    #expect(events.filter { $0.hasPrefix("id: \(after.tag)\n") }.count == 1)
    #expect(events.last?.hasPrefix("id: ") == true)
    #expect(!said.text.contains("\"name\":\"find\""))
    #expect(!said.text.contains("<script>"))
  }

  @Test func `a point that has finished sends its page again`() async throws {
    let shelf = try Shelf()
    let points = try shelf.register()
    let path = "/point/\(points[0].id.short)"
    let before = await shelf.site().page(at: path)
    try shelf.finish(points[0])
    let after = await shelf.site().page(at: path)
    let said = try #require(Events.words(from: before, seen: nil, to: after))
    #expect(said.isLast && said.text.contains("event: again"))
  }
}

/// Written by one thread before another reads it.
final class Heard: @unchecked Sendable {
  var words = ""
}
