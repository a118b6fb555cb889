// Commands that pages and sentences name, to be copied into a shell whatever names and paths are made of.

package enum ShellCommand {
  /// The words with spaces between them, each quoted where a shell would take it apart.
  package static func text(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

  package static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
          || "._-/=:,+@".utf8.contains(byte)
      }
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
