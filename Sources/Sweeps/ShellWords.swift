// Words for a POSIX shell: ssh hands its command to one on the other side, a batch script is one, and people copy commands from
// sentences and pages into theirs, whatever names and paths are made of.

package enum ShellWords {
  /// `word` such that a POSIX shell reads exactly it, whatever is in it; left alone where nothing needs quoting.
  package static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "-_./:=@%+,".utf8.contains(byte)
        }
      }
    return isPlain
      ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
  }

  /// A command of `words` in one line.
  package static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }
}
