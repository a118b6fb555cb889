// Lines as a terminal takes them: with its colours or without, and a whole screen of them over the one before. Text only.

package enum TerminalText {
  /// - Parameter isColored: false: as it is.
  package static func text(_ line: TopScreen.Line, isColored: Bool) -> String {
    guard isColored, !line.text.isEmpty, let code = code(line.style) else { return line.text }
    return "\u{1B}[\(code)m\(line.text)\u{1B}[0m"
  }

  /// Drawn over what is there without a flicker: each line clears its own rest, the last one all below.
  package static func screen(_ lines: [TopScreen.Line], isColored: Bool) -> String {
    "\u{1B}[H" + lines.map { text($0, isColored: isColored) + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J"
  }

  private static func code(_ style: TopScreen.Style) -> String? {
    switch style {
    case .plain: nil
    case .title: "1"
    case .good: "32"
    case .bad: "31"
    case .doubtful: "33"
    case .quiet: "2"
    }
  }
}
