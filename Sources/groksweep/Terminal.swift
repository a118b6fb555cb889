// The terminal while a screen has all of it: another page than the shell's, keys as they are pressed. However the process
// ends, the shell gets its page back.

import Foundation

/// At most one at a time; on the main thread.
final class Terminal {
  private static let enter = "\u{1B}[?1049h\u{1B}[?25l"

  /// - Throws: `Failure` when there is no terminal.
  init() throws {
    var settings = termios()
    guard isatty(0) == 1, isatty(1) == 1, tcgetattr(0, &settings) == 0 else {
      throw Failure("no terminal to draw on; --once prints one screen", .usage)
    }
    savedSettings = settings
    settings.c_lflag &= ~UInt32(ICANON | ECHO)
    // Stopped in the middle (Ctrl-Z), it would leave the shell on the wrong page.
    withUnsafeMutableBytes(of: &settings.c_cc) { $0[Int(VSUSP)] = 0 }
    atexit { restoreTerminal() }
    // Only wakes whoever waits for keys, who then asks for the size.
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(SIGWINCH, &action, nil)
    guard tcsetattr(0, TCSAFLUSH, &settings) == 0 else { throw Failure("this terminal gives no single keys", .failed) }
    draw(Self.enter)
  }

  deinit { restoreTerminal() }

  var size: (columns: Int, rows: Int) { Terminal.size(of: 1) }

  func draw(_ text: String) { Console.write(text, to: 1) }

  /// The keys that were pressed; waits for one, for `descriptor`, for a signal or for the end of `milliseconds`.
  func keys(or descriptor: Int32, milliseconds: Int32) -> [UInt8] {
    var items = [
      pollfd(fd: 0, events: Int16(POLLIN), revents: 0), pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&items, 2, milliseconds) > 0, items[0].revents != 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(0, &bytes, bytes.count)
    // The terminal has gone: as if somebody wanted an end.
    return count > 0 ? Array(bytes[..<count]) : [UInt8(ascii: "q")]
  }

  /// 80 and 24 where nobody says.
  static func size(of descriptor: Int32) -> (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return (80, 24) }
    return (size.ws_col > 0 ? Int(size.ws_col) : 80, size.ws_row > 0 ? Int(size.ws_row) : 24)
  }
}

/// What the terminal was like; nil when there is nothing to restore. Read at the end of the process too, so it is global.
private nonisolated(unsafe) var savedSettings: termios?

private func restoreTerminal() {
  guard var settings = savedSettings else { return }
  savedSettings = nil
  Console.write("\u{1B}[?25h\u{1B}[?1049l", to: 1)
  tcsetattr(0, TCSAFLUSH, &settings)
}
