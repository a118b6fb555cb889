// `dashboard` and `--dashboard` as a person uses them: a real sweep, and a browser's requests by curl.

import Foundation
import TestSupport
import Testing

@Suite struct DashboardCommandTests {
  private static let sweep = """
    sweep: short
    task: {modulus: 7, train_fraction: 0.6}
    model: {d_model: 8, heads: 2, d_mlp: 16}
    training: {epochs: EPOCHS}
    measure: {evaluate_every: 100}
    axes: {training.weight_decay: [1, 2], seed: {count: 3}}
    """

  private func get(_ url: String, in folder: Folder, _ options: [String] = []) throws -> String {
    try Running("/usr/bin/env", ["curl", "-sS", "--max-time", "60"] + options + [url], in: folder).end(within: 90)
      .output
  }

  private func address(in text: String) -> String? {
    text.firstMatch(of: /dashboard at (http:\/\/\S+)/).map { String($0.1) }
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"), "curl is not installed"))
  func `an open page of a real sweep hears of a finished point, and the dashboard ends with the sweep`() throws {
    let folder = try Folder()
    try folder.write(Self.sweep.replacing("EPOCHS", with: "30000"), to: "short.yaml")
    let sweep = try Groksweep.start(
      ["sweep", "short.yaml", "--workers", "1", "--dashboard", "127.0.0.1:0"], in: folder)
    #expect(waitUntil(180) { address(in: sweep.errors) != nil }, "\(sweep.errors)")
    let url = try #require(address(in: sweep.errors))
    let stream = try Running(
      "/usr/bin/env", ["curl", "-sSN", "--max-time", "300", "\(url)events?page=/"], in: folder)
    var finished: String?
    #expect(
      waitUntil(300) {
        finished = (try? folder.query("short.sqlite", "SELECT substr(point, 1, 12) FROM runs LIMIT 1"))?.first
        return finished != nil
      }, "\(sweep.errors)")
    let first = try #require(finished)
    #expect(
      waitUntil(60) {
        stream.output.contains("\"name\":\"finished\"") && stream.output.contains("/point/\(first)")
      }, "\(stream.output.suffix(2000)) \(stream.errors)")
    #expect(try get(url, in: folder).contains("<progress"))
    #expect(try get("\(url)point/\(first)", in: folder).contains("figure-losses"))
    sweep.signal(SIGKILL)
    _ = try sweep.end(within: 60)
    #expect(waitUntil(60) { (try? get(url, in: folder).isEmpty) ?? true }, "the dashboard outlived its sweep")
  }

  @Test func `what cannot be served is said before anything starts`() throws {
    let folder = try Folder()
    try folder.write(Self.sweep.replacing("EPOCHS", with: "100"), to: "short.yaml")
    let missing = try Groksweep.run(["dashboard", "--store", "no.sqlite"], in: folder)
    #expect(missing.status == 65)
    #expect(missing.errors.contains("there is no such store"))
    #expect(try Groksweep.run(["sweep", "--dashboard", "short.yaml"], in: folder).status == 64)
    let swallowed = try Groksweep.run(
      ["coordinator", "--store", "s.sqlite", "--bind", "tcp://127.0.0.1:0", "--dashboard", "short.yaml"], in: folder)
    #expect(swallowed.status == 64)
    #expect(swallowed.errors.contains("write an address of this machine"), "\(swallowed.errors)")
    #expect(try folder.names().filter { $0.hasSuffix(".sqlite") }.isEmpty)
    let name = try Groksweep.run(["dashboard", "--listen", "example.org:80"], in: folder)
    #expect(name.status == 64)
  }

  @Test func `a taken port keeps a sweep from starting, with words`() throws {
    let folder = try Folder()
    try folder.write(Self.sweep.replacing("EPOCHS", with: "100"), to: "short.yaml")
    #expect(try Groksweep.run(["sweep", "short.yaml"], in: folder).status == 0)
    let first = try Groksweep.start(["dashboard", "--store", "short.sqlite", "--listen", "127.0.0.1:0"], in: folder)
    #expect(waitUntil(60) { address(in: first.errors) != nil })
    let taken = try #require(address(in: first.errors)?.firstMatch(of: /127\.0\.0\.1:\d+/)).0
    let second = try Groksweep.run(["sweep", "short.yaml", "--dashboard", String(taken)], in: folder)
    #expect(second.status == 1)
    #expect(second.errors.contains("another program listens there"), "\(second.errors)")
    first.signal(SIGTERM)
    #expect(try first.end(within: 60).status == 0)
  }

  @Test func `where others reach it, it asks for the token that it printed`() throws {
    let folder = try Folder()
    try folder.write(Self.sweep.replacing("EPOCHS", with: "100"), to: "short.yaml")
    #expect(try Groksweep.run(["sweep", "short.yaml"], in: folder).status == 0)
    let server = try Groksweep.start(
      ["dashboard", "--store", "short.sqlite", "--listen", "127.0.0.1:0", "--token"], in: folder)
    #expect(waitUntil(60) { address(in: server.errors) != nil })
    let url = try #require(address(in: server.errors))
    #expect(url.firstMatch(of: /\?token=[0-9a-f]{64}$/) != nil)
    let bare = String(url.prefix { $0 != "?" })
    #expect(try get(bare, in: folder).contains("A token is needed"))
    #expect(try get(url, in: folder, ["-L", "-c", "jar", "-b", "jar"]).contains("short"))
    server.signal(SIGINT)
    #expect(try server.end(within: 60).status == 0)
  }
}
