// Text that is not a sweep file at all: not YAML, not UTF-8, too large, or built to exhaust its reader.

import Foundation
import Sweeps
import Testing

@Suite struct SweepTextFormTests {
  @Test(arguments: [
    ("", "x.yaml: is empty; a sweep file has keys such as sweep, preset, training and axes"),
    ("# only a comment\n", "x.yaml: is empty; a sweep file has keys such as sweep, preset, training and axes"),
    ("---\n...\n", "x.yaml: is empty; a sweep file has keys such as sweep, preset, training and axes"),
    (
      "- 1\n- 2", "x.yaml:1: a sweep file is a mapping of keys such as sweep, preset, training and axes, not a list"
    ),
    (
      "hello", "x.yaml:1: a sweep file is a mapping of keys such as sweep, preset, training and axes, not \"hello\""
    ),
    ("seed: 1\n---\nseed: 2", "x.yaml:2: is not YAML: a second document begins here; a sweep file holds one"),
    (
      "task: {modulus: 113\nseed: 1\n",
      "x.yaml:2: is not YAML: did not find expected ',' or '}' (while parsing a flow mapping, which begins on line 1)"
    ),
    (
      "seed: 1\n  task: 2\n",
      "x.yaml:2: is not YAML: a second \":\" on one line, or wrong indentation (column 7)"
    ),
    (
      "task:\n\tmodulus: 3",
      "x.yaml:2: is not YAML: a value cannot begin with the character in column 1; indent with spaces, not tabs, and quote "
        + "text that begins with a special character"
    ),
    (
      "sweep: \"abc",
      "x.yaml:1: is not YAML: found unexpected end of stream (while scanning a quoted scalar, which begins on line 1)"
    ),
    ("seed: 1\nsweep: a\nseed: 2", "x.yaml:1: key \"seed\" stands twice, here and on line 3; keep one"),
    ("task: {modulus: 3, modulus: 5}", "x.yaml:1: key \"modulus\" stands twice, here and again below; keep one"),
    (
      "seed: 1\nsweep: a\u{1}b",
      "x.yaml:2: is not YAML: control characters are not allowed (U+1); remove that character"
    ),
    ("axes: {seed: *seeds}", "x.yaml:1: the alias *seeds has no anchor &seeds before it"),
    (
      String(repeating: "[", count: 2000),
      "x.yaml:1: is not YAML: it is nested more than 1000 levels deep; a sweep file needs at most 5"
    ),
  ])
  func `text that is no sweep file is refused in words`(text: String, sentence: String) {
    #expect(complaints(text) == sentence)
  }

  @Test func `anchors and aliases mean what they repeat`() throws {
    let text = "axes:\n  model_seed: &seeds [0, 1, 2]\n  data_seed: *seeds\n"
    #expect(try SweepFile(text: text, fileName: "x").points.count == 9)
    #expect(complaints("sweep: a*b") != "", "a star in text stays a star")
    #expect(complaints("sweep: a*b").contains("\"a*b\""))
  }

  @Test func `aliases that would unfold to billions are refused at once`() {
    var text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for level in 1...20 {
      text += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    let refusal = "has more than 200000 values, aliases counted in full; a long axis is better a range"
    #expect(complaints(text) == "x.yaml:6: " + refusal)
    // The same as mapping keys, which a reader has to compare.
    #expect(complaints(text + "? *a20\n: 1\n? [*a20, *a20]\n: 2\n") == "x.yaml:6: " + refusal)
  }

  @Test func `deep nesting within the limit is an ordinary error`() {
    #expect(complaints(String(repeating: "[", count: 900) + String(repeating: "]", count: 900)).contains("not a list"))
    #expect(complaints(String(repeating: "- ", count: 900) + "a").contains("not a list"))
    #expect(complaints("x: " + String(repeating: "{a: ", count: 900) + "1" + String(repeating: "}", count: 900)) != "")
  }

  @Test func `a file of more than a mebibyte is refused`() {
    let text = "# " + String(repeating: "x", count: 1 << 20)
    #expect(complaints(text) == "x.yaml: has 1048578 bytes; a sweep file may have at most 1048576")
  }

  @Test func `bytes that are not UTF-8 are refused with their line`() throws {
    let error = #expect(throws: SweepFileError.self) {
      try SweepFile(bytes: Array("seed: 1\nsweep: ".utf8) + [0xff, 0xfe], fileName: "x.yaml")
    }
    #expect(error?.description == "x.yaml:2: is not UTF-8 text; save the file as UTF-8")
    #expect(try SweepFile(bytes: Array("seed: 1".utf8), fileName: "x.yaml").points.count == 1)
  }

  @Test func `line ends of every system are lines`() {
    for end in ["\n", "\r\n", "\r"] {
      #expect(
        complaints("seed: 1\(end)\(end)method: x\(end)")
          == "x.yaml:3: unknown method \"x\"; there are grid, random, sobol, boundary")
    }
  }

  @Test func `what a file says is shown without control characters and cut short`() {
    #expect(
      complaints("method: \"a\\nb\\e[31m\"")
        == "x.yaml:1: unknown method \"a\\nb\\u{1b}[31m\"; there are grid, random, sobol, boundary")
    #expect(complaints("method: " + String(repeating: "m", count: 500)).utf8.count < 150)
  }
}
