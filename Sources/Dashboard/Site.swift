// The dashboard without its server: a path in, a page out. Pages are drawn anew only when the store has changed since, so that
// many open pages cost what one does. Reads the store, and never writes.

import Foundation
import Grokking
import Logging
import Results
import Sweeps

/// What can be known of runs that are not finished: their checkpoints lie beside the store, if anywhere.
package struct UnfinishedRuns: Sendable {
  /// Changes when the point's checkpoint does; nil without one.
  package let stamp: @Sendable (PointID) -> Int?
  package let curve: @Sendable (PointID) -> UnfinishedCurve?

  package init(
    stamp: @escaping @Sendable (PointID) -> Int?, curve: @escaping @Sendable (PointID) -> UnfinishedCurve?
  ) {
    self.stamp = stamp
    self.curve = curve
  }

  package static let unknown = UnfinishedRuns(stamp: { _ in nil }, curve: { _ in nil })
}

package actor Site {
  /// What a live page was drawn from.
  private struct Key: Hashable {
    var version: StoreWatch.Version
    var checkpoints: [Int?]
  }

  /// Live pages that are kept, and pages of finished runs, which may have a megabyte each.
  private static let keptPages = 64
  private static let keptRuns = 12
  /// The store is not looked at more often.
  private static let lookEvery = Duration.milliseconds(200)

  private let watch: StoreWatch
  private let pictures = SweepPictures()
  private let unfinished: UnfinishedRuns
  private let now: @Sendable () -> Date
  private let logger: Logger
  private var looked: ContinuousClock.Instant?
  private var running: [PointID] = []
  private var key: Key
  private var pages: [String: (key: Key, page: LivePage)] = [:]
  private var runs: [(point: PointID, generation: Int, page: LivePage)] = []

  package init(
    store path: String, unfinished: UnfinishedRuns = .unknown, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    watch = StoreWatch(path: path)
    self.unfinished = unfinished
    self.now = now
    self.logger = logger
    key = Key(version: watch.version, checkpoints: [])
  }

  /// The page at `path`, which is percent-encoded as in a request.
  package func page(at path: String) -> LivePage {
    look()
    if let known = pages[path], known.key == key { return known.page }
    let page = draw(path)
    if pages.count >= Self.keptPages { pages = [:] }
    // Pages of finished runs have a place of their own; what is not there may be asked for by any name.
    if page.kind != .settled, page.kind != .notFound { pages[path] = (key, page) }
    return page
  }

  private func look() {
    let instant = ContinuousClock.now
    if let looked, instant - looked < Self.lookEvery { return }
    looked = instant
    watch.look()
    key = Key(version: watch.version, checkpoints: running.map(unfinished.stamp))
  }

  private func draw(_ path: String) -> LivePage {
    guard let place = Place(path) else { return .notFound("There is no such page: \(path)") }
    guard let store = watch.store else { return .unavailable(watch.trouble) }
    do {
      return try draw(place, store)
    } catch let error as StoreError where error.kind == .unknown {
      return .notFound(error.description)
    } catch {
      let reason = "\(error)"
      logger.warning("\(path): \(reason)")
      watch.drop(reason)
      key.version = watch.version
      return .unavailable(reason)
    }
  }

  private func draw(_ place: Place, _ store: Store) throws -> LivePage {
    switch place {
    case .overview:
      return try OverviewPage(glance(store), pictures, generation: watch.version.generation).page
    case .sweep(let name):
      return try SweepPage(name, glance(store), pictures, generation: watch.version.generation).page
    case .points(let name, let number): return try PointsPage(name, number, store).page
    case .point(let prefix):
      let point = try store.point(startingWith: prefix)
      let story = try store.story(of: point)
      guard story.result != nil else {
        return PointPage(story, curve: unfinished.curve(point), store: store.path).page
      }
      let generation = watch.version.generation
      if let known = runs.first(where: { $0.point == point && $0.generation == generation }) { return known.page }
      let page = try FinishedPage(story, store).page
      runs.append((point, generation, page))
      if runs.count > Self.keptRuns { runs.removeFirst() }
      return page
    }
  }

  private func glance(_ store: Store) throws -> StoreGlance {
    let glance = try StoreGlance(store, at: now(), curve: unfinished.curve)
    running = glance.running.map(\.point)
    key.checkpoints = running.map(unfinished.stamp)
    return glance
  }
}

/// What a path means.
enum Place: Hashable {
  case overview
  case sweep(String)
  /// From 1.
  case points(String, page: Int)
  /// The beginning of an id, in hexadecimal digits.
  case point(String)

  /// - Parameter path: percent-encoded; nil for one that means nothing.
  init?(_ path: String) {
    let words = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
      String($0).removingPercentEncoding
    }
    guard path.hasPrefix("/"), path.utf8.count <= 2000, !words.contains(nil) else { return nil }
    let known = words.compactMap { $0 }
    switch known.count {
    case 1 where known[0].isEmpty: self = .overview
    case 2 where known[0] == "sweep" && !known[1].isEmpty: self = .sweep(known[1])
    case 2 where known[0] == "point" && Self.isBeginning(known[1]): self = .point(known[1])
    case 4 where known[0] == "sweep" && !known[1].isEmpty && known[2] == "points":
      guard let page = Int(known[3]), (1...1_000_000).contains(page) else { return nil }
      self = .points(known[1], page: page)
    default: return nil
    }
  }

  private static func isBeginning(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }
}

extension LivePage {
  static let home: (name: String, path: String) = ("Dashboard", "/")

  static func notFound(_ reason: String) -> LivePage {
    LivePage(.notFound, title: "Not found", trail: [home], lead: reason)
  }

  static func unavailable(_ reason: String) -> LivePage {
    LivePage(
      .unavailable, title: "No store to read", lead: "\(reason).",
      parts: [
        Part(
          name: "what-now", heading: "What now",
          markup: Cell.paragraph("This page looks again by itself, and goes on when the store can be read."))
      ])
  }
}
