// `--log-format` and `--log-level`, and stderr as JSON lines: what is said there, log or not, is one object a line then.

import ArgumentParser
import Foundation
import Logging
import Sweeps
import Synchronization

enum LogFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

struct LogOptions: ParsableArguments {
  @Option(help: "What stderr has: text for people, or json, an object a line (time, level, message, fields).")
  var logFormat = LogFormat.text
  @Option(help: "Say this and what is worse: debug, info, warning or error.", transform: Self.level)
  var logLevel: Logger.Level?

  private static func level(_ text: String) throws -> Logger.Level {
    guard let level = Logger.Level(rawValue: text) else {
      throw ValidationError("--log-level \(text): give debug, info, warning or error")
    }
    return level
  }

  /// From now on all of stderr has the format, errors too.
  func begin() {
    if logFormat == .json { JSONLog.isOn.store(true, ordering: .relaxed) }
  }

  /// A logger onto a screen, from `usual` on where no level is named; stderr has the format from now on.
  func start(usual: Logger.Level, isLive: Bool = Console.isLive) -> (screen: Screen, logger: Logger) {
    begin()
    let screen = Screen(isLive: isLive && logFormat == .text)
    return (screen, Logger(onto: screen, from: logLevel ?? usual))
  }

  /// The same for a worker process.
  var arguments: [String] {
    (logFormat == .json ? ["--log-format", "json"] : []) + (logLevel.map { ["--log-level", $0.rawValue] } ?? [])
  }
}

enum JSONLog {
  /// Whether stderr has JSON lines.
  static let isOn = Atomic<Bool>(false)

  /// `{"level":"info","message":"…","time":"2026-11-25T22:58:04.123Z"}` and the fields, all texts but for whole numbers.
  static func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata = [:], at time: Date) -> String
  {
    var object: [String: Any] = [:]
    for (key, value) in metadata { object[key] = field("\(value)") }
    for (key, value) in LogFields.of(message) { object[key] = field(value) }
    object["time"] = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    object["level"] = level.rawValue
    object["message"] = message
    let bytes = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return bytes.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Numbers of workers and leases as numbers; an id of a point is a text, though it have digits only.
  private static func field(_ text: String) -> Any {
    if text.utf8.count < 12, let number = Int(text) { return number }
    return text
  }
}
