// The dashboard without its server: a path in, a page out. Pages are drawn anew only when the store has changed since, so that
// many open pages cost what one does. Reads the store, and never writes.

import Foundation
import Grokking
import Logging
import Reports
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

  /// Live pages that are kept.
  private static let keptPages = 64
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
  private var pages: [Place: (key: Key, page: LivePage)] = [:]
  private let finished = FinishedPages()

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

  /// The page at `path`, which is percent-encoded as in a request, its query with it.
  package func page(at path: String) async -> LivePage {
    guard let place = Place(path) else { return .notFound("There is no such page: \(path)") }
    look()
    if let known = pages[place], known.key == key { return known.page }
    let page = await draw(place)
    if pages.count >= Self.keptPages { pages = [:] }
    // Pages of finished runs have a place of their own; what is not there may be asked for by any name.
    if page.kind != .settled, page.kind != .notFound { pages[place] = (key, page) }
    return page
  }

  private func look() {
    let instant = ContinuousClock.now
    if let looked, instant - looked < Self.lookEvery { return }
    looked = instant
    watch.look()
    key = Key(version: watch.version, checkpoints: running.map(unfinished.stamp))
  }

  private func draw(_ place: Place) async -> LivePage {
    guard let store = watch.store else { return .unavailable(watch.trouble) }
    do {
      return try await draw(place, store)
    } catch let error as StoreError where error.kind == .unknown {
      return .notFound(error.description)
    } catch let error as DiagramAxesError {
      return .notFound("\(error)")
    } catch {
      let reason = "\(error)"
      logger.warning("\(place.path): \(reason)")
      watch.drop(reason)
      key.version = watch.version
      return .unavailable(reason)
    }
  }

  private func draw(_ place: Place, _ store: Store) async throws -> LivePage {
    switch place {
    case .overview:
      return try OverviewPage(glance(store), pictures, generation: watch.version.generation).page
    case .sweep(let name, let axes):
      return try SweepPage(name, axes, glance(store), pictures, generation: watch.version.generation).page
    case .points(let name, let number): return try PointsPage(name, number, store).page
    case .point(let prefix):
      let point = try store.point(startingWith: prefix)
      let story = try store.story(of: point)
      guard story.result != nil else {
        return PointPage(story, curve: unfinished.curve(point), store: store.path).page
      }
      return try await finished.page(of: story, in: store, generation: watch.version.generation)
    }
  }

  private func glance(_ store: Store) throws -> StoreGlance {
    let glance = try StoreGlance(store, at: now(), curve: unfinished.curve)
    running = glance.running.map(\.point)
    key.checkpoints = running.map(unfinished.stamp)
    return glance
  }
}

/// Pages of finished runs. Grids of a model's weights may take a second, during which all other pages go on: they are drawn
/// one after the other beside them.
private actor FinishedPages {
  /// They may have a megabyte each.
  private static let kept = 12

  private var pages: [(point: PointID, generation: Int, page: LivePage)] = []

  func page(of story: PointStory, in store: Store, generation: Int) throws -> LivePage {
    if let known = pages.first(where: { $0.point == story.id && $0.generation == generation }) { return known.page }
    let (page, isWhole) = try FinishedPage(story, store).drawn()
    // `verify` may bring the weights that it lacks.
    guard isWhole else { return page }
    pages.append((story.id, generation, page))
    if pages.count > Self.kept { pages.removeFirst() }
    return page
  }
}

/// What a path means.
enum Place: Hashable {
  /// What the phase diagram of a page has along its sides, by name; nil: as the values suggest.
  struct Axes: Hashable {
    var x: String?
    var y: String?
  }

  case overview
  case sweep(String, Axes = Axes())
  /// From 1.
  case points(String, page: Int)
  /// The beginning of an id, in hexadecimal digits.
  case point(String)

  /// - Parameter path: percent-encoded, with its query if it has one; nil for one that means nothing. Of queries only a sweep's
  ///   `x` and `y` mean anything.
  init?(_ path: String) {
    guard path.hasPrefix("/"), path.utf8.count <= 2000 else { return nil }
    let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let words = parts[0].split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
      String($0).removingPercentEncoding
    }
    guard !words.contains(nil) else { return nil }
    let known = words.compactMap { $0 }
    switch known.count {
    case 1 where known[0].isEmpty: self = .overview
    case 2 where known[0] == "sweep" && !known[1].isEmpty:
      self = .sweep(known[1], Axes(query: parts.count > 1 ? parts[1] : ""))
    case 2 where known[0] == "point" && Self.isBeginning(known[1]): self = .point(known[1])
    case 4 where known[0] == "sweep" && !known[1].isEmpty && known[2] == "points":
      guard let page = Int(known[3]), (1...1_000_000).contains(page) else { return nil }
      self = .points(known[1], page: page)
    default: return nil
    }
  }

  /// The one way to write it.
  var path: String {
    switch self {
    case .overview: "/"
    case .sweep(let name, let axes): Address.sweep(name) + axes.query
    case .points(let name, let page): "\(Address.sweep(name))/points/\(page)"
    case .point(let beginning): Address.point(beginning)
    }
  }

  private static func isBeginning(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }
}

extension Place.Axes {
  /// Of a form that was sent: what was left open is an empty text there.
  init(query: some StringProtocol) {
    for pair in query.split(separator: "&") {
      let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let text = halves.count > 1 ? String(halves[1]).replacing("+", with: " ").removingPercentEncoding : nil
      guard let text, !text.isEmpty else { continue }
      switch halves[0] {
      case "x": x = text
      case "y": y = text
      default: break
      }
    }
  }

  fileprivate var query: String {
    let given = [("x", x), ("y", y)].compactMap { name, value in value.map { "\(name)=\(Address.encoded($0))" } }
    return given.isEmpty ? "" : "?" + given.joined(separator: "&")
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
