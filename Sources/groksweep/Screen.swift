// The live part of the terminal: a few lines at the bottom that are redrawn, with remarks scrolling by above them.

import Foundation
import Logging
import Synchronization

/// One per process; any thread may write. In a pipe nothing is redrawn and remarks are plain lines.
final class Screen: Sendable {
  private struct State {
    var lines: [String] = []
  }
  private let state = Mutex(State())
  let isLive: Bool

  /// - Parameter isLive: whether lines are redrawn; the default asks the terminal.
  init(isLive: Bool = Console.isLive) { self.isLive = isLive }

  /// Replaces the live lines; nothing in a pipe.
  func show(_ lines: [String]) {
    guard isLive else { return }
    let (width, rows) = Console.size
    // A line that has scrolled off the top cannot be erased any more.
    let lines = Array(lines.prefix(max(1, rows - 1)))
    state.withLock { state in
      Console.draw(Self.erasing(state.lines.count) + lines.map { "\($0.prefix(width - 1))\n" }.joined())
      state.lines = lines
    }
  }

  /// A line that stays, above the live ones.
  func remark(_ text: String) {
    guard !JSONLog.isOn.load(ordering: .relaxed) else { return Console.remark(text) }
    let width = Console.width
    state.withLock { state in
      Console.draw(
        Self.erasing(state.lines.count) + text + "\n" + state.lines.map { "\($0.prefix(width - 1))\n" }.joined())
    }
  }

  /// Removes the live lines.
  func clear() {
    state.withLock { state in
      Console.draw(Self.erasing(state.lines.count))
      state.lines = []
    }
  }

  private static func erasing(_ lines: Int) -> String {
    lines == 0 ? "" : "\u{1B}[\(lines)A\u{1B}[J"
  }
}

/// swift-log's lines as ours: `groksweep: warning: …`, above the live lines.
struct ScreenLogHandler: LogHandler {
  let screen: Screen
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    if JSONLog.isOn.load(ordering: .relaxed) {
      let fields = metadata.merging(event.metadata ?? [:]) { $1 }
      return Console.draw(JSONLog.line(event.level, "\(event.message)", fields, at: Date()) + "\n")
    }
    let prefix = event.level >= .warning ? "groksweep: \(event.level.rawValue): " : "groksweep: "
    screen.remark("\(prefix)\(event.message)")
  }
}

extension Logger {
  /// A logger onto the screen, from `level` on.
  init(onto screen: Screen, from level: Logger.Level) {
    self.init(label: "groksweep") { _ in ScreenLogHandler(screen: screen, logLevel: level) }
  }
}
