import Sweeps
import Testing

@Suite struct LogFieldsTests {
  private func fields(_ line: String) -> [String] { LogFields.of(line).map { "\($0.key)=\($0.value)" } }

  @Test(arguments: [
    ("point 3f9a12ab90cd is quarantined: lost thrice", ["point=3f9a12ab90cd"]),
    ("worker 12 (lab2, process 4711) has fallen silent", ["worker=12"]),
    ("the store refused the result of point 3f9a12ab90cd from lease 7: full", ["point=3f9a12ab90cd", "lease=7"]),
    ("lease 44 was revoked; stopping its run", ["lease=44"]),
    ("sweep weight-decay is paused", ["sweep=weight-decay"]),
    ("sweep a.b_c has priority 3", ["sweep=a.b_c"]),
    ("sweep edge: refining where the outcome changes; 4 points more, 12 now", ["sweep=edge"]),
    ("welcome as worker 3", ["worker=3"]),
    ("a worker does not read its messages; one was not sent", []), ("no sweep yet; bring one", []), ("", []),
    ("the point of all this", []), ("workers 3", []),
  ])
  func `what a line names becomes its fields`(line: String, expected: [String]) {
    #expect(fields(line) == expected)
  }
}
