// Server-sent events of one open page: the parts that have changed, whenever they have.
//
// The page is looked at once a second, which costs next to nothing while the store stays as it is (Site keeps what it drew).
// An empty comment now and then finds out that nobody listens any more.

import FlyingSocks
import Foundation
import Synchronization

/// How many streams are open at once: each holds a connection and a task.
final class StreamSlots: Sendable {
  private let free: Mutex<Int>

  init(_ count: Int) { free = Mutex(count) }

  /// Given back when the value goes; nil when there is none left.
  func take() -> Slot? {
    free.withLock { free in
      guard free > 0 else { return nil }
      free -= 1
      return Slot(of: self)
    }
  }

  final class Slot: Sendable {
    private let slots: StreamSlots
    fileprivate init(of slots: StreamSlots) { self.slots = slots }
    deinit { slots.free.withLock { $0 += 1 } }
  }
}

struct EventStream: AsyncBufferedSequence, Sendable {
  typealias Element = UInt8

  static let lookEvery = Duration.seconds(1)
  private static let aliveEvery = Duration.seconds(15)

  let site: Site
  let path: String
  /// The page that the browser has; nil: none.
  let seen: String?
  let slot: StreamSlots.Slot

  func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

  struct Iterator: AsyncBufferedIteratorProtocol {
    private let stream: EventStream
    private var page: LivePage?
    private var said = ContinuousClock.now
    private var hasEnded = false

    fileprivate init(stream: EventStream) { self.stream = stream }

    mutating func next() async throws -> UInt8? {
      preconditionFailure("a stream of events is read in buffers")
    }

    mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
      if hasEnded { return nil }
      while true {
        try Task.checkCancellation()
        let began = ContinuousClock.now
        let latest = await stream.site.page(at: stream.path)
        let words = Events.words(from: page, seen: stream.seen, to: latest)
        page = latest
        if let words {
          said = .now
          hasEnded = words.isLast
          // A comment, which browsers pass over: what this update took, for whoever measures (docs/how-to/dashboard.md).
          return Array(": \(DashboardServer.milliseconds(since: began)) ms\n\(words.text)".utf8)
        }
        if ContinuousClock.now - said > EventStream.aliveEvery {
          said = .now
          return Array(":\n\n".utf8)
        }
        try await Task.sleep(for: EventStream.lookEvery)
      }
    }
  }
}

/// What is said when a page has become another.
package enum Events {
  /// - Parameters:
  ///   - old: as it was said last; nil at the beginning.
  ///   - seen: the tag of the page that the browser began with.
  /// - Returns: nil for nothing new; at the beginning there is always something, so that the browser knows that it is heard.
  package static func words(
    from old: LivePage?, seen: String?, to new: LivePage
  ) -> (text: String, isLast: Bool)? {
    let begun = old == nil ? "retry: 3000\n\n" : ""
    if let old, old.tag == new.tag, old.kind == new.kind { return nil }
    if old == nil, seen == new.tag { return (begun, false) }
    // Whatever is not in a part: the browser gets the page again.
    let isOther = old.map { $0.kind != new.kind || $0.title != new.title || $0.lead != new.lead } ?? false
    let isOver = new.kind == .settled || new.kind == .notFound
    if isOther || isOver || old.map({ $0.parts.map(\.name) != new.parts.map(\.name) }) ?? false {
      return (begun + "event: again\ndata:\n\n", true)
    }
    var text = begun
    let changed = new.parts.filter { part in !(old?.parts.contains(part) ?? false) }
    for (place, part) in changed.enumerated() {
      // Only after the last one the browser has the page that the tag names.
      if place == changed.count - 1 { text += "id: \(new.tag)\n" }
      text += "event: part\ndata: \(json(part))\n\n"
    }
    return (text, false)
  }

  private struct Said: Encodable {
    let name: String
    let html: String
  }

  /// On one line, whatever the markup has: JSON writes line ends as `\n`.
  private static func json(_ part: LivePage.Part) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    guard let data = try? encoder.encode(Said(name: part.name, html: part.content)) else { return "null" }
    return String(decoding: data, as: UTF8.self)
  }
}
