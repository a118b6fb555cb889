// The page of a sweep: whole, small, closed to the outside, and without a hole for what a name may hold.

import Foundation
import Grokking
import Reports
import Results
import Sweeps
import Testing

@Suite struct SweepReportTests {
  private func page(_ name: String, _ fixture: SweepStore) throws -> String {
    SweepReport(
      try SweepSubject(name, in: fixture.store), runs: try fixture.store.runs(of: name),
      failures: try fixture.store.failures(of: name), command: { "groksweep plot \($0)" }
    ).html
  }

  @Test func `a page has every figure that its sweep has, its runs and where they come from`() throws {
    let fixture = try SweepStore()
    let points = try fixture.register(SweepStore.grid([0.5, 2], [0.3, 0.4, 0.5]))
    for (index, point) in points.dropLast().enumerated() {
      try fixture.finish(point, index < 3 ? SweepStore.censored : SweepStore.grokked(150 + index * 20))
    }
    try fixture.store.recordFailure(points[11].id, reason: "a worker said <no>", at: SweepStore.now)
    let page = try page("decay", fixture)
    for figure in SweepFigure.allCases {
      #expect(page.contains("id=\"figure-\(figure.rawValue)\"") == (figure != .criticalValues), "\(figure)")
    }
    #expect(page.contains("8 of 11 finished runs grokked (epochs 210 to 350)."))
    for point in points { #expect(page.contains(point.id.short)) }
    #expect(page.contains("a worker said &lt;no&gt;"))
    #expect(
      page.contains(
        "No run was computed a second time; <code>groksweep verify</code> does that. No result disagreed with another.")
    )
  }

  @Test func `names with quotes, angle brackets and ampersands are text wherever they stand`() throws {
    let fixture = try SweepStore()
    let name = "a\"b'c</title><script>alert(1)</script>&amp;"
    for (index, point) in try fixture.register(SweepStore.grid([0.5, 2], [0.5]), name: name).enumerated() {
      try fixture.finish(point, SweepStore.grokked(200 + index))
    }
    let page = try page(name, fixture)
    #expect(!page.contains("<script>alert"))
    #expect(page.contains("Sweep a&quot;b&#39;c&lt;/title&gt;") || page.contains("Sweep a&quot;b'c&lt;/title&gt;"))
    #expect(!page.contains("node<1>"))
    #expect(page.components(separatedBy: "<script>").count == 2)
  }

  @Test func `a page asks nothing of the network`() throws {
    let fixture = try SweepStore()
    for (index, point) in try fixture.register(SweepStore.grid([0.5, 2], [0.3, 0.5])).enumerated() {
      try fixture.finish(point, SweepStore.grokked(200 + index))
    }
    let page = try page("decay", fixture)
    for attribute in ["src=\"", "href=\""] {
      for part in page.components(separatedBy: attribute).dropFirst() {
        #expect(part.hasPrefix("#") || part.hasPrefix("data:"), "\(attribute)\(part.prefix(40))")
      }
    }
    #expect(page.contains("default-src 'none'"))
    #expect(!page.contains("@import") && !page.contains("url(http"))
  }

  @Test func `a sweep without a finished run has a page that says so`() throws {
    let fixture = try SweepStore()
    let points = try fixture.register(SweepStore.grid([0.5, 2], [0.3, 0.5]))
    #expect(try page("decay", fixture).contains("No run of this sweep has finished yet (8 points)."))
    for point in points { try fixture.store.recordFailure(point.id, reason: "no", at: SweepStore.now) }
    let page = try page("decay", fixture)
    #expect(page.contains("All 8 points of this sweep failed: no run has finished."))
    #expect(!page.contains("<svg class"))
  }

  @Test func `a page of 150 runs of 401 evaluations is below six megabytes`() throws {
    let fixture = try SweepStore()
    let points = try fixture.register(SweepStore.grid([0.3, 0.5, 1, 2, 3, 5], [0.3, 0.4, 0.5, 0.6, 0.7]), seeds: 5)
    #expect(points.count == 150)
    for (index, point) in points.enumerated() {
      try fixture.finish(
        point,
        SweepStore.result(
          .grokked(memorization: 140, grokking: 900 + 250 * index), epochs: 40_000, evaluations: 401))
    }
    let bytes = try page("decay", fixture).utf8.count
    #expect(bytes < 6_000_000, "\(bytes)")
  }
}
