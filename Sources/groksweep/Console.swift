// Where words go: results to stdout, everything else to stderr. Knows whether anybody is watching.

import Foundation
import Logging

enum Console {
  /// Whether stderr is a terminal that can redraw lines: then progress is live.
  static let isLive: Bool = isatty(2) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

  /// Columns of the terminal behind stderr; 80 when it does not say.
  static var width: Int { size.columns }

  /// Columns and rows of the terminal behind stderr; 80 and 24 when it does not say.
  static var size: (columns: Int, rows: Int) { Terminal.size(of: 2) }

  /// One line (or several) of results.
  static func print(_ text: String) {
    write(text + "\n", to: 1)
  }

  /// The same for what may be a file by redirection: a disk that is full must not pass for a picture.
  ///
  /// - Throws: `Failure`; not when nobody reads any more.
  static func deliver(_ text: String) throws {
    guard let code = write(text + "\n", to: 1), code != EPIPE else { return }
    throw Failure("stdout cannot be written: \(String(cString: strerror(code)).lowercased())", .failed)
  }

  /// Progress and remarks.
  static func remark(_ text: String) { say(text, .info) }

  /// An error: every line opens with the command's name, as other tools do.
  static func complain(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
      JSONLog.isOn.load(ordering: .relaxed) ? say(String(line), .error) : say("groksweep: \(line)", .error)
    }
  }

  private static func say(_ text: String, _ level: Logger.Level) {
    let isJSON = JSONLog.isOn.load(ordering: .relaxed)
    write((isJSON ? JSONLog.line(level, text, at: Date()) : text) + "\n", to: 2)
  }

  /// Raw text to stderr, for redrawing.
  static func draw(_ text: String) {
    write(text, to: 2)
  }

  static func flush() { fflush(nil) }

  /// Writes everything or gives up, as when nobody reads any more (a closed pipe is not our failure).
  ///
  /// - Returns: why it gave up, as errno has it.
  @discardableResult
  static func write(_ text: String, to descriptor: Int32) -> Int32? {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        return errno
      }
      bytes = bytes.dropFirst(written)
    }
    return nil
  }
}
