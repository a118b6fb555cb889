import Foundation
import Sweeps
import Testing

@Suite struct ShellWordsTests {
  @Test func `a shell reads back exactly the words that were quoted`() throws {
    let words = [
      "", "plain", "two words", "it's", "''", "$HOME", "`id`", "a\"b", "\\", "*", "~", "!", "a;b", "new\nline", "ß",
      "-n",
      "--where=outcome = 'grokked'",
    ]
    let shell = Process()
    let output = Pipe()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = ["-c", "printf '%s\\0' " + ShellWords.line(words)]
    shell.standardOutput = output
    try shell.run()
    let read = try output.fileHandleForReading.readToEnd() ?? Data()
    shell.waitUntilExit()
    #expect(read == Data(words.flatMap { Array($0.utf8) + [0] }))
  }

  @Test func `what needs no quotes stays readable`() {
    #expect(
      ShellWords.line(["groksweep", "worker", "--connect", "tcp://127.0.0.1:5555"])
        == "groksweep worker --connect tcp://127.0.0.1:5555")
  }
}
